"""A message is handed over on each way that leads out, and what came of it is told in a word."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.graph import Graph
from agent.adapters.keyring import Application, Keyring, Password, SigningKey
from agent.adapters.outbox import ByExchanges, ByGraph, Envelope, Outbox, ToServer
from agent.adapters.smtp_policy import HANG_UP, Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.wallet import Wallet
from agent.adapters.x509_making import KeyPair, ders_of
from agent.domain.handover import Fate, Handed
from agent.domain.lookup import Answer, Exchange, Query, Reply, Silence, Unanswered
from agent.domain.message import Message, Token
from agent.domain.payload import Kind, Payload
from servers.entra import answers, hang
from servers.graph import error
from servers.microsoft import USER, Microsoft, authorities, microsoft
from servers.standings import NOON

TOKEN = Token.make(bytes(range(16)), key=b"k" * 32, route="r", sequence=7, instance="i")
TO = "sink@fabrikam.com"
WITHIN = timedelta(seconds=10)
ENVELOPE = Envelope(USER, TO)
MX = "192.31.196.1"
SCOPE = "https://outlook.office365.com/.default"


def message(payload: Payload | None = None, rcpt_to: str = TO) -> Message:
    return Message(
        token=TOKEN,
        route="r",
        mail_from=USER,
        rcpt_to=rcpt_to,
        sent_at=NOON,
        payload=payload or Payload(),
    )


@dataclass
class Provider(Policy):
    """A server that asks for a login, and answers a step as it is told to."""

    at: str = ""
    answer: Response = HANG_UP
    taken: list[bytes] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    certificates: list[bytes | None] = field(default_factory=list)

    def _or(self, step: str, usual: Response) -> Response:
        self.steps.append(step)
        return self.answer if self.at == step else usual

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        return self._or("hello", await super().hello(client, (*extensions, "AUTH PLAIN XOAUTH2")))

    async def other(self, client: Client, verb: str, argument: str) -> Response:
        del client
        self.logins.append(argument)
        return self._or(verb.lower(), say(235, "2.7.0 welcome"))

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        self.certificates.append(client.certificate)
        self.helo = client.helo
        return self._or("rcpt", say(250, f"2.1.5 {rcpt_to}"))

    async def data(self, client: Client) -> Response:
        return self._or("data", await super().data(client))

    async def message(self, client: Client, content: bytes) -> Response:
        del client
        self.taken.append(content)
        return self._or("message", say(250, "2.6.0 queued as 7"))


class Resolver:
    """Has one exchange for every domain, and this machine for its address, unless it is silent."""

    def __init__(self) -> None:
        self.silent = False

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self._reply(query) for query in queries)

    def _reply(self, query: Query) -> Reply:
        if self.silent:
            return Unanswered(Silence.TIMEOUT)
        if query.type == "MX":
            return Answer((Exchange(10, "mx.fabrikam.com"),))
        return Answer((ip_address(MX),) if query.type == "A" else ())


def no_graph(name: str) -> Graph:
    raise AssertionError(name)


@dataclass
class Way:
    """A server, and the outbox that leads to it."""

    server: SmtpServer
    outbox: Outbox
    resolver: Resolver

    def to(self, tls: str = "verified", credential: str | None = None, **more: object) -> ToServer:
        values: dict[str, object] = {"mailbox": USER, **more}
        return ToServer(
            host="127.0.0.1",
            port=self.server.port,
            tls=tls,  # type: ignore[arg-type]
            helo="probe.example",
            credential=credential,
            **values,  # type: ignore[arg-type]
        )


@asynccontextmanager
async def leading_to(
    policy: Policy,
    *,
    keyring: Keyring | None = None,
    wallet: Wallet | None = None,
    graph: Callable[[str], Graph] = no_graph,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Way]:
    clock, resolver = SystemClock(), Resolver()
    server = SmtpServer(policy, context=context or authorities().server("127.0.0.1"))
    await server.start("127.0.0.1", 0)
    outbox = Outbox(
        resolver=resolver,
        dialer=Dialer(clock=clock, detours={(MX, 25): ("127.0.0.1", server.port)}),
        trust=authorities().store,
        clock=clock,
        keyring=keyring or Keyring(),
        wallet=wallet or Wallet(),
        graph=graph,
    )
    try:
        yield Way(server, outbox, resolver)
    finally:
        await server.close()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(Payload(), id="plain"),
        pytest.param(Payload(kind=Kind.ATTACHMENT, size=100_000), id="large"),
    ],
)
async def test_a_server_takes_a_message_as_it_was_made(payload: Payload) -> None:
    policy = Provider()
    async with leading_to(policy) as way:
        handed = await way.outbox.send(way.to(), ENVELOPE, message(payload), WITHIN)
    assert (handed.fate, handed.reason) == (Fate.ACCEPTED, "")
    assert handed.detail == "250 2.6.0 queued as 7"
    assert policy.taken == [message(payload).encode()]
    assert policy.helo == "probe.example"
    assert {"connect", "starttls", "final"} <= handed.timings.keys()
    assert any("RCPT TO:<sink@fabrikam.com>" in line for line in handed.transcript)


@pytest.mark.parametrize(
    ("at", "answer", "fate"),
    [
        pytest.param("rcpt", say(550, "5.1.1 no such user"), Fate.REFUSED, id="refused"),
        pytest.param("rcpt", say(451, "4.7.1 later"), Fate.DEFERRED, id="put off"),
        pytest.param("data", HANG_UP, Fate.UNREACHED, id="gone before the message"),
        pytest.param("message", HANG_UP, Fate.UNCERTAIN, id="gone after the message"),
    ],
)
async def test_what_came_of_it_is_told(at: str, answer: Response, fate: Fate) -> None:
    async with leading_to(Provider(at, answer)) as way:
        handed = await way.outbox.send(way.to(), ENVELOPE, message(), WITHIN)
    assert handed.fate is fate


async def test_a_login_with_a_password() -> None:
    policy = Provider()
    keyring = Keyring({"mail": Password("me", lambda: "canary-hunter2")})
    async with leading_to(policy, keyring=keyring) as way:
        handed = await way.outbox.send(way.to("verified", "mail"), ENVELOPE, message(), WITHIN)
    assert handed.fate is Fate.ACCEPTED
    mechanism, _, response = policy.logins[0].partition(" ")
    assert (mechanism, base64.b64decode(response)) == ("PLAIN", b"\0me\0canary-hunter2")
    assert "canary" not in "\n".join((*handed.transcript, repr(handed)))


async def test_a_login_with_a_token_is_that_of_the_mailbox() -> None:
    policy = Provider()
    async with microsoft() as tenant:
        keyring = Keyring({"probe": Application(SCOPE)}, tenant.tokens)
        async with leading_to(policy, keyring=keyring) as way:
            handed = await way.outbox.send(way.to("verified", "probe"), ENVELOPE, message(), WITHIN)
        (token,) = tenant.provider.issued
    assert handed.fate is Fate.ACCEPTED
    mechanism, _, response = policy.logins[0].partition(" ")
    said = f"user={USER}\x01auth=Bearer {token}\x01\x01"
    assert (mechanism, base64.b64decode(response).decode()) == ("XOAUTH2", said)
    assert "canary" not in "\n".join((*handed.transcript, repr(handed)))


async def test_a_login_that_is_refused_is_a_fault_of_ours() -> None:
    keyring = Keyring({"mail": Password("me", lambda: "canary-hunter2")})
    policy = Provider("auth", say(535, "5.7.8 authentication failed"))
    async with leading_to(policy, keyring=keyring) as way:
        handed = await way.outbox.send(way.to("verified", "mail"), ENVELOPE, message(), WITHIN)
    assert (handed.fate, handed.reason) == (Fate.OURS, "login")
    assert "535 5.7.8" in handed.detail
    assert policy.taken == []


async def test_a_secret_that_is_gone_is_a_fault_of_ours_and_nobody_is_asked() -> None:
    def gone() -> str:
        message = "file secret does not exist"
        raise ValueError(message)

    policy = Provider()
    keyring = Keyring({"mail": Password("me", gone), "key": SigningKey("contoso.com", "s", gone)})
    async with leading_to(policy, keyring=keyring) as way:
        login = way.to("verified", "mail")
        shown = way.to("verified", certificate="sender")
        for handed, detail in (
            (
                await way.outbox.send(login, ENVELOPE, message(), WITHIN),
                "mail: file secret does not exist",
            ),
            (
                await way.outbox.knock(login, ENVELOPE, WITHIN),
                "mail: file secret does not exist",
            ),
            (
                await way.outbox.send(shown, ENVELOPE, message(), WITHIN),
                "there is no credential sender",
            ),
            (
                await way.outbox.knock(shown, ENVELOPE, WITHIN),
                "there is no credential sender",
            ),
            (
                await way.outbox.send(way.to(), ENVELOPE, message(), WITHIN, signed_by="key"),
                "key: file secret does not exist",
            ),
        ):
            assert (handed.fate, handed.reason, handed.detail) == (Fate.OURS, "credential", detail)
    assert policy.steps == []


async def test_without_a_token_the_missing_step_is_told() -> None:
    async with microsoft() as tenant:
        tenant.application.secret_expired = True
        keyring = Keyring({"probe": Application(SCOPE)}, tenant.tokens)
        async with leading_to(Provider(), keyring=keyring) as way:
            to = way.to("verified", "probe")
            for handed in (
                await way.outbox.send(to, ENVELOPE, message(), WITHIN),
                await way.outbox.knock(to, ENVELOPE, WITHIN),
            ):
                assert (handed.fate, handed.reason) == (Fate.OURS, "credential")
                assert "AADSTS7000222" in handed.detail
                assert "Make a new client secret" in handed.detail


async def test_a_certificate_is_shown_where_it_is_asked_for() -> None:
    shown = authorities().known.issue_cert("mail.contoso.com")
    pair = KeyPair(
        b"".join(each.bytes() for each in shown.cert_chain_pems), shown.private_key_pem.bytes()
    )
    context = authorities().server("127.0.0.1")
    context.verify_mode = ssl.CERT_OPTIONAL
    authorities().known.configure_trust(context)
    policy = Provider()
    wallet = Wallet({"sender": lambda: pair})
    async with leading_to(policy, wallet=wallet, context=context) as way:
        to = way.to("verified", certificate="sender")
        handed = await way.outbox.send(to, ENVELOPE, message(), WITHIN)
    assert handed.fate is Fate.ACCEPTED
    assert policy.certificates == [ders_of(pair)[0]]


async def test_a_server_that_says_nothing_takes_the_deadline_and_not_more() -> None:
    class Silent(Policy):
        async def greet(self, client: Client) -> Response:
            del client
            await asyncio.Event().wait()
            return HANG_UP

    async with leading_to(Silent()) as way, asyncio.timeout(5):
        handed = await way.outbox.send(way.to(), ENVELOPE, message(), timedelta(milliseconds=200))
    assert handed.fate is Fate.UNREACHED


async def test_a_knock_goes_as_far_as_the_recipient_and_sends_nothing() -> None:
    policy = Provider()
    async with leading_to(policy) as way:
        handed = await way.outbox.knock(way.to(), ENVELOPE, WITHIN)
        assert handed.fate is Fate.ACCEPTED
        handed = await way.outbox.knock(
            ByExchanges("opportunistic", "me.example"), ENVELOPE, WITHIN
        )
        assert handed.fate is Fate.ACCEPTED
    assert policy.steps.count("rcpt") == 2
    assert "data" not in policy.steps
    assert policy.taken == []


async def test_an_exchange_of_the_domain_takes_a_message() -> None:
    policy = Provider()
    async with leading_to(policy) as way:
        by_mx = ByExchanges("opportunistic", "me.example")
        handed = await way.outbox.send(by_mx, ENVELOPE, message(), WITHIN)
    assert (handed.fate, handed.via) == (Fate.ACCEPTED, f"mx.fabrikam.com ({MX})")
    assert policy.taken == [message().encode()]
    assert policy.helo == "me.example"


async def test_an_exchange_that_is_demanded_more_of_than_it_has_gets_nothing() -> None:
    policy = Provider()
    async with leading_to(policy) as way:  # its certificate is for another name
        handed = await way.outbox.send(
            ByExchanges("verified", "me.example"), ENVELOPE, message(), WITHIN
        )
    assert handed.fate is Fate.UNREACHED
    assert policy.taken == []


async def test_dns_that_cannot_say_is_a_silence_and_no_fault_of_theirs() -> None:
    async with leading_to(Provider()) as way:
        way.resolver.silent = True
        handed = await way.outbox.send(
            ByExchanges("opportunistic", "me.example"), ENVELOPE, message(), WITHIN
        )
    assert (handed.fate, handed.silence, handed.via) == (Fate.OURS, True, "")


@asynccontextmanager
async def by_graph() -> AsyncIterator[tuple[Microsoft, Outbox]]:
    async with microsoft() as tenant:
        known = {"probe": tenant.client}
        async with leading_to(Policy(), graph=known.__getitem__) as way:
            yield tenant, way.outbox


async def give(outbox: Outbox, of: Message | None = None, within: timedelta = WITHIN) -> Handed:
    return await outbox.send(ByGraph("probe", USER), ENVELOPE, of or message(), within)


async def test_graph_takes_a_message_as_it_was_made() -> None:
    async with by_graph() as (tenant, outbox):
        handed = await give(outbox)
        assert (handed.fate, handed.detail) == (Fate.ACCEPTED, "202, request-id 5f2c-request")
        assert handed.timings.keys() == {"graph"}
        (copy,) = tenant.service.folder(USER, "sentitems")
        assert copy.octets == message().encode()


async def test_a_permission_that_is_missing_is_a_fault_of_ours() -> None:
    async with by_graph() as (tenant, outbox):
        tenant.application.permissions.discard("Mail.Send")
        handed = await give(outbox)
        assert (handed.fate, handed.reason) == (Fate.OURS, "permission")
        assert "403 ErrorAccessDenied" in handed.detail
        assert "Application Mail.Send" in handed.detail
        assert ".." not in handed.detail


async def test_a_message_that_graph_refuses_is_refused() -> None:
    async with by_graph() as (tenant, outbox):
        tenant.service.fault = answers(lambda: error(400, "ErrorInvalidRecipients", "no\x00ne"))
        handed = await give(outbox)
        assert (handed.fate, handed.reason) == (Fate.REFUSED, "")
        assert handed.detail == "400 ErrorInvalidRecipients: no\\x00ne"


async def test_without_a_token_nothing_is_sent_and_it_is_a_fault_of_ours() -> None:
    async with by_graph() as (tenant, outbox):
        tenant.application.secret = "another"
        handed = await give(outbox)
        assert (handed.fate, handed.reason) == (Fate.OURS, "token")
        assert "AADSTS7000215" in handed.detail
        assert ".." not in handed.detail


async def test_a_reply_that_was_lost_leaves_the_message_uncertain() -> None:
    async def die(request: web.Request) -> web.Response | None:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return None

    async with by_graph() as (tenant, outbox):
        tenant.service.fault = die
        handed = await give(outbox)
        assert (handed.fate, handed.reason) == (Fate.UNCERTAIN, "uncertain")


async def test_graph_that_does_not_answer_in_time_leaves_the_message_uncertain() -> None:
    async with by_graph() as (tenant, outbox):
        await give(outbox)  # the token is there
        tenant.service.fault = hang
        handed = await give(outbox, within=timedelta(milliseconds=200))
        assert (handed.fate, handed.detail) == (Fate.UNCERTAIN, "no answer in time")


async def test_a_message_that_is_too_large_for_graph_is_not_sent() -> None:
    async with by_graph() as (tenant, outbox):
        handed = await give(outbox, message(Payload(kind=Kind.ATTACHMENT, size=3 * 1024 * 1024)))
        assert (handed.fate, handed.reason) == (Fate.OURS, "too-large")
        assert tenant.service.folder(USER, "sentitems") == []
