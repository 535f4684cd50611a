"""How does an operator describe the two ends of a route: how it is sent, and where it is found?"""

import os.path
import re
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.functional_validators import AfterValidator, BeforeValidator

from agent.domain.attachment import MAKERS
from agent.domain.payload import Kind, Payload
from agent.settings.durations import Duration
from agent.settings.fields import (
    SMTP_PORT,
    Domain,
    Host,
    MailAddress,
    Name,
    Port,
    ReversePath,
    Settings,
    TlsExpectation,
)

IMAPS_PORT = 993
MAX_ATTACHMENT = 25 * 1024 * 1024  # octets; base64 makes a third more of it, and 35 MB is the limit
_HEADER = re.compile(r"[Xx]-[A-Za-z0-9-]{1,60}")
_NO_PATH = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SIZE = re.compile(r"(\d{1,9})( ?[kKmM]i?[bB])?")


def _header_name(value: Any) -> str:
    """Read the name of a header field of the operator's own."""
    if not isinstance(value, str) or not _HEADER.fullmatch(value):
        message = "is not the name of a header field that may be added; it begins with X-"
        raise ValueError(message)
    return value


def _header_value(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        message = "is not printable ASCII text"
        raise ValueError(message)
    return value


def _path(value: str) -> str:
    """Refuse what no file system takes: not even trying it would tell that."""
    if _NO_PATH.search(value):
        message = "is not a path: it holds a control character"
        raise ValueError(message)
    return value


def read_size(value: Any) -> int:
    """Read a number of octets: ``4096``, ``64KiB`` or ``10MiB``; raise ValueError for others."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        message = "is not a size; write it as 4096, 64KiB or 10MiB"
        raise ValueError(message)
    unit = (match[2] or "").strip().lower()[:1]
    return int(match[1]) * {"": 1, "k": 1024, "m": 1024 * 1024}[unit]


Size = Annotated[
    int,
    BeforeValidator(read_size),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["integer", "string"]}),
]
HeaderName = Annotated[str, BeforeValidator(_header_name)]
HeaderValue = Annotated[str, BeforeValidator(_header_value), Field(max_length=500)]


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
        default=None,
        description="Name of the credential to log in with; by default none. One of Entra logs in"
        " by XOAUTH2, and needs `mailbox`.",
    )
    mailbox: MailAddress | None = Field(
        default=None, description="Who logs in, with a credential of Entra."
    )
    client_certificate: Name | None = Field(
        default=None,
        description="Name of the `client-certificate` credential to show in TLS, as a relay asks.",
    )
    helo: Domain | None = Field(
        default=None, description="Name given in EHLO; by default the domain of `mail_from`."
    )


class ByMx(Settings):
    """By MX, as a server of the internet does: each exchange in order, with fail-over."""

    tls: Literal["opportunistic", "required", "verified"] = Field(
        default="opportunistic", description="The TLS that is expected of every exchange."
    )
    helo: Domain | None = Field(
        default=None, description="Name given in EHLO; by default the domain of `mail_from`."
    )


class ByGraph(Settings):
    """By Microsoft Graph, as a user of the mailbox does."""

    credential: Name = Field(description="Name of a credential of Entra, with Mail.Send.")
    mailbox: MailAddress = Field(description="The mailbox that sends.")


class PayloadSettings(Settings):
    """What the message carries."""

    kind: Literal["plain", "html", "attachment"] = Field(
        default="plain",
        description="`plain`: text; `html`: text and HTML as alternatives; `attachment`: text and"
        " a file.",
    )
    size: Size = Field(
        default=64 * 1024,
        ge=1,
        le=MAX_ATTACHMENT,
        description="Size of the attached file: `4096`, `64KiB`, `10MiB`.",
    )
    content_type: str = Field(
        default="text/plain",
        pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}$",
        description=f"Content type of the attached file: {', '.join(MAKERS)}.",
    )
    filename: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-]([A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$",
        description="Name of the attached file; by default one that fits its content type.",
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        max_length=20,
        description="Header fields to add, such as one that a mail flow rule looks for.",
    )

    @property
    def carried(self) -> Payload:
        """The same, in the words of those who make messages."""
        return Payload(
            kind=Kind(self.kind),
            size=self.size,
            content_type=self.content_type,
            filename=self.filename or "",
            headers=tuple(self.headers.items()),
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _ = self.carried  # raises ValueError for what no message can carry
        return self


class Send(Settings):
    """How the synthetic messages of a route are sent."""

    ways: ClassVar[tuple[str, ...]] = ("smtp", "mx", "graph")

    smtp: Endpoint | None = Field(default=None, description="The server that takes the message.")
    mx: ByMx | None = Field(
        default=None, description="By MX, as the internet would; `mx: {}` will do."
    )
    graph: ByGraph | None = Field(default=None, description="By Microsoft Graph.")
    mail_from: ReversePath = Field(
        description="Sender of the envelope and of the message; `<>` is the null sender, as a"
        " non-delivery report has it."
    )
    header_from: MailAddress | None = Field(
        default=None, description="Author in the header, where it is not the sender."
    )
    rcpt_to: MailAddress = Field(description="The one recipient of each message.")
    payload: PayloadSettings = Field(
        default=PayloadSettings(), description="What the message carries."
    )
    dkim: Name | None = Field(
        default=None, description="Name of the `dkim-key` credential to sign with; by default none."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(getattr(self, way) is not None for way in self.ways) != 1:
            message = f"needs exactly one of {', '.join(self.ways)}"
            raise ValueError(message)
        if self.graph is not None and self.mail_from != self.graph.mailbox:
            message = "mail_from must be the mailbox that sends by graph"
            raise ValueError(message)
        return self


class SinkReceive(Settings):
    """Messages arrive at the agent's own SMTP server; see the section `sink`."""


class ImapReceive(Settings):
    """Messages arrive in a mailbox that is read by IMAP."""

    host: Host = Field(description="Name or address of the server.")
    port: Port = Field(default=IMAPS_PORT, description="Its port.")
    tls: Literal["implicit", "starttls", "never"] = Field(
        default="implicit",
        description="TLS from the first byte, or by STARTTLS; the certificate must be valid."
        " `never` only to this machine.",
    )
    credential: Name = Field(description="Name of the credential to log in with.")
    mailbox: MailAddress | None = Field(
        default=None, description="Whose mailbox it is, with a credential of Entra."
    )
    folders: tuple[str, ...] = Field(
        default=(),
        max_length=10,
        description="Folders to look into besides the Inbox and Junk.",
    )


class GraphReceive(Settings):
    """Messages arrive in a mailbox that is read by Microsoft Graph."""

    credential: Name = Field(description="Name of a credential of Entra, with Mail.ReadWrite.")
    mailbox: MailAddress = Field(description="Whose mailbox it is.")
    folders: tuple[str, ...] = Field(
        default=(),
        max_length=10,
        description="Folders to look into besides the Inbox and Junk.",
    )


class MaildirReceive(Settings):
    """Messages arrive in a Maildir on this machine."""

    path: Annotated[str, AfterValidator(_path)] = Field(
        min_length=1, max_length=500, description="The Maildir; relative to this file."
    )


class Receive(Settings):
    """Where the synthetic messages of a route are picked up."""

    places: ClassVar[tuple[str, ...]] = ("sink", "imap", "graph", "maildir")

    sink: SinkReceive | None = Field(
        default=None, description="The agent's own SMTP server takes the message: the default."
    )
    imap: ImapReceive | None = Field(default=None, description="A mailbox, by IMAP.")
    graph: GraphReceive | None = Field(default=None, description="A mailbox, by Microsoft Graph.")
    maildir: MaildirReceive | None = Field(default=None, description="A Maildir.")
    reflector: bool = Field(
        default=False,
        description="Whether the far end answers or forwards the message, and what arrives here is"
        " the answer. No credential is needed there.",
    )
    poll: Duration = Field(
        default=timedelta(seconds=5),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        description="Time between two looks into a mailbox; IMAP also tells by itself.",
    )
    cleanup: Literal["delete", "keep", "dry-run"] = Field(
        default="delete",
        description="Whether messages with a genuine token of ours are deleted from the mailbox,"
        " from Inbox, Junk, Sent Items and Deleted Items; `dry-run` only counts them.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(getattr(self, place) is not None for place in self.places) > 1:
            message = f"needs exactly one of {', '.join(self.places)}"
            raise ValueError(message)
        return self

    @property
    def home(self) -> str:
        """The name of the place: the same for all routes that end there."""
        if self.imap is not None:
            who = self.imap.mailbox or self.imap.credential
            return f"imap {who.lower()} {self.imap.host}:{self.imap.port}"
        if self.graph is not None:
            return f"graph {self.graph.mailbox.lower()}"
        if self.maildir is not None:
            return f"maildir {os.path.normpath(self.maildir.path)}"
        return "sink"
