"""What is at a host, and what it shows to Exchange Online."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from routing import FROM_OWN, FROM_SERVICE, LOCK, OUTSIDE, SERVER, TO_OWN, TO_SERVICE, tenant
from tenancies import land, own, partner, surroundings

from agent.domain.tenancy.hosts import are_kin
from agent.domain.tenancy.landscape import Surroundings, Tenancy
from agent.domain.tenancy.objects import Outbound
from agent.domain.tenancy.places import Mail, Place
from agent.domain.tenancy.shown import Shown, by_gateway, by_server
from agent.domain.tenancy.ways import Ways

PROVIDER = tenant(name="provider", domain="provider.example")
GATEWAY = Place("gateway", "mx1.filter.example")


def ways(*tenancies: Tenancy, around: Surroundings | None = None) -> Ways:
    return Ways(land(*tenancies, around=around))


@pytest.mark.parametrize(
    ("host", "tenancy", "place"),
    [
        pytest.param("x.pphosted.com", tenant(), ("gateway", "", "Proofpoint"), id="known filter"),
        pytest.param("mx1.provider.example", tenant(), ("gateway", "provider", ""), id="provider"),
        pytest.param("mx.unknown.example", tenant(), ("gateway", "", ""), id="somebody's"),
        pytest.param(SERVER, tenant(), ("server", "contoso", ""), id="of its domain"),
        pytest.param(
            "mx.contoso.example",
            tenant(own("id.contoso.example")),
            ("gateway", "", ""),
            id="of a certificate that is not its own",
        ),
        pytest.param(
            "192.0.2.1", tenant(own("", "192.0.2.0/28")), ("server", "contoso", ""), id="by address"
        ),
        pytest.param(
            SERVER,
            tenant(topologies={"contoso.com": "third-party-filter"}),
            ("gateway", "", ""),
            id="by topology",
        ),
        pytest.param(
            "mx.unknown.example",
            tenant(topologies={"contoso.com": "hybrid"}),
            ("server", "contoso", ""),
            id="by topology, own",
        ),
    ],
)
def test_what_an_mx_leads_to(host: str, tenancy: Tenancy, place: tuple[str, str, str]) -> None:
    found = ways(tenancy, PROVIDER).exchange(host, "contoso.com")
    assert (found.kind, found.operator, found.title) == place


def test_the_gateways_of_a_provider_are_known_by_what_it_says() -> None:
    provider = replace(PROVIDER, gateways=("*.relay.example", "in.other.example"))
    known = ways(tenant(), provider)
    for host in ("mx1.relay.example", "in.other.example"):
        assert known.exchange(host, "contoso.com") == Place("gateway", host, "provider")
    assert known.exchange("relay.example", "contoso.com").operator == ""


@pytest.mark.parametrize(
    ("connector", "host", "place"),
    [
        pytest.param(TO_OWN, SERVER, ("server", "contoso"), id="own"),
        pytest.param(TO_OWN, "203.0.113.5", ("server", "contoso"), id="address"),
        pytest.param(TO_SERVICE, TO_SERVICE.smart_hosts[0], ("service", "contoso"), id="service"),
        pytest.param(TO_SERVICE, "smtp.else.example", ("unclear", "contoso"), id="unclear"),
        pytest.param(
            replace(TO_SERVICE, tls_domain="*.signatures.example"),
            "smtp.else.example",
            ("service", "contoso"),
            id="service by TlsDomain",
        ),
        pytest.param(
            replace(TO_OWN, connector_type="partner"),
            "mail.provider.example",
            ("gateway", "provider"),
            id="another tenant",
        ),
        pytest.param(
            replace(TO_OWN, connector_type="partner"),
            "mail.partner.example",
            ("stranger", ""),
            id="partner",
        ),
        pytest.param(
            replace(TO_OWN, connector_type="partner"),
            "out.filter.example",
            ("gateway", ""),
            id="the filter in front",
        ),
        pytest.param(TO_OWN, "named.example", ("server", "contoso"), id="by its MX"),
    ],
)
def test_what_a_smart_host_is(connector: Outbound, host: str, place: tuple[str, str]) -> None:
    tenancy = tenant(FROM_SERVICE, connector)
    around = surroundings({"contoso.com": "mx1.filter.example", "named.example": SERVER})
    found = ways(tenancy, PROVIDER, around=around).smart_host(connector, tenancy, host)
    assert (found.kind, found.operator) == place


def test_where_the_gateway_in_front_is_somebodys_the_smart_host_is_not() -> None:
    connector = replace(TO_OWN, connector_type="partner")
    around = surroundings({"contoso.com": SERVER})
    tenancy = tenant(connector)
    found = ways(tenancy, around=around).smart_host(connector, tenancy, "mail.fabrikam.com")
    assert found.kind == "stranger"


def test_a_gateway_serves_those_whose_mx_leads_to_it() -> None:
    exchanges = {
        "contoso.com": "mx1.filter.example",
        "contoso.net": "mx1.provider.example",
        "contoso.org": SERVER,
    }
    tenancy = tenant(also=("contoso.net", "contoso.org", "contoso.info"))
    known = ways(tenancy, PROVIDER, around=surroundings(exchanges))
    assert known.serves(Place("gateway", "mx2.filter.example"), "contoso.com")
    assert not known.serves(Place("gateway", "mx2.other.example"), "contoso.com")
    assert known.serves(Place("gateway", "mx.example", "provider"), "contoso.net")
    assert not known.serves(GATEWAY, "contoso.net")
    assert not known.serves(GATEWAY, "contoso.org")
    assert not known.serves(GATEWAY, "contoso.info")


def test_a_subdomain_is_its_parents_where_that_matches_subdomains() -> None:
    base = tenant()
    (domain,) = base.export.domains or ()
    wide = replace(
        base, export=replace(base.export, domains=(replace(domain, match_subdomains=True),))
    )
    assert ways(wide).owner("shop.contoso.com") == wide
    assert ways(base).owner("shop.contoso.com") is None
    assert ways(base).mail("shop.contoso.com") == Mail(lack="unknown")


def shown(owner: Tenancy, *more: Tenancy, **around: dict[str, str]) -> Shown:
    known = ways(owner, *more, around=surroundings(**around))
    operator = more[0].name if more else ""
    return by_gateway(replace(GATEWAY, operator=operator), owner, OUTSIDE, known)


SEEN = {"certificates": {"mx1.filter.example": "mx1.filter.example"}}
AT = {"addresses": {"mx1.filter.example": "198.51.100.7"}}
BY_ADDRESS = partner("", "198.51.100.0/28", name="by address")


@pytest.mark.parametrize(
    ("owner", "more", "around", "words"),
    [
        pytest.param(tenant(), (), {}, "nothing that is known", id="nothing"),
        pytest.param(tenant(), (), AT, "the address 198.51.100.7", id="its address"),
        pytest.param(tenant(), (), SEEN, "the certificate mx1.filter.example", id="seen"),
        pytest.param(
            tenant(LOCK), (), SEEN, "the certificate mx1.filter.example", id="seen, passes"
        ),
        pytest.param(
            tenant(partner("out.filter.example")),
            (),
            SEEN,
            "the certificate mx1.filter.example, out.filter.example",
            id="seen, and what must be",
        ),
        pytest.param(
            tenant(LOCK),
            (replace(PROVIDER, presents=("gw.provider.example",)),),
            SEEN,
            "the certificate gw.provider.example",
            id="configured",
        ),
        pytest.param(
            tenant(LOCK), (PROVIDER,), {}, "the certificate *.filter.example", id="demanded"
        ),
        pytest.param(
            tenant(BY_ADDRESS), (), {}, "the address 198.51.100.0", id="demanded by address"
        ),
        pytest.param(
            tenant(BY_ADDRESS), (), AT, "the address 198.51.100.7", id="an address that passes"
        ),
        pytest.param(
            tenant(replace(BY_ADDRESS, sender_ip_addresses=())),
            (),
            AT,
            "the address 198.51.100.7",
            id="a lock without a value",
        ),
        pytest.param(
            tenant(own("id.filter.example")),
            (),
            {},
            "the certificate id.filter.example",
            id="an on-premises connector for it",
        ),
        pytest.param(
            tenant(replace(LOCK, sender_domains=("*.partner.example",)), own("id.else.example")),
            (),
            {},
            "nothing that is known",
            id="a lock for others",
        ),
        pytest.param(
            tenant(replace(LOCK, sender_domains=("*.example",))),
            (),
            {},
            "the certificate *.filter.example",
            id="a lock for everybody below",
        ),
    ],
)
def test_what_a_gateway_shows(
    owner: Tenancy, more: tuple[Tenancy, ...], around: dict[str, dict[str, str]], words: str
) -> None:
    assert shown(owner, *more, **around).words == words


@pytest.mark.parametrize(
    ("tenancy", "words"),
    [
        pytest.param(tenant(FROM_OWN), f"the certificate {SERVER}", id="certificate"),
        pytest.param(tenant(own("", "203.0.113.5")), "the address 203.0.113.5", id="address"),
        pytest.param(tenant(own()), "nothing that is known", id="connector without either"),
        pytest.param(tenant(), "the certificate seen.contoso.com", id="no connector"),
        pytest.param(
            tenant(FROM_SERVICE, TO_SERVICE), "the certificate seen.contoso.com", id="a service's"
        ),
        pytest.param(
            tenant(own("id.else.example", name="a"), FROM_OWN),
            f"the certificate {SERVER}",
            id="the one that fits",
        ),
    ],
)
def test_what_an_own_server_shows(tenancy: Tenancy, words: str) -> None:
    around = surroundings(certificates={SERVER: "seen.contoso.com"})
    assert by_server(SERVER, tenancy, ways(tenancy, around=around)).words == words


def test_who_may_claim_what_is_shown() -> None:
    one = tenant(own("id.vendor.example", "192.0.2.0/28"), name="one", domain="one.example")
    two = tenant(own("*.vendor.example", "192.0.2.64/28"), name="two", domain="two.example")
    third = tenant(partner("id.vendor.example"), name="third", domain="third.example")
    known = ways(one, two, third)

    def names(*shown: str, address: str = "") -> list[str]:
        at = ip_address(address) if address else None
        return [each.name for each in known.claimants(None, shown, at)]

    for _ in range(2):
        assert names("id.vendor.example") == ["one", "two"]
        assert names("*.vendor.example") == ["one", "two"]
        assert names("x.vendor.example") == ["two"]
        assert names("x.y.vendor.example") == []
        assert names(address="192.0.2.1") == ["one"]
    assert [each.name for each in known.claimants(third, (), None)] == ["third"]


def test_kin_have_one_owner() -> None:
    assert are_kin("*.contoso.com", "MAIL.contoso.com")
    assert not are_kin("contoso.co.uk", "fabrikam.co.uk")
    assert not are_kin("", "")
