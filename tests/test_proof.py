"""Does the comparison of what tests show with what probes declare notice what is missing?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.domain.finding import Outcome, Rule, Severity
from agent.probes.base import DNS_UNANSWERED, TIMED_OUT, discover
from proof import fires, quiet, unproved
from servers.program import ROOT
from servers.warm import compiled

SILENT = Outcome((DNS_UNANSWERED.found("TXT of contoso.com: timeout."),))
BOTH = {DNS_UNANSWERED.code, TIMED_OUT.code}


@pytest.mark.parametrize(
    ("shown", "complaints"),
    [
        pytest.param({"fires": BOTH, "quiet": BOTH}, [], id="both ways"),
        pytest.param(
            {"fires": BOTH, "quiet": {TIMED_OUT.code}},
            ["dns-unanswered: no test calls quiet with it"],
            id="never whole",
        ),
        pytest.param(
            {"fires": {TIMED_OUT.code}, "quiet": {TIMED_OUT.code}},
            ["dns-unanswered: no test calls fires or quiet with it"],
            id="never at all",
        ),
        pytest.param(
            {"fires": {*BOTH, "mx-odd"}, "quiet": BOTH},
            ["mx-odd: no probe declares it"],
            id="undeclared",
        ),
    ],
)
def test_a_rule_that_is_not_shown_both_ways_is_named(
    shown: dict[str, set[str]], complaints: list[str]
) -> None:
    assert list(unproved((DNS_UNANSWERED, TIMED_OUT), shown)) == complaints


def test_without_any_test_every_rule_is_open_and_said_once() -> None:
    declared = [rule for probe in discover() for rule in probe.all_rules]
    complaints = list(unproved(declared, {"fires": (), "quiet": ()}))
    assert len(complaints) == len(set(complaints)) == len({rule.code for rule in declared})
    assert any(text.startswith("run-crashed:") for text in complaints)


def test_what_did_not_happen_proves_nothing() -> None:
    other = Rule("mx-odd", Severity.WARNING, "Odd", "Mend it.", "RFC 5321")
    with pytest.raises(AssertionError, match="mx-odd did not fire, but dns-unanswered"):
        fires(other, SILENT)
    with pytest.raises(AssertionError, match="mx-odd did not fire, but nothing did"):
        fires(other, ())
    with pytest.raises(AssertionError, match=r"dns-unanswered fired: TXT of contoso\.com"):
        quiet(DNS_UNANSWERED, SILENT)


INI = "[pytest]\ntestpaths = .\n"
HOOKS = "from proof import *\n"
LAST = """\
from agent.probes.base import TIMED_OUT
from proof import quiet

def test_that_it_stays_quiet():
    quiet(TIMED_OUT, ())
"""


def test_a_run_in_two_parts_compares_what_both_have_shown(tmp_path: Path) -> None:
    first = {"fires": [DNS_UNANSWERED.code, TIMED_OUT.code], "quiet": []}
    files = {"pytest.ini": INI, "conftest.py": HOOKS, "test_last.py": LAST}
    for name, text in (files | {"first": json.dumps(first)}).items():
        (tmp_path / name).write_text(text)
    run = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no")
    ended = subprocess.run(
        [*run, "--proof-from", "first", "--proof-into", "both"],
        cwd=tmp_path,
        env=compiled(os.environ) | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout
    lines = ended.stdout.splitlines()
    assert f"{DNS_UNANSWERED.code}: no test calls quiet with it" in lines
    assert not any(line.startswith(f"{TIMED_OUT.code}:") for line in lines)
    both = json.loads((tmp_path / "both").read_text())
    assert both == first | {"quiet": [TIMED_OUT.code]}
