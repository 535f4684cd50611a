"""Who may send in a domain's name, and what would become of their mail under DMARC?

One row for each declared sender: what SPF says and whether it aligns, whether a key is published
for a DKIM signature that aligns, and so whether DMARC can pass. DNS shows what can be, not what a
sender does: a published key is no signature yet, and the MAIL FROM of a provider is its own unless
the customer set up another. Where that decides, the answer is that it cannot be told.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from agent.domain.dmarc_terms import Policy
from agent.domain.fact import Table
from agent.domain.knowledge.providers import PROFILES, Profile
from agent.domain.knowledge.sender_selectors import SENDER_SELECTORS, SenderSelectors
from agent.domain.peer_text import PeerText
from agent.domain.spf_senders import Verdict

MOST_SHOWN = 40  # rows of the table
COLUMNS = ("sender", "SPF", "SPF aligned", "DKIM aligned", "DMARC", "under p=reject")
_NOTHING = SenderSelectors(())


class Chance(enum.StrEnum):
    """Whether something can pass: a closed set, fit for a label value."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNKNOWN = "unknown"


class Key(enum.StrEnum):
    """What DNS says of a selector."""

    PUBLISHED = "published"
    ABSENT = "absent"
    USELESS = "broken, weak or revoked"
    DOUBTFUL = "published where only some receivers let it align"
    SILENT = "DNS could not say"


@dataclass(frozen=True, slots=True)
class Part:
    """SPF's or DKIM's share in a row: can it pass and align, and why, in words.

    ``is_silent`` tells that it is unknown because DNS could not say.
    """

    chance: Chance
    why: str
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One sender: ``spf`` is the plain result, in a word; the others ask for alignment, too."""

    sender: str
    spf: Chance
    spf_aligned: Part
    dkim: Part

    @property
    def dmarc(self) -> Chance:
        """Whether DMARC can pass: either must, and align (RFC 7489 section 3)."""
        both = {self.spf_aligned.chance, self.dkim.chance}
        if Chance.PASS in both:
            return Chance.PASS
        return Chance.FAIL if both == {Chance.FAIL} else Chance.UNKNOWN

    @property
    def is_silent(self) -> bool:
        """Whether the verdict is unknown because DNS could not say."""
        parts = (self.spf_aligned, self.dkim)
        return self.dmarc is Chance.UNKNOWN and any(part.is_silent for part in parts)

    @property
    def is_lost_when_forwarded(self) -> bool:
        """Whether all rests on SPF, which fails at the first server that forwards."""
        return self.spf_aligned.chance is Chance.PASS and self.dkim.chance is Chance.FAIL

    def under(self, policy: Policy) -> str:
        """Say what receivers that honour *policy* do with the sender's mail."""
        bad = {Policy.QUARANTINE: "put in the junk folder", Policy.REJECT: "refused"}.get(policy)
        if bad is None:
            return "delivered" if self.dmarc is Chance.PASS else "delivered, whatever DMARC says"
        if self.dmarc is Chance.FAIL:
            return bad
        if self.dmarc is Chance.UNKNOWN:
            return f"cannot be told; {bad} unless a signature or MAIL FROM aligns"
        if self.is_lost_when_forwarded:
            return f"delivered; {bad} where it was forwarded"
        return "delivered"


@dataclass(frozen=True, slots=True)
class Candidates:
    """The selectors that a sender may sign under.

    A key under one of ``own`` is its own, one under ``shared`` may be another's. With ``is_all``,
    it has no others.
    """

    own: tuple[str, ...]
    shared: tuple[str, ...] = ()
    is_all: bool = False

    @property
    def selectors(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.own, *self.shared)


def candidates(sender: str, senders: tuple[str, ...], declared: tuple[str, ...]) -> Candidates:
    """Return the selectors of *sender*, one of *senders*; *declared* is what the operator names."""
    known = SENDER_SELECTORS.get(sender)
    if known is not None and known.is_fixed:
        return Candidates(known.selectors, is_all=True)
    of_others = {name for one in senders for name in SENDER_SELECTORS.get(one, _NOTHING).selectors}
    free = tuple(name for name in declared if name not in of_others)
    # A key that is declared may be that of any sender; servers of one's own are the likely ones.
    if sender not in PROFILES:
        return Candidates(free, is_all=bool(free))
    return Candidates(known.selectors if known is not None else (), free)


def matrix(
    verdicts: tuple[Verdict, ...], keys: Mapping[str, Key], declared: tuple[str, ...]
) -> tuple[Row, ...]:
    """Return a row for each sender that SPF was evaluated for.

    *keys* says of each selector whether a key is published where its signature aligns; a selector
    that is missing there was not asked for, and counts as silent.
    """
    senders = tuple(verdict.name for verdict in verdicts)
    return tuple(
        Row(
            verdict.name,
            _spf(verdict),
            _aligned(verdict),
            _dkim(candidates(verdict.name, senders, declared), keys),
        )
        for verdict in verdicts
    )


def _spf(verdict: Verdict) -> Chance:
    if verdict.is_authorised:
        return Chance.PASS
    return Chance.FAIL if verdict.refused else Chance.UNKNOWN


def _aligned(verdict: Verdict) -> Part:
    profile = PROFILES.get(verdict.name)
    if profile is not None and profile.role == "sender":
        return _aligned_of_provider(profile)
    chance = _spf(verdict)
    if chance is Chance.PASS:
        return Part(chance, "with MAIL FROM in the domain itself")
    if chance is Chance.FAIL:
        counts = f"{len(verdict.refused)} of {len(verdict.evaluations)} samples do not pass"
        return Part(chance, f"{counts}: {verdict.refused[0].result}")
    is_silent = bool(verdict.unsure) or verdict.samples.unanswered
    return Part(chance, verdict.samples.problem or "DNS could not say", is_silent)


def _aligned_of_provider(profile: Profile) -> Part:
    known = SENDER_SELECTORS.get(profile.name)
    if known is not None and not known.has_return_path:
        return Part(Chance.FAIL, "MAIL FROM is always the provider's own")
    return Part(Chance.UNKNOWN, "MAIL FROM is the provider's own unless a return path is set up")


def _dkim(found: Candidates, keys: Mapping[str, Key]) -> Part:
    by_state: dict[Key, list[str]] = {}
    for name in found.selectors:
        by_state.setdefault(keys.get(name, Key.SILENT), []).append(str(PeerText(name, 70)))
    published = by_state.get(Key.PUBLISHED, [])
    if published:
        its_own = [name for name in published if name in found.own]
        if its_own:
            return Part(Chance.PASS, f"key at {', '.join(its_own)}")
        return Part(Chance.UNKNOWN, f"key at {', '.join(published)}; whose cannot be told")
    if Key.SILENT in by_state:
        shown = ", ".join(by_state[Key.SILENT])
        return Part(Chance.UNKNOWN, f"DNS could not say at {shown}", is_silent=True)
    if Key.DOUBTFUL in by_state:
        shown = ", ".join(by_state[Key.DOUBTFUL])
        return Part(Chance.UNKNOWN, f"key at {shown}, {Key.DOUBTFUL.removeprefix('published ')}")
    words = {Key.USELESS: "a broken, weak or revoked key at", Key.ABSENT: "no key at"}
    why = (f"{word} {', '.join(by_state[key])}" for key, word in words.items() if key in by_state)
    return _without_key("; ".join(why), is_all=found.is_all)


def _without_key(why: str, *, is_all: bool) -> Part:
    if is_all:
        return Part(Chance.FAIL, why)
    if why:
        return Part(Chance.UNKNOWN, f"{why}; it may sign under other selectors")
    return Part(Chance.UNKNOWN, "none of its selectors is known or declared")


def draw(rows: tuple[Row, ...]) -> Table:
    """Show the rows, with what an enforced policy would do to each."""
    return Table(COLUMNS, tuple(_cells(row) for row in rows[:MOST_SHOWN]))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        PeerText(row.sender),
        row.spf.value,
        f"{row.spf_aligned.chance}: {row.spf_aligned.why}",
        f"{row.dkim.chance}: {row.dkim.why}",
        row.dmarc.value,
        row.under(Policy.REJECT),
    )
