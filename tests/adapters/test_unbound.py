"""Does the resolver get along with a real recursive one?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Exchange, Query, Silence, TextRecord, Unanswered
from servers import unbound
from servers.dns import DnsServer, Fault

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(unbound.PROGRAM is None, reason="unbound is not installed"),
]
DENY = Answer((TextRecord((b"v=spf1 -all",)),))


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer({("example.com", "TXT"): "v=spf1 -all"}) as server:
        yield server


@pytest.fixture
async def resolver(server: DnsServer) -> AsyncIterator[Resolver]:
    async with unbound.unbound(server.address) as address:
        resolver = Resolver((address,), SystemClock(), timeout=timedelta(seconds=5))
        yield resolver
        await resolver.close()


async def test_a_recursive_resolvers_answers_are_read_and_recognised(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "MX"] = [f"10 mx{n}.example.com" for n in range(5)]
    server.zone["alias.example.com", "CNAME"] = "example.com"
    queries = (
        Query("example.com", "TXT", fresh=True),
        Query("example.com", "MX", fresh=True),
        Query("alias.example.com", "TXT", fresh=True),
        Query("example.com", "A", fresh=True),
        Query("nowhere.example", "A", fresh=True),
    )
    first = await resolver.resolve_all(queries)
    assert first == (
        DENY,
        Answer(tuple(Exchange(10, f"mx{n}.example.com") for n in range(5))),
        Answer(DENY.records, aliases=("example.com",)),
        Answer(),
        Answer(name_exists=False),
    )
    for _ in range(8):  # unbound rotates the exchanges
        assert all(map(_is, await resolver.resolve_all(queries), first))
    assert server.asked["example.com", "TXT"] <= 2


async def test_a_long_answer_comes_over_tcp(server: DnsServer, resolver: Resolver) -> None:
    server.zone["example.com", "TXT"] = [str(n) * 100 for n in range(100, 160)]
    reply = await resolver.resolve(Query("example.com", "TXT"))
    assert isinstance(reply, Answer)
    assert len(reply.records) == 60
    assert resolver.stats.servers[0].tcp_queries == 1


async def test_what_the_recursive_resolver_cannot_learn_is_unanswered(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = Fault.SERVFAIL
    server.zone["a.example", "CNAME"] = "b.example"
    server.zone["b.example", "CNAME"] = "a.example"
    servfail, loop = await resolver.resolve_all(
        (Query("example.com", "TXT"), Query("a.example", "A"))
    )
    assert servfail == Unanswered(Silence.SERVFAIL)
    assert isinstance(loop, Unanswered)


async def test_four_hundred_questions_at_once_are_answered(
    server: DnsServer, resolver: Resolver
) -> None:
    for n in range(400):
        server.zone[f"n{n}.example", "TXT"] = f"v=spf1 ip4:192.0.2.{n % 256} -all"
    async with asyncio.timeout(20):
        replies = await resolver.resolve_all(
            tuple(Query(f"n{n}.example", "TXT", fresh=True) for n in range(400))
        )
    assert all(isinstance(reply, Answer) and reply.records for reply in replies)


def _is(one: object, other: object) -> bool:
    return one is other
