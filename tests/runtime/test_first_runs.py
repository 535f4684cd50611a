"""The first run of a check, and the regular turn that would come too soon after it."""

import itertools
from datetime import timedelta

from agent.runtime.timetable import Due, Timetable
from servers.checks import many


def test_no_check_runs_twice_within_half_an_interval_of_its_start() -> None:
    checks = many(40, interval=timedelta(seconds=30))
    table = Timetable()
    table.replace(checks, 1000.0)
    runs: dict[str, list[float]] = {each.identity: [] for each in checks}
    for tick in range(4 * 120):
        for event in table.due(1000.0 + tick / 4):
            assert isinstance(event, Due)
            for each in event.checks:
                runs[each.identity].append(event.at)
    for times in runs.values():
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert min(gaps) >= 15
        assert max(gaps) <= 45
        assert gaps[1:] == [30] * len(gaps[1:])
