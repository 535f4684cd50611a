"""Does the resolver tell what DNS says, and never what it does not?"""

from collections.abc import AsyncIterator
from ipaddress import IPv4Address

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Exchange, Query, Silence, TextRecord, Unanswered
from servers.dns import DnsServer, Fault, Truncated


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer() as server:
        yield server


@pytest.fixture
async def resolver(server: DnsServer) -> AsyncIterator[Resolver]:
    resolver = Resolver((server.address,), SystemClock())
    await resolver.start()
    yield resolver
    await resolver.close()


async def test_records_of_each_type_are_read(server: DnsServer, resolver: Resolver) -> None:
    server.zone["example.com", "TXT"] = ["v=spf1 -all", "x" * 300]
    server.zone["example.com", "MX"] = ["20 b.example.com.", "10 a.example.com"]
    server.zone["a.example.com", "A"] = "192.0.2.1"
    txt, mx, a = await resolver.resolve_all(
        (Query("example.com", "TXT"), Query("example.com", "MX"), Query("a.example.com", "A"))
    )
    assert txt == Answer((TextRecord((b"v=spf1 -all",)), TextRecord((b"x" * 255, b"x" * 45))))
    assert mx == Answer((Exchange(10, "a.example.com"), Exchange(20, "b.example.com")))
    assert a == Answer((IPv4Address("192.0.2.1"),))


async def test_a_truncated_answer_is_asked_for_again_over_tcp(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = ["y" * 250 + str(n) for n in range(10)]
    server.zone["cut.example.com", "TXT"] = Truncated("v=spf1 -all")
    first, second = await resolver.resolve_all(
        (Query("example.com", "TXT"), Query("cut.example.com", "TXT"))
    )
    assert isinstance(first, Answer)
    assert len(first.records) == 10
    assert second == Answer((TextRecord((b"v=spf1 -all",)),))
    assert server.connections == 2


async def test_a_failure_is_no_absence(server: DnsServer, resolver: Resolver) -> None:
    server.zone["example.com", "TXT"] = Fault.SERVFAIL
    reply = await resolver.resolve(Query("example.com", "TXT"))
    assert reply == Unanswered(Silence.SERVFAIL)
    assert await resolver.resolve(Query("example.com", "A")) == Answer()
    assert await resolver.resolve(Query("nowhere.example", "A")) == Answer(name_exists=False)


async def test_an_unchanged_answer_is_the_same_object(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = "v=spf1 -all"
    query = Query("example.com", "TXT", fresh=True)
    assert await resolver.resolve(query) is await resolver.resolve(query)
    assert server.asked["example.com", "TXT"] == 2
    assert resolver.stats.unchanged == 1
