"""Do the dashboards show what is declared, lead where something is, and never call unknown well?"""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.domain.finding import Outcome, Severity, Signal
from agent.exposition import dashboards
from agent.exposition.check_signals import CHECK_SIGNALS
from agent.exposition.dashboards import links, looks, words
from agent.exposition.dashboards.agents import OWN
from agent.exposition.dashboards.shared import kinds_of
from agent.probes.base import Check, Probe, Toolbox, discover
from agent.settings import CheckSettings, DomainSubject
from servers.dashboards import BOARDS, FILES, metrics_in, panels, queries, selectors, substituted
from servers.program import ROOT, mailflow_agent

EVERY_BOARD = pytest.mark.parametrize("uid", BOARDS)
PROBES = discover()
OF_PROBES = tuple(signal for probe in PROBES for signal in probe.signals)
DECLARED = {signal.name for signal in (*CHECK_SIGNALS, *OF_PROBES, *OWN)}
OF_OTHERS = {"up", "ALERTS", "scrape_duration_seconds", "scrape_samples_scraped"} | {
    f"process_{what}"
    for what in (
        "start_time_seconds",
        "cpu_seconds_total",
        "open_fds",
        "max_fds",
        "resident_memory_bytes",
    )
}
NOT_SHOWN = {  # by name: why
    "mailflow_check_critical_runs": "the band has when it was critical",
    "mailflow_finding_since_timestamp_seconds": "the table of findings has how often in a row",
}
MOST_AT_ONCE = 36  # queries when a dashboard is opened


def declared_boards() -> dict[str, Any]:
    return {board.uid: board for board in dashboards.boards(PROBES)}


def recorded() -> set[str]:
    groups = yaml.safe_load((ROOT / "grafana/alerts/mailflow.yaml").read_text())["groups"]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def base(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


@EVERY_BOARD
def test_provisioning_can_read_it(uid: str) -> None:
    board = BOARDS[uid]
    assert board["schemaVersion"] in {41, 42}
    assert not {"__inputs", "__requires", "id", "version"} & board.keys()
    assert board["tags"] == ["mailflow"]
    assert {panel["type"] for panel in panels(board)} <= {
        "stat",
        "timeseries",
        "state-timeline",
        "table",
        "bargauge",
    }


@EVERY_BOARD
def test_panels_do_not_overlap_and_have_numbers_of_their_own(uid: str) -> None:
    board = BOARDS[uid]
    folded = [row["panels"] for row in board["panels"] if row["type"] == "row" and row["collapsed"]]
    numbers = [each["id"] for group in (board["panels"], *folded) for each in group]
    assert len(set(numbers)) == len(numbers)
    for group in (board["panels"], *folded):
        for panel in group:
            at = panel["gridPos"]
            assert at["x"] >= 0
            assert at["x"] + at["w"] <= 24
        for one, other in combinations(group, 2):
            assert not overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


@EVERY_BOARD
def test_opening_it_asks_no_more_than_prometheus_likes(uid: str) -> None:
    asked = [target for panel in panels(BOARDS[uid], folded=False) for target in panel["targets"]]
    assert 0 < len(asked) <= MOST_AT_ONCE


@EVERY_BOARD
def test_every_metric_is_declared(uid: str) -> None:
    known = DECLARED | OF_OTHERS | recorded()
    notes = [note["expr"] for note in BOARDS[uid]["annotations"]["list"]]
    for expr in (*(asked.expr for asked in queries(uid)), *notes):
        for selector in selectors(expr):
            assert base(selector.name) in known, selector.name
    for variable in BOARDS[uid]["templating"]["list"]:
        assert metrics_in(variable["query"]) <= DECLARED


def test_every_signal_is_shown_somewhere() -> None:
    shown = {name for asked in queries() for name in metrics_in(asked.expr)}
    missing = {signal.name for signal in (*CHECK_SIGNALS, *OF_PROBES, *OWN)} - shown
    assert missing == NOT_SHOWN.keys()


def test_every_look_is_of_a_signal() -> None:
    assert looks.LOOKS.keys() <= DECLARED


@EVERY_BOARD
def test_no_data_never_looks_like_well(uid: str) -> None:
    for panel in panels(BOARDS[uid]):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["noValue"] == words.NOTHING
        assert defaults["thresholds"]["steps"]
        if panel["type"] != "table":
            (absent,) = (each for each in defaults["mappings"] if each["type"] == "special")
            assert absent["options"]["match"] == "null+nan"
            assert absent["options"]["result"]["color"] == words.GREY


@EVERY_BOARD
def test_a_count_is_nought_only_while_an_agent_is_scraped(uid: str) -> None:
    for asked in queries(uid):
        assert "vector(" not in asked.expr
        if re.match(r"(round\()?count\(", asked.expr):
            assert " or 0 * sum(mailflow_build_info{" in asked.expr, asked


@EVERY_BOARD
def test_severities_have_their_words_and_colours(uid: str) -> None:
    seen = 0
    for panel in panels(BOARDS[uid]):
        defaults = panel["fieldConfig"]["defaults"]
        asked = [target["expr"] for target in panel["targets"]]
        if panel["type"] == "table" or not any(
            re.match(r"max( by \([\w, ]+\) )?\(mailflow_check_severity", expr) for expr in asked
        ):
            continue
        seen += 1
        (mapping,) = (each["options"] for each in defaults["mappings"] if each["type"] == "value")
        for severity in Severity:
            result = mapping[str(int(severity))]
            assert (result["text"], result["color"]) == (severity.word, words.COLOURS[severity])
    assert seen
    assert words.COLOURS[Severity.UNKNOWN] == words.PURPLE


def every_link(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "url" in value and "title" in value:
            yield value
        for each in value.values():
            yield from every_link(each)
    elif isinstance(value, list):
        for each in value:
            yield from every_link(each)


@EVERY_BOARD
def test_every_link_leads_somewhere(uid: str) -> None:
    urls = {link["url"] for link in every_link(BOARDS[uid])}
    assert "${page:raw}/" in urls
    for url in urls - {"${page:raw}/"}:
        if found := re.fullmatch(r"/d/([\w-]+|\$\{__data\.fields\.board:percentencode\})\?.*", url):
            assert found[1] in {*BOARDS, "${__data.fields.board:percentencode}"}
        elif found := re.fullmatch(r"\$\{page:raw\}/rules/([\w-]+)", url):
            assert (ROOT / f"docs/runbooks/{found[1]}.md").exists(), url
        elif found := re.fullmatch(r"\$\{page:raw\}/subjects/\$\{[^}]+\}/([^/]+)/\$\{[^}]+\}", url):
            assert found[1] in {*links.BOARDS, "${__data.fields.kind:percentencode}"}
        else:
            assert url == "${page:raw}/rules/${__data.fields.rule}"


def test_a_row_of_a_finding_knows_the_dashboard_of_every_kind_of_subject() -> None:
    (expr,) = (asked.expr for asked in queries("mailflow-overview") if asked.panel == "Findings")
    assert {probe.subject.kind for probe in PROBES} == links.BOARDS.keys()
    for kind, uid in links.BOARDS.items():
        pattern = "|".join(kinds_of(PROBES, kind))
        assert f'"board", "{uid}", "probe", "{pattern}"' in expr


def test_alerts_lead_to_dashboards_and_choices_that_exist() -> None:
    for kind, uid in links.BOARDS.items():
        names = {variable["name"] for variable in BOARDS[uid]["templating"]["list"]}
        assert {"datasource", "job", "page"} <= names
        assert kind == "agent" or {"tenant", "subject"} <= names


class NewSettings(CheckSettings):
    """Settings of a probe that nobody has seen before."""


async def never(check: Check[DomainSubject, NewSettings], tools: Toolbox) -> Outcome:
    del check, tools
    return Outcome()


NEW = Probe(
    kind="new",
    subject=DomainSubject,
    settings=NewSettings,
    run=never,
    rules=(),
    signals=(
        Signal("mailflow_new_things", "How many.", labels=("which",)),
        Signal("mailflow_new_bytes", "How large."),
        Signal("mailflow_new_seen_timestamp_seconds", "When it was seen."),
        Signal("mailflow_new_key_expiry_timestamp_seconds", "When it ends."),
        Signal("mailflow_new_info", "Always 1.", labels=("where",)),
        Signal("mailflow_new_faults_total", "How many faults.", kind="counter"),
        Signal("mailflow_new_wait_seconds", "How long.", kind="histogram", buckets=(1.0, 5.0)),
    ),
)


def test_a_new_probe_has_a_row_on_the_dashboard_of_its_subjects() -> None:
    boards = {board.uid: board for board in dashboards.boards((*PROBES, NEW))}
    (row,) = (row for row in boards["mailflow-domain"].rows if row.title == "Check: new")
    shown = {panel.title: panel for panel in row.panels}
    assert shown.keys() == {
        "New things",
        "New bytes",
        "New seen since",
        "New key expiry in",
        "New",
        "New faults",
        "New wait seconds",
        "Broken rules of new",
    }
    assert shown["New bytes"].unit == "bytes"
    assert shown["New wait seconds"].unit == "s"
    assert shown["New key expiry in"].queries[0].expr.endswith(" - time()")
    assert shown["New seen since"].queries[0].expr.startswith("time() - ")
    for panel in row.panels:
        for query in panel.queries:
            assert list(selectors(query.expr))
    ends = next(p for p in boards["mailflow-overview"].panels if p.title.startswith("Next cert"))
    assert "mailflow_new_key_expiry_timestamp_seconds" in ends.queries[0].expr


@EVERY_BOARD
def test_what_happened_is_marked(uid: str) -> None:
    notes = BOARDS[uid]["annotations"]["list"]
    assert [note["name"] for note in notes] == ["Alerts", "Reloads", "Restarts"]
    for note in notes:
        assert note["datasource"]["uid"] == "${datasource}"
        assert substituted(note["expr"])


def test_grafana_is_told_where_the_files_are() -> None:
    folder = ROOT / "grafana/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/mailflow.yaml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == ("prometheus", "mailflow-prometheus")
    assert source["url"] == "${PROMETHEUS_URL}"
    (provider,) = yaml.safe_load((folder / "dashboards/mailflow.yaml").read_text())["providers"]
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == "/etc/mailflow/dashboards"
    assert {path.name for path in (ROOT / "grafana/dashboards").glob("*.json")} == {
        f"{uid}.json" for uid in BOARDS
    }


def test_the_committed_files_are_as_rendered() -> None:
    for path, text in FILES.items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path}: run make generate"
        assert not path.endswith(".json") or json.loads(text)


async def test_without_the_library_generate_says_what_is_missing(tmp_path: Path) -> None:
    shadow = tmp_path / "grafana_foundation_sdk"
    shadow.mkdir()
    (shadow / "__init__.py").write_text(
        "raise ModuleNotFoundError('not installed', name='grafana_foundation_sdk')\n"
    )
    ended = await mailflow_agent("generate", "--check", is_fresh=True, PYTHONPATH=str(tmp_path))
    assert ended.code == 69
    assert "grafana-foundation-sdk 0.0.21, which is not installed" in ended.err
    assert "Traceback" not in ended.err
