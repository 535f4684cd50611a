"""Ten thousand domains, the servers that know them, and the agent that watches them.

Shared by the benchmarks of the whole agent. Every domain has an SPF record that includes Exchange
Online, one of eight shared senders and a network of its own, and an MX host of its own in Exchange
Online; with ``--posture`` what is around SPF and MX is watched too: DKIM keys, a DMARC policy,
autodiscover, and that there is nothing else. The authority and, with ``--unbound``, the resolver in
front of it are processes of their own, so that the agent's figures are the agent's alone.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

from agent.adapters.dns_serving import (  # noqa: E402 - found through the path above
    NOERROR,
    NXDOMAIN,
    Question,
    ResourceRecord,
    Response,
    read_question,
    write_response,
)
from agent.domain.lookup import Exchange, Record, TextRecord  # noqa: E402
from agent.lab.world import SIGNING_KEY  # noqa: E402
from agent.probes.base import discover  # noqa: E402

TTL = 3600
NEGATIVE_TTL = 900
TICKS = os.sysconf("SC_CLK_TCK")
# An installed program has its bytecode; a checkout need not have it, or may be forbidden to.
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_BYTECODE = Path(tempfile.gettempdir()) / f"mailflow-agent-bytecode-{os.getuid()}"
_EXCHANGE_ONLINE = "v=spf1 " + " ".join(
    f"ip4:{network}"
    for network in (
        "40.92.0.0/15",
        "40.107.0.0/16",
        "52.100.0.0/15",
        "52.102.0.0/16",
        "52.103.0.0/17",
        "104.47.0.0/17",
    )
)
_SHARED = {
    "spf.protection.outlook.com": f"{_EXCHANGE_ONLINE} ip6:2a01:111:f400::/48 -all",
    **{
        f"_spf{number}.sender.example": f"v=spf1 ip4:192.31.{number}.0/24 ip4:192.52.{number}.0/24"
        f" include:_more{number}.sender.example -all"
        for number in range(8)
    },
    **{
        f"_more{number}.sender.example": f"v=spf1 ip4:192.175.{number}.0/24 -all"
        for number in range(8)
    },
}


def records(name: str, kind: str) -> tuple[Record, ...] | None:
    """Return what exists; None for a name that does not."""
    label, _, rest = name.partition(".")
    if name in _SHARED:
        return (_text(_SHARED[name]),) if kind == "TXT" else ()
    if label.startswith("domain") and label[6:].isdigit() and rest == "example.com":
        return _domain(int(label[6:]), kind)
    if rest.startswith("domain") or "._domainkey." in name:
        return _posture(name, kind)
    if rest == "mail.protection.outlook.com":
        if kind == "A":
            return tuple(IPv4Address(f"52.101.{number}.1") for number in (8, 9, 10, 11))
        return (IPv6Address("2a01:111:f403::1"),) if kind == "AAAA" else ()
    return () if name in {"com", "org", "example.com"} else None


def _domain(number: int, kind: str) -> tuple[Record, ...]:
    if kind == "TXT":
        own = f"ip4:198.18.{number // 256 % 256}.{number % 256}"
        shared = f"include:spf.protection.outlook.com include:_spf{number % 8}.sender.example"
        return (_text(f"v=spf1 {own} {shared} -all"), _text(f"verification={number:032x}"))
    exchange = f"domain{number}-example-com.mail.protection.outlook.com"
    return (Exchange(0, exchange),) if kind == "MX" else ()


def _posture(name: str, kind: str) -> tuple[Record, ...] | None:
    """Return what stands around SPF and MX."""
    label, _, rest = name.partition(".")
    if rest.endswith(".onmicrosoft.com"):
        return (_text(f"v=DKIM1; k=rsa; p={SIGNING_KEY}"),) if kind == "TXT" else ()
    if label == "_dmarc" and rest.count(".") == 2:
        policy = f"v=DMARC1; p=reject; rua=mailto:dmarc@{rest}"
        return (_text(policy),) if kind == "TXT" else ()
    return None


def _alias(name: str) -> str:
    """Return where *name* leads by a CNAME record; nothing where it has none."""
    label, _, rest = name.partition(".")
    if label == "autodiscover" and rest.startswith("domain"):
        return "autodiscover.outlook.com"
    selector, _, domain = name.partition("._domainkey.")
    if selector in {"selector1", "selector2"} and domain.startswith("domain"):
        token, number = domain.replace(".", "-"), domain.partition(".")[0]
        return f"{selector}-{token}._domainkey.{number}.onmicrosoft.com"
    return ""


def _text(text: str) -> TextRecord:
    octets = text.encode()
    return TextRecord(tuple(octets[at : at + 255] for at in range(0, len(octets), 255)))


@cache
def _respond(name: str, kind: str) -> Response:
    if target := _alias(name):
        alias, led = ResourceRecord(name, "CNAME", TTL, target), _respond(target, kind)
        return Response(led.rcode, (alias, *led.answers), led.authority)
    known = records(name, kind)
    if known:
        return Response(answers=tuple(ResourceRecord(name, kind, TTL, one) for one in known))
    zone = ".".join(name.split(".")[-2:])
    soa = ResourceRecord(zone, "SOA", NEGATIVE_TTL, "ns.invalid")
    if kind == "SOA" and known is not None:
        return Response(answers=(soa,))
    return Response(NXDOMAIN if known is None else NOERROR, authority=(soa,))


class _Authority(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        question: Question | None = read_question(data)
        if question is not None:
            response = _respond(question.name, question.kind)
            self._transport.sendto(write_response(question, response, datagram=True), addr)


async def _serve() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        _Authority, ("127.0.0.1", 0)
    )
    transport.get_extra_info("socket").setsockopt(1, 33, 1 << 24)  # SOL_SOCKET, SO_RCVBUFFORCE
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def _authority() -> Iterator[int]:
    command = [sys.executable, str(HERE / "many_domains.py")]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield int(child.stdout.readline())
        finally:
            child.stdin.close()


@asynccontextmanager
async def resolver(*, with_unbound: bool) -> AsyncIterator[int]:
    """Serve the domains on loopback, and give the port that the agent shall ask."""
    with _authority() as port:
        if not with_unbound:
            yield port
            return
        from servers.unbound import unbound

        async with unbound(("127.0.0.1", port)) as (_, in_front):
            yield in_front


def configure(folder: Path, port: int, *, domains: int, interval: str, posture: str = "") -> Path:
    """Write the configuration of ten tenants, as people write it."""
    rest = {probe.kind for probe in discover() if probe.one_off is not None} - {"spf", "mx"}
    lines = [
        "agent: {vantage: bench, listen: 127.0.0.1:0, log: {level: warning}}",
        f"resolvers: [127.0.0.1:{port}]",
        "checks:",
        f"  spf: {{interval: {interval}}}",
        f"  mx: {{interval: {interval}}}",
        *(f"  {kind}: {f'{{interval: {posture}}}' if posture else 'off'}" for kind in sorted(rest)),
        "  exchange: off",  # no mail server of this world can be reached
        "  refusal: off",
        "tenants:",
    ]
    for tenant in range(10):
        lines += [f"  - name: tenant{tenant}", "    domains:"]
        for number in range(tenant, domains, 10):
            lines += [
                f"      - name: domain{number}.example.com",
                "        topology: exchange-online",
            ]
    path = folder / "config.yaml"
    path.write_text("\n".join([*lines, ""]))
    return path


@dataclass(frozen=True, slots=True)
class Reading:
    """What the kernel knows of a process: CPU seconds of its threads, resident octets, the most."""

    at: float
    cpu: float
    resident: int
    peak: int


@dataclass(slots=True)
class Process:
    """The agent as a process; ``started`` is on the monotonic clock."""

    child: subprocess.Popen[bytes]
    started: float
    log: Path
    url: str = ""

    def read(self) -> Reading:
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        status = dict(
            line.split(":", 1)
            for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        )
        return Reading(
            at=time.monotonic(),
            cpu=(int(fields[11]) + int(fields[12])) / TICKS,
            resident=int(status["VmRSS"].split()[0]) * 1024,
            peak=int(status["VmHWM"].split()[0]) * 1024,
        )

    def wait_until_healthy(self) -> None:
        """Wait for the first 200 of ``/-/healthy``; the agent chooses its port and says it."""
        while not self.url:
            assert self.child.poll() is None, self.log.read_text()
            for line in self.log.read_text().splitlines():
                if line.startswith("Page "):
                    self.url = line.split()[1]
            time.sleep(0.005)
        urllib.request.urlopen(f"{self.url}-/healthy", timeout=30).read()

    def scrape(self) -> tuple[bytes, float]:
        """Return the exposition, fetched as Prometheus does, and the seconds that it took."""
        import zlib

        request = urllib.request.Request(
            f"{self.url}metrics",
            headers={
                "Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3",
                "Accept-Encoding": "gzip",
            },
        )
        start = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as reply:
            body = reply.read()
            taken = time.monotonic() - start
            if reply.headers.get("Content-Encoding") == "gzip":
                body = zlib.decompress(body, 31)
        return body, taken


@contextmanager
def agent(config: Path, *, profile: str = "") -> Iterator[Process]:
    """Run the agent as a user does; with *profile*, under that script of this folder."""
    program = [str(HERE / profile)] if profile else ["-m", "agent"]
    python = (sys.executable, "-X", f"pycache_prefix={_BYTECODE}")
    log = config.with_name("agent.log")
    with log.open("wb") as out:
        started = time.monotonic()
        child = subprocess.Popen(
            (*python, *program, "run", "--config", str(config)),
            env={key: value for key, value in os.environ.items() if key != _NO_BYTECODE},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=HERE.parent,
        )
    try:
        yield Process(child, started, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        child.wait(60)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-") as path:
        yield Path(path)


def options(description: str, *, seconds: float) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--interval", default="5m")
    parser.add_argument("--posture", default="", help="interval of all other probes of DNS")
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--unbound", action="store_true", help="with a real resolver in front")
    return parser


if __name__ == "__main__":
    asyncio.run(_serve())
