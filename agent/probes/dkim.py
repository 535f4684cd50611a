"""Does every selector of the domain lead to a key that receivers accept, and to nobody else's?

A receiver checks the signature of a message with a key out of DNS, at the selector that the
signature names. A key that is missing, cut off, revoked or too short makes every signature fail;
the alias of a selector that leads to the wrong name does so at the next rotation. A key that can be
broken, or an alias that a stranger can take over, lets others sign as the domain.

DNS cannot list selectors: they come from the configuration, from the tenant's export, from the
topology and from what is known of the senders. One run asks for their records; all else comes from
the cache. What an invented selector answers is asked as well, because behind a wildcard an answer
proves nothing. Exchange Online signs under one of two selectors: the other may have no key yet.
Keys are remembered, so that a rotation is seen, and a key that nobody ever rotates.
"""

from datetime import timedelta

from agent.domain.dkim_lint import lint
from agent.domain.dkim_report import (
    SIGNALS,
    Picture,
    Seen,
    changes,
    draw_facts,
    key_of,
    measure,
    old,
    state,
)
from agent.domain.dkim_rules import OLD
from agent.domain.dkim_rules_keys import RULES
from agent.domain.dkim_selectors import Intent
from agent.domain.dkim_survey import Survey, survey
from agent.domain.finding import Outcome
from agent.domain.judgement import Judgement
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.lookup import Plan
from agent.domain.tenancy.objects import DkimConfig
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field


class DkimSettings(CheckSettings):
    """Settings of a dkim check."""

    max_key_age: Duration = Field(
        default=timedelta(days=730),
        description="How long a key may stay the same, counted from when this agent first saw it.",
    )
    report_changes_for: Duration = Field(
        default=timedelta(hours=1),
        description="How long a change of a key stays a finding; `0s` for never.",
    )


DkimCheck = Check[DomainSubject, DkimSettings]


async def run(check: DkimCheck, tools: Toolbox) -> Outcome:
    """Survey the domain's selectors, judge them and note their keys."""
    config = _exported(check, tools)
    seen = tools.sightings.selectors(check.subject) if tools.sightings is not None else ()
    intent = _intent(check, config, seen)
    judgement = await tools.recall.derive(
        check.identity, (check, config, seen), lambda: _judge(check, tools, intent)
    )
    return judgement.at(tools.clock.now())


def _exported(check: DkimCheck, tools: Toolbox) -> DkimConfig | None:
    """Return what the tenant's export says of the domain's signing; None where it says nothing."""
    tenancy = tools.tenancies[check.tenant].tenancy if tools.tenancies is not None else None
    configs = tenancy.export.dkim if tenancy is not None else None
    return next((each for each in configs or () if each.domain == check.subject), None)


def _judge(check: DkimCheck, tools: Toolbox, intent: Intent) -> Plan[Judgement]:
    """Run only while DNS, the export or a message says something new; else it stays the same."""
    found = yield from survey(check.subject, intent)
    now, settings = tools.clock.now(), check.settings
    picture = _remember(check, tools, found, intent)
    silent = found.silences
    findings = [*lint(found, intent)]
    findings += [DNS_UNANSWERED.found(f"TXT of {one.name}: {one.silence}.") for one in silent]
    aged = old(picture, settings.max_key_age) if intent.sends else None
    if aged is not None:
        findings.append(aged[0])
    failure = str(silent[0].silence) if silent else ""
    settled = Outcome(tuple(findings), measure(picture), draw_facts(picture), failure)
    sure_from = aged[1] if aged is not None else None
    change = changes(picture, now, settings.report_changes_for)
    if change is None or picture.changed_at is None:
        return Judgement(settled, premature=OLD, sure_from=sure_from)
    news_until = picture.changed_at + settings.report_changes_for
    return Judgement(settled, change, news_until, OLD, sure_from)


def _intent(check: DkimCheck, config: DkimConfig | None, seen: tuple[str, ...]) -> Intent:
    target = check.target
    topology = TOPOLOGIES[target.topology]
    is_said = target.topology != "custom" or bool(target.senders or target.dkim_selectors or seen)
    return Intent(
        sends=topology.sends and is_said,
        is_parked=not topology.sends,
        senders=target.senders or topology.senders,
        selectors=target.dkim_selectors,
        config=config,
        seen=seen,
    )


def _remember(check: DkimCheck, tools: Toolbox, found: Survey, intent: Intent) -> Picture:
    """Note what each selector says; a silence leaves what was known."""
    now, news_for = tools.clock.now(), check.settings.report_changes_for
    before: dict[str, str | None] = {}
    records: dict[str, Seen] = {}
    keys: dict[str, Seen] = {}
    for one in found.selectors:
        name = one.wanted.selector
        if one.silence is None:
            place = f"{check.identity}#{name}"
            records[name] = tools.history.note(place, state(one), now, news_for)
            before[name] = tools.history.stood(place)
        if one.record is not None and one.record.key is not None:
            keys[name] = tools.history.note(f"{check.identity}#key {name}", key_of(one.record), now)
    return Picture(found, intent, records, keys, before)


PROBE = Probe(
    kind="dkim",
    subject=DomainSubject,
    settings=DkimSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    example="{interval: 15m, max_key_age: 17520h}",
    one_off=DkimSettings(),
)
