"""Has every declared rule been seen broken, and seen whole?

A rule without a test that fires it may never fire; a rule without a test in which it stays quiet
may always fire. Tests say which they show, and fail if it is not so:

    from proof import fires, quiet

    fires(rules.NULL, lint(...))     # exactly this rule is among the findings
    quiet(rules.NULL, lint(...))     # ... is not among them, in a case that is nearly broken

Both take an outcome or findings; ``fires`` returns the finding. Tables hold the two as values, a
broken case beside the whole one that is nearest to it, and ``named`` makes parameters of them:

    CASES = [
        (fires, rules.TTL_LOW, "just below", Case(ttl=299)),
        (quiet, rules.TTL_LOW, "at the limit", Case(ttl=300)),
    ]

What was shown is compared with what the probes declare when a whole run ends (``pytest`` without
arguments, on one or more processes): a rule that was not shown both ways fails the run, and so does
one that fired and that no probe declares. Selecting tests by path, ``-k`` or ``-m`` (but for
``-m 'not integration'``) switches the comparison off.

A whole run may be made in two parts, of which the first writes what it has shown to a file, and the
second reads it and compares all:

    pytest tests/domain --proof-into FILE
    pytest --ignore=tests/domain --proof-from FILE
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from agent.domain.finding import Finding, Outcome, Rule
from agent.probes.base import discover

T = TypeVar("T")
Seen = Outcome | Iterable[Finding]
Proves = Callable[[Rule, Seen], object]  # ``fires`` or ``quiet``

_shown: dict[str, set[str]] = {"fires": set(), "quiet": set()}


def fires(rule: Rule, seen: Seen) -> Finding:
    """Assert that *rule* is broken in *seen*, and return the first such finding."""
    findings = _findings(seen)
    found = [finding for finding in findings if finding.rule == rule]
    assert found, f"{rule.code} did not fire, but {_codes(findings)}"
    _shown["fires"].add(rule.code)
    return found[0]


def quiet(rule: Rule, seen: Seen) -> None:
    """Assert that *rule* is not broken in *seen*."""
    found = [finding for finding in _findings(seen) if finding.rule == rule]
    assert not found, f"{rule.code} fired: {found[0].detail}"
    _shown["quiet"].add(rule.code)


def named(rows: Iterable[tuple[Proves, Rule, str, T]]) -> list[object]:
    """Return the rows of a table as parameters ``proves, rule, case``, each under its name."""
    return [
        pytest.param(proves, rule, case, id=f"{rule.code} {proves.__name__}: {name}")
        for proves, rule, name, case in rows
    ]


def _findings(seen: Seen) -> tuple[Finding, ...]:
    return seen.findings if isinstance(seen, Outcome) else tuple(seen)


def _codes(findings: tuple[Finding, ...]) -> str:
    return ", ".join(finding.rule.code for finding in findings) or "nothing did"


def unproved(declared: Iterable[Rule], shown: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Say what *shown*, codes of rules by way, leaves open of the rules that are *declared*."""
    codes = list(dict.fromkeys(rule.code for rule in declared))
    for code in codes:
        missing = " or ".join(way for way, known in shown.items() if code not in known)
        if missing:
            yield f"{code}: no test calls {missing} with it"
    for code in sorted(set().union(*shown.values()) - set(codes)):
        yield f"{code}: no probe declares it"


def _open(config: pytest.Config) -> list[str]:
    """Return what a whole run leaves open; nothing of a run of chosen tests."""
    chosen = config.option
    picked = any(getattr(chosen, name, None) for name in ("keyword", "lf", "collectonly"))
    picked = picked or chosen.markexpr not in {"", "not integration"}
    if picked or config.args != config.getini("testpaths"):
        return []
    return list(unproved((rule for probe in discover() for rule in probe.all_rules), _shown))


def known() -> dict[str, list[str]]:
    """Return what was shown so far, codes of rules by way."""
    return {way: sorted(codes) for way, codes in _shown.items()}


def take_over(shown: Mapping[str, Iterable[str]]) -> None:
    """Count what another process has shown as shown here."""
    for way, codes in shown.items():
        _shown[way].update(codes)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a whole run be made in two parts."""
    group = parser.getgroup("proof of rules")
    group.addoption("--proof-into", metavar="FILE", help="write there what was shown")
    group.addoption("--proof-from", metavar="FILE", help="what the other part has shown")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with what the other part of the run has shown."""
    source: str | None = config.getoption("--proof-from")
    if source is not None:
        take_over(json.loads(Path(source).read_text(encoding="utf-8")))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a worker process has seen."""
    take_over(getattr(node, "workeroutput", {}).get("proof", {}))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare what was shown with what is declared, where all tests ran."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # a worker process: its master compares
        output["proof"] = known()
        return
    if session.exitstatus == pytest.ExitCode.OK and _open(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    target: str | None = session.config.getoption("--proof-into")
    if target is not None:
        Path(target).write_text(json.dumps(known()), encoding="utf-8")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which rules nobody has shown."""
    missing = _open(config)
    if missing:
        terminalreporter.section("rules that no test proves")
    for text in missing:
        terminalreporter.line(text)
