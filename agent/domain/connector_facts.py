"""What does a person want to see of the walks to a connector's smart hosts?"""

from agent.domain.fact import Fact, Mood, Phase, Table, Text, Walk
from agent.domain.smtp import Accepted
from agent.domain.smtp import Phase as Step
from agent.domain.tls import Presented
from agent.domain.walk import Walked, result_of, words_of

_SHOWN = 6  # addresses whose walk and transcript are shown


def show(seen: tuple[Walked, ...], resolving: float) -> dict[str, Fact]:
    """Return the facts of all walks; *resolving* is how many seconds DNS took."""
    facts: dict[str, Fact] = {"Addresses": _addresses(seen)}
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
    return facts


def _addresses(seen: tuple[Walked, ...]) -> Table:
    rows = []
    for each in seen:
        tls = f"{each.tls_version} {each.tls_cipher}".strip() or "none"
        rows.append((each.place, result_of(each.dialogue), words_of(each.dialogue), tls))
    return Table(("Address", "Result", "Last word", "TLS"), tuple(rows))


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
