"""What is wrong with the host that serves an MTA-STS policy?"""

from collections.abc import Iterator

from agent.domain import mta_sts_rules as rules
from agent.domain.finding import Finding
from agent.domain.mta_sts_picture import Intent, Picture
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.tls import Fault, Flaw, judge

_WEAK = (Flaw.WEAK_KEY, Flaw.WEAK_SIGNATURE, Flaw.NAME_AMBIGUOUS, Flaw.STALE_STAPLE)
_ALIASES = 10


def lint_host(picture: Picture, intent: Intent) -> Iterator[Finding]:
    """Say why senders do not get the policy, or soon will not."""
    host = picture.survey.host
    is_missing = not host.addresses and host.silence is None
    if is_missing and host.aliases:
        target = PeerText(host.aliases[-1], MAX_NAME)
        steps = (f"CNAME {PeerText(each, MAX_NAME)}" for each in host.aliases[:_ALIASES])
        detail = f"{host.name} is an alias for {target}, which has no address."
        yield rules.HOST_DANGLING.found(detail, *steps)
    if not picture.is_announced:
        return
    yield from _drift(picture, intent)
    if host.silence is not None:
        yield rules.NOT_LOOKED.found(f"{host.name}: {host.silence}.")
    elif is_missing:
        if not host.aliases:
            yield rules.HOST_MISSING.found(f"{host.name} has no address.")
    elif not host.is_public:
        addresses = ", ".join(map(str, host.addresses[:3]))
        detail = f"{host.name} has only {addresses}, where nobody outside gets to."
        yield rules.UNFETCHED.found(detail)
    else:
        yield from _serving(picture, intent)


def _serving(picture: Picture, intent: Intent) -> Iterator[Finding]:
    """Judge the certificate as for connectors, and then what came over it."""
    if picture.between and picture.presented is not None:
        issuer = picture.presented.leaf.issuer
        yield rules.NOT_LOOKED.found(
            f"{picture.survey.host.name} shows a certificate of {issuer} here, and so does"
            f" {picture.between}: something in this network looks into connections."
        )
        return
    faults = _faults(picture, intent)
    soon = [each for each in faults if each.flaw is Flaw.EXPIRES_SOON]
    weak = [each for each in faults if each.flaw in _WEAK]
    wrong = [each for each in faults if each not in (*soon, *weak)]
    for rule, found in (
        (rules.HOST_CERTIFICATE, wrong),
        (rules.HOST_CERTIFICATE_ENDS, soon),
        (rules.HOST_CERTIFICATE_WEAK, weak),
    ):
        if found:
            said = "; ".join(each.detail for each in found)
            yield rule.found(f"{picture.survey.host.name}: {said}.")
    if not wrong:
        yield from _fetching(picture)


def _faults(picture: Picture, intent: Intent) -> tuple[Fault, ...]:
    if picture.presented is None:
        return ()
    return judge(
        picture.presented,
        expected=picture.survey.host.name,
        at=picture.now,
        soon=intent.warn_before_expiry,
    )


def _fetching(picture: Picture) -> Iterator[Finding]:
    fetched = picture.fetched
    if fetched is None or not fetched.trouble:
        return
    # Who shows a certificate was reached: what went wrong after it is not on this side.
    if fetched.is_ours and picture.presented is None:
        yield rules.NOT_LOOKED.found(f"{fetched.trouble}.")
    else:
        yield rules.UNFETCHED.found(f"{fetched.trouble}.")


def _drift(picture: Picture, intent: Intent) -> Iterator[Finding]:
    change = picture.past.host
    if change is None or picture.now >= change.at + intent.report_changes_for:
        return
    now = place_of(picture)
    if change.before and is_elsewhere(change.before, now):
        detail = f"It was {change.before} before {change.at:%Y-%m-%d %H:%M} UTC, and is {now}."
        yield rules.HOST_CHANGED.found(detail)


def place_of(picture: Picture) -> str:
    """Write down where the policy's host leads: the alias, or else the addresses."""
    host = picture.survey.host
    if host.aliases:
        return f"CNAME {PeerText(host.aliases[0], MAX_NAME)}"
    return " ".join(map(str, host.addresses[:20]))


def is_elsewhere(before: str, after: str) -> bool:
    """Tell whether two places have nothing in common; who has many addresses names a few."""
    if before.startswith("CNAME") or after.startswith("CNAME"):
        return before != after
    return not {*before.split()} & {*after.split()}
