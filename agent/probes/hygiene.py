"""Is the tenant's configuration as it should be, object by object?

Mistakes in connectors, accepted domains and mail flow rules wait for the day on which they matter:
a restriction without a value, a partner connector that locks nothing, a rule that names a connector
that was switched off, a certificate policy weaker than was wished. One run reads what the tenant
has exported, asks DNS where its domains' mail comes in, and says what is wrong, with the line of
PowerShell that mends it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from agent.domain.finding import Finding, Outcome
from agent.domain.lookup import Silence
from agent.domain.tenancy.hygiene import RULES, Wishes, hygiene
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.seeing import unanswered
from agent.domain.tenancy.ways import Ways
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.probes.export import on_export, unfit
from agent.settings import CheckSettings, Duration, Field, TenantSubject

_NAMED = 5  # names in a sentence


class HygieneSettings(CheckSettings):
    """Settings of a check of a tenant's objects."""

    interval: Duration = Field(
        default=timedelta(minutes=10),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    max_validation_age: Duration = Field(
        default=timedelta(days=180),
        description="Age from which on the validation of an outbound connector is told as old.",
    )
    disabled_for: Duration = Field(
        default=timedelta(days=30),
        description="How long a connector may be off before it is told as a leftover.",
    )
    tls: Literal["any", "certificate-validation", "domain-validation"] = Field(
        default="any", description="TlsSettings that an outbound connector must have at least."
    )
    reject_direct_send: bool | None = Field(
        default=None, description="What RejectDirectSend should be; nothing is asked by default."
    )

    def wishes(self) -> Wishes:
        """Return what the operator wants of the tenant."""
        return Wishes(
            max_validation_age=self.max_validation_age,
            disabled_for=self.disabled_for,
            tls=self.tls,
            reject_direct_send=self.reject_direct_send,
        )


async def run(check: Check[TenantSubject, HygieneSettings], tools: Toolbox) -> Outcome:
    """Judge each object of the tenant's export."""
    now, wishes = tools.clock.now(), check.settings.wishes()

    def work(tenancy: Tenancy, ways: Ways) -> Outcome:
        found = tuple(hygiene(tenancy, ways.seen, now, wishes))
        silent = unanswered(tenancy, ways.seen)
        if not silent:
            return Outcome(found)
        return Outcome((*found, _unanswered(silent)), failure=next(iter(silent.values())).value)

    return await on_export(check, tools, work)


def _unanswered(silent: Mapping[str, Silence]) -> Finding:
    """Say of what DNS did not speak; what follows from it is not judged, here or anywhere."""
    names = [f"{name} ({why})" for name, why in silent.items()]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return DNS_UNANSWERED.found(
        f"No answer for {', '.join(names[:_NAMED])}{more}: where the tenant's mail comes in and"
        " goes to is not known in full, so not everything is judged."
    )


PROBE = Probe(
    kind="hygiene",
    subject=TenantSubject,
    settings=HygieneSettings,
    run=run,
    rules=RULES,
    depends_on=("resolver",),
    unfit=unfit,
    example="{interval: 10m, tls: certificate-validation}",
)
