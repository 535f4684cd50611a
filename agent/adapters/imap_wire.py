"""How are octets of an IMAP server read, and how many at most? The only importer of imaplib.

The standard library's client reads a literal as long as the server says, keeps every line that the
server likes to send, and starts TLS with whatever waits in its buffer. Here stands what bounds it:
the length of a line and of a literal, and the sum of both between two commands. It connects to
nobody: it is given a socket. It blocks, and lives in the one thread of its mailbox.
"""

import imaplib
import re
import socket
import ssl
from typing import Any

from agent.adapters.imap_login import ImapLogin

MAX_LINE = 64 * 1024  # octets of a line
MAX_LITERAL = 256 * 1024  # octets of a literal
MAX_TEXT = 1024 * 1024  # octets of lines between two commands: they are parsed one by one
MAX_OCTETS = 4 * 1024 * 1024  # octets between two commands, literals and all
MAX_LINES = 5_000  # lines between two commands
_CHUNK = 16 * 1024
_LOGIN, _IDLE, _LOGOUT = "LOGIN", "IDLE", "LOGOUT"
_CHALLENGES = 3  # of a login: one for the response, one for the reason of a refusal
_UNSAFE = re.compile(r"[\x00\r\n]|[^\x00-\x7f]")


class ProtocolError(Exception):
    """The server says what no server may say, or too much of it; the text is ours."""


class NoTlsError(Exception):
    """TLS cannot be begun; the text is ours."""


class LostError(Exception):
    """The connection ended."""


class ServerNoError(imaplib.IMAP4.error):
    """The server refuses a command; ``said`` are its words as they came."""

    def __init__(self, command: str, said: bytes) -> None:
        super().__init__(command)
        self.command, self.said = command, said


class ServerByeError(imaplib.IMAP4.error):
    """The server ends the session; ``said`` are its words as they came."""

    def __init__(self, said: bytes) -> None:
        super().__init__("BYE")
        self.said = said


CommandError = imaplib.IMAP4.error
"""What the client library raises for an answer that it cannot use."""

ReadOnlyError = imaplib.IMAP4.readonly
"""A folder may be read only, and something was to be changed in it."""


class Wire(imaplib.IMAP4):
    """An IMAP connection over a socket that is connected already.

    *tls* is how TLS is done, with ``implicit`` from the first octet and else by STARTTLS, and the
    name that the certificate must have; None leaves it out. After the constructor the greeting and
    the capabilities are read. Raises what this module declares, and OSError.
    """

    def __init__(
        self,
        connection: socket.socket,
        *,
        tls: ssl.SSLContext | None,
        implicit: bool,
        server_name: str,
    ) -> None:
        self._buffer = bytearray()
        self._lines = self._text = self._octets = 0
        self._is_leaving = False
        self._tls, self._implicit, self._server_name = tls, implicit, server_name
        self.sock = connection
        super().__init__(server_name)

    # IMAPClient asks for all details of the dialogue, passwords included.
    @property
    def debug(self) -> int:
        """Nothing of the dialogue is logged."""
        return 0

    @debug.setter
    def debug(self, _level: int) -> None:
        pass

    def _log(self, _line: str) -> None:
        """Keep nothing of the dialogue: it has the password in it."""

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Take the socket, for imaplib; the handshake comes first where TLS is implicit."""
        del port, timeout
        self.host = host
        if self._implicit:
            self._secure()

    def _connect(self) -> None:
        super()._connect()  # type: ignore[misc] # the stubs do not know it
        if self._tls is None or self._implicit:
            return
        # RFC 9051 section 11.4: logged in before TLS, by whom?
        if self.state != "NONAUTH":
            message = "the server says PREAUTH before TLS"
            raise ProtocolError(message)
        if "STARTTLS" not in self.capabilities:
            message = "the server does not offer STARTTLS"
            raise NoTlsError(message)
        self._simple_command("STARTTLS")
        if self._buffer:
            message = "plaintext behind the answer to STARTTLS"
            raise NoTlsError(message)
        self._secure()
        self.untagged_responses = {}
        self._get_capabilities()

    def _secure(self) -> None:
        assert self._tls is not None  # noqa: S101 - the callers have looked
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._server_name)

    def _get_capabilities(self) -> None:
        """Ask for the capabilities; octets that are no ASCII are in none that we know."""
        self.untagged_responses.pop("CAPABILITY", None)
        _, said = self.capability()
        if not said or not isinstance(said[-1], bytes):
            message = "no answer to CAPABILITY"
            raise ProtocolError(message)
        words = said[-1].decode("ascii", "backslashreplace").upper()
        self.capabilities = tuple(words.split())

    def send(self, data: Any) -> None:
        """Send octets of a command; what may be read as its answer is counted from here."""
        self._lines = self._text = self._octets = 0
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise LostError(str(error)) from None

    def readline(self) -> bytes:
        """Return a line with its end. Raises ProtocolError where it is none, or one too many."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_LINE:
                message = f"a line of more than {MAX_LINE} octets"
                raise ProtocolError(message)
            self._fill()
        self._lines += 1
        self._text += end
        if self._text > MAX_TEXT or self._lines > MAX_LINES:
            message = "endless answers"
            raise ProtocolError(message)
        return self._take(end + 1)

    def read(self, size: int) -> bytes:
        """Return a literal. Raises ProtocolError where it is longer than any that was asked for."""
        if size > MAX_LITERAL:
            message = f"a literal of {size} octets"
            raise ProtocolError(message)
        while len(self._buffer) < size:
            self._fill()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        self._octets += size
        if self._octets > MAX_OCTETS:
            message = f"more than {MAX_OCTETS} octets in answer to one command"
            raise ProtocolError(message)
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _fill(self) -> None:
        chunk = self.sock.recv(_CHUNK)
        if not chunk:
            message = "the server closed the connection"
            raise LostError(message)
        self._buffer += chunk

    def has_line(self, seconds: float) -> bool:
        """Wait so long for more octets, and tell whether a whole line is there."""
        if b"\n" not in self._buffer:
            self.sock.settimeout(max(seconds, 0.001))
            try:
                self._fill()
            except TimeoutError:
                return False
            finally:
                self.sock.settimeout(None)
        if len(self._buffer) > MAX_LINE:
            message = "it floods us while we wait"
            raise ProtocolError(message)
        return b"\n" in self._buffer

    def shutdown(self) -> None:
        """Close the socket."""
        self.sock.close()

    def _get_response(self) -> bytes | None:
        """Take the next answer in, for imaplib; a farewell ends whatever is under way."""
        answer: bytes | None = super()._get_response()  # type: ignore[misc]
        if not self._is_leaving and (bye := self.untagged_responses.get("BYE")):
            raise ServerByeError(_octets(bye[-1]))
        return answer

    def _command_complete(self, name: str, tag: bytes) -> tuple[str, list[bytes]]:
        """Return the answer to a command, for imaplib; raises ServerNoError for any but OK."""
        typ, data = self._get_tagged_response(tag, expect_bye=self._is_leaving)
        if typ != "OK":
            raise ServerNoError(name, _octets(data[-1]))
        return typ, data

    def log_in(self, login: ImapLogin) -> None:
        """Log in by SASL, or by LOGIN where the server takes no other password."""
        if f"AUTH={login.mechanism}" not in self.capabilities and login.mechanism == "PLAIN":
            if "LOGINDISABLED" in self.capabilities:
                message = "the server takes no password"
                raise ServerNoError(_LOGIN, message.encode())
            self._log_in_plainly(login)
            return
        challenges = 0

        def respond(_challenge: bytes) -> bytes:
            nonlocal challenges
            challenges += 1
            if challenges > _CHALLENGES:
                message = "endless challenges"
                raise ProtocolError(message)
            # The second challenge is the reason of a refusal, which has to be taken note of.
            return login.response if challenges == 1 else b""

        self.authenticate(login.mechanism, respond)

    def _log_in_plainly(self, login: ImapLogin) -> None:
        words = (login.username, login.secret)
        if any(map(_UNSAFE.search, words)):  # an end of line would begin another command
            message = "LOGIN takes only ASCII, and that is all the server offers"
            raise ServerNoError(_LOGIN, message.encode())
        self._simple_command(_LOGIN, *map(self._quote, words))
        self.state = "AUTH"

    def leave(self) -> None:
        """Log out; a farewell is the right answer to that."""
        self._is_leaving = True
        self._simple_command(_LOGOUT)

    def idle(self) -> bytes:
        """Begin IDLE (RFC 2177) and return its tag, for :meth:`done`."""
        tag: bytes = self._command(_IDLE)
        while self._get_response() is not None:
            if answer := self.tagged_commands[tag]:
                raise ServerNoError(_IDLE, _octets(answer[1][-1]))
        return tag

    def heard(self) -> str:
        """Take the next untagged answer in and return its kind. Only while a line is there."""
        before = {kind: len(data) for kind, data in self.untagged_responses.items()}
        self._get_response()
        if any(self.tagged_commands.values()):
            message = "IDLE ended by itself"
            raise ProtocolError(message)
        after = self.untagged_responses
        return next((kind for kind in after if len(after[kind]) > before.get(kind, 0)), "")

    def done(self, tag: bytes) -> None:
        """End IDLE."""
        self.send(b"DONE\r\n")
        self._command_complete(_IDLE, tag)


def _octets(said: object) -> bytes:
    return said if isinstance(said, bytes) else b""
