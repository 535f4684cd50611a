"""Do accepted domains fit where their mail comes from, and how it is signed?"""

from collections.abc import Iterator

from agent.domain.finding import Finding
from agent.domain.peer_text import PeerText
from agent.domain.tenancy import hygiene_rules_domains as rules
from agent.domain.tenancy.hosts import is_endpoint
from agent.domain.tenancy.hygiene_needs import made_by_wizard
from agent.domain.tenancy.hygiene_places import Way
from agent.domain.tenancy.hygiene_view import Connector, View, called, change, few
from agent.domain.tenancy.objects import DkimConfig, Inbound, Outbound
from agent.domain.tenancy.powershell import command

_LONG_ENOUGH = 2048  # bits of a DKIM key
_SILENT = frozenset({"parked", "on-premises"})  # topologies whose mail others sign, or nobody


def domains(view: View) -> Iterator[Finding]:
    """Yield what is wrong with domains and with what holds for all of them."""
    yield from _types(view)
    yield from _exchanges(view)
    yield from _strangers(view)
    yield from _headers(view)
    yield from _signing(view)
    yield from _direct_send(view)


def _types(view: View) -> Iterator[Finding]:
    for domain in view.export.domains or ():
        if domain.domain_type == "external-relay":
            yield rules.EXTERNAL_RELAY.found(
                f"Accepted domain {domain.name} is of the type ExternalRelay.",
                fix=command("Set-AcceptedDomain", domain.name, DomainType="InternalRelay"),
            )


def _exchanges(view: View) -> Iterator[Finding]:
    """Yield domains whose MX leads elsewhere than their topology says, or nobody knows where."""
    given = _given(view)
    # Whose a host is may be said by connectors that no file holds.
    are_known = view.export.inbound is not None and view.export.outbound is not None
    for name, ways in view.ways.items():
        why = _contradiction(view.tenancy.topologies.get(name, ""), ways)
        hosts = view.surroundings.exchanges[name].hosts
        if why:
            yield rules.MX_CONTRADICTS.found(
                f"{name} is {why}: {few(hosts)}.", *map(PeerText, hosts)
            )
        elif are_known and Way.STRANGE in ways and name not in given:
            yield rules.MX_STRANGE.found(
                f"The MX of {name} leads to {few(hosts)}.", *map(PeerText, hosts)
            )


def _contradiction(topology: str, ways: frozenset[Way]) -> str:
    """Say what does not fit, nothing where all does: no MX at all is a matter of DNS."""
    if topology == "exchange-online" and ways and Way.MICROSOFT not in ways:
        return "all in Exchange Online, and its MX leads elsewhere"
    if topology == "third-party-filter" and Way.MICROSOFT in ways:
        return "behind a filter, and its MX leads to Exchange Online as well"
    if topology == "parked" and ways:
        return "parked, and it has an MX"
    return ""


def _strangers(view: View) -> Iterator[Finding]:
    """Yield configured domains that come to Exchange Online and are not taken there."""
    if view.export.domains is None:
        return
    for name in sorted(view.tenancy.topologies):
        known = view.surroundings.exchanges.get(name)
        hosts = [host for host in known.hosts if is_endpoint(host)] if known is not None else []
        if hosts and name not in view.own and view.export.accepted(name) is None:
            yield rules.MX_NOT_ACCEPTED.found(
                f"The MX of {name} leads to {few(hosts)}, and {name} is no accepted domain."
            )


def _headers(view: View) -> Iterator[Finding]:
    """Yield hybrid connectors without CloudServicesMailEnabled.

    Devices and services have connectors of the type OnPremises too: one that trusts headers is
    enough in each direction, but for those that the wizard made.
    """
    into, out = _to_servers(view)
    if not _is_hybrid(into, out, view):
        return
    sides: tuple[tuple[Connector, ...], ...] = (tuple(into), tuple(out))
    for side in sides:
        is_trusted = any(each.cloud_services_mail_enabled for each in side)
        for each in side:
            if each.cloud_services_mail_enabled is False and (
                made_by_wizard(each) or not is_trusted
            ):
                yield rules.HEADERS_NOT_TRUSTED.found(
                    f"{called(each)} does not set CloudServicesMailEnabled.",
                    fix=change(each, CloudServicesMailEnabled=True),
                )


def _to_servers(view: View) -> tuple[list[Inbound], list[Outbound]]:
    """Return the connectors from and to servers of one's own, that are on."""
    into = [each for each in view.inbound if each.is_on and each.connector_type == "on-premises"]
    out = [
        each
        for each in view.outbound
        if each.is_on
        and each.connector_type == "on-premises"
        and each.is_transport_rule_scoped is not True
    ]
    return into, out


def is_hybrid(view: View) -> bool:
    """Tell whether there are Exchange servers of the tenant's own beside Exchange Online."""
    return _is_hybrid(*_to_servers(view), view)


def _is_hybrid(into: list[Inbound], out: list[Outbound], view: View) -> bool:
    """Tell whether mail of Exchange servers comes and goes by these connectors.

    An add-on service has connectors that trust headers as well, and shows by one for rules.
    """
    topologies = view.tenancy.topologies
    if any(topologies.get(name) == "hybrid" for name in view.domains):
        return True
    both: tuple[Connector, ...] = (*into, *out)
    if any(made_by_wizard(each) for each in both):
        return True
    has_add_on = any(each.is_transport_rule_scoped for each in view.outbound)
    trusts = any(each.cloud_services_mail_enabled for each in both)
    return bool(into and out) and trusts and not has_add_on


def _signing(view: View) -> Iterator[Finding]:
    if view.export.dkim is None:
        return
    configs = {each.domain: each for each in view.export.dkim}
    for name in _senders(view):
        config = configs.get(name)
        if config is None and not _may_be_idle(name, view):
            yield rules.DKIM_OFF.found(
                f"There is no DKIM configuration of {name}.",
                fix=command("New-DkimSigningConfig", DomainName=name, Enabled=True),
            )
        elif config is not None:
            yield from _signed(config)


def _may_be_idle(name: str, view: View) -> bool:
    """Tell whether a domain may never send mail, as far as DNS and the export say.

    It may be parked, or be a name that a service gave, where no file holds inbound connectors.
    """
    default = {each.name for each in view.export.domains or () if each.is_default}
    if name in default or name in view.tenancy.topologies:
        return False
    known = view.surroundings.exchanges.get(name)
    return known is None or (not known.hosts and view.export.inbound is None)


def _senders(view: View) -> Iterator[str]:
    """Yield the accepted domains whose mail Exchange Online should sign."""
    given = _given(view)
    for domain in sorted(view.export.domains or (), key=lambda each: each.name):
        is_silent = view.tenancy.topologies.get(domain.name) in _SILENT
        known = view.surroundings.exchanges.get(domain.name)
        is_null = known is not None and known.is_null
        is_silent = is_silent or is_null or domain.name in given
        if not (domain.is_of_microsoft or domain.sending_from_disabled or is_silent):
            yield domain.name


def _given(view: View) -> set[str]:
    """Return the names that a service gave to the tenant for its certificate.

    They are accepted domains, and nobody sends or receives mail with them. The default domain and
    those with a topology are surely used for more.
    """
    default = {each.name for each in view.export.domains or () if each.is_default}
    names = {each.certificate_domain.lower() for each in view.inbound}
    return names - default - set(view.tenancy.topologies)


def _signed(config: DkimConfig) -> Iterator[Finding]:
    sizes = [each for each in (config.selector1_key_size, config.selector2_key_size) if each]
    if config.status.lower() == "cnamemissing":
        cnames = {"selector1": config.selector1_cname, "selector2": config.selector2_cname}
        yield rules.DKIM_CNAME_MISSING.found(
            f"The keys of {config.domain} have no CNAME records.",
            *(
                f"{selector}._domainkey.{config.domain}. CNAME {target}."
                for selector, target in cnames.items()
                if target
            ),
        )
    elif config.enabled is False:
        yield rules.DKIM_OFF.found(
            f"Signing with {config.domain} is switched off.",
            fix=command("Set-DkimSigningConfig", config.domain, Enabled=True),
        )
    elif config.enabled and any(size < _LONG_ENOUGH for size in sizes):
        yield rules.DKIM_KEY_SHORT.found(
            f"The DKIM keys of {config.domain} have {' and '.join(map(str, sizes))} bits.",
            fix=command("Rotate-DkimSigningConfig", config.domain, KeySize=str(_LONG_ENOUGH)),
        )


def _direct_send(view: View) -> Iterator[Finding]:
    organisation, wish = view.export.organisation, view.wishes.reject_direct_send
    if organisation is None or wish is None or organisation.reject_direct_send is None:
        return
    if organisation.reject_direct_send is not wish:
        yield rules.DIRECT_SEND.found(
            f"RejectDirectSend is {organisation.reject_direct_send}, and {wish} is wished.",
            fix=command("Set-OrganizationConfig", RejectDirectSend=wish),
        )
