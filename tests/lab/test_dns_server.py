import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dns_serving import Question
from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Exchange, Query, Silence, Unanswered
from agent.lab.dns_server import SHARED_TTL, DnsServer
from agent.lab.faults import World


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def resolver(world: World) -> AsyncIterator[Resolver]:
    async with DnsServer(world) as server:
        resolver = Resolver(
            (("127.0.0.1", server.port),),
            SystemClock(),
            timeout=timedelta(milliseconds=200),
            attempts=1,
        )
        await resolver.start()
        yield resolver
        await resolver.close()


async def test_the_world_answers(resolver: Resolver) -> None:
    reply = await resolver.resolve(Query("contoso.com", "MX"))
    assert reply == Answer((Exchange(0, "contoso-com.mail.protection.outlook.com"),))


async def test_what_the_world_lacks_does_not_exist(resolver: Resolver) -> None:
    reply = await resolver.resolve(Query("nobody.example", "MX"))
    assert isinstance(reply, Answer)
    assert not reply.name_exists


async def test_a_failing_domain_is_unanswered_and_not_absent(
    resolver: Resolver, world: World
) -> None:
    world.break_("dns-failing")
    reply = await resolver.resolve(Query("contoso.com", "MX", fresh=True))
    assert reply == Unanswered(Silence.SERVFAIL)


async def test_a_silent_resolver_is_a_timeout(resolver: Resolver, world: World) -> None:
    world.break_("dns-silent")
    reply = await resolver.resolve(Query("contoso.com", "MX", fresh=True))
    assert reply == Unanswered(Silence.TIMEOUT)


@pytest.mark.parametrize(
    "name",
    ["contoso-com.mail.protection.outlook.com", "nobody.example"],
    ids=["no such type", "no such name"],
)
def test_what_is_absent_may_be_kept_only_briefly_so_that_its_mending_shows(name: str) -> None:
    server = DnsServer(World())
    response = server._response(Question(b"id", name, "AAAA", b""))
    assert [record.ttl for record in response.authority] == [SHARED_TTL]


async def test_a_long_answer_comes_over_tcp(resolver: Resolver, world: World) -> None:
    world.zone["long.example", "TXT"] = world.zone["adatum.com", "TXT"] * 40
    reply = await resolver.resolve(Query("long.example", "TXT"))
    assert isinstance(reply, Answer)
    assert len(reply.records) == 40


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\x00\x05abc", b"\x00\x0cGET / HTTP/1"])
async def test_noise_over_tcp_gets_no_answer_and_does_no_harm(world: World, octets: bytes) -> None:
    async with DnsServer(world) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(octets)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
