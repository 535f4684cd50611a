"""Which addresses are connected to, and by how many connections."""

import asyncio
import errno
from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer, Reach, is_allowed, reason_of
from agent.adapters.line import Line
from agent.domain.smtp import Reason
from servers.smtp import rude_server, scripted

LOOPBACK = ip_address("127.0.0.1")


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        pytest.param("192.31.196.10", True, True, id="routable"),
        pytest.param("2606:4700::1", True, True, id="routable IPv6"),
        pytest.param("10.0.0.1", False, True, id="private"),
        pytest.param("fd00::1", False, True, id="unique local"),
        pytest.param("100.64.0.1", False, True, id="carrier-grade NAT"),
        pytest.param("127.0.0.1", False, False, id="loopback"),
        pytest.param("::1", False, False, id="loopback IPv6"),
        pytest.param("0.0.0.0", False, False, id="unspecified"),
        pytest.param("169.254.10.1", False, False, id="link-local"),
        pytest.param("fe80::1", False, False, id="link-local IPv6"),
        pytest.param("169.254.169.254", False, False, id="metadata"),
        pytest.param("fd00:ec2::254", False, False, id="metadata IPv6"),
        pytest.param("100.100.100.200", False, False, id="another metadata"),
        pytest.param("224.0.0.1", False, False, id="multicast"),
        pytest.param("255.255.255.255", False, False, id="broadcast"),
        pytest.param("::ffff:127.0.0.1", False, False, id="mapped loopback"),
        pytest.param("::ffff:10.0.0.1", False, True, id="mapped private"),
        pytest.param("64:ff9b::7f00:1", False, False, id="translated loopback"),
        pytest.param("2002:7f00:1::", False, False, id="6to4 loopback"),
        pytest.param("64:ff9b::c01f:c40a", True, True, id="translated routable"),
        pytest.param("64:ff9b:1::7f00:1", False, False, id="loopback by a translator of our own"),
        pytest.param("64:ff9b:1::a00:1", False, True, id="private by a translator of our own"),
        pytest.param("::127.0.0.1", False, False, id="compatible loopback"),
        pytest.param("::10.0.0.1", False, True, id="compatible private"),
        pytest.param("::ffff:0:127.0.0.1", False, False, id="stateless loopback"),
        pytest.param("fec0::1", False, True, id="site-local"),
        pytest.param("168.63.129.16", False, True, id="metadata at a public address"),
    ],
)
def test_addresses_in_public_data_do_not_lead_inside(
    address: str, *, public: bool, private: bool
) -> None:
    assert is_allowed(ip_address(address), "public") is public
    assert is_allowed(ip_address(address), "private") is private
    assert is_allowed(ip_address(address), "any")


async def attempt(dialer: Dialer, address: str, port: int, reach: Reach) -> Line | Reason:
    async with dialer.connect(ip_address(address), port, reach=reach) as line:
        return line


async def test_a_forbidden_address_is_not_connected_to() -> None:
    async with rude_server(scripted(b"220 a\r\n")) as (port, _):
        dialer = Dialer(clock=SystemClock())
        assert await attempt(dialer, "127.0.0.1", port, "public") is Reason.FORBIDDEN_ADDRESS
        assert isinstance(await attempt(dialer, "127.0.0.1", port, "any"), Line)


async def test_a_detour_is_taken_and_nothing_else_reached() -> None:
    async with rude_server(scripted(b"220 a\r\n")) as (port, _):
        detours = {("192.31.196.10", 25): ("127.0.0.1", port)}
        dialer = Dialer(clock=SystemClock(), detours=detours, detours_only=True)
        assert isinstance(await attempt(dialer, "192.31.196.10", 25, "public"), Line)
        assert await attempt(dialer, "192.31.196.11", 25, "public") is Reason.FORBIDDEN_ADDRESS


async def test_a_host_sees_a_bounded_number_of_connections() -> None:
    dialer = Dialer(clock=SystemClock(), per_host=2)
    taken = asyncio.Semaphore(0)
    release = asyncio.Event()
    now = most = 0

    async def use(port: int) -> None:
        nonlocal now, most
        async with dialer.connect(LOOPBACK, port, reach="any"):
            now += 1
            most = max(most, now)
            taken.release()
            await release.wait()
            now -= 1

    async with rude_server(scripted(b"220 a\r\n")) as (port, _), asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(use(port))
        for _ in range(2):
            await taken.acquire()
        release.set()
    assert most == 2
    assert dialer.hosts_in_use == 0


async def test_a_host_without_room_is_waited_for_and_not_for_ever() -> None:
    dialer = Dialer(clock=SystemClock(), per_host=1)
    async with rude_server(scripted(b"220 a\r\n")) as (port, _):
        async with (
            dialer.connect(LOOPBACK, port, reach="any"),
            dialer.connect(
                LOOPBACK, port, reach="any", patience=timedelta(milliseconds=20)
            ) as second,
        ):
            assert second is Reason.BUSY
        assert isinstance(await attempt(dialer, "127.0.0.1", port, "any"), Line)
    assert dialer.hosts_in_use == 0


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        pytest.param(errno.ECONNREFUSED, Reason.REFUSED, id="refused"),
        pytest.param(errno.EHOSTUNREACH, Reason.TIMEOUT, id="a router says so"),
        pytest.param(errno.ECONNRESET, Reason.CONNECTION_LOST, id="reset"),
        pytest.param(errno.ENETUNREACH, Reason.NO_ROUTE, id="no network"),
        pytest.param(errno.EMFILE, Reason.EXHAUSTED, id="no sockets"),
        pytest.param(errno.EINVAL, Reason.NO_ROUTE, id="anything else"),
    ],
)
def test_every_failure_has_its_reason(number: int, reason: Reason) -> None:
    assert reason_of(OSError(number, "")) is reason
