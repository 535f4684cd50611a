"""What is wrong with the signatures on the way to a domain's exchanges?

A domain is accused only of what a resolver refuses that vouches for other names at the same time.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.domain import dane_rules as rules
from agent.domain.dane_picture import Intent, Look, Picture
from agent.domain.dane_survey import Key, Survey
from agent.domain.direct import Signature
from agent.domain.dnssec_key import ds_of
from agent.domain.finding import Finding
from agent.domain.lookup import Answer
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText

_PART = 10  # of its life before its end in which no signer leaves a signature
_ROOT = "the root"


def lint_zone(picture: Picture, intent: Intent) -> Iterator[Finding]:
    """Say what senders that validate do not get, or soon will not, and what is not signed."""
    last = picture.control.last if picture.control and picture.is_clock_wrong else None
    if last is not None:
        detail = f"By our clock it is {_time(picture.now)}."
        yield rules.CLOCK_IN_DOUBT.found(detail, _describe(last))
    for key, look in picture.looks.items():
        yield from _signed(picture, key, look, intent)
    if picture.is_proven:
        yield from _insecure(picture.survey)


def bogus(picture: Picture) -> frozenset[Key]:
    """Return what is proven to be signed wrongly."""
    if not picture.is_proven:
        return frozenset()
    return frozenset(key for key, look in picture.looks.items() if look.is_bogus)


def _signed(picture: Picture, key: Key, look: Look, intent: Intent) -> Iterator[Finding]:
    name, kind = PeerText(key[0], MAX_NAME), key[1]
    last, now = look.last, picture.now
    is_bogus = key in bogus(picture)
    is_told = not picture.is_clock_wrong
    evidence = tuple(map(_describe, look.said.signatures[:5]))
    if (
        last is not None
        and now > last.expiration
        and (is_bogus or (is_told and _is_certain(last, now)))
    ):
        detail = f"The signature over {kind} of {name} expired on {_time(last.expiration)}."
        yield rules.SIGNATURE_EXPIRED.found(detail, *evidence)
    elif is_bogus:
        detail = f"{kind} of {name} is answered without validation, and refused with it."
        yield rules.BOGUS.found(detail, *evidence)
    elif last is not None and is_told and is_ending(look, now, intent.warn_before):
        detail = f"The signature over {kind} of {name} ends on {_time(last.expiration)}."
        yield rules.SIGNATURE_ENDS.found(detail, *evidence)


def is_ending(look: Look, now: datetime, warn_before: timedelta) -> bool:
    """Tell whether no signature of an answer holds for as long as it should."""
    last = look.last
    return last is not None and last.expiration - now < _margin(last, warn_before)


def _is_certain(signature: Signature, now: datetime) -> bool:
    """Tell whether it has expired for longer than any cache would have kept it."""
    return now > signature.expiration + timedelta(seconds=signature.original_ttl)


def _margin(signature: Signature, most: timedelta) -> timedelta:
    """Return how long before its end a signature should have been renewed.

    Some servers sign each answer anew, for a day or two: of those a part counts.
    """
    return min(most, (signature.expiration - signature.inception) / _PART)


def _describe(signature: Signature) -> str:
    signer = PeerText(signature.signer, MAX_NAME) or _ROOT
    until, since = _time(signature.expiration), _time(signature.inception)
    key = f"key {signature.key_tag}, algorithm {signature.algorithm}"
    return f"signed by {signer} ({key}) from {since} to {until}"


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _insecure(survey: Survey) -> Iterator[Finding]:
    """Look for TLSA records that DNSSEC does not vouch for, or that nobody is led to by it."""
    is_answered = isinstance(survey.route.reply, Answer)
    if survey.is_used and is_answered and not survey.is_signed:
        detail = f"The MX records of {survey.domain} are not signed."
        notes, fix = _missing_link(survey)
        yield rules.DOMAIN_INSECURE.found(detail, *notes, fix=fix)
    for host in survey.hosts:
        is_own = host.exchange == survey.domain or host.exchange.endswith(f".{survey.domain}")
        is_told = is_own and not survey.is_signed
        if not isinstance(host.tlsa, Answer) or not host.tlsa.records or host.is_signed or is_told:
            continue
        name = PeerText(host.exchange, MAX_NAME)
        where = "its TLSA records are" if host.has_signed_address else "its addresses are"
        links = (
            f"{PeerText(host.name, MAX_NAME)} is an alias for {PeerText(each, MAX_NAME)}"
            for each in host.tlsa.aliases[-1:]
        )
        yield rules.EXCHANGE_INSECURE.found(f"{name}: {where} not signed.", *links)


def _missing_link(survey: Survey) -> tuple[tuple[str, ...], str]:
    """Say where the chain of trust ends, and what to publish where that is known."""
    keys, delegation = survey.keys, survey.delegation
    if not isinstance(keys, Answer) or not isinstance(delegation, Answer):
        return (), ""
    if not keys.records:
        return (f"{survey.domain} has no keys (DNSKEY)",), ""
    if delegation.records:
        return (f"{survey.domain} has keys (DNSKEY), and its parent has a DS record",), ""
    found = [ds for each in keys.records if (ds := ds_of(survey.domain, str(each)))]
    fix = f"{survey.domain}. 3600 IN DS {found[0]}" if len(found) == 1 else ""
    return (f"{survey.domain} has keys (DNSKEY), and its parent has no DS record for them",), fix
