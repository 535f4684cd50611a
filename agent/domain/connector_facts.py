"""What does a person want to see of the walks to a connector's smart hosts?"""

from agent.domain.fact import Fact, Mood, Phase, Table, Text, Walk
from agent.domain.smtp import Accepted
from agent.domain.smtp import Phase as Step
from agent.domain.tls import Match, Presented, match_one
from agent.domain.walk import Walked, result_of, words_of

_SHOWN = 6  # addresses whose walk and transcript are shown
_SHOWN_NAMES = 20  # of one certificate


def show(
    seen: tuple[Walked, ...], verdicts: tuple[str, ...], resolving: float, expected: str | None
) -> dict[str, Fact]:
    """Return the facts of all walks.

    *verdicts* say what Exchange Online would do at each, *resolving* is how many seconds DNS took,
    and *expected* the name that certificates must have, if any but the host's.
    """
    facts: dict[str, Fact] = {"Addresses": _addresses(seen, verdicts)}
    for each in seen[:_SHOWN]:
        place = each.place
        facts[f"Walk of {place}"] = _draw(each, resolving)
        if each.transcript:
            facts[f"Transcript of {place}"] = Text("\n".join(each.transcript))
    rows = [_certificate(each.place, each.presented) for each in seen if each.presented]
    if rows:
        columns = (
            "Address",
            "Subject",
            "Names",
            "Issuer",
            "Valid until",
            "Key",
            "Chain",
            "SHA-256",
        )
        facts["Certificates"] = Table(columns, tuple(rows))
        facts["Names of certificates"] = _names(seen, expected)
    return facts


def _addresses(seen: tuple[Walked, ...], verdicts: tuple[str, ...]) -> Table:
    rows = []
    for each, verdict in zip(seen, verdicts, strict=True):
        tls = f"{each.tls_version} {each.tls_cipher}".strip() or "none"
        rows.append((each.place, verdict, result_of(each.dialogue), words_of(each.dialogue), tls))
    columns = ("Address", "Exchange Online would", "Result", "Last word", "TLS")
    return Table(columns, tuple(rows))


def _names(seen: tuple[Walked, ...], expected: str | None) -> Table:
    """Show each name of each certificate, and whether it is the one that is asked for."""
    rows = tuple(
        (each.place, name, expected or each.host, _FITS[match_one(expected or each.host, name)])
        for each in seen
        if each.presented is not None
        for name in each.presented.leaf.held[:_SHOWN_NAMES]
    )
    return Table(("Address", "Name", "Asked for", "Fits"), rows)


_FITS = {Match.YES: "yes", Match.NO: "no", Match.AMBIGUOUS: "not documented"}


def _draw(seen: Walked, resolving: float) -> Walk:
    """Draw the phases in order, the one that the session ended at coloured."""
    dialogue = seen.dialogue
    timings = {Step.RESOLVE: resolving, **seen.timings}
    ended = None if isinstance(dialogue, Accepted) else dialogue.phase
    phases = []
    for step in _WALKED:
        is_end = step is ended
        mood: Mood = "bad" if is_end else "good" if step in timings else "plain"
        words = words_of(dialogue) if is_end else ""
        phases.append(Phase(step, timings.get(step), mood, words))
    return Walk(tuple(phases))


_WALKED = tuple(step for step in Step if step not in (Step.AUTH, Step.DATA, Step.FINAL))


def _certificate(place: str, presented: Presented) -> tuple[str, ...]:
    leaf = presented.leaf
    names = ", ".join(leaf.names[:10]) + (" ..." if leaf.name_count > 10 else "")  # noqa: PLR2004
    return (
        place,
        leaf.subject,
        names,
        leaf.issuer,
        leaf.not_after.strftime("%Y-%m-%d"),
        f"{leaf.key_type} {leaf.key_bits}",
        f"{1 + len(presented.others)} sent, {presented.trust}",
        leaf.fingerprint,
    )
