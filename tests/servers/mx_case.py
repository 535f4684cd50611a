"""Domains as the tests of the rules about MX write them down."""

from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Exchange, Reply, Silence, Unanswered, replay
from agent.domain.mx import NO_SUCH_LABEL, survey
from agent.domain.mx_lint import expect, lint

OWN = "contoso-com.mail.protection.outlook.com"
SECURE = "contoso-com.e-v1.mx.microsoft"
FILTER = "mx0a-00000001.pphosted.com"
FILTER2 = "mx0b-00000001.pphosted.com"
PUBLIC = "192.31.196.10"
PUBLIC2 = "192.31.196.11"


@dataclass(frozen=True)
class Case:
    """A domain with its records, as they are written down; and what is expected of it."""

    records: tuple[str, ...] = (f"0 {OWN}",)
    topology: str = "exchange-online"
    domain: str = "contoso.com"
    exchanges: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    hosts: dict[str, str | Reply] = field(default_factory=dict)
    mx: Reply | None = None
    wildcard: tuple[str, ...] = ()
    apex: str = ""
    zones: tuple[str, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        zone: dict[tuple[str, str], Reply] = {
            (self.domain, "MX"): self.mx or Answer(_exchanges(self.records), ttl=3600),
            (f"{NO_SUCH_LABEL}.{self.domain}", "MX"): Answer(_exchanges(self.wildcard)),
        }
        zone |= {(name, "SOA"): Answer(("an SOA record",)) for name in self.zones}
        if self.apex:
            zone[self.domain, "A"] = Answer((ip_address(self.apex),))
        for number, record in enumerate(self.records):
            name = record.partition(" ")[2]
            zone.setdefault((name, "A"), Answer((ip_address(f"192.31.196.{10 + number}"),)))
        for name, content in self.hosts.items():
            zone.pop((name, "A"), None)
            if isinstance(content, str):
                addresses = tuple(ip_address(text) for text in content.split())
                for kind, version in (("A", 4), ("AAAA", 6)):
                    zone[name, kind] = Answer(
                        tuple(one for one in addresses if one.version == version)
                    )
            else:
                zone[name, "A"] = zone[name, "AAAA"] = content
        expected = expect(
            self.topology,
            exchanges=self.exchanges,
            senders=self.senders,
            min_ttl=300,
            max_ttl=172_800,
        )
        return lint(replay(survey(self.domain), zone), expected)


def _exchanges(records: tuple[str, ...]) -> tuple[Exchange, ...]:
    split = (record.partition(" ") for record in records)
    return tuple(Exchange(int(preference), name) for preference, _, name in split)


HEALTHY = Case()
CUSTOM = Case(topology="custom", records=("10 mx1.example", "20 mx2.example"))
FILTERED = Case(topology="third-party-filter", records=(f"10 {FILTER}", f"20 {FILTER2}"))
PARKED = Case(topology="parked", records=("0 ",))
GONE = Answer(name_exists=False)
ZONE = ("contoso.com",)
VOID = Answer()
SILENT = Unanswered(Silence.TIMEOUT)
MANY = tuple(f"10 mx{number}.example" for number in range(11))


def named(table: list[tuple[Rule, str, Case]]) -> list[object]:
    """Return the rows as parameters, each under its name."""
    return [pytest.param(rule, case, id=f"{rule.code}: {name}") for rule, name, case in table]


def rules_of(table: list[tuple[Rule, str, Case]]) -> set[Rule]:
    """Return the rules that a table is about."""
    return {rule for rule, _, _ in table}
