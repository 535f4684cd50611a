"""Zones and their name servers as the tests of the rules about them write them down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TypeVar

from agent.domain import nameservers_answers as answers
from agent.domain.direct import Address, Code, DirectQuery, Heard, Said
from agent.domain.finding import Finding
from agent.domain.lookup import (
    Answer,
    Exchange,
    Query,
    Record,
    Reply,
    Silence,
    TextRecord,
    Unanswered,
)
from agent.domain.nameservers import Survey, survey
from agent.domain.nameservers_lint import lint
from agent.domain.nameservers_zone import Inquiry, Told

T = TypeVar("T")

ABOVE = "192.31.196.1"
FIRST, SECOND = "192.31.196.53", "192.52.193.53"
RESOLVER = ("192.52.193.9", 53)
SILENT = Unanswered(Silence.TIMEOUT)
REFUSED = Said(Code.REFUSED)
SOA = "ns1.dns.example. host.dns.example. 7 3600 600 1209600 3600"
DKIM = "selector1._domainkey.contoso.com"
BELOW = "q7x2-no-such-name-k9f4.contoso.com"
KEY_BELOW = "q7x2-no-such-name-k9f4._domainkey.contoso.com"
Key = tuple[str, str]


def text(value: str) -> TextRecord:
    return TextRecord((value.encode(),))


def said(*records: Record, ttl: int = 3600) -> Said:
    return Said(Code.NOERROR, records, ttl=ttl, authoritative=True)


def answer(*records: Record) -> Answer:
    return Answer(records, ttl=3600)


def referral(cut: str, *servers: str, **glue: tuple[Address, ...]) -> Said:
    found = {name.replace("_", "."): addresses for name, addresses in glue.items()}
    return Said(Code.NOERROR, delegation=servers, cut=cut, glue=found)


RECORDS: dict[Key, Heard] = {
    ("contoso.com", "SOA"): said(SOA),
    ("contoso.com", "NS"): said("ns1.dns.example", "ns2.dns.example"),
    ("contoso.com", "MX"): said(Exchange(0, "mx.contoso.com")),
    ("contoso.com", "TXT"): said(text("v=spf1 -all"), text("MS=ms1")),
    ("_dmarc.contoso.com", "TXT"): said(text("v=DMARC1; p=reject")),
    (DKIM, "TXT"): said(text("v=DKIM1; p=AAAA")),
}


@dataclass
class Net:
    """What the resolver answers, and what each server says when it is asked directly.

    A server that is not there is silent; what one has not is not in the zone.
    """

    resolver: dict[Key, Reply] = field(
        default_factory=lambda: {
            ("contoso.com", "NS"): answer("ns1.dns.example", "ns2.dns.example"),
            ("contoso.com", "SOA"): answer(SOA),
            ("com", "NS"): answer("a.registry.example"),
            ("a.registry.example", "A"): answer(ip_address(ABOVE)),
            ("ns1.dns.example", "A"): answer(ip_address(FIRST)),
            ("ns2.dns.example", "A"): answer(ip_address(SECOND)),
        }
    )
    servers: dict[str, dict[Key, Heard]] = field(
        default_factory=lambda: {
            ABOVE: {
                ("contoso.com", "NS"): referral("contoso.com", "ns1.dns.example", "ns2.dns.example")
            },
            FIRST: dict(RECORDS),
            SECOND: dict(RECORDS),
        }
    )
    asked: list[Query | DirectQuery] = field(default_factory=list)
    domain: str = "contoso.com"
    asks_resolver: bool = False

    def both(self, key: Key, told: Heard) -> None:
        """Have both servers say the same."""
        for address in (FIRST, SECOND):
            self.servers[address][key] = told

    def run(self, plan: Inquiry[T]) -> T:
        """Run a plan against this net."""
        told: tuple[Told, ...] | None = None
        while True:
            try:
                asked = next(plan) if told is None else plan.send(told)
            except StopIteration as done:
                value: T = done.value
                return value
            self.asked += asked
            told = tuple(map(self._tell, asked))

    def _tell(self, asked: Query | DirectQuery) -> Told:
        key = (asked.name, asked.type)
        if isinstance(asked, Query):
            exists = any(asked.name == name for name, _ in self.resolver)
            return self.resolver.get(key, Answer(name_exists=exists))
        server = self.servers.get(str(asked.server))
        if server is None:
            return SILENT
        return server.get(key, server.get(("", "")) or Said(Code.NXDOMAIN, authoritative=True))

    def survey(self) -> Survey:
        """Survey the domain."""
        address, port = RESOLVER
        places = ((ip_address(address), port),) if self.asks_resolver else ()
        return self.run(survey(self.domain, ("selector1",), places))

    def findings(self, reach: str = "public") -> tuple[Finding, ...]:
        """Judge the domain as a single look does."""
        return tuple(self._findings(self.survey(), reach))

    def _findings(self, found: Survey, reach: str) -> Iterator[Finding]:
        yield from lint(found, reach=reach)
        yield from answers.lint_splits(answers.splits(found))
        yield from answers.lint_serials(answers.lag(found))
        yield from answers.lint_deviations(answers.deviations(found))
        yield from answers.lint_times(found, 300, 604_800)
        yield from answers.lint_wildcards(found)


Change = Callable[[Net], None]


def net(*changes: Change) -> Net:
    """Return a healthy net with some changes."""
    made = Net()
    for change in changes:
        change(made)
    return made


def as_is(_: Net) -> None:
    """Change nothing."""


def says(address: str, name: str, kind: str, told: Heard) -> Change:
    """Have the server at an address say something."""

    def change(made: Net) -> None:
        made.servers[address][name, kind] = told

    return change


def all_say(name: str, kind: str, told: Heard) -> Change:
    return lambda made: made.both((name, kind), told)


def resolver(name: str, kind: str, reply: Reply) -> Change:
    def change(made: Net) -> None:
        made.resolver[name, kind] = reply

    return change


def gone(*addresses: str) -> Change:
    """Take servers away: they are silent."""

    def change(made: Net) -> None:
        for address in addresses:
            made.servers.pop(address)

    return change


def only(address: str, told: Heard) -> Change:
    """Have a server say the same to everything."""

    def change(made: Net) -> None:
        made.servers[address] = {("", ""): told}

    return change


def delegated(*servers: str, **glue: tuple[Address, ...]) -> Change:
    """Have the zone above delegate, and the zone name, these servers."""

    def change(made: Net) -> None:
        made.servers[ABOVE]["contoso.com", "NS"] = referral("contoso.com", *servers, **glue)
        made.both(("contoso.com", "NS"), said(*servers))
        made.resolver["contoso.com", "NS"] = answer(*servers)

    return change


def named(name: str, *addresses: str) -> Change:
    """Have the resolver know the addresses of a name."""

    def change(made: Net) -> None:
        found = [ip_address(each) for each in addresses]
        for kind, version in (("A", 4), ("AAAA", 6)):
            made.resolver[name, kind] = answer(*(x for x in found if x.version == version))

    return change


def both(*changes: Change) -> Change:
    def change(made: Net) -> None:
        for each in changes:
            each(made)

    return change


def asking(**records: Heard) -> Change:
    """Have the resolver of the configuration be asked, and say as the servers do, but for some."""

    def change(made: Net) -> None:
        made.asks_resolver = True
        made.servers[RESOLVER[0]] = {
            key: replace(told, authoritative=False, recursion=True)
            for key, told in RECORDS.items()
            if isinstance(told, Said)
        }
        for kind, told in records.items():
            made.servers[RESOLVER[0]]["contoso.com", kind] = told

    return change
