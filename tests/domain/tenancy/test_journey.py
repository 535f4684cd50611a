"""Every topology that Microsoft describes has its mail travel as described."""

from dataclasses import dataclass, replace

import pytest
from routing import (
    CENTRAL,
    EXCHANGE,
    FILTER,
    FROM_OWN,
    FROM_SERVICE,
    LOCK,
    OUTSIDE,
    SERVER,
    SERVICE,
    SIGN,
    TO_OWN,
    TO_SERVICE,
    from_servers,
    mail,
    tenant,
    within,
)
from tenancies import land, own, surroundings

from agent.domain.tenancy.hosts import as_address, is_endpoint
from agent.domain.tenancy.journey import Journey, Message, travel
from agent.domain.tenancy.landscape import Exchanges, Surroundings, Tenancy
from agent.domain.tenancy.objects import (
    Organisation,
    Outbound,
    TransportRule,
)

UNKNOWN = "unknown"
RELAY = "internal-relay"
CLOUD = tenant()
FILTERED = tenant(LOCK)
HYBRID = tenant(FROM_OWN, TO_OWN, domain_type="internal-relay")
CMT = tenant(FROM_OWN, CENTRAL)
OWN_MX = tenant(
    FROM_OWN, TO_OWN, domain_type="internal-relay", topologies={"contoso.com": "hybrid"}
)
EOP = tenant(
    FROM_OWN,
    replace(TO_OWN, recipient_domains=(), all_accepted_domains=True),
    domain_type="internal-relay",
)
SIGNED = tenant(FROM_SERVICE, TO_SERVICE, SIGN, also=("contoso.signatures.example",))
CONDITIONAL = tenant(
    replace(TO_OWN, is_transport_rule_scoped=True, recipient_domains=()),
    TransportRule(
        name="to the archive",
        route_message_outbound_connector="TO OWN SERVERS",
        conditions=(("SubjectContainsWords", "archive"), ("RecipientDomainIs", "contoso.com")),
    ),
)
AT_EXCHANGE = {"contoso.com": EXCHANGE}
AT_FILTER = {"contoso.com": FILTER}
AT_OWN = {"contoso.com": SERVER}


@dataclass(frozen=True)
class Case:
    """A message in a landscape, the places that it passes, and its end."""

    tenancy: Tenancy
    exchanges: dict[str, str]
    message: Message
    passes: str
    end: str

    def journey(self) -> Journey:
        return travel(self.message, land(self.tenancy, around=surroundings(self.exchanges)))


def passed(journey: Journey) -> str:
    return " > ".join(f"{step.spot} {step.name}".strip() for step in journey.steps)


TENANT = "tenant contoso"
IN = "exchange the endpoint of tenant contoso > tenant contoso"
BY_EXCHANGE = f"internet > exchange {EXCHANGE} > {TENANT}"
BY_FILTER = f"internet > gateway {FILTER} > {IN}"
BY_OWN = f"internet > server {SERVER}"
MAILBOX = "delivered to a mailbox of tenant contoso"
ON_OWN = f"handed to the own server {SERVER}"
LEFT = f"left to the MX of {OUTSIDE}"
OUT = mail(OUTSIDE, rcpt_class="external")

CASES = {
    "cloud: a mailbox": Case(CLOUD, AT_EXCHANGE, mail(), BY_EXCHANGE, MAILBOX),
    "cloud: nobody": Case(
        CLOUD,
        AT_EXCHANGE,
        mail(rcpt_class="unknown"),
        BY_EXCHANGE,
        "refused by tenant contoso: 550 5.4.1 Recipient address rejected: Access denied",
    ),
    "cloud: nobody, from within": Case(
        CLOUD,
        AT_EXCHANGE,
        within(rcpt_class="unknown"),
        TENANT,
        "refused by tenant contoso: 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
    ),
    "cloud: within": Case(CLOUD, AT_EXCHANGE, within(), TENANT, MAILBOX),
    "cloud: out": Case(CLOUD, AT_EXCHANGE, within(OUTSIDE, rcpt_class="external"), TENANT, LEFT),
    "filter: a mailbox": Case(FILTERED, AT_FILTER, mail(), BY_FILTER, MAILBOX),
    "filter: by-passed": Case(
        FILTERED,
        AT_EXCHANGE,
        mail(),
        f"internet > exchange {EXCHANGE}",
        "refused by Exchange Online for tenant contoso:"
        " 550 5.7.51 TenantInboundAttribution; Rejecting",
    ),
    "service in both directions: out": Case(
        tenant(
            LOCK,
            Outbound(
                name="to filter",
                connector_type="partner",
                recipient_domains=("*",),
                smart_hosts=("out.filter.example",),
                use_mx_record=False,
            ),
        ),
        AT_FILTER,
        within(OUTSIDE, rcpt_class="external"),
        f"{TENANT} > gateway out.filter.example",
        LEFT,
    ),
    "hybrid: a mailbox": Case(HYBRID, AT_EXCHANGE, mail(), BY_EXCHANGE, MAILBOX),
    "hybrid: on own servers": Case(
        HYBRID,
        AT_EXCHANGE,
        mail(rcpt_class="unknown"),
        f"{BY_EXCHANGE} > server {SERVER}",
        ON_OWN,
    ),
    "hybrid, authoritative: a remote mailbox": Case(
        tenant(FROM_OWN, TO_OWN),
        AT_EXCHANGE,
        mail(rcpt_class="remote"),
        f"{BY_EXCHANGE} > server {SERVER}",
        ON_OWN,
    ),
    "hybrid, of a type not known: a remote mailbox": Case(
        tenant(FROM_OWN, TO_OWN, domain_type=None),
        AT_EXCHANGE,
        from_servers(rcpt_class="remote"),
        f"server {SERVER} > {IN} > server {SERVER}",
        ON_OWN,
    ),
    "hybrid: from own servers": Case(
        HYBRID, AT_EXCHANGE, from_servers(), f"server {SERVER} > {IN}", MAILBOX
    ),
    "hybrid: from own servers out": Case(
        HYBRID,
        AT_EXCHANGE,
        from_servers(OUTSIDE, rcpt_class="external"),
        f"server {SERVER} > {IN}",
        LEFT,
    ),
    "hybrid: foreign sender out": Case(
        HYBRID,
        AT_EXCHANGE,
        from_servers(OUTSIDE, rcpt_class="external", sender="elsewhere.example"),
        f"server {SERVER} > {IN}",
        LEFT,
    ),
    "hybrid by address: foreign sender out": Case(
        tenant(own("", "203.0.113.5"), TO_OWN),
        AT_EXCHANGE,
        from_servers(OUTSIDE, rcpt_class="external", sender="elsewhere.example"),
        f"server {SERVER} > exchange the endpoint of tenant contoso",
        "refused by Exchange Online for tenant contoso:"
        " 550 5.7.64 TenantAttribution; Relay Access Denied",
    ),
    "hybrid by address: own sender out": Case(
        tenant(own("", "203.0.113.5"), TO_OWN),
        AT_EXCHANGE,
        from_servers(OUTSIDE, rcpt_class="external"),
        f"server {SERVER} > {IN}",
        LEFT,
    ),
    "centralised: a mailbox": Case(
        CMT, AT_EXCHANGE, mail(), f"{BY_EXCHANGE} > server {SERVER} > {IN}", MAILBOX
    ),
    "centralised: out": Case(
        CMT,
        AT_EXCHANGE,
        within(OUTSIDE, rcpt_class="external"),
        f"{TENANT} > server {SERVER}",
        ON_OWN,
    ),
    "own MX: a mailbox": Case(OWN_MX, AT_OWN, mail(), f"{BY_OWN} > {IN}", MAILBOX),
    "own MX: on own servers": Case(OWN_MX, AT_OWN, mail(rcpt_class="unknown"), BY_OWN, ON_OWN),
    "own MX: from within to own servers": Case(
        OWN_MX, AT_OWN, within(rcpt_class="unknown"), f"{TENANT} > server {SERVER}", ON_OWN
    ),
    "filter and hybrid: on own servers": Case(
        tenant(LOCK, FROM_OWN, TO_OWN, domain_type="internal-relay"),
        AT_FILTER,
        mail(rcpt_class="unknown"),
        f"{BY_FILTER} > server {SERVER}",
        ON_OWN,
    ),
    "filter in front of own servers only": Case(
        tenant(topologies={"contoso.com": "on-premises"}, also=("filter.invalid",)),
        {"contoso.com": "mx.mailcontrol.com"},
        mail(),
        "internet > gateway mx.mailcontrol.com",
        "handed to the own server of tenant contoso",
    ),
    "own servers only": Case(
        tenant(topologies={"contoso.com": "on-premises"}), AT_OWN, mail(), BY_OWN, ON_OWN
    ),
    "standalone filtering": Case(
        EOP, AT_EXCHANGE, mail(rcpt_class="unknown"), f"{BY_EXCHANGE} > server {SERVER}", ON_OWN
    ),
    "add-on service: out": Case(
        SIGNED,
        AT_EXCHANGE,
        within(OUTSIDE, rcpt_class="external"),
        f"{TENANT} > service {SERVICE} > {IN}",
        LEFT,
    ),
    "add-on service: within": Case(
        SIGNED, AT_EXCHANGE, within(), f"{TENANT} > service {SERVICE} > {IN}", MAILBOX
    ),
    "add-on service: in": Case(SIGNED, AT_EXCHANGE, mail(), BY_EXCHANGE, MAILBOX),
    "conditional: not met": Case(CONDITIONAL, AT_EXCHANGE, mail(), BY_EXCHANGE, MAILBOX),
    "conditional: met": Case(
        CONDITIONAL,
        AT_EXCHANGE,
        mail(meets_conditions=True),
        f"{BY_EXCHANGE} > server {SERVER}",
        ON_OWN,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_topology_has_its_mail_travel_as_described(case: Case) -> None:
    journey = case.journey()
    assert (passed(journey), str(journey.end)) == (case.passes, case.end)


def end_of(message: Message, *tenancies: Tenancy, around: Surroundings | None = None) -> str:
    return str(travel(message, land(*tenancies, around=around)).end)


ADDRESS = (as_address("192.0.2.1"),)
NULL = "refused by the sender's own server: 556 5.1.10 the recipient's domain takes no mail"


@pytest.mark.parametrize(
    ("around", "end"),
    [
        pytest.param(Surroundings(), "not known from here on: the MX of contoso.com", id="no DNS"),
        pytest.param({"contoso.com": Exchanges(is_null=True)}, NULL, id="null MX"),
        pytest.param(
            {"contoso.com": Exchanges()}, "not known from here on: the MX of contoso", id="no MX"
        ),
        pytest.param(
            {"contoso.com": Exchanges(("mail.eo.outlook.com",))},
            "refused by mail.eo.outlook.com: 451 4.4.62",
            id="forerunner",
        ),
        pytest.param(
            {"contoso.com": Exchanges(("aspmx.l.google.com",))}, "left to aspmx", id="elsewhere"
        ),
    ],
)
def test_what_dns_says_decides_the_first_step(
    around: Surroundings | dict[str, Exchanges], end: str
) -> None:
    seen = around if isinstance(around, Surroundings) else Surroundings(exchanges=around)
    assert end_of(mail(), CLOUD, around=seen).startswith(end)


@pytest.mark.parametrize(
    ("addresses", "end"),
    [
        pytest.param("203.0.113.9", MAILBOX, id="an address of its own"),
        pytest.param("", "refused by the sender's own server: the recipient's", id="none"),
    ],
)
def test_without_an_mx_the_address_of_the_domain_counts(addresses: str, end: str) -> None:
    around = surroundings({"contoso.com": ""}, {"contoso.com": addresses})
    assert end_of(mail(), CLOUD, around=around).startswith(end)


def test_a_domain_of_microsoft_needs_no_dns() -> None:
    first = tenant(domain="contoso.onmicrosoft.com")
    assert end_of(mail("contoso.onmicrosoft.com"), first) == MAILBOX


def test_an_mx_with_an_address_of_microsoft_is_exchange_online() -> None:
    around = surroundings({"contoso.com": "mx.contoso.com"}, {"mx.contoso.com": "52.101.73.1"})
    journey = travel(mail(), land(CLOUD, around=around))
    assert passed(journey) == "internet > exchange mx.contoso.com > tenant contoso"
    assert not is_endpoint("mx.contoso.com")


def test_a_spoofed_sender_is_refused_where_direct_send_is() -> None:
    organisation = Organisation(reject_direct_send=True)
    locked = replace(CLOUD, export=replace(CLOUD.export, organisation=organisation))
    around = surroundings(AT_EXCHANGE)
    assert "5.7.68" in end_of(mail(sender="contoso.com"), locked, around=around)
    assert end_of(mail(), locked, around=around) == MAILBOX


def without(tenancy: Tenancy, kind: str) -> Tenancy:
    """Return the tenant with an export that lacks a kind of object."""
    return replace(tenancy, export=replace(tenancy.export, **{kind: None}))


@pytest.mark.parametrize(
    ("tenancy", "message", "what"),
    [
        pytest.param(
            without(CLOUD, "outbound"),
            within(OUTSIDE, rcpt_class="external"),
            "the outbound connectors of tenant contoso",
            id="outbound connectors, outward",
        ),
        pytest.param(
            without(HYBRID, "outbound"),
            within(rcpt_class="unknown"),
            "the outbound connectors of tenant contoso",
            id="outbound connectors, relayed",
        ),
        pytest.param(
            without(CLOUD, "domains"),
            within(),
            "the accepted domains of tenant contoso",
            id="accepted domains",
        ),
        pytest.param(
            tenant(domain_type=None),
            within(rcpt_class="unknown"),
            "of which type the accepted domain contoso.com is",
            id="type of the domain",
        ),
        pytest.param(
            tenant(replace(TO_OWN, smart_hosts=()), domain_type="internal-relay"),
            within(rcpt_class="unknown"),
            'which smart host "to own servers" means: it has none',
            id="smart host",
        ),
        pytest.param(
            tenant(TO_SERVICE, SIGN),
            within(),
            "what the smart host smtp.signatures.example does with the message",
            id="service without a way back",
        ),
    ],
)
def test_what_the_export_does_not_say_ends_the_journey(
    tenancy: Tenancy, message: Message, what: str
) -> None:
    journey = travel(message, land(tenancy, around=surroundings(AT_EXCHANGE)))
    assert str(journey.end) == f"not known from here on: {what}"
    assert journey.steps[-1].mood in {"unknown", "bad"}


def test_own_servers_are_believed_where_inbound_connectors_are_not_known() -> None:
    journey = travel(from_servers(), land(without(HYBRID, "inbound")))
    assert str(journey.end) == MAILBOX


def test_a_stranger_in_the_origin_is_an_error() -> None:
    with pytest.raises(KeyError):
        travel(within(name="nobody"), land(CLOUD))


def test_what_no_tenant_takes_is_left_to_exchange_online() -> None:
    to_partner = replace(
        TO_OWN,
        connector_type="partner",
        recipient_domains=(OUTSIDE,),
        smart_hosts=("outside-example.mail.protection.outlook.com",),
    )
    sent = within(OUTSIDE, rcpt_class="external")
    end = "left to Exchange Online, outside-example.mail.protection.outlook.com"
    assert end_of(sent, tenant(to_partner)) == end


DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied"
AT_EDGE = "Exchange Online, the endpoint of tenant contoso"


@pytest.mark.parametrize(
    ("exchanges", "end"),
    [
        pytest.param({OUTSIDE: "mx.nobody.example"}, f"refused by {AT_EDGE}: {DENIED}", id="past"),
        pytest.param({OUTSIDE: EXCHANGE}, f"left to {AT_EDGE}", id="another tenant"),
        pytest.param(
            {OUTSIDE: "mxa-1.gslb.pphosted.com"},
            "not known from here on: whether any tenant accepts outside.example; where none does,"
            f" {DENIED}",
            id="a filter, perhaps of another tenant",
        ),
        pytest.param(
            {},
            "not known from here on: whether any tenant accepts outside.example; where none does,"
            f" {DENIED}",
            id="DNS says nothing",
        ),
    ],
)
def test_own_servers_without_a_connector_are_not_relayed(
    exchanges: dict[str, str], end: str
) -> None:
    around = surroundings(exchanges)
    sent = from_servers(OUTSIDE, rcpt_class="external")
    assert end_of(sent, tenant(TO_OWN), around=around) == end


def test_who_looks_up_mx_gives_the_message_back() -> None:
    around = Surroundings(exchanges={OUTSIDE: Exchanges((), is_null=True)})
    lack = "556 5.1.10 the recipient's domain takes no mail (null MX, RFC 7505)"
    assert end_of(mail(OUTSIDE), tenant(), around=around) == (
        f"refused by the sender's own server: {lack}"
    )
    within_ = within(OUTSIDE, rcpt_class="external")
    assert end_of(within_, tenant(), around=around) == f"refused by tenant contoso: {lack}"
    by_filter = replace(
        TO_OWN,
        connector_type="partner",
        recipient_domains=("*",),
        smart_hosts=("out.pphosted.com",),
    )
    assert end_of(within_, tenant(by_filter), around=around) == (
        f"refused by out.pphosted.com: {lack}"
    )


def test_which_of_two_connectors_is_used_is_in_doubt() -> None:
    other = replace(TO_OWN, name="other", smart_hosts=("second.contoso.com",))
    message = mail(rcpt_class="remote")
    around = surroundings({"contoso.com": EXCHANGE})
    journey = travel(message, land(tenant(TO_OWN, other), around=around))
    assert (
        journey.doubt == 'one of "other", "to own servers" is used, and which one is not documented'
    )
    assert "unknown" in [step.mood for step in journey.steps]
    alike = replace(TO_OWN, name="other")
    assert travel(message, land(tenant(TO_OWN, alike), around=around)).doubt == ""


def test_a_rule_whose_connector_is_off_is_named() -> None:
    off = replace(TO_SERVICE, enabled=False)
    journey = travel(within(), land(tenant(off, SIGN)))
    assert journey.end.kind == "unknown"
    assert journey.steps[-1].by.name == "sign"


def test_two_tenants_meet_at_the_endpoint() -> None:
    fabrikam = tenant(name="fabrikam", domain="fabrikam.com")
    around = surroundings({"fabrikam.com": "fabrikam-com.mail.protection.outlook.com"})
    sent = within("fabrikam.com")
    assert (
        end_of(sent, CLOUD, fabrikam, around=around) == "delivered to a mailbox of tenant fabrikam"
    )


def test_own_servers_without_a_smart_host_have_a_name_all_the_same() -> None:
    journey = travel(from_servers(), land(tenant(FROM_OWN)))
    assert passed(journey).startswith("server own servers > exchange")


@pytest.mark.parametrize(
    ("host", "end"),
    [
        pytest.param("x.pphosted.com", "left to x.pphosted.com", id="a known filter"),
        pytest.param("mx.outside.example", "left to mx.outside.example", id="a stranger"),
        pytest.param(SERVER, f"left to {SERVER}", id="a host of the tenant"),
    ],
)
def test_mail_for_strangers_ends_at_their_mx(host: str, end: str) -> None:
    around = surroundings({OUTSIDE: host})
    assert end_of(within(OUTSIDE, rcpt_class="external"), CLOUD, around=around) == end


def test_a_journey_is_told_in_words() -> None:
    journey = travel(mail(), land(FILTERED, around=surroundings(AT_FILTER)))
    assert [str(step) for step in journey.steps] == [
        f"the internet: sends it to {FILTER}, because that is where the MX of contoso.com leads",
        (
            f"{FILTER}, a gateway: hands it to Exchange Online for contoso.com, showing the"
            ' certificate *.filter.example (as inbound connector "lock" demands), because it'
            " filters mail for contoso.com"
        ),
        (
            "Exchange Online, the endpoint of tenant contoso: takes it for tenant contoso, because"
            ' contoso.com is its accepted domain; "lock" lets it in'
        ),
        (
            "tenant contoso: delivers it to a mailbox, because contoso.com is its accepted"
            " domain, and that there is such a mailbox is assumed"
        ),
    ]
    assert str(journey.steps[2].by) == 'inbound connector "lock" of tenant contoso'
    assert str(journey.steps[0].by) == "MX contoso.com"
