"""Cutting out what is wrong, without losing where the rest stood."""

from typing import Any

from pydantic import BaseModel, model_validator

from agent.config.salvage import Salvage, validate


def test_items_that_are_left_know_where_they_stood() -> None:
    salvage = Salvage({"a": (0, {"b": (1, 2, 3)}, 4)})
    salvage.cut([("a", 0), ("a", 1, "b", 1)])
    assert salvage.data == {"a": ({"b": (1, 3)}, 4)}
    assert salvage.original(("a", 0, "b", 1)) == ("a", 1, "b", 2)
    salvage.cut([("a", 0, "b", 0)])
    assert salvage.data == {"a": ({"b": (3,)}, 4)}
    assert salvage.original(("a", 0, "b", 0)) == ("a", 1, "b", 2)


def test_what_is_cut_twice_or_below_what_is_cut_is_gone_once() -> None:
    salvage = Salvage({"a": {"b": 1, "c": 2}, "d": 3})
    salvage.cut([("a",), ("a", "b"), ("a",)])
    assert salvage.data == {"d": 3}


def test_a_path_that_leads_nowhere_takes_what_it_would_be_in() -> None:
    salvage = Salvage({"a": {"b": 1}, "d": 3})
    salvage.cut([("a", "missing"), ("d", "below", "text")])
    assert salvage.data == {}
    salvage = Salvage({"a": 1})
    salvage.cut([("missing",)])
    assert salvage.data == {}


def test_what_never_becomes_valid_is_given_up() -> None:
    class Never(BaseModel):
        @model_validator(mode="before")
        @classmethod
        def _never(cls, value: Any) -> Any:
            message = f"never {value}"
            raise ValueError(message)

    found, errors = validate(Never, Salvage({"a": 1}), {})
    assert found is None
    assert [path for path, _ in errors] == [()]
