"""How does a plan get its answers, and when need it not be run again?

:func:`drive` runs a plan over a resolver. :class:`Recall` remembers what a plan asked and was told:
a plan's result depends on its replies only, so while every reply is the very object of the last
time, the last result stands and nothing is evaluated. Resolvers return the same object as long as
an answer does not change, which makes a steady check as cheap as its questions.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from agent.domain.lookup import Plan, Query, Reply

T = TypeVar("T")


class Resolves(Protocol):
    """Whatever answers queries."""

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        """Answer independent queries concurrently, in their order."""
        ...


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
    """Results of plans, kept while their replies stay the same objects."""

    def __init__(self, resolver: Resolves) -> None:
        self._resolver = resolver
        self._memories: dict[str, _Memory] = {}

    async def derive(self, key: str, owner: object, make: Callable[[], Plan[T]]) -> T:
        """Return the result of the plan, the same object as last time where nothing changed.

        *owner* is what the plan was made from besides DNS, several objects as a tuple: for
        another object the memory of *key* is void. The queries are always asked; only evaluation
        is saved.
        """
        memory = self._memories.get(key)
        if memory is None or not _is_owned(memory.owner, owner):
            return await self._run(key, owner, make(), [])
        told: list[tuple[Reply, ...]] = []
        for queries, before in zip(memory.asked, memory.told, strict=True):
            replies = await self._resolver.resolve_all(queries)
            told.append(replies)
            if not all(map(_is, replies, before)):
                return await self._run(key, owner, make(), told)
        return cast("T", memory.result)

    async def _run(
        self, key: str, owner: object, plan: Plan[T], known: list[tuple[Reply, ...]]
    ) -> T:
        """Run *plan*, whose first batches are answered by *known*, and remember it."""
        asked: list[tuple[Query, ...]] = []
        told: list[tuple[Reply, ...]] = []
        try:
            queries = next(plan)
            while True:
                # Replies decide what is asked next, so known ones fit as long as they last.
                if len(told) < len(known):
                    replies = known[len(told)]
                else:
                    replies = await self._resolver.resolve_all(queries)
                asked.append(queries)
                told.append(replies)
                queries = plan.send(replies)
        except StopIteration as done:
            self._memories[key] = _Memory(owner, tuple(asked), tuple(told), done.value)
            return cast("T", done.value)

    def keep(self, keys: Iterable[str]) -> None:
        """Forget everything but *keys*, after the configuration has changed."""
        self._memories = {key: self._memories[key] for key in keys if key in self._memories}


def _is(one: object, other: object) -> bool:
    return one is other


def _is_owned(one: object, other: object) -> bool:
    """Tell whether it is the same object, or a tuple of the same objects."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is, one, other))
    return one is other
