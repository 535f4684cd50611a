"""Would Exchange Online take another's mail for this tenant's, or this tenant's for another's?

Exchange decides by certificate, sender and recipient which tenant a connection belongs to. Where
two tenants, or a provider and its customers, name the same certificate or address, the wrong one
claims the mail: it loops, vanishes, or is relayed in a stranger's name, and it may work for years
until Microsoft moves a tenant. Only who sees the configuration of several tenants can tell before.
Where a route ends in a domain of the tenant, what Exchange stamped on its mail is compared, too.
"""

from datetime import timedelta

from agent.domain.finding import Outcome
from agent.domain.tenancy.attribution_lint import RULES, claims, foreign_stamp
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.ways import Ways
from agent.probes.base import Check, Probe, Toolbox
from agent.probes.export import on_export, unfit
from agent.settings import CheckSettings, Duration, Field, TenantSubject


class AttributionSettings(CheckSettings):
    """Settings of a check of whose mail a tenant's connectors claim."""

    interval: Duration = Field(
        default=timedelta(minutes=10),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )


async def run(check: Check[TenantSubject, AttributionSettings], tools: Toolbox) -> Outcome:
    """Compare what the tenant's connectors name with all that is known of others."""
    assert tools.tenancies is not None  # noqa: S101 - the agent has them
    sightings = tools.tenancies.sightings

    def work(tenancy: Tenancy, ways: Ways) -> Outcome:
        stamped = sightings.tenants(tenancy.export.domain_names)
        return Outcome((*claims(tenancy, ways.landscape), *foreign_stamp(tenancy, stamped)))

    return await on_export(check, tools, work)


PROBE = Probe(
    kind="attribution",
    subject=TenantSubject,
    settings=AttributionSettings,
    run=run,
    rules=RULES,
    depends_on=("resolver",),
    unfit=unfit,
    example="{interval: 10m}",
)
