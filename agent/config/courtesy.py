"""Which checks ask the servers of others more often than those may like?

A server that is tried every few seconds takes this machine for a spammer, and turns it away, or has
it listed where others look it up. It is the operator's to decide, so it is a note and no mistake.
"""

from collections.abc import Iterator
from typing import Any

from agent.config.errors import Path
from agent.config.model import Probes, attribute
from agent.config.tenant_model import OVERRIDES, imported, listed
from agent.settings import write_duration


def hasty(file: Any, probes: Probes) -> Iterator[tuple[Path, str]]:
    """Yield the intervals of *file* that are shorter than is polite, and what the default is."""
    courteous = [probe for probe in probes if probe.polite]
    for path, checks in _written(file):
        for probe in courteous:
            own = getattr(checks, attribute(probe), None)
            if own is None or "interval" not in own.model_fields_set:
                continue
            if own.interval < probe.polite:
                what = (
                    f"every {write_duration(own.interval)} is often for a check that talks to"
                    " servers of others, which may turn this machine away; the default is"
                    f" {write_duration(probe.settings().interval)}"
                )
                yield (*path, probe.kind, "interval"), what


def _written(file: Any) -> Iterator[tuple[Path, Any]]:
    """Yield every section ``checks`` of *file*, with its path."""
    yield ("checks",), file.checks
    for number, tenant in enumerate(file.tenants):
        path: Path = ("tenants", number)
        for _, place, subject in listed(tenant):
            yield (*path, *place, "checks"), subject.checks
        exports = imported(tenant)
        for index, override in enumerate(exports.overrides if exports else ()):
            yield (*path, "connectors", OVERRIDES, index, "checks"), override.checks
