"""Do all name servers of the domain answer, and do they say the same?

A resolver asks any one of the servers that the zone above delegates to, and what that one says is
the truth for whoever asked. A server that knows nothing of the zone costs time; one with an old
copy of it sends a part of the mail the old way; and whoever changes the delegation has the domain.

One run asks the zone above for the delegation, every server at every address for the zone, and
those that speak for it for all that mail needs, past every cache; and the resolvers of the
configuration for the same. Where port 53 of others cannot be reached from here, nobody is accused.
Servers differ by right while a change spreads: that they do is a finding once it lasts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from agent.adapters.dns_inquiry import inquire
from agent.domain import nameservers_answers as answers
from agent.domain import nameservers_rules as rules
from agent.domain.direct import Address
from agent.domain.dkim_selectors import Intent, wanted
from agent.domain.fact import Text
from agent.domain.finding import Finding, Outcome, bounded
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.mx import matches_any
from agent.domain.names import MAX_NAME
from agent.domain.nameservers import Survey, survey
from agent.domain.nameservers_lint import lint
from agent.domain.nameservers_report import draw
from agent.domain.nameservers_signals import SIGNALS, measure
from agent.domain.nameservers_soa import soa_of
from agent.domain.past import come, gone, moment, remembered
from agent.domain.peer_text import PeerText
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field, HostPattern

if TYPE_CHECKING:
    from agent.adapters.history import Seen

_DAY = 86400
_SHOWN = 40  # servers of a delegation that are shown and compared
_RESOLVERS = 4  # of the configuration that are asked

_BLIND = "No name server answers from here: this network may let nobody ask but its own resolver."
_NO_ZONE = (
    "No name server serves the name: it does not exist, or nothing above it; see its mx check."
)
_NO_WAY = (rules.OUT_OF_REACH, rules.INTERCEPTED)


class NameserversSettings(CheckSettings):
    """Settings of a nameservers check."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    expected: tuple[HostPattern, ...] = Field(
        default=(),
        description="Name servers that the domain may be delegated to, each exact or with one"
        " leading `*.`; by default those that were seen first, and a change is reported.",
    )
    report_changes_for: Duration = Field(
        default=timedelta(hours=24),
        description="How long a change of the delegation stays a finding; `0s` for never.",
    )
    answers_may_differ_for: Duration = Field(
        default=timedelta(minutes=15),
        description="How long name servers may differ while a change spreads. A resolver has the"
        " records' time to live besides.",
    )
    serials_may_differ_for: Duration = Field(
        default=timedelta(minutes=15),
        description="How long a server may keep an older serial than others, besides the `refresh`"
        " of the zone's SOA record.",
    )
    min_ttl: Duration = Field(
        default=timedelta(minutes=5), description="Lowest acceptable TTL of what mail needs."
    )
    max_ttl: Duration = Field(
        default=timedelta(days=7), description="Highest acceptable TTL of what mail needs."
    )
    reach: Literal["public", "private"] = Field(
        default="public",
        description="Whether name servers at addresses of an inside network are asked too; what"
        " DNS names is else only asked where it is on the Internet.",
    )

    must_reach: bool = Field(
        default=True,
        description="Whether the result is unknown where no name server can be asked from here, as"
        " behind a firewall that shuts port 53; else only the facts say so.",
    )


NameserversCheck = Check[DomainSubject, NameserversSettings]


async def run(check: NameserversCheck, tools: Toolbox) -> Outcome:
    """Ask everybody, and judge what was heard."""
    plan = survey(check.subject, _selectors(check), _places(tools))
    found = await inquire(plan, tools.resolver, tools.direct, check.settings.reach)
    if found.silence is not None:
        reason = found.silence.reason
        detail = f"NS of {check.subject}: {reason}."
        return Outcome((DNS_UNANSWERED.found(detail),), failure=reason.value)
    if not await _is_believed(check, tools, found):
        detail = f"NS of {check.subject}: the resolver knows no control name."
        return Outcome((DNS_UNANSWERED.found(detail),), failure="unreachable")
    if found.zone is None:
        return Outcome((), measure(found, None), draw(found), idle=_NO_ZONE)
    now = tools.clock.now()
    seen = _note_delegation(check, tools, found, now)
    own = tuple(lint(found, reach=check.settings.reach))
    findings = bounded(
        (
            *(each for each in own if check.settings.must_reach or each.rule not in _NO_WAY),
            *_lint_delegation(check, tools, found, seen, now),
            *_lint_lasting(check, tools, found, now),
            *answers.lint_times(
                found,
                int(check.settings.min_ttl.total_seconds()),
                int(check.settings.max_ttl.total_seconds()),
            ),
            *answers.lint_wildcards(found),
        )
    )
    facts = draw(found)
    if seen is not None:
        past = remembered(seen.first_seen, seen.changed_at)
        facts |= {"delegation": _told(found), "changes": Text("\n".join(past))}
    since = None if seen is None else seen.changed_at or seen.first_seen
    is_blind = any(each.rule in _NO_WAY for each in own)
    failure = "unreachable" if is_blind and check.settings.must_reach else ""
    idle = _BLIND if is_blind and not findings else ""
    return Outcome(findings, measure(found, since), facts, failure, idle=idle)


def _selectors(check: NameserversCheck) -> tuple[str, ...]:
    """Return the selectors whose keys are compared: those that are surely in use."""
    target = check.target
    topology = TOPOLOGIES[target.topology]
    if not topology.sends or (target.topology == "custom" and not target.dkim_selectors):
        return ()
    senders = target.senders or topology.senders
    intent = Intent(senders=senders, selectors=target.dkim_selectors)
    return tuple(one.selector for one in wanted(check.subject, intent) if one.is_expected)


def _places(tools: Toolbox) -> tuple[tuple[Address, int], ...]:
    """Return the resolvers of the configuration."""
    places = (
        server.address.rpartition(":") for server in tools.resolver.stats.servers[:_RESOLVERS]
    )
    return tuple((ip_address(host), int(port)) for host, _, port in places)


async def _is_believed(check: NameserversCheck, tools: Toolbox, found: Survey) -> bool:
    """Tell whether the delegation is as it was, or else the resolver sees DNS.

    To the gate of a network no zone is delegated, so that the one above looks like the domain's.
    """
    source, names = found.zone.told if found.zone else ("", ())
    known = tools.history.last(f"{check.identity}#{source}") if names else None
    if known is not None and known == "\n".join(_lines(found)):
        return True
    return await tools.recall.sees()


def _note_delegation(
    check: NameserversCheck, tools: Toolbox, found: Survey, now: datetime
) -> "Seen | None":
    """Note the delegation; what the zone above says and what the resolver says are two things."""
    source, names = found.zone.told if found.zone else ("", ())
    if not names:
        return None
    news_for = check.settings.report_changes_for
    text = "\n".join(_lines(found))
    return tools.history.note(f"{check.identity}#{source}", text, now, news_for)


def _lines(found: Survey) -> list[str]:
    """Return the delegation, one server a line: the same for the same."""
    zone = found.zone
    names = sorted(zone.told[1]) if zone else []
    lines = [f"{PeerText(zone.name)} NS {PeerText(name, MAX_NAME)}" for name in names if zone]
    return [*lines[:_SHOWN], *([f"and {len(lines) - _SHOWN} more"] if lines[_SHOWN:] else [])]


def _lint_delegation(
    check: NameserversCheck, tools: Toolbox, found: Survey, seen: "Seen | None", now: datetime
) -> Iterator[Finding]:
    """Yield servers that the operator does not expect, or a change where nothing is expected."""
    names = found.zone.told[1] if found.zone else ()
    settings = check.settings
    if settings.expected:
        strange = [name for name in names if not matches_any(settings.expected, name)]
        for name in strange:
            detail = f"{PeerText(name, MAX_NAME)} is none of {', '.join(settings.expected)}."
            yield rules.UNEXPECTED.found(detail)
        return
    if seen is not None:
        yield from _lint_change(check, tools, found, seen, now)


def _lint_change(
    check: NameserversCheck, tools: Toolbox, found: Survey, seen: "Seen", now: datetime
) -> Iterator[Finding]:
    """Yield a change from what has stood for long; what was put back is none any more."""
    source = found.zone.told[0] if found.zone else ""
    lines, changed_at = _lines(found), seen.changed_at
    before = tools.history.stood(f"{check.identity}#{source}")
    if changed_at is None or before is None:
        return
    if now >= changed_at + check.settings.report_changes_for:
        return
    old = before.splitlines()
    added, removed = come(old, lines), gone(old, lines)
    if added or removed:
        detail = f"{len(added)} added and {len(removed)} removed at {moment(changed_at)}."
        yield rules.CHANGED.found(detail, *added, *removed)


def _lint_lasting(
    check: NameserversCheck, tools: Toolbox, found: Survey, now: datetime
) -> Iterator[Finding]:
    """Yield differences that have lasted for longer than a change takes to spread."""

    def lasts(key: str, text: str, allowed: float) -> bool:
        seen = tools.history.note(f"{check.identity}#{key}", text, now)
        since = seen.changed_at or seen.first_seen
        return bool(text) and (now - since).total_seconds() >= allowed

    settings = check.settings
    patience = settings.answers_may_differ_for.total_seconds()
    hint = "" if patience else "; it may be a change on its way"
    apart = answers.splits(found)
    if lasts("splits", "\n".join(each.text for each in apart), patience):
        yield from answers.lint_splits(apart, hint)
    late, soa = answers.lag(found), soa_of(found)
    allowed = settings.serials_may_differ_for.total_seconds()
    allowed += min(soa.refresh, _DAY) if soa and allowed else 0
    text = "\n".join(f"{each.voice.address} {each.serial}" for each in late)
    if lasts("serials", text, allowed):
        yield from answers.lint_serials(late, hint)
    other = answers.deviations(found)
    # A single look knows no time before itself; a cache may hold what was there.
    ttl = max((each.ttl for each in other), default=0) if patience else 0
    if lasts("resolvers", "\n".join(each.text for each in other), patience + ttl):
        yield from answers.lint_deviations(other, hint)


def _told(found: Survey) -> Text:
    is_above = found.zone is not None and bool(found.zone.delegation)
    by = "told by the zone above" if is_above else "told by the resolver"
    return Text("\n".join([*_lines(found), by]))


PROBE = Probe(
    kind="nameservers",
    subject=DomainSubject,
    settings=NameserversSettings,
    run=run,
    rules=rules.RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    example="{interval: 1h, report_changes_for: 24h}",
    # Many networks let nobody ask but their own resolver: no news about the domain.
    one_off=NameserversSettings(
        answers_may_differ_for=timedelta(0), serials_may_differ_for=timedelta(0), must_reach=False
    ),
)
