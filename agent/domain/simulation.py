"""Whose mail would be lost by a planned change?

For each sender of the domain: what receivers that honour its DMARC policy do with its mail now, and
what they would do. Senders that would fail come first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain.dmarc_discovery import discover
from agent.domain.dmarc_senders import look
from agent.domain.dmarc_terms import Policy
from agent.domain.fact import Table
from agent.domain.knowledge.sender_selectors import SENDER_SELECTORS
from agent.domain.lookup import Plan
from agent.domain.peer_text import PeerText
from agent.domain.sender_matrix import Chance, Row
from agent.domain.spf_senders import evaluate_senders

_MILD = {Chance.FAIL: 0, Chance.UNKNOWN: 1, Chance.PASS: 2}


@dataclass(frozen=True, slots=True)
class Mail:
    """The policy that receivers enforce, and what it meets."""

    policy: Policy
    rows: tuple[Row, ...]


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


def mail(domain: str, senders: tuple[str, ...], selectors: tuple[str, ...]) -> Plan[Mail]:
    """Look at the policy and at each of *senders*; *selectors* are declared by the operator."""
    discovery = yield from discover(domain)
    looked = yield from look(discovery, senders, selectors, evaluate_senders(domain, senders))
    return Mail(discovery.enforced, looked.rows)


def fates(before: Mail, after: Mail) -> tuple[Fate, ...]:
    """Compare what the same senders meet; those that would fail come first."""
    known = {row.sender: row for row in before.rows}
    found = [_fate(known[row.sender], row, before, after) for row in after.rows]
    return tuple(sorted(found, key=lambda one: (not one.is_lost, _MILD[one.after.dmarc])))


def _fate(was: Row, becomes: Row, before: Mail, after: Mail) -> Fate:
    is_lost = after.policy.enforces and becomes.dmarc is Chance.FAIL
    return Fate(was, becomes, was.under(before.policy), becomes.under(after.policy), is_lost)


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
