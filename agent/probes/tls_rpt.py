"""Does anybody learn when senders cannot deliver to the domain over TLS as it demands?

With MTA-STS or DANE senders keep mail that they cannot deliver safely, and nobody at the domain
notices. A record for TLS reports (RFC 8460) has them send a summary every day, Exchange Online
among them.

One run asks for the record itself; whether MTA-STS or DANE is in use, and whether the destinations
take anything, comes from the cache for as long as its time to live allows. A destination in another
domain needs nobody's consent, unlike that of DMARC. A domain that uses neither of the two has
little to be told, and needs no record.
"""

from datetime import timedelta

from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Finding, Measurement, Outcome, Signal
from agent.domain.lookup import Plan, Unanswered
from agent.domain.mta_sts_terms import describe
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.tls_rpt import Place, Survey, lint, survey
from agent.domain.tls_rpt_rules import RULES
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field

_RECORD_TEXT = 1000  # characters
_SHOWN = 40  # rows

DESTINATIONS = Signal(
    name="mailflow_tls_rpt_destinations",
    help="Destinations of TLS reports that senders can read in the domain's record.",
)


class TlsRptSettings(CheckSettings):
    """Settings of a tls-rpt check."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )


TlsRptCheck = Check[DomainSubject, TlsRptSettings]


async def run(check: TlsRptCheck, tools: Toolbox) -> Outcome:
    """Survey the domain and judge it, where DNS says something new."""
    return await tools.recall.derive(check.identity, check, lambda: _judge(check.subject))


def _judge(domain: str) -> Plan[Outcome]:
    found = yield from survey(domain)
    if isinstance(found.reply, Unanswered):
        reason = found.reply.reason
        detail = f"TXT of {found.name}: {reason}."
        return Outcome((DNS_UNANSWERED.found(detail),), failure=reason.value)
    findings = lint(found)
    measured = (_measure(found),)
    # Who answered half of it may be in need of a record that is not there.
    if not found.texts and not findings and found.silence:
        silent: Finding = DNS_UNANSWERED.found(f"{found.silent_name}: {found.silence}.")
        return Outcome((silent,), measured, _facts(found), found.silence)
    return Outcome(findings, measured, _facts(found))


def _measure(found: Survey) -> Measurement:
    record = found.record
    return DESTINATIONS.at(len(record.destinations) if record else 0)


def _facts(found: Survey) -> dict[str, Fact]:
    texts = (*found.texts, *found.near)[:10]
    lines = [str(PeerText(text, _RECORD_TEXT)) for text in texts] or ["no record for TLS reports"]
    lines += [f"needed: {each}" for each in found.uses] or ["neither MTA-STS nor DANE is in use"]
    if found.silence:
        lines[-1] = f"not known whether it is needed: {found.silent_name}: {found.silence}"
    facts: dict[str, Fact] = {"record": Text("\n".join(lines))}
    record = found.record
    if record is not None:
        rows: list[tuple[str, ...]] = [
            (str(each.at), PeerText(each.text), "read") for each in record.fields
        ]
        rows += [
            (str(each.at or "-"), PeerText(each.text) or "-", describe(each, "character"))
            for each in record.faults
        ]
        facts["fields"] = Table(("at", "text", "judgement"), tuple(rows[:_SHOWN]))
    if found.places:
        columns = ("destination", "host", "takes reports", "whose")
        facts["destinations"] = Table(columns, tuple(map(_row, found.places)))
    return facts


def _row(place: Place) -> tuple[str, ...]:
    whose = "another domain; no consent is needed" if place.is_external else "own"
    host = PeerText(place.destination.domain, MAX_NAME)
    return (PeerText(place.destination.uri), host, place.takes, whose)


PROBE = Probe(
    kind="tls-rpt",
    subject=DomainSubject,
    settings=TlsRptSettings,
    run=run,
    rules=RULES,
    signals=(DESTINATIONS,),
    depends_on=("resolver",),
    example="{interval: 1h}",
    one_off=TlsRptSettings(),
)
