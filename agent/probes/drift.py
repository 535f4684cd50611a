"""What changed in the tenant's configuration, and did anybody mean it?

Mail flow breaks when somebody changes it. Every export is compared with the one before, object by
object, in Exchange's own words. A change stays a finding for a while; one by which a connector is
gone, switched off or holds back less than before is critical, because nobody does that by the way.
The changes of thirty days are remembered over restarts, and shown. Exports do not say who made
them: the audit log of the tenant does.
"""

from datetime import datetime, timedelta

from agent.domain.fact import Fact, Table
from agent.domain.finding import Outcome, Signal
from agent.domain.tenancy.drift import Change
from agent.domain.tenancy.drift_rules import RULES, judge_drift
from agent.probes.base import Check, Probe, Toolbox
from agent.probes.export import unfit, unread
from agent.settings import CheckSettings, Duration, Field, TenantSubject

_REMEMBERED = timedelta(days=30)
_SHOWN = 100

CHANGES = Signal(
    name="mailflow_drift_changes",
    help="Changes of the tenant's configuration that were seen within `report_changes_for`.",
)


class DriftSettings(CheckSettings):
    """Settings of a check of what changed in a tenant."""

    interval: Duration = Field(
        default=timedelta(minutes=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    report_changes_for: Duration = Field(
        default=timedelta(hours=24),
        le=_REMEMBERED,
        description="How long a change stays a finding; `0s` for never.",
    )


async def run(check: Check[TenantSubject, DriftSettings], tools: Toolbox) -> Outcome:
    """Tell the changes of the last time, and show those of the last thirty days."""
    assert tools.tenancies is not None  # noqa: S101 - the agent has them
    known = tools.tenancies[check.tenant]
    if known.tenancy is None:
        return unread(known)
    now = tools.clock.now()
    changes = tools.tenancies.changes(check.tenant, now, _REMEMBERED)
    wanted = check.settings.report_changes_for
    recent = tuple(each for each in changes if each.seen_at and now - each.seen_at < wanted)
    return Outcome(tuple(judge_drift(recent)), (CHANGES.at(len(recent)),), _facts(changes))


def _facts(changes: tuple[Change, ...]) -> dict[str, Fact]:
    if not changes:
        return {}
    latest = tuple(reversed(changes))[:_SHOWN]
    rows = tuple(
        (
            _time(each.at or each.seen_at),
            f"{each.kind} {each.name}",
            f"{each.what} {each.property}".strip(),
            each.before,
            each.after,
        )
        for each in latest
    )
    return {"Changes of thirty days": Table(("when", "object", "what", "from", "to"), rows)}


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


PROBE = Probe(
    kind="drift",
    subject=TenantSubject,
    settings=DriftSettings,
    run=run,
    rules=RULES,
    signals=(CHANGES,),
    unfit=unfit,
    example="{report_changes_for: 24h}",
)
