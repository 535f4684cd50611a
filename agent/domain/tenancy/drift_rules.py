"""Which changes of a tenant should somebody look at, and how soon?

Whoever made the change knows of it, so a finding is for everybody else: what was not meant can be
undone while it is fresh. What loses or exposes mail is critical; all else is there to be seen. For
how long a change is worth a finding is for the caller to say.
"""

from collections.abc import Iterable, Iterator

from agent.domain.finding import Finding, Rule, Severity
from agent.domain.past import moment
from agent.domain.tenancy.drift import Change

_FLOW = "https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-mail-flow/use-connectors-to-configure-mail-flow"
_DOMAINS = "https://learn.microsoft.com/exchange/mail-flow-best-practices/manage-accepted-domains/manage-accepted-domains"
_RULES = (
    "https://learn.microsoft.com/exchange/security-and-compliance/mail-flow-rules/mail-flow-rules"
)
_AUDIT = "https://learn.microsoft.com/purview/audit-search"
_PASSES = " This ends by itself after a time."


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str = _FLOW) -> Rule:
    return Rule(f"drift-{code}", severity, summary, remedy + _PASSES, reference)


CONNECTOR_REMOVED = _rule(
    "connector-removed",
    Severity.CRITICAL,
    "A connector that was in use has been removed",
    "Make it again with the line below unless it was meant to go: mail that it took now goes by the"
    " default way, or is no longer taken for yours.",
)
IDLE_CONNECTOR_REMOVED = _rule(
    "idle-connector-removed",
    Severity.WARNING,
    "A connector that was off or in test mode has been removed",
    "See that nobody meant to switch it on again.",
)
CONNECTOR_OFF = _rule(
    "connector-off",
    Severity.CRITICAL,
    "A connector that mail relies on has been switched off",
    "Switch it on again unless that was meant: mail of your own servers is then a stranger's, and"
    " what a partner connector held back comes in.",
)
PARTNER_OFF = _rule(
    "partner-connector-off",
    Severity.WARNING,
    "A partner connector without conditions has been switched off",
    "See whether it was meant; mail goes on without it, by the default way.",
)
WEAKENED = _rule(
    "weakened",
    Severity.CRITICAL,
    "A restriction has been weakened",
    "Set it back unless it was meant: mail now comes in, or goes out, that was held back before.",
)
DOMAIN_REMOVED = _rule(
    "domain-removed",
    Severity.CRITICAL,
    "An accepted domain has been removed",
    "Add it again in the admin centre unless it was meant: mail for it is refused, and connectors"
    " that are told by it no longer work.",
    _DOMAINS,
)
DOMAIN_TYPE = _rule(
    "domain-type-changed",
    Severity.CRITICAL,
    "The type of an accepted domain has changed",
    "See whether it was meant: an authoritative domain refuses recipients that it does not know,"
    " and one of the type InternalRelay sends them on, in a circle where nobody has them.",
    _DOMAINS,
)
ROUTING_OFF = _rule(
    "routing-rule-off",
    Severity.CRITICAL,
    "A mail flow rule that routes mail has gone out of force",
    "Put it back unless that was meant: mail goes past the place that it was sent through.",
    _RULES,
)
ROUTING_CHANGED = _rule(
    "routing-rule-changed",
    Severity.WARNING,
    "A mail flow rule that routes mail has changed",
    "See by the changed condition or connector which mail now takes another way.",
    _RULES,
)
ADDED = _rule(
    "object-added",
    Severity.WARNING,
    "Something that decides on mail flow has been added",
    "Search the audit log for who made it. A connector that nobody knows may be an intruder's, to"
    " send in your name: switch it off first.",
    _AUDIT,
)
REMOVED = _rule(
    "object-removed",
    Severity.WARNING,
    "Something that decides on mail flow has been removed",
    "Search the audit log for who removed it, and why.",
    _AUDIT,
)
CHANGED = _rule(
    "object-changed",
    Severity.WARNING,
    "Something that decides on mail flow has changed",
    "Search the audit log for who changed it, and why.",
    _AUDIT,
)
ORGANISATION = _rule(
    "organisation-changed",
    Severity.WARNING,
    "A setting of the whole organisation has changed",
    "Search the audit log for who changed it: it is the same for every mailbox.",
    _AUDIT,
)

RULES = (
    CONNECTOR_REMOVED,
    IDLE_CONNECTOR_REMOVED,
    CONNECTOR_OFF,
    PARTNER_OFF,
    WEAKENED,
    DOMAIN_REMOVED,
    DOMAIN_TYPE,
    ROUTING_OFF,
    ROUTING_CHANGED,
    ADDED,
    REMOVED,
    CHANGED,
    ORGANISATION,
)
_CONNECTORS = ("inbound connector", "outbound connector")
_ROUTES = "RouteMessageOutboundConnector"
_SWITCHES = {("Enabled", "False"), ("TestMode", "True")}  # that take a connector out of use


def judge_drift(changes: Iterable[Change]) -> Iterator[Finding]:
    """Yield a finding for each change, in their order."""
    for change in changes:
        yield _rule_of(change).found(_sentence(change), *_evidence(change), fix=change.fix)


def _rule_of(change: Change) -> Rule:
    if change.what == "added":
        return ADDED
    if change.what == "removed":
        return _removal(change)
    return WEAKENED if change.is_weaker else _alteration(change)


def _alteration(change: Change) -> Rule:
    if change.kind in _CONNECTORS and _is_switched_off(change):
        is_relied_on = "on-premises" in change.traits or "restricted" in change.traits
        return CONNECTOR_OFF if is_relied_on else PARTNER_OFF
    if _is_about_routing(change):
        return ROUTING_OFF if _ends_routing(change) else ROUTING_CHANGED
    if change.property == "DomainType":
        return DOMAIN_TYPE
    return ORGANISATION if change.kind == "organisation" else CHANGED


def _removal(change: Change) -> Rule:
    if change.kind in _CONNECTORS:
        return CONNECTOR_REMOVED if "on" in change.traits else IDLE_CONNECTOR_REMOVED
    if change.kind == "accepted domain":
        return DOMAIN_REMOVED
    return ROUTING_OFF if {"on", "routes"} <= set(change.traits) else REMOVED


def _is_switched_off(change: Change) -> bool:
    return "on" in change.traits and (change.property, change.after) in _SWITCHES


def _is_about_routing(change: Change) -> bool:
    return change.kind == "mail flow rule" and (
        "routes" in change.traits or change.property == _ROUTES
    )


def _ends_routing(change: Change) -> bool:
    """Tell whether a rule that was in force no longer sends mail to a connector."""
    if "on" not in change.traits:
        return False
    if change.property == _ROUTES:
        return not change.after
    if change.property == "Mode":
        return change.after.lower() != "enforce"
    return (change.property, change.after) == ("State", "Disabled")


def _sentence(change: Change) -> str:
    """Say what changed, from what to what, and when."""
    what = "The organisation" if change.kind == "organisation" else f"{change.kind} {change.name!r}"
    what = f"{what[0].upper()}{what[1:]}"
    if change.what != "changed":
        return f"{what} was {change.what}{_when(change)}."
    before, after = (repr(text) if text else "nothing" for text in (change.before, change.after))
    return f"{what}: {change.property} went from {before} to {after}{_when(change)}."


def _when(change: Change) -> str:
    if change.at is not None:
        return f" at {moment(change.at)}"
    return "" if change.seen_at is None else f", seen at {moment(change.seen_at)}"


def _evidence(change: Change) -> tuple[str, ...]:
    """Say who did it where it is known, and when it was seen where both times are."""
    lines = [f"by {change.who}"] if change.who else []
    if change.at is not None and change.seen_at is not None:
        lines.append(f"seen at {moment(change.seen_at)}")
    return tuple(lines)
