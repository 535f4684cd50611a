"""P1: what does the whole agent cost beside blackbox_exporter that does the bare network work?

The agent, the real program: SPF and MX of 10,000 domains every five minutes, connectors with 1,000
STARTTLS sessions a minute, 200 routes every five minutes through a real Postfix and back, a scrape
with gzip every fifteen seconds. The exporter: as many STARTTLS sessions a minute, and one DNS query
for each check of a domain, at the same pace; it walks no SPF record, keeps nothing, sends no
message, and what drives it is not counted. All servers are processes of their own.

The exporter is measured in the last ``--seconds`` of the agent's warm-up, the agent after it.
`python bench/p01_whole_load.py` (as root; about seven minutes with ``--seconds 90``)
"""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import many_domains
import p07_smtp_probe as p07
import p18_connectors
from p15_whole import Delta, Scrapes
from p19_two_hundred_routes import head, look, routes, total

from servers.mail_ports import free_port
from servers.onward import Onward, onward

SESSIONS = 1000  # STARTTLS, a minute
ROUTES = 200
GATE, MOONSHOT = 1.0, 0.5  # of the exporter's CPU
MODULES = """\
modules:
  smtp:
    prober: tcp
    timeout: 10s
    tcp:
      preferred_ip_protocol: ip4
      query_response:
        - expect: "^220 "
        - send: "EHLO probe.example\\r"
        - expect: "^250.STARTTLS"
        - send: "STARTTLS\\r"
        - expect: "^220"
        - starttls: true
        - send: "EHLO probe.example\\r"
        - expect: "^250 "
        - send: "QUIT\\r"
      tls_config: {insecure_skip_verify: true}
  dns:
    prober: dns
    timeout: 5s
    dns: {query_name: domain7.example.com, query_type: TXT, preferred_ip_protocol: ip4}
"""
_CODE = "import sys; sys.path[:0] = sys.argv[1:]; import p18_connectors; p18_connectors.serve()"


@dataclass(frozen=True, slots=True)
class World:
    """Where the servers are: ports, and the relay of the routes."""

    dns: int
    smtp: int
    sink: int
    relay: Onward


def configure(folder: Path, world: World, domains: int) -> Path:
    """Write the configuration of everything at once."""
    dns, smtp = world.dns, world.smtp
    one = many_domains.configure(folder, dns, domains=domains, interval="5m")
    tenants = one.read_text().partition("tenants:\n")[2]
    # Each check of a connector holds two sessions: so many connectors every two minutes.
    other = p18_connectors.configure(folder, dns, smtp, connectors=SESSIONS, interval="2m")
    connectors = other.read_text().partition("    connectors:\n")[2]
    lines = [
        *head(world.sink, interval="5m"),
        "  spf: {interval: 5m}",
        "  mx: {interval: 5m}",
        "  connector: {interval: 2m}",
        "  exchange: off",
        "  refusal: off",
        f"resolvers: [127.0.0.1:{dns}]",
        "tenants:",
        *routes(world.relay, count=ROUTES, boxed=0),
        "    connectors:",
    ]
    path = folder / "config.yaml"
    path.write_text("\n".join([*lines, connectors + tenants]))
    return path


@contextmanager
def smtp_server() -> Iterator[int]:
    """Run the server with STARTTLS that stands behind all connectors."""
    server = subprocess.Popen(
        (sys.executable, "-c", _CODE, str(many_domains.HERE), str(many_domains.HERE.parent)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


class Exporter:
    """blackbox_exporter, and who drives it."""

    def __init__(self, pid: int, url: str, session: aiohttp.ClientSession) -> None:
        self.pid, self._url, self._session = pid, url, session
        self.good = self.bad = 0

    async def probe(self, module: str, target: str) -> None:
        async with self._session.get(self._url, params={"module": module, "target": target}) as r:
            is_good = "\nprobe_success 1" in await r.text()
        self.good += is_good
        self.bad += not is_good

    async def at(self, rate: float, until: float, one: Callable[[int], Awaitable[None]]) -> None:
        """Start probes at *rate* a second, evenly."""
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            number = 0
            while due < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(one(number))  # type: ignore[arg-type]
                number, due = number + 1, due + 1 / rate


@asynccontextmanager
async def exporter() -> AsyncIterator[Exporter]:
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(MODULES)
        file.flush()
        config = Path(file.name)
        connector = aiohttp.TCPConnector(limit=200)
        async with (
            p07._exporter(config) as (pid, url),
            aiohttp.ClientSession(connector=connector) as session,
        ):
            yield Exporter(pid, url, session)


async def peer(seconds: float, domains: int, dns: int, smtp: int) -> float:
    """Return the CPU of the exporter for the same sessions and a query for each check, in %."""
    async with exporter() as one:
        await one.probe("smtp", f"127.1.0.1:{smtp}")
        await one.probe("dns", f"127.0.0.1:{dns}")
        assert one.good == 2, "the exporter cannot probe"
        before, until = p07._cpu(one.pid), time.monotonic() + seconds
        await asyncio.gather(
            one.at(
                SESSIONS / 60,
                until,
                lambda n: one.probe("smtp", f"127.1.{n % 1000 // 250}.{1 + n % 250}:{smtp}"),
            ),
            one.at(domains * 2 / 300, until, lambda _: one.probe("dns", f"127.0.0.1:{dns}")),
        )
        cpu = (p07._cpu(one.pid) - before) / seconds * 100
        print(f"blackbox_exporter: {one.good} probes, {one.bad} failed, CPU {cpu:.1f} % of a core")
        return cpu


async def whole(agent: many_domains.Process, seconds: float) -> float:
    """Return the CPU of the agent over a window, in %, and print what it did."""
    scrapes = Scrapes(agent)
    before, zero, seen = agent.read(), await scrapes.once(), await look(agent)
    await scrapes.until(time.monotonic() + seconds)
    after, delta, last = agent.read(), Delta(zero, await scrapes.once()), await look(agent)
    span = after.at - before.at
    runs = {
        probe: sum(s.value for s in last.all("mailflow_runs_total", probe=probe))
        - sum(s.value for s in seen.all("mailflow_runs_total", probe=probe))
        for probe in ("spf", "mx", "connector", "route")
    }
    cpu = (after.cpu - before.cpu) / span * 100
    print(f"the agent: {runs} in {span:.0f} s, CPU {cpu:.1f} % of a core")
    lag = delta.histogram("mailflow_event_loop_lag_seconds")
    print(
        f"lag p99 {lag[1] * 1e3:.1f} ms, resident {after.resident / 2**20:.0f} MiB,"
        f" {scrapes.series} series, {total(last, 'mailflow_route_in_flight'):.0f} in flight,"
        f" {total(last, 'mailflow_route_messages_failed_total'):.0f} messages failed"
    )
    return cpu


async def main() -> int:
    parser = many_domains.options("The whole load beside blackbox_exporter.", seconds=90)
    parser.add_argument("--warm-up", type=float, default=315, help="seconds, one interval at least")
    given = parser.parse_args()
    sink = free_port()
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(many_domains.folder())
        relay = await stack.enter_async_context(onward(sink))
        dns = await stack.enter_async_context(many_domains.resolver(with_unbound=False))
        smtp = stack.enter_context(smtp_server())
        config = configure(folder, World(dns, smtp, sink, relay), given.domains)
        agent = stack.enter_context(many_domains.agent(config))
        await asyncio.to_thread(agent.wait_until_healthy)
        await asyncio.sleep(max(0.0, given.warm_up - given.seconds))
        theirs = await peer(given.seconds, given.domains, dns, smtp)
        ours = await whole(agent, given.seconds)
        log = agent.log.read_text()
    if noise := [line for line in log.splitlines() if "level=" in line]:
        print(f"logged {len(noise)} lines, the first:", noise[0])
    ratio = ours / theirs
    word = "held" if ratio <= GATE else "MISSED"
    word = "moonshot reached" if ratio <= MOONSHOT else f"gate {word}"
    print(f"ours / blackbox_exporter, CPU: {ratio:.3g} (gate {GATE}, moonshot {MOONSHOT}): {word}")
    return int(ratio > GATE)


if __name__ == "__main__":
    if not p07.BLACKBOX.exists():
        unpack = many_domains.HERE.parent / ".ci" / "unpacked"
        target = str(Path(sys.prefix) / "debian")
        subprocess.run([unpack, target, "prometheus-blackbox-exporter"], check=True)
    sys.exit(asyncio.run(main()))
