"""A tenant with an export, its DNS, and the tools that its checks are run with."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from agent.adapters.history import History
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.adapters.store import Store
from agent.adapters.tenancies import Known, Tenancies
from agent.domain.finding import Outcome
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import Export
from agent.probes.base import Check, Probe, Toolbox
from agent.settings import TenantSubject
from servers.dns import DnsServer
from servers.standings import HandClock


@dataclass
class TenantWorld:
    """Tenants whose exports are told by hand."""

    tools: Toolbox
    clock: HandClock
    tenancies: Tenancies
    subject: TenantSubject = field(
        default_factory=lambda: TenantSubject(name="contoso", imports=("contoso.json",))
    )

    def tell(self, export: Export, name: str = "contoso", **known: Any) -> None:
        """Let *export* be what was read of a tenant."""
        tenancy = Tenancy(name=name, export=export)
        self.tenancies.tell(name, Known(tenancy=tenancy, **known))

    async def run(self, probe: Probe[Any, Any], **settings: Any) -> Outcome:
        """Run the check of the tenant once."""
        check = Check("contoso", self.subject, probe, probe.settings(**settings))
        return await probe.run(check, self.tools)


@asynccontextmanager
async def tenant_world(zone: Mapping[tuple[str, str], Any]) -> AsyncIterator[TenantWorld]:
    """Give a world with a DNS server of its own."""
    async with DnsServer(dict(zone)) as server:
        clock = HandClock()
        resolver = Resolver((server.address,), clock, timeout=timedelta(milliseconds=500))
        await resolver.start()
        missing = cast("Any", None)
        tenancies = Tenancies()
        tools = Toolbox(
            resolver,
            clock,
            Recall(resolver),
            History(Store()),
            missing,
            missing,
            missing,
            tenancies=tenancies,
            sightings=tenancies.sightings,
        )
        try:
            yield TenantWorld(tools, clock, tenancies)
        finally:
            await resolver.close()
