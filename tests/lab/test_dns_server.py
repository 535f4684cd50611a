"""Does the lab's resolver tell what its world holds, and what its faults make of it?"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dns_serving import REFUSED, Question
from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Exchange, Query, Silence, Unanswered
from agent.lab.dns_server import GATE, SHARED_TTL, DnsServer
from agent.lab.faults import World


def encode(name: bytes) -> bytes:
    """A query for the SOA record of *name*, which is written as on the wire."""
    return b"\x00\x07\x01\x00\x00\x01" + bytes(6) + name + b"\x00\x06\x00\x01"


QUESTION = encode(b"\x07contoso\x03com\x00")


@contextmanager
def taken() -> Iterator[int]:
    """A port of loopback that somebody uses for UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        yield other.getsockname()[1]


async def ask_over_tcp(port: int, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(len(query).to_bytes(2) + query)
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply[2:]


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


async def test_a_port_that_is_taken_for_udp_is_passed_over(world: World) -> None:
    with taken() as port:
        async with DnsServer(world, ports=(port, 0)) as server:
            assert server.port != port
            assert await ask_over_tcp(server.port, QUESTION) != b""
        with pytest.raises(OSError, match="in use"):
            await DnsServer(world, ports=(port,)).__aenter__()
        # It is not kept half open, for TCP only.
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_the_root_is_refused_as_by_a_server_that_is_no_resolver(world: World) -> None:
    async with DnsServer(world) as server:
        wire = await ask_over_tcp(server.port, encode(b"\x00"))
    assert wire[3] & 0x0F == REFUSED


async def test_a_silent_resolver_is_silent_over_tcp_too(world: World) -> None:
    world.break_("dns-silent")
    async with DnsServer(world) as server:
        assert await ask_over_tcp(server.port, QUESTION) == b""


async def test_a_server_that_was_never_started_can_be_closed(world: World) -> None:
    await DnsServer(world).__aexit__()


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


async def test_a_gate_has_one_address_for_every_name_and_nothing_else(
    world: World, resolver: Resolver
) -> None:
    world.break_("dns-captive")
    for name in ("contoso.com", "no-such-name.invalid"):
        answer = await resolver.resolve(Query(name, "A", fresh=True))
        assert isinstance(answer, Answer)
        assert answer.records == (GATE,)
        exchanges = await resolver.resolve(Query(name, "MX", fresh=True))
        assert isinstance(exchanges, Answer)
        assert exchanges.is_void
        assert exchanges.name_exists
    world.mend()
    answer = await resolver.resolve(Query("com", "SOA", fresh=True))
    assert isinstance(answer, Answer)
    assert answer.records
