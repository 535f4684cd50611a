"""Who is asked what a plan wants to know of the resolvers of the configuration?"""

from datetime import timedelta
from ipaddress import ip_address

from agent.adapters.clock import SystemClock
from agent.adapters.dns_direct import Direct
from agent.adapters.dns_inquiry import inquire
from agent.adapters.resolver import Resolver
from agent.domain.direct import Code, DirectQuery, Heard, Said
from agent.domain.lookup import Exchange, Query, Silence, Type, Unanswered
from agent.domain.nameservers_zone import Inquiry, heard
from servers.dns import Content, DnsServer, Fault

ZONE: dict[tuple[str, str], Content] = {
    ("example.com", "MX"): "10 mx.example.com",
    ("lame.example.com", "MX"): Fault.SERVFAIL,
}
NAMES = ("example.com", "none.example.com", "lame.example.com")
MX: Type = "MX"


def _ask(*resolvers: DnsServer) -> Inquiry[tuple[Heard, ...]]:
    """Ask for a record, as other probes do, and then each of the *resolvers* for several."""
    yield (Query("example.com", MX, fresh=True),)
    told = yield tuple(
        DirectQuery(ip_address(host), name, MX, port=port, recursive=True)
        for host, port in (each.address for each in resolvers)
        for name in NAMES
    )
    return tuple(map(heard, told))


async def _heard(*resolvers: DnsServer) -> tuple[Heard, ...]:
    clock = SystemClock()
    servers = tuple(each.address for each in resolvers)
    resolver = Resolver(servers, clock, timeout=timedelta(milliseconds=300))
    await resolver.start()
    try:
        return await inquire(_ask(*resolvers), resolver, Direct(clock))
    finally:
        await resolver.close()


async def test_the_only_resolver_is_not_asked_for_what_it_has_just_said() -> None:
    async with DnsServer(ZONE) as only:
        found, nothing, failed = await _heard(only)
        assert only.asked["example.com", "MX"] == 1
    assert isinstance(found, Said)
    assert (found.records, found.code) == ((Exchange(10, "mx.example.com"),), Code.NOERROR)
    assert found.ttl is not None
    assert isinstance(nothing, Said)
    assert (nothing.records, nothing.code) == ((), Code.NXDOMAIN)
    assert failed == Unanswered(Silence.SERVFAIL)


async def test_each_of_several_resolvers_is_asked_itself() -> None:
    other: dict[tuple[str, str], Content] = {("example.com", "MX"): "10 old.example.com"}
    async with DnsServer(ZONE) as first, DnsServer(other) as second:
        told = await _heard(first, second)
        assert first.asked["example.com", "MX"] == 2
        assert second.asked["example.com", "MX"] == 1
    hosts = [each.records for each in (told[0], told[3]) if isinstance(each, Said)]
    assert hosts == [(Exchange(10, "mx.example.com"),), (Exchange(10, "old.example.com"),)]
    assert isinstance(told[2], Said)
    assert told[2].code is Code.SERVFAIL
