"""Where would this message go, and why?

A deterministic walk over what the tenants have configured and what DNS says: places, and what the
message carries there. Of both there are finitely many, so that the walk ends, or comes back to
where it was: that is a loop, and it is reported with the step to change.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.domain.tenancy.at_exchange import at_edge
from agent.domain.tenancy.in_tenant import in_tenant
from agent.domain.tenancy.journey_values import (
    CUT,
    OF_SERVERS,
    OF_TENANT,
    ROUNDS,
    By,
    Cause,
    End,
    Journey,
    Loop,
    Message,
    Move,
    Spot,
    State,
    Step,
)
from agent.domain.tenancy.landscape import Landscape
from agent.domain.tenancy.objects import Export
from agent.domain.tenancy.outside import from_gateway, from_internet, from_server, from_service
from agent.domain.tenancy.ways import Ways

__all__ = ["By", "Cause", "End", "Journey", "Loop", "Message", "Step", "travel"]

_MOVES: Mapping[Spot, Callable[[State, Message, Ways], Move]] = MappingProxyType(
    {
        "internet": from_internet,
        "exchange": at_edge,
        "tenant": in_tenant,
        "gateway": from_gateway,
        "server": from_server,
        "service": from_service,
    }
)
_ORDER = tuple(Cause)
_OWN_SERVERS = "own servers"


def travel(message: Message, landscape: Landscape, ways: Ways | None = None) -> Journey:
    """Follow a message until its way ends, is not known, or comes back to itself.

    *ways* is what was found out about the landscape before, for many journeys through it. Raises
    KeyError where the origin names a tenant that is not in the landscape.
    """
    known = ways if ways is not None else Ways(landscape)
    place: State | End = _start(message, landscape)
    seen: dict[State, int] = {}
    steps: list[Step] = []
    while isinstance(place, State):
        if place in seen:
            return Journey(message, tuple(steps), _looped(tuple(steps), seen[place]))
        seen[place] = len(steps)
        step, place = _MOVES[place.spot](place, message, known)
        steps.append(step)
    return Journey(message, tuple(steps), place)


def _start(message: Message, landscape: Landscape) -> State:
    if message.origin.startswith(OF_TENANT):
        name = landscape[message.origin.removeprefix(OF_TENANT)].name
        return State(spot="tenant", name=name, trusted=True)
    if message.origin.startswith(OF_SERVERS):
        tenancy = landscape[message.origin.removeprefix(OF_SERVERS)]
        return State(
            spot="server", name=tenancy.export.once(_server_of), tenant=tenancy.name, leg="origin"
        )
    return State(spot="internet", name="")


def _server_of(export: Export) -> str:
    """Return a name for a tenant's own servers: that of a smart host, where one is known."""
    hosts = [
        host.lower()
        for each in export.outbound or ()
        if each.is_on and each.connector_type == "on-premises" and not each.is_transport_rule_scoped
        for host in each.smart_hosts
    ]
    return min(hosts, default=_OWN_SERVERS)


def _looped(steps: tuple[Step, ...], start: int) -> End:
    """Return the end of a way that comes back to the step *start*."""
    cycle = steps[start:]
    hop = _hops(steps[:start]) + ROUNDS * _hops(cycle)
    return End("looped", text=CUT, loop=Loop(cycle, edge_of(cycle), hop))


def _hops(steps: tuple[Step, ...]) -> int:
    """Count the servers; attribution and tenant are one of them."""
    return sum(step.spot != "exchange" for step in steps)


def edge_of(cycle: tuple[Step, ...]) -> Step:
    """Return the step of a cycle that is to be changed: the one with the most telling cause.

    Mail that leaves a tenant by MX is to blame only where nothing else is.
    """
    blamed = [step for step in cycle if step.cause is not None]
    order = {cause: place for place, cause in enumerate(_ORDER)}
    if not blamed:
        return next((step for step in cycle if step.spot == "tenant"), cycle[0])
    return min(blamed, key=lambda step: (order[step.cause or Cause.DNS_ROUTING], str(step.by)))
