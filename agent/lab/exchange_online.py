"""How does the lab's Exchange Online answer?

It speaks as Microsoft documents it, attributes each recipient to a tenant by the documented rules,
and does what follows: it delivers to a mailbox or to the agent's sink, or relays for the tenant to
where the recipient's MX points. It obeys the faults that are switched on.
"""

import asyncio
from email.utils import format_datetime
from ipaddress import ip_address

from agent.adapters.clock import Clock
from agent.adapters.smtp_policy import Client, Response, say
from agent.adapters.x509 import read
from agent.domain.attribution import Arrival, Attribution, Tenant, Verdict, attribute
from agent.lab.exchange_stamps import pass_on, report, stamp
from agent.lab.faults import Behaviour, World
from agent.lab.mail import ADDRESSES, AGENT, FILTERED, Deliver, Host, Post
from agent.lab.mailbox import Maildrop
from agent.lab.onward import LOOP, Letter, Onward
from agent.lab.tenants import tenants
from agent.lab.world import EXCHANGE_NAME, SMART_HOST

DELAY = 30.0  # seconds that the fault mail-delayed adds
REPORTS = {
    Behaviour.BOUNCES: "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP"
    " address lookup",
    Behaviour.LOOPS: LOOP,
}
STRANGER = AGENT  # an address that no connector knows


class ExchangeOnline(Host):
    """The front door of Exchange Online for the lab's domains."""

    name = EXCHANGE_NAME

    def __init__(  # noqa: PLR0913 - the world, and where mail goes from here
        self,
        world: World,
        clock: Clock,
        deliver: Deliver,
        post: Post,
        *,
        maildrop: Maildrop,
        onward: Onward,
        seen_from: str = STRANGER,
    ) -> None:
        super().__init__(world, clock)
        self._deliver = deliver
        self._maildrop = maildrop
        self._onward = onward
        self._post = post
        self._seen_from = ip_address(seen_from)

    async def greet(self, client: Client) -> Response:
        """Greet as Exchange Online does."""
        del client
        now = format_datetime(self.clock.now())
        return say(220, f"{self.name} Microsoft ESMTP MAIL Service ready at {now}")

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        """Answer EHLO with the client's address, as Exchange does."""
        return say(250, f"{self.name} Hello [{client.address}]", *extensions)

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        """Attribute the mail and answer in the words of Exchange Online."""
        if self.world.behaves(Behaviour.THROTTLES):
            return say(451, "4.7.500 Server busy. Please try again later.")
        if self.world.behaves(Behaviour.BANS_ADDRESS):
            return say(550, f"5.7.606 Access denied, banned sending IP [{self._seen_from}]")
        verdict = self._attribute(client, rcpt_to).verdict
        is_open = self.world.behaves(Behaviour.OPEN_RELAY)
        if is_open or verdict in (Verdict.DELIVERED, Verdict.RELAYED):
            return say(250, "2.1.5 Recipient OK")
        code, _, text = verdict.value.partition(" ")
        return say(int(code), text)

    def _attribute(self, client: Client, rcpt_to: str) -> Attribution:
        """Decide whose mail it is, as the tenants are configured now."""
        shown = client.certificate
        arrival = Arrival(
            certificate_names=read(shown).held if shown else (),
            address=self._seen_from,
            mail_from=client.mail_from or "",
            rcpt_to=rcpt_to,
        )
        return attribute(arrival, tenants(self.world))

    async def message(self, client: Client, content: bytes) -> Response:
        """Queue a message, and deliver or relay it, as often and as late as the faults say."""
        number = next(self.numbers)
        stamped = self.stamp(client, content)
        for rcpt_to in client.rcpt_to:
            letter = Letter(client.mail_from or "", rcpt_to, stamped)
            found = self._attribute(client, rcpt_to)
            is_relayed = found.verdict is Verdict.RELAYED
            for _ in range(self._times(is_relayed=is_relayed)):
                if is_relayed and found.tenant is not None:
                    self._post.later(self._relay(letter, found.tenant, client.helo))
                else:
                    self._post.later(self._deliver_to(letter))
        return say(
            250, f"2.6.0 <{number}@{self.name}> [InternalId={number}] Queued mail for delivery"
        )

    def _times(self, *, is_relayed: bool) -> int:
        """Return how often a message goes on; one that may go round is never doubled."""
        if self.world.behaves(Behaviour.DROPS):
            return 0
        return 2 if self.world.behaves(Behaviour.DOUBLES) and not is_relayed else 1

    async def _relay(self, letter: Letter, tenant: Tenant, helo: str) -> None:
        """Send a message on as outgoing mail of a tenant, or send back the report that it failed.

        *helo* is who brought it.
        """
        reply = await self._wait()
        if not reply:
            content = pass_on(
                letter.content,
                tenant=tenant,
                address=ADDRESSES.get(helo, str(self._seen_from)),
                helo=helo,
                at=self.clock.now(),
            )
            reply = await self._onward.send(Letter(letter.mail_from, letter.rcpt_to, content))
        await self._report(letter, reply)

    async def _deliver_to(self, letter: Letter) -> None:
        """Deliver to whom it is for, or send back the report that it failed."""
        reply = await self._wait()
        if reply:
            await self._report(letter, reply)
        elif letter.rcpt_to.lower().endswith(f"@{FILTERED}"):
            is_junk = self.world.behaves(Behaviour.JUNKS)
            stamped = stamp(
                letter.content,
                sender_address=SMART_HOST,
                mail_from=letter.mail_from,
                at=self.clock.now(),
                scl=6 if is_junk else 1,
            )
            await asyncio.to_thread(self._maildrop.deliver, stamped, is_junk=is_junk)
        else:
            await self._deliver(letter.mail_from, letter.rcpt_to, letter.content)

    async def _wait(self) -> str:
        """Be as late as the faults say; return the reply with which every message fails, if any."""
        await asyncio.sleep(DELAY if self.world.behaves(Behaviour.DELAYS) else 0.0)
        return next((REPORTS[each] for each in REPORTS if self.world.behaves(each)), "")

    async def _report(self, letter: Letter, reply: str) -> None:
        """Tell the sender, if there is one, that a message failed with *reply*, if it did."""
        if reply and letter.mail_from:
            said = report(
                letter.content,
                rcpt_to=letter.rcpt_to,
                mail_from=letter.mail_from,
                reply=reply,
                at=self.clock.now(),
            )
            await self._deliver("", letter.mail_from, said)
