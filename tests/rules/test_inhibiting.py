"""What one alert hides is what its rule explains, and never what makes more noise than it."""

import yaml

from agent.domain.priority import EXPLAINS
from agent.exposition.alerting.alert import SEVERITIES
from agent.exposition.alerting.inhibiting import hidden_by, render
from agent.exposition.alerting.rules import alerting, of_rule
from agent.probes.base import discover

RULES = {rule.code: rule for rule in alerting(discover())}


def test_every_page_that_a_page_explains_is_hidden() -> None:
    pages = {code for code, rule in RULES.items() if of_rule(rule).severity == "critical"}
    explained = {(code, below) for code in pages & EXPLAINS.keys() for below in EXPLAINS[code]}
    hidden = {(code, below) for code in EXPLAINS for below in hidden_by(code, RULES)}
    assert {pair for pair in explained if pair[1] in pages} <= hidden
    assert ("mx-none-reachable", "mx-expected-missing") in hidden
    assert ("spf-missing", "dmarc-sender-fails") in hidden  # of another probe


def test_nothing_is_hidden_by_what_makes_less_noise() -> None:
    for code in EXPLAINS:
        for below in hidden_by(code, RULES):
            cause, effect = (SEVERITIES.index(of_rule(RULES[each]).severity)
                             for each in (code, below))  # fmt: skip
            assert cause <= effect, (code, below)


def test_each_rule_demands_the_labels_that_must_be_equal() -> None:
    for rule in yaml.safe_load(render(RULES.values()))["inhibit_rules"]:
        if "subject" in rule.get("equal", ()):
            for side in ("source_matchers", "target_matchers"):
                assert 'subject!=""' in rule[side]
