"""Tenants together: who is touched by a change, and that nobody else is."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tenancies import findings, land, own, partner, surroundings, tenant

from agent.domain.finding import Finding
from agent.domain.tenancy.attribution_lint import claims
from agent.domain.tenancy.landscape import (
    Exchanges,
    Landscape,
    Surroundings,
    Tenancy,
    keys_of,
)
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Outbound, read_networks

PROVIDER = tenant("provider", "provider.example", own("gw.provider.example"))
CUSTOMER = tenant("customer", "customer.com", partner("gw.provider.example"))
SECOND = tenant("second", "second.com", partner("gw.provider.example"))
STRANGER = tenant("stranger", "stranger.com", own("mail.stranger.com", "198.51.100.0/28"))


def test_a_landscape_has_its_tenants_in_order() -> None:
    landscape = land(STRANGER, CUSTOMER)
    assert [each.name for each in landscape] == ["customer", "stranger"]
    assert len(landscape) == 2
    assert "customer" in landscape
    assert landscape["customer"] is CUSTOMER
    assert "provider" not in landscape


def test_a_provider_and_its_customer_touch_each_other_and_nobody_else() -> None:
    landscape = land(STRANGER, SECOND, PROVIDER)
    assert landscape.put(CUSTOMER) == {"customer", "provider"}
    assert landscape.put(PROVIDER) == {"customer", "second", "provider"}
    assert landscape.put(STRANGER) == {"stranger"}


def test_customers_of_one_filter_do_not_touch_each_other() -> None:
    assert land(SECOND).put(CUSTOMER) == {"customer"}


def test_who_was_touched_before_is_touched_by_the_change() -> None:
    landscape = land(PROVIDER, CUSTOMER)
    away = tenant("customer", "customer.com", partner("gw.other.example"))
    assert landscape.put(away) == {"customer", "provider"}
    assert landscape.put(away) == {"customer"}


def test_a_tenant_that_goes_touches_those_who_stay() -> None:
    landscape = land(PROVIDER, CUSTOMER, STRANGER)
    assert landscape.remove("provider") == {"customer"}
    assert landscape.remove("provider") == frozenset()
    assert findings(landscape)["customer"] == ()


def test_what_dns_sees_later_touches_who_claims_it() -> None:
    around = Surroundings()
    wide = tenant("provider", "provider.example", own("*.provider.example"))
    landscape = land(wide, tenant("customer", "customer.com"), STRANGER, around=around)
    assert landscape.look_again() == frozenset()
    around.exchanges["customer.com"] = Exchanges(("mx1.provider.example",))
    assert landscape.look_again("stranger") == frozenset()
    assert landscape.look_again("customer") == {"customer", "provider"}
    around.ranges["Provider"] = read_networks(("198.51.100.0/24",))
    assert landscape.look_again() == {"provider", "stranger"}
    assert landscape.look_again() == frozenset()


def test_ways_tie_tenants_as_well() -> None:
    """Who sends to a tenant's domain, or through its gateways, is looked at again with it."""
    sends = Tenancy(
        name="sends",
        export=Export(
            outbound=(
                Outbound(
                    name="o", recipient_domains=("*.b.com", "*"), smart_hosts=("GW.gate.example",)
                ),
            )
        ),
    )
    gates = tenant("gates", "gates.com", gateways=("*.gate.example",))
    landscape = land(sends, tenant("b", "b.com"))
    assert landscape.put(gates) == {"gates", "sends"}
    assert landscape.put(tenant("b", "b.com c.com")) == {"b", "sends"}
    behind = surroundings({"d.com": "mx.gate.example"})
    assert land(gates, around=behind).put(tenant("d", "d.com")) == {"d", "gates"}


def test_a_wildcard_over_a_public_suffix_ties_nobody() -> None:
    greedy = tenant("greedy", "greedy.com", own("*.co.uk"), partner("*.co.uk"))
    assert land(greedy).put(tenant("b", "b.co.uk", own("mail.b.co.uk"))) == {"b"}


def test_tenants_are_found_by_what_they_have() -> None:
    other = tenant("b", "b.co.uk", own("*.Gw.b.co.uk", "203.0.113.7", "2001:db8::/32"))
    landscape = land(other, STRANGER)
    assert keys_of(other) == {
        "domain:b.co.uk",
        "domain:gw.b.co.uk",
        "network:203.0.113.0",
        "network:2001:db8::",
    }
    assert landscape.sharing("domain:gw.b.co.uk") == (other,)
    assert landscape.sharing("domain:co.uk") == ()
    assert keys_of(Tenancy(name="x", export=Export(), presents=("gw.x.com",))) == {
        "domain:gw.x.com",
        "domain:x.com",
    }


NAMES = ("a", "b", "c")
DOMAINS = ("p.example", "s.com")
MX = "mx.p.example"
FILTER = "mx0.pphosted.com"
Step = Tenancy | str | tuple[str, str, str]


def worlds(
    certificates: tuple[str, ...], networks: tuple[str, ...], sights: tuple[Step, ...]
) -> st.SearchStrategy[list[Step]]:
    """Return changes of a world so small that tenants meet, by one of few things at a time."""
    connectors = st.builds(
        Inbound,
        name=st.just("c"),
        enabled=st.sampled_from((None, None, None, False)),
        connector_type=st.sampled_from(("on-premises", "on-premises", "partner")),
        tls_sender_certificate_name=st.sampled_from(certificates),
        sender_ip_addresses=st.sampled_from(networks).map(lambda text: (text,) if text else ()),
        restrict_domains_to_ip_addresses=st.just(True),  # noqa: FBT003 - as the cmdlet has it
    )
    exports = st.builds(
        Export,
        inbound=st.lists(connectors, min_size=1, max_size=1).map(tuple),
        domains=st.sampled_from(DOMAINS).map(lambda name: (AcceptedDomain(name=name),)),
    )

    def tenants(names: tuple[str, ...]) -> st.SearchStrategy[Step]:
        return st.builds(
            Tenancy,
            name=st.sampled_from(names),
            export=exports,
            gateways=st.sampled_from(((), (), (), ("*.p.example",), (MX,))),
            presents=st.sampled_from(((), (), (), ("gw.p.example",))),
            topologies=st.sampled_from(({}, {"s.com": "third-party-filter"})),
        )

    seen = st.sampled_from(sights)
    changes = st.one_of(tenants(NAMES), st.sampled_from(NAMES), seen)
    first = st.tuples(seen, *(tenants((name,)) for name in NAMES)).flatmap(st.permutations)
    return st.tuples(first, st.lists(changes, max_size=3)).map(lambda both: [*both[0], *both[1]])


BY_NAME = worlds(
    ("*.p.example", MX, "gw.p.example"),
    ("",),
    (("mx", "s.com", MX), ("certificate", MX, "gw.p.example"), ("certificate", MX, "*.p.example")),
)
BY_FILTER = worlds(
    ("*.pphosted.com", FILTER),
    ("", "198.51.100.0/24"),
    (("mx", "s.com", FILTER), ("address", FILTER, "198.51.100.9")),
)
BY_ADDRESS = worlds(
    ("",),
    ("203.0.113.0/28", "203.0.113.8", "203.0.0.0/12", "2001:db8::/47"),
    (
        ("mx", "s.com", MX),
        ("address", MX, "203.0.113.9"),
        ("address", MX, "2001:db8:1::1"),
        ("range", "X", "203.0.113.0/24"),
    ),
)


def take(landscape: Landscape, step: Step) -> frozenset[str]:
    if isinstance(step, Tenancy):
        return landscape.put(step)
    if isinstance(step, str):
        return landscape.remove(step)
    kind, key, value = step
    seen = landscape.surroundings
    if kind == "mx":
        seen.exchanges[key] = Exchanges((value,))
    elif kind == "address":
        seen.addresses.update(surroundings(addresses={key: value}).addresses)
    elif kind == "certificate":
        seen.certificates[key] = (value,)
    else:
        seen.ranges[key] = read_networks((value,))
    return landscape.look_again()


class Everybody(Landscape):
    """A landscape without an index: everybody may have a say in everybody's mail."""

    def exposed_to(self, name: str) -> tuple[Tenancy, ...]:
        return tuple(each for each in self if each.name != name)

    claiming_of = exposed_to


@settings(max_examples=300, deadline=None)
@given(st.one_of(BY_NAME, BY_ADDRESS, BY_FILTER), st.randoms(use_true_random=False))
def test_looking_at_the_touched_alone_is_enough(steps: list[Step], order: random.Random) -> None:
    landscape = Landscape()
    known: dict[str, tuple[Finding, ...]] = {}
    for step in steps:
        touched = take(landscape, step)
        known = {name: found for name, found in known.items() if name in landscape}
        known |= findings(landscape, touched) if touched else {}
    files = list(landscape)
    order.shuffle(files)
    afresh = Everybody(landscape.surroundings)
    for each in files:
        afresh.put(each)
    assert known == findings(afresh)


def test_many_that_share_one_certificate() -> None:
    many = [tenant(f"t{n:02}", f"t{n:02}.com", own("gw.p.example")) for n in range(60)]
    landscape = land(*many)
    (found,) = claims(landscape["t00"], landscape)
    assert len(found.evidence) == 59
    assert landscape.put(many[0]) == {each.name for each in many}
