"""Whoever speaks HTTP to the agent badly, slowly or in great number keeps nobody else out."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable

import pytest

from agent.exposition.http import gate
from agent.exposition.http.gate import Gate
from agent.exposition.http.policy import ASKING
from servers.exposed import Agent, Answered
from servers.standings import large_board

GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
ASK = GET + b"\r\n"
Streams = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent()
    agent.board = large_board(agent.clock, 50)
    agent.server = agent.make(run=agent.never_run)
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


async def connect(agent: Agent, count: int, say: bytes = b"") -> Streams:
    """Open connections that say something and nothing more."""
    streams = [await asyncio.open_connection("127.0.0.1", agent.port) for _ in range(count)]
    for _, writer in streams:
        writer.write(say)
    return streams


async def scrape(agent: Agent) -> float:
    """Scrape as Prometheus does; return the seconds that it took."""
    started = time.monotonic()
    answer = await agent.ask("/metrics", Accept_Encoding="gzip")
    assert answer.status == 200
    return time.monotonic() - started


def end(streams: Streams) -> None:
    for _, writer in streams:
        writer.transport.abort()
        writer.close()


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"G", id="an octet"),
        pytest.param(GET + b"X-Slow: ", id="half a head"),
    ],
)
async def test_more_connections_than_places_keep_no_scraper_out(agent: Agent, say: bytes) -> None:
    agent.server._gate._limit = places = 300
    streams = await connect(agent, 2 * places, say)
    took = [await scrape(agent) for _ in range(5)]
    assert agent.server._gate.open <= places
    assert agent.server._gate.turned_away > 0
    assert sorted(took)[2] < 1.0
    end(streams)


async def test_who_asks_for_too_much_at_once_leaves_room_for_a_scrape(agent: Agent) -> None:
    asks = (agent.ask("/api/v1/status") for _ in range(ASKING + 60))
    *answers, took = await asyncio.gather(*asks, scrape(agent))
    told = [each.status for each in answers if isinstance(each, Answered)]
    assert set(told) <= {200, 503}
    assert took
    assert told.count(200) >= ASKING


async def test_who_asks_and_hangs_up_cannot_pile_up_work(agent: Agent) -> None:
    guard, drawing = agent.server._gate, agent.server._site._answers._drawing
    async with asyncio.timeout(20), drawing, drawing:  # as if what is drawn took long
        streams = await connect(agent, ASKING, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: guard.asking == ASKING)
        end(streams)
        await until(lambda: not guard.open)
        assert (await agent.ask("/")).status == 503
        assert await scrape(agent) < 1.0
        assert guard.asking == ASKING
    await until(lambda: not guard.asking)
    assert (await agent.ask("/")).status == 200


async def test_who_has_the_least_claim_goes_first() -> None:
    guard = Gate(limit=3)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(guard.around(asyncio.Protocol), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    held[0][1].write(b"G")
    held[1][1].write(b"G")
    await until(lambda: len(guard._phases[gate.Phase.TALKING]) == 2)
    for last, phase in ((2, gate.Phase.SILENT), (0, gate.Phase.TALKING)):
        held.append(await asyncio.open_connection("127.0.0.1", port))
        held[-1][1].write(b"G")
        with contextlib.suppress(ConnectionError):
            assert await held[last][0].read() == b"", phase
        await until(lambda: not guard._phases[gate.Phase.SILENT])
    assert (guard.open, guard.turned_away) == (3, 2)
    for guarded in tuple(guard._phases[gate.Phase.TALKING]):
        guard.request_began(guarded.transport)
    held.append(await asyncio.open_connection("127.0.0.1", port))
    with contextlib.suppress(ConnectionError):
        assert await held[-1][0].read() == b"", "those whose request is answered stay"
    assert guard.turned_away == 3
    for guarded in tuple(guard._phases[gate.Phase.ASKING]):
        guard.sending_began(guarded.transport)
    before = loop.time()
    while guard.turned_away < 4 or len(guard._phases[gate.Phase.SENDING]) == 3:
        held.append(await asyncio.open_connection("127.0.0.1", port))
        held[-1][1].write(b"G")
        with contextlib.suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(held[-1][0].read(), 0.05)  # refused at once, or let in
    assert loop.time() - before >= gate.SLOW, "who has begun to read has a moment"
    (taken,) = guard._phases[gate.Phase.TALKING]
    guard.request_began(taken.transport)
    guard.request_ended(taken.transport)
    held.append(await asyncio.open_connection("127.0.0.1", port))
    await until(lambda: bool(guard._phases[gate.Phase.SILENT]))
    assert not guard._phases[gate.Phase.IDLE], "who has been answered goes before who reads"
    listener.close()
    guard.close()
    assert guard.open == 0
    end(held)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - no event of the gate says so
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 2**20 + b"\r\n\r\n",
        b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"\x00" * 4096,
        b"\r\n" * 4096,
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"CONNECT evil.example:25 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET //evil.example/%2e%2e/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /subjects/%ff/%fe/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/v1/subjects?q=%ff%00&page=%31 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:24]),
)
async def test_what_is_malformed_is_refused_and_harms_nobody(agent: Agent, raw: bytes) -> None:
    answer = await say(agent, raw)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert agent.reloads == 0
    assert (await agent.ask("/-/healthy")).status == 200


async def say(agent: Agent, raw: bytes) -> bytes:
    """Send something and keep the connection; return what comes until it ends, or for a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", agent.port)
    heard = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(raw)
        async with asyncio.timeout(0.5):
            while part := await reader.read(65536):
                heard += part
    writer.transport.abort()
    writer.close()
    return heard


STATUS = re.compile(rb"^HTTP/1\.([01]) (\d+) ", re.MULTILINE)
SMUGGLED = b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 50\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length : 5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        b"X: y\r\n Transfer-Encoding: chunked\r\n",
        b"X: y\nContent-Length: 5\n",
        b"Content-Length: 5\r\nX: \rTransfer-Encoding: chunked\r\n",
    ],
)
async def test_a_second_request_cannot_hide_in_the_first(agent: Agent, head: bytes) -> None:
    for method in (b"GET /-/healthy", b"POST /nothing"):
        first = method + b" HTTP/1.1\r\nHost: localhost\r\n"
        answer = await say(agent, first + head + b"\r\n0\r\n\r\n" + SMUGGLED)
        assert [code for _, code in STATUS.findall(answer)] == [b"400"]
        assert answer.endswith(b'"The request could not be read, or not be answered."}\n')
        assert b"aiohttp" not in answer
    assert agent.reloads == 0
    plain = first + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    assert b"reloaded" in await say(agent, plain), "two requests that are two"
    assert agent.reloads == 1


async def test_every_path_refuses_what_it_is_not_for(agent: Agent) -> None:
    paths = [
        (each.canonical, {route.method for route in each})
        for each in agent.server._site.application().router.resources()
    ]
    assert len(paths) > 20
    for path, allowed in paths:
        bare = path.replace("{", "").replace("}", "")
        for method in (
            "GET",
            "HEAD",
            "POST",
            "PUT",
            "PATCH",
            "DELETE",
            "OPTIONS",
            "TRACE",
            "PROPFIND",
        ):
            if method not in allowed:
                answer = await agent.ask(bare, method)
                assert answer.status == 405, (method, path)
                assert answer.headers["Allow"] == ", ".join(sorted(allowed))
    assert agent.reloads == 0


async def test_a_foreign_host_or_origin_reads_and_changes_nothing(agent: Agent) -> None:
    for path in ("/", "/metrics", "/api/v1/status", "/probe?check=x", "/-/healthy", "/static/x"):
        for host in ("evil.example", "localhost.evil.example", "169.254.169.254", ""):
            assert (await agent.ask(path, Host=host)).status in (400, 403), (path, host)
    for field in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        assert (await agent.ask("/-/reload", "POST", **field)).status == 403
    assert agent.reloads == 0
