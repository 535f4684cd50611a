"""Since when is a rule found to be broken, and in how many runs in a row?

A streak begins with the run that finds the rule, goes on over a restart of the agent, and ends with
the first run that can tell and does not find it. A run that could not tell ends nothing: what is
found again after it has been so since it was found first. A row that was long enough to alert goes
on, or every silence of a resolver would end alerts and raise them anew; one that had only begun is
counted anew, because its runs are no longer in a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from agent.domain.finding import Outcome, Severity

# Two runs that are further apart are not in a row: after a weekend switched off, or asleep, a
# single run must not pass for the second one. An interval and a half may be lost, and a restart of
# the machine beside.
IN_A_ROW = 2.5  # intervals
GRACE = timedelta(minutes=10)
FORGOTTEN = timedelta(days=7)  # without having been found: what comes then is a new fault
ENOUGH = 2  # runs in a row that an alert asks for; more need not be known


@dataclass(frozen=True, slots=True)
class Streak:
    """A rule was first found at *since*, and in so many *runs* in a row until *last*.

    ``is_found`` is false while the last run, which counts for ``last``, could not tell.
    """

    runs: int
    since: datetime
    last: datetime
    is_found: bool = True


Streaks = Mapping[str, Streak]  # by the code of the rule
NONE: Streaks = MappingProxyType({})


def after(before: Streaks, outcome: Outcome, at: datetime, interval: timedelta) -> Streaks:
    """Return the streaks of a check that runs every *interval*, after the run that ended *at*."""
    if not outcome.findings:
        return NONE
    found = dict.fromkeys(finding.rule.code for finding in outcome.findings)
    streaks = {code: _longer(before.get(code), at, interval) for code in found}
    if any(finding.severity is Severity.UNKNOWN for finding in outcome.findings):
        for code, streak in before.items():
            if code not in found and at - streak.last < FORGOTTEN:
                runs = streak.runs if streak.runs >= ENOUGH else 0
                streaks[code] = Streak(runs, streak.since, at, is_found=False)
    return streaks


def in_a_row(streaks: Streaks) -> Mapping[str, int]:
    """Return in how many runs in a row each rule was found that the last run has found."""
    return {code: streak.runs for code, streak in streaks.items() if streak.is_found}


def _longer(before: Streak | None, at: datetime, interval: timedelta) -> Streak:
    if before is None or at - before.last >= FORGOTTEN:
        return Streak(1, at, at)
    is_next = at - before.last <= IN_A_ROW * interval + GRACE
    # A clock that was ahead has left what is yet to come.
    return Streak(before.runs + 1 if is_next else 1, min(before.since, at), at)
