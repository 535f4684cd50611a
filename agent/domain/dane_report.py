"""What does a look at a domain's DANE amount to: measurements and facts?"""

from collections.abc import Iterator

from agent.domain.dane_lint_microsoft import is_moving, steps
from agent.domain.dane_picture import IN_FORCE, Picture, Stand, is_of_microsoft
from agent.domain.dane_survey import Host, Validation
from agent.domain.fact import Fact, Table
from agent.domain.finding import Measurement, Signal
from agent.domain.lookup import Answer, Reply, Unanswered
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.tlsa import ITSELF, KEY, SHA256, Tlsa

_SHOWN = 40  # rows of a table

SIGNED = Signal(
    name="mailflow_dane_domain_signed",
    help="1 where DNSSEC vouches for the domain's MX records, else 0; absent where the resolver"
    " cannot tell.",
)
EXCHANGES = Signal(
    name="mailflow_dane_exchanges",
    help="Exchanges of the domain, by how DANE stands there.",
    labels=("stand",),
)
SIGNATURE_EXPIRY = Signal(
    name="mailflow_dane_signature_expiry_timestamp_seconds",
    help="When the first of the signatures expires that senders with DANE depend on.",
)
SIGNALS = (SIGNED, EXCHANGES, SIGNATURE_EXPIRY)

_VALIDATION = {
    Validation.PROVEN: "validates, and is trusted",
    Validation.NOT_BELIEVED: "not trusted: it is on another machine",
    Validation.ABSENT: "does not validate",
    Validation.LENIENT: "answers what it must refuse",
    Validation.UNTOLD: "not known: the control does not answer",
}
_STANDS = {
    Stand.FITTING: "fits",
    Stand.MISMATCHING: "fits none",
    Stand.PARTLY: "fits none at some addresses",
    Stand.UNSEEN: "not seen",
    Stand.UNUSABLE: "not looked at by senders",
    Stand.INSECURE: "not looked at: nobody vouches for the records",
    Stand.WITHOUT: "-",
    Stand.UNKNOWN: "not known",
}

_OF_EXCHANGES = ("exchange", "preference", "address", "TLSA", "certificate", "next key")
_OF_RECORDS = ("exchange", "record", "meaning", "judgement")


def measure(picture: Picture) -> Iterator[Measurement]:
    """Yield the values of the signals; what does not apply or is not known is left out."""
    survey = picture.survey
    if isinstance(survey.route.reply, Answer):
        if picture.is_proven:
            yield SIGNED.at(float(survey.is_signed))
        stands = [picture.stand(each) for each in survey.hosts]
        for stand in Stand:
            yield EXCHANGES.at(stands.count(stand), stand.value)
    ends = [look.last.expiration for look in picture.looks.values() if look.last is not None]
    if ends:
        yield SIGNATURE_EXPIRY.at(min(ends).timestamp())


def draw_facts(picture: Picture) -> dict[str, Fact]:
    """Return what the page and the command line show."""
    survey = picture.survey
    facts: dict[str, Fact] = {"DNSSEC": Table(("what", "value"), tuple(_zone(picture)))}
    if survey.hosts:
        rows = tuple(_row(picture, each) for each in survey.hosts[:_SHOWN])
        facts["exchanges"] = Table(_OF_EXCHANGES, rows)
    if survey.is_used:
        records = tuple(row for each in survey.hosts for row in _records(picture, each))
        facts["TLSA records"] = Table(_OF_RECORDS, records[:_SHOWN])
    if survey.moved and (is_moving(survey) or survey.is_signed or survey.is_used):
        facts["Microsoft's steps"] = Table(("step", "state"), steps(picture))
    return facts


def _zone(picture: Picture) -> Iterator[tuple[str, str]]:
    survey = picture.survey
    yield "resolver", _VALIDATION[survey.validation]
    yield "asked for proof", PeerText(survey.control, MAX_NAME) or "the root of DNS"
    yield "MX records", _signature(survey.route.reply)
    for (name, kind), look in list(picture.looks.items())[:_SHOWN]:
        if look.last is not None:
            until = f"signed until {look.last.expiration:%Y-%m-%d %H:%M} UTC"
            yield f"{kind} {PeerText(name, MAX_NAME)}", until
    if survey.is_used:
        yield "MTA-STS", _beside(picture)


def _beside(picture: Picture) -> str:
    """Say what MTA-STS adds; where DANE is in force, senders go by it (RFC 8461 section 2)."""
    if not picture.survey.version:
        return "none: senders that do not know DANE need no TLS"
    if any(picture.stand(each) in IN_FORCE for each in picture.survey.hosts):
        return "also announced: senders that know both go by DANE"
    return "announced: it alone protects mail while DANE is not in force"


def _signature(reply: Reply) -> str:
    if isinstance(reply, Unanswered):
        return f"no answer: {reply.reason}"
    return "signed" if reply.authentic else "not signed, as far as the resolver says"


def _row(picture: Picture, host: Host) -> tuple[str, ...]:
    if isinstance(host.tlsa, Unanswered):
        told = f"no answer: {host.tlsa.reason}"
    else:
        signed = ", signed" if host.tlsa.authentic else ""
        told = f"{len(host.tlsa.records)}{signed}" if host.tlsa.records else "none"
    address = "signed" if host.has_signed_address else "not signed"
    stand = _STANDS[picture.stand(host)]
    name = PeerText(host.exchange, MAX_NAME)
    return name, str(host.preference), address, told, stand, _next_key(picture, host)


def _next_key(picture: Picture, host: Host) -> str:
    """Say whether the next renewal is prepared."""
    if is_of_microsoft(host):
        return "Microsoft's concern"
    spare = picture.spare(host)
    if spare is None:
        return "-"
    return "ready" if spare else "not prepared: publish its record before the key is used"


def _records(picture: Picture, host: Host) -> Iterator[tuple[str, ...]]:
    fitting = {record for fit in picture.fits(host) for record in fit.records}
    for each in host.records[:_SHOWN]:
        is_seen = bool(picture.fits(host))
        said = each.flaw or ("fits" if each in fitting else "fits nothing seen" if is_seen else "-")
        yield PeerText(host.exchange, MAX_NAME), str(each), each.meaning, f"{said}{_advice(each)}"


def _advice(record: Tlsa) -> str:
    """Say what would be a better form of a record that is in order."""
    if record.flaw or record.usage != ITSELF:
        return ""
    if record.selector != KEY:
        return "; 3 1 1 would survive a renewal with the same key"
    return "" if record.matching == SHA256 else "; all senders know SHA-256: 3 1 1"
