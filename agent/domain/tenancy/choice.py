"""By which rule or connector does a message leave a tenant?

A mail flow rule that names a connector comes first. Without one it is the connector for exactly the
recipient's domain, then the one for all accepted domains, then the longest wildcard. Source:
Microsoft's pages on connectors for mail routing and on conditional routing, read in 2026.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from agent.domain.tenancy.journey_values import Message
from agent.domain.tenancy.objects import Export, Outbound, TransportRule

_APART = re.compile(r"[\s,;{}]+")
_LAST = 1 << 30  # the priority of a rule of which the export does not say it


@dataclass(frozen=True, slots=True)
class Chosen:
    """A connector, and in words why it is the one."""

    connector: Outbound
    why: str


def choose(export: Export, domain: str) -> Chosen | None:
    """Return the connector for mail to *domain*; None where it goes by MX.

    Of two at one level, which Microsoft leaves open, it is the on-premises one, then the first by
    name.
    """
    is_own = export.accepted(domain) is not None
    fitting = [
        (*_level(connector, domain, is_own=is_own), connector)
        for connector in export.outbound or ()
        if connector.is_on and not connector.is_transport_rule_scoped
    ]
    found = [each for each in fitting if each[0]]
    if not found:
        return None
    _, why, best = min(
        found, key=lambda each: (-each[0], each[2].connector_type != "on-premises", each[2].name)
    )
    return Chosen(best, why)


_EXACT = 1 << 20
_ALL_ACCEPTED = 1 << 19


def _level(connector: Outbound, domain: str, *, is_own: bool) -> tuple[int, str]:
    """Return how well a connector fits, 0 for not at all, and why."""
    names = {each.lower() for each in connector.recipient_domains}
    if domain in names:
        return _EXACT, f"it is for {domain}"
    if connector.all_accepted_domains and is_own:
        return _ALL_ACCEPTED, "it is for all accepted domains"
    wide = [each for each in names if each.startswith("*.") and domain.endswith(each[1:])]
    if wide:
        longest = max(wide, key=len)
        return len(longest) + 1, f"it is for {longest}"
    return (1, "it is for all domains") if "*" in names else (0, "")


def centralised(export: Export) -> Outbound | None:
    """Return the connector of centralised mail transport, if there is one that is on."""
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


def routing_rules(export: Export) -> Iterator[Routed]:
    """Yield the rules that route by a connector, the first to act first; broken ones left out."""
    connectors = {each.name.lower(): each for each in export.outbound or () if each.is_on}
    connectors |= {each.guid.lower(): each for each in connectors.values() if each.guid}
    rules = [each for each in export.rules or () if each.is_on]
    for rule in sorted(rules, key=_priority):
        connector = connectors.get(rule.route_message_outbound_connector.lower())
        if connector is not None:
            yield Routed(rule, connector)


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
    if is_guarded(rule) and routed.connector.name in stamped:
        return False
    is_from_inside = trusted and export.accepted(message.sender_domain) is not None
    inside = {
        "fromscope": is_from_inside,
        "senttoscope": export.accepted(message.rcpt_domain) is not None,
    }
    limits = (("FromScope", rule.from_scope), ("SentToScope", rule.sent_to_scope))
    judged = [_met(*each, message, inside) for each in (*limits, *rule.conditions)]
    return False not in judged and (None not in judged or message.meets_conditions)


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
        wanted = [each for each in _APART.split(value.lower()) if each]
        is_met = any(subject == each or subject.endswith(f".{each}") for each in wanted)
    return is_met != is_exception


def is_open(rule: TransportRule) -> bool:
    """Tell whether a rule has a condition that nobody can judge from a message's domains."""
    names = (name.lower() for name, _ in rule.conditions)
    return any(not name.startswith(_EXCEPT) and name not in _JUDGED for name in names)
