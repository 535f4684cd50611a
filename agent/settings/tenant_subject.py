"""How does an operator describe a tenant as a whole?

Beside its domains, connectors and routes: where its exports lie, and what a provider knows of
itself that no export says.
"""

from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic.functional_validators import BeforeValidator

from agent.settings.durations import Duration
from agent.settings.fields import (
    HostPattern,
    MailAddress,
    Name,
    ServerPlace,
    Settings,
)
from agent.settings.subject import Subject

MAX_FILES = 50  # patterns of one tenant


def _paths(value: Any) -> Any:
    """Read one path, or a list of them."""
    return (value,) if isinstance(value, str) else value


def _exchange_name(value: Any) -> str:
    """Read the name of a connector as Exchange has it."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        message = "is not the name of a connector; write it as Exchange shows it"
        raise ValueError(message)
    return value


ImportPath = Annotated[str, Field(min_length=1, max_length=500)]
ImportPaths = Annotated[tuple[ImportPath, ...], BeforeValidator(_paths)]
ExchangeName = Annotated[str, Field(max_length=200), BeforeValidator(_exchange_name)]


class ImportedConnector(Settings):
    """What is said of an imported connector beside what Exchange exports."""

    name: ExchangeName = Field(
        description="Its name, as Exchange shows it, or as the `subject` label has it."
    )
    endpoint: ServerPlace | None = Field(
        default=None, description="The tenant's endpoint, to prove an inbound connector."
    )
    credential: Name | None = Field(
        default=None,
        description="Name of the `client-certificate` credential to show, as the sending server"
        " does. Inbound.",
    )
    recipient: MailAddress | None = Field(
        default=None,
        description="A live mailbox of the tenant, which must be accepted. No message is sent."
        " Inbound.",
    )
    relays: bool = Field(
        default=False,
        description="Whether mail to foreign recipients must be relayed through this connector."
        " Inbound.",
    )
    validation_recipients: tuple[MailAddress, ...] = Field(
        default=(),
        description="Addresses that the smart hosts must accept, in place of ValidationRecipients."
        " No message is sent to them. Outbound.",
    )


class Gateways(Settings):
    """The hosts of a provider that relay its customers' mail to Exchange Online."""

    hosts: tuple[HostPattern, ...] = Field(
        min_length=1, description="Their names, each exact or with one leading `*.`."
    )
    presents: tuple[HostPattern, ...] = Field(
        default=(), description="Names in the certificate that they show to Exchange Online."
    )


class LoginUse(Settings):
    """A login of a route."""

    protocol: Literal["smtp", "imap", "pop", "ews"] = Field(description="The protocol.")
    host: str = Field(description="The server.")
    is_password: bool = Field(description="Whether it is made with a password.")
    whose: str = Field(description="Which route makes it.")


class SecretUse(Settings):
    """A secret that ends, and who uses it."""

    whose: str = Field(description="The credential that it belongs to.")
    expires: date = Field(description="Its last day.")


class TenantSubject(Subject):
    """A tenant as a whole, as its exports and the configuration have it."""

    kind: ClassVar[str] = "tenant"

    name: Name = Field(description="The name of the tenant.")
    imports: tuple[ImportPath, ...] = Field(default=(), description="Where its exports lie.")
    max_age: Duration = Field(
        default=timedelta(hours=26), description="Age from which on an export is stale."
    )
    tenant_id: str = Field(default="", description="Its id in Entra.")
    gateways: tuple[HostPattern, ...] = Field(default=(), description="Hosts that relay mail.")
    presents: tuple[HostPattern, ...] = Field(default=(), description="Names that they show.")
    logins: tuple[LoginUse, ...] = Field(default=(), description="The logins of its routes.")
    senders: tuple[str, ...] = Field(default=(), description="Whom its routes send from.")
    secrets: tuple[SecretUse, ...] = Field(
        default=(), description="The secrets that its routes log in with, as far as they end."
    )
    topologies: tuple[tuple[str, str], ...] = Field(
        default=(), description="The topology of each domain of the configuration."
    )
