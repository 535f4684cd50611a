"""Names that providers give to whole ranges, and names that somebody chose."""

from ipaddress import ip_address

import pytest

from agent.domain.reverse_names import is_proper, why_generic

FOUR = ip_address("192.31.196.10")
SIX = ip_address("2a00:1450:4001:80b::200e")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("192-31-196-10.isp.example", "it spells the address"),
        ("ip-10.196.31.192.isp.example", "it spells the address"),
        ("host192-031-196-010.isp.example", "it spells the address"),
        ("c01fc40a.isp.example", "it spells the address"),
        ("192031196010.isp.example", "it spells the address"),
        ("ec2-192-31-196-10.compute.contoso.com", "it spells the address"),
        ("pool12.isp.example", "it has the word `pool`"),
        ("a.dyn.isp.example", "it has the word `dyn`"),
        ("static.1.isp.example", "it has the word `static`"),
        ("static.contoso.com", ""),
        ("mail.isp.example", ""),
        ("mx10-196.isp.example", ""),
        ("poolside.example", ""),
        ("dsl.example", ""),
        ("dsl", "it has the word `dsl`"),
        ("localhost", ""),
    ],
)
def test_names_of_ipv4_addresses(name: str, why: str) -> None:
    assert why_generic(name, FOUR, "contoso.com") == why


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("2a00-1450-4001-080b-0000-0000-0000-200e.isp.example", "it spells the address"),
        (f"{'.'.join(reversed(SIX.packed.hex()))}.isp.example", "it spells the address"),
        ("2a00-1450-4001-80b-0-0-0-200e.isp.example", "it spells the address"),
        ("mail-200e.isp.example", ""),
    ],
)
def test_names_of_ipv6_addresses(name: str, why: str) -> None:
    assert why_generic(name, SIX) == why


@pytest.mark.parametrize(
    ("name", "proper"),
    [("mx.contoso.com", True), ("my_mx.contoso.com", False), ("mx", False), ("a b.example", False)],
)
def test_what_a_host_can_be_called(name: str, *, proper: bool) -> None:
    assert is_proper(name) is proper
