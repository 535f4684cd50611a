"""Whose mail would be lost by a planned change?

For each sender of the domain: what receivers that honour its DMARC policy do with its mail now, and
what they would do. Senders that would fail come first. And for each term of the SPF record that
lets nobody pass any more: what becomes of mail from there, whether anybody named it or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from agent.domain.dmarc_discovery import discover
from agent.domain.dmarc_senders import look
from agent.domain.dmarc_terms import Policy
from agent.domain.fact import Table
from agent.domain.knowledge.sender_selectors import SENDER_SELECTORS
from agent.domain.lookup import Plan, ask_all
from agent.domain.peer_text import PeerText
from agent.domain.sender_matrix import Chance, Row
from agent.domain.spf_dropped import Dropped
from agent.domain.spf_senders import evaluate_senders
from agent.domain.spf_terms import Result

T = TypeVar("T")
_ADDRESSES = 4  # of a term that are named
_MILD = {Chance.FAIL: 0, Chance.UNKNOWN: 1, Chance.PASS: 2}


@dataclass(frozen=True, slots=True)
class Mail:
    """The policy that receivers enforce, and what it meets.

    ``failing`` are the senders for which SPF says ``fail``: some receivers refuse their mail
    whatever DMARC says.
    """

    policy: Policy
    rows: tuple[Row, ...]
    failing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one sender's mail, before and after."""

    before: Row
    after: Row
    was: str
    becomes: str
    is_lost: bool

    @property
    def sender(self) -> str:
        """Who sends."""
        return self.after.sender


@dataclass(frozen=True, slots=True)
class Loss:
    """What becomes of mail from where a term of the SPF record does not let pass any more."""

    dropped: Dropped
    becomes: str
    is_lost: bool

    @property
    def subject(self) -> str:
        """The term, and the addresses where it is only a part of it."""
        term = PeerText(self.dropped.term)
        if self.dropped.is_whole:
            return term
        more = len(self.dropped.addresses) - _ADDRESSES
        shown = ", ".join(map(str, self.dropped.addresses[:_ADDRESSES]))
        return f"part of {term} ({shown}{f' and {more} more' if more > 0 else ''})"


def mail(domain: str, senders: tuple[str, ...], selectors: tuple[str, ...]) -> Plan[Mail]:
    """Look at the policy and at each of *senders*; *selectors* are declared by the operator."""
    discovery = yield from discover(domain)
    spf = yield from evaluate_senders(domain, senders)
    looked = yield from look(discovery, senders, selectors, _said(spf))
    failing = (
        each.name for each in spf.verdicts if any(one.result is Result.FAIL for one in each.refused)
    )
    return Mail(discovery.enforced, looked.rows, frozenset(failing))


def _said(value: T) -> Plan[T]:
    """Return what is known already, as a plan that asks nothing."""
    yield from ask_all(())
    return value


def fates(before: Mail, after: Mail) -> tuple[Fate, ...]:
    """Compare what the same senders meet; those that would fail come first."""
    known = {row.sender: row for row in before.rows}
    found = [_fate(known[row.sender], row, before, after) for row in after.rows]
    return tuple(sorted(found, key=lambda one: (not one.is_lost, _MILD[one.after.dmarc])))


def _fate(was: Row, row: Row, before: Mail, after: Mail) -> Fate:
    becomes = row.under(after.policy)
    is_lost = after.policy.enforces and row.dmarc is Chance.FAIL
    falls = (was.spf_aligned.chance, row.spf_aligned.chance) == (Chance.PASS, Chance.FAIL)
    if falls and not is_lost and row.dkim.chance is not Chance.PASS and not row.dkim.is_silent:
        # Nothing shows that it signs, and what carried its mail is taken away.
        is_lost, becomes = _without_spf(after.policy, is_fail=row.sender in after.failing)
    return Fate(was, row, was.under(before.policy), becomes, is_lost)


def _without_spf(policy: Policy, *, is_fail: bool) -> tuple[bool, str]:
    """Say whether mail without SPF and without a known signature is lost, and how."""
    bad = {Policy.QUARANTINE: "put in the junk folder", Policy.REJECT: "refused"}.get(policy)
    if bad is not None:
        return True, f"{bad} unless a signature aligns; no key is known"
    if is_fail:
        return True, "refused where receivers go by `-all`"
    return False, "delivered, but not proven by SPF any more"


def losses(found: tuple[Dropped, ...], known: tuple[Fate, ...], after: Mail) -> tuple[Loss, ...]:
    """Say what becomes of mail from where the *found* terms lead; the lost ones come first.

    What a sender's own row says is not said again: *known* are their fates.
    """
    rows = {one.sender: one for one in known}
    told = {one.sender for one in known if one.is_lost}
    fresh = (one for one in found if not _is_told(one, told))
    return tuple(
        sorted((_loss(one, rows, after) for one in fresh), key=lambda one: not one.is_lost)
    )


def _is_told(one: Dropped, told: set[str]) -> bool:
    addresses = {str(ip) for ip in one.addresses}
    return one.profile in told or (bool(addresses) and addresses <= told)


def _loss(one: Dropped, rows: dict[str, Fate], after: Mail) -> Loss:
    if one.becomes is None:
        return Loss(
            one, "whom it lets pass depends on the client, and cannot be told", is_lost=False
        )
    row = rows.get(one.profile)
    if row is not None and not _rests_on_spf(row.after):
        return Loss(one, f"SPF {one.becomes}; {row.becomes}", is_lost=False)
    is_lost, becomes = _without_spf(after.policy, is_fail=one.becomes is Result.FAIL)
    if one.was is not Result.PASS:
        # It does not pass now either, so that nobody can tell what the change costs.
        return Loss(one, f"SPF {one.was} now, {one.becomes} then; {becomes}", is_lost=False)
    return Loss(one, f"SPF {one.becomes}; {becomes}", is_lost)


def _rests_on_spf(row: Row) -> bool:
    """Tell whether SPF alone lets the sender's mail align: from where it fails, nothing does.

    A sender is sampled in some of its networks, and may pass by those.
    """
    signs = row.dkim.chance is Chance.PASS or row.dkim.is_silent
    return row.spf_aligned.chance is Chance.PASS and not signs


def selectors_to_declare(wished: tuple[str, ...], senders: tuple[str, ...]) -> tuple[str, ...]:
    """Return which selectors to declare for a plan to publish *wished* keys.

    Those that *senders* are known to sign under need no word; others are declared beside them,
    because what is declared replaces what is known.
    """
    known = [
        name
        for sender in senders
        if sender in SENDER_SELECTORS
        for name in SENDER_SELECTORS[sender].selectors
    ]
    if set(wished) <= set(known):
        return ()
    return tuple(dict.fromkeys((*known, *wished)))


def draw(found: tuple[Fate, ...]) -> Table:
    """Show the senders, before and after."""
    return Table(
        ("sender", "DMARC now", "mail now", "DMARC then", "mail then", "changes"),
        tuple(_cells(one) for one in found),
    )


def _cells(one: Fate) -> tuple[str, ...]:
    return (
        PeerText(one.sender),
        one.before.dmarc.value,
        one.was,
        one.after.dmarc.value,
        one.becomes,
        ", ".join(_changes(one)) or "-",
    )


def _changes(one: Fate) -> Iterator[str]:
    """Name what differs in a sender's row."""
    if one.before.spf is not one.after.spf:
        yield f"SPF {one.before.spf} to {one.after.spf}"
    if one.before.dkim.chance is not one.after.dkim.chance:
        yield f"DKIM {one.before.dkim.chance} to {one.after.dkim.chance}"
