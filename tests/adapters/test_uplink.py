"""Are all servers silent, or is it we who are cut off?"""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from ipaddress import IPv4Address
from typing import cast

import pytest

from agent.adapters.clock import Clock
from agent.adapters.dialer import Dialer
from agent.adapters.egress import Egress
from agent.adapters.uplink import Uplink
from agent.domain.lookup import Answer, Reply, Silence, Unanswered
from servers.checks import DictResolver
from servers.free_ports import free_port
from servers.smtp import swallowing
from servers.standings import HandClock

ADDRESS, OTHER = IPv4Address("192.31.196.26"), IPv4Address("192.31.196.27")
KNOWN: dict[str, Reply] = {"control.example": Answer((ADDRESS,)), "gone.example": Answer((OTHER,))}
SERVER = IPv4Address("192.31.196.25")


class World:
    """An uplink, and where its controls and a server really are: ports of this machine."""

    def __init__(self, zone: dict[str, Reply] = KNOWN, **ports: int) -> None:
        self.clock = HandClock()
        detours = {
            (str(address), 443): ("127.0.0.1", ports[name])
            for name, address in (("control", ADDRESS), ("gone", OTHER), ("server", SERVER))
            if name in ports
        }
        self.dialer = Dialer(clock=cast("Clock", self.clock), detours=detours, detours_only=True)
        self.uplink = Uplink(
            [("control.example", 443), ("gone.example", 443)],
            resolver=DictResolver(zone),
            dialer=self.dialer,
            clock=cast("Clock", self.clock),
        )

    async def knock(self, seconds: float = 5) -> None:
        """Try to connect to the server, and be cut off by a deadline."""
        try:
            async with asyncio.timeout(seconds), self.dialer.connect(SERVER, 443, reach="public"):
                pass
        except TimeoutError:
            pass


async def listening(stack: AsyncExitStack) -> int:
    """Return a port of this machine at which somebody lets everybody in."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    stack.callback(server.close)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def test_nobody_is_asked_as_long_as_connections_open() -> None:
    async with AsyncExitStack() as stack:
        world = World(server=await listening(stack), control=free_port())
        assert await world.uplink.is_up()
        await world.knock()
        assert await world.uplink.is_up()


async def test_one_control_that_can_be_reached_is_enough() -> None:
    async with AsyncExitStack() as stack:
        world = World(server=free_port(), control=await listening(stack), gone=free_port())
        await world.knock()
        assert world.dialer.is_in_doubt
        assert await world.uplink.is_up()
        assert not world.dialer.is_in_doubt


@pytest.mark.parametrize("what", ["refused", "dropped"])
async def test_it_is_down_when_no_control_can_be_reached_until_one_can(what: str) -> None:
    async with AsyncExitStack() as stack:
        port = stack.enter_context(swallowing()) if what == "dropped" else free_port()
        world = World(server=port, control=port, gone=port)
        await world.knock(0.1 if what == "dropped" else 5)
        assert not await world.uplink.is_up()
        egress = Egress(
            [],
            resolver=DictResolver(),
            dialer=world.dialer,
            clock=cast("Clock", world.clock),
            uplink=world.uplink,
        )
        world.dialer.note_greeting(SERVER, 25)
        assert not await egress.is_proven(25)  # whoever greeted us did so before
        world.dialer.detours[str(ADDRESS), 443] = ("127.0.0.1", await listening(stack))
        world.clock.advance(timedelta(seconds=1))
        assert await world.uplink.is_up()
        # Who has waited since then may have waited because of that.
        assert await world.uplink.was_down()
        world.clock.advance(timedelta(seconds=10))
        assert not await world.uplink.was_down()
        assert await world.uplink.was_down(60)
        assert await egress.is_proven(25)


@pytest.mark.parametrize(
    ("zone", "ports"),
    [
        pytest.param({}, {}, id="the controls do not exist"),
        pytest.param(
            dict.fromkeys(KNOWN, Unanswered(Silence.TIMEOUT)), {}, id="nobody says where they are"
        ),
        pytest.param(KNOWN, {}, id="we do not connect there"),
    ],
)
async def test_controls_that_say_nothing_do_not_make_it_down(
    zone: dict[str, Reply], ports: dict[str, int]
) -> None:
    world = World(zone, server=free_port(), **ports)
    await world.knock()
    assert world.dialer.is_in_doubt
    assert await world.uplink.is_up()


async def test_without_controls_it_is_not_judged() -> None:
    clock = cast("Clock", HandClock())
    dialer = Dialer(clock=clock)
    dialer.is_in_doubt = True
    uplink = Uplink([], resolver=DictResolver(), dialer=dialer, clock=clock)
    assert await uplink.is_up()
    assert uplink.controls == ()


async def test_those_who_ask_at_once_share_one_answer() -> None:
    asked = 0

    def welcome(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    async with AsyncExitStack() as stack:
        port = free_port()
        world = World(server=port, control=port, gone=port)
        await world.knock()
        server = await asyncio.start_server(welcome, "127.0.0.1", 0)
        stack.callback(server.close)
        there = server.sockets[0].getsockname()
        world.dialer.detours[str(ADDRESS), 443] = (there[0], there[1])
        assert all(await asyncio.gather(*(world.uplink.is_up() for _ in range(20))))
    assert asked == 1
