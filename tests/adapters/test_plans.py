"""Are plans answered in order, and run again only where an answer has changed?"""

import asyncio
from collections.abc import Hashable
from ipaddress import IPv4Address

from agent.adapters.plans import MOST_SHARED, Recall, drive
from agent.domain.lookup import (
    Answer,
    Exchange,
    Plan,
    Query,
    Reply,
    Silence,
    Unanswered,
    ask,
    ask_all,
)

MX = Query("example.com", "MX")
ANSWERS: dict[str, Reply] = {
    "example.com": Answer((Exchange(10, "a.example.com"), Exchange(20, "b.example.com"))),
    "a.example.com": Answer((IPv4Address("192.0.2.1"),)),
    "b.example.com": Answer((IPv4Address("192.0.2.2"),)),
}


class Listed:
    """Answers from a dict, and says what it was asked."""

    def __init__(self) -> None:
        self.replies = dict(ANSWERS)
        self.asked: list[tuple[Query, ...]] = []

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        self.asked.append(queries)
        return tuple(self.replies.get(query.name, Answer()) for query in queries)


class Counting:
    """Makes plans that count how often they run to their end."""

    def __init__(self) -> None:
        self.runs = 0

    def addresses(self) -> Plan[tuple[str, ...]]:
        reply = yield from ask(MX)
        assert isinstance(reply, Answer)
        exchanges = [record for record in reply.records if isinstance(record, Exchange)]
        replies = yield from ask_all(tuple(Query(mx.exchange, "A") for mx in exchanges))
        self.runs += 1
        return tuple(str(a.records[0]) for a in replies if isinstance(a, Answer) and a.records)


async def test_a_plan_is_driven_batch_by_batch() -> None:
    resolver = Listed()
    assert await drive(Counting().addresses(), resolver) == ("192.0.2.1", "192.0.2.2")
    assert resolver.asked == [(MX,), (Query("a.example.com", "A"), Query("b.example.com", "A"))]


async def test_a_plan_that_asks_nothing_is_done_at_once() -> None:
    def silent() -> Plan[int]:
        yield from ask_all(())
        return 7

    resolver = Listed()
    assert await drive(silent(), resolver) == 7
    assert await Recall(resolver).derive("key", None, silent) == 7
    assert resolver.asked == []


async def test_with_the_same_replies_the_result_stands_and_the_questions_are_asked() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    first = await recall.derive("key", plans, plans.addresses)
    assert await recall.derive("key", plans, plans.addresses) is first
    assert plans.runs == 1
    assert len(resolver.asked) == 4


async def test_an_equal_reply_that_is_another_object_is_evaluated_again() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    await recall.derive("key", plans, plans.addresses)
    resolver.replies["b.example.com"] = Answer((IPv4Address("192.0.2.2"),), ttl=60)
    await recall.derive("key", plans, plans.addresses)
    assert plans.runs == 2
    assert len(resolver.asked) == 4  # what had been asked anew is not asked twice


async def test_a_reply_that_changes_what_is_asked_next_is_followed() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    await recall.derive("key", plans, plans.addresses)
    resolver.replies["example.com"] = Answer((Exchange(10, "b.example.com"),))
    assert await recall.derive("key", plans, plans.addresses) == ("192.0.2.2",)
    assert resolver.asked[2:] == [(MX,), (Query("b.example.com", "A"),)]


async def test_what_a_plan_was_made_from_is_part_of_the_memory() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    await recall.derive("key", plans, plans.addresses)
    await recall.derive("key", object(), plans.addresses)
    assert plans.runs == 2


GONE, BACK = Answer(name_exists=False), ANSWERS["example.com"]
KNOWN = Answer(("ns.example",))


def ask_mx() -> Plan[Reply]:
    return (yield from ask(MX))


async def test_the_order_of_records_is_no_news_and_an_answer_after_silence_is() -> None:
    resolver = Listed()
    recall = Recall(resolver)
    await recall.derive("key", None, ask_mx)
    recall.controls = ("com",)  # which nobody knows
    silent = Unanswered(Silence.TIMEOUT)
    assert isinstance(BACK, Answer)
    for told, is_believed in (
        (BACK, True),
        (Answer(BACK.records[::-1]), True),
        (GONE, False),
        (silent, True),
        (GONE, False),
    ):
        resolver.replies["example.com"] = told
        assert (await recall.derive("key", None, ask_mx) is told) == is_believed


async def test_that_a_record_is_gone_is_believed_only_where_dns_is_seen() -> None:
    resolver = Listed()
    recall = Recall(resolver)
    recall.controls = ("com", "org")
    resolver.replies["org"] = KNOWN
    assert await recall.derive("key", None, ask_mx) is BACK
    del resolver.replies["org"]
    resolver.replies["example.com"] = GONE
    reply = await recall.derive("key", None, ask_mx)
    assert isinstance(reply, Unanswered)
    assert reply.is_ours
    resolver.replies["example.com"] = BACK
    assert await recall.derive("key", None, ask_mx) is BACK
    resolver.replies |= {"example.com": GONE, "org": KNOWN}
    assert await recall.derive("key", None, ask_mx) is GONE
    asked = len(resolver.asked)
    assert await recall.derive("key", None, ask_mx) is GONE
    assert len(resolver.asked) == asked + 1  # what is known to be gone needs no confirmation


async def test_the_first_answer_is_believed_of_a_resolver_that_has_once_seen_dns() -> None:
    resolver = Listed()
    resolver.replies["example.com"] = GONE
    recall = Recall(resolver)
    recall.controls = ("com",)
    assert isinstance(await recall.derive("key", None, ask_mx), Unanswered)
    resolver.replies["com"] = KNOWN
    assert await recall.derive("key", None, ask_mx) is GONE
    asked = len(resolver.asked)
    assert await recall.derive("another", None, ask_mx) is GONE
    assert len(resolver.asked) == asked + 1  # once in the life of the agent is enough


async def test_without_control_names_every_reply_is_believed() -> None:
    resolver = Listed()
    recall = Recall(resolver)
    await recall.derive("key", None, ask_mx)
    resolver.replies["example.com"] = GONE
    assert await recall.derive("key", None, ask_mx) is GONE


async def test_memories_of_other_keys_are_dropped() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    await recall.derive("kept", plans, plans.addresses)
    await recall.derive("gone", plans, plans.addresses)
    recall.keep(["kept", "new"])
    await recall.derive("kept", plans, plans.addresses)
    assert plans.runs == 2
    await recall.derive("gone", plans, plans.addresses)
    assert plans.runs == 3


async def test_a_plan_of_several_owners_is_remembered_while_all_of_them_are_the_same() -> None:
    recall, counting = Recall(Listed()), Counting()
    one, other = object(), object()
    for owner in ((one, other), (one, other), (one, None), (one,), one):
        await recall.derive("key", owner, counting.addresses)
    assert counting.runs == 4


def part(recall: Recall, plans: Counting, key: Hashable = "part") -> Plan[tuple[str, ...]]:
    return (yield from recall.share(key, plans.addresses))


async def test_what_one_plan_worked_out_another_takes_over_once() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    first = await recall.derive("one", plans, lambda: part(recall, plans))
    assert await recall.derive("two", plans, lambda: part(recall, plans)) is first
    assert plans.runs == 1
    assert len(resolver.asked) == 4
    await recall.derive("three", plans, lambda: part(recall, plans))
    assert plans.runs == 2


async def test_what_other_replies_led_to_is_not_taken_over() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    await recall.derive("one", plans, lambda: part(recall, plans))
    resolver.replies["b.example.com"] = Answer((IPv4Address("192.0.2.3"),))
    found = await recall.derive("two", plans, lambda: part(recall, plans))
    assert found == ("192.0.2.1", "192.0.2.3")
    assert len(resolver.asked) == 4  # what had been asked anew is not asked twice
    await recall.derive("three", plans, lambda: part(recall, plans, "another"))
    assert plans.runs == 3


async def test_what_nobody_takes_over_is_dropped_in_time() -> None:
    resolver, plans = Listed(), Counting()
    recall = Recall(resolver)
    for key in range(MOST_SHARED + 1):
        await drive(part(recall, plans, key), resolver)
    runs = plans.runs
    await drive(part(recall, plans, MOST_SHARED), resolver)
    assert plans.runs == runs
    await drive(part(recall, plans, 0), resolver)
    assert plans.runs == runs + 1


async def test_one_control_name_without_an_answer_does_not_keep_what_is_gone() -> None:
    class Slow(Listed):
        async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
            if any(query.name not in self.replies for query in queries):
                await asyncio.Event().wait()  # for ever
            return await super().resolve_all(queries)

    resolver = Slow()
    resolver.replies["org"] = KNOWN
    recall = Recall(resolver)
    recall.controls = ("com", "org")
    await recall.derive("key", None, ask_mx)
    resolver.replies["example.com"] = Answer()
    async with asyncio.timeout(5):
        assert await recall.derive("key", None, ask_mx) is resolver.replies["example.com"]
