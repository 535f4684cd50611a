"""Whose mail does a tenant claim that is not its own, and who claims its mail?

The rules that Microsoft published for inbound connectors (message center post MC1226222), for one
tenant and across all that are configured: nothing is asked of Exchange Online, and a fault is found
before the first message takes the wrong way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.domain.finding import Finding
from agent.domain.tenancy import attribution_rules as rules
from agent.domain.tenancy.attribution_across import (
    claimed,
    claims_others,
    maybe_shared,
    shared,
    wildcard,
)
from agent.domain.tenancy.attribution_addresses import shared_addresses
from agent.domain.tenancy.attribution_alone import (
    Fronts,
    own_as_partner,
    partner_missing,
    third_parties,
    unaccepted,
)
from agent.domain.tenancy.holds import Cover, Hold, Rivalry, holds, rivalries
from agent.domain.tenancy.landscape import Landscape, Tenancy
from agent.domain.tenancy.objects import Inbound

__all__ = ["RULES", "claims", "foreign_stamp"]

RULES = rules.RULES
_NAMED = 3  # ids in a sentence; the evidence has them all


def claims(tenancy: Tenancy, landscape: Landscape) -> Iterator[Finding]:
    """Yield what is wrong with the attribution of a tenant's mail, and of others' by it.

    The tenant must be in the landscape. The findings are those of this tenant alone: where two are
    at odds, each has its own.
    """
    exposed = (tenancy, *landscape.exposed_to(tenancy.name))
    held = [each for other in exposed for each in holds(tenancy, other, landscape)]
    rivals = [each for other in exposed[1:] for each in rivalries(tenancy, other, landscape)]
    fronts = tuple(third_parties(tenancy, landscape.surroundings))
    around = _Around(held, rivals, fronts)
    for connector in landscape.ties(tenancy.name).claimants:
        yield from _of_connector(connector, tenancy, landscape, around)
    yield from claimed(tenancy, landscape)
    for connector in tenancy.export.inbound or ():
        yield from own_as_partner(connector, tenancy)


def foreign_stamp(tenancy: Tenancy, seen_tenant_ids: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding where a message of the tenant was stamped with another tenant's id.

    *seen_tenant_ids* are those of the X-MS-Exchange-CrossTenant headers of messages that took the
    tenant's own ways. Quiet where the tenant's own id is not known.
    """
    organisation = tenancy.export.organisation
    own = (tenancy.tenant_id or (organisation.tenant_id if organisation else "")).lower()
    foreign = sorted({each.lower() for each in seen_tenant_ids if each} - {own})
    if own and foreign:
        detail = f"{tenancy.name} is {own}; messages carry {', '.join(foreign[:_NAMED])}"
        yield rules.FOREIGN_STAMP.found(detail, *foreign)


@dataclass(frozen=True, slots=True)
class _Around:
    """What all connectors of a tenant claim, who claims the same, and the filters in front."""

    held: list[Hold]
    rivals: list[Rivalry]
    fronts: Fronts


def _of_connector(
    connector: Inbound, tenancy: Tenancy, landscape: Landscape, around: _Around
) -> Iterator[Finding]:
    """Yield the findings of one connector, the gravest alone where one remedy ends several."""
    mine = [each for each in around.held if each.connector is connector]
    sure = [each for each in mine if each.cover is Cover.YES]
    others = [each for each in around.rivals if each.mine is connector]
    grave = [*claims_others(connector, sure, tenancy, landscape), *shared(connector, others)]
    missing = partner_missing(connector, tenancy, landscape.surroundings, around.fronts)
    front = [] if grave else list(missing)
    yield from grave
    yield from front
    if not grave and not front:
        yield from unaccepted(connector, tenancy, landscape.surroundings)
    if not sure:
        yield from maybe_shared(connector, mine)
    yield from wildcard(connector, others)
    yield from shared_addresses(connector, tenancy, landscape, () if front else around.fronts)
