"""The certificate of a web server is seen, whatever may be wrong with it."""

import asyncio
from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.adapters.dialer import Dialer
from agent.adapters.https import PORT
from agent.adapters.https_shown import WebGlance
from agent.domain.tls import Trust
from servers.policy_host import PolicyHost
from servers.standings import HandClock
from servers.tls import Authorities

HOST = "mta-sts.contoso.com"
ONE, TWO = ip_address("192.31.196.80"), ip_address("192.31.196.81")
SHORT = timedelta(milliseconds=300)


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


def glance(authorities: Authorities, **ports: int) -> WebGlance:
    detours = {
        (str(ip), PORT): ("127.0.0.1", port)
        for ip, port in zip((ONE, TWO), ports.values(), strict=False)
    }
    clock = HandClock()
    dialer = Dialer(clock=clock, detours=detours, detours_only=True)
    return WebGlance(dialer, authorities.store, clock)


async def test_the_first_address_that_can_be_reached_counts(authorities: Authorities) -> None:
    async with PolicyHost(authorities, HOST) as host:
        host.context = authorities.server("other.example", known=False)
        looks = glance(authorities, closed=1, open=host.port)
        seen = await looks.at(HOST, (ONE, TWO), timedelta(seconds=5))
    assert seen is not None
    assert seen.leaf.held == ("other.example",)
    assert seen.trust is not Trust.TRUSTED
    assert looks.dialer.was_greeted(PORT, timedelta(seconds=1))


async def test_a_server_that_shows_nothing_gives_nothing(authorities: Authorities) -> None:
    async def wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reader.read(-1)
        writer.close()

    async def end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    for serve in (wait, end):
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            looks = glance(authorities, only=server.sockets[0].getsockname()[1])
            assert await looks.at(HOST, (ONE,), SHORT) is None
            assert not looks.dialer.was_greeted(PORT, timedelta(days=1))
    assert await glance(authorities).at(HOST, (ONE,), SHORT) is None
