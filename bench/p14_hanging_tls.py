"""P14: what does a mail server that hangs in the middle of a TLS session cost us in memory?

A thousand sessions are held by a server, a process of its own, that shakes hands and says no more.
Ours is the walk of the connector check, waiting for its deadline; beside it asyncio's streams with
the interpreter's TLS. What counts is how the resident memory grows, for each session.

`python bench/p14_hanging_tls.py`
"""

import asyncio
import gc
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from harness import HERE, Goal, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

SESSIONS = 1000
WARM = 20  # sessions before the measurement, so that what is made once is not counted
HOST = "mail.contoso.com"


def serve(folder: str) -> None:
    """Shake hands, hang, and say on standard output how many sessions hang."""
    asyncio.run(_serve(Path(folder)))


async def _serve(folder: Path) -> None:
    from agent.adapters.trust import server_context
    from agent.adapters.x509_making import Authority

    now, day = datetime.now(UTC), timedelta(days=1)
    authority = Authority("Root", at=now)
    pair = authority.issue(HOST, not_before=now - day, not_after=now + day)
    context = server_context(pair)
    (folder / "ca.pem").write_bytes(authority.pem)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.contoso.com\r\n")
        await reader.readline()
        writer.write(b"250-mail.contoso.com\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go\r\n")
        await writer.start_tls(context)
        await reader.readline()  # EHLO: the session is there, and from now on nothing happens
        print("hangs", flush=True)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0, backlog=SESSIONS)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


Hang = Callable[[], Awaitable[object]]


async def hold(make: Callable[[int, Path], Awaitable[Hang]]) -> None:
    """Hold the sessions and measure what they cost."""
    with tempfile.TemporaryDirectory() as name:
        server = await _start(name)
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        hang = await make(port, Path(name))
        tasks = [asyncio.create_task(_forgive(hang)) for _ in range(WARM)]
        for _ in tasks:
            await server.stdout.readline()
        gc.collect()
        before = _resident()
        with measure(SESSIONS) as extra:
            tasks += [asyncio.create_task(_forgive(hang)) for _ in range(SESSIONS)]
            for _ in range(SESSIONS):
                await server.stdout.readline()
            gc.collect()
            extra["kib_each"] = (_resident() - before) / 1024 / SESSIONS
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.kill()
        await server.wait()


async def _start(folder: str) -> asyncio.subprocess.Process:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3];"
        " import p14_hanging_tls; p14_hanging_tls.serve(sys.argv[3])"
    )
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(HERE), str(HERE.parent), folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


async def _forgive(hang: Hang) -> None:
    await hang()


def _resident() -> int:
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])


def ours() -> None:
    """Hang in the walk of the connector check."""

    async def make(port: int, folder: Path) -> Hang:
        from agent.adapters.clock import SystemClock
        from agent.adapters.dialer import Dialer
        from agent.adapters.trust import TrustStore
        from agent.adapters.walk import Stop, Walker
        from agent.domain.smtp import Errand, Tls

        clock = SystemClock()
        trust = await TrustStore.load(roots=((folder / "ca.pem").read_bytes(),), system=False)
        walker = Walker(Dialer(clock=clock, per_host=2 * SESSIONS), trust, clock)
        stop = Stop(host=HOST, address=ip_address("127.0.0.1"), port=port, reach="any")
        errand = Errand("probe.example", Tls.REQUIRED)
        return lambda: walker.walk(stop, errand, timedelta(minutes=5))

    asyncio.run(hold(make))


def streams() -> None:
    """Hang in asyncio's streams."""

    async def make(port: int, folder: Path) -> Hang:
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))

        async def hang() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readline()
            writer.write(b"EHLO probe.example\r\n")
            await reader.readuntil(b"250 STARTTLS\r\n")
            writer.write(b"STARTTLS\r\n")
            await reader.readline()
            await writer.start_tls(context, server_hostname=HOST)
            writer.write(b"EHLO probe.example\r\n")
            await reader.readline()

        return hang

    asyncio.run(hold(make))


if __name__ == "__main__":
    results = compare(
        [
            Variant("ours", "p14_hanging_tls:ours"),
            Variant("streams", "p14_hanging_tls:streams"),
        ]
    )
    conclude(
        results,
        Goal("ours", "", "kib_each", gate=320, moonshot=32),
        Goal("ours", "streams", "kib_each", gate=1.05, moonshot=0.2),
    )
