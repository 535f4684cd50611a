"""What is a tenant, as its export and what an operator says of it have it?

Apart from the configuration's other modules, so that a command that reads one export loads little.
"""

import re

from agent.domain.tenancy.objects import Export
from agent.domain.tenancy.tenancies import Tenancy
from agent.settings.tenant_subject import TenantSubject

LONGEST = 64  # characters of a name of the configuration
_UNFIT = re.compile(r"[^a-z0-9.-]+")


def tenancy_of(subject: TenantSubject, export: Export) -> Tenancy:
    """Return a tenant as its *export* and the configuration have it."""
    stated = export.organisation.tenant_id if export.organisation else ""
    return Tenancy(
        name=subject.name,
        export=export,
        topologies=dict(subject.topologies),
        gateways=subject.gateways,
        presents=subject.presents,
        tenant_id=subject.tenant_id or stated,
    )


def label_of(name: str) -> str:
    """Return *name* as a name of the configuration; empty where nothing of it can stand there."""
    return _UNFIT.sub("-", name.lower())[:LONGEST].strip("-.")
