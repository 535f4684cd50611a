"""The real program among hostile servers: it stays well, its neighbour too, and all recover.

Every behaviour has an address of its own on loopback, and is the smart host of a connector. Beside
them stands a sound server. When the hostile ones mend their ways, every check is well again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from servers.dns import DnsServer
from servers.hostile import Hostile, all_of_them
from servers.running import Installation, Running, Seen, running
from servers.smtp import Behaviour, Wire
from servers.tls import Authorities

MOST = 20 * 2**20  # octets that the process may grow by
NEIGHBOUR = ("connector", "neighbour")
LAG = "mailflow_event_loop_lag_seconds"


class Switch:
    """A server that behaves badly until it is told to behave."""

    def __init__(self, hostile: Hostile) -> None:
        self._hostile = hostile
        self.is_bad = False
        self.sessions = 0

    async def behave(self, wire: Wire) -> None:
        self.sessions += 1
        await (self._hostile.behave if self.is_bad else sound)(wire)


async def sound(wire: Wire) -> None:
    """Speak as a server should, without TLS, and relay for nobody."""
    await wire.say(b"220 mx.sound.example ESMTP\r\n")
    while line := await wire.hear():
        verb = line[:4].upper()
        if verb == b"RCPT":
            known = b"known@" in line
            await wire.say(b"250 2.1.5 ok\r\n" if known else b"550 5.7.1 relaying denied\r\n")
        elif verb == b"QUIT":
            await wire.say(b"221 bye\r\n")
            return
        else:
            await wire.say(b"250 mx.sound.example\r\n")


@asynccontextmanager
async def listening(address: str, behave: Behaviour) -> AsyncIterator[int]:
    """Listen at an address of loopback; gives the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            await behave(Wire(reader, writer, bytearray()))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address, 0, limit=2**20)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def connector(name: str, place: str) -> str:
    return (
        f"      - {{name: {name}, smart_hosts: ['{place}'], mail_from: a@probe.example,"
        " validation_recipients: [known@sound.example]}\n"
    )


def resident(pid: int) -> int:
    """Return the resident octets of a process."""
    return 4096 * int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])


def lags(seen: Seen, below: str) -> float:
    """Return how many samples of the event loop's lag were no larger."""
    return seen.value(f"{LAG}_bucket", le=below) or 0


def runs(seen: Seen) -> float:
    return sum(each.value for each in seen.all("mailflow_runs_total", probe="connector"))


@asynccontextmanager
async def besieged(folder: Path) -> AsyncIterator[tuple[Running, list[Switch]]]:
    """Run the agent among all hostile servers, which begin as sound ones."""
    context = Authorities().server("mx.hostile.example")
    async with AsyncExitStack() as stack:
        dns = await stack.enter_async_context(DnsServer({("com", "SOA"): "ns.example"}))
        lines, switches = [], []
        for number, hostile in enumerate(all_of_them(context), 1):
            switch, address = Switch(hostile), f"127.0.2.{number}"
            port = await stack.enter_async_context(listening(address, switch.behave))
            lines.append(connector(f"hostile-{number}", f"{address}:{port}"))
            switches.append(switch)
        port = await stack.enter_async_context(listening("127.0.3.1", sound))
        lines.append(connector("neighbour", f"127.0.3.1:{port}"))
        tenants = "tenants:\n  - name: contoso\n    connectors:\n" + "".join(lines)
        installation = Installation(folder, tenants)
        host, dns_port = dns.address
        installation.write(f'resolvers: ["{host}:{dns_port}"]\n')
        agent = await stack.enter_async_context(running(installation, lab=False))
        yield agent, switches


@pytest.mark.integration
@pytest.mark.timeout(110)
async def test_the_agent_lives_among_hostile_servers(tmp_path: Path) -> None:
    async with besieged(tmp_path) as (agent, switches):
        # In the clear is a warning, and no more than that: all are as well as they can be.
        plain = {"connector-plaintext": "warning"}
        calm = await agent.until(
            lambda seen: all(seen.found("connector", name) == plain for name in names(switches)), 40
        )
        before = resident(agent.process.pid)
        for switch in switches:
            switch.is_bad, switch.sessions = True, 0
        done = runs(calm) + 4 * len(switches)
        stormy = await agent.until(lambda seen: runs(seen) > done, 90)
        assert all(switch.sessions for switch in switches)
        assert stormy.found(*NEIGHBOUR) == plain
        assert resident(agent.process.pid) - before < MOST
        assert not stormy.value("mailflow_run_crashes_total", probe="connector")
        assert (await agent.get("-/healthy"))[0] == 200
        samples = lags(stormy, "+Inf") - lags(calm, "+Inf")
        assert lags(stormy, "0.1") - lags(calm, "0.1") > 0.99 * samples
        assert lags(stormy, "1.0") - lags(calm, "1.0") == samples
        for path in ("", "subjects/contoso/connector/hostile-1"):
            status, page = await agent.get(path)
            assert status == 200
            assert "<script>alert" not in page
        for switch in switches:
            switch.is_bad = False
        # Who was throttled is left alone for up to a minute by now.
        await agent.until(
            lambda seen: all(seen.found("connector", name) == plain for name in names(switches)),
            150,
        )


def names(switches: list[Switch]) -> list[str]:
    return [f"hostile-{number}" for number in range(1, len(switches) + 1)]
