"""Rules tried by the real promtool: series in, firing alerts out.

A case lists the whole set of alerts that fire at a time, so that it also shows that no other does.
All cases of a table go through one run of promtool, which takes most of its time to start.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.exposition.alerting import files
from agent.exposition.alerting.alert import Group

PROMTOOL = "/usr/bin/promtool"
AGENT = 'job="mailflow",instance="a:16245"'
SECOND = 'job="mailflow",instance="b:16245"'
# Every installation has agents that answer; a case that is about that says otherwise.
HEALTHY = {f"up{{{AGENT}}}": "1x120"}
_LONG = 12  # minutes from which on a case is evaluated every five minutes, which costs a fifth


@dataclass(frozen=True)
class Case:
    """Series, and the names of all alerts that fire at some times, apart from the watchdog.

    A name stands for the alert of any severity; ``NAME/critical`` for that of one. ``series`` come
    at intervals of ``every``.
    """

    title: str
    series: Mapping[str, str]
    firing: Mapping[str, set[str]]
    every: str = "1m"
    bare: bool = False  # without an agent that answers

    @property
    def minutes(self) -> int:
        """How long it lasts; times are written in minutes."""
        return max(int(at.removesuffix("m")) for at in self.firing)

    @property
    def input_series(self) -> list[dict[str, str]]:
        """What promtool is to store."""
        series = dict(self.series) if self.bare else {**HEALTHY, **self.series}
        return [{"series": key, "values": values} for key, values in series.items()]


def promtool(*arguments: str) -> str:
    """Run promtool, which must succeed, and return what it prints."""
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told[:20_000]
    return told


def try_cases(folder: Path, groups: Iterable[Group], cases: Iterable[Case]) -> None:
    """Have promtool compare what fires in each case with what should."""
    cases, groups = tuple(cases), tuple(groups)
    for is_long, interval in ((False, "1m"), (True, "5m")):
        tests = [_test(case) for case in cases if (case.minutes > _LONG) is is_long]
        if tests:
            try_tests(folder, groups, tests, interval)


def try_tests(
    folder: Path, groups: Iterable[Group], tests: Iterable[dict[str, Any]], interval: str = "1m"
) -> None:
    """Have promtool try *tests*, in its own words, on *groups* evaluated at an *interval*."""
    groups = tuple(groups)
    (folder / "rules.yaml").write_text(files.rule_file(groups), encoding="utf-8")
    whole = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": interval,
        # Otherwise by chance; Prometheus has a time of its own for each group.
        "group_eval_order": [group.name for group in groups],
        "tests": list(tests),
    }
    (folder / "tests.yaml").write_text(json.dumps(whole), encoding="utf-8")
    promtool("test", "rules", str(folder / "tests.yaml"))


def _test(case: Case) -> dict[str, Any]:
    return {
        "name": case.title,
        "interval": case.every,
        "input_series": case.input_series,
        "promql_expr_test": [
            {
                "expr": _firing(names),
                "eval_time": at,
                "exp_samples": [{"labels": _labels(name), "value": 1} for name in sorted(names)],
            }
            for at, names in case.firing.items()
        ],
    }


def _firing(names: set[str]) -> str:
    by = "alertname, severity" if any("/" in name for name in names) else "alertname"
    return f'group by ({by}) (ALERTS{{alertstate="firing",alertname!="MailflowWatchdog"}})'


def _labels(name: str) -> str:
    alert, _, severity = name.partition("/")
    with_severity = f', severity="{severity}"' if severity else ""
    return f'{{alertname="{alert}"{with_severity}}}'
