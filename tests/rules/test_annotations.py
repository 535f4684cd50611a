"""What a person on call reads, as Prometheus makes it of the templates."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.exposition import alerts
from agent.exposition.alerting.evidence import EVIDENCE, Evidence
from agent.probes.base import discover
from servers.promtool import AGENT, HEALTHY, SECOND, try_tests

LINKS = 'page="https://mailflow.example",dashboards="https://grafana.example"'
PROBES = discover()
SPF = 'tenant="contoso",subject="contoso.com",probe="spf"'
CONNECTOR = 'tenant="contoso",subject="To the data centre + back",probe="connector"'
ROUTE = 'tenant="contoso",subject="inward",probe="route"'
ENDS = 'server="relay:25",place="graph a@b.c"'
RULES = {rule.code: rule for probe in PROBES for rule in probe.all_rules}


def case(
    series: dict[str, str], name: str, labels: dict[str, str], said: dict[str, str], at: str = "4m"
) -> dict[str, Any]:
    every = {**HEALTHY, **series}
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": key, "values": values} for key, values in every.items()],
        "alert_rule_test": [
            {
                "eval_time": at,
                "alertname": name,
                "exp_alerts": [{"exp_labels": labels, "exp_annotations": said}],
            }
        ],
    }


def finding(where: str, rule: str, values: str) -> dict[str, str]:
    severity = RULES[rule].severity.word
    return {f'mailflow_finding{{{AGENT},{where},rule="{rule}",severity="{severity}"}}': values}


def since(where: str, rule: str, values: str) -> dict[str, str]:
    (key,) = finding(where, rule, values)
    return {key.replace("finding", "finding_since_timestamp_seconds"): values}


def labels_of(where: str, **more: str) -> dict[str, str]:
    pairs = (each.split("=") for each in where.replace('"', "").split(","))
    return {"job": "mailflow", **dict(pairs), **more}


SYNTAX = RULES["spf-syntax"]
AMBIGUOUS = RULES["spf-macro-p"]
WITH_LINKS = case(
    {
        # The page of another agent, which does not have this subject, is no help.
        f'mailflow_links_info{{{SECOND},page="https://other.example",dashboards=""}}': "1x5",
        f"mailflow_links_info{{{AGENT},{LINKS}}}": "1x5",
        f"mailflow_check_interval_seconds{{{AGENT},{SPF}}}": "600x5",
        **since(SPF, "spf-syntax", "-3140x5"),
        **finding(SPF, "spf-syntax", "1+1x5"),
    },
    "MailflowSpfSyntax",
    labels_of(SPF, rule="spf-syntax", severity="critical", component="domain"),
    {
        "summary": f"contoso.com: {SYNTAX.summary}.",
        "description": "contoso.com of contoso, found by 5 runs in a row,"
        " since 1969-12-31 23:07:40 UTC."
        f" {SYNTAX.remedy}",
        "runbook_url": "https://mailflow.example/rules/spf-syntax",
        "dashboard_url": "https://grafana.example/d/mailflow-domain"
        "?var-tenant=contoso&var-subject=contoso.com",
        "page_url": "https://mailflow.example/subjects/contoso/domain/contoso.com",
    },
)


def proven(rule: str, series: dict[tuple[str, str], str], sentence: str) -> dict[str, Any]:
    """A finding whose alert says what was measured."""
    found = RULES[rule]
    where = f'tenant="contoso",subject="contoso.com",probe="{rule.partition("-")[0]}"'
    severity = alerts.of_rule(found).severity
    return case(
        {
            **finding(where, rule, "2x5"),
            **{f"{name}{{{AGENT},{where}{more}}}": value for (name, more), value in series.items()},
            # Of another subject, which is no proof.
            **{
                f"{name}{{{AGENT},{where.replace('contoso.com', 'other.com')}{more}}}": "9x5"
                for name, more in series
            },
        },
        alerts.of_rule(found).name,
        labels_of(where, rule=rule, severity=severity, component="domain"),
        {
            "summary": f"contoso.com: {found.summary}.",
            "description": "contoso.com of contoso, found by 2 runs in a row."
            f" {sentence} {found.remedy}",
            "runbook_url": f"docs/runbooks/{rule}.md",
            "dashboard_url": "",
            "page_url": "",
        },
    )


PROVEN = (
    proven(
        "spf-too-many-lookups",
        {("mailflow_spf_lookups", ""): "14 stale"},
        "It takes up to 14 lookups; receivers stop at 10.",
    ),
    proven(
        "registration-expires-soon",
        {("mailflow_registration_expiry_timestamp_seconds", ""): "86460x5"},
        "The end of the registration is 1970-01-02 00:01 UTC.",
    ),
    proven(
        "dmarc-sender-fails",
        {
            ("mailflow_dmarc_senders", ',verdict="pass"'): "1x5",
            ("mailflow_dmarc_senders", ',verdict="fail"'): "3x5",
            ("mailflow_dmarc_senders", ',verdict="unknown"'): "0x5",
        },
        "Senders by verdict: fail 3, pass 1.",
    ),
    proven(
        "refusal-open-relay",
        {
            ("mailflow_refusal_shut", ',case="open-relay"'): "0x5",
            ("mailflow_refusal_shut", ',case="own-domain"'): "1x5",
        },
        "Taken: open-relay.",
    ),
)
WITHOUT_LINKS = case(
    finding(SPF, "spf-macro-p", "2x5"),
    "MailflowSpfMacroP",
    labels_of(SPF, rule="spf-macro-p", severity="warning", component="domain"),
    {
        "summary": f"contoso.com: {AMBIGUOUS.summary}.",
        "description": f"contoso.com of contoso, found by 2 runs in a row. {AMBIGUOUS.remedy}",
        "runbook_url": "docs/runbooks/spf-macro-p.md",
        "dashboard_url": "",
        "page_url": "",
    },
)
STRANGE_NAME = case(
    {
        f"mailflow_links_info{{{AGENT},{LINKS}}}": "1x5",
        f"mailflow_check_interval_seconds{{{AGENT},{CONNECTOR}}}": "300x5",
        # The agent is started again, and has not run it yet.
        **since(CONNECTOR, "connector-refused", "125 stale"),
        f'mailflow_connector_info{{{AGENT},{CONNECTOR},server="relay:25",tls_settings="none"}}': (
            "1x5"
        ),
        **finding(CONNECTOR, "connector-refused", "2x5"),
    },
    "MailflowConnectorRefused",
    labels_of(
        CONNECTOR,
        rule="connector-refused",
        severity="critical",
        component="connector",
        server="relay:25",
    ),
    {
        "summary": f"To the data centre + back: {RULES['connector-refused'].summary}.",
        "description": "To the data centre + back of contoso (relay:25), found by 2 runs in a row,"
        f" since 1970-01-01 00:02:05 UTC. {RULES['connector-refused'].remedy}",
        "runbook_url": "https://mailflow.example/rules/connector-refused",
        "dashboard_url": "https://grafana.example/d/mailflow-connector"
        "?var-tenant=contoso&var-subject=To+the+data+centre+%2B+back",
        "page_url": "https://mailflow.example/subjects/contoso/connector"
        "/To%20the%20data%20centre%20%2B%20back",
    },
)
CANNOT_TELL = case(
    {
        f"mailflow_links_info{{{AGENT},{LINKS}}}": "1x5",
        f"mailflow_check_interval_seconds{{{AGENT},{SPF}}}": "300x5",
        **finding(SPF, "dns-unanswered", "3x5"),
    },
    "MailflowCannotTell",
    labels_of(SPF, rule="dns-unanswered", severity="warning", component="check"),
    {
        "summary": "contoso.com: The agent cannot tell how a subject is.",
        "description": "spf of contoso.com (contoso) could not tell in 3 runs in a row:"
        " dns-unanswered. Nothing is known to be wrong with it. `mailflow-agent explain"
        " dns-unanswered` says what to do.",
        "runbook_url": "https://mailflow.example/rules/cannot-tell",
        "dashboard_url": "https://grafana.example/d/mailflow-overview",
        "page_url": "https://mailflow.example/subjects/contoso/domain/contoso.com",
    },
)
SMART_HOST = case(
    {
        f"mailflow_links_info{{{AGENT},{LINKS}}}": "1x5",
        f"mailflow_route_info{{{AGENT},{ROUTE},{ENDS}}}": "1x5",
        f"mailflow_check_severity{{{AGENT},{ROUTE}}}": "3x5",
        **finding(ROUTE, "route-unreached", "2x5"),
    },
    "MailflowSmartHostDown",
    {"job": "mailflow", "server": "relay:25", "severity": "critical", "component": "server"},
    {
        "summary": "relay:25: A server that takes mail for others cannot be reached.",
        "description": "relay:25 takes no mail, in two runs in a row. Found by 1 checks, among them"
        " route inward of contoso (route-unreached). Routes that hand over to it: inward of"
        " contoso. Mail for it waits with whoever sends it, and bounces after a day. On the"
        " agent's host: `openssl s_client -starttls smtp -connect relay:25`; the page of a route or"
        " connector shows the phase at which it ends.",
        "runbook_url": "https://mailflow.example/rules/smart-host-down",
        "dashboard_url": "https://grafana.example/d/mailflow-overview",
        "page_url": "https://mailflow.example/",
    },
)
RESOLVER = case(
    {
        f"mailflow_links_info{{{AGENT},{LINKS}}}": "1x5",
        f'mailflow_check_interval_seconds{{{AGENT},tenant="agent",subject="local",probe="self"}}': (
            "10x5"
        ),
        f'mailflow_dns_server_up{{{AGENT},server="127.0.0.53:53"}}': "0x5",
        f'mailflow_dns_server_up{{{AGENT},server="2001:db8::53:5353"}}': "1x5",
        f'mailflow_dns_server_up{{{SECOND},server="192.0.2.53:53"}}': "1x5",
        **finding('tenant="agent",subject="local",probe="self"', "self-resolver-down", "24x5"),
        **finding(SPF, "dependency-down", "2x5"),
        **finding(ROUTE, "dependency-down", "2x5"),
    },
    "MailflowResolverDown",
    labels_of(
        'tenant="agent",subject="local",probe="self"',
        rule="self-resolver-down",
        severity="critical",
        component="dns",
    ),
    {
        "summary": "local: The resolver that the agent asks does not answer, or not by what DNS"
        " holds.",
        "description": "Nothing can be told about any domain until it does; mail itself may be"
        " fine. Seen from local in 24 runs in a row. Checks that can tell nothing now: 2 of"
        " contoso. On the agent's host: `dig SOA com @127.0.0.53 -p 53`, and `dig SOA com"
        " @2001:db8::53 -p 5353`.",
        "runbook_url": "https://mailflow.example/rules/self-resolver-down",
        "dashboard_url": "https://grafana.example/d/mailflow-agent",
        "page_url": "https://mailflow.example/subjects/agent/agent/local",
    },
)
ABSENT = case(
    {f"up{{{AGENT}}}": "0x9", f"mailflow_links_info{{{AGENT},{LINKS}}}": "1 1 stale"},
    "MailflowAgentAbsent",
    {"job": "mailflow", "severity": "critical", "component": "agent"},
    {
        "summary": "No agent is watching the mail flow.",
        "description": "Prometheus reaches no agent of job mailflow; until one answers nothing is"
        " known of the mail flow. On its host: `systemctl status mailflow-agent`, `journalctl -u"
        " mailflow-agent -n 50`; `/targets` of Prometheus says what the scrape fails with.",
        "runbook_url": "https://mailflow.example/rules/agent-absent",
        "dashboard_url": "https://grafana.example/d/mailflow-agent",
        "page_url": "https://mailflow.example/",
    },
)
DOWN = case(
    {
        f"mailflow_links_info{{{AGENT},{LINKS}}}": "1x9",
        f"mailflow_check_interval_seconds{{{AGENT},{ROUTE}}}": "30x9",
        f"mailflow_route_info{{{AGENT},{ROUTE},{ENDS}}}": "1x9",
        f"mailflow_route_slo_objective_ratio{{{AGENT},{ROUTE}}}": "0.99x9",
        f"mailflow_route_last_delivered_timestamp_seconds{{{AGENT},{ROUTE}}}": "0x9",
        f"mailflow_route_last_sent_timestamp_seconds{{{AGENT},{ROUTE}}}": "0+60x9",
        f"mailflow_route_deadline_seconds{{{AGENT},{ROUTE}}}": "60x9",
        f"mailflow_route_interval_seconds{{{AGENT},{ROUTE}}}": "30x9",
        f'mailflow_route_messages_failed_total{{{AGENT},{ROUTE},reason="lost"}}': "0+1x9",
        **finding(ROUTE, "route-lost", "4x9"),
    },
    "MailflowRouteDown",
    labels_of(f"{ROUTE},{ENDS}", severity="critical", component="route"),
    {
        "summary": "inward: Test mail no longer arrives on a route.",
        "description": "Nothing has arrived on inward of contoso (handed to relay:25, picked up in"
        " graph a@b.c) for 6m 0s, though messages are being sent. The agent finds: route-lost (4"
        " runs). Failed or late within the hour: lost 6. The route's page says of each message"
        " who had it last, and its Message-ID: refused, it is still with its sender; accepted and"
        " lost, ask the server that accepted it (in Exchange Online: `Get-MessageTraceV2"
        " -MessageId ID`).",
        "runbook_url": "https://mailflow.example/rules/route-down",
        "dashboard_url": "https://grafana.example/d/mailflow-route"
        "?var-tenant=contoso&var-subject=inward",
        "page_url": "https://mailflow.example/subjects/contoso/route/inward",
    },
    at="6m",
)


@pytest.mark.integration
def test_links_remedies_and_numbers_are_filled_in(tmp_path: Path) -> None:
    tests = (
        WITH_LINKS,
        WITHOUT_LINKS,
        STRANGE_NAME,
        CANNOT_TELL,
        SMART_HOST,
        RESOLVER,
        ABSENT,
        DOWN,
        *PROVEN,
    )
    kinds = {"connector", "dmarc", "refusal", "registration", "spf"}
    chosen = [probe for probe in PROBES if probe.kind in kinds]
    try_tests(tmp_path, alerts.groups(chosen), tests)


def test_a_remedy_with_braces_is_no_template() -> None:
    braced = replace(SYNTAX, remedy="Write {{ ip }} there.")
    description = alerts.of_rule(braced).description
    assert description.endswith('Write {{ "{{" }} ip }} there.')


@pytest.mark.parametrize(("rule", "evidence"), EVIDENCE.items())
def test_what_proves_a_rule_is_measured_by_its_own_probe(rule: str, evidence: Evidence) -> None:
    (probe,) = (each for each in PROBES if rule in {one.code for one in each.rules})
    (signal,) = (each for each in probe.signals if each.name == evidence.metric)
    assert signal.labels == ((evidence.label,) if evidence.label else signal.labels)
    assert "{}" in evidence.words
    assert evidence.words.endswith(".")
    assert evidence.template in alerts.of_rule(RULES[rule]).description
