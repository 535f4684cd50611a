"""What does the client say next?

A conversation is told the octets that arrive and answers what to do: send something, start TLS, or
close. It knows no socket and no clock; an adapter gives it both. Replies must come one for each
command and never before it (RFC 5321 section 2.1; we do not pipeline): a server that is out of
step is not believed, because its next yes could belong to anything.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass

from agent.domain.login_replies import without_text
from agent.domain.peer_text import PeerText
from agent.domain.smtp import (
    Accepted,
    Dialogue,
    Errand,
    Login,
    Phase,
    Reason,
    Refused,
    Tls,
    Unreached,
)
from agent.domain.smtp_reply import Malformed, Reply, ReplyReader

MAX_TRANSCRIPT = 120  # lines
MORE_WANTED = 334  # RFC 4954 section 4: the server asks for the next response
CLOSING = 421  # RFC 5321 section 3.8: the server hangs up, whatever was asked
_NOT_IMPLEMENTED = (500, 501, 502, 504)  # RFC 5321 section 3.2: try HELO then
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?= |=|$)")  # RFC 5321 section 4.1.1.1


@dataclass(frozen=True, slots=True)
class Send:
    """Send these octets; the reply to them is awaited in ``phase``."""

    phase: Phase
    data: bytes
    shown: PeerText


@dataclass(frozen=True, slots=True)
class Secure:
    """Start the TLS handshake, then call :meth:`Conversation.secured`."""


@dataclass(frozen=True, slots=True)
class Close:
    """The session is over."""


Action = Send | Secure | Close
_Script = Generator[Send | Secure | None, Reply, None]


class _StopError(Exception):
    """Ends the script with a verdict."""

    def __init__(self, dialogue: Dialogue) -> None:
        super().__init__(dialogue)
        self.dialogue = dialogue


class Conversation:
    """One session: octets in, actions out.

    ``phase`` is what is being waited for; ``dialogue`` the verdict so far, by which time only QUIT
    is left; ``capabilities`` what the last EHLO offered and
    ``clear_capabilities`` what the first did; ``recipients`` the reply to each RCPT in
    order; ``transcript`` what was said, bounded, the message left out.
    """

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self.phase = Phase.GREETING
        self.dialogue: Dialogue | None = None
        self.capabilities: tuple[PeerText, ...] = ()
        self.recipients: list[tuple[str, Reply]] = []
        self.transcript: list[PeerText] = []
        self.greeting = PeerText("")
        self.clear_capabilities: tuple[PeerText, ...] = ()
        self._reader = ReplyReader()
        self._script = self._speak()
        next(self._script)

    def receive(self, data: bytes) -> Action | None:
        """Take octets from the server; None means that the reply is not whole yet."""
        events = self._reader.feed(data)
        if not events:
            return None
        event, *surplus = events
        if isinstance(event, Malformed):
            self._note("<", PeerText(data))
            return self._distrust(event)
        if self.phase is Phase.AUTH:  # servers have been seen to echo the password
            event = without_text(event)
        for position, line in enumerate(event.lines, 1):
            mark = " " if position == len(event.lines) else "-"
            self._note("<", f"{event.code}{mark}{line}")
        if surplus or not self._reader.is_idle:
            # Whoever sits in between could speak inside of TLS so: RFC 3207 section 6.
            if self.phase is Phase.STARTTLS and not event.is_negative:
                return self.fail(Reason.TLS_INJECTION, "plaintext after the reply to STARTTLS")
            return self._distrust("more came than was asked for")
        return self._advance(event)

    def secured(self) -> Action:
        """Go on after the handshake; nothing learned before it counts (RFC 3207 section 4.2)."""
        self.capabilities = ()
        return self._advance(None)

    def fail(self, reason: Reason, detail: str = "") -> Close:
        """End the session for a cause outside of SMTP, such as a lost connection.

        A verdict that stands already survives losing the connection while QUIT is unanswered.
        """
        if self.phase is not Phase.QUIT or reason is Reason.PROTOCOL or self.dialogue is None:
            self.dialogue = Unreached(self.phase, reason, detail)
        return Close()

    def _distrust(self, detail: str) -> Close:
        return self.fail(Reason.PROTOCOL, detail)

    def _advance(self, reply: Reply | None) -> Action:
        """Give the script its reply and return what it wants next."""
        try:
            # The script asks for no reply where it gets none.
            action = self._script.send(reply)  # type: ignore[arg-type]
        except StopIteration:
            return Close()
        if isinstance(action, Send):
            self.phase = action.phase
            self._note(">", action.shown)
            return action
        self.phase = Phase.CERTIFICATE
        self._note("=", "TLS handshake")
        return Secure()

    def _note(self, mark: str, text: str) -> None:
        if len(self.transcript) < MAX_TRANSCRIPT:
            self.transcript.append(PeerText(f"{mark} {text}"))

    def _speak(self) -> _Script:
        """Say everything, then QUIT unless the server has hung up."""
        try:
            self.dialogue = Accepted((yield from self._carry_out()))
        except _StopError as stop:
            self.dialogue = stop.dialogue
        match self.dialogue:
            case Refused(reply=Reply(code=421)) | Unreached(reason=Reason.PROTOCOL):
                return
        reply = yield _say(Phase.QUIT, "QUIT")
        # Any other code belongs to an earlier command: the yes may have been no yes.
        if reply.code not in (221, CLOSING) and isinstance(self.dialogue, Accepted):
            detail = f"QUIT was answered with {reply.code}"
            self.dialogue = Unreached(Phase.QUIT, Reason.PROTOCOL, detail)

    def _carry_out(self) -> Generator[Send | Secure | None, Reply, Reply]:
        errand = self.errand
        reply = self._demand((yield None), 220)
        self.greeting = reply.text
        reply = yield from self._hello(Phase.EHLO)
        if errand.tls is not Tls.NEVER:
            reply = yield from self._upgrade(reply)
        if errand.login is not None:
            reply = yield from self._log_in(errand.login)
        if errand.mail_from is None:
            return reply
        reply = self._demand((yield _say(Phase.MAIL, f"MAIL FROM:<{errand.mail_from}>")), 250)
        if errand.rcpt_to:
            reply = yield from self._name_recipients()
        if errand.message is None:
            return reply
        self._demand((yield _say(Phase.DATA, "DATA")), 354)
        body = as_data(errand.message)
        shown = PeerText(f"(message of {len(errand.message)} octets)")
        return self._demand((yield Send(Phase.FINAL, body, shown)), 250)

    def _hello(self, phase: Phase) -> Generator[Send, Reply, Reply]:
        reply = yield _say(phase, f"EHLO {self.errand.helo}")
        if phase is Phase.EHLO and reply.code in _NOT_IMPLEMENTED:
            return self._demand((yield _say(phase, f"HELO {self.errand.helo}")), 250)
        self._demand(reply, 250)
        self.capabilities = reply.lines[1:]
        if phase is Phase.EHLO:
            self.clear_capabilities = self.capabilities
        return reply

    def _upgrade(self, reply: Reply) -> Generator[Send | Secure, Reply, Reply]:
        if not offers(self.capabilities, "STARTTLS"):
            if self.errand.tls is Tls.REQUIRED:
                self.phase = Phase.STARTTLS
                raise _StopError(Unreached(Phase.STARTTLS, Reason.TLS_NOT_OFFERED))
            return reply
        self._demand((yield _say(Phase.STARTTLS, "STARTTLS")), 220)
        yield Secure()
        return (yield from self._hello(Phase.EHLO_AGAIN))

    def _log_in(self, login: Login) -> Generator[Send, Reply, Reply]:
        """Log in by the first way that is offered (RFC 4954 section 4), showing nothing of it."""
        chosen = login.among(_mechanisms(self.capabilities))
        if chosen is None:
            self.phase = Phase.AUTH
            raise _StopError(Unreached(Phase.AUTH, Reason.AUTH_NOT_OFFERED))
        command = f"AUTH {chosen.mechanism}".encode("ascii")
        shown = f"AUTH {chosen.mechanism}"
        if chosen.response:
            command, shown = command + b" " + chosen.response, f"{shown} (hidden)"
        reply = yield Send(Phase.AUTH, command + b"\r\n", PeerText(shown))
        # An empty line at last, for XOAUTH2 says why it failed and wants one.
        rest = iter(chosen.more or (b"",))
        while reply.code == MORE_WANTED and (response := next(rest, None)) is not None:
            shown = "(hidden)" if response else "(empty line)"
            reply = yield Send(Phase.AUTH, response + b"\r\n", PeerText(shown))
        return self._demand(reply, 235)

    def _name_recipients(self) -> Generator[Send, Reply, Reply]:
        """Name every recipient, then stop at the first that was refused."""
        for recipient in self.errand.rcpt_to:
            reply = yield _say(Phase.RCPT, f"RCPT TO:<{recipient}>")
            if not reply.is_negative:
                self._demand(reply, 250, 251, 252)
            self.recipients.append((recipient, reply))
            if reply.code == CLOSING:
                break
        for _, reply in self.recipients:
            self._demand(reply, 250, 251, 252)
        return reply

    def _demand(self, reply: Reply, *codes: int) -> Reply:
        """Return *reply* if it is a yes of those that RFC 5321 section 4.3.2 lists."""
        if reply.code in codes:
            return reply
        if reply.is_negative:
            raise _StopError(Refused(self.phase, reply))
        detail = f"{self.phase} was answered with {reply.code}"
        raise _StopError(Unreached(self.phase, Reason.PROTOCOL, detail))


def offers(capabilities: tuple[PeerText, ...], keyword: str) -> bool:
    """Tell whether EHLO offered *keyword*, given in capitals."""
    words = (_KEYWORD.match(line) for line in capabilities)
    return any(word is not None and word.group().upper() == keyword for word in words)


def as_data(message: bytes) -> bytes:
    """Return a message as DATA carries it: CR LF line ends, dots doubled, the end marked.

    A bare CR or LF becomes a line end (RFC 5321 section 2.3.8), so that no reader can see another
    end of the message than we do.
    """
    text = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if text and not text.endswith(b"\n"):
        text += b"\n"
    # RFC 5321 section 4.5.2.
    stuffed = (b"\n" + text).replace(b"\n.", b"\n..")[1:]
    return stuffed.replace(b"\n", b"\r\n") + b".\r\n"


def _mechanisms(capabilities: tuple[PeerText, ...]) -> set[str]:
    """Return the SASL mechanisms that EHLO offered, in capitals.

    Some servers still write ``AUTH=LOGIN``, as a draft of RFC 4954 had it.
    """
    lines = (line.upper().replace("=", " ").split() for line in capabilities)
    return {word for words in lines if words[:1] == ["AUTH"] for word in words[1:]}


def _say(phase: Phase, command: str) -> Send:
    return Send(phase, command.encode("ascii") + b"\r\n", PeerText(command))
