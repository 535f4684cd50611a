"""Are forgeries of the domain refused, and is no mail of its own refused with them?

DMARC tells receivers what to do with mail in whose From field the domain stands and that neither
SPF nor DKIM vouches for. A record that is missing, published twice or misspelt protects nobody; a
policy that is enforced before every sender passes has good mail refused, and its sender is the only
one who learns of it.

One run asks for the record itself; all else comes from the cache for as long as its time to live
allows. Which record counts is found in both ways that receivers have, by the list of public
suffixes and by the walk up the tree. Each declared sender is evaluated: whether SPF passes and
aligns, whether a DKIM key is published that can align, and so what an enforced policy does to its
mail. The owners of report addresses in other domains are asked whether they want the reports.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from agent.domain.dmarc_lint import Intent, lint, unanswered
from agent.domain.dmarc_report import (
    SIGNALS,
    Picture,
    changed,
    draw_facts,
    judge_senders,
    measure,
    record_text,
)
from agent.domain.dmarc_rules import NONE
from agent.domain.dmarc_rules_tags import RULES
from agent.domain.dmarc_senders import look
from agent.domain.dmarc_survey import Survey, survey
from agent.domain.finding import Outcome
from agent.domain.judgement import Judgement
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.lookup import Plan
from agent.domain.peer_text import PeerText
from agent.domain.spf_senders import evaluate_senders
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field, HostPattern

if TYPE_CHECKING:
    from agent.adapters.history import Seen


class DmarcSettings(CheckSettings):
    """Settings of a dmarc check."""

    none_is_fine_for: Duration = Field(
        default=timedelta(days=90),
        description="How long `p=none` may last, counted from when this agent first saw it.",
    )
    hosted_by: tuple[HostPattern, ...] = Field(
        default=(),
        description="Hosts that the record may be an alias for, each exact or with one leading"
        " `*.`; by default names of the domain's own owner.",
    )
    report_changes_for: Duration = Field(
        default=timedelta(hours=1),
        description="How long a change of the record stays a finding; `0s` for never.",
    )


DmarcCheck = Check[DomainSubject, DmarcSettings]


async def run(check: DmarcCheck, tools: Toolbox) -> Outcome:
    """Survey the domain, evaluate its senders, judge both and note the record."""
    judgement = await tools.recall.derive(check.identity, check, lambda: _judge(check, tools))
    return judgement.at(tools.clock.now())


def _judge(check: DmarcCheck, tools: Toolbox) -> Plan[Judgement]:
    """Run only while DNS says something new; then the outcomes are the same objects."""
    found = yield from survey(check.subject)
    silent = unanswered(found)
    if silent is not None:
        reason = silent.reason
        detail = f"TXT of _dmarc.{check.subject}, or of a domain above it: {reason}."
        return Judgement(Outcome((DNS_UNANSWERED.found(detail),), failure=reason.value))
    topology = TOPOLOGIES[check.target.topology]
    senders = check.target.senders or topology.senders
    # The spf check of the domain evaluates the same senders.
    evaluation = tools.recall.share(
        ("senders", check.subject, senders), lambda: evaluate_senders(check.subject, senders)
    )
    selectors = check.target.dkim_selectors
    looked = yield from look(found.discovery, senders, selectors, evaluation)
    picture = Picture(found, looked)
    intent = Intent(topology.sends or bool(check.target.senders), check.settings.hosted_by)
    now = tools.clock.now()
    text = record_text(found)
    key, news_for = f"{check.identity}#record", check.settings.report_changes_for
    seen = tools.history.note(key, text, now, news_for)
    policy = tools.history.note(f"{check.identity}#policy", _policy(found), now)
    settled = _settled(picture, intent, seen)
    none_until = (policy.changed_at or policy.first_seen) + check.settings.none_is_fine_for
    if seen.changed_at is None:
        return Judgement(settled, premature=NONE, sure_from=none_until)
    before = tools.history.stood(key)
    change = None if before is None else changed(seen.changed_at, before, text)
    news_until = seen.changed_at + news_for
    return Judgement(settled, change, news_until, NONE, none_until)


def _policy(found: Survey) -> str:
    return found.discovery.enforced.value


def _settled(picture: Picture, intent: Intent, seen: "Seen") -> Outcome:
    """Return all there is to say but the news."""
    silences = (
        DNS_UNANSWERED.found(f"{PeerText(row.sender)}: {row.spf_aligned.why}; {row.dkim.why}.")
        for row in picture.silent
    )
    return Outcome(
        (*judge_senders(picture), *lint(picture.survey, intent), *silences),
        measure(picture, (seen.changed_at or seen.first_seen).timestamp()),
        draw_facts(picture, seen.first_seen, seen.changed_at, seen.previous),
        picture.senders.silence or "",
    )


PROBE = Probe(
    kind="dmarc",
    subject=DomainSubject,
    settings=DmarcSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    example="{interval: 15m, none_is_fine_for: 2160h}",
    one_off=DmarcSettings(none_is_fine_for=timedelta(0)),
)
