"""In which order are a domain's exchanges tried, and when is the next one tried?

As RFC 5321 section 5.1 has it: the lowest preference first, equal ones in an order of chance, every
address of each. The next one is tried as long as it is proven that nobody has taken the message; a
message that may have been taken is never sent again.
"""

import enum
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from agent.domain.lookup import Answer, Unanswered
from agent.domain.mx import Address, Survey
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached

Family = Literal["any", "ipv4", "ipv6"]

LEAST_SHARE = timedelta(seconds=10)  # of the time, for one exchange
_VERSIONS = {"any": (4, 6), "ipv4": (4,), "ipv6": (6,)}
_AT_THE_DOOR = (Phase.GREETING, Phase.EHLO, Phase.EHLO_AGAIN, Phase.STARTTLS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An exchange that can be tried, and its addresses, IPv4 first."""

    exchange: str
    preference: int
    addresses: tuple[Address, ...]


def in_order(found: Survey, *, seed: int, family: Family = "any") -> tuple[Candidate, ...]:
    """Return whom to try, and in which order; *seed* settles the order of equal preferences."""
    versions = _VERSIONS[family]
    candidates = (
        Candidate(
            each.exchange,
            each.preference,
            tuple(address for address in each.addresses if address.version in versions),
        )
        for each in found.routes
    )
    return tuple(
        sorted(
            (each for each in candidates if each.addresses),
            key=lambda each: (each.preference, _lot(seed, each.exchange)),
        )
    )


def _lot(seed: int, exchange: str) -> bytes:
    return hashlib.sha256(f"{seed} {exchange}".encode()).digest()


def nowhere(found: Survey, family: Family = "any") -> Unreached:
    """Return why there is nobody to try for a domain of which :func:`in_order` gave nothing."""
    domain = PeerText(found.domain)
    if isinstance(found.reply, Unanswered):
        return _unanswered(f"{domain}: {found.reply.reason}")
    if silent := next((each for each in found.routes if each.silence is not None), None):
        return _unanswered(f"{PeerText(silent.exchange)}: {silent.silence}")
    if found.is_null:  # RFC 7505 section 3
        return _unresolved(f"{domain} declares by a null MX record that it takes no mail")
    if isinstance(found.reply, Answer) and not found.reply.name_exists:
        return _unresolved(f"{domain} does not exist")
    if not found.records and found.implicit is None:
        return _unresolved(f"{domain} has neither an MX record nor an address")
    wanted = "an address" if family == "any" else f"an {family.replace('ip', 'IP')} address"
    return _unresolved(f"no exchange of {domain} has {wanted}")


def gap_in(found: Survey) -> Unreached | None:
    """Return that DNS told no address of some exchange at all; None where it answered for each."""
    for each in found.routes:
        if each.silence is not None and not each.addresses:
            return _unanswered(f"{PeerText(each.exchange)}: {each.silence}")
    return None


def _unanswered(detail: str) -> Unreached:
    return Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED, detail)


def _unresolved(detail: str) -> Unreached:
    return Unreached(Phase.RESOLVE, Reason.UNRESOLVED, detail)


def share(left: timedelta, candidates: int, least: timedelta = LEAST_SHARE) -> timedelta:
    """Return how much of the time that is *left* the next of so many *candidates* may take."""
    return min(left, max(least, left / candidates))


def is_decided(dialogue: Dialogue) -> bool:
    """Tell whether *dialogue* settles the message's fate, so that no other exchange is tried.

    A server that turns us away at its door has not refused the message (RFC 5321 section 4.2.4.2,
    on codes that follow the connection), nor has one that defers it before it is sent. What is said
    to the message itself counts, be it for the time being; so does everything that leaves it
    uncertain whether the message was taken.
    """
    match dialogue:
        case Accepted():
            return True
        case Refused(phase, reply):
            if phase is Phase.FINAL:
                return True
            return phase not in _AT_THE_DOOR and not reply.is_transient
    return dialogue.is_uncertain


def fell_back(dialogue: Dialogue) -> bool:
    """Tell whether TLS alone ended the session, so that who does not demand it goes on without."""
    match dialogue:
        case Refused(phase=Phase.STARTTLS):
            return True
        case Unreached(phase=Phase.CERTIFICATE, reason=reason):
            return reason in (Reason.TLS_HANDSHAKE, Reason.TLS_VERSION, Reason.CONNECTION_LOST)
    return False


class _Rank(enum.IntEnum):
    """How much an undecided session tells of the domain as a whole."""

    DEFERRED = 0
    TURNED_AWAY = 1
    UNREACHED = 2
    OURS = 3


def verdict(dialogues: tuple[Dialogue, ...], gap: Unreached | None) -> int | None:
    """Return which of *dialogues* decides, by its place; None where *gap* does, or there is none.

    One that settles the message's fate is the last. Otherwise a server that defers says most, then
    one that turns us away, then what was not reached; *gap* is what DNS did not tell, without which
    no server can be said to be out of reach.
    """
    if not dialogues:
        return None
    if is_decided(dialogues[-1]):
        return len(dialogues) - 1
    ranks = [_rank(each) for each in dialogues]
    best = min(ranks)
    if gap is not None and best is not _Rank.DEFERRED:
        return None
    return ranks.index(best)


def is_deferral(dialogue: Dialogue) -> bool:
    """Tell whether the server asks to come back later."""
    return isinstance(dialogue, Refused) and dialogue.reply.is_transient


def _rank(dialogue: Dialogue) -> _Rank:
    if is_deferral(dialogue):
        return _Rank.DEFERRED
    if isinstance(dialogue, Unreached):
        return _Rank.OURS if dialogue.reason.is_ours else _Rank.UNREACHED
    return _Rank.TURNED_AWAY
