"""Which change of a domain's DNS does somebody plan, and can it be read at all?

What is written on a command line is read as receivers would read it once it is
published. A text that they could not use is refused with the place of its first fault; what stays
as it is, such as other text beside an SPF record, is taken from what DNS says now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain import (
    dkim_record,
    dmarc_record,
    spf_record,
    tls_rpt_record,
)
from agent.domain.dkim_selectors import is_selector
from agent.domain.dmarc_terms import Policy
from agent.domain.lookup import (
    Answer,
    Exchange,
    Plan,
    Query,
    Reply,
    TextRecord,
    Unanswered,
    ask_all,
)
from agent.domain.mx import is_host_name
from agent.domain.names import DomainName
from agent.domain.overlay import Alias, Planned
from agent.domain.peer_text import PeerText
from agent.domain.spf_terms import Broken
from agent.domain.tag_list import Fault

_STRING = 255  # octets of one string of a TXT record, RFC 1035 section 3.3.14
_HIGHEST = 65_535  # preference, RFC 1035 section 3.3.9
_SHOWN = 2000  # characters of a record


class PlanError(ValueError):
    """A planned text cannot be used: what it is for, why, and where, from 0; -1 for nowhere."""

    def __init__(self, problem: str, text: str = "", position: int = -1, hint: str = "") -> None:
        super().__init__(problem)
        self.problem, self.text, self.position, self.hint = problem, text, position, hint


class SilentError(PlanError):
    """What a change is laid over could not be learnt."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is planned; None or empty where nothing is. Texts are as they would be published."""

    spf: str | None = None
    dmarc: str | Policy | None = None
    mx: tuple[Exchange, ...] = ()
    dkim: Mapping[str, str] = field(default_factory=dict)
    tls_rpt: str | None = None
    mta_sts: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One name and type, what DNS says there now, and what it would say; lines to show."""

    query: Query
    planned: Planned
    before: tuple[str, ...]
    after: tuple[str, ...]


def read_spf(text: str) -> str:
    """Read a whole SPF record. Raises PlanError."""
    raw = _octets(text)
    if not spf_record.is_record(raw):
        message = "is no SPF record: it does not begin with `v=spf1` and a space"
        raise PlanError(message, text, 0)
    record = spf_record.parse(raw)
    if isinstance(record, Broken):
        fault = record.faults[0]
        problem = f"{fault.term} {fault.message}"
        raise PlanError(problem, text, fault.position, fault.hint)
    return text


def read_dmarc(text: str) -> str | Policy:
    """Read a policy word, or a whole DMARC record. Raises PlanError."""
    if text.strip().lower() in tuple(Policy):
        return Policy(text.strip().lower())
    raw = _octets(text)
    record = dmarc_record.parse(raw)
    if record is None:
        message = f"is neither {', '.join(Policy)} nor a DMARC record"
        raise PlanError(message, text, 0, f"As a record, {dmarc_record.describe_near_miss(raw)}.")
    if record.faults:
        raise _fault(record.faults, text)
    return text


def read_mx(text: str) -> Exchange:
    """Read ``10 mx.example.com``, or ``0 .`` for a domain that takes no mail. Raises PlanError."""
    preference, _, host = text.strip().partition(" ")
    host = host.strip().lower()
    if not (preference.isascii() and preference.isdigit()) or int(preference) > _HIGHEST:
        message = "must be a preference and a host, such as '10 mx.example.com'"
        raise PlanError(message, text, 0)
    if host == ".":
        return Exchange(int(preference), "")
    name = host.removesuffix(".")
    if not is_host_name(name) or name.replace(".", "").isdigit():
        message = "names no host"
        raise PlanError(message, text, text.lower().find(host) if host else len(text))
    return Exchange(int(preference), name)


def read_dkim(text: str) -> tuple[str, str]:
    """Read ``SELECTOR=RECORD``, or ``SELECTOR=HOST`` for an alias. Raises PlanError."""
    selector, equals, value = text.partition("=")
    # A record without a selector before it would be read as one for the selector v.
    if not equals or not is_selector(selector.lower()) or value.startswith("DKIM1"):
        message = "must be a selector, `=`, and a key record or the name that it is an alias for"
        raise PlanError(message, text, 0)
    if _is_name(value):
        return selector.lower(), value.lower().removesuffix(".")
    record = dkim_record.parse(_octets(value))
    faults = tuple(each for each in record.faults if each.voids)
    if faults:
        raise _fault(faults, text, len(selector) + 1)
    if record.problem or record.is_private:
        where = next(tag.start for tag in record.tags if tag.name == "p")
        what = "a private key: it must never be published" if record.is_private else record.problem
        message = f"has no key in `p`: it is {what}"
        raise PlanError(message, text, len(selector) + 1 + where)
    return selector.lower(), value


def read_tls_rpt(text: str) -> str:
    """Read a whole record for TLS reports. Raises PlanError."""
    raw = _octets(text)
    if not tls_rpt_record.is_record(raw):
        message = "is no record for TLS reports: it does not begin with `v=TLSRPTv1;`"
        raise PlanError(message, text, 0)
    faults = [each for each in tls_rpt_record.parse(raw).faults if each.is_fatal]
    if faults:
        fault = faults[0]
        problem = f"{fault.text} {fault.problem}".lstrip()
        raise PlanError(problem, text, fault.at - 1, fault.hint)
    return text


def _fault(faults: tuple[Fault, ...], text: str, offset: int = 0) -> PlanError:
    """Tell the first fault that has a place, or else the first."""
    fault = next((each for each in faults if each.text), faults[0])
    problem = f"{fault.text} {fault.problem}".lstrip()
    return PlanError(problem, text, offset + fault.position if fault.text else -1, fault.hint)


def _is_name(text: str) -> bool:
    try:
        DomainName.parse(text)
    except ValueError:
        return False
    return True


def _octets(text: str) -> bytes:
    """Return what would stand in DNS. Raises PlanError for what cannot."""
    for position, character in enumerate(text):
        if not character.isascii():
            message = f"has a character that is not plain ASCII: {character!r}"
            raise PlanError(message, text, position)
    if not text:
        message = "is empty"
        raise PlanError(message)
    return text.encode("ascii")


Wish = str | Alias | tuple[Exchange, ...]


def changes(domain: str, wishes: Wishes) -> Plan[tuple[Change, ...]]:
    """Return what DNS would say, compared with what it says now.

    Raises PlanError, or SilentError where it is DNS that does not answer.
    """
    wanted = _wanted(domain, wishes)
    replies = yield from ask_all(tuple(Query(query.name, query.type) for query, _ in wanted))
    return tuple(
        _change(domain, query, _settled(query.name, wish, reply), reply)
        for (query, wish), reply in zip(wanted, replies, strict=True)
    )


def _wanted(domain: str, wishes: Wishes) -> list[tuple[Query, Wish | Policy]]:
    wanted: list[tuple[Query, Wish | Policy]] = []
    if wishes.mx:
        wanted.append((Query(domain, "MX"), wishes.mx))
    if wishes.spf is not None:
        wanted.append((Query(domain, "TXT"), wishes.spf))
    if wishes.dmarc is not None:
        wanted.append((Query(f"_dmarc.{domain}", "TXT"), wishes.dmarc))
    for selector, text in wishes.dkim.items():
        where = Query(f"{selector}._domainkey.{domain}", "TXT")
        wanted.append((where, Alias(text) if _is_name(text) else text))
    if wishes.mta_sts is not None:
        wanted.append((Query(f"_mta-sts.{domain}", "TXT"), wishes.mta_sts))
    if wishes.tls_rpt is not None:
        wanted.append((Query(f"_smtp._tls.{domain}", "TXT"), wishes.tls_rpt))
    return wanted


def _settled(name: str, wish: Wish | Policy, reply: Reply) -> Wish:
    """Return what is wished, a policy spelt out as the record at *name* with all else as it was."""
    return _with_policy(name, wish, reply) if isinstance(wish, Policy) else wish


def _with_policy(name: str, policy: Policy, reply: Reply) -> str:
    if isinstance(reply, Unanswered):
        message = (
            f"cannot be laid over {name}: DNS could not say what stands there ({reply.reason})"
        )
        raise SilentError(message)
    texts = [text for text in _texts(reply) if dmarc_record.is_record(text)]
    if len(texts) > 1:
        message = f"fits no one record: {name} has {len(texts)}; give the whole record instead"
        raise PlanError(message)
    if not texts:
        return f"v=DMARC1; p={policy}"
    text = texts[0].decode("latin-1")
    record = dmarc_record.parse(texts[0])
    tag = record.tag("p") if record is not None else None
    if tag is None:
        version, semicolon, rest = text.partition(";")
        return f"{version}; p={policy}{semicolon}{rest}"
    return f"{text[: tag.start]}{policy}{text[tag.start + len(tag.value) :]}"


def _change(domain: str, query: Query, wish: Wish, reply: Reply) -> Change:
    match wish:
        case Alias(target):
            return Change(query, wish, _shown(reply), (f"CNAME {target}",))
        case str() if query.name == domain:
            # What else stands there, such as a proof of ownership, stays.
            texts = tuple(
                PeerText(one, _SHOWN) for one in _texts(reply) if spf_record.is_record(one)
            )
            return Change(query, Answer((*_others(reply), _text_record(wish))), texts, (wish,))
        case str():
            planned = Answer((_text_record(wish),))
        case _:
            planned = Answer(wish)
    return Change(query, planned, _shown(reply), _shown(planned))


def _text_record(text: str) -> TextRecord:
    raw = text.encode("latin-1")
    return TextRecord(tuple(raw[at : at + _STRING] for at in range(0, len(raw), _STRING)))


def _others(reply: Reply) -> tuple[TextRecord, ...]:
    records = reply.records if isinstance(reply, Answer) else ()
    texts = (one for one in records if isinstance(one, TextRecord))
    return tuple(one for one in texts if not spf_record.is_record(one.joined))


def _texts(reply: Reply) -> tuple[bytes, ...]:
    records = reply.records if isinstance(reply, Answer) else ()
    return tuple(one.joined for one in records if isinstance(one, TextRecord))


def _shown(reply: Reply) -> tuple[str, ...]:
    """Return the records of an answer, one a line."""
    if isinstance(reply, Unanswered):
        return (f"no answer: {reply.reason}",)
    lines = [
        f"{one.preference} {PeerText(one.exchange, 300) or '.'}"
        for one in sorted(each for each in reply.records if isinstance(each, Exchange))
    ]
    return (*lines, *(str(PeerText(text, _SHOWN)) for text in _texts(reply)))
