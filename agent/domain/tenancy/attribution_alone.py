"""What is wrong with a tenant's inbound connectors by themselves, whoever else there is?

The certificate's domain has to be an accepted domain of the tenant; a filter in front of it is a
partner, and the tenant's own servers are not.
"""

from collections.abc import Iterator

from agent.domain.attribution import closeness
from agent.domain.finding import Finding
from agent.domain.knowledge.certificate_names import filter_of, signature_service_of
from agent.domain.knowledge.filter_hosts import filter_title
from agent.domain.public_suffix import owned_parents, zone_of
from agent.domain.tenancy import attribution_rules as rules
from agent.domain.tenancy.holds import Cover, cover
from agent.domain.tenancy.objects import Inbound, identity_of
from agent.domain.tenancy.powershell import command
from agent.domain.tenancy.tenancies import Surroundings, Tenancy
from agent.domain.tenancy.ties import Shown, claims_by, exchange_hosts, name_of

OWN_NAME = "<a name that only your own servers show>"
"""Stands in a line where only the reader knows it; Exchange takes it for no domain."""


Fronts = tuple[tuple[str, str], ...]  # domains, with MX hosts that are a filter's


def third_parties(tenancy: Tenancy, surroundings: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield domains with those of their MX hosts that are a filter's."""
    for domain in tenancy.export.domain_names:
        is_said = tenancy.topologies.get(domain) == "third-party-filter"
        for host in exchange_hosts(domain, surroundings):
            if is_said or filter_title(host):
                yield domain, host


def to_partner(
    connector: Inbound, tenancy: Tenancy, surroundings: Surroundings
) -> tuple[str, tuple[str, ...]]:
    """Return the line that ends what a filter's connector claims, and what to know of it.

    It becomes a partner's, which then turns away all mail that comes another way: only where DNS
    says that none does. Else it is switched off.
    """
    if not _is_only_way(connector, tenancy, surroundings):
        off = command("Set-InboundConnector", identity_of(connector), Enabled=False)
        return off, (_OFF,)
    restriction = (
        {"RestrictDomainsToCertificate": True}
        if name_of(connector)
        else {"RestrictDomainsToIPAddresses": True}
    )
    line = command(
        "Set-InboundConnector",
        identity_of(connector),
        ConnectorType="Partner",
        RequireTls=True,
        **restriction,
    )
    return line, ()


_OFF = (
    "the line switches the connector off: what comes by it is then not relayed, and its mail to"
    " the tenant counts as anybody's"
)


def _is_only_way(connector: Inbound, tenancy: Tenancy, surroundings: Surroundings) -> bool:
    """Tell whether all mail from the Internet surely comes by what the connector is for."""
    title = filter_of(name_of(connector).removeprefix("*."))
    domains = [each.name for each in tenancy.export.domains or () if not each.is_of_microsoft]
    hosts = [host for domain in domains for host in exchange_hosts(domain, surroundings)]
    return (
        bool(hosts)
        and all(domain in surroundings.exchanges for domain in domains)
        and all(
            _is_of_filter(connector, host, tenancy, surroundings)
            or (title is not None and filter_title(host) == title)
            for host in hosts
        )
    )


def unaccepted(
    connector: Inbound, tenancy: Tenancy, surroundings: Surroundings
) -> Iterator[Finding]:
    """Yield what is wrong where the certificate's domain is no accepted domain.

    A parent of it is enough in a hybrid deployment, whose wizard leaves it at that.
    """
    name = name_of(connector).removeprefix("*.")
    if not name or tenancy.export.domains is None or name in tenancy.export.domain_names:
        return
    said = f"'{connector.name}' of {tenancy.name} names {name_of(connector)}"
    fix = command("New-MgDomain", Id=name)
    parent = next((each for each in owned_parents(name) if tenancy.export.accepted(each)), "")
    if parent and connector.connector_source.lower() == "hybridwizard":
        return
    if parent:
        detail = f"{said}; of {name} and its parents only {parent} is accepted"
        yield rules.PARENT_ONLY.found(detail, fix=fix)
    elif title := signature_service_of(name):
        yield rules.PROVIDER_CERTIFICATE.found(f"{said}, a certificate of {title}")
    elif title := filter_of(name):
        detail = f"{said}, a certificate of {title}"
        line, known = to_partner(connector, tenancy, surroundings)
        yield rules.PROVIDER_CERTIFICATE.found(detail, *known, fix=line)
    else:
        detail = f"{said}; neither {name} nor a parent of it is an accepted domain"
        yield rules.NOT_ACCEPTED.found(detail, fix=fix)


def partner_missing(
    connector: Inbound, tenancy: Tenancy, surroundings: Surroundings, fronts: Fronts
) -> Iterator[Finding]:
    """Yield a finding where a filter comes in by an on-premises connector, and by no other.

    *fronts* are what :func:`third_parties` yields.
    """
    inbound = tenancy.export.inbound or ()
    partners = [each for each in inbound if each.is_on and each.connector_type == "partner"]
    lines = [
        f"{host} is in MX of {domain}"
        for domain, host in fronts
        if _is_of_filter(connector, host, tenancy, surroundings)
        and not any(_is_of_filter(each, host, tenancy, surroundings) for each in partners)
    ]
    if lines:
        detail = (
            f"'{connector.name}' of {tenancy.name} is of the type OnPremises and matches the"
            f" filter in front: {lines[0]}"
        )
        line, known = to_partner(connector, tenancy, surroundings)
        yield rules.PARTNER_MISSING.found(detail, *lines, *known, fix=line)


def own_as_partner(connector: Inbound, tenancy: Tenancy) -> Iterator[Finding]:
    """Yield a finding where only a partner connector is for the tenant's own certificate.

    One that restricts all senders is a lock in front of the tenant, which own servers may hold.
    """
    domains = tenancy.export.domain_names
    name = name_of(connector)
    if not connector.is_on or connector.connector_type != "partner" or not name:
        return
    is_lock = connector.is_restricted and not set(connector.sender_domains) & set(domains)
    if is_lock or not closeness(name, domains) or signature_service_of(name) or filter_of(name):
        return
    shown = Shown("partner", "", name)
    own = (each for each in tenancy.export.inbound or () if claims_by(each))
    if any(cover(name_of(each), shown) is Cover.YES for each in own):
        return
    fix = command(
        "New-InboundConnector",
        Name=f"{connector.name} (own servers)",
        ConnectorType="OnPremises",
        SenderDomains="*",
        TlsSenderCertificateName=name,
        RequireTls=True,
    )
    detail = f"'{connector.name}' of {tenancy.name} is of the type Partner and names {name}"
    yield rules.OWN_AS_PARTNER.found(detail, fix=fix)


def _is_of_filter(
    connector: Inbound, host: str, tenancy: Tenancy, surroundings: Surroundings
) -> bool:
    """Tell whether a connector matches what the filter behind an MX host shows."""
    name = name_of(connector)
    base = name.removeprefix("*.")
    is_kin = bool(base) and zone_of(base) == zone_of(host)
    if is_kin and not closeness(base, tenancy.export.domain_names):
        return True
    shown = (Shown("exchange", "", each) for each in surroundings.certificates.get(host, ()))
    if base not in tenancy.export.by_name and any(cover(name, each) is Cover.YES for each in shown):
        return True
    return any(
        address in network
        for address in surroundings.addresses.get(host, ())
        for network in connector.networks
    )
