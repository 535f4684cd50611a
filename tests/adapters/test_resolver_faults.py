"""What does the resolver make of servers that fail, lie or are forged?"""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Query, Silence, TextRecord, Unanswered
from servers.dns import (
    Delayed,
    DnsServer,
    Fault,
    Forged,
    Published,
    Raw,
    Truncated,
    WithoutEdns,
)

SPF = Query("example.com", "TXT", fresh=True)
DENY = Answer((TextRecord((b"v=spf1 -all",)),))


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer({("example.com", "TXT"): "v=spf1 -all"}) as server:
        yield server


def resolver_of(*servers: DnsServer) -> Resolver:
    addresses = tuple(server.address for server in servers)
    return Resolver(addresses, SystemClock(), timeout=timedelta(milliseconds=150))


@pytest.fixture
async def resolver(server: DnsServer) -> AsyncIterator[Resolver]:
    resolver = resolver_of(server)
    yield resolver
    await resolver.close()


@pytest.mark.parametrize(
    ("fault", "reason", "detail"),
    [
        pytest.param(Fault.SERVFAIL, Silence.SERVFAIL, "rcode SERVFAIL", id="servfail"),
        pytest.param(Fault.REFUSED, Silence.REFUSED, "rcode REFUSED", id="refused"),
        pytest.param(Fault.NOTIMP, Silence.SERVFAIL, "rcode NOTIMP", id="notimp"),
        pytest.param(Fault.FORMERR, Silence.SERVFAIL, "rcode FORMERR", id="formerr"),
        pytest.param(Fault.SILENT, Silence.TIMEOUT, "no server answered in time", id="silence"),
        pytest.param(
            Published("v=spf1 -all", exists=False),
            Silence.MALFORMED,
            "NXDOMAIN with the records asked for",
            id="records of a name that does not exist",
        ),
    ],
)
async def test_a_failure_is_told_with_its_reason_and_is_no_absence(
    fault: Fault, reason: Silence, detail: str, server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = fault
    reply = await resolver.resolve(SPF)
    assert isinstance(reply, Unanswered)
    assert (reply.reason, reply.detail) == (reason, detail)
    assert resolver.stats.failures[reason] == 1


async def test_a_silent_server_is_asked_three_times(server: DnsServer, resolver: Resolver) -> None:
    server.zone["example.com", "TXT"] = Fault.SILENT
    await resolver.resolve(SPF)
    assert server.asked["example.com", "TXT"] == 3
    assert resolver.stats.servers[0].timeouts == 3


async def test_a_late_reply_to_the_first_query_is_as_good(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = Delayed("v=spf1 -all", 0.25)
    assert await resolver.resolve(SPF) == DENY
    assert server.asked["example.com", "TXT"] == 2


@pytest.mark.parametrize("rcode", [pytest.param(1, id="formerr"), pytest.param(4, id="notimp")])
async def test_a_server_without_edns_is_asked_without_and_remembered(
    rcode: int, server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = WithoutEdns("v=spf1 -all", rcode)
    assert await resolver.resolve(SPF) == DENY
    assert server.asked["example.com", "TXT"] == 2
    assert await resolver.resolve(SPF) == DENY
    assert server.asked["example.com", "TXT"] == 3


async def test_one_strange_refusal_does_not_take_edns_from_a_server(
    server: DnsServer, resolver: Resolver
) -> None:
    asked: list[bytes] = []

    def refuse(_: object, query: bytes) -> bytes:
        asked.append(query)
        return query[:2] + b"\x80\x01" + query[4:]

    server.zone["example.com", "TXT"] = Raw(refuse)
    assert await resolver.resolve(SPF) != DENY
    server.zone["example.com", "TXT"] = Raw(refuse)
    await resolver.resolve(SPF)
    with_edns = [query for query in asked if query[11]]
    assert len(with_edns) == len(asked) / 2


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault.SERVFAIL, id="servfail"),
        pytest.param(Fault.REFUSED, id="refused"),
        pytest.param(Fault.SILENT, id="silence"),
        pytest.param(Truncated(tcp="closes"), id="truncated and no tcp"),
        pytest.param(
            Raw(lambda _, query: query[:2] + b"\x84\0\0\1\0\1" + query[8:]), id="unreadable"
        ),
    ],
)
async def test_another_server_is_asked_where_the_first_one_fails(
    fault: Fault, server: DnsServer
) -> None:
    async with DnsServer({("example.com", "TXT"): fault}) as broken:
        resolver = resolver_of(broken, server)
        assert await resolver.resolve(SPF) == DENY
        assert broken.asked["example.com", "TXT"] >= 1
        await resolver.close()


async def test_a_server_that_is_silent_for_long_is_left_alone(server: DnsServer) -> None:
    async with DnsServer() as silent:
        silent.default = Fault.SILENT
        resolver = resolver_of(silent, server)
        queries = tuple(Query(f"n{n}.example", "A") for n in range(3))
        assert await resolver.resolve_all(queries) == (Answer(name_exists=False),) * 3
        assert [known.up for known in resolver.stats.servers] == [False, True]
        before = silent.datagrams
        await resolver.resolve(Query("n9.example", "A"))
        assert silent.datagrams <= before + 1
        await resolver.resolve(Query("n10.example", "A"))
        assert silent.datagrams <= before + 1
        await resolver.close()


async def test_a_port_where_nobody_listens_is_unreachable_and_may_come_back(
    server: DnsServer,
) -> None:
    resolver = resolver_of(server)
    port = server.port
    await server.stop()
    assert await resolver.resolve(SPF) == Unanswered(Silence.UNREACHABLE)
    assert resolver.stats.servers[0].up is False
    await server.start(port)
    assert await resolver.resolve(SPF) == DENY
    assert resolver.stats.servers[0].up is True
    await resolver.close()


async def test_another_server_is_asked_at_once_where_nobody_listens(server: DnsServer) -> None:
    gone = DnsServer()
    await gone.start()
    resolver = Resolver((gone.address, server.address), SystemClock(), timeout=timedelta(hours=1))
    await gone.stop()
    assert await resolver.resolve(SPF) == DENY
    await resolver.close()


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param((), id="none configured"),
        pytest.param((("no address", 53),), id="not an address"),
        pytest.param((("255.255.255.255", 53),), id="no way there"),
    ],
)
async def test_without_a_server_to_ask_nothing_is_known(
    servers: tuple[tuple[str, int], ...],
) -> None:
    resolver = Resolver(servers, SystemClock())
    assert await resolver.resolve(SPF) == Unanswered(Silence.UNREACHABLE)
    await resolver.close()


def _other_id(reply: bytes) -> bytes:
    return bytes((reply[0] ^ 1,)) + reply[1:]


def _other_question(reply: bytes) -> bytes:
    return reply.replace(b"\x07example", b"\x07forgery", 1)


def _a_query(reply: bytes) -> bytes:
    return reply[:2] + b"\x01" + reply[3:]


def _no_question(reply: bytes) -> bytes:
    return reply[:4] + b"\0\0" + reply[6:]


FORGERIES = [
    pytest.param(_other_id, id="another id"),
    pytest.param(_other_question, id="another question"),
    pytest.param(_a_query, id="not a response"),
    pytest.param(_no_question, id="no question"),
    pytest.param(lambda reply: reply[:11], id="cut header"),
    pytest.param(lambda reply: reply[:20], id="cut question"),
    pytest.param(lambda _: b"\0", id="a single octet"),
]


@pytest.mark.parametrize("forge", FORGERIES)
async def test_fifty_forged_packets_do_not_keep_the_genuine_one_from_being_heard(
    forge: Callable[[bytes], bytes], server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = Forged((forge,) * 50, "v=spf1 -all")
    assert await resolver.resolve(SPF) == DENY
    assert resolver.stats.ignored == 50


@pytest.mark.parametrize("forge", FORGERIES)
async def test_forged_packets_alone_are_silence(
    forge: Callable[[bytes], bytes], server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = Forged((forge,) * 5, "v=spf1 -all", genuine=False)
    assert await resolver.resolve(SPF) == Unanswered(Silence.TIMEOUT)


async def test_a_packet_from_elsewhere_is_not_heard(server: DnsServer, resolver: Resolver) -> None:
    async with DnsServer() as stranger:

        def from_elsewhere(reply: bytes) -> bytes:
            # Sent through the other server's socket to where the query came from.
            stranger.send_to(reply.replace(b"-all", b"+all"), server.last_client)
            return b"\0"

        server.zone["example.com", "TXT"] = Forged((from_elsewhere,), "v=spf1 -all")
        assert await resolver.resolve(SPF) == DENY


async def test_the_case_of_an_echoed_name_does_not_matter(
    server: DnsServer, resolver: Resolver
) -> None:
    def shout(reply: bytes) -> bytes:
        return reply.replace(b"\x07example", b"\x07EXAMPLE", 1)

    server.zone["example.com", "TXT"] = Forged((shout,), "v=spf1 -all", genuine=False)
    assert await resolver.resolve(SPF) == DENY
