"""What does a person want to see of walks: the phases, the transcript, the certificates?"""

from collections.abc import Iterable, Mapping

from agent.domain.fact import Chain, Fact, Link, Mood, Phase, Table, Text, Walk
from agent.domain.smtp import Accepted
from agent.domain.smtp import Phase as Step
from agent.domain.tls import Certificate, Match, Presented, Trust, match_one
from agent.domain.walk import Walked, words_of

_SHOWN = 6  # walks with their transcripts
_SHOWN_NAMES = 20  # of one certificate
_SHOWN_NAMES_SHORT = 3  # of one certificate, in the picture
_SHOWN_CHAINS, _SHOWN_LINKS = 3, 5
_ENDS = {
    Trust.TRUSTED: "A root of the trust store",
    Trust.SELF_SIGNED: "Nobody: it is signed by itself",
    Trust.INCOMPLETE: "An issuer that was not sent",
    Trust.UNTRUSTED: "No root of the trust store",
}
_FITS = {Match.YES: "yes", Match.NO: "no", Match.AMBIGUOUS: "not documented"}


def sessions(seen: Iterable[tuple[str, Walked]], resolving: float | None) -> dict[str, Fact]:
    """Return the timeline and the transcript of each walk, under the title that it comes with.

    *resolving* is how many seconds DNS took, None where that is not told.
    """
    facts: dict[str, Fact] = {}
    for title, each in tuple(seen)[:_SHOWN]:
        facts[f"Walk of {title}"] = _draw(
            each, {} if resolving is None else {Step.RESOLVE: resolving}
        )
        if each.transcript:
            facts[f"Transcript of {title}"] = Text("\n".join(each.transcript))
    return facts


def _draw(seen: Walked, before: Mapping[Step, float]) -> Walk:
    """Draw the phases in order, the one that the session ended at coloured."""
    dialogue = seen.dialogue
    timings = {**before, **seen.timings}
    ended = None if isinstance(dialogue, Accepted) else dialogue.phase
    phases = []
    for step in _WALKED:
        if step is Step.RESOLVE and step not in before:
            continue
        is_end = step is ended
        mood: Mood = "bad" if is_end else "good" if step in timings else "plain"
        words = words_of(dialogue) if is_end else ""
        phases.append(Phase(step, timings.get(step), mood, words))
    return Walk(tuple(phases))


_WALKED = tuple(step for step in Step if step not in (Step.AUTH, Step.DATA, Step.FINAL))


def certificates(seen: tuple[Walked, ...], expected: str | None) -> dict[str, Fact]:
    """Return a table of the certificates, and one of their names; none where none was shown.

    *expected* is the name that they must have, if any but the host's.
    """
    rows = tuple(_certificate(each.place, each.presented) for each in seen if each.presented)
    if not rows:
        return {}
    columns = ("Address", "Subject", "Names", "Issuer", "Valid until", "Key", "For", "Chain")
    return {
        **_chains(seen),
        "Certificates": Table((*columns, "Revocation", "SHA-256"), rows),
        "Names of certificates": _names(seen, expected),
    }


def _chains(seen: Iterable[Walked]) -> dict[str, Fact]:
    """Return each chain once, under the first place that showed it."""
    chains: dict[Presented, str] = {}
    for each in seen:
        if each.presented is not None:
            chains.setdefault(each.presented, f"Certificate of {each.place}")
    return {title: _chain(each) for each, title in tuple(chains.items())[:_SHOWN_CHAINS]}


def _chain(presented: Presented) -> Chain:
    links = (presented.leaf, *presented.others)[:_SHOWN_LINKS]
    is_trusted = presented.trust is Trust.TRUSTED
    return Chain(tuple(map(_link, links)), _ENDS[presented.trust], "good" if is_trusted else "bad")


def _link(of: Certificate) -> Link:
    more = of.name_count - _SHOWN_NAMES_SHORT
    names = ", ".join(of.held[:_SHOWN_NAMES_SHORT]) + (f" and {more} more" if more > 0 else "")
    return Link(
        of.subject or of.common_name or names, of.issuer, of.not_before, of.not_after, names
    )


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
        ", ".join(leaf.purposes) or "anything",
        f"{1 + len(presented.others)} sent, {presented.trust}",
        presented.staple.status if presented.staple else "not stapled",
        leaf.fingerprint,
    )


def _names(seen: tuple[Walked, ...], expected: str | None) -> Table:
    """Show each name of each certificate, and whether it is the one that is asked for."""
    rows = tuple(
        (each.place, name, expected or each.host, _FITS[match_one(expected or each.host, name)])
        for each in seen
        if each.presented is not None
        for name in each.presented.leaf.held[:_SHOWN_NAMES]
    )
    return Table(("Address", "Name", "Asked for", "Fits"), rows)
