"""What do a tenant's connectors tell of how a domain's mail comes in?

A topology is meant, and an export holds only what follows from it. What follows is evident enough
to choose the checks of a domain by, where the configuration says nothing of it.
"""

from agent.domain.knowledge.certificate_names import filter_of
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Outbound


def evident_topology(export: Export, domain: AcceptedDomain) -> str:
    """Return the name of the topology, as the configuration has it.

    A partner connector for every sender, which turns away whoever does not show what it names, is
    the lock behind a filter. A connector to one's own servers that takes the domain's mail, or one
    by which Exchange servers send, means that mailboxes are there as well. Where there may be a
    filter nothing is expected, for MX may lead to it or not; nor of a domain that only sends.
    """
    if domain.outbound_only:
        return "custom"
    if any(_locks(each) for each in export.inbound or ()):
        return "third-party-filter"
    if any(_may_be_filters(each, export) for each in export.inbound or ()):
        return "custom"
    own = (each for each in export.outbound or () if _leads_home(each))
    if (
        domain.domain_type == "internal-relay"
        or any(_is_of_exchange(each) for each in export.inbound or ())
        or any(serves(each, domain.name) for each in own)
    ):
        return "hybrid"
    return "exchange-online"


def _locks(connector: Inbound) -> bool:
    return connector.is_on and connector.is_restricted and "*" in connector.sender_domains


def _may_be_filters(connector: Inbound, export: Export) -> bool:
    """Tell whether a connector may be for a filter, locked or not, on or off.

    It is for all senders, or names a certificate that is of some filter and not of the tenant.
    """
    if connector.connector_type == "partner":
        return "*" in connector.sender_domains
    name = connector.certificate_domain.lower()
    return bool(filter_of(name)) and name not in export.domain_names


def _is_of_exchange(connector: Inbound) -> bool:
    """Tell whether Exchange servers of one's own send by a connector, be it on or off."""
    return connector.connector_type == "on-premises" and (
        connector.connector_source.lower() == "hybridwizard"
        or connector.cloud_services_mail_enabled is True
    )


def _leads_home(connector: Outbound) -> bool:
    """Tell whether a connector is for mail to one's own servers, be it on or off."""
    is_hidden = connector.is_transport_rule_scoped is True
    return connector.connector_type == "on-premises" and not is_hidden


def serves(connector: Outbound, domain: str) -> bool:
    """Tell whether RecipientDomains, or AllAcceptedDomains, name an accepted *domain*."""
    is_central = connector.route_all_messages_via_on_premises is True
    return (
        is_central
        or connector.all_accepted_domains is True
        or any(
            each == domain or (each.startswith("*.") and domain.endswith(each[1:]))
            for each in connector.recipient_domains
        )
    )
