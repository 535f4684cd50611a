"""How is a plan driven that asks both the resolver and single servers?

Its questions for the resolver go there, and the others past it. Servers out of strangers' DNS are
asked within *reach*; resolvers of the configuration, which are to find out, wherever they are. The
only one of them has said what the resolver knows, and is not asked for it again.
"""

from typing import Literal, Protocol, TypeVar, cast

from agent.adapters.plans import Resolves
from agent.domain.direct import Code, DirectQuery, Heard, Said
from agent.domain.lookup import Query, Reply, Silence, Unanswered
from agent.domain.nameservers_zone import Ask, Inquiry, Told

T = TypeVar("T")

Within = Literal["public", "private"]
_NOBODY = Unanswered(Silence.UNREACHABLE, "nobody asks single servers here")


class Stub(Resolves, Protocol):
    """Whatever answers queries by asking *servers*."""

    @property
    def servers(self) -> tuple[tuple[str, int], ...]:
        """The resolvers of the configuration."""
        ...


class Asks(Protocol):
    """Whatever asks single servers."""

    async def ask_all(
        self, queries: tuple[DirectQuery, ...], reach: Literal["public", "private", "any"]
    ) -> tuple[Heard, ...]:
        """Ask independent questions; the answers in their order."""
        ...


async def inquire(
    plan: Inquiry[T], resolver: Stub, direct: Asks | None, reach: Within = "public"
) -> T:
    """Run a plan and return its result."""
    try:
        asked = next(plan)
        while True:
            asked = plan.send(await _answer(asked, resolver, direct, reach))
    except StopIteration as done:
        return cast("T", done.value)


async def _answer(
    asked: tuple[Ask, ...], resolver: Stub, direct: Asks | None, reach: Within
) -> tuple[Told, ...]:
    """Answer one batch, in its order."""
    queries = tuple(each for each in asked if isinstance(each, Query))
    singles = tuple(each for each in asked if isinstance(each, DirectQuery))
    known = tuple(each for each in singles if _is_known(each, resolver.servers))
    for_servers = tuple(each for each in singles if not each.recursive)
    for_resolvers = tuple(
        each for each in singles if each.recursive and not _is_known(each, resolver.servers)
    )
    told: dict[int, Reply | Heard] = {}
    if queries:
        told |= zip(map(id, queries), await resolver.resolve_all(queries), strict=True)
    if known:
        same = tuple(Query(each.name, each.type) for each in known)
        replies = await resolver.resolve_all(same)
        told |= zip(map(id, known), map(_as_heard, replies), strict=True)
    if direct is None:
        told |= {id(each): _NOBODY for each in (*for_servers, *for_resolvers)}
    else:
        told |= zip(map(id, for_servers), await direct.ask_all(for_servers, reach), strict=True)
        told |= zip(map(id, for_resolvers), await direct.ask_all(for_resolvers, "any"), strict=True)
    return tuple(told[id(each)] for each in asked)


def _is_known(query: DirectQuery, servers: tuple[tuple[str, int], ...]) -> bool:
    """Tell whether the resolver's own answer is that of the server that is to be asked."""
    is_plain = query.recursive and not (query.signed or query.unchecked or query.by_tcp)
    return is_plain and servers == ((str(query.server), query.port),)


def _as_heard(reply: Reply) -> Heard:
    if isinstance(reply, Unanswered):
        return reply
    code = Code.NOERROR if reply.name_exists else Code.NXDOMAIN
    return Said(code, reply.records, reply.ttl, reply.aliases, authentic=reply.authentic)
