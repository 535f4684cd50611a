"""Handing messages over."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypedDict

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp import (
    Destination,
    own_name,
    password_login,
    reach_of,
    submit,
    token_login,
)
from agent.adapters.smtp_policy import Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.smtp_session import Session
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509_making import Authority, KeyPair, ders_of
from agent.domain.lookup import Answer, Query, Reply, Silence, Unanswered
from agent.domain.smtp import Accepted, Errand, Login, Phase, Reason, Refused, Tls, Unreached
from servers.smtp import Mailbox, real_server, rude_server, scripted
from servers.tls import Authorities

HOST = "mx.example.net"
NOW = datetime.now(UTC)
OURS = Authority("Ours", at=NOW)


class Times(TypedDict):
    not_before: datetime
    not_after: datetime


TIMES = Times(not_before=NOW - timedelta(days=1), not_after=NOW + timedelta(days=90))
PAIR = OURS.issue("probe.contoso.com", **TIMES)
STORE = TrustStore(roots=(OURS.pem,), system=False)
LETTER = Errand("probe.example", Tls.NEVER, "a@example.com", ("probe@example.net",), b"Hi\r\n")


class Zone:
    """A resolver that knows one host."""

    def __init__(self, *addresses: str, reply: Reply | None = None) -> None:
        found = [ip_address(address) for address in addresses]
        self._replies: Mapping[str, Reply] = {
            "A": reply or Answer(tuple(a for a in found if isinstance(a, IPv4Address))),
            "AAAA": reply or Answer(tuple(a for a in found if isinstance(a, IPv6Address))),
        }

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self._replies[query.type] for query in queries)


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


async def hand_over(
    authorities: Authorities,
    destination: Destination,
    zone: Zone,
    *,
    errand: Errand = LETTER,
    place: tuple[str, int] | None = None,
    seconds: float = 5,
) -> Session:
    """Submit *errand*; the host's address 192.31.196.1 is at *place*."""
    clock = SystemClock()
    detours = {("192.31.196.1", destination.port): place} if place else {}
    return await submit(
        destination,
        errand,
        resolver=zone,
        dialer=Dialer(clock=clock, detours=detours, detours_only=True),
        trust=authorities.store,
        clock=clock,
        deadline=timedelta(seconds=seconds),
    )


@pytest.mark.parametrize("tls", ["never", "opportunistic", "required", "verified"])
async def test_a_message_is_handed_over_as_the_destination_asks(
    tls: str, authorities: Authorities
) -> None:
    mailbox = Mailbox()
    destination = Destination(host=HOST, port=25, tls=tls)  # type: ignore[arg-type]
    async with real_server(mailbox, authorities.server(HOST)) as port:
        session = await hand_over(
            authorities, destination, Zone("192.31.196.1"), place=("127.0.0.1", port)
        )
    assert isinstance(session.dialogue, Accepted)
    assert (session.secured is None) is (tls == "never")
    assert mailbox.messages == [b"Hi\r\n"]


async def test_the_next_address_is_tried_until_one_is_connected_to(
    authorities: Authorities,
) -> None:
    mailbox = Mailbox()
    async with real_server(mailbox) as port:
        session = await hand_over(
            authorities,
            Destination(host=HOST, port=25),
            Zone("192.31.196.9", "192.31.196.1"),
            place=("127.0.0.1", port),
        )
    assert isinstance(session.dialogue, Accepted)


async def test_after_a_connection_there_is_no_second_try(authorities: Authorities) -> None:
    script = scripted(b"220 a\r\n", b"250 a\r\n", b"550 no\r\n", b"221 bye\r\n")
    async with rude_server(script) as (port, heard):
        session = await hand_over(
            authorities,
            Destination(host=HOST, port=25),
            Zone("192.31.196.1", "192.31.196.2"),
            place=("127.0.0.1", port),
        )
    assert isinstance(session.dialogue, Refused)
    assert heard.count(b"EHLO") == 1


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        pytest.param(Zone(), Reason.UNRESOLVED, id="no address"),
        pytest.param(
            Zone(reply=Unanswered(Silence.SERVFAIL)), Reason.DNS_UNANSWERED, id="no answer"
        ),
    ],
)
async def test_a_host_without_address_is_unreached(
    zone: Zone, reason: Reason, authorities: Authorities
) -> None:
    session = await hand_over(authorities, Destination(host=HOST, port=25), zone)
    assert session.dialogue == Unreached(Phase.RESOLVE, reason)


async def test_silence_takes_the_whole_deadline_and_not_more(authorities: Authorities) -> None:
    began = asyncio.get_running_loop().time()
    async with rude_server(scripted(b"")) as (port, _):
        session = await hand_over(
            authorities,
            Destination(host=HOST, port=25),
            Zone("192.31.196.1", "192.31.196.2"),
            place=("127.0.0.1", port),
            seconds=0.3,
        )
    assert session.dialogue == Unreached(Phase.GREETING, Reason.TIMEOUT)
    assert asyncio.get_running_loop().time() - began < 0.33 + 0.3


@pytest.mark.parametrize("tls", ["never", "opportunistic", "required"])
async def test_a_login_without_proof_of_the_server_is_not_tried(
    tls: str, authorities: Authorities
) -> None:
    errand = Errand("probe.example", Tls.REQUIRED, login=password_login("me", "secret"))
    destination = Destination(host=HOST, port=587, tls=tls)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="verified"):
        await hand_over(authorities, destination, Zone(), errand=errand)


async def test_a_login_is_not_sent_to_a_server_without_proof(authorities: Authorities) -> None:
    errand = Errand("probe.example", Tls.REQUIRED, login=password_login("me", "secret"))
    async with real_server(Mailbox(), authorities.server(HOST, known=False)) as port:
        session = await hand_over(
            authorities,
            Destination(host=HOST, port=587, tls="verified"),
            Zone("192.31.196.1"),
            errand=errand,
            place=("127.0.0.1", port),
        )
    assert session.dialogue == Unreached(Phase.CERTIFICATE, Reason.TLS_CERTIFICATE)


class Guarded(Policy):
    """Takes mail of those who show a certificate, and notes which."""

    def __init__(self) -> None:
        self.shown: list[bytes | None] = []

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        self.shown.append(client.certificate)
        return say(250, "ok") if client.certificate else await super().rcpt(client, rcpt_to)

    async def message(self, client: Client, content: bytes) -> Response:
        del client, content
        return say(250, "2.6.0 taken")


@asynccontextmanager
async def guarded(
    policy: Guarded, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> AsyncIterator[int]:
    context = server_context(OURS.issue(HOST, **TIMES))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.maximum_version = newest
    context.load_verify_locations(cadata=OURS.pem.decode())
    server = SmtpServer(policy, context=context)
    await server.start("127.0.0.1", 0)
    try:
        yield server.port
    finally:
        await server.close()


async def show(tls: str, pair: KeyPair | None, port: int, store: TrustStore) -> Session:
    clock = SystemClock()
    return await submit(
        Destination(host=HOST, port=25, tls=tls, pair=pair),  # type: ignore[arg-type]
        LETTER,
        resolver=Zone("192.31.196.1"),
        dialer=Dialer(
            clock=clock, detours={("192.31.196.1", 25): ("127.0.0.1", port)}, detours_only=True
        ),
        trust=store,
        clock=clock,
        deadline=timedelta(seconds=10),
    )


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("tls", ["opportunistic", "required", "verified"])
async def test_a_server_that_asks_is_shown_our_certificate(
    tls: str, newest: ssl.TLSVersion
) -> None:
    policy = Guarded()
    async with guarded(policy, newest=newest) as port:
        session = await show(tls, PAIR, port, STORE)
        without = await show(tls, None, port, STORE)
    assert isinstance(session.dialogue, Accepted)
    assert isinstance(without.dialogue, Refused)
    assert policy.shown == [ders_of(PAIR)[0], None]


async def test_a_server_without_proof_is_shown_no_certificate() -> None:
    policy = Guarded()
    async with guarded(policy) as port:
        session = await show("verified", PAIR, port, TrustStore(system=False))
    assert session.dialogue == Unreached(Phase.CERTIFICATE, Reason.TLS_CERTIFICATE)
    assert policy.shown == []


async def test_a_certificate_without_its_key_is_an_error() -> None:
    broken = KeyPair(PAIR.certificates, OURS.issue(HOST, **TIMES).key)
    for tls in ("required", "verified"):
        with pytest.raises(ValueError, match="do not fit"):
            await show(tls, broken, 1, STORE)


def test_a_certificate_needs_tls() -> None:
    with pytest.raises(ValueError, match="without TLS"):
        Destination(host=HOST, port=25, tls="never", pair=PAIR)


def test_logins_are_those_of_the_mechanisms() -> None:
    by_login = Login("LOGIN", b"", (b"bWU=", b"cHc="))
    assert password_login("me", "pw") == Login("PLAIN", b"AG1lAHB3", otherwise=by_login)
    assert token_login("me", "t") == Login("XOAUTH2", b"dXNlcj1tZQFhdXRoPUJlYXJlciB0AQE=")


def test_what_an_operator_wrote_says_how_far_it_may_reach() -> None:
    assert reach_of("127.0.0.1") == "any"
    assert reach_of("localhost") == "any"
    assert reach_of("mx.example.net") == "private"


def test_this_machine_has_a_name_for_ehlo() -> None:
    assert "." in own_name()
