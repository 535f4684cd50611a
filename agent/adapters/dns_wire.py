"""What does a DNS message say?

The place where a reply's octets become an answer. A reply is hostile until read: whatever arrives,
nothing is raised, the work is bounded, and what cannot be understood becomes :class:`Unanswered`,
never the absence of a record.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass

from agent.adapters.dns_layout import MAX_TTL, Layout
from agent.adapters.dns_opening import OPT, Mark, open_message
from agent.adapters.dns_plain import Message, open_plain
from agent.adapters.dns_question import CODES
from agent.adapters.dns_values import Found, name_of, records_of
from agent.domain.lookup import Answer, Silence, Type, Unanswered

MAX_ALIASES = 20  # links of a chain of aliases
_NXDOMAIN, _REFUSED = 3, 5
_AUTHENTIC: Final = int(dns.flags.AD)  # as a number: flags of dnspython's are slow to compare
_ENTITLED: Final = int(dns.flags.AA | dns.flags.RA)
_NOT_ASKED_FOR: Final = Unanswered(Silence.MALFORMED, "records that were not asked for")
_REFERRAL: Final = Unanswered(Silence.REFUSED, "a referral: the server does not find out")
_NOT_ENTITLED: Final = Unanswered(Silence.REFUSED, "nothing, from a server that does not find out")


@dataclass(frozen=True, slots=True)
class Dangling:
    """The server followed aliases and said nothing about the last one: it has yet to be asked."""

    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says, with its layout if it is worth recognising."""

    reply: Answer | Unanswered | Dangling
    layout: Layout | None = None


def read_reply(wire: bytes, name: str, kind: Type) -> Reading:
    """Read a reply to the question for *name* and *kind*; never raises."""
    rcode = wire[3] & 15
    if rcode not in (0, _NXDOMAIN):
        return Reading(_failure(rcode))
    kinds: tuple[Type, ...] = (kind, "CNAME", "SOA")
    opened = open_plain(wire, kinds) or open_message(wire, kinds)
    if isinstance(opened, Unanswered):
        return Reading(opened)
    message, marks = opened
    rcode = int(message.rcode())
    if rcode not in (0, _NXDOMAIN):
        return Reading(_failure(rcode))
    return _Reader(message, marks, len(wire)).read(name, kind, exists=rcode == 0)


def _failure(rcode: int) -> Unanswered:
    reason = Silence.REFUSED if rcode == _REFUSED else Silence.SERVFAIL
    return Unanswered(reason, f"rcode {dns.rcode.to_text(dns.rcode.Rcode.make(rcode))}")


class _Reader:
    """Follows the aliases through one message and collects what they lead to."""

    def __init__(
        self, message: dns.message.Message | Message, marks: tuple[Mark, ...], size: int
    ) -> None:
        self._message = message
        self._marks = marks
        self._size = size
        self._found: dict[tuple[str, int], Found] = {}
        for rrset, mark in zip(message.answer, marks, strict=False):
            if rrset.rdclass == dns.rdataclass.IN:
                key = (name_of(rrset.name), mark.code)
                self._found.setdefault(key, []).append((rrset, mark))

    def read(self, name: str, kind: Type, *, exists: bool) -> Reading:
        code = CODES[kind]
        aliases: list[str] = []
        passed: list[Mark] = []
        while (name, code) not in self._found and (name, CODES["CNAME"]) in self._found:
            links = self._found[name, CODES["CNAME"]]
            name, *others = {name_of(cast("Any", rrset[0]).target) for rrset, _ in links}
            if others:  # RFC 2181 section 10.1
                return Reading(Unanswered(Silence.MALFORMED, "several aliases of one name"))
            if name in aliases or len(aliases) == MAX_ALIASES:
                return Reading(Unanswered(Silence.ALIAS_LOOP, "within one answer"))
            aliases.append(name)
            passed += [mark for _, mark in links]
        found = self._found.get((name, code))
        if found is None:
            return self._nothing(tuple(aliases), passed, exists=exists)
        if not exists:
            return Reading(Unanswered(Silence.MALFORMED, "NXDOMAIN with the records asked for"))
        own = [mark for _, mark in found]
        records = records_of(kind, found)
        authentic = bool(int(self._message.flags) & _AUTHENTIC)
        answer = Answer(
            tuple(records), aliases=tuple(aliases), size=self._size, authentic=authentic
        )
        return Reading(answer, self._layout(own, passed))

    def _nothing(self, aliases: tuple[str, ...], passed: list[Mark], *, exists: bool) -> Reading:
        soa = self._soa()
        if soa is not None:
            rdata, mark = soa
            answer = Answer(
                name_exists=exists,
                aliases=aliases,
                size=self._size,
                authentic=bool(int(self._message.flags) & _AUTHENTIC),
            )
            return Reading(answer, self._layout([mark], passed, cap=int(rdata.minimum)))
        if exists and aliases:
            return Reading(Dangling(aliases), self._layout([], passed))
        evasion = self._evasion(aliases, exists=exists)
        if evasion is not None:
            return Reading(evasion)
        answer = Answer(name_exists=exists, aliases=aliases, size=self._size)
        return Reading(answer, self._layout([], []))

    def _evasion(self, aliases: tuple[str, ...], *, exists: bool) -> Unanswered | None:
        """Say why a reply without a SOA proves no absence; None where it does.

        RFC 2308 section 2.2: with NS records it is a referral. Whoever neither is an authority nor
        asks one cannot know, and an answer to something else is none.
        """
        if not int(self._message.flags) & _ENTITLED:
            return _NOT_ENTITLED
        start = len(self._message.answer)
        authority = self._marks[start : start + len(self._message.authority)]
        if exists and any(mark.code == CODES["NS"] for mark in authority):
            return _REFERRAL
        return _NOT_ASKED_FOR if start and not aliases else None

    def _soa(self) -> tuple[Any, Mark] | None:
        start = len(self._message.answer)
        for rrset, mark in zip(self._message.authority, self._marks[start:], strict=False):
            if mark.code == CODES["SOA"] and len(rrset):
                return rrset[0], mark
        return None

    def _layout(self, own: list[Mark], aliases: list[Mark], cap: int = MAX_TTL) -> Layout:
        # The OPT record has its flags where others have a time to live.
        ttls = tuple(mark.offset + 4 for mark in self._marks if mark.code != OPT)
        return Layout(self._size, ttls, _offsets(own), _offsets(aliases), min(cap, MAX_TTL))


def _offsets(marks: list[Mark]) -> tuple[int, ...]:
    return tuple(mark.offset + 4 for mark in marks)
