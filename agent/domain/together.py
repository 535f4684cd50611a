"""How do several plans share their questions?

:func:`together` runs plans side by side: each round asks what all of them want next, once. A reply
is remembered, so that a name that a hundred evaluations need is asked for once in all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.domain.lookup import Plan, Query, Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """A plan has come to its end."""

    value: T


def together(plans: Sequence[Plan[T]], known: dict[Query, Reply]) -> Plan[tuple[T, ...]]:
    """Run *plans* side by side and return their results in order.

    *known* holds the replies so far and is added to. A query is asked as fresh where any plan
    wants it fresh.
    """
    results: dict[int, T] = {}
    waiting: dict[int, tuple[Query, ...]] = dict.fromkeys(range(len(plans)), ())
    started = False
    while waiting:
        if started:
            asked = _missing(waiting.values(), known)
            known.update(zip(asked, (yield asked), strict=True))
        for index, queries in tuple(waiting.items()):
            step = _advance(plans[index], queries if started else None, known)
            if isinstance(step, _Done):
                results[index] = step.value
                del waiting[index]
            else:
                waiting[index] = step
        started = True
    return tuple(results[index] for index in range(len(plans)))


def _advance(
    plan: Plan[T], queries: tuple[Query, ...] | None, known: dict[Query, Reply]
) -> tuple[Query, ...] | _Done[T]:
    """Take one plan as far as the known replies go."""
    try:
        queries = next(plan) if queries is None else queries
        while all(query in known for query in queries):
            queries = plan.send(tuple(known[query] for query in queries))
    except StopIteration as done:
        return _Done(done.value)
    return queries


def _missing(batches: Iterable[tuple[Query, ...]], known: dict[Query, Reply]) -> tuple[Query, ...]:
    """List what nobody has asked yet, once each, as fresh where anybody wants that."""
    wanted: dict[Query, Query] = {}
    for queries in batches:
        for query in queries:
            if query not in known and (query not in wanted or query.fresh):
                wanted[query] = query
    return tuple(wanted.values())
