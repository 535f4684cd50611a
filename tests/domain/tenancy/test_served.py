"""Is the connector that an index finds the one that a look at each would find?"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.attribution import Arrival, attribute
from agent.domain.tenancy.as_attributed import Attributed, tenant_of
from agent.domain.tenancy.hosts import are_kin, lies_in
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Network, Organisation
from agent.domain.tenancy.served import Addresses, Networks, Served, own

NAMES = ("", "mail.contoso.com", "*.contoso.com", "b.mail.contoso.com", "MX.fabrikam.com", "com")
NETWORKS = ("203.0.113.0/24", "203.0.113.7", "203.0.113.7/32", "2001:db8::/32", "junk", "0.0.0.0/0")
ADDRESSES = tuple(
    map(ip_address, ("203.0.113.7", "203.0.113.8", "192.0.2.1", "2001:db8::1", "::1"))
)
SCOPES = ("*", "contoso.com", "*.contoso.com", "*.com", "fabrikam.com")

inbounds = st.lists(
    st.builds(
        Inbound,
        name=st.sampled_from("abcd"),
        enabled=st.sampled_from((True, False, None)),
        connector_type=st.sampled_from(("on-premises", "partner", None)),
        sender_domains=st.lists(st.sampled_from(SCOPES), max_size=2).map(tuple),
        sender_ip_addresses=st.lists(st.sampled_from(NETWORKS), max_size=3).map(tuple),
        tls_sender_certificate_name=st.sampled_from(NAMES),
        restrict_domains_to_certificate=st.booleans(),
        restrict_domains_to_ip_addresses=st.booleans(),
        associated_accepted_domains=st.sampled_from(((), ("contoso.com",))),
    ),
    max_size=6,
).map(tuple)
domains = st.lists(
    st.builds(
        AcceptedDomain,
        name=st.sampled_from(
            ("contoso.com", "mail.contoso.com", "fabrikam.com", "a.b.contoso.com")
        ),
        match_subdomains=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda each: each.name,
).map(tuple)
addresses = st.sampled_from(ADDRESSES)


@given(inbounds, st.sampled_from(NAMES), st.sampled_from(NAMES), st.lists(addresses, max_size=2))
def test_an_index_finds_the_first_that_fits(
    connectors: tuple[Inbound, ...],
    host: str,
    other: str,
    at: list[IPv4Address | IPv6Address],
) -> None:
    ordered = sorted(connectors, key=lambda each: each.name)
    fitting = [
        each
        for each in ordered
        if are_kin(each.certificate_domain, host)
        or are_kin(each.certificate_domain, other)
        or any(lies_in(address, each.networks) for address in at)
    ]
    served = Served(connectors)
    assert served.find((host, other), at) is (fitting[0] if fitting else None)
    assert served.has_address(at) == any(lies_in(a, e.networks) for a in at for e in ordered)
    kin = [each for each in ordered if are_kin(each.certificate_domain, host)]
    assert served.by_name(host) is (kin[0] if kin else None)


@given(
    st.lists(addresses, max_size=5), st.lists(st.sampled_from(NETWORKS[:4]), max_size=3).map(tuple)
)
def test_addresses_are_found_by_networks_and_networks_by_addresses(
    at: list[IPv4Address | IPv6Address], texts: tuple[str, ...]
) -> None:
    networks: list[Network] = [ip_network(each) for each in texts]
    inside = [place for place, each in enumerate(at) if lies_in(each, networks)]
    known = Addresses((each, place) for place, each in enumerate(at))
    assert known.first(networks) == min(inside, default=None)
    around = Networks((each, place) for place, each in enumerate(networks))
    holding = [place for place, each in enumerate(networks) if any(a in each for a in at)]
    assert around.first(at) == min(holding, default=None)


@given(
    inbounds,
    domains,
    st.lists(st.sampled_from((*NAMES[1:], "x.contoso.com")), max_size=2).map(tuple),
    addresses,
    st.sampled_from(("contoso.com", "a.contoso.com", "fabrikam.com", "x.example")),
    st.sampled_from(("contoso.com", "c.contoso.com", "fabrikam.com", "x.example")),
    st.booleans(),
)
def test_what_has_nothing_to_do_with_an_arrival_decides_nothing(  # noqa: PLR0917
    connectors: tuple[Inbound, ...],
    accepted: tuple[AcceptedDomain, ...],
    names: tuple[str, ...],
    address: IPv4Address | IPv6Address,
    sender: str,
    to: str,
    rejects: bool,  # noqa: FBT001
) -> None:
    export = Export(
        inbound=connectors,
        domains=accepted,
        organisation=Organisation(reject_direct_send=rejects),
    )
    tenancy = Tenancy(name="contoso", export=export)
    arrival = Arrival(
        certificate_names=names, address=address, mail_from=f"a@{sender}", rcpt_to=f"b@{to}"
    )
    whole = attribute(arrival, (tenant_of(tenancy),))
    part = attribute(arrival, (Attributed(tenancy).facing(arrival),))
    assert (part.verdict, part.connector, part.step) == (whole.verdict, whole.connector, whole.step)
    assert (part.tenant is None) == (whole.tenant is None)


@pytest.mark.parametrize("enabled", [True, None])
def test_own_connectors_are_found_once(enabled: bool | None) -> None:  # noqa: FBT001
    home = Inbound(name="b", connector_type="on-premises", enabled=enabled)
    export = Export(
        inbound=(
            home,
            Inbound(name="a"),
            Inbound(name="0", connector_type="on-premises", enabled=False),
        )
    )
    assert own(export).connectors == [home]
    assert own(export) is own(export)
