"""Tenants by topology, for tests of where their mail goes."""

from typing import Any

from tenancies import own, partner

from agent.domain.tenancy.journey import Message
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DomainType,
    Export,
    Inbound,
    Outbound,
    TransportRule,
)

OUTSIDE = "outside.example"
EXCHANGE = "contoso-com.mail.protection.outlook.com"
SERVER = "mail.contoso.com"
FILTER = "mx1.filter.example"
SERVICE = "smtp.signatures.example"
LOCK = partner("*.filter.example", name="lock")
FROM_OWN = own(SERVER, name="from own servers")
TO_OWN = Outbound(
    name="to own servers",
    connector_type="on-premises",
    recipient_domains=("contoso.com",),
    use_mx_record=False,
    smart_hosts=(SERVER,),
)
CENTRAL = Outbound(
    name="central",
    connector_type="on-premises",
    recipient_domains=("*",),
    use_mx_record=False,
    smart_hosts=(SERVER,),
    route_all_messages_via_on_premises=True,
)
FROM_SERVICE = own("contoso.signatures.example", name="from service")
TO_SERVICE = Outbound(
    name="to service",
    connector_type="on-premises",
    is_transport_rule_scoped=True,
    use_mx_record=False,
    smart_hosts=(SERVICE,),
)
SIGN = TransportRule(
    name="sign",
    enabled=True,
    mode="Enforce",
    priority=0,
    from_scope="InOrganization",
    route_message_outbound_connector="to service",
    exception_headers=("X-Signed",),
)


def tenant(
    *things: Inbound | Outbound | TransportRule,
    name: str = "contoso",
    domain: str = "contoso.com",
    also: tuple[str, ...] = (),
    domain_type: DomainType | None = "authoritative",
    **more: Any,
) -> Tenancy:
    """Return a tenant with these connectors and rules, and with accepted domains of one type."""
    export = Export(
        inbound=tuple(each for each in things if isinstance(each, Inbound)),
        outbound=tuple(each for each in things if isinstance(each, Outbound)),
        rules=tuple(each for each in things if isinstance(each, TransportRule)),
        domains=tuple(
            AcceptedDomain(name=each, domain_type=domain_type) for each in (domain, *also)
        ),
    )
    return Tenancy(name=name, export=export, **more)


def mail(to: str = "contoso.com", sender: str = OUTSIDE, **more: Any) -> Message:
    """Return a message from the internet to a mailbox, unless something else is said."""
    return Message(sender_domain=sender, rcpt_domain=to, **more)


def within(to: str = "contoso.com", name: str = "contoso", **more: Any) -> Message:
    """Return a message that somebody in the tenant writes."""
    sender = more.pop("sender", f"{name}.com")
    return Message(sender_domain=sender, rcpt_domain=to, origin=f"tenant:{name}", **more)


def from_servers(to: str = "contoso.com", name: str = "contoso", **more: Any) -> Message:
    """Return a message that comes from own servers."""
    sender = more.pop("sender", f"{name}.com")
    return Message(sender_domain=sender, rcpt_domain=to, origin=f"on-premises:{name}", **more)
