"""The agent as a process in its lab, and what a visitor sees of it over HTTP.

async with running(installation) as agent:
    await agent.until(lambda seen: seen.severity("spf", "contoso.com") == 0)
"""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from agent.lab.control import order
from servers.budget import untraced
from servers.program import ROOT, Process, launch

T = TypeVar("T")
POLL = 0.1  # seconds between two looks

TENANTS = """\
tenants:
  - name: contoso
    domains:
      - name: contoso.com
        senders: [exchange-online, 192.31.196.25]
        not_senders: [192.31.196.200]
    connectors:
      - name: to-datacentre
        smart_hosts: [mail.contoso.com]
        tls_settings: domain-validation
        tls_domain: mail.contoso.com
        validation_recipients: [postmaster@contoso.com]
        recipient_domains: [contoso.com]
        helo: contoso.com
        mail_from: probe@contoso.com
      - name: from-datacentre
        direction: inbound
        endpoint: contoso-com.mail.protection.outlook.com
        recipient: postmaster@contoso.com
        relays: true
        mail_from: probe@contoso.com
        checks: {inbound: {at_sender: true}}
    routes:
      - name: to-mailbox
        send:
          smtp: {host: mail.contoso.com, port: 25, tls: required}
          mail_from: probe@contoso.com
          rcpt_to: probe@monitor.contoso.com
        receive: {sink: {}}
        returns: {sink: {}}
        expect: {within: 2s, lost_after: 3s}
      - name: internet-to-mailbox
        send:
          mx: {tls: required}
          mail_from: visitor@contoso.com
          rcpt_to: probe@fabrikam.com
        receive: {maildir: {path: state/lab-mailbox}, poll: 500ms}
        returns: {sink: {}}
        expect:
          within: 2s
          lost_after: 60s
          spf: pass
          tls: every-hop
          through: ["*.filter.example"]
          attributed_to: 7f3c9d52-0a41-4c8e-9b1d-2f6e0c5a7b10
  - name: fabrikam
    domains:
      - name: fabrikam.com
        topology: third-party-filter
        exchanges: ["*.filter.example"]
        checks:
          refusal:
            endpoint: fabrikam-com.mail.protection.outlook.com
            recipient: postmaster@fabrikam.com
            reject_direct_send: true
  - name: fourth-coffee
    domains:
      - {name: fourthcoffee.com, topology: parked}
"""
"""Three organisations of the lab's world that are well. The route is as fast as limits allow."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the exposition."""

    name: str
    labels: dict[str, str]
    value: float


class Seen:
    """One scrape, of which only what is asked for is read."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[str]] = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name = line.partition(" ")[0].partition("{")[0]
                self._lines.setdefault(name, []).append(line)

    def all(self, name: str, **labels: str) -> list[Sample]:
        """Return the samples of a name that have these labels."""
        families = text_string_to_metric_families("\n".join(self._lines.get(name, ())))
        samples = (Sample(s.name, s.labels, s.value) for f in families for s in f.samples)
        return [sample for sample in samples if labels.items() <= sample.labels.items()]

    def value(self, name: str, **labels: str) -> float | None:
        """Return the value of the one sample of a name with these labels; None: it is not there."""
        found = self.all(name, **labels)
        assert len(found) <= 1, f"{name} with {labels} is there {len(found)} times"
        return found[0].value if found else None

    def severity(self, probe: str, subject: str) -> float | None:
        """Return how bad a check is."""
        return self.value("mailflow_check_severity", probe=probe, subject=subject)

    def found(self, probe: str, subject: str) -> dict[str, str]:
        """Return the rules that a check finds broken, and how bad each is."""
        findings = self.all("mailflow_finding", probe=probe, subject=subject)
        return {sample.labels["rule"]: sample.labels["severity"] for sample in findings}

    def is_well(self, *but: str) -> bool:
        """Tell whether every check, *but* those of some probes, has run and is ok."""
        checks = self.all("mailflow_check_interval_seconds")
        its = [check.labels["probe"] not in but for check in checks]
        found = self.all("mailflow_check_severity")
        values = [sample.value for sample in found if sample.labels["probe"] not in but]
        return len(values) == sum(its) > 0 and not any(values)


class Installation:
    """A configuration in a folder."""

    def __init__(self, folder: Path, tenants: str = TENANTS) -> None:
        self.path = folder / "config.yaml"
        self.state = folder / "state"
        self.tenants = tenants
        self.write()

    def write(self, extra: str = "", *, changes: str = "0s", tenants: str = "") -> None:
        """Write the file, with *extra* lines; a changed record is a finding for *changes*."""
        self.path.write_text(
            f"""\
agent: {{listen: "127.0.0.1:0", state: state}}
checks:
  self: {{interval: 1s}}
  spf: {{interval: 1s, timeout: 8s, report_changes_for: {changes}}}
  mx: {{interval: 1s, timeout: 8s, report_changes_for: {changes}}}
  dmarc: {{interval: 1s, timeout: 8s, report_changes_for: {changes}}}
  dkim: {{interval: 1s, timeout: 8s, report_changes_for: {changes}}}
  dane: {{interval: 1s, timeout: 8s}}
  mta-sts: {{interval: 1s, timeout: 8s}}
  tls-rpt: {{interval: 1s, timeout: 8s}}
  reputation: {{interval: 1s, timeout: 8s}}
  autodiscover: {{interval: 1s, timeout: 8s}}
  reverse: {{interval: 1s, timeout: 8s}}
  nameservers: {{interval: 2s, timeout: 8s, report_changes_for: {changes}}}
  connector: {{interval: 1s, timeout: 2s}}
  exchange: {{interval: 2s, timeout: 4s}}
  inbound: {{interval: 1s, timeout: 4s}}
  refusal: {{interval: 2s, timeout: 4s}}
  route: {{interval: 9s, timeout: 4s, messages_per_minute: 20}}
budget: {{messages_per_minute: 20, messages_per_route_per_minute: 20, messages_per_day: 30000}}
{tenants or self.tenants}{extra}
""",
            encoding="utf-8",
        )


class Running:
    """An agent that runs, and its lab."""

    def __init__(
        self, installation: Installation, process: Process, session: aiohttp.ClientSession
    ) -> None:
        self.installation = installation
        self.process = process
        self.log: list[str] = []
        self.url = ""
        self._session = session

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self.url + path) as reply:
            return reply.status, await reply.text()

    async def reload(self) -> tuple[int, str]:
        async with self._session.post(self.url + "-/reload") as reply:
            return reply.status, await reply.text()

    async def look(self) -> Seen:
        """Scrape once."""
        return Seen((await self.get("metrics"))[1])

    async def findings(self, identity: str) -> dict[str, dict[str, Any]]:
        """Return what a check finds, by rule."""
        status = json.loads((await self.get("api/v1/status"))[1])
        (check,) = (each for each in status["checks"] if each["check"] == identity)
        return {finding["rule"]: finding for finding in check["findings"]}

    async def until(self, holds: Callable[[Seen], object], seconds: float = 25) -> Seen:
        """Scrape until something holds, and return the scrape in which it did."""
        return await eventually(self.look, holds, seconds)

    async def order(self, *words: str) -> None:
        """Break or mend something in the lab."""
        await asyncio.to_thread(order, self.installation.state, *words)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the code that the process ends with."""
        self.process.send_signal(number)
        async with asyncio.timeout(25):
            return await self.process.wait()

    async def begin(self) -> None:
        """Collect what it writes, until it says where its page is."""
        assert self.process.stderr is not None
        async with asyncio.timeout(40):
            while not self.url:
                line = (await self.process.stderr.readline()).decode()
                assert line, f"it did not start: {self.log}"
                self.log.append(line)
                if line.startswith("Page "):
                    self.url = line.split()[1]

    async def drain(self) -> None:
        """Go on collecting, so that it never waits for a reader."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log.append(line.decode())


async def eventually(
    look: Callable[[], Awaitable[T]], holds: Callable[[T], object], seconds: float = 25
) -> T:
    """Look again and again until something holds, and return that look."""
    seen = await look()
    try:
        async with asyncio.timeout(seconds):
            while not holds(seen):
                await asyncio.sleep(POLL)
                seen = await look()
    except TimeoutError:
        shown = _trouble(seen) if isinstance(seen, Seen) else seen
        message = f"it did not come to that in {seconds} s; last seen: {shown}"
        raise AssertionError(message) from None
    return seen


def _trouble(seen: Seen) -> list[str]:
    names = ("mailflow_check_severity", "mailflow_finding", "mailflow_dependency_up")
    return [
        f"{sample.name}{sorted(sample.labels.items())} {sample.value:g}"
        for name in names
        for sample in seen.all(name)
        if sample.value
    ]


@asynccontextmanager
async def running(
    installation: Installation,
    *,
    lab: bool = True,
    environment: Mapping[str, str] | None = None,
    is_fresh: bool = False,
) -> AsyncIterator[Running]:
    """Run the agent in its lab; if it still runs afterwards, it is stopped as it should be.

    Without the *lab* it watches what the configuration leads to. *environment* is added to ours.
    *is_fresh*: it has an interpreter of its own, and is not forked.
    """
    where = ("--lab",) if lab else ()
    process = await launch(
        *("agent", "run", *where, "--config", str(installation.path)),
        cwd=ROOT,
        environment={**untraced(), "PYTHONWARNINGS": "error", **(environment or {})},
        stdout=1,  # ours
        is_fresh=is_fresh,
    )
    async with aiohttp.ClientSession() as session:
        agent = Running(installation, process, session)
        draining: asyncio.Task[None] | None = None
        try:
            await agent.begin()
            draining = asyncio.create_task(agent.drain())
            yield agent
            if process.returncode is None:
                assert await agent.stop() == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if draining is not None:
                await draining
        assert not any("Traceback" in line for line in agent.log), agent.log
