"""Does the resolver tell what DNS says, and never what it does not?"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest

from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Exchange, Query, Silence, TextRecord, Unanswered
from servers.dns import AliasOnly, DnsServer, Fault, Held, Published

SPF = Query("example.com", "TXT", fresh=True)
CACHED = Query("example.com", "TXT")
DENY = Answer((TextRecord((b"v=spf1 -all",)),))


@dataclass
class HandClock:
    """A clock that the test sets."""

    seconds: float = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer({("example.com", "TXT"): "v=spf1 -all"}) as server:
        yield server


@pytest.fixture
async def resolver(server: DnsServer, clock: HandClock) -> AsyncIterator[Resolver]:
    resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=300))
    await resolver.start()
    yield resolver
    await resolver.close()


async def test_records_of_each_type_are_read(server: DnsServer, resolver: Resolver) -> None:
    server.zone |= {
        ("example.com", "TXT"): ["v=spf1 -all", "x" * 300],
        ("example.com", "MX"): ["20 b.Example.com.", "10 a.example.com", "0 ."],
        ("a.example.com", "A"): "192.0.2.1",
        ("a.example.com", "AAAA"): "2001:db8::1",
        ("1.2.0.192.in-addr.arpa", "PTR"): "a.example.com",
        ("example.com", "NS"): ["ns2.example.com", "ns1.example.com"],
        ("www.example.com", "CNAME"): "a.example.com",
        ("example.com", "SPF"): "v=spf1 ?all",
        ("_25._tcp.a.example.com", "TLSA"): "3 1 1 " + "ab" * 32,
        ("example.com", "SOA"): "ns.example.com",
    }
    replies = await resolver.resolve_all(
        (
            Query("example.com", "TXT"),
            Query("example.com", "MX"),
            Query("a.example.com", "A"),
            Query("a.example.com", "AAAA"),
            Query("1.2.0.192.in-addr.arpa", "PTR"),
            Query("example.com", "NS"),
            Query("www.example.com", "CNAME"),
            Query("example.com", "SPF"),
            Query("_25._tcp.a.example.com", "TLSA"),
        )
    )
    assert replies == (
        Answer((TextRecord((b"v=spf1 -all",)), TextRecord((b"x" * 255, b"x" * 45)))),
        Answer((Exchange(0, ""), Exchange(10, "a.example.com"), Exchange(20, "b.example.com"))),
        Answer((IPv4Address("192.0.2.1"),)),
        Answer((IPv6Address("2001:db8::1"),)),
        Answer(("a.example.com",)),
        Answer(("ns1.example.com", "ns2.example.com")),
        Answer(("a.example.com",)),
        Answer((TextRecord((b"v=spf1 ?all",)),)),
        Answer(("3 1 1 " + "ab" * 32,)),
    )
    soa = await resolver.resolve(Query("example.com", "SOA"))
    assert isinstance(soa, Answer)
    assert str(soa.records[0]).startswith("ns.example.com. ns.example.com. 1 3600")


async def test_absence_of_the_name_and_of_the_type_are_told_apart(resolver: Resolver) -> None:
    assert await resolver.resolve(Query("example.com", "A")) == Answer()
    assert await resolver.resolve(Query("nowhere.example", "A")) == Answer(name_exists=False)


async def test_a_record_published_twice_is_seen_twice(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = ["v=spf1 -all", "v=spf1 -all"]
    reply = await resolver.resolve(SPF)
    assert isinstance(reply, Answer)
    assert len(reply.records) == 2


async def test_an_answer_says_its_ttl_and_its_size(server: DnsServer, resolver: Resolver) -> None:
    server.zone["example.com", "TXT"] = Published("v=spf1 -all", ttl=77)
    reply = await resolver.resolve(SPF)
    assert isinstance(reply, Answer)
    assert (reply.ttl, reply.size) == (77, 12 + 17 + 12 + 12 + 11)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a" * 64 + ".example", id="label of 64 octets"),
        pytest.param("a..example", id="empty label"),
        pytest.param(".".join(["a" * 60] * 5), id="name of 305 octets"),
        pytest.param("\u0100.example", id="character that is no octet"),
    ],
)
async def test_a_name_that_dns_cannot_carry_is_not_asked(
    name: str, server: DnsServer, resolver: Resolver
) -> None:
    assert await resolver.resolve(Query(name, "A")) == Unanswered(Silence.MALFORMED)
    assert server.datagrams == 0


@pytest.mark.parametrize(
    "name",
    [
        pytest.param('a b".example', id="space and quote"),
        pytest.param("\\032@.example", id="backslash and at sign"),
        pytest.param("\xff\x00.example", id="octets above and below ASCII"),
        pytest.param("", id="the root"),
    ],
)
async def test_any_octet_may_stand_in_a_name(
    name: str, server: DnsServer, resolver: Resolver
) -> None:
    server.zone[name, "TXT"] = "found"
    assert await resolver.resolve(Query(name, "TXT")) == Answer((TextRecord((b"found",)),))


async def test_equal_questions_under_way_are_asked_once(
    server: DnsServer, resolver: Resolver
) -> None:
    held = server.zone["example.com", "TXT"] = Held("v=spf1 -all")
    tasks = [asyncio.create_task(resolver.resolve(SPF)) for _ in range(5)]
    await server.wait_until_asked("example.com", "TXT")
    tasks[0].cancel()  # whoever gives up does not spoil it for the others
    held.until.set()
    replies = await asyncio.gather(*tasks[1:])
    assert {id(reply) for reply in replies} == {id(replies[0])}
    assert server.asked["example.com", "TXT"] == 1
    assert resolver.stats.coalesced == 4
    assert resolver.stats.in_flight == 0


async def test_no_more_questions_are_under_way_than_allowed(
    server: DnsServer, clock: HandClock
) -> None:
    resolver = Resolver((server.address,), clock, in_flight=2)
    held = server.zone["a.example", "TXT"] = server.zone["b.example", "TXT"] = Held("x")
    names = ("a.example", "b.example", "c.example", "d.example")
    task = asyncio.create_task(resolver.resolve_all(tuple(Query(name, "TXT") for name in names)))
    await server.wait_until_asked("b.example", "TXT")
    assert (resolver.stats.in_flight, resolver.stats.waiting) == (2, 2)
    assert server.asked["c.example", "TXT"] == 0
    held.until.set()
    assert len(await task) == 4
    assert (resolver.stats.in_flight, resolver.stats.waiting) == (0, 0)
    await resolver.close()


async def test_closing_ends_what_is_under_way(server: DnsServer, clock: HandClock) -> None:
    resolver = Resolver((server.address,), clock, in_flight=1)
    server.zone["example.com", "TXT"] = Fault.SILENT
    task = asyncio.create_task(resolver.resolve_all((SPF, Query("b.example", "A"))))
    await server.wait_until_asked("example.com", "TXT")
    await resolver.close()
    assert await task == (Unanswered(Silence.UNREACHABLE),) * 2


async def test_round_trips_are_measured(resolver: Resolver) -> None:
    await resolver.resolve(SPF)
    known = resolver.stats.servers[0]
    assert (known.udp_queries, known.round_trips, known.up) == (1, 1, True)
    assert 0 < known.round_trip_last == known.round_trip_sum < 0.3


async def test_a_flood_that_cannot_be_sent_is_answered_without_recursion(
    clock: HandClock,
) -> None:
    resolver = Resolver((("255.255.255.255", 53),), clock, in_flight=1)
    queries = tuple(Query(f"n{n}.example", "A") for n in range(3000))
    replies = await resolver.resolve_all(queries)
    assert set(replies) == {Unanswered(Silence.UNREACHABLE)}
    assert (resolver.stats.in_flight, resolver.stats.waiting) == (0, 0)
    await resolver.close()


async def test_a_flood_that_nobody_listens_to_is_answered(
    server: DnsServer, resolver: Resolver
) -> None:
    await server.stop()
    replies = await resolver.resolve_all(tuple(Query(f"n{n}.example", "A") for n in range(600)))
    assert set(replies) == {Unanswered(Silence.UNREACHABLE)}
    await server.start(server.port)
    assert await resolver.resolve(SPF) == DENY


async def test_an_unfinished_chain_with_another_look_is_the_same_answer(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    server.zone["a.example", "TXT"] = AliasOnly("example.com")
    query = Query("a.example", "TXT")
    first = await resolver.resolve(query)
    clock.seconds += 301
    server.shouts = True  # the same, in other octets
    assert await resolver.resolve(query) is first
    server.zone["example.com", "TXT"] = Published("v=spf1 -all", ttl=400)
    clock.seconds += 301
    higher = await resolver.resolve(query)
    assert higher == first
    assert isinstance(higher, Answer)
    assert higher.ttl == 400
