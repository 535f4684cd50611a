"""Is the resolver down, or only the names?"""

from datetime import timedelta

import pytest

from agent.domain.fact import Table
from agent.domain.finding import Severity
from agent.domain.lookup import Answer, Reply, Silence, Unanswered
from agent.probes.base import Check
from agent.probes.self_check import PROBE, SelfSettings, run
from agent.settings import AgentSubject
from servers.checks import DictResolver, toolbox

SILENT = Unanswered(Silence.TIMEOUT)
FAILED = Unanswered(Silence.SERVFAIL)


class Vitals:
    """Vital signs as a test wants them."""

    def __init__(self, lag: float = 0.0, overdue: tuple[str, ...] = (), trouble: str = "") -> None:
        self._lag, self._overdue, self._trouble = lag, overdue, trouble

    def loop_lag(self) -> timedelta:
        return timedelta(seconds=self._lag)

    def overdue_tasks(self) -> tuple[str, ...]:
        return self._overdue

    def store_trouble(self) -> str:
        return self._trouble


def own(**settings: object) -> Check[AgentSubject, SelfSettings]:
    return Check("agent", AgentSubject(name="here"), PROBE, SelfSettings.model_validate(settings))


@pytest.mark.parametrize(
    ("zone", "codes"),
    [
        pytest.param({"com": SILENT, "org": FAILED}, ["self-resolver-down"], id="none answered"),
        pytest.param({"com": SILENT}, [], id="one answered"),
        pytest.param({"com": SILENT, "org": Answer(name_exists=False)}, [], id="one denied"),
        pytest.param({}, [], id="all answered"),
    ],
)
async def test_the_resolver_is_down_when_it_answers_nothing(
    zone: dict[str, Reply], codes: list[str]
) -> None:
    outcome = await run(own(), toolbox(resolver=DictResolver(zone)))
    assert [finding.rule.code for finding in outcome.findings] == codes
    table = outcome.facts["Control names"]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["com", "org"]


async def test_the_finding_says_which_names_failed_and_how() -> None:
    outcome = await run(own(), toolbox(resolver=DictResolver({"com": SILENT, "org": FAILED})))
    (finding,) = outcome.findings
    assert finding.severity is Severity.CRITICAL
    assert finding.detail == "None of 2 control names was answered (servfail, timeout)."
    assert finding.evidence == ("com SOA: timeout", "org SOA: servfail")


async def test_control_names_are_asked_afresh() -> None:
    resolver = DictResolver()
    await run(own(control_names=("contoso.com",)), toolbox(resolver=resolver))
    assert [(q.name, q.type, q.fresh) for q in resolver.asked] == [("contoso.com", "SOA", True)]


async def test_without_control_names_the_resolver_is_not_judged() -> None:
    outcome = await run(own(control_names=()), toolbox())
    assert outcome.findings == ()
    assert outcome.facts == {}


@pytest.mark.parametrize(
    ("vitals", "codes"),
    [
        pytest.param(Vitals(), [], id="well"),
        pytest.param(Vitals(lag=0.9), [], id="a little lag"),
        pytest.param(Vitals(lag=1.0), ["self-loop-lag"], id="much lag"),
        pytest.param(Vitals(overdue=("writer",)), ["self-task-overdue"], id="a dead task"),
        pytest.param(Vitals(trouble="Full."), ["self-store-failing"], id="a full disk"),
    ],
)
async def test_the_process_is_looked_at(vitals: Vitals, codes: list[str]) -> None:
    outcome = await run(own(), toolbox(vitals=vitals))
    assert [finding.rule.code for finding in outcome.findings] == codes
