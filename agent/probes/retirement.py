"""What that the tenant uses will be switched off, or runs out, and when?

Microsoft takes away ways to log in and names of servers on days that are announced long before and
forgotten by then; certificates, secrets and keys end by themselves. One calendar holds all of it,
with what is in use of it here and what comes instead.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from agent.adapters.sightings import Seen
from agent.domain.finding import Outcome
from agent.domain.tenancy.landscape import Surroundings, Tenancy
from agent.domain.tenancy.retirement import SIGNALS, calendar, table
from agent.domain.tenancy.retirement_facts import Expiry, Facts, Login, seen_in
from agent.domain.tenancy.retirement_rules import RULES
from agent.domain.tenancy.ways import Ways
from agent.probes.base import Check, Probe, Toolbox
from agent.probes.export import on_export, unfit
from agent.settings import CheckSettings, Duration, Field, TenantSubject

_END_OF_DAY = time(23, 59, 59, tzinfo=UTC)


class RetirementSettings(CheckSettings):
    """Settings of a check of what comes to an end."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )


async def run(check: Check[TenantSubject, RetirementSettings], tools: Toolbox) -> Outcome:
    """Put together what is in use, and look it up in the calendar."""
    assert tools.tenancies is not None  # noqa: S101 - the agent has them
    shown, now = dict(tools.tenancies.sightings.certificates()), tools.clock.now()

    def work(tenancy: Tenancy, ways: Ways) -> Outcome:
        found = calendar(_facts(check.target, tenancy, ways.seen, shown), now)
        return Outcome(found.findings, found.measurements, {"Calendar": table(found)})

    return await on_export(check, tools, work)


def _facts(
    target: TenantSubject, tenancy: Tenancy, seen: Surroundings, shown: Mapping[str, Seen]
) -> Facts:
    exchanges = {
        name: seen.exchanges[name].hosts
        for name in tenancy.export.domain_names
        if name in seen.exchanges
    }
    return replace(
        seen_in(tenancy.export),
        logins=tuple(
            Login(each.protocol, each.host, each.is_password, each.whose) for each in target.logins
        ),
        exchanges=exchanges,
        senders=target.senders,
        expiries=(
            *(
                Expiry("secret", "secret", each.whose, datetime.combine(each.expires, _END_OF_DAY))
                for each in target.secrets
            ),
            *_certificates(tenancy, exchanges, shown),
        ),
    )


def _certificates(
    tenancy: Tenancy, exchanges: dict[str, tuple[str, ...]], shown: Mapping[str, Seen]
) -> tuple[Expiry, ...]:
    """Return the certificates that were seen at the hosts that take the tenant's mail."""
    smart = (host.lower() for each in tenancy.export.outbound or () for host in each.smart_hosts)
    hosts = {*smart, *(host for hosts in exchanges.values() for host in hosts)}
    return tuple(
        Expiry("certificate", "certificate", host, shown[host].not_after)
        for host in sorted(hosts)
        if host in shown
    )


PROBE = Probe(
    kind="retirement",
    subject=TenantSubject,
    settings=RetirementSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    unfit=unfit,
    example="{interval: 1h}",
)
