"""What would DNS say after a change that nobody has made yet?

A plan yields questions and is sent replies. Laid over it, planned answers come first, and only what
is not planned is asked of the world.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from agent.domain.lookup import Answer, Plan, Query, Reply, ask_all

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Alias:
    """A planned CNAME: what stands at its target is asked of the world."""

    target: str


Planned = Answer | Alias


def overlay(plan: Plan[T], changes: Mapping[Query, Planned]) -> Plan[T]:
    """Return *plan* with *changes* laid over the world, by name and type."""
    try:
        queries = next(plan)
        while True:
            queries = plan.send((yield from _answer(queries, changes)))
    except StopIteration as done:
        value: T = done.value
        return value


def _answer(
    queries: tuple[Query, ...], changes: Mapping[Query, Planned]
) -> Plan[tuple[Reply, ...]]:
    """Answer what is planned, and ask the rest at once."""
    planned = [changes.get(query) for query in queries]
    asked = tuple(
        replace(query, name=change.target) if isinstance(change, Alias) else query
        for query, change in zip(queries, planned, strict=True)
        if not isinstance(change, Answer)
    )
    replies = iter((yield from ask_all(asked)))
    return tuple(
        change if isinstance(change, Answer) else _through(change, next(replies))
        for change in planned
    )


def _through(alias: Alias | None, reply: Reply) -> Reply:
    """Write the alias, where there is one, into the answer at its target."""
    if alias is None or not isinstance(reply, Answer):
        return reply
    return replace(reply, aliases=(alias.target, *reply.aliases))
