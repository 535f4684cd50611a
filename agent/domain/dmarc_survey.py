"""What must be known of a domain to judge its DMARC record?

Which record counts, what stands near it by mistake, and whether those whom it names for reports
accept them. Only the record itself is asked afresh; the rest may come from a cache.
"""

import re
from dataclasses import dataclass
from typing import Literal

from agent.domain.dmarc_discovery import Discovery, discover
from agent.domain.dmarc_record import is_nearly, is_record
from agent.domain.dmarc_terms import Destination
from agent.domain.lookup import Answer, Exchange, Plan, Query, Reply, TextRecord, ask_all
from agent.domain.public_suffix import zone_of
from agent.domain.spf_survey import WILDCARD_LABEL

MOST_REPORTS = 10  # destinations of one tag that are looked at
Said = Literal["yes", "no", "unknown"]
_OVERRIDE = re.compile(rb";\s*ru[af]\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Report:
    """A destination for reports: does it say that it wants them, and does it take mail?

    ``question`` is the name at which an external destination consents; empty for one's own.
    """

    tag: Literal["rua", "ruf"]
    destination: Destination
    question: str = ""
    consents: Said = "yes"
    takes_mail: Said = "yes"
    redirects: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says about a domain's DMARC, and around it."""

    discovery: Discovery
    wildcard: tuple[bytes, ...] = ()
    misplaced: tuple[tuple[str, bytes], ...] = ()
    reports: tuple[Report, ...] = ()

    @property
    def domain(self) -> str:
        """The domain that is judged."""
        return self.discovery.domain

    @property
    def aliases(self) -> tuple[str, ...]:
        """Where an alias at the domain's ``_dmarc`` name leads, step by step."""
        reply = self.discovery.own.reply
        return reply.aliases if isinstance(reply, Answer) else ()


def survey(domain: str) -> Plan[Survey]:
    """Fetch the record and what surrounds it."""
    found = yield from discover(domain)
    wildcard = Query(f"{WILDCARD_LABEL}.{domain}", "TXT", lasting=True)
    near = () if found.own.records or found.own.is_silent else _near(domain)
    replies = yield from ask_all((wildcard, *near))
    misplaced = tuple(
        (query.name, text)
        for query, reply in zip(near, replies[1:], strict=True)
        for text in _texts(reply)
        if is_record(text) or (is_nearly(text) and query.name != domain)
    )
    reports = yield from _reports(found)
    return Survey(found, _texts(replies[0]), misplaced, reports)


def _near(domain: str) -> tuple[Query, ...]:
    """List where a record ends up by mistake: a console that adds the zone's name, and the like."""
    names = (domain, f"_dmarc._dmarc.{domain}", f"_dmarc.{domain}.{domain}", f"dmarc.{domain}")
    return tuple(Query(name, "TXT", lasting=name != domain) for name in names)


def _texts(reply: Reply) -> tuple[bytes, ...]:
    records = reply.records if isinstance(reply, Answer) else ()
    return tuple(record.joined for record in records if isinstance(record, TextRecord))


def _reports(found: Discovery) -> Plan[tuple[Report, ...]]:
    """Look at everybody who is to get reports."""
    record, place = found.verdict.record, found.verdict.place
    if record is None or place is None:
        return ()
    reports = [Report("rua", one) for one in record.rua[:MOST_REPORTS]]
    reports += [Report("ruf", one) for one in record.ruf[:MOST_REPORTS]]
    replies: dict[Query, Reply] = {}
    for one in reports:
        for query in _questions(place.domain, one.destination):
            replies.setdefault(query, Answer())
    queries = tuple(replies)
    replies.update(zip(queries, (yield from ask_all(queries)), strict=True))
    return tuple(_judge(one, place.domain, replies) for one in reports)


def _questions(policy_domain: str, destination: Destination) -> tuple[Query, ...]:
    """List what to ask of one destination."""
    other = destination.domain
    if not other:
        return ()
    queries = [Query(other, "MX"), Query(other, "A"), Query(other, "AAAA")]
    consent = _consent(policy_domain, other)
    return (*queries, Query(consent, "TXT")) if consent else tuple(queries)


def _consent(policy_domain: str, other: str) -> str:
    """Return the name at which *other* says that it wants the reports (RFC 7489 section 7.1).

    Empty where nobody asks: what has the same organisational domain needs no consent.
    """
    if (zone_of(policy_domain) or policy_domain) == (zone_of(other) or other):
        return ""
    return f"{policy_domain}._report._dmarc.{other}"


def _judge(report: Report, policy_domain: str, replies: dict[Query, Reply]) -> Report:
    destination = report.destination
    if not destination.domain:
        return report
    asked = [replies[query] for query in _questions(policy_domain, destination)]
    takes_mail = _takes_mail(asked[0], tuple(asked[1:3]))
    question = _consent(policy_domain, destination.domain)
    if not question:
        return Report(report.tag, destination, takes_mail=takes_mail)
    texts = [text for text in _texts(asked[3]) if is_record(text)]
    consents: Said = "yes" if texts else "no" if isinstance(asked[3], Answer) else "unknown"
    redirects = any(_OVERRIDE.search(text) for text in texts)
    return Report(report.tag, destination, question, consents, takes_mail, redirects)


def _takes_mail(exchanges: Reply, addresses: tuple[Reply, ...]) -> Said:
    """Tell whether mail to a domain has somewhere to go, as far as DNS shows."""
    if not isinstance(exchanges, Answer):
        return "unknown"
    if exchanges.records:
        return "no" if exchanges.records == (Exchange(0, ""),) else "yes"  # RFC 7505 section 3
    if any(isinstance(reply, Answer) and reply.records for reply in addresses):
        return "yes"  # RFC 5321 section 5.1: the host itself
    return "no" if all(isinstance(reply, Answer) for reply in addresses) else "unknown"
