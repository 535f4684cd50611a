"""What must be known of a domain to judge whether it gets TLS reports, and what is wrong with that?

Reports tell the owner which senders could not keep to TLS as MTA-STS or DANE demands. Without one
of these two there is little to report, and no record is no fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.domain import tls_rpt_rules as rules
from agent.domain.finding import Finding, bounded
from agent.domain.lookup import Answer, Exchange, Plan, Query, Reply, Unanswered, ask_all
from agent.domain.mta_sts_fields import texts_of
from agent.domain.mta_sts_record import is_record as announces_policy
from agent.domain.mta_sts_terms import Fault, describe
from agent.domain.mx import MAX_TARGETS, can_be_host
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.public_suffix import zone_of
from agent.domain.tls_rpt_record import Destination, Record, is_nearly, is_record, parse
from agent.domain.zone_line import txt_of

Said = Literal["yes", "no", "unknown"]
_SHOWN = 500  # characters of a record


@dataclass(frozen=True, slots=True)
class Place:
    """A destination: can it take what is sent to it, and is it somebody else's?"""

    destination: Destination
    takes: Said = "unknown"
    is_external: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says.

    ``texts`` are the records, ``near`` texts that were meant to be one, ``misplaced`` records at
    other names. ``uses`` says in words why there is something to report; ``silence`` why that could
    not be learnt.
    """

    domain: str
    reply: Reply
    texts: tuple[bytes, ...] = ()
    near: tuple[bytes, ...] = ()
    misplaced: tuple[tuple[str, bytes], ...] = ()
    uses: tuple[str, ...] = ()
    silence: str = ""
    silent_name: str = ""
    places: tuple[Place, ...] = ()

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"_smtp._tls.{self.domain}"

    @property
    def record(self) -> Record | None:
        """The one record; None where there is none, or more than one (RFC 8460 section 3)."""
        return parse(self.texts[0]) if len(self.texts) == 1 else None


def survey(domain: str) -> Plan[Survey]:
    """Look up the record, and what there is to report on or whom to report to."""
    reply, policy, mx = yield (
        Query(f"_smtp._tls.{domain}", "TXT", fresh=True),
        Query(f"_mta-sts.{domain}", "TXT"),
        Query(domain, "MX"),
    )
    found = tuple(text for text in texts_of(reply) if is_record(text))
    near = tuple(text for text in texts_of(reply) if is_nearly(text))
    if isinstance(reply, Unanswered):
        return Survey(domain, reply)
    uses, silent = yield from _uses(domain, policy, mx)
    name, silence = silent or ("", "")
    if found:
        record = parse(found[0]) if len(found) == 1 else None
        places = (yield from _places(domain, record)) if record else ()
        return Survey(domain, reply, found, near, (), uses, silence, name, places)
    misplaced = yield from _misplaced(domain)
    return Survey(domain, reply, (), near, misplaced, uses, silence, name)


def _uses(domain: str, policy: Reply, mx: Reply) -> Plan[tuple[tuple[str, ...], tuple[str, str]]]:
    """Find out whether MTA-STS or DANE is in use; the second value is what did not answer."""
    uses, silent = [], ("", "")
    if isinstance(policy, Unanswered):
        silent = (f"_mta-sts.{domain}", policy.reason.value)
    elif any(map(announces_policy, texts_of(policy))):
        uses.append(f"MTA-STS is announced at _mta-sts.{domain}")
    if isinstance(mx, Unanswered):
        return tuple(uses), (domain, mx.reason.value)
    exchanges = sorted(each for each in mx.records if isinstance(each, Exchange))
    hosts = dict.fromkeys(each.exchange.lower() for each in exchanges) or {domain: None}
    asked = [host for host in hosts if can_be_host(host)][:MAX_TARGETS]
    replies = yield from ask_all(tuple(Query(f"_25._tcp.{host}", "TLSA") for host in asked))
    for host, reply in zip(asked, replies, strict=True):
        if isinstance(reply, Unanswered):
            silent = (f"_25._tcp.{PeerText(host, MAX_NAME)}", reply.reason.value)
        elif reply.records:
            uses.append(f"DANE is in use at _25._tcp.{PeerText(host, MAX_NAME)}")
    return tuple(uses), silent


def _misplaced(domain: str) -> Plan[tuple[tuple[str, bytes], ...]]:
    """Look where a record ends up by mistake."""
    names = (domain, f"_smtp._tls.{domain}.{domain}", f"_tls.{domain}")
    replies = yield from ask_all(
        tuple(Query(name, "TXT", lasting=name != domain) for name in names)
    )
    return tuple(
        (name, text)
        for name, reply in zip(names, replies, strict=True)
        for text in texts_of(reply)
        if is_record(text)
    )


def _places(domain: str, record: Record) -> Plan[tuple[Place, ...]]:
    """Ask whether each destination can take reports."""
    hosts = dict.fromkeys(each.domain for each in record.destinations if each.domain)
    queries = [(Query(host, "MX"), Query(host, "A"), Query(host, "AAAA")) for host in hosts]
    replies = iter((yield from ask_all(tuple(each for three in queries for each in three))))
    told = {host: (next(replies), next(replies), next(replies)) for host in hosts}
    own = zone_of(domain) or domain
    return tuple(
        Place(each, _takes(each, told[each.domain]), (zone_of(each.domain) or each.domain) != own)
        if each.domain
        else Place(each, "yes", is_external=True)
        for each in record.destinations
    )


def _takes(destination: Destination, replies: tuple[Reply, ...]) -> Said:
    """Tell whether a report has somewhere to go, as far as DNS shows."""
    mx, *addresses = replies
    if destination.scheme == "mailto":
        if isinstance(mx, Unanswered):
            return "unknown"
        if mx.records:
            return "no" if mx.records == (Exchange(0, ""),) else "yes"  # RFC 7505 section 3
    if any(isinstance(reply, Answer) and reply.records for reply in addresses):
        return "yes"
    return "no" if all(isinstance(reply, Answer) for reply in addresses) else "unknown"


def lint(found: Survey) -> tuple[Finding, ...]:
    """Return what is wrong."""
    if isinstance(found.reply, Unanswered):
        return ()
    return bounded((*_records(found), *_absent(found), *_destinations(found)))


def publish(domain: str) -> str:
    """Write a record as a line of a zone; the address is one to be replaced."""
    return f'_smtp._tls.{domain}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@{domain}"'


def _records(found: Survey) -> Iterator[Finding]:
    if len(found.texts) > 1:
        detail = f"{len(found.texts)} records stand at {found.name}."
        yield rules.SEVERAL_RECORDS.found(detail, *map(_line, found.texts))
    record = found.record
    if record is None:
        return
    fatal = [each for each in record.faults if each.is_fatal]
    others = [each for each in record.faults if not each.is_fatal]
    for rule, faults in ((rules.MALFORMED, fatal), (rules.UNTIDY, others)):
        if faults:
            detail, *more = (each for fault in faults for each in _said(fault))
            yield rule.found(detail, *more, _line(found.texts[0]))


def _said(fault: Fault) -> Iterator[str]:
    said = describe(fault, "character")
    yield f"{said[0].upper()}{said[1:]}."
    if fault.hint:
        yield fault.hint


def _absent(found: Survey) -> Iterator[Finding]:
    if found.texts:
        return
    for text in found.near:
        detail = f"The text at {found.name} does not begin with `v=TLSRPTv1;`."
        yield rules.MALFORMED.found(detail, _line(text))
    for name, text in found.misplaced:
        detail = f"It stands at {PeerText(name)} and belongs at {found.name}."
        yield rules.MISPLACED.found(detail, _line(text), fix=_moved(found, text))
    if found.uses and not found.near and not found.misplaced:
        detail = f"There is no record at {found.name}."
        yield rules.MISSING.found(detail, *found.uses, fix=publish(found.domain))


def _moved(found: Survey, text: bytes) -> str:
    return txt_of(found.name, text, _SHOWN)


def _destinations(found: Survey) -> Iterator[Finding]:
    for place in found.places:
        if place.takes == "no":
            what = "mail" if place.destination.scheme == "mailto" else "connections"
            domain = PeerText(place.destination.domain, MAX_NAME)
            detail = f"{domain} takes no {what}: {PeerText(place.destination.uri)}."
            yield rules.DESTINATION_DEAD.found(detail)


def _line(text: bytes) -> str:
    return PeerText(text, _SHOWN)
