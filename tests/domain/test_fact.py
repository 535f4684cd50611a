"""Are facts plain values, fit to be compared and drawn?"""

from datetime import UTC, datetime
from typing import get_args

import pytest

from agent.domain.fact import (
    MOST_CHILDREN,
    Chain,
    Fact,
    Link,
    Mood,
    Node,
    Path,
    Phase,
    Stop,
    Table,
    Text,
    Walk,
    bounded,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Text("v=spf1 -all"), id="text"),
        pytest.param(lambda: Table(("exchange",), (("mail.example",),)), id="table"),
        pytest.param(lambda: Node("spf", children=(Node("include", count=2),)), id="tree"),
        pytest.param(lambda: Walk((Phase("connect", 0.1), Phase("mail", None, "bad"))), id="walk"),
        pytest.param(lambda: Path((Stop("mx.example", "us", 0.5, "TLS 1.3"),)), id="path"),
        pytest.param(
            lambda: Chain((Link("CN=a", "CN=b", NOON, NOON),), "a root", "good"), id="chain"
        ),
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
    assert Stop("mx.example") == Stop("mx.example", "", None, "", "plain", "")
    assert "plain" in get_args(Mood)


def test_of_too_many_branches_the_first_and_the_last_are_drawn() -> None:
    few = tuple(Node(str(number)) for number in range(MOST_CHILDREN))
    assert bounded(few) == few
    drawn = bounded((*few, Node("a"), Node("b")))
    assert len(drawn) == MOST_CHILDREN + 1
    assert (drawn[0].label, drawn[-1].label) == ("0", "b")
    assert drawn[80] == Node("2 more that are not drawn")
