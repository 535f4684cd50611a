"""What may stand in the file beside the tenants?

The sections that describe the agent itself and what it may use. Each field has a description,
because the example file and the JSON Schema are made of them.
"""

import re
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, WithJsonSchema
from pydantic.functional_validators import BeforeValidator

from agent.adapters.egress import CONTROLS
from agent.adapters.uplink import UPLINK_CONTROLS
from agent.domain.budget import Allowance, Budget
from agent.settings import Domain, Duration, HostPort, Listen, Name, ServerPlace, Settings

DNS_PORT = 53
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?")


def _url(value: Any) -> str:
    """Read the address of a page, without the slash at its end."""
    if value == "":
        return ""
    if not isinstance(value, str) or not _URL.fullmatch(value):
        message = "is not a URL; write it as https://mailflow.example.com"
        raise ValueError(message)
    return value.rstrip("/")


def _path(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        message = "is not a path"
        raise ValueError(message)
    return Path(value)


def _resolver(value: Any) -> HostPort | Literal["system"]:
    """Read ``system``, or an address with an optional port."""
    if value == "system":
        return "system"
    message = "is not system, nor an address such as 192.0.2.53 or [2001:db8::53]:5353"
    try:
        server = HostPort.read(value, DNS_PORT)
        ip_address(server.host)
    except ValueError as error:
        if "the port" in str(error):
            raise
        raise ValueError(message) from None
    if server.port == 0:
        raise ValueError(message)
    return server


Url = Annotated[str, BeforeValidator(_url)]
FilePath = Annotated[
    Path,
    BeforeValidator(_path),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
ResolverEntry = Annotated[
    Any,
    BeforeValidator(_resolver),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
LOOPBACK_HTTP = HostPort("127.0.0.1", 16245)
LOOPBACK_SMTP = HostPort("127.0.0.1", 16225)


class LogSection(Settings):
    """What the agent writes to its standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe lines that are written."
    )
    format: Literal["logfmt", "json", "console"] = Field(
        default="logfmt", description="`console` is for people, the others for collectors."
    )


class LimitsSection(Settings):
    """How much the agent does at once."""

    concurrency: int = Field(
        default=200, ge=1, le=10_000, description="Runs at the same time, at most."
    )
    connections_per_host: int = Field(
        default=2, ge=1, le=20, description="Connections to one host at the same time, at most."
    )
    spacing_per_host: Duration = Field(
        default=timedelta(milliseconds=100),
        le=timedelta(seconds=10),
        description="Least time between the starts of two connections to one host.",
    )


class AgentSection(Settings):
    """The agent itself."""

    vantage: Name = Field(default="local", description="Where this agent watches from.")
    listen: Listen = Field(
        default=LOOPBACK_HTTP,
        description="Address and port of the pages, the metrics and the JSON; port 0 lets the"
        " system choose. Beyond loopback only the metrics and the names of subjects are shown"
        " without a login: see `web_config`.",
    )
    web_config: FilePath | None = Field(
        default=None,
        description="File with certificate and logins of this listener, in the form that Prometheus"
        " and its exporters share; relative to this file. See docs/http.md.",
    )
    probe_endpoint: bool = Field(
        default=False,
        description="Whether `/probe?check=…` runs a configured check on request.",
    )
    state: FilePath = Field(
        default=Path("state"),
        description="Folder for what must survive a restart; relative to this file.",
    )
    external_url: Url = Field(
        default="",
        description="Where people reach the page, for links in alerts; by default where it"
        " listens. Where that is every address (0.0.0.0, as in a container) there are none: set"
        " it.",
    )
    grafana_url: Url = Field(
        default="",
        description="Where people reach Grafana with the dashboards, for links in alerts; without"
        " it alerts have none.",
    )
    egress_controls: tuple[ServerPlace, ...] = Field(
        default=tuple(HostPort(host, port) for host, port in CONTROLS),
        max_length=10,
        description="Servers that are always there, to find out whether port 25 is open from here"
        " before one is blamed that does not greet. They are connected to, without a word, only"
        " when nobody else has greeted us for a while.",
    )
    uplink_controls: tuple[ServerPlace, ...] = Field(
        default=tuple(HostPort(host, port) for host, port in UPLINK_CONTROLS),
        max_length=10,
        description="Servers that are always there, to find out whether this machine is cut off"
        " before anybody is blamed who does not answer. They are connected to, without a word, only"
        " after a connection to the internet has failed; an empty list switches that off.",
    )
    trust_ad: bool = Field(
        default=False,
        description="Whether to believe a resolver on another machine when it says that DNSSEC"
        " vouches for an answer; one on this machine is always believed. Needed for DANE.",
    )
    log: LogSection = Field(default=LogSection(), description="What is written to standard error.")
    limits: LimitsSection = Field(default=LimitsSection(), description="How much at once.")


class SinkSection(Settings):
    """The agent's own SMTP server, which receives the messages of routes with `receive: {sink}`."""

    listen: Listen = Field(
        default=LOOPBACK_SMTP, description="Address and port; it runs only when a route uses it."
    )
    hostname: Domain | None = Field(
        default=None, description="Name in its greeting; by default that of the machine."
    )
    certificate: Name | None = Field(
        default=None,
        description="Name of the `client-certificate` credential to show in STARTTLS; by default"
        " one that the agent makes for itself, which is enough for senders that do not verify.",
    )
    max_size: int = Field(
        default=1024 * 1024,
        ge=16 * 1024,
        le=50 * 1024 * 1024,
        description="Bytes of a message, at most; a larger one is refused.",
    )
    max_connections: int = Field(
        default=20, ge=1, le=1000, description="Connections at the same time, at most."
    )


class BudgetSection(Settings):
    """How many synthetic messages may be sent, so that no fault makes the agent a spammer."""

    messages_per_route_per_minute: int = Field(
        default=2, ge=1, le=600, description="Messages of one route in any minute."
    )
    messages_per_minute: int = Field(
        default=10, ge=1, le=6000, description="Messages of all routes in any minute."
    )
    messages_per_day: int = Field(
        default=2000, ge=1, le=1_000_000, description="Messages of all routes in any 24 hours."
    )

    def allowances(self) -> Budget:
        """Return the budget as the domain counts it."""
        minute, day = timedelta(minutes=1), timedelta(days=1)
        return Budget(
            route=Allowance(self.messages_per_route_per_minute, minute),
            minute=Allowance(self.messages_per_minute, minute),
            day=Allowance(self.messages_per_day, day),
        )
