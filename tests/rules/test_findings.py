"""The alert of every rule fires from the second run in a row on, and of no other rule."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from agent.domain.finding import Rule, Severity
from agent.exposition import alerts
from agent.exposition.alerting import dependencies, paging, rules
from agent.exposition.alerting.alert import COMPONENTS, SEVERITIES
from agent.exposition.alerting.watching import CANNOT_TELL
from agent.probes.base import discover
from servers.promtool import AGENT, HEALTHY, SECOND, Case, try_cases, try_tests

PROBES = discover()
RULES = {rule.code: (probe.kind, rule) for probe in PROBES for rule in probe.all_rules}
OWN = alerts.alerting(PROBES)
UNTOLD = [rule for _, rule in RULES.values() if rule.severity is Severity.UNKNOWN]
TOLD_ELSEWHERE = {"dependency-down", "route-mailbox-closed", "route-over-budget"}
SPF = f'{AGENT},tenant="contoso",subject="contoso.com",probe="spf"'
OTHER_SPF = SPF.replace("a:", "b:")


def series(rules_: Iterable[Rule]) -> dict[str, str]:
    """Return the findings of each rule, on a subject of its own, in more and more runs."""
    found = {}
    for rule in rules_:
        where = f'{AGENT},tenant="t",subject="{rule.code}",probe="{RULES[rule.code][0]}"'
        labels = f'{where},rule="{rule.code}",severity="{rule.severity.word}"'
        found[f"mailflow_finding{{{labels}}}"] = "1 2 3"
    return found


def expected(rule: Rule) -> dict[str, object]:
    """Ask for each by itself, so that promtool names only those that are wrong."""
    alert = alerts.of_rule(rule)
    labels = {
        "alertname": alert.name,
        "severity": alert.severity,
        "component": alert.component,
        "rule": rule.code,
        "subject": rule.code,
    }
    sample = {"labels": "{" + ", ".join(f'{k}="{v}"' for k, v in labels.items()) + "}", "value": 1}
    firing = f'ALERTS{{alertstate="firing",subject="{rule.code}"}}'
    asked = f"group by ({', '.join(labels)}) ({firing})"
    return {"expr": asked, "eval_time": "1m", "exp_samples": [sample]}


@pytest.mark.integration
def test_each_rule_has_an_alert_that_fires_for_it_alone(tmp_path: Path) -> None:
    firing = 'ALERTS{alertstate="firing",alertname!="MailflowWatchdog"}'
    told = [rule for rule in UNTOLD if rule.code not in TOLD_ELSEWHERE]
    cannot = [
        {"labels": f'{{alertname="MailflowCannotTell", rule="{rule.code}"}}', "value": 1}
        for rule in told
    ]
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": key, "values": values}
                for key, values in {**HEALTHY, **series(OWN)}.items()
            ],
            "promql_expr_test": [
                {"expr": f"group by (alertname) ({firing})", "eval_time": "0m"},
                {
                    "expr": f"count({firing})",
                    "eval_time": "1m",
                    "exp_samples": [{"labels": "{}", "value": len(OWN)}],
                },
                *map(expected, OWN),
            ],
        },
        {
            "interval": "1m",
            "input_series": [
                {"series": key, "values": values}
                for key, values in {**HEALTHY, **series(UNTOLD)}.items()
            ],
            "promql_expr_test": [
                {"expr": f"group by (alertname, rule) ({firing})", "eval_time": "0m"},
                {
                    "expr": 'group by (alertname, rule) (ALERTS{alertname="MailflowCannotTell"})',
                    "eval_time": "1m",
                    "exp_samples": cannot,
                },
            ],
        },
    ]
    try_tests(tmp_path, alerts.groups(PROBES), tests)


def found(labels: str, rule: str, severity: str, values: str) -> dict[str, str]:
    return {f'mailflow_finding{{{labels},rule="{rule}",severity="{severity}"}}': values}


def judged(labels: str, severity: str) -> dict[str, str]:
    return {f"mailflow_check_severity{{{labels}}}": severity}


SYNTAX = ("spf-syntax", "critical", "1 2 3 4")
ALIAS = ("spf-alias", "warning", "1 2 3 4")
AGREEING = [
    Case(
        "what one agent sees to be well is no fault",
        {**found(SPF, *SYNTAX), **judged(SPF, "3x9"), **judged(OTHER_SPF, "0x9")},
        {"3m": set()},
    ),
    Case(
        "nor where it has a lesser complaint, which both have",
        {
            **found(SPF, *SYNTAX),
            **found(SPF, *ALIAS),
            **judged(SPF, "3x9"),
            **found(OTHER_SPF, *ALIAS),
            **judged(OTHER_SPF, "1x9"),
        },
        {"3m": {"MailflowSpfAlias"}},
    ),
    Case(
        "an agent that cannot tell contradicts nobody",
        {**found(SPF, *SYNTAX), **judged(SPF, "3x9"), **judged(OTHER_SPF, "2x9")},
        {"0m": set(), "3m": {"MailflowSpfSyntax"}},
    ),
    Case(
        "two that find different faults are both believed",
        {
            **found(SPF, *SYNTAX),
            **judged(SPF, "3x9"),
            **found(OTHER_SPF, "spf-plus-all", "critical", "1 2 3 4"),
            **judged(OTHER_SPF, "3x9"),
        },
        {"3m": {"MailflowSpfSyntax", "MailflowSpfPlusAll"}},
    ),
    Case(
        "agents in different places are judged apart",
        {
            **found(f'{SPF},site="x"', *SYNTAX),
            **judged(f'{SPF},site="x"', "3x9"),
            **judged(f'{OTHER_SPF},site="y"', "0x9"),
        },
        {"3m": {"MailflowSpfSyntax"}},
    ),
    Case(
        "a restart mends nothing: before the first run, what was found last stands",
        {
            **found(SPF, "spf-syntax", "critical", "2 2 stale _ _ 3"),
            **judged(SPF, "3 3 stale _ _ 3"),
        },
        {f"{minute}m": {"MailflowSpfSyntax"} for minute in range(6)},
    ),
    Case(
        "what had ended before the restart does not come back",
        {
            **found(SPF, "spf-syntax", "critical", "2 2 stale"),
            **judged(SPF, "3 3 0 stale"),
        },
        {"1m": {"MailflowSpfSyntax"}, "2m": set(), "4m": set()},
    ),
    Case(
        "a run that cannot tell mends nothing, however long it lasts",
        {
            **found(SPF, "spf-syntax", "critical", "2 2 stale _x5 3 stale"),
            **judged(SPF, "3 3 2x5 3 0"),
        },
        {f"{minute}m": {"MailflowSpfSyntax"} for minute in (1, 2, 7, 8)} | {"10m": set()},
    ),
    Case(
        "but not for long",
        {**found(SPF, "spf-syntax", "critical", "2 2 stale"), **judged(SPF, "3 3 stale")},
        {"10m": {"MailflowSpfSyntax"}, "12m": set()},
    ),
    Case(
        "nor once the first run does not find it, or another agent has looked",
        {
            **found(SPF, "spf-syntax", "critical", "2 2 stale"),
            **judged(SPF, "3 3 stale _ 0 stale _"),
            **found(SPF, "spf-alias", "warning", "2 2 stale"),
            **judged(OTHER_SPF, "_ _ _ _ _ 0 0"),
        },
        {"3m": {"MailflowSpfSyntax", "MailflowSpfAlias"}, "4m": set(), "5m": set()},
    ),
    Case(
        "what two agents had not agreed on does not stand when both are gone",
        {
            **found(SPF, "spf-syntax", "critical", "2 2 stale"),
            **judged(SPF, "3 3 stale"),
            **judged(OTHER_SPF, "0 0 stale"),
        },
        {"1m": set(), "2m": set(), "5m": set()},
    ),
    Case(
        "a fault that comes and goes each run wakes nobody",
        found(SPF, "spf-syntax", "critical", "1 _ 1 stale 1 stale 1"),
        {"1m": set(), "4m": set(), "6m": set()},
    ),
]


@pytest.mark.integration
def test_agents_that_run_the_same_check_outweigh_each_other(tmp_path: Path) -> None:
    probes = [probe for probe in PROBES if probe.kind == "spf"]
    try_cases(tmp_path, alerts.groups(probes), AGREEING)


@pytest.mark.integration
def test_findings_say_where_they_are(tmp_path: Path) -> None:
    route = 'tenant="c",subject="r",probe="route"'
    connector = 'tenant="c",subject="out",probe="connector"'
    where = {
        f'mailflow_route_info{{{AGENT},{route},server="relay:25",place="sink"}}': "1x5",
        # Not both agents have been reloaded yet.
        f'mailflow_route_info{{{SECOND},{route},server="other:25",place="sink"}}': "1x5",
        f'mailflow_connector_info{{{AGENT},{connector},server="relay:25",tls_settings="none"}}': (
            "1x5"
        ),
        **found(f"{AGENT},{route}", "route-looped", "critical", "2x5"),
        **found(f"{AGENT},{connector}", "connector-refused", "critical", "2x5"),
        **found(
            f'{AGENT},tenant="c",subject="c.com",probe="exchange"',
            "exchange-unreachable",
            "critical",
            "2x5",
        ),
        **found(f'{AGENT},tenant="c",subject="c.com",probe="spf"', "spf-syntax", "critical", "2x5"),
    }
    rows = [
        ("spf-syntax", ""),
        ("exchange-unreachable", ', server="mx:c.com"'),
        ("connector-refused", ', server="relay:25"'),
    ]
    ask = "group by (rule, server, place) (located:mailflow_finding:max{rule!~'route.*'})"
    test = {
        "interval": "1m",
        "input_series": [{"series": key, "values": values} for key, values in where.items()],
        "promql_expr_test": [
            {
                "expr": ask,
                "eval_time": "2m",
                "exp_samples": [
                    {"labels": f'{{rule="{rule}"{more}}}', "value": 1} for rule, more in rows
                ],
            },
            {
                "expr": "count(located:mailflow_finding:max{server=~'.+:25',place='sink'})",
                "eval_time": "2m",
                "exp_samples": [{"labels": "{}", "value": 1}],
            },
        ],
    }
    try_tests(tmp_path, alerts.groups(()), [test])


def test_every_rule_has_exactly_one_way_to_be_told() -> None:
    own = {rule.code for rule in OWN}
    named = {code for code in RULES if code in CANNOT_TELL.expr}
    assert named == TOLD_ELSEWHERE
    for code, (_, rule) in RULES.items():
        is_unknown = rule.severity is Severity.UNKNOWN
        alert = CANNOT_TELL if is_unknown else alerts.of_rule(rule)
        assert (code in own) == (not is_unknown and alert not in alerts.standing()), code
        assert alert.severity in SEVERITIES
        assert alert.component in COMPONENTS


def test_what_does_not_page_is_critical_and_exists() -> None:
    listed = [code for codes in paging.TICKETS.values() for code in codes]
    assert len(listed) == len(set(listed))
    for code in listed:
        assert RULES[code][1].severity is Severity.CRITICAL, code
        assert rules.of_rule(RULES[code][1]).severity == "warning"
    assert set(dependencies.OF_RULE) <= set(RULES)


def test_a_warning_pages_nobody_and_a_critical_rule_does_unless_it_is_listed() -> None:
    assert {rules.of_rule(rule).severity for rule in OWN if rule.severity is Severity.WARNING} == {
        "warning"
    }
    named = {"mx-missing", "spf-too-many-lookups", "refusal-open-relay", "route-looped"}
    named |= {"loop-predicted", "exchange-unreachable", "connector-certificate-expired"}
    assert {rules.of_rule(RULES[code][1]).severity for code in named} == {"critical"}
