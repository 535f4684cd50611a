import pytest

from agent.domain.estate import Estate
from agent.domain.owners import Owner, Owners

OWNERS = Owners(
    us=Estate.read(["*.contoso.com", "192.0.2.0/28"]),
    filter=Estate.read(["*.filter.example"]),
    partner=Estate.read(["mail.fabrikam.com"]),
)


@pytest.mark.parametrize(
    ("host", "address", "owner"),
    [
        ("mx.contoso.com", "", Owner.US),
        ("elsewhere.example", "192.0.2.1", Owner.US),
        ("a.filter.example", "198.51.100.1", Owner.FILTER),
        ("mail.fabrikam.com", "", Owner.PARTNER),
        ("db5eur02ft041.mail.protection.outlook.com", "", Owner.MICROSOFT),
        ("mx0a-001.pphosted.com", "", Owner.FILTER),
        ("mail.example", "198.51.100.1", Owner.UNKNOWN),
        ("", "", Owner.UNKNOWN),
    ],
)
def test_a_host_has_an_owner(host: str, address: str, owner: Owner) -> None:
    assert OWNERS.of(host, address) is owner


def test_the_word_of_the_operator_wins_over_what_is_known() -> None:
    owners = Owners(partner=Estate.read(["*.pphosted.com"]))
    assert owners.of("mx0a-001.pphosted.com") is Owner.PARTNER


EDGE = "ab1.outbound.protection.outlook.com"


@pytest.mark.parametrize(
    ("host", "name", "address", "owner"),
    [
        pytest.param("x", "", "192.0.2.1", Owner.US, id="by its address"),
        pytest.param("x", "mx.contoso.com", "198.51.100.1", Owner.US, id="by its name in DNS"),
        pytest.param("mx.contoso.com", "", "198.51.100.1", Owner.UNKNOWN, id="wrong address"),
        pytest.param("mx.contoso.com", "", "", Owner.US, id="no address to judge by"),
        pytest.param("a.filter.example", "", "198.51.100.1", Owner.UNKNOWN, id="no name in DNS"),
        pytest.param("a.filter.example", "", "10.0.0.1", Owner.FILTER, id="inside"),
        pytest.param("mx.contoso.com", "", "127.0.0.1", Owner.US, id="loopback"),
        pytest.param("mx.contoso.com", "", "fd00::1", Owner.US, id="inside, IPv6"),
        pytest.param("mx0a-001.pphosted.com", "", "9.9.9.9", Owner.UNKNOWN,
                     id="calls itself a known filter"),
        pytest.param("x", "mx0a-001.pphosted.com", "9.9.9.9", Owner.FILTER, id="a known filter"),
        pytest.param("a.filter.example", "b.isp.example", "198.51.100.1", Owner.UNKNOWN,
                     id="a name in DNS that speaks against it"),
        pytest.param(EDGE, "", "40.92.253.77", Owner.MICROSOFT, id="Microsoft"),
        pytest.param(EDGE, "", "2a01:111:f403::1", Owner.MICROSOFT, id="Microsoft, IPv6"),
        pytest.param(EDGE, "", "10.152.75.89", Owner.MICROSOFT, id="Microsoft, inside"),
        pytest.param(EDGE, "", "198.18.0.1", Owner.UNKNOWN, id="calls itself Microsoft"),
        pytest.param(EDGE, "", "9.9.9.9", Owner.UNKNOWN, id="calls itself Microsoft too"),
        pytest.param(EDGE, "", "", Owner.MICROSOFT, id="Microsoft, no address"),
        pytest.param("", "", "", Owner.UNKNOWN, id="nobody"),
    ],
)  # fmt: skip
def test_what_a_client_calls_itself_counts_only_where_nothing_speaks_against_it(
    host: str, name: str, address: str, owner: Owner
) -> None:
    assert OWNERS.of_client(host, name, address) is owner


def test_a_server_that_looks_no_name_up_is_taken_at_its_word_about_known_filters_only() -> None:
    def of(host: str) -> Owner:
        return OWNERS.of_client(host, "", "9.9.9.9", is_looked_up=False)

    assert of("mx0a-001.pphosted.com") is Owner.FILTER
    assert {of("a.filter.example"), of("mx.contoso.com")} == {Owner.UNKNOWN}
