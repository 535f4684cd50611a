"""The whole agent, against a real DNS server: it starts, sees, reloads, and stops as it should."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from agent.app import Agent, Overrides, StartError, serve
from agent.cli.exits import Exit
from agent.config import ConfigError
from agent.domain.finding import Severity
from agent.probes.base import discover
from agent.runtime.signals import Signals
from servers.dns import DnsServer, Fault
from servers.gates import GATES
from servers.program import mailflow_agent
from servers.running import eventually

ZONE = {
    ("contoso.com", "SOA"): "ns.contoso.com",
    ("contoso.com", "TXT"): "v=spf1 ip4:192.31.196.25 -all",
    ("contoso.com", "MX"): "10 mail.contoso.com",
    ("mail.contoso.com", "A"): "192.31.196.25",
}
"""A domain whose mail works."""


class Installation:
    """A configuration in a folder, and the agent that runs it."""

    def __init__(self, folder: Path, resolver: tuple[str, int]) -> None:
        self.path = folder / "config.yaml"
        self.folder = folder
        self._resolver = resolver
        self.write()

    def write(self, extra: str = "", *, interval: str = "1s", domains: str = "") -> None:
        host, port = self._resolver
        self.path.write_text(
            f"""\
agent: {{listen: "127.0.0.1:0", state: {self.folder / "state"}}}
resolvers: ["{host}:{port}"]
checks:
  self: {{interval: 1s, control_names: [contoso.com]}}
  spf: {{interval: {interval}, timeout: 900ms}}
  mx: {{interval: {interval}, timeout: 900ms}}
  exchange: off
  refusal: off
tenants:
  - name: contoso
    domains:
      - {{name: contoso.com, topology: custom}}
{domains}
{extra}
""",
            encoding="utf-8",
        )


class Running:
    """An agent that runs, and what a visitor sees of it."""

    def __init__(self, agent: Agent, session: aiohttp.ClientSession) -> None:
        self.agent = agent
        self.url = agent.url
        self._session = session

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self.url + path) as reply:
            return reply.status, await reply.text()

    async def reload(self) -> tuple[int, str]:
        async with self._session.post(self.url + "-/reload") as reply:
            return reply.status, await reply.text()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds after a run."""
        published = asyncio.Event()
        self.agent.board.subscribe(lambda _: published.set())
        async with asyncio.timeout(20):
            while not holds():
                published.clear()
                await published.wait()

    def severity(self, identity: str) -> Severity | None:
        standing = self.agent.board.standing(identity)
        return None if standing is None else standing.severity


@asynccontextmanager
async def running(
    installation: Installation, overrides: Overrides | None = None
) -> AsyncIterator[Running]:
    """Run the agent in this process, and stop it with a signal."""
    started: asyncio.Future[Agent] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve(installation.path, overrides=overrides, started=started.set_result)
    )
    task.add_done_callback(lambda _: started.done() or started.cancel())
    await asyncio.wait({started})
    if task.done():
        task.result()
    async with aiohttp.ClientSession() as session:
        yield Running(started.result(), session)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await task == 0


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    async with DnsServer(ZONE) as server:
        yield server


@pytest.fixture
def installation(tmp_path: Path, dns: DnsServer) -> Installation:
    return Installation(tmp_path, dns.address)


SPF = "contoso/domain/contoso.com/spf"
MX = "contoso/domain/contoso.com/mx"
SELF = "agent/agent/local/self"
KINDS = [probe.kind for probe in discover() if probe.one_off is not None]


async def test_every_check_runs_and_is_shown(installation: Installation) -> None:
    async with running(installation) as it:
        board = it.agent.board
        await it.until(lambda: all(standing.run for standing in board.runs()))
        of_domain = {f"contoso/domain/contoso.com/{kind}" for kind in KINDS}
        assert {SPF, MX} <= of_domain
        assert {standing.check.identity for standing in board.runs()} == {SELF, *of_domain}
        assert await it.get("-/ready") == (200, "ready\n")
        _, metrics = await it.get("metrics")
        assert "mailflow_check_severity{" in metrics
        assert 'mailflow_dependency_up{dependency="resolver"} 1' in metrics
        assert 'mailflow_runs_total{probe="spf"}' in metrics
        _, page = await it.get("")
        assert "contoso.com" in page
        run = await it.agent.run_now(SPF)
        assert run is not None
        assert run.check.identity == SPF
        assert await it.agent.run_now("nobody") is None


async def test_a_state_that_cannot_be_written_is_seen_in_the_metrics(
    installation: Installation, dns: DnsServer
) -> None:
    async with running(installation) as it:

        async def look() -> list[str]:
            return (await it.get("metrics"))[1].splitlines()

        await it.until(lambda: it.severity(SPF) is not None)
        with closing(sqlite3.connect(installation.folder / "state" / "mailflow.db")) as other:
            other.execute("BEGIN IMMEDIATE")  # as long as this lasts, nobody else writes
            dns.zone["contoso.com", "TXT"] = "v=spf1 ip4:192.31.196.25 ~all"
            lines = await eventually(look, lambda lines: "mailflow_store_degraded 1.0" in lines)
            assert "mailflow_store_write_errors_total 0.0" not in lines
            assert "mailflow_store_moved_aside_total 0.0" in lines
        await eventually(look, lambda lines: "mailflow_store_degraded 0.0" in lines)


async def test_when_dns_is_down_there_is_one_cause_and_no_fault_of_the_domain(
    installation: Installation, dns: DnsServer
) -> None:
    async with running(installation) as it:
        await it.until(lambda: it.severity(SPF) is not None and it.severity(SELF) is not None)
        before = it.severity(SPF)
        port = dns.port
        await dns.stop()
        standing = it.agent.board.standing(SPF)
        assert standing is not None
        await it.until(lambda: "dependency-down" in standing.consecutive)
        assert it.severity(SELF) is Severity.CRITICAL
        assert it.severity(SPF) is Severity.UNKNOWN
        _, metrics = await it.get("metrics")
        assert 'mailflow_dependency_up{dependency="resolver"} 0' in metrics
        await dns.start(port)
        await it.until(lambda: it.severity(SPF) == before and it.severity(SELF) is Severity.OK)


@pytest.mark.parametrize("gate", ["an address for A", "nothing"])
async def test_behind_a_gate_there_is_one_cause_and_no_fault_of_the_domain(
    installation: Installation, dns: DnsServer, gate: str
) -> None:
    async with running(installation) as it:
        await it.until(lambda: it.severity(SPF) is not None and it.severity(SELF) is not None)
        before, seen = it.severity(SPF), set[str]()
        it.agent.board.subscribe(lambda each: seen.update(each.consecutive))
        zone, dns.zone, dns.default = dns.zone, {}, GATES[gate]
        standing = it.agent.board.standing(SPF)
        assert standing is not None
        await it.until(lambda: "dependency-down" in standing.consecutive)
        assert it.severity(SELF) is Severity.CRITICAL
        assert it.severity(SPF) is Severity.UNKNOWN
        assert "spf-missing" not in seen, "not even for one run"
        dns.zone, dns.default = zone, None
        await it.until(lambda: "dependency-down" not in standing.consecutive)
        assert it.severity(SPF) is before, "what a gate says is no news"


async def test_a_reload_keeps_what_stays_and_adds_what_is_new(
    installation: Installation, dns: DnsServer
) -> None:
    installation.write(interval="10m")
    dns.zone["fabrikam.com", "TXT"] = "v=spf1 -all"
    async with running(installation) as it:
        await it.until(lambda: it.severity(SPF) is not None)
        before = it.agent.board.standing(SPF)
        assert before is not None
        check, runs = before.check, before.runs
        installation.write(
            interval="10m", domains="      - {name: fabrikam.com, topology: custom}\n"
        )
        assert (await it.reload())[0] == 200
        added = "contoso/domain/fabrikam.com/spf"
        await it.until(lambda: it.severity(added) is not None)
        after = it.agent.board.standing(SPF)
        assert after is before
        assert after.check is check
        assert after.runs == runs
        installation.write(interval="5m")
        assert (await it.reload())[0] == 200
        assert after.check is not check  # its interval is another
        assert it.agent.board.standing(added) is None
    with closing(sqlite3.connect(installation.folder / "state" / "mailflow.db")) as state:
        gone = dict(state.execute("SELECT key, gone_at IS NOT NULL FROM history"))
    assert (gone[f"{added}#record"], gone[f"{SPF}#record"]) == (1, 0)


async def test_a_wrong_file_leaves_everything_as_it_is_and_says_why(
    installation: Installation,
) -> None:
    async with running(installation) as it:
        await it.until(lambda: it.severity(SPF) is not None)
        checks = [standing.check for standing in it.agent.board.runs()]
        installation.write("nonsense: 1\n")
        status, text = await it.reload()
        assert status == 500
        assert "nonsense" in text
        assert [standing.check for standing in it.agent.board.runs()] == checks
        assert "nonsense" in (await it.get(""))[1]
        assert "mailflow_config_last_reload_successful 0" in (await it.get("metrics"))[1]
        installation.path.unlink()
        assert (await it.reload())[0] == 500
        installation.write()
        assert await it.reload() == (200, "reloaded\n")
        status_page = json.loads((await it.get("api/v1/status"))[1])
        assert status_page["config_errors"] == []


async def test_a_hangup_reloads_and_many_are_one(installation: Installation) -> None:
    installation.write(interval="10m")
    async with running(installation) as it:
        await it.until(lambda: it.severity(SPF) is not None)
        installation.write(
            interval="10m", domains="      - {name: fabrikam.com, topology: custom}\n"
        )
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGHUP)
        await it.until(lambda: it.severity("contoso/domain/fabrikam.com/mx") is not None)


async def test_the_overrides_go_over_the_file(installation: Installation, dns: DnsServer) -> None:
    installation.path.write_text(
        installation.path.read_text(encoding="utf-8").replace(str(dns.port), "1"),
        encoding="utf-8",
    )
    overrides = Overrides(
        resolvers=(dns.address,),
        listen=("127.0.0.1", 0),
        settings={"agent": {"vantage": "elsewhere"}},
    )
    async with running(installation, overrides) as it:
        await it.until(lambda: it.severity("agent/agent/elsewhere/self") is Severity.OK)


ROUTE = """\
    routes:
      - name: to-ourselves
        send:
          smtp: {host: 127.0.0.1, port: PORT, tls: never}
          mail_from: probe@contoso.com
          rcpt_to: Probe@sink.contoso.com
        checks: {route: {interval: 5m, timeout: 10s}}
"""


async def test_a_route_into_the_sink_is_walked(
    installation: Installation, unused_tcp_port: int
) -> None:
    installation.write(domains=ROUTE.replace("PORT", str(unused_tcp_port)))
    overrides = Overrides(sink=("127.0.0.1", unused_tcp_port))
    async with running(installation, overrides) as it:
        identity = "contoso/route/to-ourselves/route"
        await it.until(lambda: it.severity(identity) is not None)
        standing = it.agent.board.standing(identity)
        assert standing is not None
        assert standing.run is not None
        assert standing.run.outcome.findings == ()


async def test_a_port_in_use_and_a_folder_that_cannot_be_are_said_in_one_line(
    installation: Installation, dns: DnsServer
) -> None:
    for overrides, extra in (
        (Overrides(listen=("127.0.0.1", dns.port)), ""),
        (
            Overrides(sink=("127.0.0.1", dns.port)),
            ROUTE.replace("PORT", "25"),
        ),
    ):
        installation.write(domains=extra)
        with pytest.raises(StartError, match=r"cannot be listened on|in use") as caught:
            await serve(installation.path, overrides=overrides)
        assert "\n" not in str(caught.value)
    (installation.folder / "file").write_text("", encoding="utf-8")
    settings = {"agent": {"state": str(installation.folder / "file")}}
    installation.write()
    with pytest.raises(StartError) as caught:
        await serve(installation.path, overrides=Overrides(settings=settings))
    assert "\n" not in str(caught.value)


async def test_a_reload_whose_sink_cannot_listen_is_rejected(
    installation: Installation, dns: DnsServer
) -> None:
    async with running(installation, Overrides(sink=("127.0.0.1", dns.port))) as it:
        installation.write(domains=ROUTE.replace("PORT", "25"))
        status, text = await it.reload()
        assert status == 500
        assert "sink.listen" in text
        assert len(it.agent.board.runs()) == len(KINDS) + 1


async def test_a_wrong_file_does_not_start(installation: Installation) -> None:
    installation.write("nonsense: 1\n")
    with pytest.raises(ConfigError):
        await serve(installation.path)


async def test_what_runs_may_end_and_a_second_signal_hurries(
    installation: Installation, dns: DnsServer
) -> None:
    dns.zone["contoso.com", "TXT"] = Fault.SILENT
    installation.write(interval="1s")
    text = installation.path.read_text(encoding="utf-8").replace("900ms", "30s")
    installation.path.write_text(text, encoding="utf-8")
    async with running(installation, Overrides(grace=timedelta(seconds=60))) as it:
        await it.until(lambda: it.severity(MX) is not None)
        await dns.wait_until_asked("contoso.com", "TXT")
        loop = asyncio.get_running_loop()
        loop.call_later(0.3, os.kill, os.getpid(), signal.SIGTERM)  # the second, after the exit's
        began = loop.time()
    assert loop.time() - began < 20


SCRIPT = """
import asyncio, sys
from pathlib import Path
from agent.app import serve
sys.exit(asyncio.run(serve(Path(sys.argv[1]), started=lambda agent: print(agent.url, flush=True))))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_ends_with_0_when_told_to_stop(
    installation: Installation, number: signal.Signals
) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, str(installation.path), stdout=PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(30):
        assert (await child.stdout.readline()).startswith(b"http://127.0.0.1:")
        child.send_signal(signal.SIGHUP)
        child.send_signal(number)
        assert await child.wait() == 0
        await child.stdout.read()


async def test_a_task_that_shows_no_sign_of_life_makes_it_unhealthy(
    installation: Installation,
) -> None:
    async with running(installation) as it:
        assert await it.get("-/healthy") == (200, "healthy\n")
        it.agent.heartbeats.expect("scheduler", -1.0)  # it would have had to beat a second ahead
        it.agent.heartbeats.expect("monitor", -1.0)
        told = "unhealthy: no sign of life of monitor, scheduler\n"
        assert await it.get("-/healthy") == (503, told)
        it.agent.heartbeats.expect("monitor", 15.0)
        it.agent.heartbeats.expect("scheduler", 15.0)
        assert await it.get("-/healthy") == (200, "healthy\n")


STUCK = """
import asyncio, sys, time
from pathlib import Path
from agent.app import Overrides, serve
from agent.runtime.watchdog import Patience

def started(agent):
    print(agent.url, flush=True)
    asyncio.get_running_loop().call_soon(time.sleep, 3600)

overrides = Overrides(patience=Patience(pace=0.1, tell=5, give_up=60))
sys.exit(asyncio.run(serve(Path(sys.argv[1]), overrides=overrides, started=started)))
"""


async def test_an_agent_whose_event_loop_is_stuck_is_not_healthy_and_does_not_stay(
    installation: Installation,
) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STUCK, str(installation.path), stdout=PIPE, stderr=PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(60):
        url = (await child.stdout.readline()).decode().strip()
        ended = await mailflow_agent("healthcheck", f"{url}-/healthy", "--timeout", "0.5")
        assert ended.code == Exit.CRITICAL
        _, log = await child.communicate()
    assert child.returncode == Exit.STUCK
    assert log.count(b"event loop is stuck") == 1
    assert b"in _run_once" in log  # of asyncio: what blocks is a call of the loop itself here


async def test_no_reload_begins_once_the_agent_stops() -> None:
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        await signals.stop.wait()
        assert not signals.take_reload()
        os.kill(os.getpid(), signal.SIGINT)
        await signals.hurry.wait()
