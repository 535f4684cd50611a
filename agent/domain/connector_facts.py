"""What does a person want to see of the walks to a connector's smart hosts?"""

from agent.domain.fact import Fact, Table
from agent.domain.walk import Walked, result_of, words_of
from agent.domain.walk_facts import certificates, sessions


def show(
    seen: tuple[Walked, ...], verdicts: tuple[str, ...], resolving: float, expected: str | None
) -> dict[str, Fact]:
    """Return the facts of all walks.

    *verdicts* say what Exchange Online would do at each, *resolving* is how many seconds DNS took,
    and *expected* the name that certificates must have, if any but the host's.
    """
    return {
        "Addresses": _addresses(seen, verdicts),
        **sessions(((each.place, each) for each in seen), resolving),
        **certificates(seen, expected),
    }


def _addresses(seen: tuple[Walked, ...], verdicts: tuple[str, ...]) -> Table:
    rows = []
    for each, verdict in zip(seen, verdicts, strict=True):
        tls = f"{each.tls_version} {each.tls_cipher}".strip() or "none"
        rows.append((each.place, verdict, result_of(each.dialogue), words_of(each.dialogue), tls))
    columns = ("Address", "Exchange Online would", "Result", "Last word", "TLS")
    return Table(columns, tuple(rows))
