"""P18: what does a route probe cost: a message is sent, comes back, is found, and is judged?

The real probe, ledger (on a real disk), outbox, intray and place of arrival, in one process whose
CPU alone is counted; a real Postfix in between takes each message with STARTTLS and hands it on:
to the agent's own SMTP server, or into a Maildir. The peer is Debian's prometheus-mailexporter,
which sends with STARTTLS and finds its message in a Maildir; its CPU is read from the kernel. Both
are paced, twenty routes with a message a second each, because a wake-up costs more than the work.
It keeps no record, reads no header, and hands its messages to nobody else than itself to judge.

"at once" has no pauses, and "floor" is the same with a relay of our own in place of Postfix, which
needs nothing installed (alone with ``--floor``).

`python bench/p18_route_probe.py` (as root: it starts Postfix)
"""

import argparse
import asyncio
import gc
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import p07_smtp_probe as p07
from harness import HERE, Goal, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

MESSAGES = 500
ROUTES = 20
GATE, MOONSHOT = 2.0, 1.0  # of the peer's CPU
PEER = Path(sys.prefix) / "debian/usr/bin/mailexporter"
SERVER = """\
    - name: s{number}
      server: 127.0.0.1
      port: {port}
      login: ""
      passphrase: ""
      from: {mail_from}
      to: {rcpt_to}
      detectiondir: {maildir}/new
"""
_CODE = (
    "import sys; sys.path[:0] = sys.argv[1:3];"
    " import p18_route_probe; p18_route_probe.relay(sys.argv[3])"
)


def sink(port: str, sink_port: str, pace: str) -> None:
    """Send to the relay, and take at the sink what it hands on."""
    asyncio.run(_sink(int(port), int(sink_port), float(pace)))


def maildir(port: str, path: str, pace: str) -> None:
    """Send to the relay, and find in a Maildir what it delivers."""
    asyncio.run(_maildir(int(port), Path(path), float(pace)))


async def _sink(port: int, sink_port: int, pace: float) -> None:
    from agent.adapters.sink import Sink
    from servers.onward import TO_SINK

    async with bench() as (tools, intray):
        arrivals = Sink(intray, lambda: {TO_SINK})
        await arrivals.start("127.0.0.1", sink_port)
        await drive(tools, checks(port, TO_SINK, {}), pace)
        await arrivals.close()


async def _maildir(port: int, path: Path, pace: float) -> None:
    from agent.adapters.maildir import MaildirMailbox
    from agent.adapters.pickup import Place
    from agent.adapters.pickups import Pickups
    from servers.onward import TO_MAILDIR

    receive = {"maildir": {"path": str(path)}}
    home = f"maildir {path}"
    async with bench() as (tools, intray):
        pickups = Pickups(intray, tools.ledger, tools.clock)

        async def opened() -> MaildirMailbox:
            return MaildirMailbox(path)

        place = Place(opened, timedelta(seconds=5))
        pickups.replace({home: place})
        await pickups.known(home)
        await drive(tools, checks(port, TO_MAILDIR, receive), pace)
        await pickups.close()


@asynccontextmanager
async def bench() -> AsyncIterator[tuple[Any, Any]]:
    """Make the tools of a route, with a ledger on disk and no budget to speak of."""
    from agent.adapters.clock import SystemClock
    from agent.adapters.dialer import Dialer
    from agent.adapters.intray import Intray
    from agent.adapters.keyring import Keyring
    from agent.adapters.ledger import Ledger
    from agent.adapters.outbox import Outbox
    from agent.adapters.store import Store
    from agent.adapters.trust import TrustStore
    from agent.adapters.wallet import Wallet
    from agent.domain.budget import Allowance, Budget
    from agent.probes.base import Toolbox

    missing: Any = None
    clock, trust = SystemClock(), TrustStore(system=False)
    wide = Allowance(1_000_000, timedelta(minutes=1))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        await store.open()
        ledger = Ledger(store, clock, budget=Budget(route=wide, minute=wide, day=wide))
        await ledger.start()
        dialer = Dialer(clock=clock, per_host=ROUTES)
        outbox = Outbox(
            resolver=missing,
            dialer=dialer,
            trust=trust,
            clock=clock,
            keyring=Keyring(),
            wallet=Wallet(),
            graph=missing,
        )
        parts = {"recall": missing, "history": missing, "resolver": missing}
        tools = Toolbox(
            clock=clock, ledger=ledger, dialer=dialer, trust=trust, outbox=outbox, **parts
        )
        yield tools, Intray(ledger)
        await store.close()


def checks(port: int, to: str, receive: dict[str, Any]) -> list[Any]:
    """Return the checks of so many routes."""
    from agent.probes.base import Check
    from agent.probes.route import PROBE, RouteSettings
    from agent.settings import RouteSubject
    from servers.onward import MAIL_FROM

    send = {
        "smtp": {"host": "127.0.0.1", "port": port, "tls": "required"},
        "mail_from": MAIL_FROM,
        "rcpt_to": to,
    }
    routes = ({"name": f"r{number}", "send": send, "receive": receive} for number in range(ROUTES))
    return [Check("bench", RouteSubject.model_validate(r), PROBE, RouteSettings()) for r in routes]


async def drive(tools: Any, routes: list[Any], pace: float) -> None:
    """Run the routes until so many MESSAGES have come, a message of each every *pace* seconds."""
    from agent.probes.route import ledger_key, run

    clock = asyncio.get_running_loop().time
    each = MESSAGES // ROUTES

    def arrived() -> int:
        return sum(tools.ledger.tally(ledger_key(route)).counts["in time"] for route in routes)

    async def work(number: int, count: int) -> None:
        due = clock() + pace * number / ROUTES
        for _ in range(count):
            await asyncio.sleep(max(0.0, due - clock()))
            due += pace
            outcome = await run(routes[number], tools)
            assert not outcome.findings, outcome.findings

    await asyncio.gather(*(work(number, 3) for number in range(ROUTES)))
    gc.collect()
    gc.freeze()  # as the agent does when it has started
    before = arrived()
    with measure(each * ROUTES) as extra:
        await asyncio.gather(*(work(number, each) for number in range(ROUTES)))
        extra["arrived"] = arrived() - before


def mailexporter(port: str, path: str) -> None:
    """Have the peer do it; this process only starts and reads it, and is not counted."""
    import os
    import time

    from servers.mail_ports import free_port
    from servers.onward import MAIL_FROM, TO_MAILDIR

    folder, listen = Path(path).parent.parent, free_port()
    servers = (
        SERVER.format(number=n, port=port, mail_from=MAIL_FROM, rcpt_to=TO_MAILDIR, maildir=path)
        for n in range(ROUTES)
    )
    head = "monitoringinterval: 1s\nmailchecktimeout: 20s\nservers:\n"
    config = folder / "mailexporter.conf"
    config.write_text(head + "".join(servers))
    place = f"127.0.0.1:{listen}"
    command = (str(PEER), "-config.file", str(config), "-web.listen-address", place)
    trust = {**os.environ, "SSL_CERT_FILE": str(folder / "ca.pem")}
    child = subprocess.Popen(
        command, env=trust, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 90
        while len(seen(place)) < ROUTES:  # it starts one by one
            assert child.poll() is None, "the peer has died, as it does where all begins at once"
            assert time.monotonic() < end, "the peer does not find its messages"
            time.sleep(0.5)
        began, cpu = sum(seen(place).values()), p07._cpu(child.pid)
        with measure(MESSAGES) as extra:
            time.sleep(MESSAGES / ROUTES)
            count = sum(seen(place).values()) - began
            extra["cpu_ms"] = 1000 * (p07._cpu(child.pid) - cpu) / count
            extra["arrived"] = count
    finally:
        child.terminate()
        child.wait()


def seen(place: str) -> dict[str, float]:
    """Return how many messages the peer has found, by server."""
    import re
    from urllib.request import urlopen

    try:
        with urlopen(f"http://{place}/metrics", timeout=5) as reply:
            text = reply.read().decode()
    except OSError:
        return {}
    found = re.findall(
        r'^mail_deliver_durations_seconds_count\{configname="(\w+)"\} (\S+)', text, re.MULTILINE
    )
    return {name: float(count) for name, count in found if float(count)}


def relay(sink_port: str) -> None:
    """Be a relay of our own: take messages with STARTTLS, and hand each on to the sink."""
    asyncio.run(_relay(int(sink_port)))


async def _relay(sink_port: int) -> None:
    import aiosmtplib

    from agent.adapters.smtp_policy import Client, Limits, Policy, Response, say
    from agent.adapters.smtp_server import SmtpServer
    from agent.adapters.trust import server_context
    from servers.mail_world import issued

    class Relay(Policy):
        name = "relay.contoso.com"

        async def rcpt(self, client: Client, rcpt_to: str) -> Response:
            del client, rcpt_to
            return say(250, "2.1.5 ok")

        async def message(self, client: Client, content: bytes) -> Response:
            who = {"sender": client.mail_from, "recipients": list(client.rcpt_to)}
            task = asyncio.create_task(
                aiosmtplib.send(
                    content, hostname="127.0.0.1", port=sink_port, start_tls=False, **who
                )
            )
            sending.add(task)
            task.add_done_callback(sending.discard)
            return say(250, "2.0.0 ok")

    sending: set[Any] = set()
    context = server_context(issued()[1])
    server = SmtpServer(Relay(), limits=Limits(connections=2000), context=context)
    await server.start("127.0.0.1", 0)
    print(server.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def own_relay(sink_port: int) -> AsyncIterator[int]:
    """Run the relay of our own, and give its port."""
    child = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
        (sys.executable, "-c", _CODE, str(HERE), str(HERE.parent / "tests"), str(sink_port)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        yield int(child.stdout.readline())
    finally:
        child.kill()
        child.wait()


async def main(*, floor_only: bool) -> None:
    from servers.mail_ports import free_port
    from servers.mail_world import issued
    from servers.onward import onward

    port, name = free_port(), "p18_route_probe"
    async with own_relay(port) as own:
        variants = [Variant("floor", f"{name}:sink", (str(own), str(port), "0"))]
        if floor_only:
            finish(await asyncio.to_thread(compare, variants, None))
            return
        async with onward(port) as postfix:
            at, box = str(postfix.port), str(postfix.maildir)
            (postfix.folder / "ca.pem").write_bytes(issued()[0])
            variants += [
                Variant("sink", f"{name}:sink", (at, str(port), "1")),
                Variant("maildir", f"{name}:maildir", (at, box, "1")),
                Variant("mailexporter", f"{name}:mailexporter", (at, box)),
                Variant("sink at once", f"{name}:sink", (at, str(port), "0")),
            ]
            results = await asyncio.to_thread(compare, variants, None)
    finish(results, "maildir", "sink")


def finish(results: Any, *names: str) -> None:
    """See that every message came, and say what one cost."""
    for runs in results.runs.values():
        for run in runs:
            assert run.extra.pop("arrived") > 0.9 * MESSAGES, "messages were lost"
            run.extra.setdefault("cpu_ms", 1000 * run.cpu / run.count)
    goals = [Goal(name, "mailexporter", "cpu_ms", GATE, MOONSHOT) for name in names]
    conclude(results, *goals)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--floor", action="store_true", help="without Postfix")
    if not PEER.exists():
        unpack = HERE.parent / ".ci" / "unpacked"
        folder = str(Path(sys.prefix) / "debian")
        subprocess.run([unpack, folder, "prometheus-mailexporter"], check=True)
    asyncio.run(main(floor_only=parser.parse_known_args()[0].floor))
