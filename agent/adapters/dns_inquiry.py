"""How is a plan driven that asks both the resolver and single servers?

Its questions for the resolver go there, and the others past it. Servers out of strangers' DNS are
asked within *reach*; resolvers of the configuration, which are to find out, wherever they are.
"""

from typing import Literal, Protocol, TypeVar, cast

from agent.adapters.plans import Resolves
from agent.domain.direct import DirectQuery, Heard
from agent.domain.lookup import Query, Reply, Silence, Unanswered
from agent.domain.nameservers_zone import Ask, Inquiry, Told

T = TypeVar("T")

Within = Literal["public", "private"]
_NOBODY = Unanswered(Silence.UNREACHABLE, "nobody asks single servers here")


class Asks(Protocol):
    """Whatever asks single servers."""

    async def ask_all(
        self, queries: tuple[DirectQuery, ...], reach: Literal["public", "private", "any"]
    ) -> tuple[Heard, ...]:
        """Ask independent questions; the answers in their order."""
        ...


async def inquire(
    plan: Inquiry[T], resolver: Resolves, direct: Asks | None, reach: Within = "public"
) -> T:
    """Run a plan and return its result."""
    try:
        asked = next(plan)
        while True:
            asked = plan.send(await _answer(asked, resolver, direct, reach))
    except StopIteration as done:
        return cast("T", done.value)


async def _answer(
    asked: tuple[Ask, ...], resolver: Resolves, direct: Asks | None, reach: Within
) -> tuple[Told, ...]:
    """Answer one batch, in its order."""
    queries = tuple(each for each in asked if isinstance(each, Query))
    singles = tuple(each for each in asked if isinstance(each, DirectQuery))
    for_servers = tuple(each for each in singles if not each.recursive)
    for_resolvers = tuple(each for each in singles if each.recursive)
    told: dict[int, Reply | Heard] = {}
    if queries:
        told |= zip(map(id, queries), await resolver.resolve_all(queries), strict=True)
    if direct is None:
        told |= {id(each): _NOBODY for each in singles}
    else:
        told |= zip(map(id, for_servers), await direct.ask_all(for_servers, reach), strict=True)
        told |= zip(map(id, for_resolvers), await direct.ask_all(for_resolvers, "any"), strict=True)
    return tuple(told[id(each)] for each in asked)
