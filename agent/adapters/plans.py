"""How does a plan get its answers, and when need it not be run again?

:func:`drive` runs a plan over a resolver. :class:`Recall` remembers what a plan asked and was told:
a plan's result depends on its replies only, so while every reply is the very object of the last
time, the last result stands and nothing is evaluated. Resolvers return the same object as long as
an answer does not change, which makes a steady check as cheap as its questions. What two checks
work out of the same replies, the second takes over from the first. What is new is
believed only of a resolver that knows its control names at that moment: the gate of a network says
the same of every name, and may have taken the resolver's place since somebody looked.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from agent.domain.control import known
from agent.domain.lookup import Plan, Query, Reply, Silence, Unanswered

T = TypeVar("T")
_GATE = Unanswered(Silence.UNREACHABLE, "no control name has a record", is_ours=True)
MOST_SHARED = 128  # results that wait for the second who wants them; the oldest go first


class Resolves(Protocol):
    """Whatever answers queries."""

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        """Answer independent queries concurrently, in their order."""
        ...


class _Gate:
    """Answers nothing, since what is said cannot be believed."""

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return (_GATE,) * len(queries)


async def drive(plan: Plan[T], resolver: Resolves) -> T:
    """Run a plan, answering each batch of queries that it asks."""
    try:
        queries = next(plan)
        while True:
            queries = plan.send(await resolver.resolve_all(queries))
    except StopIteration as done:
        return cast("T", done.value)


@dataclass(frozen=True, slots=True)
class _Memory:
    """What a plan asked, batch by batch, what it was told, and its result."""

    owner: object
    asked: tuple[tuple[Query, ...], ...]
    told: tuple[tuple[Reply, ...], ...]
    result: Any


class Recall:
    """Results of plans, kept while their replies stay the same objects.

    ``controls`` are the control names; without any, every reply is believed.
    """

    def __init__(self, resolver: Resolves) -> None:
        self.controls: tuple[str, ...] = ()
        self._resolver = resolver
        self._has_seen = False
        self._memories: dict[str, _Memory] = {}
        self._shared: OrderedDict[Hashable, _Memory] = OrderedDict()

    async def derive(self, key: str, owner: object, make: Callable[[], Plan[T]]) -> T:
        """Return the result of the plan, the same object as last time where nothing changed.

        *owner* is what the plan was made from besides DNS, several objects as a tuple: for
        another object the memory of *key* is void. The queries are always asked; only evaluation
        is saved.
        """
        memory = self._memories.get(key)
        if memory is None or not _is_owned(memory.owner, owner):
            # The first check may be due before anybody has looked at the resolver.
            if not self._has_seen and not await self.sees():
                return await drive(make(), _Gate())
            return await self._run(key, owner, make())
        told: list[tuple[Reply, ...]] = []
        for queries, before in zip(memory.asked, memory.told, strict=True):
            replies = await self._resolver.resolve_all(queries)
            told.append(replies)
            if not all(map(_is, replies, before)):
                if any(map(_is_news, replies, before)) and not await self.sees():
                    return await drive(make(), _Gate())  # and remember what was before
                return await self._run(key, owner, make(), told)
        return cast("T", memory.result)

    async def sees(self) -> bool:
        """Tell whether the resolver sees DNS, now: it knows a control name.

        The first that it knows is enough. Waiting for one without an answer could take longer than
        a check has, and hide what is really gone.
        """
        looks = [
            asyncio.ensure_future(drive(known(name), self._resolver)) for name in self.controls
        ]
        try:
            for each in asyncio.as_completed(looks):
                if await each:
                    self._has_seen = True
                    return True
        finally:
            for look in looks:
                look.cancel()
        return not looks

    def share(self, key: Hashable, make: Callable[[], Plan[T]]) -> Plan[T]:
        """Run a plan as part of another, or take over what an equal one has just made.

        *key* is equal where the plans are, that is, all that they were made from besides DNS. The
        result is handed over once, and only where every reply is the object that the first got.
        """
        memory = self._shared.pop(key, None)
        told: list[tuple[Reply, ...]] = []
        if memory is not None:
            for queries, before in zip(memory.asked, memory.told, strict=True):
                replies = yield queries
                told.append(replies)
                if not all(map(_is, replies, before)):
                    break
            else:
                return cast("T", memory.result)
        memory = yield from _remembering(None, make(), told)
        self._shared[key] = memory
        if len(self._shared) > MOST_SHARED:
            self._shared.popitem(last=False)
        return cast("T", memory.result)

    async def _run(
        self, key: str, owner: object, plan: Plan[T], known: Iterable[tuple[Reply, ...]] = ()
    ) -> T:
        """Run *plan*, whose first batches are answered by *known*, and remember it."""
        memory = await drive(_remembering(owner, plan, known), self._resolver)
        self._memories[key] = memory
        return cast("T", memory.result)

    def keep(self, keys: Iterable[str]) -> None:
        """Forget everything but *keys*, after the configuration has changed."""
        self._memories = {key: self._memories[key] for key in keys if key in self._memories}
        self._shared.clear()


def _remembering(
    owner: object, plan: Plan[object], known: Iterable[tuple[Reply, ...]]
) -> Plan[_Memory]:
    """Run *plan*, whose first batches are answered by *known*, and note all that it is told."""
    asked: list[tuple[Query, ...]] = []
    told: list[tuple[Reply, ...]] = []
    # Replies decide what is asked next, so known ones fit as long as they last.
    left = iter(known)
    try:
        queries = next(plan)
        while True:
            replies = next(left, None)
            if replies is None:
                replies = yield queries
            asked.append(queries)
            told.append(replies)
            queries = plan.send(replies)
    except StopIteration as done:
        return _Memory(owner, tuple(asked), tuple(told), done.value)


def _is(one: object, other: object) -> bool:
    return one is other


def _is_news(now: Reply, before: Reply) -> bool:
    """Tell whether there are other records than before, in whatever order, or none any more."""
    if now is before or isinstance(now, Unanswered):
        return False
    if isinstance(before, Unanswered) or now.name_exists != before.name_exists:
        return True
    return frozenset(now.records) != frozenset(before.records)


def _is_owned(one: object, other: object) -> bool:
    """Tell whether it is the same object, or a tuple of the same objects."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is, one, other))
    return one is other
