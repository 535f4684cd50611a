import asyncio
import contextlib
import gzip
import json
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from agent.domain.fact import Fact, Node, Phase, Table, Text, Walk
from agent.domain.finding import Outcome
from agent.exposition.answers import Answers
from agent.exposition.gate import Gate
from agent.exposition.metrics import Metrics
from agent.exposition.own_metrics import OwnMetrics
from agent.exposition.pages.view import Situation
from agent.exposition.scrape import Scrape
from agent.exposition.server import CONNECTIONS, ListenError, Server
from agent.runtime.board import Board
from servers.standings import (
    MX,
    PROBES,
    SPF,
    HandClock,
    check,
    findings_of,
    include_tree,
    large_board,
    publish,
    small_board,
)


@dataclass
class Agent:
    """A server over a board, on a free port."""

    clock: HandClock = field(default_factory=HandClock)
    board: Board = field(default_factory=Board)
    errors: tuple[str, ...] = ()
    is_ready: bool = True
    reloads: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.own = OwnMetrics()
        self.server = self.make()

    def make(self, *, reloadable: bool = True) -> Server:
        metrics = Metrics(self.board, PROBES, self.clock, failed=self.own.collector_failed)
        scrape = Scrape(metrics, self.own, self.clock)
        answers = Answers(self.board, scrape, PROBES, self.clock, self.situation)
        return Server(
            answers,
            ready=lambda: self.is_ready,
            reload=self.reload if reloadable else None,
            hosts=("agent.example",),
        )

    def situation(self) -> Situation:
        at = self.clock.now()
        return Situation("test", "0.1.0", at, self.errors, at if self.errors else None)

    async def reload(self) -> tuple[str, ...]:
        self.reloads += 1
        return self.errors

    async def ask(self, path: str, method: str = "GET", **headers: str) -> "Answered":
        lines = "".join(
            f"{name.replace('_', '-')}: {value}\r\n"
            for name, value in {"Host": "localhost", **headers}.items()
        )
        raw = f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"
        return Answered.read(await self.send(raw.encode()))

    async def send(self, raw: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@dataclass
class Answered:
    """A response, taken apart."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, raw: bytes) -> "Answered":
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in rest)
        return cls(int(first.split()[1]), dict(pairs), body)

    @property
    def text(self) -> str:
        return self.body.decode()


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent()
    agent.board = small_board(agent.clock)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    yield agent
    await agent.server.close()


async def test_metrics_come_in_the_format_that_is_asked_for(agent: Agent) -> None:
    plain = await agent.ask("/metrics")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert list(read_text(plain.text))
    opened = await agent.ask("/metrics", Accept="application/openmetrics-text")
    assert opened.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert opened.text.endswith("# EOF\n")


async def test_a_large_scrape_is_compressed_and_a_small_one_is_not(agent: Agent) -> None:
    assert "Content-Encoding" not in (await agent.ask("/metrics", Accept_Encoding="gzip")).headers
    big = Agent()
    big.board = large_board(big.clock, 100)
    big.server = big.make()
    big.port = await big.server.start("127.0.0.1", 0)
    compressed = await big.ask("/metrics", Accept_Encoding="br, gzip;q=0.5")
    plain = await big.ask("/metrics", Accept_Encoding="gzip;q=0")
    await big.server.close()
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.body) == plain.body


async def test_a_scrape_is_kept_for_a_second(agent: Agent) -> None:
    first = await agent.ask("/metrics")
    agent.own.logged("error")
    assert (await agent.ask("/metrics")).body == first.body
    agent.clock.advance(timedelta(seconds=1))
    assert (await agent.ask("/metrics")).body != first.body


async def test_head_has_the_headers_and_no_body(agent: Agent) -> None:
    get, head = await agent.ask("/metrics"), await agent.ask("/metrics", "HEAD")
    assert head.status == 200
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.body == b""


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready", "/", "/api/v1/status", "/nothing"])
async def test_every_answer_forbids_scripts_frames_and_caching(agent: Agent, path: str) -> None:
    headers = (await agent.ask(path)).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Server"] == "mailflow-agent"


async def test_readiness_is_told_apart_from_health(agent: Agent) -> None:
    assert (await agent.ask("/-/ready")).status == 200
    agent.is_ready = False
    assert (await agent.ask("/-/ready")).status == 503
    assert (await agent.ask("/-/healthy")).status == 200


async def test_the_status_page_shows_the_worst_first(agent: Agent) -> None:
    page = (await agent.ask("/")).text
    assert "1 of 8 subjects is critical" in page
    assert page.index("contoso.com") < page.index("contoso.de")
    assert "no data yet" in page
    assert "stale" in page
    assert "<script" not in page
    assert "style=" not in page


async def test_a_subject_has_its_page_with_facts(agent: Agent) -> None:
    page = (await agent.ask("/subjects/contoso/domain/contoso.com")).text
    assert "The SPF record takes more than 10 lookups" in page
    assert "include:spf.protection.outlook.com" in page
    assert "What changed" in page
    walk = (await agent.ask("/subjects/contoso/connector/to-datacentre")).text
    assert "not reached" in walk
    assert (await agent.ask("/subjects/contoso/domain/other.example")).status == 404


async def test_a_rule_has_its_page_with_those_who_break_it(agent: Agent) -> None:
    page = (await agent.ask("/rules/mx-dangling")).text
    assert "contoso.com" in page
    assert "Remove the record" in page
    assert "Not found anywhere" in (await agent.ask("/rules/run-crashed")).text
    assert (await agent.ask("/rules/none")).status == 404


async def test_the_status_is_there_for_programs(agent: Agent) -> None:
    status = json.loads((await agent.ask("/api/v1/status")).body)
    checks = {check["check"]: check for check in status["checks"]}
    assert checks["contoso/domain/contoso.com/mx"]["findings"][0]["consecutive"] == 4
    assert checks["fabrikam/domain/fabrikam-new.example/spf"]["state"] == "pending"
    assert checks["fabrikam/domain/mail.fabrikam.de/spf"]["state"] == "stale"


async def test_a_rejected_configuration_is_shown(agent: Agent) -> None:
    agent.errors = ("config.yaml:3: tenants: <b>wrong</b>",)
    assert "config.yaml:3: tenants: &lt;b&gt;wrong" in (await agent.ask("/")).text
    refused = await agent.ask("/-/reload", "POST")
    assert refused.status == 500
    assert "config.yaml:3" in refused.text


async def test_reload_takes_a_post_from_nowhere_else(agent: Agent) -> None:
    assert (await agent.ask("/-/reload", "POST")).text == "reloaded\n"
    assert (await agent.ask("/-/reload", "POST", Origin="http://localhost")).status == 200
    assert (await agent.ask("/-/reload", "POST", Origin="http://evil.example")).status == 403
    got = await agent.ask("/-/reload")
    assert (got.status, got.headers["Allow"]) == (405, "POST")
    assert agent.reloads == 2


async def test_reload_does_not_exist_unless_it_is_enabled(agent: Agent) -> None:
    server = agent.make(reloadable=False)
    agent.port = await server.start("127.0.0.1", 0)
    assert (await agent.ask("/-/reload", "POST")).status == 404
    await server.close()


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


async def test_a_request_with_too_large_a_body_is_refused(agent: Agent) -> None:
    answer = await agent.ask("/-/reload", "POST", Content_Length="1073741824")
    assert answer.status == 413
    assert agent.reloads == 0


async def test_silent_connections_are_bounded_and_do_not_keep_the_rest_out(agent: Agent) -> None:
    streams = [await asyncio.open_connection("127.0.0.1", agent.port) for _ in range(CONNECTIONS)]
    for reader, writer in streams[-1:]:
        writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 200 " in await reader.read()
    # One has gone; two more are one too many.
    extra = [await asyncio.open_connection("127.0.0.1", agent.port) for _ in range(2)]
    with pytest.raises((ConnectionError, AssertionError)):
        assert await extra[-1][0].read(1)
    for _, writer in (*streams, *extra):
        writer.close()


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
    }
    publish(agent.board, hostile, Outcome(findings_of([evil]), facts=facts))
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    for path in ("/", "/subjects/contoso/domain/contoso.com"):
        page = (await agent.ask(path)).text
        assert "<script" not in page
        assert "{{7*7}}" in page
    assert json.loads((await agent.ask("/api/v1/status")).body)["checks"][0]["findings"]
    assert "script" not in (await agent.ask("/metrics")).text
    await agent.server.close()


async def test_of_many_subjects_only_trouble_is_listed_until_asked() -> None:
    agent = Agent()
    agent.board = large_board(agent.clock, 300)
    agent.server = agent.make()
    agent.port = await agent.server.start("127.0.0.1", 0)
    page = (await agent.ask("/")).text
    assert "6 of 300 subjects are critical" in page
    assert page.count('<details class="subject') == 6
    everything = (await agent.ask("/?show=all&page=3")).text
    assert everything.count('<details class="subject') == 100
    assert "Page 3 of 3" in everything
    assert (await agent.ask("/?q=DOMAIN00007&show=all")).text.count('<details class="subject') == 1
    assert "Nothing matches" in (await agent.ask("/?tenant=none")).text
    assert (await agent.ask("/?page=9999999999&show=%00%ff")).status == 200
    await agent.server.close()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        pytest.param((), "Nothing is configured", id="none"),
        pytest.param(("a.example",), "The subject has no data yet", id="one"),
        pytest.param(("a.example", "b.example"), "2 of 2 subjects have no data yet", id="two"),
    ],
)
async def test_no_data_is_not_called_fine(names: tuple[str, ...], says: str) -> None:
    agent = Agent()
    agent.board.keep([check("contoso", SPF, name) for name in names], agent.clock.now())
    agent.port = await agent.server.start("127.0.0.1", 0)
    assert says in (await agent.ask("/")).text
    await agent.server.close()
