"""What may an operator write, field by field?

The types of configuration fields and the subjects that checks look at. pydantic lives here and in
:mod:`agent.config`, and nowhere else: probes take what they need from this module, and hand plain
values to the domain. Every field has a description, because the documentation is made of them.
"""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator
from pydantic.functional_validators import BeforeValidator

from agent.domain.names import DomainName

__all__ = ["BaseModel", "Field", "model_validator"]  # what probes and config take from here


class Settings(BaseModel):
    """The base of everything in the file: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=False)


_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")


def read_duration(text: object) -> timedelta:
    """Read ``30s``, ``5m``, ``1h30m`` or ``250ms``; raise ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        message = "is not a duration; write it as 30s, 5m or 1h30m"
        raise ValueError(message)
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)


def write_duration(value: timedelta) -> str:
    """Write a duration as :func:`read_duration` reads it."""
    milliseconds = value // timedelta(milliseconds=1)
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta, BeforeValidator(read_duration), PlainSerializer(write_duration, return_type=str)
]


def _domain(text: Any) -> str:
    if not isinstance(text, str):
        message = "is not a domain name"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError only
    return DomainName.parse(text).ascii


Domain = Annotated[str, BeforeValidator(_domain)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$")]
Network = IPv4Network | IPv6Network

Topology = Literal[
    "exchange-online", "third-party-filter", "hybrid", "on-premises", "parked", "custom"
]


class CheckSettings(Settings):
    """What every check has, whatever it probes."""

    interval: Duration = Field(
        default=timedelta(minutes=5),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30),
        ge=timedelta(milliseconds=100),
        description="Deadline of one whole run.",
    )


class Subject(Settings):
    """What a check looks at. ``kind`` is the word for it, and its section in the file."""

    kind: ClassVar[str]

    name: str


class DomainSubject(Subject):
    """A mail domain of a tenant."""

    kind: ClassVar[str] = "domain"

    name: Domain = Field(description="The mail domain.")
    topology: Topology = Field(
        default="exchange-online",
        description="Where its mail lives and which way it comes in; gives the defaults below.",
    )
    exchanges: tuple[str, ...] = Field(
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
