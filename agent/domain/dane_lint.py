"""What is wrong with the DANE of a domain's exchanges?

One function for each question, over a :class:`agent.domain.dane_picture.Picture`. Where DNSSEC
cannot be told, nothing is said that depends on it.
"""

from collections.abc import Iterator

from agent.domain import dane_rules as rules
from agent.domain.dane_lint_microsoft import lint_move
from agent.domain.dane_lint_zone import lint_zone
from agent.domain.dane_picture import (
    IN_FORCE,
    NOT_IN_FORCE,
    Fit,
    Intent,
    Picture,
    Stand,
    has_dangling_alias,
    is_of_microsoft,
)
from agent.domain.dane_survey import Host, Validation
from agent.domain.finding import Finding, bounded
from agent.domain.knowledge.dnssec_hosts import (
    ASK_FOR_HOST,
    PUBLISH_TLSA,
    is_classic,
)
from agent.domain.lookup import Answer
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.tlsa import Tlsa, TlsaError, parse

_WHY = {
    Validation.NOT_BELIEVED: "the resolver is on another machine, and `agent.trust_ad` is not set",
    Validation.ABSENT: "the resolver does not validate: it vouches for nothing of {}",
    Validation.LENIENT: "the resolver answers for `bogus_control`, which it must refuse",
    Validation.UNTOLD: "the resolver does not answer for {}",
}


def lint(picture: Picture, intent: Intent) -> tuple[Finding, ...]:
    """Return what is wrong, what loses mail first."""
    return bounded(
        (
            *lint_zone(picture, intent),
            *_certificates(picture),
            *_records(picture),
            *_coverage(picture),
            *lint_move(picture),
            *_rollover(picture, intent),
            *_intent(picture, intent),
        )
    )


def shown(name: str) -> PeerText:
    """Make the name of a host safe to show, whole."""
    return PeerText(name, MAX_NAME)


def _certificates(picture: Picture) -> Iterator[Finding]:
    """Hold the certificates that other checks saw against the records."""
    stands = {host: picture.stand(host) for host in picture.survey.hosts}
    # Senders that refuse one exchange go on to the next.
    is_lost = all(
        each in (Stand.MISMATCHING, Stand.UNSEEN, Stand.UNKNOWN) for each in stands.values()
    )
    for host, stand in stands.items():
        bad = [each for each in picture.fits(host) if not each.records]
        if stand is Stand.MISMATCHING:
            yield _misfit(host, bad, is_lost=is_lost)
        elif stand is Stand.PARTLY:
            yield _misfit(host, bad, is_lost=False)


def _misfit(host: Host, bad: list[Fit], *, is_lost: bool) -> Finding:
    rule = rules.MISMATCH if is_lost else rules.PARTLY_MISMATCH
    usable = [each for each in host.records if each.is_usable]
    places = ", ".join(each.address for each in bad[:3])
    noun = "TLSA record" if len(usable) == 1 else "TLSA records"
    why = next((f"; {each.why}" for each in bad if each.why), "")
    detail = f"{shown(host.exchange)} [{places}] fits none of {len(usable)} {noun}{why}."
    needed = f"3 1 1 {_key(bad[0])}"
    fix = "" if is_of_microsoft(host) else f"{shown(host.name)}. 3600 IN TLSA {needed}"
    published = (f"published: {each.usage} {each.selector} {each.matching} {_hex(each)}"
                 for each in usable[:5])  # fmt: skip
    return rule.found(detail, *published, f"shown: {needed}", fix=fix)


def _key(fit: Fit) -> str:
    """Return the SHA-256 of the server's key, out of the print."""
    return fit.prints[0][96:128].hex()


def _hex(record: Tlsa) -> str:
    return record.data[:64].hex()


def _records(picture: Picture) -> Iterator[Finding]:
    """Look at records that can be of no use, whoever vouches for them."""
    for host in picture.survey.hosts:
        if has_dangling_alias(host):
            assert isinstance(host.tlsa, Answer)  # noqa: S101 - it has aliases
            target = shown(host.tlsa.aliases[-1])
            detail = f"{shown(host.name)} is an alias for {target}, which has no TLSA record."
            yield rules.ALIAS.found(detail)
        flaws = [f"{each}: {each.flaw}" for each in host.records if each.flaw]
        flaws += _unreadable(host)
        if flaws:
            is_all = not any(each.is_usable for each in host.records)
            rule = rules.UNUSABLE if is_all else rules.RECORD_UNUSABLE
            yield rule.found(f"{shown(host.name)}: {flaws[0]}.", *flaws[1:])


def _unreadable(host: Host) -> Iterator[str]:
    for record in host.tlsa.records if isinstance(host.tlsa, Answer) else ():
        try:
            parse(str(record))
        except TlsaError as error:
            yield f"{PeerText(str(record)) or 'an empty record'}: {error.problem}"


def _coverage(picture: Picture) -> Iterator[Finding]:
    """Compare the exchanges: senders go to any of them."""
    hosts = picture.survey.hosts
    covered = [each for each in hosts if picture.stand(each) in IN_FORCE]
    others = [each for each in hosts if picture.stand(each) in NOT_IN_FORCE]
    if covered and others:
        names = ", ".join(shown(each.exchange) for each in others[:5])
        detail = f"{shown(covered[0].exchange)} has DANE, and {names} has not."
        yield rules.PARTLY.found(detail)


def _rollover(picture: Picture, intent: Intent) -> Iterator[Finding]:
    for host in picture.survey.hosts:
        sight = picture.sights.get(host.exchange)
        if sight is None or picture.stand(host) is not Stand.FITTING or is_of_microsoft(host):
            continue
        left = sight.not_after - picture.now
        if picture.spare(host) == () and left < intent.rollover_before:
            name, end = shown(host.exchange), f"{sight.not_after:%Y-%m-%d}"
            detail = f"The certificate of {name} ends on {end}, and every TLSA record is for it."
            yield rules.ROLLOVER.found(detail)


def _intent(picture: Picture, intent: Intent) -> Iterator[Finding]:
    survey = picture.survey
    if not picture.is_proven:
        if survey.is_used or (intent.required and survey.hosts):
            control = shown(survey.control) or "the root of DNS"
            why = _WHY[survey.validation].format(control)
            yield rules.NOT_TRUSTED.found(f"{why[0].upper()}{why[1:]}.")
        return
    if not intent.required or not isinstance(survey.route.reply, Answer) or not survey.hosts:
        return
    lacking = [each for each in survey.hosts if picture.stand(each) in NOT_IN_FORCE]
    if not survey.is_signed and not survey.is_used:
        yield rules.REQUIRED.found(f"The MX records of {survey.domain} are not signed.")
    elif lacking:
        host = lacking[0]
        detail = f"{shown(host.exchange)}: {_LACKS[picture.stand(host)]}."
        yield rules.REQUIRED.found(detail, fix=_next_step(host, survey.domain))


_LACKS = {
    Stand.WITHOUT: "it has no TLSA record",
    Stand.INSECURE: "its TLSA records are not signed",
    Stand.UNUSABLE: "its TLSA records cannot be used",
}


def _next_step(host: Host, domain: str) -> str:
    """Return what to type next, for an exchange of Microsoft's."""
    if is_classic(host.exchange):
        return ASK_FOR_HOST.format(domain)
    return PUBLISH_TLSA.format(domain) if is_of_microsoft(host) else ""
