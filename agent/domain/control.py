"""Does whoever answers our questions know DNS, or is it a gate that says the same of every name?

The gate of a guest network gives one address for every name, or says that no name has a record, or
that none exists; a resolver cut off from the internet may do the same. Taken at its word it makes
every domain look as if it had lost its records. So it is asked for names that must have an SOA
record: nobody has a reason to invent one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agent.domain.finding import Finding, Rule, Severity
from agent.domain.lookup import Answer, Plan, Query, Reply, Type, Unanswered, ask_all

CONTROL_NAMES: Final = ("com", "org")
# RFC 6761 section 6.4: no name below `invalid` exists. One that never changes is as good as a
# random one, since whoever invents addresses does so for every name, and caches answer for it.
NOWHERE: Final = "no-such-name.invalid"
# A name that is no apex shows by these that it is known: those of a mail domain. An address would
# show nothing, as it is what a gate gives.
_ELSE: Final[tuple[Type, ...]] = ("MX", "TXT")

_NAMED: Final = 3  # names that a sentence spells out

RESOLVER_DOWN = Rule(
    code="self-resolver-down",
    severity=Severity.CRITICAL,
    summary="The agent's resolver does not answer, or not by what DNS holds",
    remedy="Nothing can be told about any domain until it does. On the agent's host ask"
    " each that the finding names: `dig SOA com @RESOLVER` must show an SOA record; see that it"
    " runs, that UDP and TCP port 53 are open towards it, and that it reaches the internet."
    " Where it answers without one, the gate of a network may answer in its place, or the"
    " `control_names` may be no apexes of zones. `resolvers` may name another.",
    reference="docs/operations.md",
)
RESOLVER_INVENTS = Rule(
    code="self-resolver-invents",
    severity=Severity.WARNING,
    summary="The agent's resolver gives addresses for names that do not exist",
    remedy="Other records are true, but an exchange or a smart host whose name is gone looks as if"
    f" it had an address. On the agent's host `dig A {NOWHERE} @RESOLVER` must say NXDOMAIN: have"
    " the rewriting turned off there, or let `resolvers` name another.",
    reference="RFC 6761 section 6.4",
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What was said of control names, each asked for its SOA record, and of one that cannot exist.

    ``known`` are those that have an SOA record, or else one that only a mail domain has.
    """

    told: Mapping[str, Reply]
    known: frozenset[str]
    nowhere: Reply

    @property
    def is_clear(self) -> bool:
        """Whether DNS is seen through the resolver; one name that is known is enough."""
        return bool(self.known) or not self.told

    @property
    def invented(self) -> tuple[str, ...]:
        """The addresses given for the name that cannot exist."""
        return tuple(map(str, self.nowhere.records)) if isinstance(self.nowhere, Answer) else ()

    @property
    def words(self) -> Mapping[str, str]:
        """What was said of each control name, in a few words."""
        return {name: self._word(name, reply) for name, reply in self.told.items()}

    def _word(self, name: str, reply: Reply) -> str:
        if isinstance(reply, Unanswered):
            return reply.reason.value
        if reply.records:
            return "answers"
        if name in self.known:
            return f"no SOA record, but {' or '.join(_ELSE)}"
        return "no record" if reply.name_exists else "does not exist"

    def trouble(self, servers: tuple[str, ...]) -> str:
        """Say in a sentence what keeps us from seeing DNS by *servers*; empty when nothing does."""
        if self.is_clear:
            return ""
        asked, names = " or ".join(servers), tuple(self.told)
        silent = [each for each in self.told.values() if isinstance(each, Unanswered)]
        if len(silent) == len(names):
            reasons = ", ".join(sorted({each.reason.value for each in silent}))
            return f"None of {len(names)} control names was answered by {asked} ({reasons})."
        told = " or ".join(names) if len(names) <= _NAMED else f"any of {len(names)} control names"
        if self.invented:
            return (
                f"{asked} has no record of {told}, but an address for a name that cannot exist, as"
                " the gate of a guest network has."
            )
        return f"{asked} has no record of {told}, as the gate of a guest network has none."

    def evidence(self) -> Iterator[str]:
        """Return what was said, a line for each name."""
        yield from (f"{name} SOA: {word}" for name, word in self.words.items())
        if self.invented:
            yield f"{NOWHERE} A: {', '.join(self.invented)}"

    def findings(self, servers: tuple[str, ...]) -> Iterator[Finding]:
        """Return what is wrong with the resolver at *servers*."""
        trouble = self.trouble(servers)
        if trouble:
            yield RESOLVER_DOWN.found(trouble, *self.evidence())
        elif self.invented:
            yield RESOLVER_INVENTS.found(
                f"{' or '.join(servers)} gives {', '.join(self.invented)} for {NOWHERE}."
            )


def control(names: tuple[str, ...]) -> Plan[Sight]:
    """Ask for *names*; only where none of them has an SOA record for anything else of theirs.

    A cached answer says nothing of how the resolver is now, so all are asked afresh.
    """
    if not names:
        return Sight({}, frozenset(), Answer())
    questions = tuple(Query(name, "SOA", fresh=True) for name in names)
    *replies, nowhere = yield from ask_all((*questions, Query(NOWHERE, "A", fresh=True)))
    told = dict(zip(names, replies, strict=True))
    known = frozenset(name for name, reply in told.items() if _has_records(reply))
    if not known:
        known = yield from _known_else(told)
    return Sight(told, known, nowhere)


def known(name: str) -> Plan[bool]:
    """Ask for *name* alone, and tell whether it has an SOA record, or another of a mail domain."""
    (reply,) = yield from ask_all((Query(name, "SOA", fresh=True),))
    return _has_records(reply) or bool((yield from _known_else({name: reply})))


def _known_else(told: Mapping[str, Reply]) -> Plan[frozenset[str]]:
    """Return the names that have another record than SOA, as one within a zone may."""
    within = [each for each, reply in told.items() if isinstance(reply, Answer)]
    questions = tuple(Query(name, kind, fresh=True) for name in within for kind in _ELSE)
    replies = yield from ask_all(questions)
    pairs = zip(questions, replies, strict=True)
    return frozenset(query.name for query, reply in pairs if _has_records(reply))


def _has_records(reply: Reply) -> bool:
    return isinstance(reply, Answer) and bool(reply.records)
