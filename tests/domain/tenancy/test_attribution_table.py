"""The decision of attribution and of the inbound connector, row by row, with where each is written.

Documented rows name the page; an inference of ours is marked as one. ``MC`` is message center post
MC1226222 (February 2026), ``BLOG`` "Office 365 Message Attribution" (Exchange Team, 2019).
"""

from dataclasses import dataclass
from ipaddress import ip_address

import pytest
from tenancies import own, partner, tenant

from agent.domain.attribution import Arrival, Step, Verdict, attribute
from agent.domain.tenancy.as_attributed import connector_of, tenant_of
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Organisation

MC = "MC1226222"
BLOG = "techcommunity.microsoft.com Office 365 Message Attribution"
RELAY = "learn.microsoft.com updated-requirements-smtp-relay"
CMDLET = "learn.microsoft.com New-InboundConnector"
CONNECTORS = "learn.microsoft.com use-connectors-to-configure-mail-flow"
FILTER = "learn.microsoft.com manage-mail-flow-using-third-party-cloud"
SENT_BACK = "learn.microsoft.com Set-OrganizationConfig RejectDirectSend"
INFERRED = "an inference of ours"

CERTIFICATE, MAIL_FROM, RCPT_TO = Step
DELIVERED, RELAYED = Verdict.DELIVERED, Verdict.RELAYED


def strict(tenancy: Tenancy) -> Tenancy:
    export = Export(
        inbound=tenancy.export.inbound,
        domains=tenancy.export.domains,
        organisation=Organisation(reject_direct_send=True),
    )
    return Tenancy(name=tenancy.name, export=export)


def below(name: str, *inbound: Inbound) -> Tenancy:
    """Return a tenant that accepts a domain with all its subdomains."""
    domains = (AcceptedDomain(name=name, match_subdomains=True),)
    return Tenancy(name=name, export=Export(inbound=inbound, domains=domains))


@dataclass(frozen=True)
class Row:
    """What arrives, whom Exchange Online knows, and what it does by which step."""

    source: str
    tenants: tuple[Tenancy, ...]
    verdict: Verdict
    tenant: str = ""
    connector: str = ""
    step: Step | None = None
    names: tuple[str, ...] = ()
    address: str = "192.0.2.99"
    sender: str = "stranger.example"
    to: str = "elsewhere.example"


A_CERT = tenant("a", "a.com", own("mail.a.com", name="ca"))
A_IP = tenant("a", "a.com", own("", "203.0.113.0/28", name="ia"))
A_BOTH = tenant("a", "a.com", own("mail.a.com", name="ca"), own("", "203.0.113.0/28", name="ia"))
B = tenant("b", "b.com")
B_IP = tenant("b", "b.com", own("", "203.0.113.0/24", name="ib"))
P = tenant("p", "provider.example", own("gw.provider.example", name="cp"))
LOCKED = tenant("b", "b.com", partner("*.filter.example", name="lock"))
BY_IP = tenant("b", "b.com", partner("", "198.51.100.0/28", name="lock"))
INSIDE = "203.0.113.5"

ROWS = {
    "a certificate relays for any sender": Row(
        RELAY, (A_CERT, B), RELAYED, "a", "ca", CERTIFICATE, ("mail.a.com",)
    ),
    "a certificate relays reports, which have no sender": Row(
        RELAY, (A_CERT,), RELAYED, "a", "ca", CERTIFICATE, ("mail.a.com",), sender=""
    ),
    "an address relays for the tenant's senders": Row(
        RELAY, (A_IP,), RELAYED, "a", "ia", MAIL_FROM, address=INSIDE, sender="a.com"
    ),
    "an address relays for nobody else": Row(
        RELAY, (A_IP,), Verdict.RELAY_DENIED, "a", "ia", address=INSIDE
    ),
    "an address and a certificate of an accepted domain relay for any sender": Row(
        RELAY, (A_IP,), RELAYED, "a", "ia", CERTIFICATE, ("x.a.com",), INSIDE
    ),
    "a sender without a connector relays nothing": Row(
        RELAY, (A_CERT,), Verdict.RELAY_DENIED, sender="a.com"
    ),
    "the certificate goes before the address": Row(
        BLOG, (B_IP, A_BOTH), RELAYED, "a", "ca", CERTIFICATE, ("mail.a.com",), INSIDE, "b.com"
    ),
    "the certificate's domain decides before the sender's": Row(
        MC,
        (tenant("b", "b.com", own("mail.a.com", name="cb")), A_CERT),
        RELAYED,
        "a",
        "ca",
        CERTIFICATE,
        ("mail.a.com",),
        sender="b.com",
    ),
    "of two accepted domains the nearer to the certificate decides": Row(
        INFERRED,
        (A_CERT, tenant("u", "mail.a.com", own("mail.a.com", name="cu"))),
        RELAYED,
        "u",
        "cu",
        CERTIFICATE,
        ("mail.a.com",),
    ),
    "the sender's domain decides where the certificate's is nobody's": Row(
        MC,
        (
            tenant("b", "b.com", own("gw.shared.example", name="cb")),
            tenant("a", "a.com", own("gw.shared.example", name="ca")),
        ),
        RELAYED,
        "a",
        "ca",
        MAIL_FROM,
        ("gw.shared.example",),
        sender="a.com",
        to="b.com",
    ),
    "the recipient's domain decides where neither is anybody's": Row(
        MC,
        (
            tenant("a", "a.com", own("gw.shared.example", name="ca")),
            tenant("b", "b.com", own("gw.shared.example", name="cb")),
        ),
        DELIVERED,
        "b",
        "cb",
        RCPT_TO,
        ("gw.shared.example",),
        to="b.com",
    ),
    "a provider's own connector claims what its gateways deliver": Row(
        MC, (P, LOCKED), RELAYED, "p", "cp", CERTIFICATE, ("gw.provider.example",), to="b.com"
    ),
    "another address of a shared range claims the tenant's senders' mail": Row(
        MC, (A_IP, B), RELAYED, "a", "ia", MAIL_FROM, address=INSIDE, sender="a.com", to="b.com"
    ),
    "strangers' mail from a shared range is the recipient's": Row(
        MC, (A_IP, B), DELIVERED, "b", "", RCPT_TO, address=INSIDE, to="b.com"
    ),
    "own mail over an own connector is delivered": Row(
        BLOG, (A_CERT,), DELIVERED, "a", "ca", CERTIFICATE, ("mail.a.com",), to="a.com"
    ),
    "a wildcard in the connector": Row(
        CMDLET,
        (tenant("a", "a.com", own("*.a.com", name="ca")),),
        RELAYED,
        "a",
        "ca",
        CERTIFICATE,
        ("mail.a.com",),
    ),
    "a wildcard in the certificate": Row(
        CMDLET, (A_CERT,), RELAYED, "a", "ca", CERTIFICATE, ("*.a.com",)
    ),
    "a connector that is off claims nothing": Row(
        CMDLET,
        (tenant("a", "a.com", own("mail.a.com", enabled=False)),),
        Verdict.RELAY_DENIED,
        names=("mail.a.com",),
    ),
    "AssociatedAcceptedDomains leaves other senders out": Row(
        INFERRED,
        (tenant("a", "a.com", own("mail.a.com", associated_accepted_domains=("a.com",))),),
        Verdict.RELAY_DENIED,
        names=("mail.a.com",),
    ),
    "AssociatedAcceptedDomains lets its senders in": Row(
        INFERRED,
        (
            tenant(
                "a", "a.com", own("mail.a.com", name="c", associated_accepted_domains=("a.com",))
            ),
        ),
        RELAYED,
        "a",
        "c",
        CERTIFICATE,
        ("mail.a.com",),
        sender="a.com",
    ),
    "SenderDomains scope partner connectors only": Row(
        CMDLET,
        (tenant("a", "a.com", own("mail.a.com", name="c", sender_domains=("x.com",))),),
        RELAYED,
        "a",
        "c",
        CERTIFICATE,
        ("mail.a.com",),
    ),
    "a subdomain of a sender is the tenant's with MatchSubDomains": Row(
        INFERRED,
        (below("a.com", own("", "203.0.113.0/28", name="ia")),),
        RELAYED,
        "a.com",
        "ia",
        MAIL_FROM,
        address=INSIDE,
        sender="x.a.com",
    ),
    "a subdomain of a sender is a stranger's without it": Row(
        INFERRED, (A_IP,), Verdict.RELAY_DENIED, "a", "ia", address=INSIDE, sender="x.a.com"
    ),
    "mail from the internet is the recipient's": Row(
        BLOG, (A_CERT, B), DELIVERED, "b", "", RCPT_TO, to="b.com"
    ),
    "nobody's recipient": Row(BLOG, (A_CERT, B), Verdict.RELAY_DENIED),
    "a lock by certificate turns strangers away": Row(
        FILTER, (LOCKED,), Verdict.RESTRICTED, "b", "lock", RCPT_TO, to="b.com"
    ),
    "a lock by certificate lets the filter in": Row(
        FILTER, (LOCKED,), DELIVERED, "b", "lock", RCPT_TO, ("mx.filter.example",), to="b.com"
    ),
    "a lock by address turns strangers away": Row(
        FILTER, (BY_IP,), Verdict.RESTRICTED, "b", "lock", RCPT_TO, to="b.com"
    ),
    "a lock by address lets the filter in": Row(
        FILTER, (BY_IP,), DELIVERED, "b", "lock", RCPT_TO, address="198.51.100.3", to="b.com"
    ),
    "a lock by both wants both": Row(
        INFERRED,
        (tenant("b", "b.com", partner("*.filter.example", "198.51.100.0/28", name="lock")),),
        Verdict.RESTRICTED,
        "b",
        "lock",
        RCPT_TO,
        ("mx.filter.example",),
        to="b.com",
    ),
    "a connector that restricts goes before one that names the sender": Row(
        CONNECTORS,
        (
            tenant(
                "b",
                "b.com",
                Inbound(name="n", connector_type="partner", sender_domains=("stranger.example",)),
                partner("*.filter.example", name="lock"),
            ),
        ),
        Verdict.RESTRICTED,
        "b",
        "lock",
        RCPT_TO,
        to="b.com",
    ),
    "the narrower of two that restrict": Row(
        INFERRED,
        (
            tenant(
                "b",
                "b.com",
                partner("*.filter.example", name="all"),
                partner("*.x.example", name="sub", sender_domains=("*.stranger.example", "z.com")),
                partner("*.y.example", name="one", sender_domains=("a.stranger.example",)),
            ),
        ),
        Verdict.RESTRICTED,
        "b",
        "one",
        RCPT_TO,
        sender="a.stranger.example",
        to="b.com",
    ),
    "a connector for another sender takes no part": Row(
        CMDLET,
        (tenant("b", "b.com", partner("*.x.example", sender_domains=("x.example",))),),
        DELIVERED,
        "b",
        "",
        RCPT_TO,
        to="b.com",
    ),
    "own senders from outside where Direct Send is rejected": Row(
        SENT_BACK, (strict(B),), Verdict.DIRECT_SEND, "b", "", RCPT_TO, sender="b.com", to="b.com"
    ),
    "own senders from outside where it is not": Row(
        SENT_BACK, (B,), DELIVERED, "b", "", RCPT_TO, sender="b.com", to="b.com"
    ),
    "own senders through the filter": Row(
        SENT_BACK,
        (strict(LOCKED),),
        DELIVERED,
        "b",
        "lock",
        RCPT_TO,
        ("mx.filter.example",),
        sender="b.com",
        to="b.com",
    ),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS.items()])
def test_the_decision(row: Row) -> None:
    arrival = Arrival(
        certificate_names=row.names,
        address=ip_address(row.address),
        mail_from=f"someone@{row.sender}" if row.sender else "",
        rcpt_to=f"someone@{row.to}",
    )
    found = attribute(arrival, map(tenant_of, row.tenants))
    tenant_name = found.tenant.name if found.tenant else ""
    connector = found.connector.name if found.connector else ""
    assert (found.verdict, tenant_name, connector, found.step) == (
        row.verdict,
        row.tenant,
        row.connector,
        row.step,
    )
    assert row.source


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param(Inbound(name="c"), id="of a type that is not known"),
        pytest.param(own("a.com", trusted_organizations=("b.com",)), id="for organisations"),
    ],
)
def test_a_connector_that_takes_no_part(inbound: Inbound) -> None:
    assert connector_of(inbound) is None
    assert tenant_of(tenant("a", "a.com", inbound)).connectors == ()
