"""The example configuration: complete, true to the declarations, and it loads."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agent.config import load
from agent.config.schema import schema
from agent.config.strict_yaml import read
from agent.domain.finding import Outcome
from agent.exposition.example import PATH, SCHEMA_PATH, WIDTH, render
from agent.lab import defaults
from agent.probes.base import Probe, discover
from agent.settings import (
    CheckSettings,
    ConnectorSubject,
    DomainSubject,
    Duration,
    Field,
    RouteSubject,
)


class SlowSettings(CheckSettings):
    """How something that must not be hurried is looked at."""

    interval: Duration = Field(
        default=timedelta(hours=1), ge=timedelta(minutes=30), description="Time between two runs."
    )


async def run(check: Any, tools: Any) -> Outcome:
    del check, tools
    return Outcome()


PROBES = (
    Probe("connector", ConnectorSubject, CheckSettings, run, ()),
    Probe("route", RouteSubject, CheckSettings, run, ()),
    Probe("slow", DomainSubject, SlowSettings, run, ()),
    Probe("spf", DomainSubject, CheckSettings, run, ()),
)


def lists(value: Any) -> Any:
    """Return plain data as JSON has it."""
    return json.loads(json.dumps(value))


def test_the_example_loads_and_watches_the_world_of_the_lab(tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.write_text(render(PROBES), encoding="utf-8")
    config = load(path, probes=PROBES)
    assert {check.subject for check in config.checks if check.probe.kind == "spf"} == {
        "contoso.com",
        "fabrikam.com",
        "litwareinc.com",
        "fourthcoffee.com",
        "adatum.com",
        "wingtiptoys.com",
        "tailspintoys.com",
        "northwindtraders.com",
    }
    intervals = {check.probe.kind: check.settings.interval for check in config.checks}
    assert intervals == {probe.kind: probe.settings().interval for probe in PROBES}


def test_an_option_that_is_commented_out_shows_its_default(tmp_path: Path) -> None:
    text = render(PROBES)
    used = re.sub(r"(?m)^( *)#(?=[a-z])", r"\1", text)
    assert used.count("#") < text.count("#") - 10
    (tmp_path / "as-it-is.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "all-options.yaml").write_text(used, encoding="utf-8")
    shown = [
        load(tmp_path / name, probes=PROBES).shown()
        for name in ("as-it-is.yaml", "all-options.yaml")
    ]
    assert shown[0] == shown[1]


def test_the_example_of_the_real_probes_loads_and_fits_the_schema(tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.write_text(render(discover()), encoding="utf-8")
    config = load(path)
    described = schema()
    jsonschema.Draft7Validator.check_schema(described)
    jsonschema.validate(lists(read(path.read_bytes()).data), described)
    jsonschema.validate(lists(read(config.shown().encode()).data), described)


def test_who_copies_the_example_gets_the_real_intervals(tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.write_text(render(discover()), encoding="utf-8")
    config = load(path, exports=False)
    assert not [warning for warning in config.warnings if warning.path.endswith(".interval")]
    for check in config.checks:
        assert check.settings.interval == check.probe.settings().interval, check.identity


def test_in_the_lab_the_example_has_something_to_show_soon(tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.write_text(render(discover()), encoding="utf-8")
    config = load(path, beneath=defaults.settings(), exports=False)
    assert {check.settings.interval for check in config.checks} == {defaults.INTERVAL}
    assert config.warnings == ()  # nobody wrote those intervals


def test_what_a_file_says_goes_over_what_the_lab_would_have(tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.write_text(
        "checks: {spf: {interval: 3s}, mx: off}\ntenants: [{name: a, domains: [{name:"
        " contoso.com}]}]\n",
        encoding="utf-8",
    )
    checks = load(path, beneath=defaults.settings(), exports=False).checks
    intervals = {check.probe.kind: check.settings.interval for check in checks}
    assert intervals["spf"] == timedelta(seconds=3)
    assert intervals["dkim"] == defaults.INTERVAL
    assert "mx" not in intervals


def test_the_schema_refuses_what_the_program_refuses() -> None:
    described = schema(PROBES)
    wrongs: tuple[dict[str, Any], ...] = (
        {"tenant": []},
        {"agent": {"vantage": "A B"}},
        {"checks": {"spf": {"interval": 60}}},
        {"checks": {"spf": "on"}},
        {"credentials": {"a": {"kind": "password", "username": "a", "password": "inline"}}},
        {"tenants": [{"name": "a", "domains": [{"name": "a.example", "topology": "cloud"}]}]},
    )
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, described)


def test_defaults_in_the_schema_are_written_as_in_a_file() -> None:
    found = schema(PROBES)["$defs"]
    assert found["CheckSettings"]["properties"]["interval"]["default"] == "5m"
    assert found["AgentSection"]["properties"]["listen"]["default"] == "127.0.0.1:16245"
    assert found["SlowSettings"]["properties"]["interval"]["default"] == "1h"


def test_the_example_is_rendered_the_same_each_time_and_fits_the_page() -> None:
    text = render(PROBES)
    assert text == render(PROBES)
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA_PATH}\n")
    assert max(map(len, text.splitlines())) <= WIDTH
