"""Are the connectors there that a tenant's topology and its domains need?

A hybrid tenant has one in each direction between Exchange Online and its own servers, and so has
one whose mailboxes are all on servers of its own behind Exchange Online. A domain whose mail is
relayed needs a way to relay it by. What is needed and switched off is said to be off, not missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.domain.finding import Finding, Rule
from agent.domain.tenancy import hygiene_rules as common
from agent.domain.tenancy import hygiene_rules_domains as of_domains
from agent.domain.tenancy.hygiene_filtering import locks_off
from agent.domain.tenancy.hygiene_places import Way
from agent.domain.tenancy.hygiene_view import Connector, View, called, few, switch_on
from agent.domain.tenancy.objects import Inbound, Outbound
from agent.domain.tenancy.powershell import command

_FROM_OWN = command(
    "New-InboundConnector",
    Name="From own servers",
    ConnectorType="OnPremises",
    SenderDomains=("*",),
    RequireTls=True,
    TlsSenderCertificateName="<name in the certificate of your servers>",
)


@dataclass(frozen=True, slots=True)
class Need:
    """A connector that is needed and not there; ``off`` are those that would do if they were on."""

    why: str
    rule: Rule
    off: tuple[Connector, ...]
    fix: str = ""


def needs(view: View) -> Iterator[Finding]:
    """Yield each need that is not met."""
    for need in _unmet(view):
        if not need.off or need.rule is common.INBOUND_NONE:
            fix = switch_on(need.off[0]) if need.off else need.fix
            yield need.rule.found(f"{need.why}.", *map(called, need.off), fix=fix)
            continue
        yield common.NEEDED_BUT_OFF.found(
            f"{called(need.off[0])} is off, and {need.why[:1].lower()}{need.why[1:]}.",
            *map(called, need.off),
            fix=switch_on(need.off[0]),
        )


def relied_on(view: View) -> frozenset[Connector]:
    """Return the connectors that are off and that something needs."""
    found: list[Connector] = [each for need in _unmet(view) for each in need.off]
    found += locks_off(view)
    for rule in view.rules:
        named = view.named_by(rule)
        if rule.is_on and named is not None and not named.is_on:
            found.append(named)
    return frozenset(found)


def _unmet(view: View) -> Iterator[Need]:
    why = _why_own_servers(view)
    if why and view.export.inbound is not None:
        yield from _pair(why, view.inbound, common.INBOUND_MISSING, "from")
    elif view.export.inbound is not None:
        yield from _way_back(view)
    open_to_all = tuple(each for each in view.outbound if not each.is_transport_rule_scoped)
    ways_out: tuple[Need, ...] = ()
    if why and view.export.outbound is not None:
        ways_out = tuple(_pair(why, open_to_all, common.OUTBOUND_MISSING, "to"))
    yield from ways_out
    if not ways_out and view.export.outbound is not None:
        yield from _relays(view, open_to_all)


def _why_own_servers(view: View) -> str:
    """Say why mail has to go to servers of one's own; nothing where it need not."""
    topologies = view.tenancy.topologies
    # Of accepted domains only; of others it is said that they are not.
    declared = {name: topologies[name] for name in view.domains if name in topologies}
    hybrid = [name for name, topology in declared.items() if topology == "hybrid"]
    if hybrid:
        return f"Mailboxes of {few(hybrid)} are on servers of your own"
    behind = [
        name
        for name, topology in declared.items()
        if topology == "on-premises" and Way.MICROSOFT in view.ways.get(name, ())
    ]
    if behind:
        return f"All mailboxes of {few(behind)} are on servers of your own behind Exchange Online"
    wizard = next((each for each in view.connectors if made_by_wizard(each)), None)
    return f"{called(wizard)} is one of a hybrid deployment" if wizard is not None else ""


def made_by_wizard(connector: Connector) -> bool:
    """Tell whether the Hybrid Configuration Wizard made a connector that is on."""
    return connector.is_on and connector.connector_source.lower() == "hybridwizard"


def _pair(
    why: str, connectors: tuple[Inbound, ...] | tuple[Outbound, ...], rule: Rule, way: str
) -> Iterator[Need]:
    """Yield the need of a connector of the type OnPremises, if none is on."""
    # A type that the export does not say may be the one.
    fitting = [each for each in connectors if each.connector_type != "partner"]
    if not any(each.is_on for each in fitting):
        yield Need(f"{why}, and no connector leads {way} the servers", rule, tuple(fitting))


def _way_back(view: View) -> Iterator[Need]:
    """Yield the need of a way in for servers that mail of an accepted domain is sent to."""
    there = next((each for each in view.outbound if _leads_home(each, view)), None)
    if there is not None:
        why = f"{called(there)} leads to servers of your own, and no connector lets their mail in"
        for need in _pair(why, view.inbound, common.INBOUND_NONE, "from"):
            yield replace(need, why=why, fix=_FROM_OWN)


def _leads_home(connector: Outbound, view: View) -> bool:
    """Tell whether a connector surely takes mail for an accepted domain to other mailboxes."""
    return (
        connector.is_on
        and connector.connector_type == "on-premises"
        and not connector.is_transport_rule_scoped
        and bool(connector.smart_hosts)
        and (
            bool(connector.all_accepted_domains)
            or not view.own.isdisjoint(each.lower() for each in connector.recipient_domains)
        )
    )


def _relays(view: View, connectors: tuple[Outbound, ...]) -> Iterator[Need]:
    for domain in sorted(view.export.domains or (), key=lambda each: each.name):
        if domain.domain_type != "internal-relay" or _is_delivered_by_mx(domain.name, view):
            continue
        fitting = [each for each in connectors if _covers(each, domain.name)]
        if any(each.is_on for each in fitting) or _is_routed_by_rule(domain.name, view):
            continue
        yield Need(
            f"{few((domain.name,))} is an internal relay domain without a connector to relay by",
            of_domains.RELAY_WITHOUT_CONNECTOR,
            tuple(each for each in fitting if _is_meant_for(each, domain.name)),
            _as_authoritative(domain.name, view),
        )


def _is_meant_for(connector: Outbound, domain: str) -> bool:
    """Tell whether a connector was the way to the domain, and not one for the whole Internet."""
    return connector.connector_type != "partner" or domain in connector.recipient_domains


def _as_authoritative(domain: str, view: View) -> str:
    """Write the line that ends the relaying; none where there are mailboxes to relay to."""
    if view.tenancy.topologies.get(domain) in ("hybrid", "on-premises"):
        return ""
    return command("Set-AcceptedDomain", domain, DomainType="Authoritative")


def _is_delivered_by_mx(domain: str, view: View) -> bool:
    """Tell whether MX leads to other mailboxes, so that mail gets there without a connector.

    While DNS does not say, it may.
    """
    if domain not in view.surroundings.exchanges:
        return True
    ways = view.ways.get(domain, frozenset())
    return bool(ways) and ways.isdisjoint({Way.MICROSOFT, Way.FILTER})


def _covers(connector: Outbound, domain: str) -> bool:
    names = {each.lower() for each in connector.recipient_domains}
    return bool(
        domain in names
        or "*" in names
        or connector.all_accepted_domains
        or connector.route_all_messages_via_on_premises
        or any(each.startswith("*.") and domain.endswith(each[1:]) for each in names)
    )


def _is_routed_by_rule(domain: str, view: View) -> bool:
    return any(
        rule.is_on
        and (named := view.named_by(rule)) is not None
        and named.is_on
        and any(domain in value.lower() for _, value in rule.conditions)
        for rule in view.rules
    )
