"""A message finds its way to a domain, is handed over once, and every fault is put where it is."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TypedDict

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.egress import Egress
from agent.adapters.mx_delivery import Delivery, Domain, deliver
from agent.adapters.smtp import password_login
from agent.adapters.smtp_policy import HANG_UP, Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509_making import Authority, ders_of
from agent.domain.lookup import Answer, Exchange, Query, Reply, Silence, Unanswered
from agent.domain.mx_order import Family
from agent.domain.smtp import Accepted, Errand, Phase, Reason, Refused, Tls, Unreached
from servers.smtp import swallowing

FIRST, SECOND, THIRD = "192.31.196.1", "192.31.196.2", "192.31.196.3"
SIXTH = "2001:4860::6"
NOW = datetime.now(UTC)
CA = Authority("CA", at=NOW)
STORE = TrustStore(roots=(CA.pem,), system=False)
LETTER = Errand("probe.example", Tls.IF_OFFERED, "a@example.com", ("sink@contoso.com",), b"Hi\r\n")


class Times(TypedDict):
    not_before: datetime
    not_after: datetime


TIMES = Times(not_before=NOW - timedelta(days=1), not_after=NOW + timedelta(days=90))
Zone = Mapping[tuple[str, str], Reply]


class Resolver:
    """Knows a zone; other names exist without data."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(self._zone.get((each.name, each.type), Answer()) for each in queries)


class Never:
    """A resolver that says nothing."""

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        del queries
        await asyncio.get_running_loop().create_future()
        return ()


@dataclass
class Exchanger(Policy):
    """An exchange that answers a step as it is told to, and keeps what it took."""

    at: str = ""
    answer: Response = HANG_UP
    taken: list[bytes] = field(default_factory=list)
    visits: int = 0
    certificates: list[bytes | None] = field(default_factory=list)
    tls: list[str] = field(default_factory=list)

    def _or(self, step: str, usual: Response) -> Response:
        return self.answer if self.at == step else usual

    async def greet(self, client: Client) -> Response:
        self.visits += 1
        return self._or("greet", await super().greet(client))

    async def hello(self, client: Client, extensions: tuple[str, ...]) -> Response:
        return self._or("hello", await super().hello(client, extensions))

    async def starttls(self, client: Client) -> Response:
        return self._or("starttls", await super().starttls(client))

    async def mail(self, client: Client) -> Response:
        return self._or("mail", await super().mail(client))

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del rcpt_to
        self.certificates.append(client.certificate)
        self.tls.append(client.tls)
        return self._or("rcpt", say(250, "2.1.5 ok"))

    async def data(self, client: Client) -> Response:
        return self._or("data", await super().data(client))

    async def message(self, client: Client, content: bytes) -> Response:
        del client
        self.taken.append(content)
        return self._or("message", say(250, "2.6.0 taken"))


def zone(*records: tuple[int, str, str]) -> dict[tuple[str, str], Reply]:
    """Records of preference, exchange and address."""
    found: dict[tuple[str, str], Reply] = {
        ("contoso.com", "MX"): Answer(tuple(Exchange(each[0], each[1]) for each in records))
    }
    for _, exchange, address in records:
        at = ip_address(address)
        found[exchange, "A" if at.version == 4 else "AAAA"] = Answer((at,))
    return found


TWO = zone((10, "a.example", FIRST), (20, "b.example", SECOND))


@asynccontextmanager
async def listening(
    policies: Mapping[str, Policy], context: ssl.SSLContext | None = None
) -> AsyncIterator[dict[tuple[str, int], tuple[str, int]]]:
    """Run a server for each address; gives the detours to them."""
    async with AsyncExitStack() as stack:
        detours = {}
        for address, policy in policies.items():
            server = SmtpServer(policy, context=context)
            await server.start("127.0.0.1", 0)
            stack.push_async_callback(server.close)
            detours[address, 25] = ("127.0.0.1", server.port)
        yield detours


async def send(
    records: Zone,
    detours: Mapping[tuple[str, int], tuple[str, int]],
    domain: Domain | None = None,
    *,
    seconds: float = 10,
    least: float = 10,
    egress: bool = False,
    store: TrustStore = STORE,
) -> Delivery:
    clock = SystemClock()
    resolver = Resolver(records)
    dialer = Dialer(clock=clock, detours=detours, detours_only=True)
    return await deliver(
        domain or Domain(name="contoso.com"),
        LETTER,
        resolver=resolver,
        dialer=dialer,
        trust=store,
        clock=clock,
        deadline=timedelta(seconds=seconds),
        least=timedelta(seconds=least),
        egress=Egress((), resolver=resolver, dialer=dialer, clock=clock) if egress else None,
    )


async def test_the_most_preferred_exchange_takes_it_and_nobody_else_is_asked() -> None:
    first, second = Exchanger(), Exchanger()
    async with listening({FIRST: first, SECOND: second}) as detours:
        delivery = await send(TWO, detours, Domain(name="Contoso.COM"))
    assert isinstance(delivery.dialogue, Accepted)
    assert delivery.decisive is not None
    assert delivery.decisive.place == f"a.example ({FIRST})"
    assert (first.taken, second.visits) == ([b"Hi\r\n"], 0)
    assert list(delivery.timings)[:2] == [Phase.RESOLVE, Phase.CONNECT]
    assert delivery.transcript[0] == f"= a.example ({FIRST}), preference 10"
    assert not delivery.is_deferred


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        pytest.param("greet", say(421, "4.3.2 busy"), id="busy"),
        pytest.param("greet", say(554, "5.3.2 no"), id="no service"),
        pytest.param("greet", HANG_UP, id="hangs up"),
        pytest.param("hello", say(550, "5.7.1 who are you"), id="name refused"),
        pytest.param("mail", say(451, "4.7.1 later"), id="sender deferred"),
        pytest.param("rcpt", say(450, "4.2.0 greylisted"), id="greylisted"),
        pytest.param("rcpt", HANG_UP, id="hangs up at RCPT"),
        pytest.param("data", say(452, "4.3.1 no room"), id="no room"),
        pytest.param("data", HANG_UP, id="hangs up before the message"),
    ],
)
async def test_the_next_exchange_takes_what_the_first_cannot_have(
    at: str, answer: Response
) -> None:
    first, second = Exchanger(at, answer), Exchanger()
    async with listening({FIRST: first, SECOND: second}) as detours:
        delivery = await send(TWO, detours)
    assert isinstance(delivery.dialogue, Accepted)
    assert delivery.decisive is not None
    assert delivery.decisive.exchange == "b.example"
    assert len(delivery.attempts) == 2
    assert (first.taken, second.taken) == ([], [b"Hi\r\n"])


@pytest.mark.parametrize(
    ("at", "answer", "phase"),
    [
        pytest.param("mail", say(550, "5.7.1 no"), Phase.MAIL, id="sender"),
        pytest.param("rcpt", say(550, "5.1.1 no such user"), Phase.RCPT, id="recipient"),
        pytest.param("data", say(554, "5.5.1 no"), Phase.DATA, id="data"),
        pytest.param("message", say(554, "5.7.1 spam"), Phase.FINAL, id="message"),
        pytest.param("message", say(451, "4.7.1 later"), Phase.FINAL, id="message, for now"),
    ],
)
async def test_a_no_to_the_message_itself_is_the_verdict(
    at: str, answer: Response, phase: Phase
) -> None:
    second = Exchanger()
    async with listening({FIRST: Exchanger(at, answer), SECOND: second}) as detours:
        delivery = await send(TWO, detours)
    assert isinstance(delivery.dialogue, Refused)
    assert delivery.dialogue.phase is phase
    assert delivery.is_deferred is (answer.code == 451)
    assert second.visits == 0


async def test_a_lost_final_reply_is_uncertain_and_never_sent_again() -> None:
    first, second = Exchanger("message", HANG_UP), Exchanger()
    async with listening({FIRST: first, SECOND: second}) as detours:
        delivery = await send(TWO, detours)
    assert delivery.dialogue == Unreached(Phase.FINAL, Reason.CONNECTION_LOST)
    assert isinstance(delivery.dialogue, Unreached)
    assert delivery.dialogue.is_uncertain
    assert (len(first.taken), second.visits) == (1, 0)
    assert delivery.transcript[-1] == "= final: connection-lost"


async def test_what_all_defer_may_be_tried_again_later() -> None:
    greylists, refuses = (
        Exchanger("rcpt", say(450, "4.2.0 later")),
        Exchanger("greet", say(554, "no")),
    )
    async with listening({FIRST: refuses, SECOND: greylists}) as detours:
        delivery = await send(TWO, detours)
    assert isinstance(delivery.dialogue, Refused)
    assert delivery.dialogue.reply.code == 450
    assert delivery.is_deferred


async def test_equal_exchanges_share_the_messages() -> None:
    records = zone((10, "a.example", FIRST), (10, "b.example", SECOND), (10, "c.example", THIRD))
    exchanges = {each: Exchanger() for each in (FIRST, SECOND, THIRD)}
    async with listening(exchanges) as detours:
        for seed in range(24):
            await send(records, detours, Domain(name="contoso.com", seed=seed))
    assert min(each.visits for each in exchanges.values()) > 1


async def test_every_address_of_an_exchange_is_tried() -> None:
    records = {
        **zone((10, "a.example", FIRST), (20, "b.example", THIRD)),
        ("a.example", "A"): Answer((ip_address(FIRST), ip_address(SECOND))),
    }
    second, third = Exchanger(), Exchanger()
    async with listening(
        {FIRST: Exchanger("greet", say(421, "busy")), SECOND: second, THIRD: third}
    ) as detours:
        delivery = await send(records, detours)
    assert [str(each.address) for each in delivery.attempts] == [FIRST, SECOND]
    assert (second.visits, third.visits) == (1, 0)


@pytest.mark.parametrize(("family", "visits"), [("ipv4", (1, 0)), ("ipv6", (0, 1))])
async def test_only_one_address_family_may_be_used(family: Family, visits: tuple[int, int]) -> None:
    records = {
        **zone((10, "a.example", FIRST)),
        ("a.example", "AAAA"): Answer((ip_address(SIXTH),)),
    }
    fourth, sixth = Exchanger(), Exchanger()
    async with listening({FIRST: fourth, SIXTH: sixth}) as detours:
        await send(records, detours, Domain(name="contoso.com", family=family))
    assert (fourth.visits, sixth.visits) == visits


async def test_a_domain_without_mx_is_delivered_to_by_its_address() -> None:
    own = Exchanger()
    async with listening({FIRST: own}) as detours:
        delivery = await send({("contoso.com", "A"): Answer((ip_address(FIRST),))}, detours)
    assert isinstance(delivery.dialogue, Accepted)
    assert delivery.attempts[0].exchange == "contoso.com"


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        pytest.param(
            {("contoso.com", "MX"): Unanswered(Silence.SERVFAIL)}, Reason.DNS_UNANSWERED, id="MX"
        ),
        pytest.param(
            {("contoso.com", "MX"): Answer((Exchange(0, ""),))}, Reason.UNRESOLVED, id="null MX"
        ),
        pytest.param({}, Reason.UNRESOLVED, id="nothing"),
    ],
)
async def test_a_domain_with_nobody_to_try_is_unreached(records: Zone, reason: Reason) -> None:
    delivery = await send(records, {})
    assert delivery.dialogue == Unreached(Phase.RESOLVE, reason)
    assert (delivery.attempts, delivery.decisive) == ((), None)
    assert list(delivery.timings) == [Phase.RESOLVE]


async def test_what_dns_did_not_tell_is_no_fault_of_the_exchanges() -> None:
    records = {**TWO, ("b.example", "A"): Unanswered(Silence.TIMEOUT)}
    async with listening({FIRST: Exchanger("greet", say(554, "no"))}) as detours:
        delivery = await send(records, detours)
    assert delivery.dialogue == Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED)
    assert len(delivery.attempts) == 1


async def test_dns_that_takes_all_the_time_is_no_fault_of_the_domain() -> None:
    clock = SystemClock()
    delivery = await deliver(
        Domain(name="contoso.com"),
        LETTER,
        resolver=Never(),
        dialer=Dialer(clock=clock, detours_only=True),
        trust=STORE,
        clock=clock,
        deadline=timedelta(seconds=0.05),
    )
    assert delivery.dialogue == Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED)


async def test_time_that_is_over_after_dns_blames_nobody_else() -> None:
    delivery = await send(TWO, {}, seconds=0)
    assert delivery.dialogue == Unreached(Phase.RESOLVE, Reason.DNS_UNANSWERED)


async def test_a_black_hole_leaves_time_for_the_others() -> None:
    second = Exchanger()
    with swallowing() as hole:
        async with listening({SECOND: second}) as detours:
            delivery = await send(
                TWO, {**detours, (FIRST, 25): ("127.0.0.1", hole)}, seconds=2, least=0.1
            )
    assert isinstance(delivery.dialogue, Accepted)
    assert delivery.attempts[0].session.dialogue == Unreached(Phase.CONNECT, Reason.TIMEOUT)
    assert 0.9 < delivery.attempts[0].session.timings[Phase.CONNECT] < 1.5


async def test_one_that_may_take_all_the_time_leaves_none() -> None:
    second = Exchanger()
    records = {
        **TWO,
        ("a.example", "A"): Answer((ip_address(FIRST), ip_address(THIRD))),
    }
    with swallowing() as hole:
        async with listening({SECOND: second}) as detours:
            detours |= {(FIRST, 25): ("127.0.0.1", hole), (THIRD, 25): ("127.0.0.1", hole)}
            delivery = await send(records, detours, seconds=0.3)
    assert delivery.dialogue == Unreached(Phase.CONNECT, Reason.TIMEOUT)
    assert (len(delivery.attempts), second.visits) == (1, 0)


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        pytest.param({}, Reason.NO_EGRESS, id="nobody has greeted us"),
        pytest.param({SECOND: Exchanger("rcpt", HANG_UP)}, Reason.TIMEOUT, id="another has"),
    ],
)
async def test_silence_may_be_a_closed_port_here(others: dict[str, Policy], reason: Reason) -> None:
    records = TWO if others else zone((10, "a.example", FIRST))
    with swallowing() as hole:
        async with listening(others) as detours:
            detours[FIRST, 25] = ("127.0.0.1", hole)
            delivery = await send(records, detours, seconds=0.6, least=0.1, egress=True)
    assert delivery.dialogue == Unreached(Phase.CONNECT, reason)


async def test_who_was_connected_to_is_not_excused_by_a_closed_port() -> None:
    async with listening({FIRST: Exchanger("rcpt", HANG_UP)}) as detours:
        delivery = await send(zone((10, "a.example", FIRST)), detours, egress=True)
    assert delivery.dialogue == Unreached(Phase.RCPT, Reason.CONNECTION_LOST)


SOUND = server_context(CA.issue("a.example", **TIMES))
OTHER = server_context(CA.issue("b.example", **TIMES))


@pytest.mark.parametrize(
    ("tls", "context", "reason"),
    [
        pytest.param("opportunistic", SOUND, None, id="offered"),
        pytest.param("opportunistic", None, None, id="not offered"),
        pytest.param("opportunistic", OTHER, None, id="another name"),
        pytest.param("required", OTHER, None, id="required, another name"),
        pytest.param("required", None, Reason.TLS_NOT_OFFERED, id="required, not offered"),
        pytest.param("verified", SOUND, None, id="verified"),
        pytest.param("verified", OTHER, Reason.TLS_CERTIFICATE, id="verified, another name"),
    ],
)
async def test_tls_is_demanded_as_the_policy_says(
    tls: str, context: ssl.SSLContext | None, reason: Reason | None
) -> None:
    first = Exchanger()
    records = zone((10, "a.example", FIRST))
    domain = Domain(name="contoso.com", tls=tls)  # type: ignore[arg-type]
    async with listening({FIRST: first}, context) as detours:
        delivery = await send(records, detours, domain)
    if reason is None:
        assert isinstance(delivery.dialogue, Accepted)
        assert bool(first.tls[0]) is (context is not None)
    else:
        assert isinstance(delivery.dialogue, Unreached)
        assert delivery.dialogue.reason is reason
        assert first.taken == []


WITHOUT_CERTIFICATE = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # shares no cipher with anybody


@pytest.mark.parametrize(
    ("first", "context"),
    [
        pytest.param(Exchanger("starttls", say(454, "4.7.0 not now")), SOUND, id="refused"),
        pytest.param(Exchanger(), WITHOUT_CERTIFICATE, id="handshake fails"),
    ],
)
async def test_where_tls_fails_the_message_goes_in_the_clear_unless_it_is_demanded(
    first: Exchanger, context: ssl.SSLContext
) -> None:
    records = zone((10, "a.example", FIRST))
    async with listening({FIRST: first}, context) as detours:
        demanded = await send(records, detours, Domain(name="contoso.com", tls="required"))
        assert not isinstance(demanded.dialogue, Accepted)
        assert (len(demanded.attempts), first.taken) == (1, [])
        delivery = await send(records, detours)
    assert isinstance(delivery.dialogue, Accepted)
    assert (len(delivery.attempts), first.tls) == (2, [""])


@pytest.mark.parametrize("tls", ["opportunistic", "verified"])
async def test_our_certificate_is_shown_to_an_exchange_that_asks(tls: str) -> None:
    pair = CA.issue("probe.contoso.com", **TIMES)
    context = server_context(CA.issue("a.example", **TIMES))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=CA.pem.decode())
    first = Exchanger()
    domain = Domain(name="contoso.com", tls=tls, pair=pair)  # type: ignore[arg-type]
    async with listening({FIRST: first}, context) as detours:
        await send(zone((10, "a.example", FIRST)), detours, domain)
    assert first.certificates == [ders_of(pair)[0]]


async def test_nobody_logs_in_at_an_exchange() -> None:
    clock = SystemClock()
    with pytest.raises(ValueError, match="logs in"):
        await deliver(
            Domain(name="contoso.com"),
            Errand("a.example", Tls.REQUIRED, login=password_login("me", "secret")),
            resolver=Resolver({}),
            dialer=Dialer(clock=clock, detours_only=True),
            trust=STORE,
            clock=clock,
            deadline=timedelta(seconds=1),
        )


async def test_an_exchange_in_our_own_network_is_not_connected_to() -> None:
    delivery = await send(zone((10, "a.example", "10.0.0.1")), {})
    assert delivery.dialogue == Unreached(Phase.CONNECT, Reason.FORBIDDEN_ADDRESS)
