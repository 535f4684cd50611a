"""What do a tenant's connectors tell of how a domain's mail comes in?

A topology is meant, and an export holds only what follows from it. What follows is evident enough
to choose the checks of a domain by, where the configuration says nothing of it.
"""

from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Outbound


def evident_topology(export: Export, domain: AcceptedDomain) -> str:
    """Return the name of the topology, as the configuration has it.

    A partner connector for every sender, which turns away whoever does not show what it names, is
    the lock behind a filter. A connector to one's own servers that takes the domain's mail means
    that mailboxes are there as well. Nothing is expected of a domain that only sends.
    """
    if domain.outbound_only:
        return "custom"
    if any(_locks(each) for each in export.inbound or ()):
        return "third-party-filter"
    own = (each for each in export.outbound or () if _leads_home(each))
    if domain.domain_type == "internal-relay" or any(serves(each, domain.name) for each in own):
        return "hybrid"
    return "exchange-online"


def _locks(connector: Inbound) -> bool:
    return connector.is_on and connector.is_restricted and "*" in connector.sender_domains


def _leads_home(connector: Outbound) -> bool:
    is_hidden = connector.is_transport_rule_scoped is True
    return connector.is_on and connector.connector_type == "on-premises" and not is_hidden


def serves(connector: Outbound, domain: str) -> bool:
    """Tell whether RecipientDomains, or AllAcceptedDomains, name an accepted *domain*."""
    return connector.all_accepted_domains is True or any(
        each == domain or (each.startswith("*.") and domain.endswith(each[1:]))
        for each in connector.recipient_domains
    )
