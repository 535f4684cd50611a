"""What is rendered from declarations is complete, and the committed files are a fresh rendering."""

from pathlib import Path

from agent.exposition import alerts, generated, reference, runbooks
from servers.standings import PROBES

ROOT = Path(__file__).parents[2]


def test_a_rule_that_could_not_tell_has_no_alert_of_its_own() -> None:
    codes = [rule.code for rule in alerts.alerting(PROBES)]
    assert "dns-unanswered" not in codes
    assert "spf-too-many-lookups" in codes


def test_the_reference_names_every_signal_and_rule() -> None:
    pages = reference.rendered(PROBES)
    for probe in PROBES:
        page = pages[f"docs/checks/{probe.kind}.md"]
        assert all(f"### {rule.code}" in page for rule in probe.rules)
        assert all(signal.name in pages["docs/metrics.md"] for signal in probe.signals)


def test_runbooks_have_a_way_out() -> None:
    for page in runbooks.rendered(PROBES).values():
        assert "## Meaning" in page
        assert "## Mitigation" in page or "## What to do" in page


def test_stale_files_are_named_and_written(tmp_path: Path) -> None:
    assert set(generated.stale(tmp_path)) == set(generated.rendered())
    generated.write(tmp_path)
    assert generated.stale(tmp_path) == ()
    (tmp_path / "docs/runbooks/of-a-rule-that-is-no-more.md").write_text("old")
    (tmp_path / "docs/metrics.md").write_text("old")
    expected = ("docs/metrics.md", "docs/runbooks/of-a-rule-that-is-no-more.md")
    assert generated.stale(tmp_path) == expected
    assert generated.write(tmp_path) == expected
    assert generated.stale(tmp_path) == ()


def test_the_committed_files_are_a_fresh_rendering() -> None:
    assert generated.stale(ROOT) == (), "run make generate"
