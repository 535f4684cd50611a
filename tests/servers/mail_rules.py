"""What does a relay of the mail world do with a message? A test says so while the relay runs.

Two of Postfix's own interfaces ask here for each message: the policy delegation protocol
(SMTPD_POLICY_README) for each recipient, and a socketmap (socketmap_table(5)) for each header field
(header_checks(5)). So the relay that delays, drops, tags or bounces is a real one, and nothing has
to be reloaded.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from servers.smtp import Wire, rude_server

HeaderCheck = Callable[[str, str], str | None]
"""Takes a field's name in lower case and its value, gives an action of header_checks(5)."""

Asked = dict[str, str]
"""The attributes of a policy request, such as ``recipient``, ``sender``, ``queue_id``."""

Rule = Callable[[Asked], str | None]
"""Gives an action of access(5), or None where the rule has nothing to say."""

_WELL = "DUNNO"


@dataclass
class Rules:
    """The rules of one relay. ``recipients`` are the mailboxes whose mail they are for.

    ``rules`` are asked in turn, the first action counts; ``headers`` likewise for each field.
    ``delay`` is for how many seconds the relay keeps the sender waiting at RCPT; while ``gate`` is
    not set it keeps them waiting at all. ``asked`` has each recipient asked about.
    """

    recipients: frozenset[str]
    rules: list[Rule] = field(default_factory=list)
    headers: list[HeaderCheck] = field(default_factory=list)
    delay: float = 0.0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def clear(self) -> None:
        """Do nothing special from now on."""
        self.rules.clear()
        self.headers.clear()
        self.delay = 0.0
        self.gate.set()

    def always(self, action: str) -> None:
        """Do *action* of access(5) for each message, such as ``DISCARD`` or ``550 5.7.1 no``."""
        self.rules.append(lambda _: action)

    def next(self, count: int, action: str) -> None:
        """Do *action* for the next *count* messages."""
        left = [count]

        def rule(_: Asked) -> str | None:
            left[0] -= 1
            return action if left[0] >= 0 else None

        self.rules.append(rule)

    def greylist(self) -> None:
        """Defer the first attempt of each pair of sender and recipient."""
        seen: set[tuple[str, str]] = set()

        def rule(asked: Asked) -> str | None:
            pair = (asked["sender"], asked["recipient"])
            if pair in seen:
                return None
            seen.add(pair)
            return "451 4.7.1 Greylisted, please try again"

        self.rules.append(rule)

    async def until_asked(self, count: int) -> None:
        """Wait until the relay has asked about so many recipients: a rule holds from its RCPT."""
        for _ in range(3000):
            if len(self.asked) >= count:
                return
            await asyncio.sleep(0.01)  # between two glances
        message = f"asked about {self.asked} only"
        raise AssertionError(message)

    async def decide(self, asked: Asked) -> str:
        """Return the action for one recipient of a message."""
        recipient = asked.get("recipient", "").lower()
        self.asked.append(recipient)
        local, _, domain = recipient.partition("@")
        if f"{local.split('+')[0]}@{domain}" not in self.recipients:
            return _WELL
        if self.delay:
            await asyncio.sleep(self.delay)
        await self.gate.wait()
        actions = (rule(asked) for rule in self.rules)
        return next((action for action in actions if action), _WELL)

    def check(self, line: str) -> str | None:
        """Return the action for one header field as it stands in the message."""
        name, _, value = line.partition(":")
        actions = (check(name.lower(), value.strip()) for check in self.headers)
        return next((action for action in actions if action), None)


@asynccontextmanager
async def served(rules: Rules) -> AsyncIterator[tuple[int, int]]:
    """Serve *rules* to a relay; give the port of the policy service and that of the socketmap."""

    async def policy(wire: Wire) -> None:
        while request := await _until(wire, b"\n\n"):
            lines = request.decode("utf-8", "replace").split("\n")
            asked = dict(line.partition("=")[::2] for line in lines if line)
            await wire.say(f"action={await rules.decide(asked)}\n\n".encode())

    async def socketmap(wire: Wire) -> None:
        while size := await _until(wire, b":"):
            octets = await wire.reader.readexactly(int(size[:-1]) + 1)
            line = octets[:-1].decode("utf-8", "replace").partition(" ")[2]
            action = rules.check(line)
            reply = (f"OK {action}" if action else "NOTFOUND ").encode()
            await wire.say(b"%d:%s," % (len(reply), reply))

    async with rude_server(policy) as (one, _), rude_server(socketmap) as (other, _):
        yield one, other


async def _until(wire: Wire, mark: bytes) -> bytes:
    try:
        return await wire.reader.readuntil(mark)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
