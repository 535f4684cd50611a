"""The sections beside the tenants, and their limits."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.config import ConfigError, build
from agent.config.credentials import PasswordCredential
from agent.config.errors import write_path, write_value
from agent.config.model import Probes
from agent.config.sections import AgentSection, BudgetSection


def test_a_path_and_a_url_are_read_and_refused() -> None:
    assert AgentSection.model_validate({"state": Path("x")}).state == Path("x")
    assert AgentSection.model_validate({"external_url": ""}).external_url == ""
    for wrong in ({"state": 5}, {"state": ""}, {"external_url": 5}, {"external_url": "ftp://a"}):
        with pytest.raises(ValidationError, match="is not a"):
            AgentSection.model_validate(wrong)


@pytest.mark.parametrize(
    "resolver",
    [
        pytest.param("127.0.0.1:0", id="port 0"),
        pytest.param("dns.example", id="a name"),
        pytest.param(53, id="a number"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_resolver_is_an_address_that_can_be_asked(resolver: object, probes: Probes) -> None:
    with pytest.raises(ConfigError, match="is not system, nor an address"):
        build({"resolvers": [resolver]}, probes=probes)


def test_the_budget_is_handed_to_the_domain() -> None:
    budget = BudgetSection(messages_per_day=7).allowances()
    assert (budget.day.limit, budget.minute.limit, budget.route.limit) == (7, 10, 2)


def test_a_path_to_a_secret_is_text() -> None:
    for wrong in (5, ""):
        with pytest.raises(ValidationError, match="is not a path"):
            PasswordCredential.model_validate(
                {"kind": "password", "username": "a", "password_file": wrong}
            )


def test_paths_and_values_are_short_and_printable() -> None:
    assert write_path(("a", 0, "b"), {"a": ({"name": "x\n"},)}) == "a[0].b"
    assert write_path(("a\n",), None) == "a?"
    assert len(write_path(("a" * 1000,), None)) == 60
    assert write_value("x" * 1000, ("a",)) == f'"{"x" * 57}..."'
    assert write_value("a\x1b", ()) == '"a\\u001b"'
    assert write_value({}, ()) == "a mapping"
    assert write_value((), ()) == "a list"
    assert write_value(True, ()) == "true"  # noqa: FBT003 - a value like any other
