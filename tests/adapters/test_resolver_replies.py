"""What does the resolver make of replies that are long, broken, or lead elsewhere?"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dns_serving import Question
from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Query, Silence, TextRecord, Unanswered
from servers.dns import (
    AliasOnly,
    DnsServer,
    Fault,
    Raw,
    Truncated,
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


async def test_a_truncated_answer_is_asked_for_again_over_tcp(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = ["y" * 250 + str(n) for n in range(10)]
    first = await resolver.resolve(SPF)
    assert isinstance(first, Answer)
    assert len(first.records) == 10
    assert await resolver.resolve(SPF) is first
    assert (server.connections, resolver.stats.servers[0].tcp_queries) == (2, 2)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Truncated("x", tcp="closes"), id="closed"),
        pytest.param(Truncated("x", tcp="hangs"), id="hanging"),
        pytest.param(Truncated("x", tcp="drips"), id="dripping"),
        pytest.param(Truncated("x", tcp="truncated"), id="truncated again"),
        pytest.param(Truncated("x", tcp="wrong-id"), id="another id"),
    ],
)
async def test_truncation_without_tcp_is_no_absence(
    fault: Truncated, server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = fault
    assert await resolver.resolve(SPF) == Unanswered(Silence.TRUNCATED)


async def test_a_wrong_length_over_tcp_is_no_absence(server: DnsServer, resolver: Resolver) -> None:
    server.zone["example.com", "TXT"] = Truncated("x" * 50, tcp="wrong-length")
    assert await resolver.resolve(SPF) == Unanswered(Silence.MALFORMED)


async def test_closing_ends_a_repetition_over_tcp(server: DnsServer) -> None:
    resolver = Resolver((server.address,), SystemClock(), timeout=timedelta(hours=1))
    server.zone["example.com", "TXT"] = Truncated("x", tcp="hangs")
    task = asyncio.create_task(resolver.resolve(SPF))
    await server.wait_until_asked("example.com", "TXT", times=2)
    await resolver.close()
    assert await task == Unanswered(Silence.UNREACHABLE)


def _malformed(body: bytes, counts: bytes = b"\0\1\0\0\0\0") -> Callable[[Question, bytes], bytes]:
    def make(question: Question, _: bytes) -> bytes:
        return question.ident + b"\x85\x80\0\1" + counts + question.octets + body

    return make


_TXT = b"\xc0\x0c\0\x10\0\1\0\0\0\x3c"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(_malformed(b"\xc0\x1d\0\x10\0\1\0\0\0\x3c\0\1\0"), id="pointer to itself"),
        pytest.param(
            _malformed(b"\xff\xff\0\x10\0\1\0\0\0\x3c\0\1\0"), id="pointer beyond the end"
        ),
        pytest.param(_malformed(b"", b"\xff\xff\xff\xff\xff\xff"), id="counts of 65535"),
        pytest.param(_malformed(_TXT + b"\0\x05\x04abc"), id="string longer than its record"),
        pytest.param(_malformed(_TXT + b"\xff\xff\x04abc"), id="record longer than the message"),
        pytest.param(_malformed(_TXT + b"\0\4\3abc" + b"junk"), id="junk at the end"),
        pytest.param(_malformed(b"\x40abc"), id="label type that does not exist"),
        pytest.param(_malformed(b""), id="record missing"),
    ],
)
async def test_a_malformed_reply_is_no_absence(
    make: Callable[[Question, bytes], bytes], server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = Raw(make)
    assert await resolver.resolve(SPF) == Unanswered(Silence.MALFORMED)


async def test_a_text_record_without_a_string_is_no_obstacle(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = [TextRecord(()), "v=spf1 -all"]
    assert await resolver.resolve(SPF) == Answer((TextRecord(()), *DENY.records))


@pytest.mark.parametrize(
    ("kind", "records", "expected"),
    [
        pytest.param("TXT", ["x" * 60] * 600, 600, id="600 texts"),
        pytest.param("A", [f"10.1.{n // 250}.{n % 250}" for n in range(4000)], None, id="4000 A"),
        pytest.param("MX", [f"{n} m.example" for n in range(1800)], None, id="1800 MX"),
    ],
)
async def test_a_huge_answer_is_read_or_given_up_but_never_absence(
    kind: str, records: list[str], expected: int | None, server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", kind] = records
    reply = await resolver.resolve(Query("example.com", kind))  # type: ignore[arg-type]
    if expected is None:
        # More than we care to read; a busy machine may not even get it in time.
        assert isinstance(reply, Unanswered)
        assert reply.reason in {Silence.MALFORMED, Silence.TRUNCATED}
    else:
        assert isinstance(reply, Answer)
        assert len(reply.records) == expected


async def test_the_aliases_on_the_way_are_told(server: DnsServer, resolver: Resolver) -> None:
    server.zone |= {
        ("a.example", "CNAME"): "b.example",
        ("b.example", "CNAME"): "c.example",
        ("c.example", "TXT"): "v=spf1 -all",
    }
    reply = await resolver.resolve(Query("a.example", "TXT"))
    assert reply == Answer(DENY.records, aliases=("b.example", "c.example"))
    assert server.datagrams == 1


async def test_an_alias_to_nothing_is_void(server: DnsServer, resolver: Resolver) -> None:
    server.zone["a.example", "CNAME"] = "nowhere.invalid"
    server.zone["b.example", "CNAME"] = "example.com"
    gone, empty = await resolver.resolve_all((Query("a.example", "A"), Query("b.example", "A")))
    assert gone == Answer(name_exists=False, aliases=("nowhere.invalid",))
    assert empty == Answer(aliases=("example.com",))


async def test_a_chain_that_the_server_does_not_follow_is_followed(
    server: DnsServer, resolver: Resolver
) -> None:
    server.zone["a.example", "TXT"] = AliasOnly("b.example")
    server.zone["b.example", "TXT"] = AliasOnly("example.com")
    query = Query("a.example", "TXT", fresh=True)
    reply = await resolver.resolve(query)
    assert reply == Answer(DENY.records, aliases=("b.example", "example.com"))
    assert (await resolver.resolve_all((query,)))[0] is reply
    server.zone["example.com", "TXT"] = Fault.SERVFAIL
    assert await resolver.resolve(query) == Unanswered(Silence.SERVFAIL)


async def test_aliases_in_a_circle_are_a_loop(server: DnsServer, resolver: Resolver) -> None:
    server.zone["a.example", "CNAME"] = "b.example"
    server.zone["b.example", "CNAME"] = "a.example"
    server.zone["c.example", "TXT"] = AliasOnly("d.example")
    server.zone["d.example", "TXT"] = AliasOnly("c.example")
    replies = await resolver.resolve_all((Query("a.example", "TXT"), Query("c.example", "TXT")))
    assert replies == (Unanswered(Silence.ALIAS_LOOP),) * 2
    assert server.datagrams <= 3


async def test_a_chain_of_sixty_aliases_is_given_up(server: DnsServer, resolver: Resolver) -> None:
    for n in range(60):
        server.zone[f"n{n}.example", "TXT"] = AliasOnly(f"n{n + 1}.example")
    assert await resolver.resolve(Query("n0.example", "TXT")) == Unanswered(Silence.ALIAS_LOOP)
    assert server.datagrams <= 20


async def test_aliases_without_end_are_given_up(server: DnsServer, resolver: Resolver) -> None:
    def next_alias(question: Question, _: bytes) -> bytes:
        number = int(question.name.split(".")[0].removeprefix("n")) + 1
        target = b"\x05n%04d\x07example\0" % number
        record = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, len(target)) + target
        return question.ident + b"\x85\x80\0\1\0\1\0\0\0\0" + question.octets + record

    server.default = Raw(next_alias)
    assert await resolver.resolve(Query("n0000.example", "A")) == Unanswered(Silence.ALIAS_LOOP)
    assert server.datagrams == 20
