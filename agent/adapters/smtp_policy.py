"""What does a server of ours say to a client?

The engine knows the form of SMTP, a policy knows what is allowed. A policy that overrides nothing
takes mail from anybody to nobody.
"""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from agent.adapters.smtp_wire import Wire


@dataclass(frozen=True, slots=True)
class Response:
    """What a server says: a code and lines without it. After a 421 the connection is closed."""

    code: int
    lines: tuple[str, ...]

    def encode(self) -> bytes:
        """Return it as SMTP has it; RFC 5321 section 4.2.1 for several lines."""
        last = len(self.lines) - 1
        return b"".join(
            f"{self.code}{' ' if place == last else '-'}{line}\r\n".encode("ascii")
            for place, line in enumerate(self.lines)
        )


HANG_UP = Response(0, ())  # close without a word, as a server that dies does


def say(code: int, *lines: str) -> Response:
    """Return a response."""
    return Response(code, lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may do. ``deadline`` is for a whole session, ``size`` is of a message.

    ``idle`` is how long one may say nothing before MAIL while others wait for its place.
    """

    deadline: timedelta = timedelta(seconds=60)
    size: int = 1024 * 1024
    line: int = 1024  # RFC 5321 section 4.5.3.1.4, with room for parameters
    commands: int = 100
    errors: int = 10
    recipients: int = 20
    connections: int = 50
    idle: timedelta = timedelta(seconds=2)


@dataclass(slots=True)
class Client:
    """Who is there, and how far the session has come; all of it is the client's word or address.

    ``helo`` and the addresses are printable ASCII, as the engine takes nothing else.
    """

    wire: "Wire"
    helo: str = ""
    mail_from: str | None = None
    rcpt_to: list[str] = field(default_factory=list)
    parameters: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The client's IP address."""
        peer = cast("tuple[str, int] | None", self.wire.info("peername"))
        return peer[0] if peer else ""

    @property
    def tls(self) -> str:
        """The TLS version of the session, or nothing."""
        secured = cast("ssl.SSLObject | None", self.wire.info("ssl_object"))
        return (secured.version() or "") if secured else ""

    @property
    def certificate(self) -> bytes | None:
        """The client's certificate in DER, where it was asked for and shown."""
        secured = cast("ssl.SSLObject | None", self.wire.info("ssl_object"))
        return secured.getpeercert(binary_form=True) if secured else None

    def reset(self) -> None:
        """Forget the transaction, not who is there."""
        self.mail_from, self.parameters = None, ()
        self.rcpt_to.clear()


class Policy:
    """What is said at each step; to be overridden. Any step may answer :data:`HANG_UP`."""

    name = "localhost.localdomain"

    async def greet(self, client: Client) -> Response:
        """Answer the connection."""
        del client
        return say(220, f"{self.name} ESMTP")

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        """Answer EHLO, or HELO, which has no extensions."""
        del client
        return say(250, self.name, *extensions)

    async def starttls(self, client: Client) -> Response:
        """Answer STARTTLS; 220 starts it."""
        del client
        return say(220, "2.0.0 ready")

    async def mail(self, client: Client) -> Response:
        """Answer MAIL, whose sender and parameters the client now has."""
        del client
        return say(250, "2.1.0 sender taken")

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        """Answer RCPT; a 250 makes it a recipient."""
        del client, rcpt_to
        return say(550, "5.7.1 relaying denied")

    async def data(self, client: Client) -> Response:
        """Answer DATA; 354 asks for the message."""
        del client
        return say(354, "go ahead")

    async def message(self, client: Client, content: bytes) -> Response:
        """Answer the end of the message; a 250 takes it over."""
        del client, content
        return say(550, "5.7.1 nothing is taken here")

    async def other(self, client: Client, verb: str, argument: str) -> Response:
        """Answer a command that the engine does not know."""
        del client, verb, argument
        return say(502, "5.5.1 not implemented")
