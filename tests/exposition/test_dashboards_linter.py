"""The rules of Grafana's dashboard-linter, by their names, over every panel and query of ours."""

import re
from datetime import timedelta
from typing import Any

import promql_parser as promql
import pytest
import yaml

from servers.dashboards import (
    BOARDS,
    FILES,
    matcher,
    nodes,
    panels,
    queries,
    selectors,
)
from servers.program import ROOT

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATE_INTERVAL = timedelta(minutes=1)  # as the query is substituted
UNITS = {"short", "s", "percentunit", "bytes", "ops", "none"}
EVERY_BOARD = pytest.mark.parametrize("uid", BOARDS)


def variables(uid: str) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in BOARDS[uid]["templating"]["list"]}


@EVERY_BOARD
def test_template_datasource(uid: str) -> None:
    sources = [each for each in variables(uid).values() if each["type"] == "datasource"]
    (source,) = sources
    assert (source["name"], source["label"]) == ("datasource", "Data source")
    assert source["query"] == "prometheus"


@EVERY_BOARD
def test_template_job(uid: str) -> None:
    check_choice(variables(uid)["job"], "Job")


def test_template_instance() -> None:
    check_choice(variables("mailflow-agent")["instance"], "Instance")
    excused = yaml.safe_load((ROOT / "grafana/dashboards/.lint").read_text())["exclusions"]
    others = {board["title"] for uid, board in BOARDS.items() if "instance" not in variables(uid)}
    entries = excused["template-instance-rule"]["entries"]
    assert {entry["dashboard"] for entry in entries} == others
    assert all(rule["reason"] for rule in excused.values())


def check_choice(variable: dict[str, Any], label: str) -> None:
    assert variable["type"] == "query"
    assert variable["datasource"] == SOURCE
    assert variable["label"] == label
    assert variable["multi"] is variable["includeAll"] is True
    assert variable["allValue"] == ".+"


@EVERY_BOARD
def test_template_label_promql_and_on_time_change_reload(uid: str) -> None:
    for variable in variables(uid).values():
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
            assert found, variable
            assert len(list(selectors(found[1]))) == 1
            assert variable["refresh"] == 2


@EVERY_BOARD
def test_uneditable(uid: str) -> None:
    assert BOARDS[uid]["editable"] is False


@EVERY_BOARD
def test_panel_datasource_and_targets(uid: str) -> None:
    for panel in panels(BOARDS[uid]):
        assert panel["datasource"] == SOURCE, panel["title"]
        assert panel["targets"], panel["title"]
        assert all(target["datasource"] == SOURCE for target in panel["targets"]), panel["title"]


@EVERY_BOARD
def test_panel_title_and_description(uid: str) -> None:
    for panel in panels(BOARDS[uid]):
        assert panel["title"]
        assert len(panel["description"]) > 60, panel["title"]
        assert panel["description"].endswith("."), panel["title"]


@EVERY_BOARD
def test_panel_units(uid: str) -> None:
    used = {panel["fieldConfig"]["defaults"]["unit"] for panel in panels(BOARDS[uid])}
    assert used <= UNITS


@EVERY_BOARD
def test_target_promql_job_and_instance(uid: str) -> None:
    """A query that is no PromQL raises."""
    wanted = ("job", "instance") if uid == "mailflow-agent" else ("job",)
    for asked in queries(uid):
        found = list(selectors(asked.expr))
        assert found, asked
        for label in wanted:
            assert {matcher(each, label) for each in found} == {"=~ .+"}, asked
            assert asked.expr.count(f'{label}=~"${label}"') == len(found), asked


@EVERY_BOARD
def test_target_rate_interval_and_counter_agg(uid: str) -> None:
    for asked in queries(uid):
        for node, above in nodes(asked.expr):
            call = above[-1].func.name if above and isinstance(above[-1], promql.Call) else ""
            if isinstance(node, promql.MatrixSelector) and call in {"rate", "irate"}:
                assert node.range == RATE_INTERVAL, asked
                assert "$__rate_interval" in asked.expr
            if isinstance(node, promql.VectorSelector) and str(node.name).endswith("_total"):
                assert isinstance(above[-1], promql.MatrixSelector), asked
                assert above[-2].func.name in {"rate", "irate", "increase"}, asked


def test_all_dashboards_are_there() -> None:
    assert set(BOARDS) == {
        "mailflow-overview",
        "mailflow-domain",
        "mailflow-connector",
        "mailflow-route",
        "mailflow-tenant",
        "mailflow-agent",
    }
    assert all(f"grafana/dashboards/{uid}.json" in FILES for uid in BOARDS)
