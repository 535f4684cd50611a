"""Do plans that run together share their questions?"""

import pytest

from agent.domain.lookup import Answer, Plan, Query, Reply, ask, ask_all, replay
from agent.domain.together import together

ONE, TWO = Query("one.example", "A"), Query("two.example", "A")


def asking(*queries: Query) -> Plan[int]:
    for query in queries:
        yield from ask(query)
    return len(queries)


def test_equal_questions_are_asked_once_and_as_fresh_where_wanted() -> None:
    plan = together([asking(ONE, TWO), asking(Query("one.example", "A", fresh=True)), asking()], {})
    asked = next(plan)
    assert [(query.name, query.fresh) for query in asked] == [("one.example", True)]
    asked = plan.send((Answer(),))
    assert asked == (TWO,)
    with pytest.raises(StopIteration) as done:
        plan.send((Answer(),))
    assert done.value.value == (2, 1, 0)


def test_what_is_known_is_not_asked() -> None:
    known: dict[Query, Reply] = {ONE: Answer(), TWO: Answer()}
    assert replay(together([asking(ONE, TWO)], known), {}) == (2,)


def test_a_batch_is_answered_in_its_order() -> None:
    first, second = Answer(ttl=1), Answer((), name_exists=False)

    def both() -> Plan[tuple[Reply, ...]]:
        return (yield from ask_all((ONE, TWO)))

    known: dict[Query, Reply] = {ONE: first}
    plan = together([both()], known)
    assert next(plan) == (TWO,)
    with pytest.raises(StopIteration) as done:
        plan.send((second,))
    assert done.value.value == ((first, second),)
