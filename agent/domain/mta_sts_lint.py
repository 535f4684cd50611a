"""What is wrong with a domain's MTA-STS policy?

One function for each question, over a :class:`agent.domain.mta_sts_picture.Picture`. What did not
answer is no absence: nothing is said that depends on it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.domain import mta_sts_rules as rules
from agent.domain.finding import Finding, bounded
from agent.domain.lookup import Answer, Unanswered
from agent.domain.mta_sts_lint_host import lint_host
from agent.domain.mta_sts_lint_record import lint_record, publish
from agent.domain.mta_sts_picture import Change, Intent, Picture, is_same, left_out, recollect
from agent.domain.mta_sts_terms import Fault, Mode, Policy, describe
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText

DAY = timedelta(days=1)
_FORGOTTEN_AFTER = timedelta(days=31)  # where the max_age of an earlier policy is not known
_ROUTINE = timedelta(days=7)  # that an id may follow its policy late


def lint(picture: Picture, intent: Intent) -> tuple[Finding, ...]:
    """Return what is wrong, what loses mail first."""
    return bounded(
        (
            *_coverage(picture),
            *_certificates(picture),
            *_updates(picture, intent),
            *lint_record(picture, intent),
            *lint_host(picture, intent),
            *_grammar(picture),
            *_mode(picture, intent),
            *_leftovers(picture),
        )
    )


def shown(name: str) -> PeerText:
    """Make the name of a host safe to show, whole."""
    return PeerText(name, MAX_NAME)


def _coverage(picture: Picture) -> Iterator[Finding]:
    policy, uncovered = picture.policy, picture.uncovered
    if policy is None or policy.mode is Mode.NONE or not uncovered:
        return
    rule = rules.UNCOVERED if policy.mode is Mode.ENFORCE else rules.WOULD_NOT_COVER
    count = len(picture.survey.exchanges)
    names = ", ".join(map(shown, uncovered[:5])) + (", ..." if len(uncovered) > 5 else "")  # noqa: PLR2004
    noun = "exchange" if count == 1 else "exchanges"
    detail = f"No `mx` of the policy covers {names}, {len(uncovered)} of {count} {noun}."
    notes = [note for each in uncovered if (note := _near_miss(policy, each))]
    lines = [f"add: mx: {shown(each)}" for each in uncovered]
    fix = f"mx: {shown(uncovered[0])}" if len(uncovered) == 1 else ""
    yield rule.found(detail, *notes, *lines, fix=fix)


def _meant(policy: Policy, exchange: str) -> str:
    """Return the wildcard that was meant to cover more than a wildcard does; empty without."""
    for each in policy.patterns:
        if each.startswith("*.") and (exchange.endswith(each[1:]) or exchange == each[2:]):
            return each
    return ""


def _near_miss(policy: Policy, exchange: str) -> str:
    """Say why a wildcard does not cover what it was meant for."""
    near = _meant(policy, exchange)
    return near and f"{shown(near)} stands for one label and does not cover {shown(exchange)}"


def _certificates(picture: Picture) -> Iterator[Finding]:
    """Hold what other checks saw at the exchanges against the policy."""
    policy = picture.policy
    if policy is None or policy.mode is Mode.NONE:
        return
    rule = rules.EXCHANGE_CERTIFICATE
    if policy.mode is Mode.TESTING:
        rule = rules.CERTIFICATE_WOULD_FAIL
    for exchange in picture.survey.exchanges:
        seen = picture.exchanges.get(exchange)
        flaws = seen.flaws(exchange, picture.now) if seen else ()
        if flaws:
            yield rule.found(f"{shown(exchange)}: its certificate {' and '.join(flaws)}.")


def _updates(picture: Picture, intent: Intent) -> Iterator[Finding]:
    """Compare how the id and the policy have changed."""
    change, policy = picture.past.announced, picture.policy
    known = recollect(change.before) if change else None
    if change is None or known is None or policy is None:
        return
    version, before = known
    since = f"since {change.at:%Y-%m-%d %H:%M} UTC"
    if version == picture.survey.version:
        # Senders keep the one from before until it ends (section 3.2).
        if not is_same(before, policy) and picture.now < change.at + timedelta(
            seconds=before.max_age
        ):
            yield from _stale(picture, policy, before, since)
    elif is_same(before, policy) and _is_news(change, intent, picture.now):
        changed = picture.past.policy_changed_at
        if changed is None or change.at - changed > _ROUTINE:
            detail = f"The id was {PeerText(version)} before, with the same policy."
            yield rules.POLICY_UNCHANGED.found(detail)


def _stale(picture: Picture, policy: Policy, before: Policy, since: str) -> Iterator[Finding]:
    fix = publish(picture.survey.domain, picture.now)
    lines = tuple(_difference(before, policy))
    lost = left_out(before, picture.survey.exchanges) if before.mode is Mode.ENFORCE else ()
    if policy.mode is Mode.ENFORCE:
        lost = tuple(each for each in lost if policy.covers(each))  # the others are told already
    if lost:
        names = ", ".join(map(shown, lost[:5]))
        detail = f"The id is the same {since}, and the policy before does not cover {names}."
        yield rules.OLD_POLICY_LOSES.found(detail, *lines, fix=fix)
    else:
        detail = f"The policy differs {since}, and the id is the same."
        yield rules.ID_UNCHANGED.found(detail, *lines, fix=fix)


def _difference(before: Policy, after: Policy) -> Iterator[str]:
    for name in ("mode", "max_age"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{name}: {old}, now {new}"
    for each in before.patterns:
        if each not in after.patterns:
            yield f"- mx: {shown(each)}"
    for each in after.patterns:
        if each not in before.patterns:
            yield f"+ mx: {shown(each)}"


def _is_news(change: Change, intent: Intent, now: datetime) -> bool:
    return now < change.at + intent.report_changes_for


def _grammar(picture: Picture) -> Iterator[Finding]:
    document = picture.fetched.document if picture.fetched else None
    # Of a page that came in place of the file it is enough to say so once.
    if document is None or (picture.fetched and picture.fetched.trouble and not document.lines):
        return
    fatal = [each for each in document.faults if each.is_fatal]
    others = [each for each in document.faults if not each.is_fatal]
    for rule, faults in ((rules.POLICY_INVALID, fatal), (rules.POLICY_UNTIDY, others)):
        if faults:
            detail = describe(faults[0], "line")
            yield rule.found(f"{detail[0].upper()}{detail[1:]}.", *_more(faults))


def _more(faults: list[Fault]) -> Iterator[str]:
    """Return the hint of the first of *faults*, and all of the others."""
    if faults[0].hint:
        yield faults[0].hint
    for each in faults[1:]:
        hint = f" {each.hint}" if each.hint else ""
        yield f"{describe(each, 'line')}.{hint}"


def _mode(picture: Picture, intent: Intent) -> Iterator[Finding]:
    policy, since = picture.policy, picture.past.mode_since
    mode = policy.mode if policy else None
    if mode is None and isinstance(picture.survey.reply, Answer) and not picture.is_announced:
        mode = Mode.NONE
    if intent.expected != "any" and mode is not None and mode.value != intent.expected:
        detail = f"The mode is {mode}, and {intent.expected} is expected."
        if not picture.is_announced:
            detail = f"No policy is announced, and {intent.expected} is expected."
        yield rules.EXPECTED.found(detail)
    if policy is None or since is None or intent.expected == policy.mode.value:
        return
    told = f"It is so since {since:%Y-%m-%d} at least."
    if policy.mode is Mode.TESTING and picture.now >= since + intent.testing_is_fine_for:
        yield rules.TESTING_LONG.found(told, fix="mode: enforce")
    if policy.mode is Mode.NONE and picture.now >= since + _forgotten_after(picture):
        yield rules.NONE_LEFT_OVER.found(told)


def _forgotten_after(picture: Picture) -> timedelta:
    """Return after what time no sender knows the policy from before."""
    change = picture.past.announced
    known = recollect(change.before) if change else None
    return timedelta(seconds=known[1].max_age) if known else _FORGOTTEN_AFTER


def _leftovers(picture: Picture) -> Iterator[Finding]:
    """Look at how long a policy lasts, and at hosts in it that nobody delivers to."""
    policy, survey = picture.policy, picture.survey
    if policy is None or policy.mode is Mode.NONE:
        return
    if policy.mode is Mode.ENFORCE and policy.max_age < DAY.total_seconds():
        detail = f"`max_age` is {policy.max_age} seconds."
        yield rules.MAX_AGE_SHORT.found(detail, fix="max_age: 1209600")
    if isinstance(survey.mx, Unanswered):
        return
    fitting = {fit for each in survey.exchanges for fit in (each, f"*.{each.partition('.')[2]}")}
    # A wildcard that was meant for an exchange and is too short for it is no leftover.
    fitting |= {near for each in picture.uncovered if (near := _meant(policy, each))}
    unused = [shown(each) for each in policy.patterns if each not in fitting]
    if unused:
        names = ", ".join(unused[:5]) + (", ..." if len(unused) > 5 else "")  # noqa: PLR2004
        detail = f"No MX record names a host that fits {names}."
        yield rules.UNUSED_PATTERN.found(detail, *(f"remove: mx: {each}" for each in unused))
