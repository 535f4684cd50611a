"""P7: what does it cost to look at a mail server: connect, EHLO, STARTTLS, certificate, EHLO, QUIT?

Fifty in flight against one Postfix. Ours is the walk of the connector check with all that it judges
(chain, name, time, strength, ciphers) and its transcript; the peer is Debian's
prometheus-blackbox-exporter with a verifying module, whose CPU is read from the kernel; beside them
the floor: asyncio with the interpreter's TLS, which only connects and verifies.

`python bench/p07_smtp_probe.py` (as root: it starts Postfix; `make bench` unpacks the exporter)
"""

import asyncio
import contextlib
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from harness import HERE, Goal, Variant, compare, conclude, measure

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

IN_FLIGHT = 50
PROBES = 1500
HOST = "mail.contoso.com"
TICK = os.sysconf("SC_CLK_TCK")
BLACKBOX = Path(sys.prefix) / "debian/usr/bin/prometheus-blackbox-exporter"
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
        - expect: "^250-STARTTLS"
        - send: "STARTTLS\\r"
        - expect: "^220"
        - starttls: true
        - send: "EHLO probe.example\\r"
        - expect: "^250 "
        - send: "QUIT\\r"
      tls_config: {{ca_file: {ca}, server_name: {host}}}
"""

Probe = Callable[[], Awaitable[bool]]


async def drive(probe: Probe, count: int) -> int:
    """Keep so many probes in flight until *count* are done; return how many succeeded."""
    left, good = count, 0

    async def work() -> None:
        nonlocal left, good
        while left > 0:
            left -= 1
            succeeded = await probe()
            good += succeeded

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return good


def ours(port: str, ca: str) -> None:
    """Walk as the connector check does."""
    asyncio.run(_ours(int(port), Path(ca)))


async def _ours(port: int, ca: Path) -> None:
    from agent.adapters.clock import SystemClock
    from agent.adapters.dialer import Dialer
    from agent.adapters.trust import TrustStore
    from agent.adapters.walk import Stop, Walker
    from agent.domain.connector import Promise, examine
    from agent.domain.smtp import Accepted, Errand, Tls

    clock = SystemClock()
    trust = await TrustStore.load(roots=(ca.read_bytes(),), system=False)  # noqa: ASYNC240 - nothing runs yet
    walker = Walker(Dialer(clock=clock, per_host=IN_FLIGHT), trust, clock)
    stop = Stop(host=HOST, address=ip_address("127.0.0.1"), port=port, reach="any")
    errand = Errand("probe.example", Tls.REQUIRED)
    promise = Promise("domain-validation", HOST)

    async def probe() -> bool:
        walked = await walker.walk(stop, errand, timedelta(seconds=10))
        assert not examine(walked, promise, clock.now()), walked
        return isinstance(walked.dialogue, Accepted)

    await drive(probe, IN_FLIGHT * 2)
    with measure(PROBES) as extra:
        extra["good"] = await drive(probe, PROBES)


def floor(port: str, ca: str) -> None:
    """Connect and verify by asyncio alone."""
    asyncio.run(_floor(int(port), ca))


async def _floor(port: int, ca: str) -> None:
    context = ssl.create_default_context(cafile=ca)

    async def probe() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.readline()
            await _say(reader, writer, b"EHLO probe.example\r\n")
            await _say(reader, writer, b"STARTTLS\r\n")
            await writer.start_tls(context, server_hostname=HOST)
            said = await _say(reader, writer, b"EHLO probe.example\r\n")
            await _say(reader, writer, b"QUIT\r\n")
            return said.startswith(b"250")
        finally:
            writer.close()

    await drive(probe, IN_FLIGHT * 2)
    with measure(PROBES) as extra:
        extra["good"] = await drive(probe, PROBES)


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bytes:
    writer.write(data)
    while (line := await reader.readline())[3:4] == b"-":
        pass
    return line


def blackbox(port: str, ca: str) -> None:
    """Have the exporter probe; its driver is this process, and is not counted."""
    asyncio.run(_blackbox(int(port), Path(ca)))


async def _blackbox(port: int, ca: Path) -> None:
    import aiohttp

    with tempfile.TemporaryDirectory() as name:
        config = Path(name, "blackbox.yml")
        config.write_text(MODULES.format(ca=ca, host=HOST))  # noqa: ASYNC240 - nothing runs yet
        async with _exporter(config) as (pid, url), aiohttp.ClientSession() as session:
            query = {"module": "smtp", "target": f"127.0.0.1:{port}"}

            async def probe() -> bool:
                async with session.get(url, params=query) as reply:
                    return "\nprobe_success 1" in await reply.text()

            assert await probe()
            await drive(probe, IN_FLIGHT * 2)
            before = _cpu(pid)
            with measure(PROBES) as extra:
                extra["good"] = await drive(probe, PROBES)
                extra["cpu_ms"] = 1000 * (_cpu(pid) - before) / PROBES
                extra["rss_mib"] = _peak(pid)


@contextlib.asynccontextmanager
async def _exporter(config: Path) -> AsyncIterator[tuple[int, str]]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        str(BLACKBOX),
        f"--config.file={config}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        yield process.pid, f"http://127.0.0.1:{port}/probe"
    finally:
        process.terminate()
        await process.wait()


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _peak(pid: int) -> float:
    """Return the largest resident size of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _prepare(folder: Path) -> None:
    from agent.adapters.x509_making import Authority
    from servers.postfix import postfix

    now = datetime.now(UTC)
    authority = Authority("Root", at=now)
    ca = folder / "ca.pem"
    ca.write_bytes(authority.pem)
    year = timedelta(days=90)
    pair = authority.issue(HOST, not_before=now - year, not_after=now + year)
    # A key as servers have them in practice costs the same for all three.
    async with postfix(pair, {"smtpd_tls_session_cache_timeout": "0s"}) as port:
        arguments = (str(port), str(ca))
        variants = [
            Variant("ours", "p07_smtp_probe:ours", arguments),
            Variant("blackbox", "p07_smtp_probe:blackbox", arguments),
            Variant("floor", "p07_smtp_probe:floor", arguments),
        ]
        results = await asyncio.to_thread(compare, variants, None)
    for name, runs in results.runs.items():
        for run in runs:
            good = run.extra.pop("good")
            assert good == PROBES, f"{name}: {good} of {PROBES} succeeded"
            # Of the exporter only its own process counts; the driver is another.
            run.extra.setdefault("cpu_ms", 1000 * run.cpu / run.count)
            run.extra.setdefault("rss_mib", run.memory / 2**20)
    conclude(
        results,
        Goal("ours", "blackbox", "cpu_ms", gate=1.2, moonshot=0.65),
        Goal("ours", "blackbox", "wall", gate=1.2, moonshot=0.65),
    )


if __name__ == "__main__":
    if not BLACKBOX.exists():
        unpack = HERE.parent / ".ci" / "unpacked"
        folder = str(Path(sys.prefix) / "debian")
        subprocess.run([unpack, folder, "prometheus-blackbox-exporter"], check=True)
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(_prepare(Path(scratch)))
