"""Domains as the tests of the rules about SPF write them down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.finding import Finding
from agent.domain.lookup import Reply, replay
from agent.domain.spf_lint import Intent, lint
from agent.domain.spf_survey import Bounds, survey
from agent.domain.spf_tree import draw
from servers.spf_zone import zone_of

D = "example.com"
UNTOLD = Intent()
CLOUD = Intent(frozenset({"exchange-online"}), senders=("exchange-online",))
PARKED = Intent(sends=False)


@dataclass(frozen=True)
class Case:
    """The record of example.com and *more* lines as ``zone_of`` reads them; and what is meant.

    Without *record* it has none. Names in *silent* do not answer for TXT; *replies* are put over
    what the lines say.
    """

    record: str = ""
    more: str = ""
    intent: Intent = UNTOLD
    domain: str = D
    ttl: int | None = 3600
    size: int = 100
    silent: tuple[str, ...] = ()
    replies: Mapping[tuple[str, str], Reply] = field(default_factory=dict)

    def findings(self) -> tuple[Finding, ...]:
        lines = [f"{D} TXT {self.record}"] if self.record else []
        text = "\n".join([*lines, self.more])
        zone = zone_of(text, ttl=self.ttl, size=self.size, silent=self.silent)
        found = replay(survey(self.domain), {**zone, **self.replies})
        assert draw(found.root).label
        findings = lint(found, Bounds(), self.intent)
        assert all(finding.detail.isascii() for finding in findings)
        return findings

    def codes(self) -> set[str]:
        return {finding.rule.code for finding in self.findings()}
