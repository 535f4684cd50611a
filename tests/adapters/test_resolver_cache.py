"""Is an answer kept as long as it may be, and the same object while it is the same?"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from random import Random

import pytest

from agent.adapters.resolver import Resolver
from agent.domain.lookup import Answer, Query, Silence, TextRecord, Unanswered
from servers.dns import DnsServer, Fault, Published, Rotating

SPF = Query("example.com", "TXT", fresh=True)
CACHED = Query("example.com", "TXT")
DENY = Answer((TextRecord((b"v=spf1 -all",)),))


@dataclass
class HandClock:
    """A clock that the test sets."""

    seconds: float = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer({("example.com", "TXT"): "v=spf1 -all"}) as server:
        yield server


@pytest.fixture
async def resolver(server: DnsServer, clock: HandClock) -> AsyncIterator[Resolver]:
    resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=300))
    await resolver.start()
    yield resolver
    await resolver.close()


async def test_an_unchanged_answer_is_the_same_object(
    server: DnsServer, resolver: Resolver
) -> None:
    first = await resolver.resolve(SPF)
    assert await resolver.resolve(SPF) is first
    assert server.asked["example.com", "TXT"] == 2
    assert (resolver.stats.unchanged, resolver.stats.read) == (1, 1)


async def test_a_changed_answer_is_another_and_the_old_one_returns_as_itself(
    server: DnsServer, resolver: Resolver
) -> None:
    first = await resolver.resolve(SPF)
    server.zone["example.com", "TXT"] = "v=spf1 ~all"
    second = await resolver.resolve(SPF)
    assert second == Answer((TextRecord((b"v=spf1 ~all",)),))
    server.zone["example.com", "TXT"] = Fault.SERVFAIL
    failed = await resolver.resolve(SPF)
    assert failed == Unanswered(Silence.SERVFAIL)
    server.zone["example.com", "TXT"] = "v=spf1 -all"
    assert await resolver.resolve(SPF) is first


async def test_rotated_records_are_the_same_answer(server: DnsServer, resolver: Resolver) -> None:
    exchanges = tuple(f"10 mx{n}.example.com" for n in range(4))
    server.zone["example.com", "MX"] = Rotating(exchanges)
    query = Query("example.com", "MX", fresh=True)
    answers = {id(await resolver.resolve(query)) for _ in range(8)}
    assert len(answers) == 1
    assert resolver.stats.unchanged == 4


async def test_the_ttl_grows_to_the_highest_seen_and_stays(
    server: DnsServer, resolver: Resolver
) -> None:
    replies = []
    for ttl in (100, 300, 200, 300, 301):
        server.zone["example.com", "TXT"] = Published("v=spf1 -all", ttl=ttl)
        reply = await resolver.resolve(SPF)
        assert isinstance(reply, Answer)
        replies.append(reply)
    assert [reply.ttl for reply in replies] == [100, 300, 300, 300, 301]
    assert replies[1] is replies[2] is replies[3]


async def readings(
    server: DnsServer, resolver: Resolver, clock: HandClock, ttls: Iterable[int], step: float = 600
) -> list[Answer]:
    """Ask every *step* seconds, while the server gives these times to live."""
    replies = []
    for ttl in ttls:
        server.zone["example.com", "TXT"] = Published("v=spf1 -all", ttl=ttl)
        reply = await resolver.resolve(SPF)
        assert isinstance(reply, Answer)
        replies.append(reply)
        clock.seconds += step
    return replies


@pytest.mark.parametrize(
    ("ttls", "step", "told"),
    [
        pytest.param([3600] + [300] * 30, 600, [3600] * 20 + [300] * 11, id="many readings"),
        pytest.param([3600] + [300] * 80, 50, [3600] * 75 + [300] * 6, id="and the old time over"),
        pytest.param([3600] + [200, 300] * 12, 600, [3600] * 20 + [300] * 5, id="the highest"),
        pytest.param([3600] + [1800] * 20, 600, [3600] * 20 + [1800], id="half of it"),
        pytest.param([2**31 - 1] + [60] * 26, 3600, [2**31 - 1] * 26 + [60], id="kept for a day"),
        pytest.param([300] + [0] * 20, 600, [300] * 20 + [0], id="nothing any more"),
        pytest.param([9, 4, *[4] * 20, 5], 600, [9] * 20 + [4] * 2 + [5], id="and raised again"),
    ],
)
async def test_a_lowered_ttl_is_told_when_the_old_one_is_surely_gone(
    server: DnsServer,
    resolver: Resolver,
    clock: HandClock,
    *,
    ttls: list[int],
    step: float,
    told: list[int],
) -> None:
    replies = await readings(server, resolver, clock, ttls, step)
    assert [reply.ttl for reply in replies] == told
    # One object for as long as it says the same, and another when it does not.
    assert len({id(reply) for reply in replies}) == len(set(told))


@pytest.mark.parametrize(
    "ttls",
    [
        pytest.param([3600 - n * 600 % 3600 for n in range(200)], id="a cache counts down"),
        pytest.param([3600] + [1801] * 60, id="more than half"),
        pytest.param(([3600] + [1] * 19) * 5, id="one reading above in time"),
        pytest.param([Random(1).randint(1, 3600) for _ in range(9)] + [3600], id="nothing yet"),
        pytest.param([0] * 60, id="always nothing"),
    ],
)
async def test_a_cache_that_counts_down_is_not_taken_for_its_owner(
    server: DnsServer, resolver: Resolver, clock: HandClock, ttls: list[int]
) -> None:
    replies = await readings(server, resolver, clock, [max(ttls), *ttls])
    assert {reply.ttl for reply in replies} == {max(ttls)}
    assert len({id(reply) for reply in replies}) == 1


async def test_many_caches_behind_one_address_are_not_taken_for_the_owner(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    chance = Random(7)
    ttls = [3600, *(chance.randint(1, 3600) for _ in range(1000))]
    assert {reply.ttl for reply in await readings(server, resolver, clock, ttls)} == {3600}


async def test_readings_of_another_answer_prove_nothing_of_this_one(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    for text, ttl in (("one", 3600), ("two", 3600), *(("one", 60), ("two", 60)) * 30):
        server.zone["example.com", "TXT"] = Published(text, ttl=ttl)
        reply = await resolver.resolve(SPF)
        assert isinstance(reply, Answer)
        assert reply.ttl == 3600
        clock.seconds += 600


async def test_the_lowered_ttl_is_kept_with_every_order_of_the_records(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    exchanges = tuple(f"10 mx{n}.example.com" for n in range(4))
    query = Query("example.com", "MX", fresh=True)
    told = []
    for ttl in (3600, *[300] * 24):
        server.zone["example.com", "MX"] = Published(exchanges, ttl=ttl)
        exchanges = (*exchanges[1:], exchanges[0])
        reply = await resolver.resolve(query)
        assert isinstance(reply, Answer)
        told.append(reply)
        clock.seconds += 600
    assert [reply.ttl for reply in told] == [3600] * 20 + [300] * 5
    assert len({id(reply) for reply in told}) == 2


async def test_an_answer_is_kept_for_its_ttl(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    first = await resolver.resolve(CACHED)
    clock.seconds += 299
    assert await resolver.resolve(CACHED) is first
    assert resolver.stats.cache_hits == 1
    clock.seconds += 2
    assert await resolver.resolve(CACHED) is first
    assert server.asked["example.com", "TXT"] == 2


@pytest.mark.parametrize(
    ("ttl", "asked"),
    [
        pytest.param(0, 2, id="zero is never kept"),
        pytest.param(2**32 - 1, 2, id="above 2^31-1 means zero"),
        pytest.param(2**31 - 1, 1, id="the highest is kept"),
    ],
)
async def test_odd_ttls_are_obeyed(
    ttl: int, asked: int, server: DnsServer, resolver: Resolver
) -> None:
    server.zone["example.com", "TXT"] = Published("v=spf1 -all", ttl=ttl)
    assert await resolver.resolve(CACHED) == DENY
    assert await resolver.resolve(CACHED) == DENY
    assert server.asked["example.com", "TXT"] == asked


async def test_a_very_long_ttl_is_kept_for_a_day(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    server.zone["example.com", "TXT"] = Published("v=spf1 -all", ttl=2**31 - 1)
    await resolver.resolve(CACHED)
    clock.seconds += 86_401
    await resolver.resolve(CACHED)
    assert server.asked["example.com", "TXT"] == 2


async def test_absence_is_kept_for_the_soa_minimum(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    query = Query("nowhere.example", "TXT")
    first = await resolver.resolve(query)
    clock.seconds += 59
    assert await resolver.resolve(query) is first
    assert isinstance(first, Answer)
    assert first.ttl == 60
    clock.seconds += 2
    await resolver.resolve(query)
    assert server.asked["nowhere.example", "TXT"] == 2


async def test_absence_without_soa_is_not_kept(server: DnsServer, resolver: Resolver) -> None:
    server.zone["example.com", "TXT"] = Published((), soa=False)
    assert await resolver.resolve(CACHED) == Answer()
    assert await resolver.resolve(CACHED) == Answer()
    assert server.asked["example.com", "TXT"] == 2


async def test_a_failure_is_kept_for_seconds(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    server.zone["example.com", "TXT"] = Fault.SERVFAIL
    first = await resolver.resolve(CACHED)
    assert await resolver.resolve(CACHED) is first
    assert server.asked["example.com", "TXT"] == 1
    assert await resolver.resolve(SPF) is first
    clock.seconds += 6
    server.zone["example.com", "TXT"] = "v=spf1 -all"
    assert await resolver.resolve(CACHED) == DENY


async def test_a_failure_of_a_fresh_query_leaves_the_kept_answer(
    server: DnsServer, resolver: Resolver
) -> None:
    first = await resolver.resolve(SPF)
    server.zone["example.com", "TXT"] = Fault.REFUSED
    assert await resolver.resolve(SPF) == Unanswered(Silence.REFUSED)
    assert await resolver.resolve(CACHED) is first


async def test_the_cache_has_a_limit(server: DnsServer, clock: HandClock) -> None:
    resolver = Resolver((server.address,), clock, entries=3)
    for n in range(5):
        await resolver.resolve(Query(f"n{n}.example", "A"))
    await resolver.resolve(Query("n4.example", "A"))
    await resolver.resolve(Query("n0.example", "A"))
    assert server.asked["n4.example", "A"] == 1
    assert server.asked["n0.example", "A"] == 2
    await resolver.close()


async def test_answers_nobody_asks_for_are_forgotten(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    server.zone["old.example", "A"] = Published("192.0.2.1", ttl=2**31 - 1)
    await resolver.resolve(Query("old.example", "A"))
    clock.seconds += 6 * 3600 + 1
    await resolver.resolve(SPF)
    assert resolver.stats.entries == 1


async def test_the_layouts_of_many_answers_are_forgotten(
    server: DnsServer, clock: HandClock
) -> None:
    resolver = Resolver((server.address,), clock, entries=2)
    for n in range(1, 6):
        server.zone["n" * n + ".example", "A"] = "192.0.2.1"
        assert await resolver.resolve(Query("n" * n + ".example", "A", fresh=True)) == Answer(
            (IPv4Address("192.0.2.1"),)
        )
    await resolver.close()


async def test_a_question_of_hygiene_makes_do_with_an_answer_of_some_hours(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    lasting = Query("wild.example.com", "TXT", lasting=True)
    await resolver.resolve(lasting)
    clock.seconds += 5 * 3600
    await resolver.resolve(lasting)
    assert server.asked["wild.example.com", "TXT"] == 1
    await resolver.resolve(Query("wild.example.com", "TXT"))
    assert server.asked["wild.example.com", "TXT"] == 2
    clock.seconds += 7 * 3600
    await resolver.resolve(lasting)
    assert server.asked["wild.example.com", "TXT"] == 3


async def test_a_failure_does_not_last(
    server: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    server.zone["wild.example.com", "TXT"] = Fault.SERVFAIL
    lasting = Query("wild.example.com", "TXT", lasting=True)
    assert isinstance(await resolver.resolve(lasting), Unanswered)
    server.zone["wild.example.com", "TXT"] = "back"
    clock.seconds += 6
    assert isinstance(await resolver.resolve(lasting), Answer)
