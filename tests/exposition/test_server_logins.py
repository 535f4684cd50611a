"""Who may read what, with TLS, certificates of clients, and passwords, also when these change?"""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from agent.exposition.http.logins import Logins, Verdict
from agent.exposition.server import ListenError
from servers.exposed import Agent
from servers.program import mailflow_agent
from servers.standings import small_board
from servers.web_files import CLIENTS, HASHED, PASSWORD, TLS, USERS, WebFiles

ALICE = "Basic " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
DETAILS = ("/subjects/contoso/domain/contoso.com", "/api/v1/status", "/probe?check=x")


@pytest.fixture
def files(tmp_path: Path) -> WebFiles:
    return WebFiles(tmp_path)


@asynccontextmanager
async def serving(path: Path | None, host: str = "127.0.0.1") -> AsyncIterator[Agent]:
    """Serve a board at *host*; with a web configuration."""
    agent = Agent()
    agent.board = small_board(agent.clock)
    agent.server = agent.make(web_config=path, run=agent.never_run)
    agent.port = await agent.server.start(host, 0)
    try:
        yield agent
    finally:
        await agent.server.close()


async def status(agent: Agent, path: str, context: ssl.SSLContext, **headers: str) -> int:
    """Return the status of an answer over TLS; 0 where there is none."""
    url = f"https://localhost:{agent.port}{path}"
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, ssl=context, headers=headers) as answer,
        ):
            await answer.read()
            return answer.status
    except aiohttp.ClientConnectionError:
        return 0


async def test_without_a_login_beyond_loopback_only_names_and_states_are_shown() -> None:
    async with serving(None, "0.0.0.0") as agent:
        agent.errors = ("config.yaml:3: secret: what the configuration says",)
        for path in (
            "/metrics",
            "/-/healthy",
            "/-/ready",
            "/static/style.css",
            "/rules/mx-dangling",
            "/rules/route-down",
        ):
            answer = await agent.ask(path, Accept="text/html")
            assert answer.status == 200, path
            assert "what the configuration says" not in answer.text
            assert "our agent" not in answer.text, "the configuration is at a path of its own"
        page = (await agent.ask("/")).text
        assert "contoso.com" in page
        assert "critical" in page
        for told in ("mx.old-gateway", "14 lookups", "what the configuration", "/subjects/"):
            assert told not in page
        assert "contoso" not in (await agent.ask("/rules/mx-dangling")).text
        for path in DETAILS:
            closed = await agent.ask(path)
            assert closed.status == 403
            assert "agent.web_config" in closed.text
        assert (await agent.ask("/-/reload", "POST")).status == 404
        assert (await agent.ask("/nothing", Accept="text/html")).status == 404
    assert agent.reloads == 0


async def test_a_login_is_asked_for_everywhere_but_for_health(files: WebFiles) -> None:
    async with serving(files.write(USERS), "0.0.0.0") as agent:
        for path in ("/", "/metrics", "/nothing", "/static/style.css", *DETAILS):
            refused = await agent.ask(path)
            assert refused.status == 401, path
            assert refused.headers["WWW-Authenticate"].startswith('Basic realm="mailflow-agent"')
            assert (await agent.ask(path, Authorization=ALICE)).status in (200, 404)
        assert (await agent.ask("/-/healthy")).status == 200
        assert (await agent.ask("/-/reload", "POST")).status == 401
        assert (await agent.ask("/-/reload", "POST", Authorization=ALICE)).status == 200
        cross = {"Authorization": ALICE, "Sec_Fetch_Site": "cross-site"}
        assert (await agent.ask("/-/reload", "POST", **cross)).status == 403
    assert agent.reloads == 1


@pytest.mark.parametrize(
    "field",
    [
        "",
        "Basic",
        "Basic !!!!",
        "Basic YWxpY2U=",
        "Bearer x",
        ALICE.replace("Basic", "Digest"),
        "Basic " + base64.b64encode(b"alice:" + b"x" * 200).decode(),
        "Basic " + base64.b64encode(b"\xff\x00:\x00").decode(),
        "Basic " + base64.b64encode(f"bob:{PASSWORD}".encode()).decode(),
    ],
)
async def test_what_is_no_login_is_refused(field: str) -> None:
    assert await Logins({"alice": HASHED}).check(field) is Verdict.WRONG


async def test_logins_are_remembered_bounded_and_counted() -> None:
    logins = Logins({"alice": HASHED, "bob": HASHED})
    assert await logins.check(ALICE) is Verdict.RIGHT
    wrong = [f"Basic {base64.b64encode(f'eve:{n}'.encode()).decode()}" for n in range(30)]
    verdicts = await asyncio.gather(*(logins.check(each) for each in (*wrong, ALICE)))
    assert verdicts[-1] is Verdict.RIGHT, "who is known does not wait behind who guesses"
    assert verdicts.count(Verdict.BUSY) == 22
    assert logins.failed == verdicts.count(Verdict.WRONG) == 8


async def test_tls_is_spoken_and_a_plain_request_is_not_answered(files: WebFiles) -> None:
    async with serving(files.write(TLS + USERS)) as agent:
        assert agent.server.is_secured
        assert await status(agent, "/api/v1/agent", files.client(), Authorization=ALICE) == 200
        assert await status(agent, "/api/v1/agent", files.client()) == 401
        assert await agent.send(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
        old = files.client()
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await status(agent, "/-/healthy", old) == 200


async def test_a_certificate_lets_in_where_it_is_verified(files: WebFiles) -> None:
    text = CLIENTS + "  client_allowed_sans: [prometheus.example, 192.0.2.7, '2001:db8::7']\n"
    async with serving(files.write(text), "0.0.0.0") as agent:
        for name in ("prometheus.example", "192.0.2.7", "2001:db8::7"):
            assert await status(agent, "/api/v1/agent", files.client(name)) == 200
        assert await status(agent, "/-/healthy", files.client("other.example")) == 0
        assert await status(agent, "/-/healthy", files.client()) == 0
        stranger = files.client("prometheus.example", known=False)
        assert await status(agent, "/-/healthy", stranger) == 0


async def test_a_certificate_that_may_be_left_out_opens_the_details(files: WebFiles) -> None:
    text = CLIENTS.replace("RequireAndVerify", "Verify").replace("Cert\n", "CertIfGiven\n")
    async with serving(files.write(text), "0.0.0.0") as agent:
        assert await status(agent, "/metrics", files.client()) == 200
        assert await status(agent, "/api/v1/agent", files.client()) == 403
        assert await status(agent, "/api/v1/agent", files.client("a.example")) == 200


async def test_headers_and_the_rate_limit_are_those_of_the_file(files: WebFiles) -> None:
    text = (
        "http_server_config: {headers: {Strict-Transport-Security: max-age=9,"
        " X-Frame-Options: sameorigin}}\n"
        "rate_limit: {interval: 30m, burst: 2}\n"
    )
    async with serving(files.write(text)) as agent:
        first = await agent.ask("/metrics")
        assert first.headers["Strict-Transport-Security"] == "max-age=9"
        assert first.headers["X-Frame-Options"] == "sameorigin"
        assert (await agent.ask("/api/v1/agent")).status == 200
        limited = await agent.ask("/api/v1/agent")
        assert (limited.status, limited.headers["Retry-After"]) == (429, "1800")
        assert (await agent.ask("/-/healthy")).status == 200


async def test_what_changes_counts_without_a_restart_and_what_is_wrong_does_not(
    files: WebFiles,
) -> None:
    async with serving(files.write(TLS)) as agent:
        web = agent.server._web
        before = await certificate(agent, files)
        files.certify("localhost")
        await web.look()
        assert await certificate(agent, files) == before, "it may be in the midst of being written"
        await web.look()
        after = await certificate(agent, files)
        assert after != before
        files.write(TLS + "basic_auth_users: {alice: oops}\n")
        await web.look()
        await web.look()
        assert "is no bcrypt hash" in agent.server.web_errors[0]
        assert await certificate(agent, files) == after
        assert measured(agent)["mailflow_web_config_last_reload_successful"] == 0
        files.write(TLS + USERS)
        await web.look()
        await web.look()
        assert not agent.server.web_errors
        assert measured(agent)["mailflow_web_config_last_reload_successful"] == 1
        assert await status(agent, "/metrics", files.client()) == 401
        assert await status(agent, "/metrics", files.client(), Authorization=ALICE) == 200
        (files.folder / "server.key").unlink()
        await web.look()
        await web.look()
        assert "cannot be read" in agent.server.web_errors[0]
        assert await status(agent, "/metrics", files.client(), Authorization=ALICE) == 200


async def test_a_renewed_certificate_logs_nobody_out(files: WebFiles) -> None:
    async with serving(files.write(TLS + USERS)) as agent:
        assert await status(agent, "/metrics", files.client(), Authorization=ALICE) == 200
        logins = agent.server._web.logins
        files.certify("localhost")
        for _ in range(2):
            await agent.server._web.look()
        wrong = [f"Basic {base64.b64encode(f'eve:{n}'.encode()).decode()}" for n in range(8)]
        guessing = asyncio.gather(*(logins.check(each) for each in wrong))
        assert await status(agent, "/metrics", files.client(), Authorization=ALICE) == 200
        await guessing
        assert agent.server._web.logins is logins


async def certificate(agent: Agent, files: WebFiles) -> bytes | None:
    """Return the certificate that is shown to a new connection."""
    _, writer = await asyncio.open_connection("localhost", agent.port, ssl=files.client())
    shown = writer.get_extra_info("ssl_object")
    assert isinstance(shown, ssl.SSLObject)
    writer.close()
    return shown.getpeercert(binary_form=True)


def measured(agent: Agent) -> dict[str, object]:
    return {each.signal.name: each.value for each in agent.server.measure()}


async def test_a_wrong_file_is_no_reason_to_do_without_a_login(files: WebFiles) -> None:
    agent = Agent()
    with pytest.raises(ListenError, match="is no bcrypt hash"):
        await agent.make(web_config=files.write("basic_auth_users: {a: b}")).start("127.0.0.1", 0)


async def test_a_handshake_that_nobody_ends_is_a_connection_too(files: WebFiles) -> None:
    async with serving(files.write(TLS)) as agent:
        silent = [await asyncio.open_connection("127.0.0.1", agent.port) for _ in range(5)]
        silent[0][1].write(b"\x16\x03\x01\x02\x00")
        assert await status(agent, "/-/healthy", files.client()) == 200
        assert measured(agent)["mailflow_http_connections_open"] in range(5, 7)
        for _, writer in silent:
            writer.close()


async def test_the_health_check_speaks_tls_and_logs_in(files: WebFiles) -> None:
    secret = files.folder / "password"
    secret.write_text(PASSWORD + "\n")
    own = files.authority.issue_cert("health.example")
    own.private_key_and_cert_chain_pem.write_to_path(files.folder / "own.pem")
    ca, cert = str(files.folder / "ca.pem"), str(files.folder / "own.pem")
    async with serving(files.write(CLIENTS + USERS)) as agent:
        url = f"https://127.0.0.1:{agent.port}"
        shown = await mailflow_agent("healthcheck", "--ca", ca, "--cert", cert, url)
        assert (shown.code, shown.out) == (0, "healthy\n")
        assert (await mailflow_agent("healthcheck", url)).code == 2
        login = ("--user", "alice", "--password-file", str(secret))
        metrics = f"{url}/metrics"
        logged = await mailflow_agent("healthcheck", "--ca", ca, "--cert", cert, *login, metrics)
        assert logged.code == 0
        assert "needs --ca" in (await mailflow_agent("healthcheck", *login, url)).err
