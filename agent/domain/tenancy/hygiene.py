"""Is a tenant's mail flow set up as Microsoft's pages ask?

Every connector, accepted domain, rule and key of one tenant is held against what the pages say of
it, and against where DNS says that mail goes. What an export leaves out is never a fault. Who
claims whose mail, and what goes in a circle, are other questions.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from agent.domain.finding import Finding, Rule
from agent.domain.tenancy import (
    hygiene_inbound,
    hygiene_outbound,
    hygiene_rules,
    hygiene_rules_domains,
    hygiene_rules_inbound,
    hygiene_rules_outbound,
)
from agent.domain.tenancy.hygiene_addresses import addresses
from agent.domain.tenancy.hygiene_domains import domains
from agent.domain.tenancy.hygiene_filtering import filtering
from agent.domain.tenancy.hygiene_needs import needs
from agent.domain.tenancy.hygiene_records import records
from agent.domain.tenancy.hygiene_upkeep import upkeep
from agent.domain.tenancy.hygiene_view import Wishes, look
from agent.domain.tenancy.hygiene_wiring import wiring
from agent.domain.tenancy.landscape import Surroundings, Tenancy

__all__ = ["RULES", "Wishes", "hygiene"]

RULES: tuple[Rule, ...] = (
    *hygiene_rules.RULES,
    *hygiene_rules_inbound.RULES,
    *hygiene_rules_outbound.RULES,
    *hygiene_rules_domains.RULES,
)
"""Every rule of hygiene."""

_WISHES = Wishes()


def hygiene(
    tenancy: Tenancy, surroundings: Surroundings, now: datetime, wishes: Wishes = _WISHES
) -> Iterator[Finding]:
    """Yield what is wrong with one tenant by itself, the same in whatever order its objects are.

    *now* is an aware time, as those of the export are.
    """
    view = look(tenancy, surroundings, now, wishes)
    yield from chain(
        needs(view),
        filtering(view),
        wiring(view),
        hygiene_outbound.connectors(view),
        hygiene_inbound.connectors(view),
        addresses(view),
        domains(view),
        records(view),
        upkeep(view),
    )
