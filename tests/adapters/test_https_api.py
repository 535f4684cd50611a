"""Requests to a service go where they are meant to, and come back within bounds."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web

from agent.adapters.dialer import Dialer
from agent.adapters.https_api import Api, Cause, Failure, Reply, Request
from agent.adapters.retry_after import DEFAULT, LEAST, MOST, read_retry_after
from agent.domain.lookup import Answer, Silence, Unanswered
from servers.checks import DictResolver
from servers.entra import hang, listening
from servers.microsoft import api, authorities
from servers.standings import HandClock

HOST, PLACE = "graph.microsoft.com", "192.31.196.80"
SOON = timedelta(seconds=3)
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def client() -> AsyncIterator[Api]:
    made = api(HandClock())
    yield made
    await made.close()


@asynccontextmanager
async def speaking(
    answer: bytes, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve octets: read a request's header, write *answer*, close."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}", heard


async def ask(client: Api, handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
              **fields: object) -> Reply | Failure:  # fmt: skip
    async with listening(handler, authorities()) as url:
        request = Request("GET", f"{url}/path?a=b%26c", within=SOON, **fields)  # type: ignore[arg-type]
        return await client.request(request)


async def test_a_request_is_sent_as_it_is_and_the_reply_is_kept_in_parts(client: Api) -> None:
    seen: list[tuple[object, ...]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.query["a"], request.headers["X-One"]))
        seen.append((await request.read(), request.headers["Accept-Encoding"]))
        lines = {"Retry-After": "7", "Request-Id": "r", "Set-Cookie": "c=1", "X-Other": "x"}
        return web.Response(status=418, body=b"tea", headers=lines)

    reply = await ask(client, handler, headers={"X-One": "1"}, body=b"body")
    assert seen == [("GET", "b&c", "1"), (b"body", "identity")]
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (418, b"tea")
    assert sorted(reply.headers) == ["content-type", "date", "request-id", "retry-after"]


async def test_neither_secrets_nor_bodies_are_in_a_repr() -> None:
    request = Request("POST", "https://a/?canary", {"Authorization": "canary"}, b"canary")
    assert "canary" not in f"{request!r} {Reply(200, {}, b'canary')!r}"


async def test_a_connection_is_kept_unless_one_is_to_be_alone(client: Api) -> None:
    peers = []

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername")[1])
        return web.Response()

    async with listening(handler, authorities()) as url:
        for is_alone in (False, False, True, True):
            await client.request(Request("GET", url, is_alone=is_alone))
    assert peers[0] == peers[1]
    assert len(set(peers)) == 3


async def test_a_redirect_is_an_answer_and_not_followed(client: Api) -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    reply = await ask(client, handler)
    assert isinstance(reply, Reply)
    assert (reply.status, asked) == (302, ["/path"])


async def test_more_than_was_agreed_on_is_not_read(client: Api) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 4096)

    failure = await ask(client, endless, most=10_000)
    assert isinstance(failure, Failure)
    assert failure.cause is Cause.TOO_MUCH
    reply = await ask(client, endless, most=10_000, cut=True)
    assert isinstance(reply, Reply)
    assert (len(reply.body), reply.is_cut) == (10_000, True)


async def test_a_reply_that_never_comes_is_given_up(client: Api) -> None:
    async with listening(hang, authorities()) as url:
        request = Request("POST", url, body=b"x", within=timedelta(seconds=0.3))
        failure = await client.request(request)
    assert isinstance(failure, Failure)
    assert (failure.cause, failure.was_sent) == (Cause.TIMEOUT, True)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(b"", Cause.LOST, id="nothing"),
        pytest.param(b"220 mail.contoso.com ESMTP\r\n", Cause.PROTOCOL, id="SMTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99_999, Cause.PROTOCOL, id="a long line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", Cause.LOST, id="cut off"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            Cause.PROTOCOL,
            id="compressed",
        ),
    ],
)
async def test_what_is_no_reply_is_told(client: Api, answer: bytes, cause: Cause) -> None:
    async with speaking(answer, authorities().server("127.0.0.1")) as (url, heard):
        failure = await client.request(Request("POST", url, body=b"x", within=SOON))
    assert isinstance(failure, Failure)
    assert (failure.cause, failure.was_sent, len(heard)) == (cause, True, 1)


@pytest.mark.parametrize(
    ("context", "word"),
    [
        pytest.param(authorities().server("127.0.0.2"), "certificate", id="another name"),
        pytest.param(authorities().server("127.0.0.1", known=False), "certificate", id="unknown"),
        pytest.param(None, "TLS", id="no TLS"),
    ],
)
async def test_nothing_is_sent_to_one_who_does_not_prove_who_he_is(
    client: Api, context: ssl.SSLContext | None, word: str
) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if context is None:
            writer.write(b"220 mail.contoso.com ESMTP\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        failure = await client.request(Request("POST", url, body=b"x", within=SOON))
    assert isinstance(failure, Failure)
    assert (failure.cause, failure.was_sent) == (Cause.TLS, False)
    assert word in failure.detail


async def test_nobody_there_is_no_fault_of_the_request(client: Api) -> None:
    failure = await client.request(Request("GET", "https://127.0.0.1:1/"))
    assert isinstance(failure, Failure)
    assert (failure.cause, failure.was_sent) == (Cause.UNREACHED, False)


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.microsoft.com/",
        "http://192.0.2.1/",
        "http://169.254.169.254/",
        "ftp://127.0.0.1/",
        "https://user:canary@127.0.0.1/",
        "https:///path",
        "https://127.0.0.1:99999/",
        "https://[::1/",
        "no address",
    ],
)
async def test_plain_http_and_what_is_no_address_are_not_asked(client: Api, url: str) -> None:
    failure = await client.request(Request("GET", url))
    assert isinstance(failure, Failure)
    assert (failure.cause, failure.cause.is_ours) == (Cause.FORBIDDEN, True)
    assert "canary" not in failure.detail


async def test_plain_http_goes_to_this_machine(client: Api) -> None:
    async with speaking(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, _):
        reply = await client.request(Request("GET", url))
    assert isinstance(reply, Reply)
    assert reply.status == 204


@asynccontextmanager
async def named(answer: Answer | Unanswered, port: int = 443) -> AsyncIterator[Api]:
    """A client in a world where HOST has an address of one's choice, and nothing else exists."""
    detours = {(PLACE, 443): ("127.0.0.1", port)}
    made = Api(
        resolver=DictResolver({HOST: answer}),
        dialer=Dialer(clock=HandClock(), detours=detours, detours_only=True),
        trust=authorities().store,
    )
    try:
        yield made
    finally:
        await made.close()


async def test_a_name_is_resolved_by_our_own_resolver() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=request.host)

    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authorities().server(HOST)).start()
    try:
        async with named(Answer((ip_address(PLACE),)), runner.addresses[0][1]) as client:
            reply = await client.request(Request("GET", f"https://{HOST}/"))
    finally:
        await runner.cleanup()
    assert isinstance(reply, Reply)
    assert reply.body == HOST.encode()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer((ip_address("10.0.0.1"),)), Cause.FORBIDDEN),
        (Answer((ip_address("127.0.0.1"),)), Cause.FORBIDDEN),
        (Answer((ip_address("169.254.169.254"),)), Cause.FORBIDDEN),
        (Answer((ip_address("2001:4860:4860::8888"),)), Cause.FORBIDDEN),  # no detour
        (Answer(name_exists=False), Cause.UNRESOLVED),
        (Unanswered(Silence.TIMEOUT), Cause.DNS_UNANSWERED),
    ],
)
async def test_a_name_that_leads_nowhere_is_told(answer: Answer | Unanswered, cause: Cause) -> None:
    async with named(answer) as client:
        failure = await client.request(Request("GET", f"https://{HOST}/"))
    assert isinstance(failure, Failure)
    assert failure.cause is cause


async def test_an_address_outside_of_the_lab_is_not_connected_to_from_it() -> None:
    async with named(Answer()) as client:
        failure = await client.request(Request("GET", "https://127.0.0.1/"))
    assert isinstance(failure, Failure)
    assert failure.cause is Cause.FORBIDDEN


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("", DEFAULT),
        ("0", LEAST),
        ("-5", LEAST),
        ("12", timedelta(seconds=12)),
        ("+12", timedelta(seconds=12)),
        ("1000000000", MOST),
        ("9" * 5000, MOST),
        ("1e9", DEFAULT),
        ("soon", DEFAULT),
        ("\u0663", DEFAULT),
        ("--5", DEFAULT),
        ("Wed, 21 Oct 2026 07:28:20 GMT", timedelta(seconds=20)),
        ("Wed, 21 Oct 2026 07:28:20 -0000", timedelta(seconds=20)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", LEAST),
        ("Wed, 21 Oct 9999 07:28:00 GMT", MOST),
        ("Wed, 99 Oct 2026 07:28:00 GMT", DEFAULT),
    ],
)
def test_a_pause_is_obeyed_within_reason(said: str, pause: timedelta) -> None:
    headers = {"retry-after": said, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert read_retry_after(headers) == pause


def test_a_date_without_the_services_clock_says_nothing() -> None:
    far = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert read_retry_after({"retry-after": far}) == DEFAULT
