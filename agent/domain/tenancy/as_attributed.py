"""What of an exported tenant takes part when Exchange Online attributes a message?"""

from agent.domain.attribution import InboundConnector, Restriction, Tenant
from agent.domain.tenancy.objects import Inbound
from agent.domain.tenancy.tenancies import Tenancy
from agent.domain.tenancy.ties import name_of


def tenant_of(tenancy: Tenancy) -> Tenant:
    """Return the tenant as attribution sees it.

    A connector whose type the export does not say takes no part, nor does one that is for named
    organisations of Microsoft 365, which are told in another way.
    """
    export = tenancy.export
    organisation = export.organisation
    return Tenant(
        name=tenancy.name,
        accepted_domains=export.domain_names,
        connectors=tuple(
            found for each in export.inbound or () if (found := connector_of(each)) is not None
        ),
        rejects_direct_send=organisation is not None and organisation.reject_direct_send is True,
        with_subdomains=tuple(each.name for each in export.domains or () if each.match_subdomains),
    )


def connector_of(inbound: Inbound) -> InboundConnector | None:
    """Return a connector as attribution sees it, None for one that takes no part in it."""
    if inbound.connector_type is None or inbound.trusted_organizations:
        return None
    return InboundConnector(
        name=inbound.name,
        connector_type=inbound.connector_type,
        tls_sender_certificate_name=name_of(inbound) or None,
        sender_ip_addresses=inbound.networks,
        sender_domains=inbound.sender_domains or ("*",),
        associated_accepted_domains=inbound.associated_accepted_domains,
        is_restricted=inbound.is_restricted,
        restricted_by=_restriction(inbound),
        is_enabled=inbound.is_on,
    )


def _restriction(inbound: Inbound) -> Restriction:
    by_certificate = bool(inbound.restrict_domains_to_certificate)
    by_address = bool(inbound.restrict_domains_to_ip_addresses)
    if by_certificate and by_address:
        return "both"
    return "address" if by_address else "certificate"
