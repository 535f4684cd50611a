import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator

import pytest

from agent.domain.fact import Fact, Node, Path, Phase, Stop, Table, Text, Walk
from agent.domain.finding import Outcome
from agent.exposition.http.gate import Gate
from agent.exposition.server import ListenError
from servers.exposed import Agent
from servers.standings import (
    MX,
    check,
    findings_of,
    include_tree,
    large_board,
    publish,
    small_board,
)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent()
    agent.board = small_board(agent.clock)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::1", "localhost@x"])
async def test_on_loopback_a_foreign_host_is_refused(agent: Agent, host: str) -> None:
    assert (await agent.ask("/", Host=host)).status == 403


@pytest.mark.parametrize("host", ["localhost:16245", "127.0.0.1", "[::1]:80", "Agent.Example"])
async def test_on_loopback_our_own_names_are_served(agent: Agent, host: str) -> None:
    assert (await agent.ask("/-/healthy", Host=host)).status == 200


async def test_a_program_that_leaves_the_host_out_is_served(agent: Agent) -> None:
    assert b" 200 " in await agent.send(b"GET /-/healthy HTTP/1.0\r\n\r\n")


async def test_beyond_loopback_any_host_is_served(agent: Agent) -> None:
    server = agent.make()
    agent.port = await server.start("0.0.0.0", 0)
    assert (await agent.ask("/-/healthy", Host="monitor.example")).status == 200
    await server.close()


async def test_a_wrong_method_and_an_unknown_path_are_told_plainly(agent: Agent) -> None:
    wrong = await agent.ask("/metrics", "DELETE")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, HEAD")
    unknown = await agent.ask("/nothing", Accept="text/html")
    assert unknown.status == 404
    assert "<h1>" in unknown.text


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", id="a long line"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", id="a long field"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", id="many fields"),
        pytest.param(b"GET / HTTP/1.1\r\n\x1b[31m\x00: y\r\n\r\n", id="control characters"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="smuggling",
        ),
    ],
)
async def test_malformed_requests_are_refused_and_not_logged(
    agent: Agent, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await agent.send(raw)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert not [record for record in caplog.records if "aaaa" in record.getMessage()]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (await agent.ask("/-/healthy")).status == 200


async def test_a_body_that_does_not_unpack_is_not_logged(
    agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"GET /-/healthy HTTP/1.0\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"
    assert b" 200 " in await agent.send(head + b"abcde")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_request_with_too_large_a_body_is_refused(agent: Agent) -> None:
    answer = await agent.ask("/-/reload", "POST", Content_Length="1073741824")
    assert answer.status == 413
    assert agent.reloads == 0


async def test_a_connection_that_asks_nothing_is_dropped() -> None:
    gate = Gate(limit=2, patience=0.01)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(gate.around(asyncio.Protocol), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    listener.close()
    gate.close()


async def test_what_is_silent_when_the_server_closes_is_dropped(agent: Agent) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", agent.port)
    assert (await agent.ask("/-/healthy")).status == 200  # by now the first one is accepted, too
    await agent.server.close()
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


async def test_a_reader_that_takes_its_time_gets_everything() -> None:
    big = Agent()
    big.board = large_board(big.clock, 3000)
    big.server = big.make()
    big.port = await big.server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", big.port, limit=1024)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert (await big.ask("/-/healthy")).status == 200
    whole = await reader.read()
    assert b'subject="domain02999.example"' in whole
    writer.close()
    await big.server.close()


async def test_those_who_ask_together_share_one_scrape(agent: Agent) -> None:
    answers = await asyncio.gather(*(agent.ask("/metrics") for _ in range(20)))
    assert len({answer.body for answer in answers}) == 1


async def test_a_port_in_use_is_told_with_what_to_do(agent: Agent) -> None:
    with pytest.raises(ListenError, match=r"in use by another program.*`listen`"):
        await agent.make().start("127.0.0.1", agent.port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid."])
async def test_an_address_of_somebody_else_is_told(agent: Agent, host: str) -> None:
    with pytest.raises(ListenError, match=r"no address of this machine|cannot be listened on"):
        await agent.make().start(host, 0)


async def test_after_closing_nobody_listens(agent: Agent) -> None:
    await agent.server.close()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", agent.port)) != 0


async def test_hostile_strings_stay_text_everywhere() -> None:
    agent = Agent()
    evil = "<script>alert(1)</script>\"'\n# HELP x\n\x1b[31m{{7*7}}"
    hostile = check("contoso", MX, "contoso.com")
    agent.board.keep([hostile], agent.clock.now())
    facts: dict[str, Fact] = {
        evil: Text(evil),
        "table": Table((evil,), ((evil,),)),
        "tree": Node(evil, evil, "bad", 3, (include_tree(),)),
        "walk": Walk((Phase(evil, 1.0, "bad", evil),)),
        "path": Path((Stop(evil, evil, 1.0, evil, "bad", evil), Stop(evil))),
    }
    publish(agent.board, hostile, Outcome(findings_of([evil]), facts=facts))
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    for path in ("/", "/subjects/contoso/domain/contoso.com"):
        page = (await agent.ask(path)).text
        assert page.count("<script") == 1, "its own file"
        assert "{{7*7}}" in page
    assert json.loads((await agent.ask("/api/v1/status")).body)["checks"][0]["findings"]
    assert "alert(1)" not in (await agent.ask("/metrics")).text
    await agent.server.close()
