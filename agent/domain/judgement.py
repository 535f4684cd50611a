"""What does a run show of a judgement that stands, as time goes by?

A plan is evaluated only when DNS says something new, but two things change by time alone: a change
of the record is news for a while, and some rules cannot be told at first. A resolver's cache counts
a time to live down, so a low one proves nothing until an interval as long has been watched; before,
the finding would accuse a domain of what our own resolver does.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from agent.domain.finding import Finding, Outcome, Rule


@dataclass(slots=True)
class Judgement:
    """An outcome, and what is added and held back for a time.

    ``news`` is a finding shown until ``news_until``; findings of ``premature`` are held back until
    ``sure_from``.
    """

    settled: Outcome
    news: Finding | None = None
    news_until: datetime | None = None
    premature: Rule | None = None
    sure_from: datetime | None = None
    # Only the latest: time takes nothing back, and ten thousand of these are kept.
    _shown: tuple[bool, bool, Outcome] | None = None

    def at(self, now: datetime) -> Outcome:
        """Return what to show: the same object for as long as it is the same."""
        is_news = self.news_until is not None and now < self.news_until
        is_early = self.sure_from is not None and now < self.sure_from
        if self._shown is None or self._shown[:2] != (is_news, is_early):
            self._shown = (is_news, is_early, self._make(is_news=is_news, is_early=is_early))
        return self._shown[2]

    def _make(self, *, is_news: bool, is_early: bool) -> Outcome:
        findings = self.settled.findings
        if is_early:
            findings = tuple(each for each in findings if each.rule is not self.premature)
        if is_news and self.news is not None:
            findings = (*findings, self.news)
        if findings == self.settled.findings:
            return self.settled
        return replace(self.settled, findings=findings)
