"""Is everything that a probe declares fit to be rendered?

Metrics, alerts, runbooks and documentation are made of declarations. A probe found by the scan of
the package is looked at here without being named.
"""

import inspect
import re
import sys
from collections import Counter
from typing import Any

import pytest
import yaml

from agent.domain.finding import Rule, Severity, Signal
from agent.probes.base import SHARED_RULES, Probe, discover
from agent.settings import CheckSettings, Subject

PROBES = discover()
RULES = [
    *(pytest.param(probe, rule, id=rule.code) for probe in PROBES for rule in probe.rules),
]
ALL_RULES = [
    *(pytest.param(rule, id=rule.code) for probe in PROBES for rule in probe.rules),
    *(pytest.param(rule, id=rule.code) for rule in SHARED_RULES),
]
SIGNALS = [
    pytest.param(probe, signal, id=signal.name) for probe in PROBES for signal in probe.signals
]
EACH_PROBE = pytest.mark.parametrize("probe", [pytest.param(one, id=one.kind) for one in PROBES])

# Every signal has these already; the others are labels that scrapers and their targets set.
OWN_LABELS = {"tenant", "subject", "probe", "vantage"}
TARGET_LABELS = {
    *("job", "instance", "host", "node", "pod", "namespace", "cluster", "service", "env"),
    *("environment", "region", "zone", "stage", "type", "name", "team", "le", "quantile"),
}


def module_of(probe: Probe[Any, Any]) -> Any:
    return sys.modules[probe.run.__module__]


def test_the_scan_finds_probes_of_different_kinds() -> None:
    kinds = [probe.kind for probe in PROBES]
    assert "mx" in kinds
    assert len(set(kinds)) == len(kinds)


def test_codes_are_unique_over_all_probes() -> None:
    codes = Counter(rule.code for probe in PROBES for rule in probe.rules)
    codes.update(rule.code for rule in SHARED_RULES)
    assert [code for code, count in codes.items() if count > 1] == []


def test_names_of_signals_are_unique_over_all_probes() -> None:
    names = Counter(signal.name for probe in PROBES for signal in probe.signals)
    assert [name for name, count in names.items() if count > 1] == []


@EACH_PROBE
def test_a_kind_is_one_word_that_a_label_can_have(probe: Probe[Any, Any]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", probe.kind)


@EACH_PROBE
def test_a_probe_is_explained_in_at_least_three_lines(probe: Probe[Any, Any]) -> None:
    text = inspect.getdoc(module_of(probe)) or ""
    first, *rest = text.splitlines()
    assert first.endswith("?"), "a module opens with the question it answers"
    assert len([line for line in rest if line]) >= 2


@EACH_PROBE
def test_a_probe_has_rules_settings_and_a_subject(probe: Probe[Any, Any]) -> None:
    assert probe.rules
    assert issubclass(probe.settings, CheckSettings)
    assert issubclass(probe.subject, Subject)
    assert probe.subject.kind


@EACH_PROBE
def test_every_setting_is_described_in_a_sentence(probe: Probe[Any, Any]) -> None:
    for model in (probe.settings, probe.subject):
        for name, option in model.model_fields.items():
            described = option.description or ""
            assert described.endswith("."), f"{model.__name__}.{name}: {described!r}"


@EACH_PROBE
def test_settings_may_be_left_out(probe: Probe[Any, Any]) -> None:
    assert probe.settings() == probe.settings()


@EACH_PROBE
def test_the_example_validates(probe: Probe[Any, Any]) -> None:
    if not probe.example:
        pytest.skip("has no example")
    values = yaml.safe_load(probe.example)
    assert isinstance(values, dict)
    probe.settings.model_validate(values)


@pytest.mark.parametrize(("probe", "rule"), RULES)
def test_a_code_starts_with_its_kind(probe: Probe[Any, Any], rule: Rule) -> None:
    assert rule.code.startswith(f"{probe.kind}-")


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_code_is_lower_case_words(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", rule.code)


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_summary_is_one_short_sentence_without_a_full_stop(rule: Rule) -> None:
    assert 10 <= len(rule.summary) <= 120
    assert not rule.summary.endswith((".", "!", "?", " "))
    assert not rule.summary[0].islower()


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_remedy_says_what_to_do_in_sentences(rule: Rule) -> None:
    assert len(rule.remedy) >= 10
    assert rule.remedy.endswith(".")
    assert not rule.remedy[0].islower()
    assert "  " not in rule.remedy


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_rule_names_its_clause_and_is_worth_a_finding(rule: Rule) -> None:
    assert rule.reference.strip()
    assert rule.severity is not Severity.OK


@pytest.mark.parametrize(("probe", "signal"), SIGNALS)
def test_the_name_of_a_signal_is_literal_in_its_package(
    probe: Probe[Any, Any], signal: Signal
) -> None:
    assert re.fullmatch(r"mailflow_[a-z0-9_]*[a-z0-9]", signal.name)
    assert "__" not in signal.name
    sources = [module_of(probe), *_imported(module_of(probe))]
    assert any(f'"{signal.name}"' in inspect.getsource(one) for one in sources)


def _imported(module: Any) -> list[Any]:
    """The modules of the agent from which *module* took something."""
    names = {getattr(value, "__module__", None) for value in vars(module).values()}
    named = [value for value in vars(module).values() if inspect.ismodule(value)]
    own = [sys.modules[name] for name in names if name and name.startswith("agent.")]
    return own + [one for one in named if one.__name__.startswith("agent.")]


@pytest.mark.parametrize(("probe", "signal"), SIGNALS)
def test_the_suffix_of_a_signal_says_its_unit(probe: Probe[Any, Any], signal: Signal) -> None:
    assert (signal.kind == "counter") is signal.name.endswith("_total")
    base = signal.name.removesuffix("_total")
    assert not base.endswith(("_count", "_sum", "_bucket", "_created"))
    assert base.endswith("_info") is signal.help.startswith("Always 1; ")
    assert not base.endswith(("_ms", "_milliseconds", "_minutes", "_hours", "_days", "_percent"))
    assert not base.endswith("_timestamp"), "_timestamp_seconds"
    if re.search(r"(duration|ttl|latency|age)$", base):
        pytest.fail(f"{signal.name} of {probe.kind} has no unit; end it in _seconds")


@pytest.mark.parametrize(("probe", "signal"), SIGNALS)
def test_the_help_of_a_signal_is_a_sentence(probe: Probe[Any, Any], signal: Signal) -> None:
    assert signal.help.endswith("."), probe.kind
    assert not signal.help[0].islower()
    assert "\n" not in signal.help


@pytest.mark.parametrize(("probe", "signal"), SIGNALS)
def test_labels_of_a_signal_clash_with_nothing(probe: Probe[Any, Any], signal: Signal) -> None:
    assert len(set(signal.labels)) == len(signal.labels)
    assert not OWN_LABELS & set(signal.labels), probe.kind
    assert not TARGET_LABELS & set(signal.labels), probe.kind
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in signal.labels)


@pytest.mark.parametrize(("probe", "signal"), SIGNALS)
def test_only_a_histogram_has_buckets_and_they_rise(probe: Probe[Any, Any], signal: Signal) -> None:
    assert bool(signal.buckets) is (signal.kind == "histogram"), probe.kind
    assert list(signal.buckets) == sorted(set(signal.buckets))
