"""Is every host that sends the domain's mail authorised by SPF, within its limits, and nobody else?

Receivers read the domain's SPF record and compare it with the address that a message comes from. A
sender that is not covered has its mail refused or put in the junk folder; a record with a mistake
in it, or one that takes more than ten lookups, is a permanent error for every sender at once; a
record that is too wide lets strangers pass.

One run asks for the record itself; includes and all else come from the cache for as long as their
time to live allows. Every configured sender is evaluated as a receiver would: addresses and
networks at their ends, providers by samples out of the networks that they publish. Addresses that
must not pass are evaluated as well, with one documentation address of each family. The whole tree
of includes is read, counted and checked for what is known to go wrong. A changed record is reported
for a while, term by term, and remembered over restarts.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from agent.domain.finding import Outcome
from agent.domain.judgement import Judgement
from agent.domain.knowledge.clouds import CLOUDS
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.lookup import Plan, Unanswered
from agent.domain.spf import check_host
from agent.domain.spf_lint import Intent, lint
from agent.domain.spf_report import (
    RULES,
    SIGNALS,
    Picture,
    changed,
    draw_facts,
    failure_of,
    judge_senders,
    measure,
    record_text,
)
from agent.domain.spf_rules import TTL_LOW
from agent.domain.spf_senders import evaluate_senders, judge, strangers
from agent.domain.spf_survey import Bounds, Survey, survey
from agent.domain.together import together
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field

if TYPE_CHECKING:
    from agent.adapters.history import Seen

__all__ = ["PROBE", "SpfSettings", "evaluate", "run"]

evaluate = check_host  # one evaluation, as the command line shows it


class SpfSettings(CheckSettings):
    """Settings of an spf check."""

    warn_at_lookups: int = Field(
        default=8, ge=1, le=10, description="Lookups from which on the record is near its limit."
    )
    warn_at_void_lookups: int = Field(
        default=2, ge=1, le=3, description="Void lookups from which on; `3` for no early warning."
    )
    min_ttl: Duration = Field(
        default=timedelta(minutes=5), description="Lowest acceptable TTL of the record."
    )
    max_ttl: Duration = Field(
        default=timedelta(hours=48), description="Highest acceptable TTL of the record."
    )
    max_record_bytes: int = Field(
        default=450, ge=64, le=65535, description="Length beyond which the record is too long."
    )
    max_answer_bytes: int = Field(
        default=512,
        ge=64,
        le=65535,
        description="Size beyond which the answer with all TXT records is too large.",
    )
    report_changes_for: Duration = Field(
        default=timedelta(hours=1),
        description="How long a change of the record stays a finding; `0s` for never.",
    )

    def bounds(self) -> Bounds:
        """Return what the lints warn at."""
        return Bounds(
            self.warn_at_lookups,
            self.warn_at_void_lookups,
            int(self.min_ttl.total_seconds()),
            int(self.max_ttl.total_seconds()),
            self.max_record_bytes,
            self.max_answer_bytes,
        )


SpfCheck = Check[DomainSubject, SpfSettings]


async def run(check: SpfCheck, tools: Toolbox) -> Outcome:
    """Survey the domain, evaluate its senders, judge both and note the record."""
    judgement = await tools.recall.derive(check.identity, check, lambda: _judge(check, tools))
    return judgement.at(tools.clock.now())


def _judge(check: SpfCheck, tools: Toolbox) -> Plan[Judgement]:
    """Run only while DNS says something new; then the outcomes are the same objects."""
    found = yield from survey(check.subject)
    now = tools.clock.now()
    if isinstance(found.reply, Unanswered):
        reason = found.reply.reason
        outcome = Outcome(
            (DNS_UNANSWERED.found(f"TXT of {check.subject}: {reason}."),), failure=reason.value
        )
        return Judgement(outcome)
    picture = yield from _look(check, tools, found)
    text = record_text(found)
    key, news_for = f"{check.identity}#record", check.settings.report_changes_for
    seen = tools.history.note(key, text, now, news_for)
    settled = _settled(check, picture, seen)
    sure_from = now + check.settings.min_ttl
    if seen.changed_at is None:
        return Judgement(settled, premature=TTL_LOW, sure_from=sure_from)
    before = tools.history.stood(key)
    change = None if before is None else changed(seen.changed_at, before, text)
    news_until = seen.changed_at + news_for
    return Judgement(settled, change, news_until, TTL_LOW, sure_from)


def _look(check: SpfCheck, tools: Toolbox, found: Survey) -> Plan[Picture]:
    """Evaluate everybody who must pass, and everybody who must not."""
    known = dict(found.forest.replies)
    names = check.target.senders or TOPOLOGIES[check.target.topology].senders
    # The dmarc check of the domain asks the same.
    evaluation = tools.recall.share(
        ("senders", check.subject, names), lambda: evaluate_senders(check.subject, names)
    )
    (senders,) = yield from together((evaluation,), known)
    others = yield from judge(check.subject, strangers(check.target.not_senders), known)
    return Picture(found, senders.verdicts, others)


def _settled(check: SpfCheck, picture: Picture, seen: "Seen") -> Outcome:
    """Return all there is to say but the news."""
    unanswered = [
        DNS_UNANSWERED.found(f"{verdict.name}: {verdict.samples.problem}")
        for verdict in picture.senders
        if verdict.samples.unanswered
    ]
    unanswered += [
        DNS_UNANSWERED.found(verdict.unsure[0].sentence)
        for verdict in (*picture.senders, *picture.strangers)
        if verdict.unsure
    ]
    return Outcome(
        (
            *judge_senders(picture),
            *lint(picture.survey, check.settings.bounds(), _intent(check, picture)),
            *unanswered,
        ),
        measure(picture, (seen.changed_at or seen.first_seen).timestamp()),
        draw_facts(picture, seen.first_seen, seen.changed_at, seen.previous),
        failure_of(picture),
    )


def _intent(check: SpfCheck, picture: Picture) -> Intent:
    clouds = frozenset(one.name for one in picture.senders if one.name in CLOUDS)
    # What could not be told is not missing.
    covered = frozenset(
        one.name
        for one in picture.senders
        if one.is_authorised or one.unsure or not one.evaluations
    )
    sends = TOPOLOGIES[check.target.topology].sends
    return Intent(clouds, covered & clouds, sends, tuple(one.name for one in picture.senders))


PROBE = Probe(
    kind="spf",
    subject=DomainSubject,
    settings=SpfSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    example="{interval: 10m, warn_at_lookups: 9}",
    one_off=SpfSettings(),
)
