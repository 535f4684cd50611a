"""Does the evaluator agree with the RFC 7208 suite, without a network?"""

from ipaddress import ip_address

import pytest

from agent.domain.lookup import Plan
from agent.domain.spf import check_host
from agent.domain.spf_trace import Evaluation, tree
from servers.rfc7208 import SUITE, Case, cases

CASES = tuple(cases())
pytestmark = pytest.mark.skipif(not CASES, reason=f"the suite is not at {SUITE}")


def run(plan: Plan[Evaluation], case: Case) -> Evaluation:
    try:
        queries = next(plan)
        while True:
            queries = plan.send(tuple(map(case.zone.reply, queries)))
    except StopIteration as done:
        value: Evaluation = done.value
        return value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_is_one_that_the_suite_allows(case: Case) -> None:
    plan = check_host(ip_address(case.ip), case.mail_from, case.helo, receiver="receiver.example")
    evaluation = run(plan, case)
    assert evaluation.result in case.results, evaluation.sentence
    if case.explanation is not None:
        wanted = "" if case.explanation == "DEFAULT" else case.explanation
        assert evaluation.explanation.lower() == wanted.lower()
    assert tree(evaluation).label


def test_the_suite_is_complete() -> None:
    assert len(CASES) == 203
