"""Has every declared rule been seen broken, and seen whole?

A rule without a test that fires it may never fire; a rule without a test in which it stays quiet
may always fire. Tests say which they show, and fail if it is not so:

    from proof import fires, quiet

    fires(rules.NULL, lint(...))     # exactly this rule is among the findings
    quiet(rules.NULL, lint(...))     # ... is not among them, in a test made to show just that

Both take an outcome or findings, and return the finding, or nothing. What was shown is compared
with what the probes declare when a whole run ends (``pytest`` without arguments, on one or more
processes): a rule not shown both ways fails the run if its kind is in ``STRICT``, and is listed
otherwise. Selecting tests by path, ``-k`` or ``-m`` (but for ``-m 'not integration'``) switches the
comparison off.
"""

from collections.abc import Iterable, Iterator

import pytest

from agent.domain.finding import Finding, Outcome, Rule
from agent.probes.base import discover

STRICT = frozenset({"mx", "route"})  # kinds of which every rule must be shown both ways

_fired: set[str] = set()
_quiet: set[str] = set()


def fires(rule: Rule, seen: Outcome | Iterable[Finding]) -> Finding:
    """Assert that *rule* is broken in *seen*, and return the first such finding."""
    findings = _findings(seen)
    found = [finding for finding in findings if finding.rule == rule]
    assert found, f"{rule.code} did not fire, but {_codes(findings)}"
    _fired.add(rule.code)
    return found[0]


def quiet(rule: Rule, seen: Outcome | Iterable[Finding]) -> None:
    """Assert that *rule* is not broken in *seen*."""
    found = [finding for finding in _findings(seen) if finding.rule == rule]
    assert not found, f"{rule.code} fired: {found[0].detail}"
    _quiet.add(rule.code)


def _findings(seen: Outcome | Iterable[Finding]) -> tuple[Finding, ...]:
    return seen.findings if isinstance(seen, Outcome) else tuple(seen)


def _codes(findings: tuple[Finding, ...]) -> str:
    return ", ".join(finding.rule.code for finding in findings) or "nothing did"


def unproved() -> Iterator[tuple[str, str]]:
    """Yield the kind of each rule that was not shown both ways, and what is missing."""
    for probe in discover():
        for rule in probe.rules:
            missing = [
                word
                for word, shown in (("fires", _fired), ("quiet", _quiet))
                if rule.code not in shown
            ]
            if missing:
                yield probe.kind, f"{rule.code}: no test shows {' and '.join(missing)}"


def _is_whole(config: pytest.Config) -> bool:
    chosen = config.option
    picked = any(getattr(chosen, name, None) for name in ("keyword", "lf", "collectonly"))
    picked = picked or chosen.markexpr not in {"", "not integration"}
    return not picked and config.args == config.getini("testpaths")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a worker process has seen."""
    seen = getattr(node, "workeroutput", {}).get("proof", ((), ()))
    _fired.update(seen[0])
    _quiet.update(seen[1])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare what was shown with what is declared, where all tests ran."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # a worker process: its master compares
        output["proof"] = (sorted(_fired), sorted(_quiet))
        return
    if not _is_whole(session.config) or session.exitstatus != pytest.ExitCode.OK:
        return
    if any(kind in STRICT for kind, _ in unproved()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which rules nobody has shown."""
    missing = list(unproved()) if _is_whole(config) else []
    if not missing:
        return
    terminalreporter.section("rules that no test proves")
    for kind, text in missing:
        terminalreporter.line(f"{'FAILED ' if kind in STRICT else ''}{text}")
