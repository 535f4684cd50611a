"""A ledger with messages under way, and letters that speak of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from agent.adapters.intray import Batch, Intray
from agent.adapters.ledger import Home, Ledger
from agent.adapters.mailbox import Folder, Letter
from agent.adapters.store import Store
from agent.domain.budget import Allowance, Budget
from agent.domain.entry import Entry
from agent.domain.message import Message, Token
from agent.domain.payload import Payload
from servers.standings import HandClock

BOX, SENDER = "graph probe@contoso.com", "imap sender"
WIDE = Allowance(1000, timedelta(minutes=1))
WITHIN, LOST = timedelta(seconds=60), timedelta(minutes=15)


@dataclass
class Desk:
    """A ledger, and who reads the mail."""

    clock: HandClock
    ledger: Ledger
    intray: Intray

    async def plan(self, route: str = "r") -> Token:
        token = await self.ledger.plan(
            route, within=WITHIN, lost_after=LOST, home=Home(BOX, SENDER, is_kept=True)
        )
        assert isinstance(token, Token)
        self.ledger.accepted(token)
        return token

    async def take(self, *octets: bytes, folder: Folder = Folder.INBOX, home: str = BOX) -> Batch:
        letters = [letter(each, folder, f"key-{n}") for n, each in enumerate(octets)]
        return await self.intray.take(letters, home=home)

    def entry(self, token: Token) -> Entry:
        return self.ledger.entry(token)


@asynccontextmanager
async def desk(folder: Path | None = None) -> AsyncIterator[Desk]:
    store, clock = Store(folder), HandClock()
    await store.open()
    ledger = Ledger(store, clock, budget=Budget(route=WIDE, minute=WIDE))
    await ledger.start()
    try:
        yield Desk(clock, ledger, Intray(ledger))
    finally:
        await store.close()


def letter(octets: bytes, folder: Folder = Folder.INBOX, key: str = "key") -> Letter:
    return Letter(key, folder, octets, is_whole=True, size=len(octets))


def message(token: Token, payload: Payload | None = None) -> bytes:
    made = Message(
        token=token,
        route="r",
        mail_from="probe@contoso.com",
        rcpt_to="sink@fabrikam.com",
        sent_at=HandClock().now(),
        payload=payload or Payload(),
    )
    return b"Received: from a by b; Mon, 23 Nov 2026 12:00:01 +0000\r\n" + made.encode()


def report(token: Token, *, action: str = "failed", status: str = "5.1.10") -> bytes:
    """Return a report about a message, as RFC 3464 has it."""
    head = message(token).partition(b"\r\n\r\n")[0]
    return (
        b"From: <postmaster@fabrikam.com>\r\nTo: <probe@contoso.com>\r\nSubject: Notice\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.fabrikam.com\r\n\r\n"
        b"Final-Recipient: rfc822; sink@fabrikam.com\r\n"
        b"Action: " + action.encode() + b"\r\nStatus: " + status.encode() + b"\r\n"
        b"Diagnostic-Code: smtp; " + status[0].encode() + b"50 " + status.encode() + b" so\r\n\r\n"
        b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" + head + b"\r\n--b--\r\n"
    )
