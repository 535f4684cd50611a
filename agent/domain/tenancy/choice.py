"""By which rule or connector does a message leave a tenant?

A mail flow rule that names a connector comes first. Without one it is the connector for exactly the
recipient's domain, then the one for all accepted domains, then the longest wildcard. Source:
Microsoft's pages on connectors for mail routing and on conditional routing, read in 2026.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from agent.domain.tenancy.journey_values import Message
from agent.domain.tenancy.objects import Export, Outbound, TransportRule

_APART = re.compile(r"[\s,;{}]+")
_LAST = 1 << 30  # the priority of a rule of which the export does not say it


@dataclass(frozen=True, slots=True)
class Chosen:
    """A connector, and in words why it is the one; ``rivals`` fit as well, and lead elsewhere."""

    connector: Outbound
    why: str
    rivals: tuple[str, ...] = ()


def choose(export: Export, domain: str) -> Chosen | None:
    """Return the connector for mail to *domain*; None where it goes by MX.

    Of two at one level, which Microsoft leaves open, it is the on-premises one, then the first by
    name.
    """
    scopes = export.once(_scopes)
    wide = (f"*.{each}" for each in _above(domain))
    own = (_ALL_ACCEPTED,) if export.accepted(domain) is not None else ()
    scope = next((each for each in (domain, *own, *wide, "*") if each in scopes), None)
    if scope is None:
        return None
    best, *others = scopes[scope]
    rivals = (each for each in others if _leads(each) != _leads(best))
    why = f"it is for {_WORDS.get(scope, scope)}"
    return Chosen(best, why, tuple(sorted(each.name for each in rivals)))


def _leads(connector: Outbound) -> object:
    """Return whereto a connector leads."""
    hosts = frozenset(host.lower() for host in connector.smart_hosts)
    return connector.use_mx_record, hosts


_ALL_ACCEPTED = ""  # no domain has this name
_WORDS = {_ALL_ACCEPTED: "all accepted domains", "*": "all domains"}


def _scopes(export: Export) -> Mapping[str, list[Outbound]]:
    """Return for each recipient domain, as connectors name them, those that are for it, best first.

    One for all accepted domains is for these before any wildcard.
    """
    found: defaultdict[str, list[Outbound]] = defaultdict(list)
    ranked = sorted(
        export.outbound or (), key=lambda each: (each.connector_type != "on-premises", each.name)
    )
    for connector in ranked:
        if connector.is_on and not connector.is_transport_rule_scoped:
            scopes = {name.lower() for name in connector.recipient_domains if name}
            if connector.all_accepted_domains:
                scopes.add(_ALL_ACCEPTED)
            for scope in scopes:
                found[scope].append(connector)
    return dict(found)


def _above(name: str) -> Iterator[str]:
    """Yield all domains above *name*, nearest first."""
    while name := name.partition(".")[2]:
        yield name


def centralised(export: Export) -> Outbound | None:
    """Return the connector of centralised mail transport, if there is one that is on."""
    return export.once(_centralised)


def _centralised(export: Export) -> Outbound | None:
    return next(
        (
            each
            for each in sorted(export.outbound or (), key=attrgetter("name"))
            if each.is_on and each.route_all_messages_via_on_premises
        ),
        None,
    )


@dataclass(frozen=True, slots=True)
class Routed:
    """A rule that routes, and the connector that it names."""

    rule: TransportRule
    connector: Outbound


def routing_rules(export: Export) -> tuple[Routed, ...]:
    """Return the rules that route by a connector, the first to act first; broken ones left out.

    So are those whose connector is off.
    """
    return export.once(_that_route)


def _that_route(export: Export) -> tuple[Routed, ...]:
    return _routing(export, tuple(each for each in export.outbound or () if each.is_on))


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules that route, and the places of those that are limited to a domain, by that."""

    all: tuple[Routed, ...]
    places: Mapping[tuple[str, str], list[int]]


def routing_of(export: Export, message: Message) -> Iterator[Routed]:
    """Yield the rules that may route a message between these domains, the first to act first.

    Those whose connector is off are among them.
    """
    rules = export.once(_by_domain)
    places = set(rules.places.get((_ANY, ""), ()))
    for kind, name in ((_TO, message.rcpt_domain), (_FROM, message.sender_domain)):
        for each in (name, *_above(name)):
            places.update(rules.places.get((kind, each), ()))
    yield from (rules.all[place] for place in sorted(places))


def limited_to(export: Export, domain: str) -> frozenset[int]:
    """Return which rules say something of a domain, so that those alike for domains are equal."""
    words = export.once(_limits)
    return frozenset(place for name in (domain, *_above(domain)) for place in words.get(name, ()))


def _limits(export: Export) -> Mapping[str, list[int]]:
    """Return the places of rules by the words of their conditions on domains, exceptions too."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, rule in enumerate(export.rules or ()):
        for name, value in rule.conditions:
            if name.lower().removeprefix(_EXCEPT) in (_TO, _FROM):
                for word in _words(value):
                    found[word].append(place)
    return dict(found)


_ANY, _TO, _FROM = "", "recipientdomainis", "senderdomainis"


def _by_domain(export: Export) -> _Rules:
    rules = _routing(export, tuple(sorted(export.outbound or (), key=attrgetter("is_on"))))
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, routed in enumerate(rules):
        limits = {name.lower(): value for name, value in routed.rule.conditions}
        kind = next((each for each in (_TO, _FROM) if each in limits), _ANY)
        for word in _words(limits[kind]) if kind else [""]:
            places[kind, word].append(place)
    return _Rules(rules, dict(places))


def _words(value: str) -> list[str]:
    return [each for each in _APART.split(value.lower()) if each]


def _routing(export: Export, outbound: tuple[Outbound, ...]) -> tuple[Routed, ...]:
    """Return the rules that route by one of *outbound*; of two with one name it is the last."""
    connectors = {each.name.lower(): each for each in outbound}
    connectors |= {each.guid.lower(): each for each in connectors.values() if each.guid}
    rules = [each for each in export.rules or () if each.is_on]
    return tuple(
        Routed(rule, connector)
        for rule in sorted(rules, key=_priority)
        if (connector := connectors.get(rule.route_message_outbound_connector.lower())) is not None
    )


def _priority(rule: TransportRule) -> tuple[int, str]:
    return (_LAST if rule.priority is None else rule.priority), rule.name


def applies(
    routed: Routed, message: Message, export: Export, *, trusted: bool, stamped: frozenset[str]
) -> bool:
    """Tell whether a rule routes the message.

    *trusted* mail from an accepted domain comes from inside the organisation. A message that the
    rule has sent to its connector before is exempt where the rule exempts anything by what a
    service can have added.
    """
    rule = routed.rule
    if not message.meets_conditions and is_open(rule):
        return False
    if is_guarded(rule) and routed.connector.name in stamped:
        return False
    is_from_inside = trusted and export.accepted(message.sender_domain) is not None
    inside = {
        "fromscope": is_from_inside,
        "senttoscope": export.accepted(message.rcpt_domain) is not None,
    }
    limits = (("FromScope", rule.from_scope), ("SentToScope", rule.sent_to_scope))
    judged = [_met(*each, message, inside) for each in (*limits, *rule.conditions)]
    return False not in judged


def is_guarded(rule: TransportRule) -> bool:
    """Tell whether a rule may exempt what comes back from where it sent it."""
    return bool(rule.exception_headers) or any(
        "header" in name or (name.startswith(_EXCEPT) and name.removeprefix(_EXCEPT) not in _JUDGED)
        for name in (name.lower() for name, _ in rule.conditions)
    )


_EXCEPT = "exceptif"
_JUDGED = frozenset({"fromscope", "senttoscope", "recipientdomainis", "senderdomainis"})


def _met(name: str, value: str, message: Message, inside: Mapping[str, bool]) -> bool | None:
    """Tell whether a limit lets the message through; None where its domains do not decide it.

    Messages that nobody describes closer are none that an exception is for.
    """
    word = name.lower()
    is_exception, bare = word.startswith(_EXCEPT), word.removeprefix(_EXCEPT)
    if bare not in _JUDGED:
        return True if is_exception else None
    if bare in inside:
        is_met = not value or inside[bare] == (value.lower() == "inorganization")
    else:
        subject = message.rcpt_domain if bare == "recipientdomainis" else message.sender_domain
        is_met = any(subject == each or subject.endswith(f".{each}") for each in _words(value))
    return is_met != is_exception


def is_open(rule: TransportRule) -> bool:
    """Tell whether a rule has a condition that nobody can judge from a message's domains."""
    return any(
        name.lower() not in _JUDGED and not name.lower().startswith(_EXCEPT)
        for name, _ in rule.conditions
    )
