"""How does the lab's Exchange Online send a message on that it relays for a tenant?

By the MX records of the lab's world, over SMTP, as the internet would. What comes back is counted:
after twenty rounds the message is cut and its sender told, so that nothing here goes round for ever
(Microsoft's number; support page "NDR error codes 5.4.6 through 5.4.20").
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.domain.lookup import Exchange
from agent.domain.smtp import Accepted, Errand, Refused, Tls
from agent.lab.exchange_stamps import rounds_of
from agent.lab.faults import World
from agent.lab.mail import Post
from agent.lab.world import OUTBOUND_NAME

MOST_ROUNDS: Final = 20
PAUSE: Final = 0.02  # seconds before each round: a loop is quick, and lets others live
LOOP: Final = "554 5.4.14 Hop count exceeded - possible mail loop ATTR34"
_NOWHERE: Final = "550 5.4.310 DNS domain {} does not exist"
_REFUSED: Final = "550 5.0.350 Remote server returned an error -> {}"
_EXPIRED: Final = "550 5.4.316 Message expired, connection refused"

Where = Callable[[str], int]
"""Returns the port of loopback at which an address of the world listens, 0 for none."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An envelope with one recipient, and what is in it."""

    mail_from: str
    rcpt_to: str
    content: bytes


class Onward:
    """Sends to the exchanges of the recipient's domain."""

    def __init__(self, world: World, post: Post, where: Where) -> None:
        self._world = world
        self._post = post
        self._where = where

    async def send(self, letter: Letter) -> str:
        """Hand a message to the first exchange that takes it.

        Return nothing, or the reply to report to its sender. The real one would try again for a
        day before it gives up; the lab gives up at once.
        """
        if rounds_of(letter.content) > MOST_ROUNDS:
            return LOOP
        await asyncio.sleep(PAUSE)
        domain = letter.rcpt_to.rpartition("@")[2].lower()
        errand = Errand(
            OUTBOUND_NAME, Tls.IF_OFFERED, letter.mail_from, (letter.rcpt_to,), letter.content
        )
        for port in self._ports(domain):
            dialogue = await self._post.hand_over(port, errand)
            if isinstance(dialogue, Refused):
                return _REFUSED.format(dialogue.reply.text)
            if isinstance(dialogue, Accepted) or dialogue.is_uncertain:
                return ""  # never twice: one message stays one, however often it goes round
        return _EXPIRED if (domain, "MX") in self._world.zone else _NOWHERE.format(domain)

    def _ports(self, domain: str) -> tuple[int, ...]:
        """Return where the domain's exchanges listen, the most preferred first."""
        zone = self._world.zone
        found = [each for each in zone.get((domain, "MX"), ()) if isinstance(each, Exchange)]
        found.sort(key=lambda each: each.preference)
        addresses = (zone.get((each.exchange, "A"), ()) for each in found)
        return tuple(filter(None, (self._where(str(a)) for many in addresses for a in many)))
