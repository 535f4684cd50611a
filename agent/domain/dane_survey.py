"""What does DNS say of a domain's DNSSEC and of the TLSA records of its exchanges?

Whether DNSSEC vouches for an answer is what the resolver says of it. Whether the resolver can be
asked that at all is found out with names of which the answer is known. Nothing is judged here.
"""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from agent.domain.knowledge.dnssec_hosts import is_classic, is_in_dnssec_zone
from agent.domain.lookup import Answer, Plan, Query, Reply, Silence, Unanswered, ask, ask_all
from agent.domain.mta_sts import announced
from agent.domain.mx import Survey as Route
from agent.domain.mx import Target
from agent.domain.mx import survey as survey_mx
from agent.domain.names import MAX_NAME
from agent.domain.tlsa import Tlsa, read_tlsa

_NOTHING = Answer()
_ROOT = Query("", "NS", lasting=True)  # signed since 2010
Key = tuple[str, str]  # name and type


@dataclass(frozen=True, slots=True)
class Controls:
    """Names of which the answer is known: one that is signed, and one that is signed wrongly.

    Without ``signed`` the root of DNS is asked for.
    """

    signed: str = ""
    bogus: str = ""


class Validation(enum.StrEnum):
    """What the resolver's word on DNSSEC is worth."""

    PROVEN = "proven"  # it vouches for what is signed
    NOT_BELIEVED = "not-believed"  # whoever sits on the way to it could say the same
    ABSENT = "absent"  # it vouches for nothing, not even for what is signed
    LENIENT = "lenient"  # it answers what it must refuse
    UNTOLD = "untold"  # the control did not answer


@dataclass(frozen=True, slots=True)
class Host:
    """An exchange: ``tlsa`` is the answer that counts, at ``name``; ``addresses`` both answers.

    ``records`` are those that can be read.
    """

    exchange: str
    preference: int
    name: str
    tlsa: Reply
    addresses: tuple[Reply, Reply]
    records: tuple[Tlsa, ...] = ()

    @property
    def has_signed_address(self) -> bool:
        """Whether DNSSEC vouches for where the host is."""
        found = [each for each in self.addresses if isinstance(each, Answer) and each.records]
        return bool(found) and all(each.authentic for each in found)

    @property
    def is_signed(self) -> bool:
        """Whether DNSSEC vouches for the TLSA records, and for the host (RFC 7672 2.2.2)."""
        is_authentic = isinstance(self.tlsa, Answer) and self.tlsa.authentic
        return is_authentic and self.has_signed_address

    @property
    def replies(self) -> Iterator[tuple[Key, Reply]]:
        """Every answer about it."""
        for kind, reply in zip(("A", "AAAA"), self.addresses, strict=True):
            yield (self.exchange, kind), reply
        yield (self.name, "TLSA"), self.tlsa


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says. ``keys`` and ``delegation`` are DNSKEY and DS of the domain, where asked for.

    ``control`` is the name that told of the resolver; ``version`` the id of an MTA-STS policy.
    """

    domain: str
    route: Route
    validation: Validation
    control: str
    hosts: tuple[Host, ...] = ()
    keys: Reply = field(default=_NOTHING)
    delegation: Reply = field(default=_NOTHING)
    version: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether DNSSEC vouches for who takes the domain's mail."""
        return isinstance(self.route.reply, Answer) and self.route.reply.authentic

    @property
    def is_used(self) -> bool:
        """Whether anybody has published TLSA records for the domain's exchanges."""
        return any(isinstance(each.tlsa, Answer) and each.tlsa.records for each in self.hosts)

    @property
    def replies(self) -> tuple[tuple[Key, Reply], ...]:
        """Every answer that senders with DANE depend on."""
        mx: tuple[Key, Reply] = ((self.domain, "MX"), self.route.reply)
        return (mx, *(pair for host in self.hosts for pair in host.replies))

    @property
    def failed(self) -> tuple[Key, ...]:
        """What the resolver failed to answer, perhaps because it is signed wrongly."""
        return tuple(key for key, reply in self.replies if _has_failed(reply))

    @property
    def signed(self) -> tuple[Key, ...]:
        """What has signatures that can be looked at, as far as is known."""
        is_open = self.is_used and self.validation is not Validation.PROVEN
        return tuple(
            key
            for key, reply in self.replies
            if isinstance(reply, Answer) and reply.records and (reply.authentic or is_open)
        )

    @property
    def classic(self) -> tuple[Host, ...]:
        """Exchanges of Exchange Online that cannot have DANE."""
        return tuple(each for each in self.hosts if is_classic(each.exchange))

    @property
    def moved(self) -> tuple[Host, ...]:
        """Exchanges of Exchange Online that can have DANE."""
        return tuple(each for each in self.hosts if is_in_dnssec_zone(each.exchange))


def survey(domain: str, controls: Controls, *, is_believed: bool) -> Plan[Survey]:
    """Look up the exchanges, their TLSA records, and what the resolver's word is worth."""
    route = yield from survey_mx(domain)
    targets = [each for each in route.routes if each.followed]
    signed = Query(controls.signed, "A", lasting=True) if controls.signed else _ROOT
    bogus = (Query(controls.bogus, "A"),) if controls.bogus else ()
    sts = Query(f"_mta-sts.{domain}", "TXT")
    queries = tuple(query for each in targets for query in _about(each))
    control, *others = yield (signed, *bogus, sts, *queries)
    refused = others.pop(0) if bogus else None
    policy = announced(others.pop(0))
    known = dict(zip(queries, others, strict=True))
    hosts = tuple(_host(each, known) for each in targets)
    found = Survey(domain, route, Validation.PROVEN, signed.name, hosts, version=policy.version)
    if found.failed:  # before a domain is accused, the resolver is looked at once more
        control = yield from ask(replace(signed, fresh=True, lasting=False))
    validation = _validation(control, refused, is_believed=is_believed)
    found = replace(found, validation=validation)
    if found.is_used and not found.is_signed:
        keys, delegation = yield from ask_all((Query(domain, "DNSKEY"), Query(domain, "DS")))
        found = replace(found, keys=keys, delegation=delegation)
    return found


def _validation(control: Reply, bogus: Reply | None, *, is_believed: bool) -> Validation:
    if not is_believed:
        return Validation.NOT_BELIEVED
    if isinstance(control, Unanswered):
        return Validation.UNTOLD
    if not control.authentic:
        return Validation.ABSENT
    if bogus is not None and not _has_failed(bogus):
        return Validation.LENIENT if isinstance(bogus, Answer) else Validation.UNTOLD
    return Validation.PROVEN


def _has_failed(reply: Reply) -> bool:
    return isinstance(reply, Unanswered) and reply.reason is Silence.SERVFAIL


def _about(target: Target) -> Iterator[Query]:
    """Yield what to ask about one exchange, which may be an alias (RFC 7672 section 2.2.2)."""
    yield Query(target.exchange, "A")
    yield Query(target.exchange, "AAAA")
    for name in _names(target):
        yield Query(name, "TLSA", fresh=True)


def _names(target: Target) -> tuple[str, ...]:
    """Return where TLSA records may stand: at the host that an alias leads to, then at its own."""
    hosts = (*target.aliases[-1:], target.exchange)
    names = (f"_25._tcp.{each}" for each in hosts)
    return tuple(each for each in names if len(each) <= MAX_NAME)


def _host(target: Target, known: dict[Query, Reply]) -> Host:
    a, aaaa = (known[Query(target.exchange, kind)] for kind in ("A", "AAAA"))
    name, tlsa = _that_counts((each, known[Query(each, "TLSA")]) for each in _names(target))
    records = read_tlsa(tlsa.records) if isinstance(tlsa, Answer) else ()
    return Host(target.exchange, target.preference, name, tlsa, (a, aaaa), records)


def _that_counts(found: Iterable[tuple[str, Reply]]) -> tuple[str, Reply]:
    """Return the first place with records, or with a failure; else the last."""
    last: tuple[str, Reply] = ("", _NOTHING)
    for last in found:
        if isinstance(last[1], Unanswered) or last[1].records:
            break
    return last
