"""What do the settings of the organisation say, which two cmdlets tell?"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from agent.domain.tenancy.export_kinds import Found
from agent.domain.tenancy.export_objects import NAMED_BY, TENANT_IDS, Properties, read_fields
from agent.domain.tenancy.export_values import label
from agent.domain.tenancy.objects import Organisation

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NO_TENANT = "00000000-0000-0000-0000-000000000000"


def organisation_of(found: Iterable[Found]) -> Organisation:
    """Return what the newest objects say; what one leaves out an older one may tell."""
    values: dict[str, Any] = {}
    kept = [each for each in found if each.kind in ("org", "transport")]
    for each in sorted(kept, key=lambda each: each.asked_at):
        said = read_fields("org", each.properties) | read_fields("transport", each.properties)
        if each.kind == "org":
            said["tenant_id"] = tenant_id_of(each.properties)
            said["name"] = next(_names(each.properties), "")
        values |= {field: value for field, value in said.items() if value not in (None, "")}
    return Organisation(**values)


def _names(properties: Properties) -> Iterator[str]:
    for name in NAMED_BY["org"]:
        yield from filter(None, (label(properties.cell(name)),))


def tenant_id_of(properties: Properties) -> str:
    """Return the id of the tenant in Entra, in lower case; empty where nothing tells it.

    The property of that meaning goes before the object's own Guid.
    """
    for name in TENANT_IDS:
        found = _GUID.finditer(label(properties.cell(name)).lower())
        ids = {match[0] for match in found} - {_NO_TENANT}
        if len(ids) == 1:
            return ids.pop()
    return ""
