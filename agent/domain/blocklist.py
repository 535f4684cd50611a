"""How is a DNS blocklist asked, and what does its answer mean?

An address is asked for with its octets, or nibbles, in reverse before the zone; a domain stands
before it as it is (RFC 5782). An answer within 127/8 is a code. Anything else comes from somebody
who is not the list: a parked zone, or a resolver that makes up answers. Every list has an entry
that is always there and one that never is, by which "not listed" can be told from no answer at all.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from agent.domain.knowledge.blocklists import REFUSALS, Blocklist, Lists, Meaning
from agent.domain.lookup import Answer, Query, Reply, Silence, TextRecord, Unanswered
from agent.domain.peer_text import PeerText

Address = IPv4Address | IPv6Address
Entry = Address | str  # an address, or a domain

_CODES = IPv4Network("127.0.0.0/8")
_REFUSING = IPv4Network("127.255.255.0/24")
_MASK = "********"
_KEY = re.compile(r"[A-Za-z0-9_-]{1,63}")
_MAX_CODES = 16  # of one answer that are read

# RFC 5782 section 5: always listed, and never.
_TESTS: dict[Lists, tuple[Entry, Entry]] = {
    "ipv4": (ip_address("127.0.0.2"), ip_address("127.0.0.1")),
    "ipv6": (ip_address("::ffff:7f00:2"), ip_address("::ffff:7f00:1")),
    "domain": ("test", "invalid"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as it is asked here. The ``key`` is a secret, and never shown."""

    known: Blocklist
    zone: str
    refuses: bool
    of: tuple[Lists, ...]
    key: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        return self.known.name

    def query(self, entry: Entry, *, text: bool = False) -> Query:
        """Return the question whether *entry* is listed, or with *text* why."""
        key = f"{self.key.lower()}." if self.key else ""
        return Query(f"{written(entry)}.{key}{self.zone}", "TXT" if text else "A")

    def tests(self, kind: Lists) -> tuple[Entry, Entry]:
        """Return the entry that is always listed, and the one that never is."""
        listed, never = _TESTS[kind]
        return (self.known.test_domain or listed, never) if kind == "domain" else (listed, never)


def is_key(text: str) -> bool:
    """Tell whether *text* can stand in a name as a key."""
    return _KEY.fullmatch(text) is not None


def kind_of(entry: Entry) -> Lists:
    """Return what sort of entry it is."""
    if isinstance(entry, str):
        return "domain"
    return "ipv4" if isinstance(entry, IPv4Address) else "ipv6"


def written(entry: Entry) -> str:
    """Write an entry as it stands before the zone (RFC 5782 sections 2.1, 2.4 and 3)."""
    if isinstance(entry, str):
        return entry
    # Without the two labels of in-addr.arpa or ip6.arpa.
    return entry.reverse_pointer.rsplit(".", 2)[0]


class State(enum.StrEnum):
    """What came of a question: a closed set."""

    NOT_LISTED = "not listed"
    LISTED = "listed"
    REFUSED = "refuses to answer"
    BROKEN = "not an answer of the list"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a list says of an entry.

    ``said`` are the codes with their meanings; ``refuses`` tells that one of them is meant to
    refuse mail by. ``detail`` is why there is no answer. ``reason`` is what the list itself writes.
    """

    state: State
    said: tuple[str, ...] = ()
    refuses: bool = False
    detail: str = ""
    silence: Silence | None = None
    reason: str = ""


def read(asked: Asked, reply: Reply) -> Verdict:
    """Read the answer of a list to a question of type A."""
    if isinstance(reply, Unanswered):
        return Verdict(State.UNANSWERED, detail=reply.reason.value, silence=reply.reason)
    codes = [each for each in reply.records if isinstance(each, IPv4Address)][:_MAX_CODES]
    if not codes:
        return Verdict(State.NOT_LISTED)
    for code in codes:
        if code not in _CODES:
            return Verdict(State.BROKEN, detail=f"it answers {code}, which is not in 127/8")
    refusals = {**REFUSALS, **asked.known.refusals}
    for code in codes:
        if str(code) in refusals or code in _REFUSING:
            why = refusals.get(str(code), "the list refuses, for a reason of its own")
            return Verdict(State.REFUSED, detail=f"{code}: {why}")
    told = [(code, tuple(_meanings(asked.known, code))) for code in sorted(codes)]
    said = [
        f"{code}: {', '.join(each.text for each in all_) or 'a code that is not known here'}"
        for code, all_ in told
    ]
    # Of a list without known codes only its own word counts: it is listed.
    refuses = any(each.refuses for _, all_ in told for each in all_) or not any(
        all_ for _, all_ in told
    )
    return Verdict(State.LISTED, tuple(said), refuses)


def _meanings(known: Blocklist, code: IPv4Address) -> Iterator[Meaning]:
    if found := known.codes.get(str(code)):
        yield found
    last = code.packed[3]
    yield from (meaning for bit, meaning in known.bits.items() if last & bit)


def read_reason(asked: Asked, reply: Reply) -> str:
    """Return what the list writes about an entry, without the key, which it may quote."""
    if not isinstance(reply, Answer):
        return ""
    texts = [each.joined for each in reply.records if isinstance(each, TextRecord)]
    if not texts:
        return ""
    text = texts[0]
    if asked.key:
        key = re.escape(asked.key.encode("ascii", "replace"))
        text = re.sub(key, _MASK.encode(), text, flags=re.IGNORECASE)
    return PeerText(text)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a list answers us about one sort of entry; ``detail`` is why it does not."""

    state: State
    detail: str = ""
    silence: Silence | None = None

    @property
    def is_good(self) -> bool:
        """True where "not listed" means what it says."""
        return self.state is State.NOT_LISTED


def health(asked: Asked, kind: Lists, listed: Reply, never: Reply) -> Health:
    """Judge a list by its answers to the two entries that it has for tests."""
    verdicts = read(asked, listed), read(asked, never)
    for state in (State.REFUSED, State.BROKEN, State.UNANSWERED):
        for verdict in verdicts:
            if verdict.state is state:
                return Health(state, verdict.detail, verdict.silence)
    entry, other = asked.tests(kind)
    if verdicts[1].state is State.LISTED:
        return Health(State.BROKEN, f"it lists even {other}, which no list does")
    if verdicts[0].state is State.NOT_LISTED:
        return Health(State.UNANSWERED, f"it does not list {entry}, its own entry for tests")
    return Health(State.NOT_LISTED)
