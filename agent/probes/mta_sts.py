"""Do senders keep to TLS with the domain, and does the policy that tells them so fit the exchanges?

MTA-STS lets a domain demand that mail to it goes over TLS only, to hosts that it names, with valid
certificates. A record in DNS announces the policy, a web server of the domain's own serves it;
Exchange Online obeys the policies of others and serves none of its customers'. A policy in mode
enforce that was forgotten when the MX records changed has every obeying sender keep the mail, and
the domain's owner sees nothing.

One run asks for the record itself. Where it announces a policy, the file is fetched as senders do
it, without following a redirect, and the web server's certificate is judged in full. The exchanges
of the MX records are held against the policy, and so are the certificates that other checks have
seen there lately. What the id and the policy were before is remembered, because senders fetch a
policy anew only when the id changes. No policy at all is fine, unless `expected` says otherwise.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from agent.adapters.https import PORT
from agent.adapters.https_shown import WebGlance
from agent.domain.finding import Finding, Outcome
from agent.domain.lookup import Answer, Unanswered
from agent.domain.mta_sts_lint import lint
from agent.domain.mta_sts_lint_host import place_of
from agent.domain.mta_sts_picture import (
    Change,
    Fetched,
    Intent,
    Past,
    Picture,
    Shown,
    announcement,
)
from agent.domain.mta_sts_report import SIGNALS, draw_facts, measure
from agent.domain.mta_sts_rules import NOT_LOOKED, RULES
from agent.domain.mta_sts_survey import Survey, survey
from agent.domain.smtp import Reason
from agent.domain.tls import Presented
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field

if TYPE_CHECKING:
    from agent.adapters.history import Seen
    from agent.adapters.policies import Found

_SHARE = 0.8  # of the run's deadline that fetching may take
_SHARE_OF_CONTROLS = 0.08  # of it that looking at well-known hosts may take, twice
_LATELY = timedelta(days=1)  # within which another check must have seen a certificate


class MtaStsSettings(CheckSettings):
    """Settings of an mta-sts check."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    expected: Literal["any", "enforce", "testing", "none"] = Field(
        default="any",
        description="The mode that the policy must have; `none` also for no policy at all, `any`"
        " for whatever the domain publishes.",
    )
    testing_is_fine_for: Duration = Field(
        default=timedelta(days=90),
        description="How long `mode: testing` may last, counted from when this agent first saw it.",
    )
    warn_before_expiry: Duration = Field(
        default=timedelta(days=14),
        description="How long before its end the certificate of the policy's host is worth a"
        " warning.",
    )
    report_changes_for: Duration = Field(
        default=timedelta(hours=1),
        description="How long a change of the policy's host, or of an id without its policy, stays"
        " a finding; `0s` for never.",
    )


MtaStsCheck = Check[DomainSubject, MtaStsSettings]


async def run(check: MtaStsCheck, tools: Toolbox) -> Outcome:
    """Survey the domain, fetch the policy and judge both."""
    found = await tools.recall.derive(check.identity, check, lambda: survey(check.subject))
    if isinstance(found.reply, Unanswered):
        reason = found.reply.reason
        detail = f"TXT of {found.name}: {reason}."
        return Outcome((DNS_UNANSWERED.found(detail),), failure=reason.value)
    fetched, presented = await _fetch(check, tools, found)
    between = await _who_stands_between(check, tools, presented)
    now = tools.clock.now()
    seen = Picture(found, now, fetched, presented, _exchanges(tools, found, now))
    past = _past(check.identity, tools, seen)
    picture = Picture(found, now, fetched, presented, seen.exchanges, past, between)
    settings = check.settings
    intent = Intent(
        settings.expected,
        settings.testing_is_fine_for,
        settings.warn_before_expiry,
        settings.report_changes_for,
    )
    findings = (*lint(picture, intent), *_silences(found))
    return Outcome(
        findings, tuple(measure(picture)), draw_facts(picture), _failure(picture, findings)
    )


def _silences(found: Survey) -> Iterator[Finding]:
    if found.version and isinstance(found.mx, Unanswered):
        yield DNS_UNANSWERED.found(f"MX of {found.domain}: {found.mx.reason}.")


def _failure(picture: Picture, findings: tuple[Finding, ...]) -> str:
    """Return why something could not be told."""
    found = picture.survey
    if found.version and isinstance(found.mx, Unanswered):
        return found.mx.reason.value
    if any(each.rule is NOT_LOOKED for each in findings):
        return found.host.silence.value if found.host.silence else Reason.NO_EGRESS.value
    return ""


async def _fetch(
    check: MtaStsCheck, tools: Toolbox, found: Survey
) -> tuple[Fetched | None, Presented | None]:
    """Fetch the policy and look at its host, both at once, where there is one to fetch."""
    if not found.version:
        return None, None
    if not found.host.is_public:
        # A planned policy is judged before there is a host to serve it.
        planned = tools.policies.planned(found.domain) if tools.policies else None
        return (_read(planned) if planned else Fetched()), None
    if tools.policies is None:
        return Fetched(trouble="nothing is fetched here", is_ours=True), None
    within = _SHARE * check.settings.timeout
    glance = WebGlance(tools.dialer, tools.trust, tools.clock)
    keep = (
        check.settings.interval / 2
    )  # each run of its own fetches; one asked for between does not
    policy, presented = await asyncio.gather(
        tools.policies.of(found.domain, found.version, within, keep),
        glance.at(found.host.name, found.host.addresses, within),
    )
    return _read(policy), presented


async def _who_stands_between(
    check: MtaStsCheck, tools: Toolbox, presented: Presented | None
) -> str:
    """Return a well-known host for which the same untrusted authority signs, as seen from here."""
    uplink = tools.egress.uplink if tools.egress is not None else None
    if presented is None or uplink is None:
        return ""
    controls = [each.rpartition(":")[0] for each in uplink.controls if each.endswith(f":{PORT}")]
    within = _SHARE_OF_CONTROLS * check.settings.timeout / max(1, len(controls))
    glance = WebGlance(tools.dialer, tools.trust, tools.clock)
    return await glance.who_stands_between(presented, controls, tools.resolver, within)


def _read(found: "Found") -> Fetched:
    return Fetched(found.document, found.kept_from, found.is_ours)


def _exchanges(tools: Toolbox, found: Survey, now: datetime) -> Mapping[str, Shown]:
    """Return the certificates that other checks have seen at the exchanges lately."""
    if tools.sightings is None:
        return {}
    known = tools.sightings.certificates()
    return {
        exchange: Shown(seen.names, seen.not_after, seen.is_trusted)
        for exchange in found.exchanges
        if (seen := known.get(exchange)) and now - seen.seen_at <= _LATELY
    }


def _past(identity: str, tools: Toolbox, picture: Picture) -> Past:
    """Note what was seen, and return what is known from before.

    A policy that could not be had leaves what is known of the last one.
    """
    found, policy, now = picture.survey, picture.policy, picture.now
    note = tools.history.note
    host = None
    if found.version and found.host.addresses:
        host = _change(note(f"{identity}#host", place_of(picture), now))
    if policy is None:
        is_gone = isinstance(found.reply, Answer) and not found.texts
        announced = _change(note(f"{identity}#policy", "", now)) if is_gone else None
        return Past(announced, host=host)
    announced = _change(note(f"{identity}#policy", announcement(found.version, policy), now))
    alone = note(f"{identity}#file", announcement("", policy), now)
    mode = note(f"{identity}#mode", policy.mode.value, now)
    return Past(announced, alone.changed_at, mode.changed_at or mode.first_seen, host)


def _change(seen: "Seen") -> Change | None:
    if seen.changed_at is None:
        return None
    return Change(seen.changed_at, seen.previous or "")


PROBE = Probe(
    kind="mta-sts",
    subject=DomainSubject,
    settings=MtaStsSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    after=("exchange",),
    example="{interval: 1h, expected: enforce}",
    one_off=MtaStsSettings(testing_is_fine_for=timedelta(0)),
)
