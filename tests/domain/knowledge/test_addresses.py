"""Is an address that no mail server on the Internet has told from the others?"""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.knowledge.addresses import TABLE, Use, special_use


@pytest.mark.parametrize(
    ("address", "use"),
    [
        pytest.param("0.0.0.0", Use.THIS_NETWORK, id="unspecified"),
        pytest.param("10.1.2.3", Use.PRIVATE, id="10/8"),
        pytest.param("172.31.255.255", Use.PRIVATE, id="end of 172.16/12"),
        pytest.param("172.32.0.0", None, id="after 172.16/12"),
        pytest.param("192.168.1.1", Use.PRIVATE, id="192.168/16"),
        pytest.param("100.64.0.1", Use.SHARED, id="carrier-grade NAT"),
        pytest.param("100.128.0.0", None, id="after carrier-grade NAT"),
        pytest.param("127.0.0.53", Use.LOOPBACK, id="loopback"),
        pytest.param("169.254.1.1", Use.LINK_LOCAL, id="link-local"),
        pytest.param("169.254.169.254", Use.METADATA, id="metadata"),
        pytest.param("168.63.129.16", Use.METADATA, id="metadata on a public address"),
        pytest.param("192.0.0.8", Use.RESERVED, id="protocol assignment"),
        pytest.param("192.0.0.9", None, id="protocol assignment that is reachable"),
        pytest.param("192.0.2.1", Use.DOCUMENTATION, id="TEST-NET-1"),
        pytest.param("198.51.100.1", Use.DOCUMENTATION, id="TEST-NET-2"),
        pytest.param("203.0.113.1", Use.DOCUMENTATION, id="TEST-NET-3"),
        pytest.param("198.19.0.1", Use.BENCHMARK, id="benchmark"),
        pytest.param("192.31.196.1", None, id="AS112-v4 is reachable"),
        pytest.param("192.52.193.1", None, id="AMT is reachable"),
        pytest.param("192.88.99.1", Use.TRANSITION, id="6to4 relay"),
        pytest.param("224.0.0.1", Use.MULTICAST, id="multicast"),
        pytest.param("250.0.0.1", Use.RESERVED, id="future use"),
        pytest.param("255.255.255.255", Use.RESERVED, id="broadcast"),
        pytest.param("40.107.0.1", None, id="Exchange Online"),
        pytest.param("::", Use.THIS_NETWORK, id="unspecified IPv6"),
        pytest.param("::1", Use.LOOPBACK, id="loopback IPv6"),
        pytest.param("::ffff:8.8.8.8", Use.TRANSITION, id="IPv4-mapped"),
        pytest.param("64:ff9b::8.8.8.8", None, id="well-known NAT64 prefix is reachable"),
        pytest.param("64:ff9b:1::1", Use.PRIVATE, id="local NAT64 prefix"),
        pytest.param("100::1", Use.RESERVED, id="discard"),
        pytest.param("2001::1", Use.TRANSITION, id="Teredo"),
        pytest.param("2001:1::1", None, id="PCP anycast is reachable"),
        pytest.param("2001:2::1", Use.BENCHMARK, id="benchmark IPv6"),
        pytest.param("2001:db8::1", Use.DOCUMENTATION, id="documentation IPv6"),
        pytest.param("3fff::1", Use.DOCUMENTATION, id="newer documentation IPv6"),
        pytest.param("2002::1", Use.TRANSITION, id="6to4"),
        pytest.param("fd00::1", Use.PRIVATE, id="unique local"),
        pytest.param("fd00:ec2::254", Use.METADATA, id="metadata IPv6"),
        pytest.param("fe80::1", Use.LINK_LOCAL, id="link-local IPv6"),
        pytest.param("ff02::1", Use.MULTICAST, id="multicast IPv6"),
        pytest.param("2a01:111:f400::1", None, id="Exchange Online IPv6"),
    ],
)
def test_the_use_of_an_address_is_known(address: str, use: Use | None) -> None:
    found = special_use(ip_address(address))
    assert (found.use if found else None) == use


@pytest.mark.parametrize(
    ("network", "use"),
    [
        pytest.param("10.0.0.0/8", Use.PRIVATE, id="the range itself"),
        pytest.param("10.20.0.0/16", Use.PRIVATE, id="inside"),
        pytest.param("10.0.0.0/7", None, id="wider than the range"),
        pytest.param("0.0.0.0/0", None, id="everything"),
        pytest.param("169.254.0.0/16", Use.LINK_LOCAL, id="around a more special address"),
        pytest.param("192.0.0.0/24", Use.RESERVED, id="around reachable addresses"),
        pytest.param("2001:db8:1::/48", Use.DOCUMENTATION, id="IPv6"),
        pytest.param("2001::/16", None, id="wider IPv6"),
    ],
)
def test_a_network_has_the_use_that_all_of_it_has(network: str, use: Use | None) -> None:
    found = special_use(ip_network(network))
    assert (found.use if found else None) == use


def test_a_range_says_which_it_is_and_who_set_it_aside() -> None:
    assert str(special_use(ip_address("10.0.0.1"))) == "private (10.0.0.0/8, RFC 1918)"


def test_each_range_is_listed_once_and_is_itself() -> None:
    assert len({entry.network for entry in TABLE}) == len(TABLE)
    assert all(special_use(entry.network) == entry for entry in TABLE)


@given(st.ip_addresses())
def test_an_address_and_its_network_of_one_are_the_same(address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert special_use(address) == special_use(ip_network(address))
