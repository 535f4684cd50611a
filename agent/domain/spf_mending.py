"""Which SPF record should stand in the place of one, or of several, that are broken?

Only what follows from the published records is proposed. A record that would be broken itself is
none: then the reason is told, and somebody has to decide what to leave out.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_network

from agent.domain.knowledge.providers import PROFILES
from agent.domain.lookup import Answer, Plan, Query, TextRecord
from agent.domain.overlay import overlay
from agent.domain.peer_text import PeerText
from agent.domain.spf_record import parse
from agent.domain.spf_terms import All, Broken, Mechanism, Record, Result
from agent.domain.spf_trace import MAX_LOOKUPS
from agent.domain.spf_tree import Branch, State, grow
from agent.domain.zone_line import UNSURE, txt

PARKED = "v=spf1 -all"
"""What a domain publishes that sends nothing."""

_SOFT = "~all"
_LONGEST = 450  # octets; more may not fit in a plain reply, RFC 7208 section 3.4
_BAD = frozenset({State.MISSING, State.MULTIPLE, State.BROKEN, State.LOOP})


@dataclass(frozen=True, slots=True)
class Mended:
    """A record to publish, or in ``problem`` why none can be proposed; one of the two is empty."""

    text: str = ""
    problem: str = ""

    def line(self, domain: str) -> str:
        """Write it as a line of a zone; empty where there is none."""
        return txt(domain, self.text) if self.text else ""


def begun(senders: Iterable[str], *, sends: bool) -> Mended:
    """Return a first record for a domain that sends by *senders*: profiles, addresses, networks.

    What only the operator knows, such as the name that a provider gives each customer, is a gap in
    angle brackets. There is no record where nobody says who sends, and *sends* is true.
    """
    if not sends:
        return Mended(PARKED)
    words = dict.fromkeys(_words(senders))
    return _checked([*words, _SOFT]) if words else Mended()


def _words(senders: Iterable[str]) -> Iterator[str]:
    for name in senders:
        profile = PROFILES.get(name)
        if profile is not None:
            yield f"include:{profile.spf_include or f'<name from {profile.title}>'}"
            continue
        with suppress(ValueError):  # a finding of its own says that it is neither
            network = ip_network(name, strict=False)
            is_one = network.num_addresses == 1
            yield f"ip{network.version}:{network.network_address if is_one else network}"


def ended(record: Record) -> Mended:
    """Return *record* with ``~all`` at its end: its senders may not be complete yet."""
    kept = _before_all(record)
    if not kept:
        return Mended(problem="name the domain's senders before it, or nobody is left to pass")
    return _checked([*(term.text for term in kept), _SOFT, *_explanation([record])])


def merge(texts: Iterable[bytes]) -> Mended:
    """Make one record of several: each term once, in their order, and one ``all`` at the end."""
    records = [parse(text) for text in texts]
    whole = [record for record in records if isinstance(record, Record)]
    if any(isinstance(record, Broken) for record in records):
        return Mended(problem="correct the syntax of each before you merge them")
    terms = [term for record in whole for term in _before_all(record)]
    if any(term.result is not Result.PASS for term in terms):
        return Mended(problem="what `-`, `~` and `?` mean depends on their order: merge by hand")
    ends = [record.all for record in whole if record.all is not None]
    # Where there is ``all``, a redirect does not count.
    moved = [each.redirect.domain.text for each in whole if each.redirect and not each.all]
    if not ends and len(set(moved)) == 1:
        end = [f"redirect={moved[0]}"]
    else:
        end = [f"include:{target}" for target in moved]
        end.append("-all" if any(one.result is Result.FAIL for one in ends) else _SOFT)
    words = [term.text.removeprefix("+") for term in terms]
    return _checked([*_once([*words, *end]), *_explanation(whole)])


def tried(domain: str, mended: Mended) -> Plan[Mended]:
    """Follow all that *mended* leads to, and take it back where it would be broken."""
    if not mended.text:
        return mended
    planned = Answer((TextRecord((mended.text.encode(),)),))
    forest = yield from overlay(grow(domain), {Query(domain, "TXT"): planned})
    if forest.root.lookups > MAX_LOOKUPS:
        cost = f"it would take {forest.root.lookups} lookups, and receivers stop at {MAX_LOOKUPS}"
        return Mended(problem=f"{cost}: leave out what no longer sends")
    for branch in forest.root.walk():
        if branch.state in _BAD:
            return Mended(problem=f"{_shown(branch)}: correct or leave out the term first")
    return mended


def _shown(branch: Branch) -> str:
    return f"it would lead to {PeerText(branch.domain)}, where there is: {branch.state.value}"


def _before_all(record: Record) -> list[Mechanism]:
    """Return the mechanisms that are looked at, without ``all``."""
    reached = (term for term in record.reached if isinstance(term, Mechanism))
    return [term for term in reached if not isinstance(term, All)]


def _explanation(records: list[Record]) -> list[str]:
    """Return the one explanation; several cannot be merged, and nobody needs one."""
    texts = {record.exp.text for record in records if record.exp is not None}
    return list(texts) if len(texts) == 1 else []


def _once(words: Iterable[str]) -> Iterator[str]:
    """Leave out what was there before; the case of a macro's letter has a meaning."""
    seen: set[str] = set()
    for word in words:
        mark = word if "%" in word else word.lower()
        if mark not in seen:
            seen.add(mark)
            yield word


def _checked(words: list[str]) -> Mended:
    text = " ".join(("v=spf1", *words))
    if len(text) > _LONGEST:
        problem = f"it would have {len(text)} octets, and {_LONGEST} are safe"
        return Mended(problem=f"{problem}: leave out what no longer sends")
    if UNSURE & set(text):
        return Mended(problem="it has characters that must not be typed as they are")
    return Mended(PeerText(text, _LONGEST))
