"""Is port 25 open from here? Only who has reached somebody can tell."""

import asyncio
from datetime import timedelta
from ipaddress import ip_address

from agent.adapters.dialer import Dialer
from agent.adapters.egress import Egress
from agent.adapters.line import Line
from agent.adapters.trust import TrustStore
from agent.adapters.walk import Stop, Walker
from agent.domain.lookup import Answer
from agent.domain.smtp import Errand, Phase, Reason, Refused, Unreached
from agent.domain.walk import Walked
from servers.checks import DictResolver
from servers.smtp import Wire, rude_server, scripted, swallowing
from servers.standings import HandClock

OURS, CONTROL = "192.31.196.1", "192.31.196.9"
NAME = "control.example"
ERRAND = Errand("probe.example")


def dialing(clock: HandClock, **places: int) -> Dialer:
    """Return a dialer for which ``control`` and ``ours`` are ports of loopback, if given."""
    where = {"control": CONTROL, "ours": OURS}
    detours = {(where[name], 25): ("127.0.0.1", port) for name, port in places.items()}
    return Dialer(clock=clock, detours=detours, detours_only=True)


def egress(dialer: Dialer, clock: HandClock) -> Egress:
    resolver = DictResolver({NAME: Answer((ip_address(CONTROL),))})
    return Egress([(NAME, 25)], resolver=resolver, dialer=dialer, clock=clock)


async def test_a_control_that_is_reached_proves_it_and_is_not_asked_again_soon() -> None:
    clock = HandClock()
    async with rude_server(scripted(b"220 a\r\n")) as (port, _):
        dialer = dialing(clock, control=port)
        open_ = egress(dialer, clock)
        told = await asyncio.gather(*(open_.is_proven(25) for _ in range(9)))
        assert all(told)
        assert dialer.was_greeted(25, timedelta(minutes=1))
        assert not dialer.was_greeted(587, timedelta(minutes=1))
        clock.advance(timedelta(minutes=14))
        assert await open_.is_proven(25)
    clock.advance(timedelta(minutes=2))
    assert not await open_.is_proven(25)


async def test_without_anybody_it_is_not_proven_and_asked_again_after_a_minute() -> None:
    clock = HandClock()
    dialer = dialing(clock)
    open_ = egress(dialer, clock)
    assert not await open_.is_proven(25)
    async with rude_server(scripted(b"220 a\r\n")) as (port, _):
        dialer.detours[CONTROL, 25] = ("127.0.0.1", port)
        assert not await open_.is_proven(25)
        clock.advance(timedelta(seconds=61))
        assert await open_.is_proven(25)
    open_.replace(())
    clock.advance(timedelta(minutes=16))
    assert not await open_.is_proven(25)


async def test_any_server_that_spoke_proves_it_and_a_mere_connection_does_not() -> None:
    clock = HandClock()
    async with rude_server(scripted(b"220 a\r\n", b"250 a\r\n")) as (port, _):
        dialer = dialing(clock, ours=port)
        open_ = Egress((), resolver=DictResolver(), dialer=dialer, clock=clock)
        async with dialer.connect(ip_address(OURS), 25, reach="public") as line:
            assert isinstance(line, Line)
        assert not await open_.is_proven(25)
        await walk(dialer, clock, None)
    clock.advance(timedelta(seconds=61))
    assert await open_.is_proven(25)


async def walk(dialer: Dialer, clock: HandClock, open_: Egress | None) -> Walked:
    walker = Walker(dialer, TrustStore(system=False), clock, open_)
    stop = Stop(host="mx.example", address=ip_address(OURS))
    return await walker.walk(stop, ERRAND, timedelta(milliseconds=300))


async def test_a_silent_server_is_not_blamed_before_anybody_was_reached() -> None:
    clock = HandClock()
    with swallowing() as silent:
        dialer = dialing(clock, ours=silent)
        open_ = egress(dialer, clock)
        seen = await walk(dialer, clock, open_)
        assert seen.dialogue == Unreached(Phase.CONNECT, Reason.NO_EGRESS)
        assert isinstance(seen.dialogue, Unreached)
        assert "timeout" in seen.dialogue.detail
        async with rude_server(scripted(b"220 a\r\n")) as (port, _):
            dialer.detours[CONTROL, 25] = ("127.0.0.1", port)
            clock.advance(timedelta(seconds=61))
            seen = await walk(dialer, clock, open_)
        assert seen.dialogue == Unreached(Phase.CONNECT, Reason.TIMEOUT)
        clock.advance(timedelta(hours=1))
        seen = await walk(dialer, clock, None)
        assert seen.dialogue == Unreached(Phase.CONNECT, Reason.TIMEOUT)


async def test_a_server_that_throttles_is_left_alone_and_tried_again() -> None:
    clock = HandClock()
    async with rude_server(scripted(b"421 4.3.2 too many connections\r\n")) as (port, _):
        dialer = dialing(clock, ours=port)
        first = await walk(dialer, clock, None)
        assert isinstance(first.dialogue, Refused)
        assert first.throttled_for == timedelta()
        second = await walk(dialer, clock, None)
        assert second.dialogue == Unreached(Phase.CONNECT, Reason.HELD_BACK)
        clock.advance(timedelta(minutes=40))
        third = await walk(dialer, clock, None)
        assert third.throttled_for == timedelta(minutes=40)
    async with rude_server(scripted(b"220 mx.example\r\n", b"250 mx.example\r\n")) as (port, _):
        dialer.detours[OURS, 25] = ("127.0.0.1", port)
        clock.advance(timedelta(minutes=40))
        fourth = await walk(dialer, clock, None)
    assert fourth.throttled_for is None


async def drop(wire: Wire) -> None:
    wire.reset()


async def test_a_device_that_takes_every_connection_and_drops_it_is_not_the_server() -> None:
    clock = HandClock()
    async with rude_server(drop) as (port, _):
        dialer = dialing(clock, ours=port, control=port)
        seen = await walk(dialer, clock, egress(dialer, clock))
        assert seen.dialogue == Unreached(Phase.GREETING, Reason.NO_EGRESS)
        async with rude_server(scripted(b"220 a\r\n")) as (other, _):
            dialer.detours[CONTROL, 25] = ("127.0.0.1", other)
            clock.advance(timedelta(seconds=61))
            seen = await walk(dialer, clock, egress(dialer, clock))
    assert seen.dialogue == Unreached(Phase.GREETING, Reason.CONNECTION_LOST)
