"""Domains as the tests of the rules about DANE write them down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from agent.domain.dane_lint import lint
from agent.domain.dane_picture import Intent, Look, Picture, Sight
from agent.domain.dane_report import draw_facts, measure
from agent.domain.dane_survey import Controls, Key, survey
from agent.domain.direct import Code, Said, Signature
from agent.domain.finding import Finding
from agent.domain.lookup import Answer, Reply, Silence, Unanswered, replay
from agent.domain.mta_sts_terms import Policy
from agent.domain.tlsa import print_of
from servers.spf_zone import zone_of
from servers.standings import NOON

D = "contoso.com"
OWN = f"mx.{D}"
AT = f"_25._tcp.{OWN}"
OLD = "contoso-com.mail.protection.outlook.com"
NEW = "contoso-com.e-v1.mx.microsoft"
PLACE = "192.31.196.30"
DAY = timedelta(days=1)
LEAF = print_of(b"leaf", b"key of the leaf")
ABOVE = print_of(b"authority", b"key of the authority")
OTHER = print_of(b"another", b"another key")
CHAIN = (LEAF, ABOVE)
FIT = f"3 1 1 {LEAF[96:128].hex()}"
NEXT = f"3 1 1 {OTHER[96:128].hex()}"
OF_AUTHORITY = f"2 1 1 {ABOVE[96:128].hex()}"
SERVFAIL = Unanswered(Silence.SERVFAIL)
SILENT = Unanswered(Silence.TIMEOUT)
MX = f"{D} MX 10 {OWN}\n{OWN} A {PLACE}\n"
DNS = f"{MX}{AT} TLSA {FIT}\n{AT} TLSA {NEXT}"
MOVING = f"{OLD} A {PLACE}\n{NEW} A {PLACE}\n_25._tcp.{NEW} TLSA {FIT}\n"


def sight(
    *chains: tuple[bytes, ...], names: tuple[str, ...] = (OWN,), days: int = 60
) -> dict[str, Sight]:
    """Make what was seen at the exchange: a chain at each of its addresses."""
    places = {f"192.31.196.{30 + n}": chain for n, chain in enumerate(chains)}
    return {OWN: Sight(names, NOON + days * DAY, places)}


def signature(left: timedelta, life: timedelta = 30 * DAY, ttl: int = 3600) -> Signature:
    """Make a signature that ends after *left*."""
    ends = NOON + left
    return Signature(D, 13, 4711, ends - life, ends, ttl)


def look(*signatures: Signature, is_refused: bool = False, code: Code = Code.NOERROR) -> Look:
    """Make what an answer without validation has."""
    return Look(Said(code, signatures=signatures), is_refused)


@dataclass(frozen=True)
class Case:
    """A domain: *dns* lines as ``zone_of`` reads them, over which *replies* are put.

    All answers are signed but for the names of *unsigned*, and what is below them.
    """

    dns: str = DNS
    unsigned: tuple[str, ...] = ()
    replies: Mapping[Key, Reply] = field(default_factory=dict)
    looks: Mapping[Key, Look] = field(default_factory=dict)
    sights: Mapping[str, Sight] = field(default_factory=lambda: sight(CHAIN))
    policy: Policy | None = None
    intent: Intent = field(default_factory=Intent)
    controls: Controls = field(default_factory=Controls)
    control: Reply = field(default_factory=lambda: Answer(("a.root-servers.net",), authentic=True))
    is_believed: bool = True
    now: datetime = NOON
    root: Look | None = None

    def but(self, **changes: object) -> "Case":
        """Return the case with other values."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def zone(self) -> dict[Key, Reply]:
        zone: dict[Key, Reply] = {
            key: replace(reply, authentic=not self._is_unsigned(key[0]))
            for key, reply in zone_of(self.dns).items()
            if isinstance(reply, Answer)
        }
        signed = self.controls.signed
        zone[(signed, "A") if signed else ("", "NS")] = self.control
        return {**zone, **self.replies}

    def _is_unsigned(self, name: str) -> bool:
        return any(name == one or name.endswith(f".{one}") for one in self.unsigned)

    def picture(self) -> Picture:
        plan = survey(D, self.controls, is_believed=self.is_believed)
        found = replay(plan, self.zone())
        return Picture(found, self.now, self.looks, self.sights, self.policy, self.root)

    def findings(self) -> tuple[Finding, ...]:
        picture = self.picture()
        assert draw_facts(picture)["DNSSEC"]
        assert all(each.value >= 0 for each in measure(picture))  # type: ignore[operator]
        findings = lint(picture, self.intent)
        assert all(each.detail.isascii() and each.detail.endswith(".") for each in findings)
        return findings
