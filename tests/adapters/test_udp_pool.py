"""Do sockets get replaced, and nothing lost with them?"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from agent.adapters.dns_question import encode_question
from agent.adapters.resolver_stats import ResolverStats, ServerStats
from agent.adapters.udp_pool import RENEW_AFTER, SOCKETS, Ask, Channel, UdpPool
from servers.dns import DnsServer, Fault, Held


class Inbox:
    """What a pool delivers."""

    def __init__(self) -> None:
        self.received: list[tuple[Ask, bytes]] = []
        self.lost: list[Ask] = []
        self.changed = asyncio.Event()

    def receive(self, ask: Ask, wire: bytes) -> None:
        self.received.append((ask, wire))
        self.changed.set()

    def lose(self, ask: Ask) -> None:
        self.lost.append(ask)
        self.changed.set()

    async def wait(self) -> None:
        await self.changed.wait()
        self.changed.clear()


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer({("example.com", "TXT"): "v=spf1 -all"}) as server:
        yield server


@pytest.fixture
async def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def pool(server: DnsServer, inbox: Inbox) -> AsyncIterator[UdpPool]:
    pool = UdpPool(server.address, ResolverStats(), ServerStats("test"), inbox.receive, inbox.lose)
    yield pool
    pool.close()


def ask() -> Ask:
    question = encode_question("example.com", "TXT")
    assert question is not None
    return Ask(None, question, edns=True, server=0)


async def test_queries_come_from_several_ports_under_ids_that_differ(
    server: DnsServer, pool: UdpPool, inbox: Inbox
) -> None:
    asks = [ask() for _ in range(200)]
    assert all(pool.send(one, 0.0) for one in asks)
    ports = {one.channel for one in asks}
    while len(inbox.received) < len(asks):
        await inbox.wait()
    assert len(ports) == SOCKETS
    assert len({one.ident for one in asks}) > 190
    assert server.datagrams == 200


async def test_sockets_are_replaced_after_a_while_and_late_replies_still_come(
    server: DnsServer, pool: UdpPool, inbox: Inbox
) -> None:
    held = server.zone["example.com", "TXT"] = Held("v=spf1 -all")
    first, second = ask(), ask()
    pool.send(first, 0.0)
    await server.wait_until_asked("example.com", "TXT")
    old_port = server.last_client[1]
    pool.send(second, RENEW_AFTER + 1)
    await server.wait_until_asked("example.com", "TXT", times=2)
    assert server.last_client[1] != old_port
    assert len(pool.retired) == 1  # the three that nothing waits on are gone
    held.until.set()
    while len(inbox.received) < 2:
        await inbox.wait()
    assert {id(one) for one, _ in inbox.received} == {id(first), id(second)}
    assert not pool.retired


async def test_a_retired_socket_is_closed_when_nothing_is_expected_any_more(
    server: DnsServer, pool: UdpPool
) -> None:
    server.zone["example.com", "TXT"] = Fault.SILENT
    first = ask()
    pool.send(first, 0.0)
    pool.send(ask(), RENEW_AFTER + 1)
    assert len(pool.retired) == 1
    first.forget()
    first.forget()
    assert not pool.retired


async def test_everything_that_waits_is_lost_where_nobody_listens(
    server: DnsServer, pool: UdpPool, inbox: Inbox
) -> None:
    server.zone["example.com", "TXT"] = Fault.SILENT
    pool.send(ask(), 0.0)
    await server.wait_until_asked("example.com", "TXT")
    await server.stop()
    for _ in range(8):
        pool.send(ask(), 1.0)
    while len(inbox.lost) < 9:
        await inbox.wait()
        pool.send(ask(), 1.0)  # errors come one at a time, to the next who sends
    await server.start(server.port)


@pytest.fixture
async def full(pool: UdpPool) -> AsyncIterator[Channel]:
    """A channel whose socket takes nothing more, because nobody reads what it has sent."""
    connection, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with other:
        with suppress(BlockingIOError):
            while True:
                connection.send(b"full")
        channel = Channel(pool, connection)
        yield channel
        channel.close()


async def test_an_id_under_way_is_not_drawn_again(full: Channel) -> None:
    asks = [ask() for _ in range(3000)]  # of 65536 ids, some seventy would be drawn twice
    assert all(full.send(each) for each in asks)
    assert len({each.ident for each in asks}) == len(full.pending) == len(asks)


async def test_a_full_buffer_is_as_good_as_a_lost_packet(full: Channel) -> None:
    one = ask()
    assert full.send(one)
    assert full.pending == {one.ident: one}


async def test_a_query_that_the_system_will_not_send_is_not_expected_back(pool: UdpPool) -> None:
    connected_to_nothing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    channel = Channel(pool, connected_to_nothing)
    assert not channel.send(ask())
    assert channel.pending == {}
    channel.close()


async def test_a_stepped_wall_clock_does_not_spoil_round_trips(pool: UdpPool, inbox: Inbox) -> None:
    one = ask()
    pool.send(one, 0.0)
    one.sent += 10**15
    await inbox.wait()
    assert pool.server.round_trips == 0
