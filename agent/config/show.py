"""What is in force, defaults included and secrets masked?"""

from collections.abc import Iterable
from typing import Any

from agent.config.model import OFF, SECTION_OF_KIND
from agent.probes.base import Check
from agent.settings import TenantSubject


def in_force(file: Any, checks: Iterable[Check[Any, Any]]) -> dict[str, Any]:
    """Return *file* as plain data in which each subject shows the settings it is checked with."""
    data: dict[str, Any] = file.model_dump(mode="json", by_alias=True)
    settings = {
        (check.tenant, check.target.kind, check.subject, check.probe.kind): check.settings
        for check in checks
    }
    for tenant in data["tenants"]:
        shown = [(TenantSubject.kind, tenant)]
        for kind, (section, _, _) in SECTION_OF_KIND.items():
            # Imported ones are not in the file.
            shown += [(kind, each) for each in tenant[section] if isinstance(tenant[section], list)]
        for kind, subject in shown:
            for probe in subject["checks"]:
                found = settings.get((tenant["name"], kind, subject["name"], probe))
                subject["checks"][probe] = (
                    OFF if found is None else found.model_dump(mode="json", by_alias=True)
                )
    return data
