"""Is what Exchange exports of the tenant there, readable, whole and fresh?

Microsoft has no interface for connectors, so an operator's job exports them to files, which the
agent reads again when they change. Everything else that is said of a tenant stands on these files:
where they are broken the last good ones are kept, and where the job has stopped what they say is
old. Both is told here, and nowhere as a fault of the tenant.

One run looks at how the last reading went; it reads nothing itself.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from agent.adapters.tenancies import Known
from agent.domain.fact import Fact, Table
from agent.domain.finding import Finding, Measurement, Outcome, Rule, Severity, Signal
from agent.domain.tenancy.objects import Export
from agent.domain.tenancy.scene import Work
from agent.probes.base import DEPENDENCY_DOWN, Check, Probe, Toolbox
from agent.settings import CheckSettings, Duration, Field, TenantSubject, write_duration

_JOB = "deploy/export-tenant.ps1"
_SCALE = "https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2"

UNREADABLE = Rule(
    code="export-unreadable",
    severity=Severity.UNKNOWN,
    summary="The tenant's export cannot be read",
    remedy="Nothing is known of the tenant. See that the files are where `import` says,"
    f" that the agent may read them, and that the job ({_JOB}) has run to its end.",
    reference=_SCALE,
)
BROKEN = Rule(
    code="export-broken",
    severity=Severity.UNKNOWN,
    summary="The tenant's new export is broken; the last good one is still believed",
    remedy="See what the finding says of the file, and run the export again. Until then changes in"
    " the tenant are not seen.",
    reference=_SCALE,
)
STALE = Rule(
    code="export-stale",
    severity=Severity.UNKNOWN,
    summary="The tenant's export is old",
    remedy=f"The job that exports has stopped, most likely: see its log, run {_JOB} once by hand,"
    " and look at the expiry of the certificate that it logs in with.",
    reference=_SCALE,
)
INCOMPLETE = Rule(
    code="export-incomplete",
    severity=Severity.WARNING,
    summary="The tenant's export leaves something out",
    remedy=f"What is left out is not judged. {_JOB} exports all of it.",
    reference=_SCALE,
)
NOT_UNDERSTOOD = Rule(
    code="export-not-understood",
    severity=Severity.WARNING,
    summary="Something in the tenant's export is not understood",
    remedy=f"What is not understood is not judged. {_JOB} writes names for numbers, and deep"
    " enough, in any PowerShell; by hand it is `ConvertTo-Json -Depth 5`, in PowerShell 7 with"
    " `-EnumsAsStrings`.",
    reference="https://learn.microsoft.com/powershell/module/microsoft.powershell.utility/convertto-json",
)
OVERRIDE_UNUSED = Rule(
    code="export-override-unused",
    severity=Severity.WARNING,
    summary="An override of the configuration fits no connector of the tenant",
    remedy="Write its `name` as Exchange has it, or as the label that the connector's checks have;"
    " take the override away where the connector is gone.",
    reference=_SCALE,
)
# Why an override stands among what is not checked: there is nothing that it could be said of.
UNUSED_OVERRIDE = "is in overrides, and the tenant has no connector of that name"

TIMESTAMP = Signal(
    name="mailflow_export_timestamp_seconds", help="When the export of the tenant was made."
)
READABLE = Signal(
    name="mailflow_export_readable", help="1 where the files can be read as they are now, else 0."
)
OBJECTS = Signal(
    name="mailflow_export_objects",
    help="Objects in the export of the tenant.",
    labels=("object",),
)
_KINDS = {
    "inbound": "inbound connectors",
    "outbound": "outbound connectors",
    "domains": "accepted domains",
    "rules": "mail flow rules",
    "dkim": "DKIM configurations",
}
_MOST = 20  # remarks of one finding
_MINUTE, _TWO_DAYS = timedelta(minutes=1), timedelta(days=2)


class ExportSettings(CheckSettings):
    """Settings of the check of a tenant's export."""

    interval: Duration = Field(
        default=timedelta(minutes=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )


async def run(check: Check[TenantSubject, ExportSettings], tools: Toolbox) -> Outcome:
    """Say how the last reading went, and how old what was read is."""
    assert tools.tenancies is not None  # noqa: S101 - the agent has them
    known = tools.tenancies[check.tenant]
    now = tools.clock.now()
    if known.tenancy is None:
        return Outcome(
            (UNREADABLE.found(known.trouble),), (READABLE.at(0),), failure="export-unreadable"
        )
    export = known.tenancy.export
    findings = [*_broken(known), *_stale(export, now, check.target.max_age)]
    findings += [*_incomplete(export), *_not_understood(known), *_unused(known, export)]
    failure = findings[0].rule.code if findings and findings[0].rule in (BROKEN, STALE) else ""
    return Outcome(tuple(findings), tuple(_measure(known, export)), _facts(known, export), failure)


def _broken(known: Known) -> Iterator[Finding]:
    if known.trouble:
        since = known.broken_since
        when = f" Since {since:%Y-%m-%d %H:%M} UTC." if since else ""
        yield BROKEN.found(f"{known.trouble}.{when}".replace("..", "."))


def _stale(export: Export, now: datetime, max_age: timedelta) -> Iterator[Finding]:
    at = export.exported_at
    if at is not None and now - at > max_age:
        yield STALE.found(
            f"It was made at {at:%Y-%m-%d %H:%M} UTC, {age_in_words(now - at)} ago; `max_age` is"
            f" {write_duration(max_age)}."
        )


def age_in_words(age: timedelta) -> str:
    """Write an age to the minute, and from two days on in days."""
    if age >= _TWO_DAYS:
        return f"{age.days} days"
    return write_duration(age // _MINUTE * _MINUTE)


def _incomplete(export: Export) -> Iterator[Finding]:
    absent = [title for name, title in _KINDS.items() if getattr(export, name) is None]
    if export.organisation is None:
        absent.append("organisation settings")
    if absent:
        yield INCOMPLETE.found(f"The files hold no {', no '.join(absent)}.")


def _not_understood(known: Known) -> Iterator[Finding]:
    if known.remarks:
        count = len(known.remarks)
        what = "One value is" if count == 1 else f"{count} values are"
        more = (f"and {count - _MOST} more",) if count > _MOST else ()
        yield NOT_UNDERSTOOD.found(f"{what} not understood.", *known.remarks[:_MOST], *more)


def _unused(known: Known, export: Export) -> Iterator[Finding]:
    """Yield a finding for the overrides of no connector, where all connectors are known."""
    if export.inbound is None or export.outbound is None:
        return
    names = [name for name, why in known.unchecked if why == UNUSED_OVERRIDE]
    if names:
        listed = ", ".join(repr(str(name)) for name in names[:_MOST])
        yield OVERRIDE_UNUSED.found(f"No connector is called {listed}.")


def _measure(known: Known, export: Export) -> Iterator[Measurement]:
    yield READABLE.at(0 if known.trouble else 1)
    if export.exported_at is not None:
        yield TIMESTAMP.at(export.exported_at.timestamp())
    for name in _KINDS:
        yield OBJECTS.at(len(getattr(export, name) or ()), name)


def _facts(known: Known, export: Export) -> dict[str, Fact]:
    rows = [
        (title, "not in the files" if getattr(export, name) is None else _count(export, name))
        for name, title in _KINDS.items()
    ]
    at = export.exported_at
    rows.append(("exported", f"{at:%Y-%m-%d %H:%M} UTC" if at else "nobody knows when"))
    facts: dict[str, Fact] = {"Export": Table(("what", "how many"), tuple(rows))}
    if known.unchecked:
        facts["Not proven by a check of its own"] = _unchecked(known.unchecked)
    return facts


def _unchecked(objects: tuple[tuple[str, str], ...]) -> Table:
    """Tell each reason once, with all that it keeps from being checked."""
    by_reason: dict[str, list[str]] = {}
    for name, why in objects:
        by_reason.setdefault(why, []).append(name)
    rows = [(str(len(names)), why, ", ".join(names)) for why, names in by_reason.items()]
    return Table(("how many", "why", "connectors"), tuple(rows))


def _count(export: Export, name: str) -> str:
    found = getattr(export, name)
    off = sum(not getattr(each, "is_on", True) for each in found)
    return f"{len(found)}, of which {off} off" if off else str(len(found))


def unfit(subject: TenantSubject) -> str:
    """Say why a tenant has no export to look at; nothing where it has."""
    return "" if subject.imports else "the tenant imports nothing"


async def on_export(
    check: Check[TenantSubject, Any], tools: Toolbox, work: Work[Outcome]
) -> Outcome:
    """Return what *work* says of the tenant, as it was last read whole and as DNS has it now.

    Unknown where it was never read, or has gone from the configuration meanwhile.
    """
    assert tools.tenancies is not None  # noqa: S101 - the agent has them
    known = tools.tenancies[check.tenant]
    if known.tenancy is None:
        return unread(known)
    outcome = await tools.tenancies.analyse(tools.recall, check.identity, check.tenant, work)
    return unread(known) if outcome is None else outcome


def unread(known: Known) -> Outcome:
    """Return what a check of a tenant says whose export was never read."""
    found = DEPENDENCY_DOWN.found(f"The export of the tenant: {known.trouble}")
    return Outcome((found,), failure="dependency-down")


PROBE = Probe(
    kind="export",
    subject=TenantSubject,
    settings=ExportSettings,
    run=run,
    rules=(UNREADABLE, BROKEN, STALE, INCOMPLETE, NOT_UNDERSTOOD, OVERRIDE_UNUSED),
    signals=(TIMESTAMP, READABLE, OBJECTS),
    unfit=unfit,
    example="{interval: 1m}",
)
