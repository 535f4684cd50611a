"""Where does Exchange Online deliver a domain's mail by MX, and what is demanded there?

What a connector with UseMXRecord does, domain by domain: MX and addresses from DNS, the MTA-STS
policy over HTTPS, TLSA records with DNSSEC. A policy in mode enforce raises what the connector asks
of every exchange; DANE goes before it (RFC 8461 section 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.domain import delivery_rules as rules
from agent.domain.connector import Promise, TlsSettings
from agent.domain.dane import Shown, agrees
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Plan, Query, Reply, Unanswered, ask_all
from agent.domain.mta_sts import Announced, Mode, Policy, announced
from agent.domain.mx import Survey, survey
from agent.domain.peer_text import PeerText
from agent.domain.tlsa import Tlsa, read_tlsa
from agent.domain.walk import Walked


@dataclass(frozen=True, slots=True)
class Zone:
    """What DNS says of the TLSA records of one exchange.

    ``is_authentic`` where DNSSEC vouches for them; ``silence`` why DNS could not say.
    """

    records: tuple[Tlsa, ...] = ()
    is_authentic: bool = False
    silence: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a domain: its exchanges, whether it has a policy, and their TLSA records."""

    domain: str
    survey: Survey
    announced: Announced
    zones: dict[str, Zone]


def find_route(
    domain: str, *, with_policy: bool, with_dane: bool, is_believed: bool
) -> Plan[Route]:
    """Look up all that DNS says of the way to *domain*.

    *is_believed* tells whether the resolver's word counts where it says that DNSSEC vouches.
    """
    found = yield from survey(domain)
    said = Announced()
    if with_policy:
        (reply,) = yield (Query(f"_mta-sts.{domain}", "TXT"),)
        said = announced(reply)
    hosts = [target.exchange for target in found.routes if target.addresses]
    zones: dict[str, Zone] = {}
    if with_dane:
        replies = yield from ask_all(tuple(Query(f"_25._tcp.{each}", "TLSA") for each in hosts))
        # Records count only behind an MX record that cannot have been forged (RFC 7672 2.2.1).
        is_signed = is_believed and isinstance(found.reply, Answer) and found.reply.authentic
        zones = {
            host: _zone(reply, is_signed=is_signed)
            for host, reply in zip(hosts, replies, strict=True)
        }
    return Route(domain, found, said, zones)


def _zone(reply: Reply, *, is_signed: bool) -> Zone:
    if isinstance(reply, Unanswered):
        return Zone(silence=reply.reason.value)
    return Zone(read_tlsa(reply.records), is_signed and reply.authentic)


def raised(promise: Promise, host: str, policy: Policy | None, zone: Zone) -> Promise:
    """Return what is asked of the exchange *host*, with what the domain demands of senders."""
    if zone.is_authentic and zone.records:
        # The certificate is held against the records, its name and issuer count for nothing.
        demanded = _at_least_encrypted(promise)
        return replace(promise, tls_settings=demanded, is_by_dane=True)
    if policy is not None and policy.mode is Mode.ENFORCE:
        return replace(promise, tls_settings="domain-validation", tls_domain=host)
    return promise


def _at_least_encrypted(promise: Promise) -> TlsSettings:
    return "encryption-only" if promise.tls_settings == "none" else promise.tls_settings


def examine_policy(
    route: Route, policy: Policy | None, trouble: str, *, is_ours: bool
) -> Iterator[Finding]:
    """Yield what is wrong with the policy of a domain, and with the exchanges by it."""
    said = route.announced
    if said.trouble:
        yield rules.STS_RECORD.found(f"{route.domain}: {said.trouble}")
    if trouble:
        rule = rules.STS_NOT_LOOKED if is_ours else rules.STS_UNFETCHED
        yield rule.found(f"{route.domain}: {trouble}")
    if policy is None or policy.mode is Mode.NONE:
        return
    left_out = [each.exchange for each in route.survey.routes if not policy.covers(each.exchange)]
    if left_out:
        rule = rules.STS_NOT_COVERED if policy.mode is Mode.ENFORCE else rules.STS_WOULD_NOT_COVER
        names = ", ".join(map(PeerText, left_out))
        patterns = ", ".join(map(PeerText, policy.patterns))
        yield rule.found(f"{route.domain}: {names} is not among {patterns}")


def examine_zone(
    walked: Walked, zone: Zone, chain: tuple[Shown, ...], *, is_mandatory: bool
) -> tuple[Finding, ...]:
    """Return what is wrong with an exchange by its TLSA records."""
    rule, detail = _flaw(zone, chain, is_mandatory=is_mandatory)
    return () if rule is None else (rule.found(f"{walked.place}: {detail}"),)


def _flaw(zone: Zone, chain: tuple[Shown, ...], *, is_mandatory: bool) -> tuple[Rule | None, str]:
    shown = ", ".join(map(str, zone.records[:4]))
    if zone.silence:
        return rules.DANE_UNANSWERED, f"{zone.silence} for TLSA"
    if not zone.records:
        return rules.DANE_MISSING if is_mandatory else None, "it has no TLSA record"
    if not zone.is_authentic:
        return rules.DANE_NOT_PROVEN, shown
    if not chain:
        return None, ""  # the session itself tells why nothing was shown
    fits = agrees(zone.records, chain)
    if fits is None:
        return rules.DANE_UNUSABLE, shown
    return None if fits else rules.DANE_MISMATCH, f"none fits of {shown}"
