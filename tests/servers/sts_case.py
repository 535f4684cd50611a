"""Domains as the tests of the rules about MTA-STS and TLS reports write them down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from agent.domain.finding import Finding
from agent.domain.lookup import Answer, Plan, Reply, Silence, TextRecord, Unanswered, replay
from agent.domain.mta_sts_lint import lint
from agent.domain.mta_sts_picture import (
    Change,
    Fetched,
    Intent,
    Past,
    Picture,
    Shown,
    announcement,
)
from agent.domain.mta_sts_policy import parse, read_policy
from agent.domain.mta_sts_report import draw_facts, measure
from agent.domain.mta_sts_survey import survey
from agent.domain.peer_text import PeerText
from agent.domain.tls import Certificate, Presented, Trust
from servers.spf_zone import zone_of
from servers.standings import NOON

T = TypeVar("T")
D = "contoso.com"
OWN = "contoso-com.mail.protection.outlook.com"
SECURE = "contoso-com.e-v1.mx.microsoft"
HOST = f"mta-sts.{D}"
RECORD = "v=STSv1; id=20261101"
PLACE = "192.31.196.80"
DAY = timedelta(days=1)
SILENT = Unanswered(Silence.TIMEOUT)
DNS = f"""
{D} MX 0 {OWN}
{HOST} A {PLACE}
"""


def policy(
    *patterns: str, mode: str = "enforce", max_age: int | str = 604800, more: str = ""
) -> str:
    """Write a policy; by default it covers the exchange of the domain."""
    lines = ["version: STSv1", f"mode: {mode}"]
    lines += [f"mx: {each}" for each in patterns or (OWN,)]
    return "\n".join([*lines, f"max_age: {max_age}", more]).rstrip("\n") + "\n"


def certificate(*names: str, days: int = 60, bits: int = 2048) -> Certificate:
    """Make the facts of a certificate."""
    held = tuple(map(PeerText, names))
    return Certificate(
        subject=PeerText(f"CN={names[0]}"),
        issuer=PeerText("CN=Issuer"),
        common_name=held[0],
        names=held,
        name_count=len(held),
        not_before=NOON - 300 * DAY,
        not_after=NOON + days * DAY,
        key_type="RSA",
        key_bits=bits,
        signature="sha256",
        is_self_signed=False,
        fingerprint="00",
    )


SOUND = Presented(certificate(HOST), (), Trust.TRUSTED)


def shown(*names: str, days: int = 60, is_trusted: bool | None = True) -> Shown:
    """Make what another check saw at an exchange."""
    return Shown(names, NOON + days * DAY, is_trusted)


def before(text: str, version: str = "20261101", ago: timedelta = timedelta(minutes=10)) -> Change:
    """Remember that the policy was *text* under the id *version* until lately."""
    return Change(NOON - ago, announcement(version, read_policy(text.encode())))


def texts(*records: str) -> Answer:
    """Return an answer with TXT records."""
    return Answer(tuple(TextRecord((each.encode("latin-1"),)) for each in records))


@dataclass(frozen=True)
class Case:
    """A domain: *dns* lines as ``zone_of`` reads them, over which *replies* are put.

    *record* is the TXT record, or several; empty for none. *body* is the policy's file.
    """

    record: str | tuple[str, ...] = RECORD
    body: str = field(default_factory=policy)
    dns: str = DNS
    trouble: str = ""
    is_ours: bool = False
    presented: Presented | None = SOUND
    exchanges: Mapping[str, Shown] = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    intent: Intent = field(default_factory=Intent)
    replies: Mapping[tuple[str, str], Reply] = field(default_factory=dict)
    domain: str = D
    now: datetime = NOON

    def but(self, **changes: object) -> "Case":
        """Return the case with other values."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def zone(self) -> dict[tuple[str, str], Reply]:
        zone = zone_of("\n".join(filter(str.strip, self.dns.splitlines())))
        records = (self.record,) if isinstance(self.record, str) else self.record
        if any(records):
            zone[f"_mta-sts.{self.domain}", "TXT"] = texts(*records)
        return {**zone, **self.replies}

    def replay(self, plan: Plan[T]) -> T:
        return replay(plan, self.zone())

    def picture(self) -> Picture:
        found = self.replay(survey(self.domain))
        fetched = None
        if found.version:
            document = None if self.trouble and not self.body else parse(self.body.encode())
            fetched = Fetched(document, self.trouble, self.is_ours)
        presented = self.presented if fetched else None
        return Picture(found, self.now, fetched, presented, self.exchanges, self.past)

    def findings(self) -> tuple[Finding, ...]:
        picture = self.picture()
        assert draw_facts(picture)["record"]
        assert all(each.value >= 0 for each in measure(picture))  # type: ignore[operator]
        findings = lint(picture, self.intent)
        assert all(f.detail.isascii() and f.detail.endswith((".", "?")) for f in findings)
        return findings
