"""What must be known of a domain to judge its DKIM keys?

The record of every selector, what an invented selector answers, and, where a key is missing, the
names at which it may stand by mistake and whether the domain exists that an alias leads to. Only
the records themselves are asked afresh.
"""

from dataclasses import dataclass, field
from functools import cached_property

from agent.domain.dkim_record import is_like, parse
from agent.domain.dkim_selectors import Intent, Origin, Wanted, wanted
from agent.domain.dkim_terms import Record, Verdict
from agent.domain.knowledge.dkim_targets import first_target
from agent.domain.lookup import Answer, Plan, Query, Reply, Silence, TextRecord, Unanswered, ask_all
from agent.domain.mx import NO_SUCH_LABEL
from agent.domain.names import MAX_NAME
from agent.domain.public_suffix import zone_of

MOST_RECORDS = 10  # at one name that are read


@dataclass(frozen=True)  # without slots, so that it can keep what follows from its fields
class Selector:
    """What DNS says of one selector.

    ``records`` are the key records, ``others`` TXT records of another kind; ``is_wild`` tells that
    an invented selector has the same answer. A wildcard without a key is taken for no answer.
    """

    wanted: Wanted
    name: str
    reply: Reply
    records: tuple[Record, ...] = ()
    others: tuple[bytes, ...] = ()
    is_wild: bool = False

    @property
    def aliases(self) -> tuple[str, ...]:
        """Where an alias leads, step by step."""
        return self.reply.aliases if isinstance(self.reply, Answer) and not self.is_wild else ()

    @property
    def silence(self) -> Silence | None:
        """Why DNS could not say; None where it did."""
        return self.reply.reason if isinstance(self.reply, Unanswered) else None

    @cached_property
    def record(self) -> Record | None:
        """The record that receivers may take: one with a usable key, else the first."""
        usable = (record for record in self.records if record.verdict.is_usable)
        return next(usable, self.records[0] if self.records else None)

    @cached_property
    def verdict(self) -> Verdict:
        """What it is worth."""
        if self.silence is not None:
            return Verdict.UNKNOWN
        return self.record.verdict if self.record is not None else Verdict.MISSING

    @property
    def is_blank(self) -> bool:
        """Whether nothing at all is published at its name."""
        return self.verdict is Verdict.MISSING and not self.aliases


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says about a domain's keys, and around them.

    ``wildcard`` is what an invented selector answers; ``misplaced`` the name at which the key of a
    selector stands, by selector; ``unregistered`` the domains that aliases lead to and that do not
    exist; ``above`` the selectors that have a key at the organisational domain.
    """

    domain: str
    selectors: tuple[Selector, ...] = ()
    wildcard: tuple[bytes, ...] = ()
    misplaced: dict[str, str] = field(default_factory=dict)
    unregistered: frozenset[str] = frozenset()
    above: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[Selector, ...]:
        """The selectors with a key by which a signature can pass."""
        return tuple(one for one in self.selectors if one.verdict.is_usable)

    @property
    def silences(self) -> tuple[Selector, ...]:
        """The selectors whose silence leaves something open.

        That of a selector which need not be there does so only where no key is found elsewhere.
        """
        return tuple(
            one
            for one in self.selectors
            if one.silence is not None and (one.wanted.is_expected or not self.usable)
        )


def verdict_of(reply: Reply) -> Verdict:
    """Say what the key at a selector's name is worth, whoever asks: by the best record there."""
    if isinstance(reply, Unanswered):
        return Verdict.UNKNOWN
    verdicts = [record.verdict for record in _records(reply)]
    usable = (verdict for verdict in verdicts if verdict.is_usable)
    return next(usable, verdicts[0] if verdicts else Verdict.MISSING)


def survey(domain: str, intent: Intent) -> Plan[Survey]:
    """Ask for the keys of *domain*."""
    asked = wanted(domain, intent)
    questions = [
        Query(one.name(domain), "TXT", fresh=one.origin is not Origin.GUESS) for one in asked
    ]
    below = f"{NO_SUCH_LABEL}._domainkey.{domain}"
    if len(below) <= MAX_NAME:
        questions.append(Query(below, "TXT", lasting=True))
    replies = yield from ask_all(tuple(questions))
    wild = replies[len(asked)] if len(replies) > len(asked) else Answer()
    selectors = tuple(
        _selector(one, domain, reply, wild)
        for one, reply in zip(asked, replies[: len(asked)], strict=True)
    )
    wildcard = tuple(record.raw for record in _records(wild)) + _others(wild)
    found = Survey(domain, selectors, wildcard)
    return (yield from _look_around(found))


def _selector(asked: Wanted, domain: str, reply: Reply, wild: Reply) -> Selector:
    records, others = _records(reply), _others(reply)
    is_wild = (
        isinstance(reply, Answer)
        and isinstance(wild, Answer)
        and bool(wild.records or wild.aliases)
        and (reply.aliases, set(reply.records)) == (wild.aliases, set(wild.records))
    )
    if is_wild:
        others = ()
        records = tuple(record for record in records if record.verdict.is_usable)
    return Selector(asked, asked.name(domain), reply, records, others, is_wild)


def _texts(reply: Reply) -> tuple[bytes, ...]:
    records = reply.records if isinstance(reply, Answer) else ()
    texts = {one.joined for one in records if isinstance(one, TextRecord)}
    return tuple(sorted(texts))[:MOST_RECORDS]  # servers change the order


def _records(reply: Reply) -> tuple[Record, ...]:
    return tuple(parse(text) for text in _texts(reply) if is_like(text))


def _others(reply: Reply) -> tuple[bytes, ...]:
    return tuple(text for text in _texts(reply) if not is_like(text))


def _look_around(found: Survey) -> Plan[Survey]:
    """Ask for what explains why a key is missing; nothing where none is."""
    lost = [one for one in found.selectors if one.verdict is Verdict.MISSING]
    needed = [one for one in lost if one.wanted.is_expected and one.is_blank]
    near = {
        Query(name, "TXT", lasting=True): one.wanted.selector
        for one in needed
        for name in _near(one.wanted.selector, found.domain)
        if len(name) <= MAX_NAME
    }
    zones = {Query(zone, "SOA"): zone for one in lost if (zone := _foreign_zone(one, found.domain))}
    organisation = zone_of(found.domain) or found.domain
    above = {
        Query(one.wanted.name(organisation), "TXT"): one.wanted.selector
        for one in needed
        if organisation != found.domain and not found.usable
    }
    queries = (*near, *zones, *above)
    said = dict(zip(queries, (yield from ask_all(queries)), strict=True))
    misplaced = {near[query]: query.name for query in reversed(list(near)) if _is_key(said[query])}
    unregistered = frozenset(zone for query, zone in zones.items() if _does_not_exist(said[query]))
    kept = tuple(name for query, name in above.items() if _is_key(said[query]))
    return Survey(found.domain, found.selectors, found.wildcard, misplaced, unregistered, kept)


def _near(selector: str, domain: str) -> tuple[str, ...]:
    """List where a key ends up by mistake: a console that adds the zone's name, and the like."""
    return (
        f"{selector}._domainkey.{domain}.{domain}",
        f"{selector}.domainkey.{domain}",
        f"{selector}.{domain}",
    )


def _foreign_zone(lost: Selector, domain: str) -> str:
    """Return the domain of somebody else that an alias leads to; empty without one.

    What Microsoft gives to tenants nobody can register to put a key there.
    """
    if not lost.aliases or first_target(lost.aliases) is not None:
        return ""
    zone = zone_of(lost.aliases[-1])
    return "" if zone == zone_of(domain) else zone


def _is_key(reply: Reply) -> bool:
    """Tell whether a name has a key, or is an alias for one of Exchange Online."""
    if not isinstance(reply, Answer):
        return False
    return bool(_records(reply)) or first_target(reply.aliases) is not None


def _does_not_exist(reply: Reply) -> bool:
    return isinstance(reply, Answer) and not reply.name_exists
