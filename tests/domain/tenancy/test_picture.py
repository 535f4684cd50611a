"""The routing of a tenant as a picture: what is there, and readable where there is much."""

from dataclasses import replace

import pytest
from routing import (
    EXCHANGE,
    FILTER,
    FROM_OWN,
    FROM_SERVICE,
    LOCK,
    OUTSIDE,
    SIGN,
    TO_OWN,
    TO_SERVICE,
    mail,
    tenant,
    within,
)
from tenancies import land, own, partner, surroundings

from agent.domain.fact import Diagram, Mood, Road, Station
from agent.domain.tenancy.journey import travel
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import Inbound, Outbound
from agent.domain.tenancy.picture import journey_path, journey_picture, routing_picture
from agent.domain.tenancy.sketch import MOST_ALIKE

SHARED = "gw.provider.example"
GATEWAY = "mx1.provider.example"
PROVIDER = tenant(own(SHARED, name="from gateways"), name="provider", domain="provider.example")
CUSTOMER = tenant(partner(SHARED, name="lock"), name="customer", domain="customer.example")
LOOP = land(PROVIDER, CUSTOMER, around=surroundings({"customer.example": GATEWAY}))


def drawn(tenancy: Tenancy, exchanges: dict[str, str]) -> Diagram:
    return routing_picture(tenancy, land(tenancy, around=surroundings(exchanges)))


def roads(diagram: Diagram) -> set[tuple[str, str, str]]:
    return {(road.start, road.end, road.label) for road in diagram.roads}


def test_everything_that_mail_passes_is_drawn() -> None:
    off = replace(TO_OWN, name="idle", enabled=False, smart_hosts=("off.example",))
    by_mx = Outbound(name="by MX", recipient_domains=("partner.example",), use_mx_record=True)
    forced = partner("", "198.51.100.0/28", name="partner", sender_domains=("partner.example",))
    named = partner(name="by name", sender_domains=("friend.example",))
    tenancy = tenant(
        LOCK,
        FROM_OWN,
        FROM_SERVICE,
        forced,
        named,
        replace(FROM_OWN, name="in", enabled=False),
        TO_OWN,
        TO_SERVICE,
        off,
        by_mx,
        SIGN,
        also=("contoso.onmicrosoft.com", "contoso.net"),
    )
    diagram = drawn(tenancy, {"contoso.com": FILTER})
    assert roads(diagram) == {
        ("internet:", f"gateway:{FILTER}", "MX of contoso.com"),
        ("internet:", "tenant:contoso", "MX of contoso.onmicrosoft.com"),
        (f"gateway:{FILTER}", "tenant:contoso", "lock"),
        ("server:mail.contoso.com", "tenant:contoso", "from own servers"),
        ("server:contoso.signatures.example", "tenant:contoso", "from service"),
        ("gateway:198.51.100.0/28", "tenant:contoso", "partner"),
        ("gateway:friend.example", "tenant:contoso", "by name"),
        ("tenant:contoso", "server:mail.contoso.com", "to own servers"),
        ("tenant:contoso", "service:smtp.signatures.example", "to service, by rule sign"),
        ("service:smtp.signatures.example", "tenant:contoso", "from service"),
        ("tenant:contoso", "dns:", "by MX"),
        ("tenant:contoso", "server:off.example", "idle (off)"),
        ("server:mail.contoso.com (off)", "tenant:contoso", "in (off)"),
        ("tenant:contoso", "mailbox:", ""),
    }


OPEN = replace(LOCK, name="open", restrict_domains_to_certificate=False)


@pytest.mark.parametrize(
    ("inbound", "exchanges", "start", "mood"),
    [
        pytest.param((OPEN,), {"contoso.com": FILTER}, "anybody:", "bad", id="behind a filter"),
        pytest.param((OPEN,), {"contoso.com": EXCHANGE}, "anybody:", "plain", id="straight"),
        pytest.param((OPEN,), {}, "anybody:", "warning", id="DNS says nothing"),
        pytest.param(
            (OPEN, LOCK), {"contoso.com": FILTER}, "internet:", "plain", id="a lock beside it"
        ),
    ],
)
def test_an_open_connector_lets_anybody_in(
    inbound: tuple[Inbound, ...], exchanges: dict[str, str], start: str, mood: Mood
) -> None:
    diagram = drawn(tenant(*inbound), exchanges)
    assert Road(start, "tenant:contoso", "open, unrestricted", mood) in diagram.roads


def test_what_is_in_test_mode_is_unsure() -> None:
    diagram = drawn(tenant(replace(TO_OWN, test_mode=True)), {"contoso.com": EXCHANGE})
    road = next(each for each in diagram.roads if each.label == "to own servers (in test mode)")
    assert road.mood == "unknown"


def test_many_alike_are_one_place() -> None:
    partners = [
        Outbound(
            name=f"to partner {n}",
            connector_type="partner",
            recipient_domains=(f"p{n}.example",),
            smart_hosts=(f"mail.p{n}.example",),
            use_mx_record=False,
        )
        for n in range(60)
    ]
    few = drawn(tenant(*partners[:MOST_ALIKE]), {"contoso.com": EXCHANGE})
    assert sum(station.label.startswith("mail.p") for station in few.stations) == MOST_ALIKE
    many = drawn(tenant(*partners), {"contoso.com": EXCHANGE})
    (one,) = (station for station in many.stations if station.label == "60 hosts outside")
    assert one.detail.startswith("mail.p0.example, mail.p1.example")
    assert Road("tenant:contoso", one.key, "to partner 0, to partner 1 and 58 more") in many.roads
    assert len(many.stations) == 4


@pytest.mark.parametrize("name", ["provider", "customer"])
def test_a_loop_is_drawn_over_the_routing(name: str) -> None:
    diagram = routing_picture(LOOP[name], LOOP)
    bad = {(road.start, road.end) for road in diagram.roads if road.mood == "bad"}
    gateway = f"gateway:{GATEWAY}"
    assert bad == {(gateway, "tenant:provider"), ("tenant:provider", gateway)}


def test_without_accepted_domains_there_are_no_mailboxes() -> None:
    empty = replace(tenant(), export=replace(tenant().export, domains=None))
    assert [each.key for each in drawn(empty, {}).stations] == ["internet:", "tenant:contoso"]


def test_a_loop_leads_back_to_where_it_began() -> None:
    diagram = journey_picture(travel(mail("customer.example"), LOOP))
    assert [(each.label, each.column, each.mood) for each in diagram.stations] == [
        ("the internet", 0, "plain"),
        (GATEWAY, 1, "bad"),
        ("tenant provider", 2, "bad"),
    ]
    assert diagram.roads == (
        Road("internet:", f"gateway:{GATEWAY}", "MX of customer.example"),
        Road(f"gateway:{GATEWAY}", "tenant:provider", "from gateways", "bad"),
        Road("tenant:provider", f"gateway:{GATEWAY}", "MX of customer.example", "bad"),
    )


def end(tenancy: Tenancy, exchanges: dict[str, str], **more: str) -> Station:
    """Return the last place of a journey from within."""
    landscape = land(tenancy, around=surroundings(exchanges))
    return journey_picture(travel(within(**more), landscape)).stations[-1]


@pytest.mark.parametrize(
    ("station", "kind", "mood", "detail"),
    [
        pytest.param(end(tenant(), {}), "mailbox", "good", "of tenant contoso", id="mailbox"),
        pytest.param(
            end(tenant(), {}, rcpt_class="unknown"),
            "refused",
            "bad",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
            id="refused",
        ),
        pytest.param(
            end(tenant(TO_OWN, domain_type="internal-relay"), {}, rcpt_class="unknown"),
            "server",
            "plain",
            "it is meant for here",
            id="own server",
        ),
        pytest.param(
            end(tenant(), {}, to=OUTSIDE, rcpt_class="external"), "internet", "plain", "", id="left"
        ),
        pytest.param(
            end(tenant(), {}, to=OUTSIDE),
            "internet",
            "unknown",
            "the MX of outside.example, which DNS did not tell",
            id="unknown",
        ),
    ],
)
def test_the_end_is_a_place(station: Station, kind: str, mood: str, detail: str) -> None:
    assert (station.kind, station.mood, station.detail) == (kind, mood, detail)


def test_behind_a_filter_the_own_servers_are_a_place() -> None:
    tenancy = tenant(topologies={"contoso.com": "on-premises"})
    landscape = land(tenancy, around=surroundings({"contoso.com": "x.pphosted.com"}))
    diagram = journey_picture(travel(mail(), landscape))
    assert diagram.stations[-1].label == "own server"


def test_a_path_has_a_stop_for_each_step_and_the_end() -> None:
    stops = journey_path(travel(mail("customer.example"), LOOP)).stops
    assert [stop.mood for stop in stops] == ["plain", "plain", "warning", "plain", "bad"]
    assert stops[1].link == "MX customer.example"
    assert stops[-1].note.startswith("cut at about hop 41; to change: inbound connector")
    assert journey_path(travel(within(), land(tenant()))).stops[-1].note == ""
