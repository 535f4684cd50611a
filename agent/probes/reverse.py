"""Do the addresses that send the domain's mail have names that receivers trust?

Receivers ask for the name of an address (PTR), and whether the name leads back. Over IPv6 large
ones refuse mail without it, Exchange Online with 450 4.7.25; over IPv4 it costs trust.

Looked at are the addresses and networks among the domain's `senders`, and its exchanges as far as
they are servers of its own; providers answer for theirs. A network is judged as one, and of a large
one only a sample is asked. One run asks for MX; names and addresses come from the cache, some hours
old at most. Whether a server greets with its reverse name only a session can show, and no check
keeps that.
"""

from datetime import timedelta

from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Measurement, Outcome, Signal
from agent.domain.lookup import Plan
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.reverse_lint import Verdict, judge, lint, silences
from agent.domain.reverse_rules import RULES
from agent.domain.reverse_survey import Named, Source, Survey, survey
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field

_NAMES_SHOWN = 4
_NONE = (
    "No address of the domain's own is known: its declared senders and its exchanges are those of"
    " providers."
)

ADDRESSES = Signal(
    name="mailflow_reverse_addresses",
    help="Addresses of the domain's own servers that were asked for, by what their name is worth.",
    labels=("verdict",),
)


class ReverseSettings(CheckSettings):
    """Settings of a reverse check."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )


ReverseCheck = Check[DomainSubject, ReverseSettings]


async def run(check: ReverseCheck, tools: Toolbox) -> Outcome:
    """Survey the addresses and judge them, where DNS says something new."""
    return await tools.recall.derive(check.identity, check, lambda: _judge(check))


def _judge(check: ReverseCheck) -> Plan[Outcome]:
    target = check.target
    found = yield from survey(check.subject, target.topology, target.senders)
    silent = silences(found)
    findings = [DNS_UNANSWERED.found(f"{name}: {reason}.") for name, reason in silent]
    return Outcome(
        (*lint(found), *findings),
        _measure(found),
        _facts(found),
        failure=silent[0][1] if silent else "",
        idle="" if found.sources or findings or found.silence else _NONE,
    )


def _measure(found: Survey) -> tuple[Measurement, ...]:
    asked = {one.address: one for source in found.sources for one in source.named}
    verdicts = [judge(one) for one in asked.values()]
    return tuple(ADDRESSES.at(verdicts.count(verdict), verdict.value) for verdict in Verdict)


def _facts(found: Survey) -> dict[str, Fact]:
    if not found.sources:
        text = f"Not known: MX of {found.domain}: {found.silence}."
        return {"addresses": Text(text)} if found.silence else {}
    columns = ("address", "of", "names", "judgement", "remark")
    rows = [row for source in found.sources for row in _rows(source)]
    facts: dict[str, Fact] = {"addresses": Table(columns, tuple(rows))}
    samples = [
        f"{source.title}: {len(source.named)} of {source.size} addresses were asked for"
        for source in found.sources
        if not source.is_whole and not source.problem and not source.silence
    ]
    if samples:
        facts["samples"] = Text("\n".join(samples))
    return facts


def _rows(source: Source) -> list[tuple[str, ...]]:
    title = PeerText(source.title, MAX_NAME)
    remark = source.problem or source.silence
    if remark:
        return [("-", title, "-", "unanswered" if source.silence else "not asked", remark)]
    return [_row(title, one) for one in source.named]


def _row(title: str, one: Named) -> tuple[str, ...]:
    names = ", ".join(PeerText(name, MAX_NAME) for name in one.found.names[:_NAMES_SHOWN])
    silence = f"{one.found.silence}" if one.found.silence else "-"
    return (str(one.address), title, names or "none", judge(one).value, one.generic or silence)


PROBE = Probe(
    kind="reverse",
    subject=DomainSubject,
    settings=ReverseSettings,
    run=run,
    rules=RULES,
    signals=(ADDRESSES,),
    depends_on=("resolver",),
    example="{interval: 1h}",
    one_off=ReverseSettings(),
)
