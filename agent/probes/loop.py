"""Would mail of this tenant go round in a circle?

The way of a message follows from MX records, connectors in their documented order, mail flow rules,
types of accepted domains and attribution. One run sends messages through that graph, without one
octet on a wire: for each accepted domain, from the internet and from within, to recipients that
exist and to some that do not. A way that comes back to where it was is a loop, which Exchange cuts
after twenty rounds: it is told with the whole path and with what to change, before mail flows.
"""

from datetime import timedelta

from agent.domain.finding import Outcome
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.loops import RULES, loops
from agent.domain.tenancy.picture import routing_picture
from agent.domain.tenancy.ways import Ways
from agent.probes.base import Check, Probe, Toolbox
from agent.probes.export import on_export, unfit
from agent.settings import CheckSettings, Duration, Field, TenantSubject


class LoopSettings(CheckSettings):
    """Settings of a check of the ways that a tenant's mail would go."""

    interval: Duration = Field(
        default=timedelta(minutes=10),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )


async def run(check: Check[TenantSubject, LoopSettings], tools: Toolbox) -> Outcome:
    """Send messages through the graph of the tenant's routing, and draw it."""
    return await on_export(check, tools, _follow)


def _follow(tenancy: Tenancy, ways: Ways) -> Outcome:
    return Outcome(
        tuple(loops(tenancy, ways.landscape, ways)),
        facts={"Routing": routing_picture(tenancy, ways.landscape, ways)},
    )


PROBE = Probe(
    kind="loop",
    subject=TenantSubject,
    settings=LoopSettings,
    run=run,
    rules=RULES,
    depends_on=("resolver",),
    unfit=unfit,
    example="{interval: 10m}",
)
