"""What is told of something that fails while something else is down?"""

from agent.adapters.excuses import Excuses


def test_a_single_failure_is_not_told_and_the_next_is() -> None:
    excuses = Excuses()
    assert [excuses.is_to_tell("a", n, explained=False) for n in (1, 2, 3)] == [False, True, True]


def test_what_is_explained_is_excused_for_one_more_try() -> None:
    excuses = Excuses()
    assert not excuses.is_to_tell("a", 40, explained=True)
    assert [excuses.is_to_tell("a", n, explained=False) for n in (40, 41, 42)] == [
        False,
        False,
        True,
    ]


def test_an_excuse_ends_with_the_failure() -> None:
    excuses = Excuses()
    excuses.is_to_tell("a", 9, explained=True)
    assert not excuses.is_to_tell("a", 0, explained=False)
    assert excuses.is_to_tell("a", 2, explained=False)


def test_runs_are_counted_for_as_long_as_the_same_is_told() -> None:
    excuses = Excuses()
    excuses.tell({"a": "token"})
    excuses.tell({"a": "permission", "b": "token"})
    assert excuses.told == {"a": ("permission", 2), "b": ("token", 1)}
    excuses.tell({})
    assert excuses.told == {}
