"""Does what follows from tenants and DNS follow at once, and is the rest left alone?"""

from collections import deque
from dataclasses import replace
from ipaddress import ip_address

from agent.domain.lookup import Silence
from agent.domain.tenancy.landscape import Exchanges, Surroundings, Tenancy
from agent.domain.tenancy.objects import AcceptedDomain, Export, Inbound, Outbound
from agent.domain.tenancy.scene import SPARE, Scene, Told
from agent.domain.tenancy.ways import Ways


def tenant(name: str, *gateways: str, certificate: str = "", host: str = "") -> Tenancy:
    inbound = Inbound(
        name="in", connector_type="on-premises", tls_sender_certificate_name=certificate
    )
    outbound = Outbound(name="out", smart_hosts=(host,))
    export = Export(
        domains=(AcceptedDomain(name=f"{name}.com"),),
        inbound=(inbound,) if certificate else (),
        outbound=(outbound,) if host else (),
    )
    return Tenancy(name=name, export=export, gateways=gateways)


def scene(*tenancies: Tenancy) -> tuple[Scene, Told]:
    told: Told = deque((each.name, each) for each in tenancies)
    return Scene(told), told


def exchanges(**hosts: str) -> Surroundings:
    return Surroundings(exchanges={f"{name}.com": Exchanges((on,)) for name, on in hosts.items()})


def names(found: tuple[Tenancy, ...]) -> list[str]:
    return [each.name for each in found]


def test_one_that_is_told_again_unchanged_changes_nothing() -> None:
    it, told = scene(tenant("a"), tenant("b"))
    before, ways = it.related("a"), it.do("a", lambda _, ways: ways)
    told.append(("a", tenant("a")))
    assert it.related("a") is before
    assert it.do("a", lambda _, ways: ways) is ways
    told.append(("stranger", None))
    assert it.related("a") is before
    told.append(("a", None))
    assert it.related("a") == ()
    assert it.do("a", lambda tenancy, _: tenancy) is None


def test_whose_mx_moves_is_tied_anew() -> None:
    it, _ = scene(tenant("claims", certificate="mx.filter.example"), tenant("b"), tenant("c"))
    it.see(exchanges(b="mx.filter.example", c="mx.c.com"))
    assert names(it.related("claims")) == ["b", "claims"]
    alone = it.related("c")
    it.see(exchanges(b="mx.b.com"))
    assert names(it.related("claims")) == ["claims"]
    assert it.related("c") is alone
    it.see(exchanges(b="mx.other.example"))
    it.shown = {"mx.other.example": ("gw.filter.example",), "mx.b.com": ("x.filter.example",)}
    it.see(Surroundings())
    assert names(it.related("claims")) == ["b", "claims"]
    it.shown = {}
    it.see(Surroundings())
    assert names(it.related("claims")) == ["claims"]


def test_an_address_ties_as_well() -> None:
    listing = tenant("claims", certificate="x.example")
    (inbound,) = listing.export.inbound or ()
    inbound = replace(inbound, sender_ip_addresses=("192.31.196.7",))
    listing = replace(listing, export=replace(listing.export, inbound=(inbound,)))
    it, _ = scene(listing, tenant("b"))
    it.see(exchanges(b="mx.filter.example"))
    assert names(it.related("claims")) == ["claims"]
    it.see(Surroundings(addresses={"mx.filter.example": (ip_address("192.31.196.7"),)}))
    assert names(it.related("claims")) == ["b", "claims"]


def test_a_provider_is_tied_by_what_its_gateways_show() -> None:
    it, told = scene(
        tenant("claims", certificate="relay.example"), tenant("p", "*.filter.example"), tenant("c")
    )
    assert names(it.related("p")) == ["p"]
    it.shown = {"mx.filter.example": ("relay.example",), "elsewhere.example": ("relay.example",)}
    it.see(Surroundings())
    assert names(it.related("claims")) == ["claims", "p"]
    told.append(("p", tenant("p")))
    assert names(it.related("claims")) == ["claims"]


def test_places_are_found_anew_where_dns_says_something_else() -> None:
    it, _ = scene(tenant("a"))

    def host(tenancy: Tenancy, ways: Ways) -> str:
        mail = ways.mail(tenancy.export.domain_names[0]).host
        return ways.exchange(mail, "a.com").host if mail else ""

    def kept(tenancy: Tenancy, ways: Ways) -> str:
        return ways.once(host, tenancy)

    it.settle()
    assert it.do("a", kept) == ""
    it.see(exchanges(a="mx.a.com"))
    assert it.do("a", kept) == "mx.a.com"


def test_what_nobody_asks_for_is_forgotten_in_time() -> None:
    it, told = scene(tenant("a", host="Smart.example"), tenant("b"))
    first = exchanges(a="mx.a.com", b="mx.b.com")
    first.addresses["mx.a.com"] = first.addresses["smart.example"] = ()
    first.unanswered["mx.b.com"] = Silence.TIMEOUT
    it.see(first)
    known = it.landscape.surroundings
    assert known.unanswered == {"mx.b.com": Silence.TIMEOUT}
    it.see(Surroundings(addresses={"mx.b.com": ()}))
    assert not known.unanswered
    for number in range(2 * SPARE):
        it.see(Surroundings(addresses={f"mx{number}.example": ()}))
    assert len(known.addresses) <= SPARE + 10
    assert {"mx.a.com", "mx.b.com", "smart.example"} <= known.addresses.keys()
    told.append(("b", None))
    it.settle()
    assert known.exchanges.keys() == {"a.com"}
    assert known.addresses.keys() == {"mx.a.com", "smart.example"}


def test_what_dns_says_of_names_that_nobody_has_ties_nobody() -> None:
    it, _ = scene(tenant("a"))
    before = it.related("a")
    it.see(exchanges(stranger="mx.a.com"))
    assert it.related("a") is before
    ways = it.do("a", lambda _, ways: ways)
    it.see(exchanges(stranger="mx.a.com"))
    assert it.do("a", lambda _, ways: ways) is ways
