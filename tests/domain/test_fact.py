"""Are facts plain values, fit to be compared and drawn?"""

from typing import get_args

import pytest

from agent.domain.fact import Fact, Mood, Node, Phase, Table, Text, Walk


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Text("v=spf1 -all"), id="text"),
        pytest.param(lambda: Table(("exchange",), (("mail.example",),)), id="table"),
        pytest.param(lambda: Node("spf", children=(Node("include", count=2),)), id="tree"),
        pytest.param(lambda: Walk((Phase("connect", 0.1), Phase("mail", None, "bad"))), id="walk"),
    ],
)
def test_equal_facts_are_equal_values(make) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert make() == make()
    assert hash(make()) == hash(make())
    assert isinstance(make(), get_args(Fact))


def test_a_branch_and_a_phase_are_plain_unless_told_otherwise() -> None:
    assert Node("spf").mood == "plain"
    assert Node("spf").children == ()
    assert Phase("connect", None).mood == "plain"
    assert "plain" in get_args(Mood)
