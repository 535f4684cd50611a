"""Does Outlook find the domain's mailboxes, and is nobody else asked for them?

Outlook and phones ask `autodiscover` below the domain where a mailbox is. Where the record is
missing or wrong, mail flows and people cannot set up their programs. Where it leads to a host that
nobody holds any more, whoever takes that name is asked instead.

One run asks for the alias itself; where it leads, the SRV record and the other names that Microsoft
has customers publish come from the cache, some hours old at most. Only what DNS can say is judged:
whether the host behind an own name answers is not. What is right follows from the topology and the
cloud, unless `expected` says otherwise.
"""

from datetime import timedelta

from agent.domain.autodiscover import Place, Survey, survey
from agent.domain.autodiscover_lint import (
    Expectation,
    Verdict,
    expect,
    judge,
    judge_other,
    judge_srv,
    lint,
    silences,
)
from agent.domain.autodiscover_rules import RULES
from agent.domain.fact import Fact, Table, Text
from agent.domain.finding import Measurement, Outcome, Signal
from agent.domain.knowledge.autodiscover_targets import OTHERS
from agent.domain.knowledge.clouds import CLOUDS
from agent.domain.lookup import Plan
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field, HostPattern

_PURPOSES = {other.label: other.purpose for other in OTHERS}
_WORDS = {
    "cloud": "a CNAME record that leads to {wanted} ({cloud})",
    "named": "a record that leads to {wanted}, as configured",
    "own": "a record that leads to a host of your own{beside}",
    "nobody": "no record: the domain is parked",
    "anybody": "nothing is known of what to expect",
}

RECORDS = Signal(
    name="mailflow_autodiscover_records",
    help="Names and SRV records for Outlook below the domain, by what they are worth.",
    labels=("verdict",),
)


class AutodiscoverSettings(CheckSettings):
    """Settings of an autodiscover check."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    expected: tuple[HostPattern, ...] = Field(
        default=(),
        description="Hosts that `autodiscover` may lead to, each exact or with one leading `*.`; by"
        " default those of the topology and the cloud. An address record counts as"
        " `autodiscover.<domain>`.",
    )
    allow_cloud: bool = Field(
        default=False,
        description="Whether `autodiscover` of a domain with servers of its own may lead to"
        " Exchange Online, as it does once all mailboxes are there.",
    )


AutodiscoverCheck = Check[DomainSubject, AutodiscoverSettings]
_Row = tuple[Place, Verdict, str]


async def run(check: AutodiscoverCheck, tools: Toolbox) -> Outcome:
    """Survey the domain and judge it, where DNS says something new."""
    return await tools.recall.derive(check.identity, check, lambda: _judge(check))


def _judge(check: AutodiscoverCheck) -> Plan[Outcome]:
    found = yield from survey(check.subject)
    target = check.target
    expected = expect(
        found,
        target.topology,
        target.senders,
        check.settings.expected,
        allow_cloud=check.settings.allow_cloud,
    )
    if not found.exists:
        return Outcome(idle="The domain does not exist; see its mx check.")
    silent = silences(found, expected)
    findings = [DNS_UNANSWERED.found(f"{name}: {reason}.") for name, reason in silent]
    rows = _rows(found, expected)
    return Outcome(
        (*lint(found, expected), *findings),
        _measure(rows),
        {"expected": Text(_expected(expected)), "records": _table(rows)},
        failure=silent[0][1] if silent else "",
    )


def _rows(found: Survey, expected: Expectation) -> tuple[_Row, ...]:
    """Return every name with its verdict and what it is for."""
    main = (found.main, judge(found, expected), "Outlook's mailboxes")
    services = [(one, judge_srv(one, expected), "Outlook's mailboxes") for one in found.srv]
    others = [
        (one, judge_other(one, expected), _PURPOSES[one.name.partition(".")[0]])
        for one in found.others
    ]
    return (main, *services, *others)


def _measure(rows: tuple[_Row, ...]) -> tuple[Measurement, ...]:
    verdicts = [verdict for _, verdict, _ in rows]
    return tuple(RECORDS.at(verdicts.count(verdict), verdict.value) for verdict in Verdict)


def _expected(expected: Expectation) -> str:
    cloud = CLOUDS[expected.cloud].title
    beside = ", or to Exchange Online" if expected.allow_cloud else ", and not to Exchange Online"
    words = _WORDS[expected.whose].format(wanted=expected.wanted, cloud=cloud, beside=beside)
    is_free = expected.whose in {"cloud", "own"} and not expected.is_needed
    return f"{words}; none is needed" if is_free else words


def _table(rows: tuple[_Row, ...]) -> Fact:
    columns = ("name", "type", "leads to", "addresses", "judgement", "purpose")
    return Table(columns, tuple(map(_cells, rows)))


def _cells(row: _Row) -> tuple[str, ...]:
    place, verdict, purpose = row
    kind = "SRV" if place.port else "CNAME" if place.target else "A, AAAA"
    target = PeerText(place.target, MAX_NAME)
    if place.port:
        target = PeerText(f"{place.target}:{place.port}", MAX_NAME)
    addresses = ", ".join(map(str, place.addresses[:4]))
    return (
        place.name,
        "-" if place.is_absent else kind,
        target or "-",
        addresses or place.silence or ("none" if place.target else "-"),
        f"{verdict.value}, by a wildcard" if place.is_wild else verdict.value,
        purpose,
    )


PROBE = Probe(
    kind="autodiscover",
    subject=DomainSubject,
    settings=AutodiscoverSettings,
    run=run,
    rules=RULES,
    signals=(RECORDS,),
    depends_on=("resolver",),
    example="{interval: 1h}",
    # Own exchanges in MX do not tell that there are mailboxes on them.
    one_off=AutodiscoverSettings(allow_cloud=True),
)
