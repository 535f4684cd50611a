"""A policy is fetched from a real web server, which may be anything."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web

from agent.adapters.dialer import Dialer
from agent.adapters.https import Https
from agent.adapters.policies import Found, Policies
from agent.domain.lookup import Answer
from agent.domain.mta_sts import MAX_POLICY, Mode
from servers.checks import DictResolver
from servers.standings import HandClock
from servers.tls import Authorities

HOST, PLACE = "mta-sts.contoso.com", "192.31.196.80"
POLICY = "version: STSv1\nmode: enforce\nmx: mail.contoso.com\nmax_age: 604800\n"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def fetching(authorities: Authorities, port: int, clock: HandClock, place: str = PLACE) -> Policies:
    """Return policies that find the web server of the test under the name of the policy's host."""
    detours = {(place, 443): ("127.0.0.1", port)}
    dialer = Dialer(clock=clock, detours=detours, detours_only=True)
    resolver = DictResolver({HOST: Answer((ip_address(place),))})
    return Policies(Https(resolver=resolver, dialer=dialer, trust=authorities.store), clock)


def text(body: str, kind: str = "text/plain") -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type=kind)

    return handler


async def fetch(authorities: Authorities, handler: Handler, name: str = HOST) -> Found:
    async with serving(handler, authorities.server(name)) as port:
        policies = fetching(authorities, port, HandClock())
        return await policies.of("contoso.com", "1", timedelta(seconds=3))


async def test_a_policy_is_fetched_once_for_a_version_and_a_day(authorities: Authorities) -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(str(request.rel_url))
        return web.Response(text=POLICY)

    clock = HandClock()
    async with serving(handler, authorities.server(HOST)) as port:
        policies = fetching(authorities, port, clock)
        for version in ("1", "1", "2", "2"):
            found = await policies.of("contoso.com", version)
            assert found.policy is not None
            assert found.policy.mode is Mode.ENFORCE
        assert asked == ["/.well-known/mta-sts.txt"] * 2
        clock.advance(timedelta(hours=25))
        await policies.of("contoso.com", "2")
        assert len(asked) == 3


async def redirect(_request: web.Request) -> web.Response:
    where = "/elsewhere"
    raise web.HTTPFound(where)


async def missing(_request: web.Request) -> web.Response:
    raise web.HTTPNotFound


async def long(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    for _ in range(1000):
        await response.write(b"x" * MAX_POLICY)
    return response


async def packed(_request: web.Request) -> web.Response:
    return web.Response(
        body=b"x" * 9, content_type="text/plain", headers={"Content-Encoding": "gzip"}
    )


async def silent(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


@pytest.mark.parametrize(
    ("handler", "word", "is_ours"),
    [
        pytest.param(redirect, "status 302", False, id="a redirect"),
        pytest.param(missing, "status 404", False, id="missing"),
        pytest.param(long, "more than", False, id="endless"),
        pytest.param(packed, "compressed", False, id="compressed"),
        pytest.param(text(POLICY, "text/html"), "text/html", False, id="a page"),
        pytest.param(text("hello"), "no field", False, id="no policy"),
        pytest.param(silent, "in time", True, id="silent"),
    ],
)
async def test_what_is_no_policy_is_told(
    authorities: Authorities, handler: Handler, word: str, *, is_ours: bool
) -> None:
    found = await fetch(authorities, handler)
    assert found.policy is None
    assert word in found.trouble
    assert found.is_ours is is_ours


async def test_a_certificate_for_another_name_is_refused(authorities: Authorities) -> None:
    found = await fetch(authorities, text(POLICY), "contoso.com")
    assert found.trouble.startswith("https://mta-sts.contoso.com/.well-known/mta-sts.txt: certif")


async def test_a_policy_host_does_not_lead_into_our_own_network(authorities: Authorities) -> None:
    async with serving(text(POLICY), authorities.server(HOST)) as port:
        for place in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
            found = await fetching(authorities, port, HandClock(), place).of("contoso.com", "1")
            assert "no address that is connected to" in found.trouble


async def test_a_failure_is_tried_again_after_a_while(authorities: Authorities) -> None:
    clock, good = HandClock(), [False]

    async def handler(_request: web.Request) -> web.Response:
        if not good[0]:
            raise web.HTTPServiceUnavailable
        return web.Response(text=POLICY)

    async with serving(handler, authorities.server(HOST)) as port:
        policies = fetching(authorities, port, clock)
        assert (await policies.of("contoso.com", "1")).policy is None
        good[0] = True
        assert (await policies.of("contoso.com", "1")).policy is None
        clock.advance(timedelta(minutes=6))
        assert (await policies.of("contoso.com", "1")).policy is not None


async def test_a_text_under_a_wrong_type_is_kept_and_is_no_policy(authorities: Authorities) -> None:
    found = await fetch(authorities, text(POLICY, "text/html"))
    assert found.policy is None
    assert found.document is not None
    assert found.document.policy is not None
    assert found.kept_from == found.trouble


async def test_a_text_that_is_no_policy_was_not_kept_from_us(authorities: Authorities) -> None:
    found = await fetch(authorities, text(f"{POLICY}mode"))
    assert found.trouble.endswith("mta-sts.txt: line 5 (mode) is no field, as in `mode: enforce`")
    assert found.kept_from == ""


async def test_a_policy_is_fetched_anew_when_it_is_older_than_wanted(
    authorities: Authorities,
) -> None:
    clock, hour = HandClock(), timedelta(hours=1)
    async with serving(text(POLICY), authorities.server(HOST)) as port:
        policies = fetching(authorities, port, clock)
        first = await policies.of("contoso.com", "1")
        clock.advance(hour)
        assert await policies.of("contoso.com", "1") is first
        second = await policies.of("contoso.com", "1", keep=hour)
        assert second is not first
        assert await policies.of("contoso.com", "1") is second


async def test_a_server_that_speaks_no_tls_is_at_fault(authorities: Authorities) -> None:
    def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        found = await fetching(authorities, port, HandClock()).of("contoso.com", "1")
    assert "TLS: " in found.trouble
    assert not found.is_ours
