"""Domains as the tests of the rules about DMARC write them down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.dmarc_discovery import Discovery, discover
from agent.domain.dmarc_lint import Intent, lint
from agent.domain.dmarc_report import Picture, draw_facts, judge_senders
from agent.domain.dmarc_senders import Senders, look
from agent.domain.dmarc_survey import Survey, survey
from agent.domain.finding import Finding
from agent.domain.lookup import Answer, Reply, Silence, TextRecord, Unanswered, replay
from agent.domain.spf_senders import evaluate_senders
from agent.lab.world import SIGNING_KEY
from servers.spf_zone import zone_of
from servers.standings import NOON

D = "contoso.com"
MICROSOFT = "spf.protection.outlook.com"
REPORTS = "rua=mailto:dmarc@contoso.com"
GOOD = f"v=DMARC1; p=reject; {REPORTS}"
KEY = f"v=DKIM1; k=rsa; p={SIGNING_KEY}"
SILENT = Unanswered(Silence.TIMEOUT)
AROUND = f"""
{D} MX 0 contoso-com.mail.protection.outlook.com
{MICROSOFT} TXT v=spf1 ip4:40.92.0.0/15 -all
sendgrid.net TXT v=spf1 ip4:167.89.0.0/17 ~all
servers.mcsv.net TXT v=spf1 ip4:205.201.128.0/20 ?all
"""
SPF = f"{D} TXT v=spf1 include:{MICROSOFT} -all"
SIGNED = f"selector1._domainkey.{D} TXT {KEY}"


def text(*records: str, aliases: tuple[str, ...] = ()) -> Answer:
    """Return an answer with TXT records."""
    found = tuple(TextRecord((record.encode("latin-1"),)) for record in records)
    return Answer(found, aliases=aliases)


@dataclass(frozen=True)
class Case:
    """The record of *domain* and *more* lines as ``zone_of`` reads them; and what is meant.

    Without *record* it has none. *replies* are put over what the lines say.
    """

    record: str = GOOD
    more: str = ""
    intent: Intent = field(default_factory=Intent)
    domain: str = D
    senders: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    replies: Mapping[tuple[str, str], Reply] = field(default_factory=dict)

    def zone(self) -> dict[tuple[str, str], Reply]:
        zone = zone_of(
            "\n".join(filter(str.strip, [*AROUND.splitlines(), *self.more.splitlines()]))
        )
        if self.record:
            zone[f"_dmarc.{self.domain}", "TXT"] = text(self.record)
        return {**zone, **self.replies}

    def discovery(self) -> Discovery:
        return replay(discover(self.domain), self.zone())

    def survey(self) -> Survey:
        return replay(survey(self.domain), self.zone())

    def looked(self) -> Senders:
        evaluation = evaluate_senders(self.domain, self.senders)
        plan = look(self.discovery(), self.senders, self.selectors, evaluation)
        return replay(plan, self.zone())

    def findings(self) -> tuple[Finding, ...]:
        picture = Picture(self.survey(), self.looked())
        assert draw_facts(picture, NOON, NOON, "v=DMARC1; p=none")["record"]
        findings = (*judge_senders(picture), *lint(picture.survey, self.intent))
        assert all(f.detail.isascii() and f.detail.endswith((".", "?", "`")) for f in findings)
        return findings
