"""How does the lab's Exchange Online answer?

It speaks as Microsoft documents it, attributes each recipient to a tenant by the documented rules,
and delivers to the agent's sink. It obeys the faults that are switched on.
"""

import asyncio
import contextlib
from dataclasses import replace
from email.utils import format_datetime
from ipaddress import ip_address, ip_network

from agent.adapters.clock import Clock
from agent.adapters.smtp_policy import Client, Response, say
from agent.adapters.x509 import read
from agent.domain.attribution import Arrival, InboundConnector, Tenant, Verdict, attribute
from agent.lab.exchange_stamps import report, stamp
from agent.lab.faults import Behaviour, World
from agent.lab.mail import AGENT, FILTERED, OWN_DOMAINS, Deliver, Host, Post
from agent.lab.mailbox import Maildrop
from agent.lab.world import EXCHANGE_NAME, SMART_HOST

DELAY = 30.0  # seconds that the fault mail-delayed adds
REPORTS = {
    Behaviour.BOUNCES: "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP"
    " address lookup",
    Behaviour.LOOPS: "554 5.4.14 Hop count exceeded - possible mail loop ATTR34",
}
STRANGER = AGENT  # an address that no connector knows

_CONTOSO = Tenant(
    name="contoso",
    accepted_domains=OWN_DOMAINS,
    connectors=(
        InboundConnector(
            name="from-datacentre",
            tls_sender_certificate_name="mail.contoso.com",
            sender_ip_addresses=(ip_network(SMART_HOST),),
        ),
    ),
)
_FABRIKAM = Tenant(
    name="fabrikam",
    accepted_domains=(FILTERED,),
    connectors=(
        InboundConnector(
            name="from-filter",
            connector_type="partner",
            tls_sender_certificate_name="*.filter.example",
            is_restricted=True,
        ),
    ),
    rejects_direct_send=True,
)


def tenants(world: World) -> tuple[Tenant, ...]:
    """Return the tenants as they are configured now."""
    contoso, fabrikam = _CONTOSO, _FABRIKAM
    if world.behaves(Behaviour.FORGETS_CONNECTOR):
        contoso = replace(contoso, connectors=())
    if world.behaves(Behaviour.BYPASSED):
        fabrikam = replace(fabrikam, connectors=())
    return contoso, fabrikam


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
        seen_from: str = STRANGER,
    ) -> None:
        super().__init__(world, clock)
        self._deliver = deliver
        self._maildrop = maildrop
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
        shown = client.certificate
        arrival = Arrival(
            certificate_names=read(shown).held if shown else (),
            address=self._seen_from,
            mail_from=client.mail_from or "",
            rcpt_to=rcpt_to,
        )
        verdict = attribute(arrival, tenants(self.world)).verdict
        is_open = self.world.behaves(Behaviour.OPEN_RELAY)
        if is_open or verdict in (Verdict.DELIVERED, Verdict.RELAYED):
            return say(250, "2.1.5 Recipient OK")
        code, _, text = verdict.value.partition(" ")
        return say(int(code), text)

    async def message(self, client: Client, content: bytes) -> Response:
        """Queue a message and deliver it, as often and as late as the faults say."""
        number = next(self.numbers)
        times = 2 if self.world.behaves(Behaviour.DOUBLES) else 1
        if self.world.behaves(Behaviour.DROPS):
            times = 0
        stamped = self.stamp(client, content)
        for rcpt_to in client.rcpt_to * times:
            self._post.later(self._after(client.mail_from or "", rcpt_to, stamped))
        return say(
            250, f"2.6.0 <{number}@{self.name}> [InternalId={number}] Queued mail for delivery"
        )

    async def _after(self, mail_from: str, rcpt_to: str, content: bytes) -> None:
        """Deliver to whom it is for, or send back the report that it failed."""
        await asyncio.sleep(DELAY if self.world.behaves(Behaviour.DELAYS) else 0.0)
        reply = next((REPORTS[each] for each in REPORTS if self.world.behaves(each)), "")
        now = self.clock.now()
        with contextlib.suppress(ConnectionError):
            if reply and mail_from:
                said = report(content, rcpt_to=rcpt_to, mail_from=mail_from, reply=reply, at=now)
                await self._deliver("", mail_from, said)
            elif not reply and rcpt_to.lower().endswith(f"@{FILTERED}"):
                is_junk = self.world.behaves(Behaviour.JUNKS)
                await asyncio.to_thread(
                    self._maildrop.deliver,
                    stamp(
                        content,
                        sender_address=SMART_HOST,
                        mail_from=mail_from,
                        at=now,
                        scl=6 if is_junk else 1,
                    ),
                    is_junk=is_junk,
                )
            elif not reply:
                await self._deliver(mail_from, rcpt_to, content)
