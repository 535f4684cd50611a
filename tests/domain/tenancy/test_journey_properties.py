"""Whatever the landscape, a walk ends, finds the loop in it, and depends on no order."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from routing import EXCHANGE, SIGN, TO_SERVICE, mail, tenant
from tenancies import land, own, surroundings

from agent.domain.finding import Finding
from agent.domain.tenancy import loop_rules as rules
from agent.domain.tenancy.journey import Message, travel
from agent.domain.tenancy.landscape import Exchanges, Landscape, Surroundings, Tenancy
from agent.domain.tenancy.loops import loops
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DomainType,
    Export,
    Inbound,
    Outbound,
    TransportRule,
)
from agent.domain.tenancy.picture import journey_path, journey_picture, routing_picture

NAMES = ("t0", "t1", "t2", "t3")
DOMAINS = tuple(f"{name}.example" for name in NAMES)
HOSTS = (
    *(f"mail.{domain}" for domain in DOMAINS),
    "mx.filter.invalid",
    "x.pphosted.com",
    EXCHANGE,
    "192.0.2.1",
    "mail.eo.outlook.com",
)
CERTIFICATES = (*(f"gw.{domain}" for domain in DOMAINS), "*.t0.example", "mx.filter.invalid", "")
ADDRESSES = st.sampled_from(((), ("192.0.2.0/28",), ("198.51.100.7",)))
MAYBE = st.sampled_from((True, False, None))
INBOUND = st.builds(
    Inbound,
    name=st.sampled_from(("in a", "in b")),
    enabled=MAYBE,
    connector_type=st.sampled_from(("on-premises", "partner", None)),
    sender_domains=st.sampled_from((("*",), ("t0.example",), ())),
    tls_sender_certificate_name=st.sampled_from(CERTIFICATES),
    sender_ip_addresses=ADDRESSES,
    restrict_domains_to_certificate=MAYBE,
    restrict_domains_to_ip_addresses=MAYBE,
)
OUTBOUND = st.builds(
    Outbound,
    name=st.sampled_from(("out a", "out b", "out c")),
    enabled=MAYBE,
    connector_type=st.sampled_from(("on-premises", "partner", None)),
    recipient_domains=st.lists(st.sampled_from((*DOMAINS, "*", "*.example"))).map(tuple),
    all_accepted_domains=MAYBE,
    is_transport_rule_scoped=MAYBE,
    use_mx_record=MAYBE,
    smart_hosts=st.lists(st.sampled_from(HOSTS), max_size=2).map(tuple),
    route_all_messages_via_on_premises=MAYBE,
)
RULES = st.builds(
    TransportRule,
    name=st.sampled_from(("rule a", "rule b")),
    enabled=MAYBE,
    priority=st.sampled_from((None, 0, 1)),
    from_scope=st.sampled_from(("", "InOrganization", "NotInOrganization")),
    sent_to_scope=st.sampled_from(("", "InOrganization", "NotInOrganization")),
    route_message_outbound_connector=st.sampled_from(("", "out a", "out b")),
    exception_headers=st.sampled_from(((), ("X-Done",))),
    conditions=st.sampled_from(
        ((), (("SenderDomainIs", "t1.example"),), (("FromMemberOf", "x"),), (("FromScope", "y"),))
    ),
)
TYPES: st.SearchStrategy[DomainType | None] = st.sampled_from(
    ("authoritative", "internal-relay", "external-relay", None)
)


def some(of: st.SearchStrategy[object], most: int) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), st.lists(of, max_size=most).map(tuple), st.just(()))


@st.composite
def tenancy(draw: st.DrawFn, number: int) -> Tenancy:
    domain_type: DomainType | None = draw(TYPES)
    accepted = AcceptedDomain(
        name=DOMAINS[number], domain_type=domain_type, match_subdomains=draw(MAYBE)
    )
    export = Export(
        inbound=draw(some(INBOUND, 2)),  # type: ignore[arg-type]
        outbound=draw(some(OUTBOUND, 3)),  # type: ignore[arg-type]
        rules=draw(some(RULES, 2)),  # type: ignore[arg-type]
        domains=draw(st.sampled_from(((accepted,), (accepted,), None))),
    )
    return Tenancy(
        name=NAMES[number],
        export=export,
        topologies={DOMAINS[number]: draw(st.sampled_from(("", "hybrid", "on-premises")))},
        gateways=draw(st.sampled_from(((), ("mx.filter.invalid",), ("*.example",)))),
        presents=draw(st.sampled_from(((), ("gw.t0.example",), ("*.t0.example",)))),
    )


SURROUNDINGS = st.builds(
    Surroundings,
    exchanges=st.dictionaries(
        st.sampled_from(DOMAINS),
        st.builds(Exchanges, st.lists(st.sampled_from(HOSTS), max_size=2).map(tuple)),
    ),
    certificates=st.dictionaries(
        st.sampled_from(HOSTS), st.sampled_from(CERTIFICATES[:-1]).map(lambda name: (name,))
    ),
)
TENANCIES = st.tuples(*(tenancy(number) for number in range(len(NAMES))))
MESSAGES = st.builds(
    Message,
    sender_domain=st.sampled_from((*DOMAINS, "outside.example", "")),
    rcpt_domain=st.sampled_from((*DOMAINS, "outside.example", "sub.t0.example")),
    rcpt_class=st.sampled_from(("known", "unknown", "external")),
    origin=st.sampled_from(("internet", *(f"tenant:{n}" for n in NAMES), "on-premises:t0")),
    meets_conditions=st.booleans(),
)


@given(TENANCIES, SURROUNDINGS, MESSAGES)
@settings(max_examples=150, deadline=None)
def test_every_journey_ends_and_can_be_drawn(
    tenancies: tuple[Tenancy, ...], around: Surroundings, message: Message
) -> None:
    journey = travel(message, land(*tenancies, around=around))
    assert len(journey.steps) < 100
    diagram = journey_picture(journey)
    keys = [station.key for station in diagram.stations]
    assert len(keys) == len(set(keys))
    assert {end for road in diagram.roads for end in (road.start, road.end)} <= set(keys)
    assert len(journey_path(journey).stops) == len(journey.steps) + 1
    if journey.end.loop is not None:
        assert journey.steps[-len(journey.end.loop.steps) :] == journey.end.loop.steps
        assert any(road.mood == "bad" for road in diagram.roads)


def told(landscape: Landscape) -> dict[str, tuple[Finding, ...]]:
    return {each.name: tuple(loops(each, landscape)) for each in landscape}


@given(TENANCIES, SURROUNDINGS, st.permutations(NAMES))
@settings(max_examples=20, deadline=None)
def test_the_order_of_files_changes_nothing(
    tenancies: tuple[Tenancy, ...], around: Surroundings, order: list[str]
) -> None:
    by_name = {each.name: each for each in tenancies}
    shuffled = land(*(by_name[name] for name in order), around=around)
    straight = land(*tenancies, around=around)
    assert told(shuffled) == told(straight)
    for each in straight:
        assert routing_picture(each, shuffled) == routing_picture(each, straight)


def chain(length: int) -> list[Tenancy]:
    """Return tenants of which each sends the next one's service what it claims, in a ring."""
    tenants = []
    for number in range(length):
        service, certificate = f"smtp.s{number}.example", f"id.s{number}.example"
        before = f"id.s{(number - 1) % length}.example"
        tenants.append(
            tenant(
                own(certificate, name="from service"),
                own(before, name="from the one before"),
                replace(TO_SERVICE, smart_hosts=(service,)),
                replace(SIGN, from_scope="", exception_headers=()),
                name=f"t{number}",
                domain=f"t{number}.example",
                also=(before,),
            )
        )
    return tenants


@given(st.integers(2, 12), st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_a_planted_loop_of_any_length_is_found(length: int, shuffle: Random) -> None:
    ring = chain(length)
    customer = tenant(name="customer", domain="customer.example")
    shuffle.shuffle(ring)
    landscape = land(*ring, customer, around=surroundings({"customer.example": EXCHANGE}))
    journey = travel(mail("customer.example", sender="t0.example", origin="tenant:t0"), landscape)
    assert journey.end.loop is not None
    passed = {step.name for step in journey.end.loop.steps if step.spot == "tenant"}
    assert passed == {f"t{number}" for number in range(length)}
    assert journey.end.loop.edge.by.kind == "inbound connector"
    assert all(
        rules.ATTRIBUTION in {finding.rule for finding in loops(landscape[name], landscape)}
        for name in passed
    )
