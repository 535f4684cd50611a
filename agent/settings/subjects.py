"""What do checks look at?

The subjects of the configuration: domains, connectors and routes of a tenant, and the agent
itself. A class here is also the section of the file that describes such a subject, so every field
has a description.
"""

from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from agent.settings.fields import (
    SMTP_PORT,
    Domain,
    Duration,
    Host,
    HostPattern,
    MailAddress,
    Name,
    Port,
    ReversePath,
    Settings,
    TlsExpectation,
)
from agent.settings.subject import Subject

Topology = Literal[
    "exchange-online", "third-party-filter", "hybrid", "on-premises", "parked", "custom"
]


class AgentSubject(Subject):
    """The agent itself, under the name of its vantage."""

    kind: ClassVar[str] = "agent"

    name: Name = Field(description="The vantage that this agent watches from.")


class DomainSubject(Subject):
    """A mail domain of a tenant."""

    kind: ClassVar[str] = "domain"

    name: Domain = Field(description="The mail domain.")
    topology: Topology = Field(
        default="exchange-online",
        description="Where its mail lives and which way it comes in; gives the defaults below.",
    )
    exchanges: tuple[HostPattern, ...] = Field(
        default=(),
        description="Expected MX hosts, each exact or with one leading `*.`; by default those of"
        " the topology.",
    )
    senders: tuple[str, ...] = Field(
        default=(),
        description="Who must pass SPF: addresses, networks, or names of provider profiles; by"
        " default those of the topology.",
    )
    not_senders: tuple[str, ...] = Field(
        default=(), description="Addresses that must not pass SPF."
    )
    dkim_selectors: tuple[str, ...] = Field(
        default=(), description="DKIM selectors in use; by default those of the topology."
    )


class Endpoint(Settings):
    """An SMTP server, and the TLS that is expected of it."""

    host: Host = Field(description="Name or address of the server.")
    port: Port = Field(default=SMTP_PORT, description="Its port.")
    tls: TlsExpectation = Field(
        default="opportunistic",
        description="`never`: plain text; `opportunistic`: STARTTLS when offered; `required`: no"
        " session without TLS; `verified`: and the certificate is valid for the host;"
        " `implicit`: TLS from the first byte, verified.",
    )
    credential: Name | None = Field(
        default=None, description="Name of the credential to log in with; by default none."
    )
    helo: Domain | None = Field(
        default=None, description="Name given in EHLO; by default the domain of `mail_from`."
    )


class Send(Settings):
    """How the synthetic messages of a route are sent."""

    smtp: Endpoint = Field(description="The server that takes the message.")
    mail_from: ReversePath = Field(description="Sender of the envelope and of the message.")
    rcpt_to: MailAddress = Field(description="The one recipient of each message.")


class SinkReceive(Settings):
    """Messages arrive at the agent's own SMTP server; see the section `sink`."""


class Receive(Settings):
    """Where the synthetic messages of a route are picked up."""

    sink: SinkReceive = Field(
        default=SinkReceive(), description="The agent's own SMTP server takes the message."
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
    expect: Expect = Field(default=Expect(), description="What must be true of its way.")
