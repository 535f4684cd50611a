"""A whole mail world on loopback: two relays, mailboxes with IMAP and OAuth, and their rules.

    async with mail_world() as world:  # 0.6 s
        world.footer("Sent through a gateway")
        ... send to world.gateway.port, look into PROBE's mailbox at world.store.imaps ...

The way of a message::

    agent -> world.gateway (Postfix, gateway.contoso.com)
          -> world.backend (Postfix, backend.contoso.com)
          -> world.store   (Dovecot by LMTP; IMAP, Maildir)

Hosts and ports. All are at 127.0.0.1; certificates are for ``localhost``, ``127.0.0.1`` and the
names above, and ``world.roots`` (PEM) is the root to trust; ``world.trust`` is a TrustStore of it.

* ``world.gateway.port``: SMTP with STARTTLS; ``world.gateway.tls_port``: in TLS from the start.
  Both take mail for contoso.com from anybody, and offer AUTH (PLAIN, XOAUTH2) inside of TLS.
* ``world.backend.port``: the second hop, which also takes mail for contoso.com from anybody.
* ``world.store.imap``: IMAP with STARTTLS; ``world.store.imaps``: in TLS from the start.

Mailboxes: PROBE receives, SENDER is who sends and gets the DSNs, FULL takes nothing (its quota is
one octet: 552 5.2.2 from Dovecot, and a DSN). Each has the password PASSWORD and the folders INBOX,
Junk, Sent and Trash; others have to be made by IMAP. ``world.store.tokens`` has the user of each
XOAUTH2 token: TOKEN is good for PROBE, and a test may add and remove tokens at any time.
NOBODY is an address at contoso.com without a mailbox: mail for it comes back as a real DSN.

Rules hold for mail to PROBE only, from when they are set until ``world.well()``. What the backend
does it decides at its RCPT, which comes after ``submit`` has returned: before a rule is taken back,
``await world.backend.rules.until_asked(count)``.

=====================================  ========================================================
``delay(seconds)``                     the backend keeps the gateway waiting that long
``hold()``, ``release()``              the same, until told otherwise
``drop()``                             the backend takes it and throws it away
``duplicate()``                        it arrives twice
``junk()``                             it arrives in Junk
``tag_subject(text)``                  *text* is put in front of the subject
``remove_header(name)``                the gateway takes a field out
``replace_header(name, value)``        the gateway writes another, such as a new Message-ID
``add_header(name, value)``            the backend puts a field on top
``footer(text)``                       *text* is put under the body, by a filter between the hops
``transform(change)``                  any change of the octets, by that filter
``greylist()``                         the backend defers each first attempt; the next is 1 s later
``bounce(reply)``                      the backend refuses at RCPT, so the gateway sends a DSN
``reject(reply)``                      the gateway itself refuses
``loop(rounds)``                       the backend hands it back to the gateway, so many times
=====================================  ========================================================

``world.store.stop()`` and ``start()`` take the mailboxes away and give them back: mail waits at the
backend meanwhile. ``world.store.deliver(octets, to, folder)`` puts a message straight into a
folder; ``world.store.maildir(user, folder)`` is where it lies. ``world.submit(octets, to)`` sends
one by the gateway; ``world.arrived(user, count, folder)`` waits until so many are there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import aiosmtplib

from agent.adapters.trust import TrustStore
from agent.adapters.x509_making import Authority, KeyPair
from servers.free_ports import free_port
from servers.mail_filter import Change, Filter, content_filter
from servers.mail_relay import Relay, relay
from servers.mail_rules import Rules
from servers.mail_store import Store, store

DOMAIN = "contoso.com"
PROBE, SENDER, FULL = (f"{name}@{DOMAIN}" for name in ("probe", "sender", "full"))
NOBODY = f"nobody@{DOMAIN}"
PASSWORD = "a secret, with a space"
TOKEN = "a-good-token"
_DAY = timedelta(days=1)


@dataclass
class MailWorld:
    """The servers of one world, and what to do with mail to PROBE."""

    roots: bytes
    trust: TrustStore
    store: Store
    gateway: Relay
    backend: Relay
    filter: Filter

    def well(self) -> None:
        """Take all rules back."""
        self.gateway.rules.clear()
        self.backend.rules.clear()
        self.filter.change = bytes

    def delay(self, seconds: float) -> None:
        self.backend.rules.delay = seconds

    def hold(self) -> None:
        self.backend.rules.gate.clear()

    def release(self) -> None:
        self.backend.rules.gate.set()

    def drop(self) -> None:
        self.backend.rules.always("DISCARD")

    def duplicate(self) -> None:
        self.backend.rules.always(f"BCC probe+INBOX@{DOMAIN}")

    def junk(self) -> None:
        self.backend.rules.always(f"REDIRECT probe+Junk@{DOMAIN}")

    def greylist(self) -> None:
        self.backend.rules.greylist()

    def bounce(self, reply: str = "550 5.7.1 Not wanted here") -> None:
        self.backend.rules.always(reply)

    def reject(self, reply: str = "550 5.7.1 Not wanted here") -> None:
        self.gateway.rules.always(reply)

    def loop(self, rounds: int) -> None:
        self.backend.rules.next(rounds, f"FILTER smtp:[127.0.0.1]:{self.gateway.port}")

    def tag_subject(self, text: str) -> None:
        self.gateway.rules.headers.append(
            lambda name, value: f"REPLACE Subject: {text} {value}" if name == "subject" else None
        )

    def remove_header(self, wanted: str) -> None:
        self.gateway.rules.headers.append(
            lambda name, _: "IGNORE" if name == wanted.lower() else None
        )

    def replace_header(self, wanted: str, value: str) -> None:
        self.gateway.rules.headers.append(
            lambda name, _: f"REPLACE {wanted}: {value}" if name == wanted.lower() else None
        )

    def add_header(self, name: str, value: str) -> None:
        self.backend.rules.always(f"PREPEND {name}: {value}")

    def footer(self, text: str) -> None:
        self.transform(lambda octets: octets.removesuffix(b"\r\n") + f"\r\n{text}\r\n".encode())

    def transform(self, change: Change) -> None:
        self.filter.change = change
        self.gateway.rules.always(f"FILTER plain:[127.0.0.1]:{self.filter.port}")

    async def submit(self, octets: bytes, to: str = PROBE, sender: str = SENDER) -> None:
        """Hand a message to the gateway."""
        await aiosmtplib.send(
            octets,
            sender=sender,
            recipients=[to],
            hostname="127.0.0.1",
            port=self.gateway.port,
            start_tls=False,
        )

    async def arrived(self, user: str = PROBE, count: int = 1, folder: str = "") -> list[Path]:
        """Wait until a folder holds *count* messages, and return their files."""
        maildir = self.store.maildir(user, folder)
        for _ in range(1500):
            found = [*maildir.glob("new/*"), *maildir.glob("cur/*")]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)  # between two looks at the folder
        raise AssertionError(self.gateway.log + self.backend.log + self.store.log)


@cache
def issued() -> tuple[bytes, KeyPair]:
    """Return the root in PEM, and the certificate that all servers of the world show."""
    now = datetime.now(UTC)
    root = Authority("Root", at=now)
    names = ("localhost", "127.0.0.1", f"gateway.{DOMAIN}", f"backend.{DOMAIN}", f"imap.{DOMAIN}")
    return root.pem, root.issue(*names, not_before=now - _DAY, not_after=now + 30 * _DAY)


@asynccontextmanager
async def mail_world() -> AsyncIterator[MailWorld]:
    """Run a mail world; it takes less than a second to start."""
    root, pair = issued()
    passwords = dict.fromkeys((PROBE, SENDER, FULL), PASSWORD)
    front, back = free_port(), free_port()
    async with AsyncExitStack() as stack:
        boxes = await stack.enter_async_context(store(pair, passwords, {FULL: "*:bytes=1"}))
        boxes.tokens[TOKEN] = PROBE
        sasl = {"smtpd_sasl_path": f"inet:127.0.0.1:{boxes.sasl}", "smtpd_sasl_auth_enable": "yes"}
        onward = f"inline:{{{{{DOMAIN}=smtp:[127.0.0.1]:{back}}}}}"
        settings = {
            **sasl,
            "mynetworks": "127.0.0.99/32",  # not us: relaying elsewhere must be earned
            "relay_domains": DOMAIN,
            "transport_maps": onward,
            "smtp_tls_security_level": "encrypt",
            "smtp_tls_loglevel": "1",
        }
        known = " ".join(f"{{{user}=x}}" for user in passwords)
        ends = {
            "virtual_mailbox_domains": DOMAIN,
            "virtual_mailbox_maps": f"inline:{{{known}}}",
            "virtual_transport": f"lmtp:inet:127.0.0.1:{boxes.lmtp}",
        }
        filters = await stack.enter_async_context(content_filter(back))
        gateway, backend = [
            await stack.enter_async_context(relay(f"{name}.{DOMAIN}", port, pair, _rules(), its))
            for name, port, its in (("gateway", front, settings), ("backend", back, ends))
        ]
        trust = await TrustStore.load(roots=(root,), system=False)
        yield MailWorld(root, trust, boxes, gateway, backend, filters)


def _rules() -> Rules:
    return Rules(frozenset({PROBE}))
