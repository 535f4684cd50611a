"""Do mail flow rules and the connectors that they route by know each other?"""

from collections.abc import Iterator

from agent.domain.finding import Finding
from agent.domain.tenancy import hygiene_rules_outbound as rules
from agent.domain.tenancy.hosts import are_kin, as_address, lies_in
from agent.domain.tenancy.hygiene_view import View, called, change, removal, switch_on
from agent.domain.tenancy.objects import (
    Inbound,
    Outbound,
    TransportRule,
    identity_of,
    parents,
)
from agent.domain.tenancy.powershell import command

# What tells a message that comes back from one that is new, besides an exception by a header.
_GUARDS = frozenset(
    {"exceptifsenderipranges", "headercontainsmessageheader", "headermatchesmessageheader"}
)


def wiring(view: View) -> Iterator[Finding]:
    """Yield rules that route into nothing or in a circle, and connectors that no rule uses."""
    if view.export.outbound is None:
        return
    for rule in view.rules:
        if rule.is_on and rule.route_message_outbound_connector:
            connector = view.named_by(rule)
            if connector is None:
                yield _missing(rule, view)
            else:
                yield from _named(rule, connector)
                yield from _unguarded(rule, connector, view)
    if view.export.rules is not None:
        yield from _unused(view)


def _missing(rule: TransportRule, view: View) -> Finding:
    """Return what it means that a name is not there.

    The cmdlet leaves out connectors that are for rules unless it is asked for them: where the
    export has none at all, the one that is named may well exist.
    """
    has_any = any(each.is_transport_rule_scoped for each in view.outbound)
    chosen = rules.RULE_NAMES_MISSING if has_any else rules.RULE_NAMES_UNEXPORTED
    return chosen.found(
        f"{called(rule)} names '{rule.route_message_outbound_connector}'.",
        fix=command("Disable-TransportRule", identity_of(rule)) if has_any else "",
    )


def _named(rule: TransportRule, connector: Outbound) -> Iterator[Finding]:
    if not connector.is_on:
        state = "off" if connector.enabled is False else "in test mode"
        is_proven = connector.is_validated is not False
        never = "" if is_proven else " and not validated"
        yield rules.RULE_NAMES_OFF.found(
            f"{called(rule)} names '{connector.name}', which is {state}{never}.",
            # Nobody knows whether what was never validated takes mail at all.
            fix=switch_on(connector)
            if is_proven
            else command("Disable-TransportRule", identity_of(rule)),
        )
    if connector.is_transport_rule_scoped is False:
        yield rules.RULE_NAMES_UNSCOPED.found(
            f"{called(rule)} names '{connector.name}', which IsTransportRuleScoped does not"
            " reserve for rules.",
            fix=change(connector, IsTransportRuleScoped=True),
        )


def _unguarded(rule: TransportRule, connector: Outbound, view: View) -> Iterator[Finding]:
    if _is_guarded(rule) or not connector.is_on:
        return
    back = next((each for each in view.inbound if _comes_back(each, connector, view)), None)
    if back is not None:
        yield rules.NO_LOOP_GUARD.found(
            f"{called(rule)} sends to '{connector.name}', comes back by '{back.name}', and exempts"
            " no message by a header."
        )


def _is_guarded(rule: TransportRule) -> bool:
    names = {name.lower() for name, _ in rule.conditions}
    return bool(rule.exception_headers) or not names.isdisjoint(_GUARDS)


def _comes_back(inbound: Inbound, outbound: Outbound, view: View) -> bool:
    """Tell whether *inbound* is where the service behind *outbound* hands mail back.

    Servers of one's own may have connectors in both directions and keep what they get.
    """
    if not inbound.is_on or inbound.connector_type != "on-premises":
        return False
    hosts = [host.lower() for host in outbound.smart_hosts if as_address(host) is None]
    names = [*hosts, outbound.tls_domain.lower().removeprefix("*.")]
    if any(_is_own(name, inbound, view) for name in names):
        return False
    certificate = inbound.certificate_domain.lower()
    addresses = [at for host in hosts for at in view.surroundings.addresses.get(host, ())]
    return any(are_kin(name, certificate) for name in names) or any(
        lies_in(address, inbound.networks) for address in addresses
    )


def _is_own(name: str, inbound: Inbound, view: View) -> bool:
    """Tell whether a host is below a domain of the tenant's own.

    The name that a service gives to one customer is an accepted domain as well, and no less the
    service's.
    """
    is_below = not view.own.isdisjoint(parents(name))
    return is_below or (name in view.own and name != inbound.tls_sender_certificate_name.lower())


def _unused(view: View) -> Iterator[Finding]:
    users = [(rule, view.named_by(rule)) for rule in view.rules]
    for connector in view.outbound:
        if not connector.is_on or not connector.is_transport_rule_scoped:
            continue
        naming = [rule for rule, named in users if named is connector]
        if not any(rule.is_on for rule in naming):
            yield rules.CONNECTOR_WITHOUT_RULE.found(
                f"{called(connector)} is for rules only, and no rule that is on names it.",
                *map(called, naming),
                fix=_revival(naming[0]) if naming else removal(connector),
            )


def _revival(rule: TransportRule) -> str:
    if rule.enabled is False:
        return command("Enable-TransportRule", identity_of(rule))
    return command("Set-TransportRule", identity_of(rule), Mode="Enforce")
