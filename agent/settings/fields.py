"""What may an operator write in one field?

The types of configuration fields. Each reads what people write and refuses the rest with words
that fit after the value: "is not a duration; write it as 30s, 5m or 1h30m". Everything is strict:
text is never taken for a number, nor a number for text.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.functional_validators import BeforeValidator

from agent.domain.dkim_selectors import is_selector
from agent.domain.names import DomainName
from agent.settings.durations import Duration, write_duration

MAX_LOCAL_PART = 64  # octets, RFC 5321 section 4.5.3.1.1
MAX_PORT = 65535
SMTP_PORT = 25


class Settings(BaseModel):
    """The base of everything in the file: frozen, strict, and unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=False
    )


def _text(value: object, expected: str) -> str:
    """Return *value* if it is text; raise ValueError saying what it should have been."""
    if not isinstance(value, str):
        message = f"is not {expected}"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError only
    return value


def _domain(text: Any) -> str:
    return DomainName.parse(_text(text, "a domain name")).ascii


def read_pattern(text: Any) -> str:
    """Read a host name, exact or with one leading ``*.``; raise ValueError for anything else."""
    name = _text(text, "a host name")
    if name.startswith("*."):
        return f"*.{DomainName.parse(name[2:]).ascii}"
    if "*" in name:
        message = "has a * elsewhere than in one leading *."
        raise ValueError(message)
    return DomainName.parse(name).ascii


def _recipient_domain(text: Any) -> str:
    """Read a recipient domain of a connector: a pattern, or ``*`` for all."""
    return "*" if text == "*" else read_pattern(text)


_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def _mail_address(text: Any) -> str:
    """Read ``local-part@domain`` in the dot-string form of RFC 5321 section 4.1.2."""
    address = _text(text, "a mail address")
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local) or len(local) > MAX_LOCAL_PART:
        message = "is not a mail address; write it as probe@example.com"
        raise ValueError(message)
    try:
        return f"{local}@{DomainName.parse(domain).ascii}"
    except ValueError as error:
        message = f"is not a mail address: its domain {error}"
        raise ValueError(message) from None


def _reverse_path(text: Any) -> str:
    """Read the sender of an envelope: an address, or ``<>`` for none (RFC 5321 4.5.5)."""
    return "" if text in ("", "<>") else _mail_address(text)


def _host(text: Any) -> str:
    """Read a host name or an address."""
    host = _text(text, "a host name or an address").strip("[]")
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    if host.lower() == "localhost":
        return "localhost"
    return DomainName.parse(host).ascii


def read_address(value: Any) -> IPv4Address | IPv6Address:
    """Read an IP address; raise ValueError for anything else."""
    try:
        return ip_address(_text(str(value), "an address"))
    except ValueError:
        message = "is not an IP address"
        raise ValueError(message) from None


def read_network(value: Any) -> IPv4Network | IPv6Network:
    """Read a network or a single address; raise ValueError for anything else."""
    text = str(value)
    try:
        return ip_network(text)
    except ValueError as error:
        if "has host bits set" in str(error):
            network = ip_network(text, strict=False)
            message = f"is not a network: the address is not its first; write {network}"
        else:
            message = "is not an IP address or a network such as 192.0.2.0/24"
        raise ValueError(message) from None


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host (a name or an address) and a port."""

    host: str
    port: int

    @classmethod
    def read(cls, value: Any, default_port: int | None = None) -> Self:
        """Read ``mail.example.com:25``, ``192.0.2.1`` or ``[2001:db8::1]:25``.

        Raises ValueError for anything else, and for a missing port without *default_port*.
        """
        if isinstance(value, cls):
            return value
        text = _text(value, "a host, or host:port")
        host, colon, port = text.rpartition(":")
        if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
            host, port = text, ""  # no port, or an IPv6 address without brackets
        if not port and (colon_at_end := text.endswith(":")) | (default_port is None):
            message = (
                "ends in a colon without a port"
                if colon_at_end
                else "has no port; write it as host:port"
            )
            raise ValueError(message)
        return cls(_host(host), read_port(port) if port else default_port or 0)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def read_port(text: str) -> int:
    """Read a port in decimal; raise ValueError where it is none (0 lets the system choose)."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PORT))):
        message = f"has the port {text!r}, which is not a number"
        raise ValueError(message)
    if int(text) > MAX_PORT:
        message = f"has the port {text}, which is more than {MAX_PORT}"
        raise ValueError(message)
    return int(text)


_RANGE = re.compile(r"([0-9.]+/[0-9]+)(?::([0-9]+))?")
_WIDEST_RANGE = 24  # Exchange takes IPv4 ranges of /24 to /32


def _server_place(value: Any) -> HostPort:
    """Read a name or an address; Exchange Online itself knows no port but 25."""
    return _with_port(HostPort.read(value, SMTP_PORT))


def _smart_host(value: Any) -> HostPort:
    """Read a name, an address, or an IPv4 range."""
    match = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return _server_place(value)
    network = read_network(match[1])
    if network.prefixlen < _WIDEST_RANGE:
        message = f"is wider than Exchange takes, which is /{_WIDEST_RANGE} to /32"
        raise ValueError(message)
    return _with_port(HostPort(str(network), read_port(match[2]) if match[2] else SMTP_PORT))


def _with_port(place: HostPort) -> HostPort:
    if not place.port:
        message = "has the port 0, on which nothing listens"
        raise ValueError(message)
    return place


def _selector(value: Any) -> str:
    if not isinstance(value, str) or not is_selector(value.lower()):
        message = "is no DKIM selector; write what stands after `s=` in a signature"
        raise ValueError(message)
    selector, label, _ = f"{value.lower()}.".partition("._domainkey.")
    if label:
        message = f"is the name of a record; write the selector alone: {selector}"
        raise ValueError(message)
    return value.lower()


_string = WithJsonSchema({"type": "string"})

Domain = Annotated[str, BeforeValidator(_domain)]
HostPattern = Annotated[str, BeforeValidator(read_pattern)]
Selector = Annotated[str, BeforeValidator(_selector)]
RecipientDomain = Annotated[str, BeforeValidator(_recipient_domain)]
Host = Annotated[str, BeforeValidator(_host)]
MailAddress = Annotated[str, BeforeValidator(_mail_address)]
ReversePath = Annotated[str, BeforeValidator(_reverse_path)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=MAX_PORT)]
Address = Annotated[
    IPv4Address | IPv6Address,
    BeforeValidator(read_address),
    PlainSerializer(str, return_type=str),
    _string,
]
Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(read_network),
    PlainSerializer(str, return_type=str),
    _string,
]
Listen = Annotated[
    HostPort, BeforeValidator(HostPort.read), PlainSerializer(str, return_type=str), _string
]
ServerPlace = Annotated[
    HostPort, BeforeValidator(_server_place), PlainSerializer(str, return_type=str), _string
]
SmartHost = Annotated[
    HostPort, BeforeValidator(_smart_host), PlainSerializer(str, return_type=str), _string
]

TlsExpectation = Literal["never", "opportunistic", "required", "verified", "implicit"]


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

    def clash(self) -> str:
        """Return why the settings cannot work together; empty where they can.

        It is asked of what is in effect for a subject, with what is said for all. The default of a
        deadline goes with any interval: a run that takes so long is the exception.
        """
        usual: timedelta = type(self).model_fields["timeout"].default
        if self.timeout > max(self.interval, usual):
            timeout, interval = write_duration(self.timeout), write_duration(self.interval)
            return f"timeout ({timeout}) is longer than interval; make it {interval} at most"
        return ""
