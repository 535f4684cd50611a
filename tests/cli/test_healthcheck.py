"""Is a container told that its agent is well only when it is?"""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from servers.exposed import Agent
from servers.program import mailflow_agent
from servers.smtp import rude_server, scripted


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent(is_ready=False)
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


@pytest.mark.parametrize("path", ["", "/-/healthy"], ids=["by default", "as written"])
async def test_an_agent_that_runs_is_healthy(agent: Agent, path: str) -> None:
    ended = await mailflow_agent("healthcheck", f"http://127.0.0.1:{agent.port}{path}")
    assert (ended.code, ended.out, ended.err) == (0, "healthy\n", "")


async def test_it_asks_where_the_agent_was_told_to_listen(agent: Agent) -> None:
    there = f"0.0.0.0:{agent.port}"
    ended = await mailflow_agent("healthcheck", MAILFLOW_AGENT_LISTEN=there)
    assert (ended.code, ended.out) == (0, "healthy\n")
    url = f"http://127.0.0.1:{agent.port}"
    elsewhere = "127.0.0.1:1"
    ended = await mailflow_agent(
        "healthcheck", MAILFLOW_AGENT_LISTEN=elsewhere, MAILFLOW_AGENT_HEALTH=url
    )
    assert (ended.code, ended.out) == (0, "healthy\n")


async def test_with_tls_it_asks_without_looking_at_the_certificate() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("somebody.example").configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        ended = await mailflow_agent("healthcheck", f"https://127.0.0.1:{port}")
    assert (ended.code, ended.out) == (0, "healthy\n")


async def test_any_other_answer_is_not_healthy(agent: Agent) -> None:
    ended = await mailflow_agent("healthcheck", f"http://127.0.0.1:{agent.port}/-/ready")
    assert (ended.code, ended.out) == (2, "not healthy: HTTP 503\n")


async def test_whoever_does_not_speak_http_is_no_agent() -> None:
    async with rude_server(scripted(b"220 mail.contoso.com ESMTP\r\n")) as (port, _):
        ended = await mailflow_agent("healthcheck", f"http://127.0.0.1:{port}")
    assert ended.code == 2
    assert "no answer" in ended.err
    assert "Is the agent running" in ended.err


async def test_nobody_waits_for_an_agent_that_hangs() -> None:
    async with asyncio.timeout(20), rude_server(scripted(b"")) as (port, heard):
        ended = await mailflow_agent("healthcheck", "--timeout", "0.2", f"http://127.0.0.1:{port}")
    assert heard.startswith(b"GET /-/healthy HTTP/1.1\r\n")
    assert ended.code == 2
    assert "timed out" in ended.err


async def test_without_an_agent_there_is_no_answer() -> None:
    ended = await mailflow_agent("healthcheck", "http://127.0.0.1:1/-/healthy")
    assert ended.code == 2
    assert "no answer" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ftp://127.0.0.1"], id="another scheme"),
        pytest.param(["127.0.0.1:16245"], id="no scheme"),
        pytest.param(["http:///-/healthy"], id="no host"),
        pytest.param(["http://[::1/"], id="half an address"),
        pytest.param(["http://127.0.0.1:99999/"], id="no such port"),
        pytest.param(["--timeout", "0"], id="no time"),
    ],
)
async def test_what_cannot_be_asked_is_a_usage_error(arguments: list[str]) -> None:
    ended = await mailflow_agent("healthcheck", *arguments)
    assert ended.code == 64
    assert "Traceback" not in ended.err
