# ruff: noqa: E501 - tables of data
"""Boards as a small and a large installation would have them, without running a check."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from agent.domain.fact import Fact, Node, Path, Phase, Stop, Table, Text, Walk
from agent.domain.finding import Distribution, Finding, Measurement, Outcome, Rule, Severity, Signal
from agent.domain.streak import Streaks
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.runtime.board import Board, Run
from agent.settings import CheckSettings, DomainSubject, Subject

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

TOO_MANY = Rule(
    "spf-too-many-lookups",
    Severity.CRITICAL,
    "The SPF record takes more than 10 lookups",
    "Remove includes of services that no longer send for the domain, or replace one include by"
    " the networks it stands for.",
    "RFC 7208 section 4.6.4",
)
NEAR_LIMIT = Rule(
    "spf-near-lookup-limit",
    Severity.WARNING,
    "The SPF record is near the limit of 10 lookups",
    "Take out an include before the next provider adds one of its own.",
    "RFC 7208 section 4.6.4",
)
DANGLING = Rule(
    "mx-dangling",
    Severity.CRITICAL,
    "An MX record names a host that does not exist",
    "Remove the record, or register the host's name before somebody else does.",
    "RFC 5321 section 5.1",
)
CERTIFICATE = Rule(
    "connector-certificate-expires",
    Severity.WARNING,
    "The smart host's certificate expires soon",
    "Renew the certificate and restart the listener that serves it.",
    "RFC 5280 section 4.1.2.5",
)
LOOKUPS = Signal("mailflow_spf_lookups", "DNS lookups that the record takes.")
PHASE = Signal("mailflow_connector_phase_seconds", "Time of a phase.", labels=("phase",))
SENT = Signal("mailflow_route_messages_total", "Messages judged.", kind="counter")
TIME = Signal(
    "mailflow_route_delivery_duration_seconds",
    "Time from acceptance to arrival.",
    kind="histogram",
    buckets=(1.0, 10.0, 60.0),
)


class LinkSubject(Subject):
    """Stands for a connector or a route."""

    kind: ClassVar[str] = "connector"


class RouteLike(Subject):
    """Stands for a route."""

    kind: ClassVar[str] = "route"


async def _never(_check: Check[Any, Any], _tools: Toolbox) -> Outcome:
    raise AssertionError


def from_zero(check: Check[Any, Any]) -> tuple[Measurement, ...]:
    """Return what a check has before its first run."""
    if check.probe.kind != "route":
        return ()
    return (SENT.at(0), Measurement(TIME, Distribution((0, 0, 0, 0), 0.0)))


SPF = Probe("spf", DomainSubject, CheckSettings, _never, (TOO_MANY, NEAR_LIMIT), (LOOKUPS,))
MX = Probe("mx", DomainSubject, CheckSettings, _never, (DANGLING,))
CONNECTOR = Probe("connector", LinkSubject, CheckSettings, _never, (CERTIFICATE,), (PHASE,))
ROUTE = Probe("route", RouteLike, CheckSettings, _never, (), (SENT, TIME))
PROBES: tuple[Probe[Any, Any], ...] = (CONNECTOR, MX, ROUTE, SPF)


@dataclass
class HandClock:
    """A clock that is moved by hand."""

    at: datetime = NOON
    elapsed: float = field(default=1000.0)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

    def advance(self, length: timedelta) -> None:
        self.at += length
        self.elapsed += length.total_seconds()


def check(tenant: str, probe: Probe[Any, Any], name: str, **settings: Any) -> Check[Any, Any]:
    """Return a check of *name*, every five minutes unless *settings* say otherwise."""
    return Check(tenant, probe.subject(name=name), probe, probe.settings(**settings))


def publish(board: Board, of: Check[Any, Any], outcome: Outcome, at: datetime = NOON) -> Run:
    """Publish a run that ended a moment before *at*."""
    took = timedelta(milliseconds=34)
    run = Run(of, at - took, took, outcome)
    board.publish(run)
    return run


def include_tree(top: int = 14) -> Node:
    """Return the includes of a record that takes *top* lookups."""
    protection = Node(
        "include:spf.protection.outlook.com",
        "Exchange Online",
        "good",
        1,
        (Node("ip4:40.92.0.0/15"), Node("ip4:52.100.0.0/15"), Node("ip6:2a01:111:f403::/49")),
    )
    news = Node(
        "include:_spf.newsletter.example",
        "7 lookups below it",
        "warning",
        8,
        (
            Node(
                "include:_spf1.newsletter.example",
                "",
                "plain",
                3,
                (
                    Node("a:out.newsletter.example", "2 addresses", "plain", 1),
                    Node("mx", "no exchange: a void lookup", "warning", 1),
                ),
            ),
            Node(
                "include:_spf2.newsletter.example",
                "",
                "plain",
                2,
                (
                    Node(
                        "exists:%{i}.allow.newsletter.example", "asked for each sender", "plain", 1
                    ),
                ),
            ),
            Node("include:gone.newsletter.example", "does not exist", "bad", 1),
        ),
    )
    desk = Node("include:helpdesk.example", "DNS did not answer", "unknown", 4)
    end = Node("-all", "everything else fails")
    return Node(
        "v=spf1 contoso.com",
        "permerror: the limit of 10 is passed here",
        "bad",
        top,
        (protection, news, desk, end),
    )


def _phases() -> Walk:
    return Walk(
        (
            Phase("resolve", 0.0021, "good", "192.31.196.25"),
            Phase("connect", 0.012, "good"),
            Phase("greeting", 0.31, "warning", "220 smarthost.contoso.com ESMTP, after a pause"),
            Phase("ehlo", 0.009, "good", "PIPELINING SIZE STARTTLS"),
            Phase("starttls", 0.041, "good", "TLSv1.3 TLS_AES_256_GCM_SHA384"),
            Phase("certificate", 0.0004, "warning", "expires in 9 days"),
            Phase("mail", 0.011, "good"),
            Phase("rcpt", 0.093, "bad", "550 5.1.1 No such user"),
            Phase("data", None),
        )
    )


def _path() -> Path:
    return Path(
        (
            Stop("this agent", "us", note="sent 11:59:40Z"),
            Stop("mx1.filter.example", "filter", 0.04, "TLS 1.3"),
            Stop("DB5PEPF00014B8A.mail.protection.outlook.com", "microsoft", 21.0, "TLS 1.2"),
            Stop("relay.partner.example", "partner", 1.0, "not encrypted", "bad"),
            Stop("mail.example", "unknown", None, "inside", "warning", "its clock is wrong"),
            Stop("imap probe", "us", 0.4, "seen by the agent", "good", "delivered after 22.4 s"),
        )
    )


def small_board(clock: HandClock, before: Mapping[str, Streaks] | None = None) -> Board:
    """Return a board with two tenants, in which something of every kind is wrong.

    *before* is what was found before the agent was started.
    """
    records = (
        ("0", "contoso-com.mail.protection.outlook.com", "52.101.68.3", "3600"),
        ("10", "mx.old-gateway.example", "does not exist", "300"),
    )
    tree = include_tree()
    facts: dict[str, Fact] = {
        "Record": Text(
            "v=spf1 include:spf.protection.outlook.com include:_spf.newsletter.example include:helpdesk.example -all"
        ),
        "Includes": tree,
    }
    many = Outcome(
        (
            NEAR_LIMIT.found("9 of 10 lookups are taken before the include of helpdesk.example."),
            TOO_MANY.found(
                "Evaluating the record takes 14 lookups.",
                "include:_spf.newsletter.example takes 8",
                "include:helpdesk.example takes 4",
            ),
        ),
        (LOOKUPS.at(14),),
        facts,
    )
    dangling = Outcome(
        (DANGLING.found("mx.old-gateway.example does not exist.", "10 mx.old-gateway.example"),),
        facts={"Exchanges": Table(("preference", "exchange", "address", "TTL"), records)},
    )
    fine = Outcome(measurements=(LOOKUPS.at(2),), facts={"Record": Text("v=spf1 -all")})
    expires = Outcome(
        (CERTIFICATE.found("It expires in 9 days.", "CN=smarthost.contoso.com"),),
        (PHASE.at(0.31, "greeting"),),
        {"Session": _phases()},
    )
    silent = Outcome(
        (
            DNS_UNANSWERED.found(
                "The resolver did not answer for fabrikam.de TXT.", "timeout after 3 tries"
            ),
        ),
        failure="timeout",
    )
    plan: list[tuple[Check[Any, Any], Outcome | None, timedelta]] = [
        (check("contoso", SPF, "contoso.com"), many, timedelta(seconds=12)),
        (check("contoso", MX, "contoso.com"), dangling, timedelta(seconds=140)),
        (check("contoso", SPF, "contoso.de"), fine, timedelta(seconds=31)),
        (check("contoso", MX, "contoso.de"), Outcome(), timedelta(seconds=200)),
        (check("contoso", CONNECTOR, "to-datacentre"), expires, timedelta(seconds=48)),
        (
            check("contoso", ROUTE, "internet-to-mailbox"),
            Outcome(facts={"Path of message 7: delivered": _path()}),
            timedelta(seconds=20),
        ),
        (check("fabrikam", SPF, "fabrikam.de"), silent, timedelta(seconds=5)),
        (check("fabrikam", MX, "fabrikam.de"), Outcome(), timedelta(seconds=62)),
        (check("fabrikam", SPF, "mail.fabrikam.de"), fine, timedelta(hours=2)),
        (check("fabrikam", SPF, "fabrikam-new.example"), None, timedelta()),
        (
            check("fabrikam", ROUTE, "branch-to-headquarters"),
            Outcome(
                measurements=(SENT.at(12), Measurement(TIME, Distribution((3, 11, 12, 12), 61.5)))
            ),
            timedelta(seconds=8),
        ),
    ]
    board = Board()
    board.remember(before or {})
    board.keep([of for of, _, _ in plan], clock.now() - timedelta(minutes=4))
    for of, outcome, ago in plan:
        for turn in reversed(range(4)):
            if outcome is not None:
                publish(board, of, outcome, clock.now() - ago - turn * timedelta(minutes=5))
    return board


def large_board(clock: HandClock, domains: int) -> Board:
    """Return a board of many domains with two checks each, one in fifty of them broken."""
    board = Board()
    checks = [
        check(f"tenant{number % 40:02}", probe, f"domain{number:05}.example")
        for number in range(domains)
        for probe in (SPF, MX)
    ]
    board.keep(checks, clock.now())
    fine, bad = Outcome(measurements=(LOOKUPS.at(2),)), Outcome((TOO_MANY.found("14 lookups."),))
    for number, of in enumerate(checks):
        publish(board, of, bad if number % 100 == 0 else fine, clock.now())
    return board


def findings_of(texts: Iterable[str]) -> tuple[Finding, ...]:
    """Return findings that carry *texts*, as a peer might have sent them."""
    return tuple(DANGLING.found(text, text) for text in texts)
