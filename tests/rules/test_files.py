"""The rules are the same in each form, and real programs take them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.exposition import alerts
from agent.exposition.alerting import files, page
from agent.exposition.alerting.alert import COMPONENTS
from agent.exposition.alerting.links import DASHBOARDS, subject_kinds
from agent.probes.base import discover
from servers.promtool import promtool

RENDERED = alerts.rendered(discover())
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the files are long
GROUPS: list[dict[str, Any]] = yaml.load(RENDERED[files.RULES], Loader=LOADER)["groups"]
JSONNET = shutil.which("jsonnet")
# What `kubectl apply` keeps of an object in an annotation must fit in that.
LARGEST_OBJECT = 262_144
CHANGED = """
local mixin = (import 'mixin.libsonnet') {
  _config+:: { mailflowSelector: 'job="mail"', mailflowAlertLabels: { team: 'messaging' } },
};
{ alerts: mixin.prometheusAlerts.groups, records: mixin.prometheusRules.groups,
  dashboards: std.objectFields(mixin.grafanaDashboards) }
"""


def rules_of(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.integration
def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RENDERED[files.RULES], encoding="utf-8")
    told = promtool("check", "rules", "--lint=all", "--lint-fatal", str(path))
    assert "SUCCESS" in told


def test_the_operator_gets_the_same_rules_in_objects_that_can_be_applied() -> None:
    objects = list(yaml.load_all(RENDERED[files.MANIFEST], Loader=LOADER))
    assert [group for each in objects for group in each["spec"]["groups"]] == GROUPS
    for each in objects:
        assert (each["apiVersion"], each["kind"]) == (
            "monitoring.coreos.com/v1",
            "PrometheusRule",
        )
        assert len(json.dumps(each)) < LARGEST_OBJECT, each["metadata"]["name"]
    names = [each["metadata"]["name"] for each in objects]
    assert len(set(names)) == len(names)


@pytest.mark.integration
@pytest.mark.skipif(JSONNET is None, reason="jsonnet is not installed")
def test_jsonnet_gets_the_same_rules_and_may_change_selector_and_labels(tmp_path: Path) -> None:
    folder = tmp_path / "alerts"
    folder.mkdir()
    (folder / "mailflow.yaml").write_text(RENDERED[files.RULES], encoding="utf-8")
    (folder / "mixin.libsonnet").write_text(RENDERED[files.MIXIN], encoding="utf-8")
    (tmp_path / "dashboards").mkdir()
    for uid in DASHBOARDS:
        (tmp_path / "dashboards" / f"{uid}.json").write_text("{}", encoding="utf-8")
    done = subprocess.run(
        [str(JSONNET), "-e", CHANGED], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    plain = rules_of(GROUPS)
    got = rules_of(made["records"]) + rules_of(made["alerts"])
    assert len(got) == len(plain)
    expressions = {rule["expr"].replace('job="mailflow"', 'job="mail"') for rule in plain}
    assert {rule["expr"] for rule in got} == expressions
    assert all(rule["labels"]["team"] == "messaging" for rule in rules_of(made["alerts"]))
    assert set(made["dashboards"]) == {f"{uid}.json" for uid in DASHBOARDS}


def test_dashboards_that_are_linked_are_there() -> None:
    root = Path(__file__).parents[2] / "grafana" / "dashboards"
    present = {path.stem for path in root.glob("*.json")}
    assert present >= DASHBOARDS


def test_the_page_lists_every_standing_alert_and_every_component() -> None:
    text = RENDERED[page.PATH]
    for alert in alerts.standing():
        assert f"| `{alert.name}` | {alert.severity}" in text
    assert all(f"| `{component}` |" in text for component in COMPONENTS)
    assert "[mx-missing](runbooks/mx-missing.md)" in text


def test_every_kind_of_subject_is_a_component() -> None:
    assert set(subject_kinds().values()) <= set(COMPONENTS)
