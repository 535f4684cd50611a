"""A mail world for fifty routes of three tenants, every part of which can be taken down.

The agent runs in a process of its own (:mod:`servers.paging_agent`); all that it depends on is in
the test's process, each behind a port that stays (:class:`servers.switched.Switched`)::

    agent -> smart.contoso.com:25 -> the agent's own server, or a mailbox in Graph
          -> login.example:443, the identity provider, for the tokens that open mailboxes
          -> graph.example:443, the mailboxes
          -> control.example:443, which is always there
    agent -> the resolver

async with paging_world(folder) as world:
    await world.smart_host.cut()
"""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import aiosmtplib
import yaml

from agent.adapters.clock import SystemClock
from agent.adapters.smtp_policy import Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from servers.dns import DnsServer
from servers.entra import APPLICATION, TENANT, Application, Entra, listening
from servers.free_ports import free_port
from servers.graph import Graph
from servers.microsoft import ALL, SECRET, authorities
from servers.switched import Switched

SMART_HOST, SMART_HOST_AT = "smart.contoso.com", "192.31.196.25"
CONTROL, CONTROL_AT = "control.example", "192.31.196.26"
LOGIN, LOGIN_AT = "login.example", "192.31.196.27"
GRAPH, GRAPH_AT = "graph.example", "192.31.196.28"
MAILBOX, OTHER_MAILBOX = "probe@contoso.com", "archive@contoso.com"
TENANTS = ("contoso", "fabrikam", "litware")
ROUTES = 50
INTERVAL = 9  # seconds between two messages of a route; Exchange Online's limits allow no less
_ENDS = ("sink", MAILBOX, OTHER_MAILBOX)


class SmartHost(Policy):
    """Takes mail for the routes, and puts it where each of them ends."""

    name = SMART_HOST

    def __init__(self, sink: int, service: Graph) -> None:
        self.flaky, self.put_off = 0.0, 0  # the share of recipients that are put off, and how many
        self._chance = random.Random(20261128)
        self._sink, self._service = sink, service
        self._tasks: set[asyncio.Task[None]] = set()

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client
        if not rcpt_to.endswith("@contoso.com"):
            return say(550, "5.7.1 relaying denied")
        if self._chance.random() < self.flaky:
            self.put_off += 1
            return say(421, "4.3.2 try again later")
        return say(250, "2.1.5 recipient taken")

    async def message(self, client: Client, content: bytes) -> Response:
        mail_from, rcpt_to = client.mail_from or "", client.rcpt_to[0]
        stamp = format_datetime(datetime.now(UTC))
        octets = f"Received: from agent by {self.name}; {stamp}\r\n".encode() + content
        if rcpt_to in (MAILBOX, OTHER_MAILBOX):
            self._service.put(rcpt_to, "inbox", octets)
        else:
            task = asyncio.create_task(self._on(mail_from, rcpt_to, octets))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return say(250, "2.0.0 taken")

    async def _on(self, mail_from: str, rcpt_to: str, octets: bytes) -> None:
        # The agent may be away, and nobody keeps a queue here.
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await aiosmtplib.send(
                octets,
                sender=mail_from,
                recipients=[rcpt_to],
                hostname="127.0.0.1",
                port=self._sink,
                start_tls=False,
            )


class Greeter(Policy):
    """A host that is always there."""

    name = CONTROL


@dataclass
class PagingWorld:
    """The parts, and where the agent finds them."""

    folder: Path
    resolver: DnsServer
    host: SmartHost
    smart_host: Switched
    control: Switched
    provider: Switched
    graph: Switched
    entra: Entra
    service: Graph
    application: Application
    agent_port: int
    sink_port: int
    clock: SystemClock = field(default_factory=SystemClock)

    @property
    def configuration(self) -> Path:
        return self.folder / "config.yaml"

    async def cut_uplink(self) -> None:
        """Let no connection leave the agent's machine, as a firewall does that rejects all.

        One that drops all is no different to the agent but in that everything takes its time, which
        no test can shorten.
        """
        for way in (self.smart_host, self.control, self.provider, self.graph):
            await way.cut()

    async def join_uplink(self) -> None:
        for way in (self.smart_host, self.control, self.provider, self.graph):
            await way.join()

    async def silence_resolver(self) -> None:
        await self.resolver.stop()

    async def start_resolver(self) -> None:
        await self.resolver.start(self.resolver.port)

    def write(self) -> None:
        """Write the configuration, and where the agent finds everything."""
        (self.folder / "secret").write_text(SECRET)
        (self.folder / "secret").chmod(0o600)
        self.configuration.write_text(yaml.safe_dump(self._configured()), encoding="utf-8")
        places = {
            "resolver": self.resolver.address,
            "detours": [
                (SMART_HOST_AT, 25, self.smart_host.port),
                (CONTROL_AT, 443, self.control.port),
                (LOGIN_AT, 443, self.provider.port),
                (GRAPH_AT, 443, self.graph.port),
            ],
            "authority": self.entra.url,
            "graph": self.service.url,
            "sink": self.sink_port,
            "roots": authorities().known.cert_pem.bytes().decode(),
        }
        (self.folder / "world.json").write_text(json.dumps(places))

    def _configured(self) -> dict[str, Any]:
        return {
            "agent": {
                "listen": f"127.0.0.1:{self.agent_port}",
                "state": "state",
                "uplink_controls": [f"{CONTROL}:443"],
                "egress_controls": [],
                "limits": {"connections_per_host": 20, "spacing_per_host": "0s"},
                "external_url": "https://mailflow.example",
                "log": {"level": "warning"},
            },
            "checks": {
                "self": {"interval": "2s", "control_names": ["contoso.com"]},
                "spf": {"interval": "5s"},
                "mx": {"interval": "5s"},
                "connector": {"interval": "4s", "timeout": "3s"},
                "route": {"interval": f"{INTERVAL}s", "timeout": "8s", "messages_per_minute": 60},
                "inbound": "off",
                "refusal": "off",
                "exchange": "off",
                "nameservers": "off",  # this world has none that could be asked
            },
            "budget": {
                "messages_per_route_per_minute": 60,
                "messages_per_minute": 6000,
                "messages_per_day": 1_000_000,
            },
            "credentials": {
                "graph": {
                    "kind": "entra-client-credentials",
                    "tenant_id": TENANT,
                    "client_id": APPLICATION,
                    "client_secret_file": "secret",
                }
            },
            "tenants": [_tenant(name, number) for number, name in enumerate(TENANTS)],
        }


def _tenant(name: str, number: int) -> dict[str, Any]:
    routes = [_route(index) for index in range(number, ROUTES, len(TENANTS))]
    if number:
        return {"name": name, "routes": routes}
    connector = {
        "name": "to-datacentre",
        "smart_hosts": [SMART_HOST],
        "tls_settings": "none",
        "validation_recipients": ["postmaster@contoso.com"],
        "recipient_domains": ["contoso.com"],
        "helo": "contoso.com",
        "mail_from": "probe@contoso.com",
    }
    domain = {"name": "contoso.com", "topology": "custom", "exchanges": [SMART_HOST]}
    return {"name": name, "routes": routes, "connectors": [connector], "domains": [domain]}


def _route(index: int) -> dict[str, Any]:
    end = _ENDS[index // len(TENANTS) % len(_ENDS)]
    receive: dict[str, Any] = {"sink": {}}
    if end != "sink":
        receive = {"graph": {"credential": "graph", "mailbox": end}, "poll": "500ms"}
    return {
        "name": f"route-{index:02}",
        "send": {
            "smtp": {"host": SMART_HOST, "port": 25, "tls": "never"},
            "mail_from": f"sender-{index:02}@contoso.com",
            "rcpt_to": f"route-{index:02}@contoso.com" if end == "sink" else end,
        },
        "receive": receive,
        "returns": {"sink": {}},
        "expect": {"within": "12s", "lost_after": "30s"},
    }


_ZONE: dict[tuple[str, str], Any] = {
    ("contoso.com", "SOA"): "ns.contoso.com",
    ("contoso.com", "MX"): [f"10 {SMART_HOST}"],
    ("contoso.com", "TXT"): f"v=spf1 ip4:{SMART_HOST_AT} -all",
    (SMART_HOST, "A"): SMART_HOST_AT,
    (CONTROL, "A"): CONTROL_AT,
    (LOGIN, "A"): LOGIN_AT,
    (GRAPH, "A"): GRAPH_AT,
}


@asynccontextmanager
async def paging_world(folder: Path) -> AsyncIterator[PagingWorld]:
    """Run everything but the agent."""
    clock, sink = cast("Any", SystemClock()), free_port()
    async with AsyncExitStack() as stack:
        provider, ways = Entra(clock), []
        service = Graph(provider, clock)
        for part, name in ((provider, LOGIN), (service, GRAPH)):
            url = await stack.enter_async_context(listening(part.handle, authorities(), name))
            ways.append(await _switched(stack, int(url.rpartition(":")[2])))
            part.url = f"https://{name}"
        provider.lifetime = 8  # seconds, so that its absence is soon felt
        application = provider.register(Application(APPLICATION, SECRET, permissions=set(ALL)))
        for box in (MAILBOX, OTHER_MAILBOX):
            service.box(box)
        host = SmartHost(sink, service)
        for policy in (host, Greeter()):
            server = SmtpServer(policy)
            await server.start("127.0.0.1", 0)
            stack.push_async_callback(server.close)
            ways.append(await _switched(stack, server.port))
        world = PagingWorld(
            folder,
            resolver=DnsServer(_ZONE),
            host=host,
            provider=ways[0],
            graph=ways[1],
            smart_host=ways[2],
            control=ways[3],
            entra=provider,
            service=service,
            application=application,
            agent_port=free_port(),
            sink_port=sink,
        )
        await world.resolver.start()
        stack.push_async_callback(world.resolver.stop)
        world.write()
        yield world


async def _switched(stack: AsyncExitStack, port: int) -> Switched:
    """Put a switch before a server."""
    return await stack.enter_async_context(Switched(port))
