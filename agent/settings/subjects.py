"""What do checks look at?

The subjects of the configuration that take few words: the domains of a tenant, and the agent
itself. A class here is also the section of the file that describes such a subject, so every field
has a description.
"""

from typing import ClassVar, Literal

from pydantic import Field

from agent.settings.fields import Domain, HostPattern, Name, Selector
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
    dkim_selectors: tuple[Selector, ...] = Field(
        default=(), description="DKIM selectors in use; by default those of the topology."
    )
