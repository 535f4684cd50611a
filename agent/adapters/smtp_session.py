"""How is an SMTP session carried out over the network?

The conversation decides what is said; this drives it: octets in, octets out, the time of every
phase, and one deadline for everything. A deadline for each step would be no deadline: a server that
answers each step just in time, or sends an octet a second, outlives it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from agent.adapters.clock import Clock
from agent.adapters.dialer import Address, Dialer, Reach
from agent.adapters.line import Line
from agent.adapters.tls import Secured, TlsClient, TlsError
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Dialogue, Errand, Phase, Reason, Unreached
from agent.domain.smtp_conversation import Action, Close, Conversation, Secure, Send
from agent.domain.smtp_reply import Reply

QUIT_PATIENCE = 1.0  # seconds to wait for the reply to QUIT, when all else is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a session goes and how TLS is done there.

    ``tls`` does the handshake, ``server_name`` is sent in it (never an address) and, if
    ``tls`` verifies, is the name that the certificate must have. ``implicit`` starts with the
    handshake, as port 465 has it. ``reach`` is as :func:`agent.adapters.dialer.is_allowed` has it.
    """

    address: Address
    port: int
    tls: TlsClient
    server_name: str | None = None
    implicit: bool = False
    reach: Reach = "public"


@dataclass(frozen=True, slots=True)
class Session:
    """What a session came to. ``timings`` has seconds for each phase that was begun, in order."""

    dialogue: Dialogue
    timings: Mapping[Phase, float]
    recipients: tuple[tuple[str, Reply], ...] = ()
    capabilities: tuple[PeerText, ...] = ()
    clear_capabilities: tuple[PeerText, ...] = ()
    greeting: PeerText = field(default_factory=lambda: PeerText(""))
    secured: Secured | None = None
    transcript: tuple[PeerText, ...] = ()


async def hold(
    target: Target, errand: Errand, *, dialer: Dialer, clock: Clock, deadline: timedelta
) -> Session:
    """Carry out *errand* at *target* and say what it came to, at the latest after *deadline*.

    A session in which the deadline passes is Unreached at the phase it was in, and TIMEOUT is the
    reason; but a verdict that stands when only QUIT is left is kept. No more than half of the
    deadline is spent on waiting for other sessions at the host, then BUSY is the reason, so that a
    server has the other half to be blamed for.
    """
    driver = _Driver(target, errand, clock)
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            async with dialer.connect(
                target.address, target.port, reach=target.reach, patience=deadline / 2
            ) as line:
                if isinstance(line, Reason):
                    driver.end_unconnected(line)
                else:
                    await driver.run(line)
    except TimeoutError:
        driver.time_out()
    session = driver.session()
    if session.greeting:
        dialer.note_greeting(target.address, target.port)
    return session


class _Driver:
    """One session under way."""

    def __init__(self, target: Target, errand: Errand, clock: Clock) -> None:
        self._target = target
        self._conversation = Conversation(errand)
        self._clock = clock
        self._timings: dict[Phase, float] = {}
        self._phase = Phase.CONNECT
        self._began = clock.monotonic()
        self._secured: Secured | None = None
        self._unconnected: Unreached | None = None

    async def run(self, line: Line) -> None:
        """Talk until the conversation is over."""
        self._timings[Phase.CONNECT] = line.connect_seconds
        self._begin(Phase.GREETING)
        if self._target.implicit and await self._handshake(line) is not None:
            return
        while True:
            if self._phase is Phase.QUIT:
                await self._await_farewell(line)
                return
            action = await self._step(line)
            while isinstance(action, Secure):
                action = await self._handshake(line) or self._conversation.secured()
            if isinstance(action, Send):
                self._began_after(line)
                self._begin(action.phase)
                line.send(action.data)
            elif isinstance(action, Close):
                self._note(line.arrived_at)
                return

    async def _step(self, line: Line) -> Action | None:
        try:
            data = await line.receive()
        except TlsError as error:
            return self._conversation.fail(error.reason, str(error))
        if not data:
            return self._conversation.fail(Reason.CONNECTION_LOST)
        return self._conversation.receive(data)

    async def _await_farewell(self, line: Line) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIT_PATIENCE):
                while await self._step(line) is None:
                    pass
        self._note(self._clock.monotonic())

    async def _handshake(self, line: Line) -> Close | None:
        """Do the handshake; a Close is its failure."""
        before = self._phase
        self._note(line.arrived_at)
        self._begin(Phase.CERTIFICATE)
        try:
            self._secured = await line.secure(self._target.tls, self._target.server_name)
        except TlsError as error:
            self._conversation.phase = Phase.CERTIFICATE
            return self._conversation.fail(error.reason, str(error))
        self._note(self._clock.monotonic())
        if self._target.implicit:
            self._begin(before)
        return None

    def _began_after(self, line: Line) -> None:
        if self._phase is not Phase.CERTIFICATE:
            self._note(line.arrived_at)

    def _begin(self, phase: Phase) -> None:
        self._phase = phase
        self._began = self._clock.monotonic()

    def _note(self, at: float) -> None:
        """Add the time since the phase began; RCPT may come more than once."""
        spent = max(0.0, at - self._began)
        self._timings[self._phase] = self._timings.get(self._phase, 0.0) + spent

    def end_unconnected(self, reason: Reason) -> None:
        """End a session that never came to be."""
        if reason is not Reason.BUSY:  # nobody was connected to, slowly or not
            self._note(self._clock.monotonic())
        self._unconnected = Unreached(Phase.CONNECT, reason)

    def time_out(self) -> None:
        """End a session whose deadline has passed."""
        self._note(self._clock.monotonic())
        if self._phase is Phase.CONNECT:
            self._unconnected = Unreached(Phase.CONNECT, Reason.TIMEOUT)
        else:
            self._conversation.phase = self._phase
            self._conversation.fail(Reason.TIMEOUT)

    def session(self) -> Session:
        """Return what it came to."""
        conversation = self._conversation
        dialogue = self._unconnected or conversation.dialogue
        assert dialogue is not None  # noqa: S101 - every way out of run() has given a verdict
        return Session(
            dialogue=dialogue,
            timings=dict(self._timings),
            recipients=tuple(conversation.recipients),
            capabilities=conversation.capabilities,
            clear_capabilities=conversation.clear_capabilities,
            greeting=conversation.greeting,
            secured=self._secured,
            transcript=tuple(conversation.transcript),
        )
