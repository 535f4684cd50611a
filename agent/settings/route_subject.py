"""How does an operator describe a way that mail takes, and what must be true of it?"""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.functional_validators import BeforeValidator

from agent.settings.durations import Duration
from agent.settings.entra_ids import TenantId
from agent.settings.fields import (
    HostPattern,
    Name,
    Settings,
    read_network,
    read_pattern,
)
from agent.settings.route_ends import GraphReceive, Receive, Send
from agent.settings.subject import Subject

Verdict = Literal["pass", "any"]


def _owned(value: Any) -> str | IPv4Network | IPv6Network:
    """Read a pattern of host names, or a network."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    text = str(value)
    if text.replace(".", "").replace("/", "").isdigit() or ":" in text:
        return read_network(text)
    return read_pattern(value)


Owned = Annotated[
    Any,
    BeforeValidator(_owned),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]


class HostsSettings(Settings):
    """Whose the hosts on the way are: names, exact or with one leading `*.`, and networks."""

    ours: tuple[Owned, ...] = Field(default=(), description="Hosts of your own.")
    filter: tuple[Owned, ...] = Field(
        default=(), description="Hosts of your filter; the well-known ones are known."
    )
    partner: tuple[Owned, ...] = Field(default=(), description="Hosts of a partner.")


class Trace(Settings):
    """Exchange Online's message trace as a second witness, by Microsoft Graph."""

    credential: Name = Field(
        description="Name of a credential of Entra, with ExchangeMessageTrace.Read.All."
    )


class Expect(Settings):
    """What must be true of a message that arrives."""

    within: Duration = Field(
        default=timedelta(seconds=60),
        ge=timedelta(milliseconds=100),
        description="A message that takes longer is late.",
    )
    lost_after: Duration = Field(
        default=timedelta(minutes=15),
        ge=timedelta(seconds=1),
        description="A message that has not arrived by then is lost.",
    )
    folder: Literal["inbox", "junk", "any"] = Field(
        default="inbox", description="The folder in which it must arrive."
    )
    spf: Verdict = Field(default="any", description="What the receiver must say of SPF.")
    dkim: Verdict = Field(default="any", description="What the receiver must say of DKIM.")
    dmarc: Verdict = Field(default="any", description="What the receiver must say of DMARC.")
    compauth: Verdict = Field(
        default="any", description="What Exchange Online must say of composite authentication."
    )
    tls: Literal["every-hop", "any"] = Field(
        default="any", description="Whether every hop between two hosts must be encrypted."
    )
    through: tuple[HostPattern, ...] = Field(
        default=(), description="Hosts that it must pass, exact or with one leading `*.`."
    )
    never_through: tuple[HostPattern, ...] = Field(
        default=(), description="Hosts that it must not pass."
    )
    max_hops: int | None = Field(
        default=None, ge=1, le=100, description="The most hops that it may take."
    )
    attributed_to: TenantId | None = Field(
        default=None,
        description="Id of the tenant that Exchange Online must attribute it to.",
    )
    body: Literal["intact", "banner-allowed", "any"] = Field(
        default="intact",
        description="Whether the text may change on its way: not at all, by a banner before or"
        " behind it, or as it likes.",
    )

    @model_validator(mode="after")
    def _late_before_lost(self) -> Self:
        if self.lost_after <= self.within:
            message = "lost_after must be longer than within: a message is late before it is lost"
            raise ValueError(message)
        return self


class RouteSubject(Subject):
    """A way that mail takes, walked by synthetic messages."""

    kind: ClassVar[str] = "route"

    name: Name = Field(description="The name of the route.")
    send: Send = Field(description="How a message is sent.")
    receive: Receive = Field(default=Receive(), description="Where it is picked up.")
    returns: Receive | None = Field(
        default=None,
        description="Where non-delivery reports to `mail_from` are picked up; by default nowhere,"
        " or in the mailbox that sends by Graph.",
    )
    trace: Trace | None = Field(
        default=None, description="A second witness where a message does not arrive."
    )
    hosts: HostsSettings = Field(
        default=HostsSettings(), description="Whose the hosts on its way are."
    )
    expect: Expect = Field(default=Expect(), description="What must be true of its way.")

    @property
    def bounces(self) -> Receive | None:
        """Where reports to the sender are picked up: as written, or in the mailbox that sends."""
        if self.returns is not None or self.send.graph is None:
            return self.returns
        sender = self.send.graph
        return Receive(graph=GraphReceive(credential=sender.credential, mailbox=sender.mailbox))

    @property
    def domain(self) -> str:
        """The domain of the recipient."""
        return self.send.rcpt_to.lower().rpartition("@")[2]

    @model_validator(mode="after")
    def _needs_room(self) -> Self:
        if self.receive.reflector and self.send.mail_from == "":
            message = "a reflector has nobody to answer where mail_from is the null sender"
            raise ValueError(message)
        return self
