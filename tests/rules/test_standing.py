# ruff: noqa: E501 - tables of data
"""Every alert that always exists fires when it should, and is quiet otherwise."""

from pathlib import Path

import pytest

from agent.exposition import alerts
from servers.promtool import AGENT, SECOND, Case, try_cases

CHECK = f'{AGENT},tenant="contoso",subject="contoso.com",probe="spf"'
SELF = 'tenant="agent",subject="local",probe="self"'
OF_ROUTE = 'tenant="contoso",subject="inward",probe="route"'
ROUTE = f"{AGENT},{OF_ROUTE}"
OTHER = f'{AGENT},tenant="contoso",subject="outward",probe="route"'
RELAY = 'server="relay.contoso.com:25",place="sink"'
DAY = 86400


def found(rule: str, labels: str, severity: str = "critical") -> str:
    return f'mailflow_finding{{{labels},rule="{rule}",severity="{severity}"}}'


def verdict(labels: str) -> str:
    return f"mailflow_check_severity{{{labels}}}"


def alive(labels: str = AGENT) -> dict[str, str]:
    """Return what an agent that works exports of its check of itself."""
    return {
        f"mailflow_check_last_run_timestamp_seconds{{{labels},{SELF}}}": "0+60x100",
        f"mailflow_check_interval_seconds{{{labels},{SELF}}}": "10x100",
        f'mailflow_heartbeat_timestamp_seconds{{{labels},task="monitor"}}': "0+60x100",
    }


def route(delivered: str, sent: str, **more: str) -> dict[str, str]:
    return {
        f"mailflow_route_last_delivered_timestamp_seconds{{{ROUTE}}}": delivered,
        f"mailflow_route_last_sent_timestamp_seconds{{{ROUTE}}}": sent,
        f"mailflow_route_deadline_seconds{{{ROUTE}}}": "600x70",
        f"mailflow_route_interval_seconds{{{ROUTE}}}": "300x70",
        f"mailflow_route_slo_objective_ratio{{{ROUTE}}}": "0.99x70",
        **more,
    }


def unreached(labels: str, runs: str, server: str = RELAY) -> dict[str, str]:
    return {
        f"mailflow_route_info{{{labels},{server}}}": "1x20",
        verdict(labels): "3x20",
        found("route-unreached", labels): runs,
    }


AGENTS = [
    Case(
        "the agent does not answer",
        {f"up{{{AGENT}}}": "0x10"},
        {"1m": set(), "3m": {"MailflowAgentAbsent"}},
        bare=True,
    ),
    Case(
        "there is no agent",
        {'up{job="other"}': "1x10"},
        {"1m": set(), "3m": {"MailflowAgentAbsent"}},
        bare=True,
    ),
    Case("one of two agents is enough", {f"up{{{SECOND}}}": "0x10"}, {"6m": set()}),
    Case("an agent that works", alive(), {"5m": set(), "60m": set()}),
    Case(
        "no check ends any more",
        {
            f"mailflow_check_last_run_timestamp_seconds{{{AGENT},{SELF}}}": "0 60 120x20",
            f"mailflow_check_interval_seconds{{{AGENT},{SELF}}}": "10x30",
            f'mailflow_heartbeat_timestamp_seconds{{{AGENT},task="monitor"}}': "0+60x30",
        },
        {"3m": set(), "6m": {"MailflowAgentStuck", "MailflowCheckStale"}},
    ),
    Case(
        "the heart of a task stands",
        {
            **alive(),
            f'mailflow_heartbeat_timestamp_seconds{{{AGENT},task="scheduler"}}': "0 60 120x20",
        },
        {"3m": set(), "6m": {"MailflowAgentStuck"}},
    ),
    Case(
        "a task is overdue, as the agent finds itself",
        {**alive(), found("self-task-overdue", f"{AGENT},{SELF}"): "_ 1 2 3 4 5"},
        {"2m": set(), "4m": {"MailflowAgentStuck"}},
    ),
    Case(
        "one agent is gone with its tenant, another goes on with its own",
        {
            f"up{{{AGENT}}}": "1x3 0x20",
            f"up{{{SECOND}}}": "1x23",
            f"mailflow_check_interval_seconds{{{CHECK}}}": "300x3 stale",
            f'mailflow_check_interval_seconds{{{SECOND},tenant="fabrikam",subject="a",probe="spf"}}': "300x23",
        },
        {"3m": set(), "8m": {"MailflowTenantUnwatched"}},
    ),
    Case(
        "one agent is gone, and another watches the same",
        {
            f"up{{{AGENT}}}": "1x3 0x20",
            f"up{{{SECOND}}}": "1x23",
            f"mailflow_check_interval_seconds{{{CHECK}}}": "300x3 stale",
            f"mailflow_check_interval_seconds{{{CHECK.replace('a:', 'b:')}}}": "300x23",
        },
        {"8m": set()},
    ),
    Case(
        "a tenant is no longer configured",
        {f"mailflow_check_interval_seconds{{{CHECK}}}": "300x3 stale"},
        {"8m": set()},
    ),
    Case(
        "one of two agents is blind",
        {
            verdict(f"{AGENT},{SELF}"): "3x9",
            found("self-resolver-down", f"{AGENT},{SELF}"): "1 2 3 4 5",
            verdict(f"{SECOND},{SELF}"): "0x9",
        },
        {"0m": set(), "4m": {"MailflowOneAgentBlind"}},
    ),
    Case(
        "a rejected configuration",
        {f"mailflow_config_last_reload_successful{{{AGENT}}}": "1 0x10"},
        {"1m": set(), "7m": {"MailflowConfigReloadFailed"}},
    ),
    Case(
        "a configuration that was mended",
        {f"mailflow_config_last_reload_successful{{{AGENT}}}": "1 0x3 1x10"},
        {"7m": set()},
    ),
    Case(
        "a rejected web configuration",
        {f"mailflow_web_config_last_reload_successful{{{AGENT}}}": "1 0x10"},
        {"1m": set(), "7m": {"MailflowWebConfigReloadFailed"}},
    ),
    Case(
        "a web configuration that was mended, and none at all",
        {f"mailflow_web_config_last_reload_successful{{{AGENT}}}": "1 0x3 1x10"},
        {"7m": set()},
    ),
    Case(
        "a crash, for a quarter of an hour",
        {f'mailflow_run_crashes_total{{{AGENT},probe="spf"}}': "0 0 1x30"},
        {"1m": set(), "5m": {"MailflowRunCrashed"}, "25m": set()},
    ),
    Case(
        "lost series",
        {f"mailflow_collector_errors_total{{{AGENT}}}": "0 0 2x30"},
        {"1m": set(), "5m": {"MailflowSeriesLost"}, "25m": set()},
    ),
    Case(
        "an overloaded loop",
        {
            f'mailflow_event_loop_lag_seconds_bucket{{{AGENT},le="0.25"}}': "0x40",
            f'mailflow_event_loop_lag_seconds_bucket{{{AGENT},le="5.0"}}': "0+10x40",
            f'mailflow_event_loop_lag_seconds_bucket{{{AGENT},le="+Inf"}}': "0+10x40",
        },
        {"5m": set(), "30m": {"MailflowAgentOverloaded"}},
    ),
    Case(
        "a state that cannot be written",
        {f"mailflow_store_degraded{{{AGENT}}}": "0 1x20"},
        {"5m": set(), "7m": {"MailflowStoreDegraded"}},
    ),
    Case(
        "a state that cannot be written, as the self check says already",
        {
            f"mailflow_store_degraded{{{AGENT}}}": "0 1x20",
            found("self-store-failing", f"{AGENT},{SELF}"): "_ 1 2+1x19",
        },
        {"7m": set(), "15m": set()},
    ),
    Case(
        "changes given up, for an hour",
        {f"mailflow_store_changes_dropped_total{{{AGENT}}}": "0 0 5x90"},
        {"1m": set(), "5m": {"MailflowStateForgotten"}, "80m": set()},
    ),
    Case(
        "a damaged state, for the first hour",
        {
            f"mailflow_store_moved_aside_total{{{AGENT}}}": "1x90",
            f"process_start_time_seconds{{{AGENT}}}": "0x90",
        },
        {"1m": {"MailflowStateForgotten"}, "59m": {"MailflowStateForgotten"}, "61m": set()},
    ),
    Case(
        "a sound state",
        {
            f"mailflow_store_moved_aside_total{{{AGENT}}}": "0x9",
            f"process_start_time_seconds{{{AGENT}}}": "0x9",
        },
        {"5m": set()},
    ),
]
CHECKS = [
    Case(
        "stale after 2.5 intervals and two minutes",
        {
            f"mailflow_check_last_run_timestamp_seconds{{{CHECK}}}": "0x30",
            f"mailflow_check_interval_seconds{{{CHECK}}}": "300x30",
            **alive(),
        },
        {"12m": set(), "21m": {"MailflowCheckStale"}},
    ),
    Case(
        "critical each time, and each time otherwise",
        {f"mailflow_check_critical_runs{{{CHECK}}}": "1 2 3 4"},
        {"1m": set(), "2m": {"MailflowCheckKeepsFailing"}},
    ),
    Case(
        "critical each time, of which a rule tells, or another agent knows better",
        {
            f"mailflow_check_critical_runs{{{CHECK}}}": "1 2 3x9",
            f"mailflow_check_severity{{{CHECK.replace('a:', 'b:')}}}": "0x9",
        },
        {"5m": set()},
    ),
    Case(
        "cannot tell, from the second run on",
        {found("dns-unanswered", CHECK, "unknown"): "1 2 3 4"},
        {"0m": set(), "1m": {"MailflowCannotTell"}},
    ),
    Case(
        "a dependency that is down has its own alert",
        {found("dependency-down", CHECK, "unknown"): "3x9"},
        {"5m": set()},
    ),
    Case(
        "one agent cannot tell, the other can",
        {
            found("dns-unanswered", CHECK, "unknown"): "1 2 3 4",
            verdict(CHECK): "2x9",
            verdict(CHECK.replace("a:", "b:")): "0x9",
        },
        {"3m": set()},
    ),
]
CAUSES = [
    *(
        Case(
            f"{rule}, from the second run on",
            {verdict(f"{AGENT},{SELF}"): "3x9", found(rule, f"{AGENT},{SELF}"): "1 2 3", **alive()},
            {"0m": set(), "1m": {f"{name}/critical"}},
        )
        for rule, name in (
            ("self-resolver-down", "MailflowResolverDown"),
            ("self-uplink-down", "MailflowUplinkDown"),
            ("self-identity-down", "MailflowIdentityProviderDown"),
        )
    ),
    Case(
        "a mailbox that cannot be looked into",
        {
            f'mailflow_self_mailbox_failing_runs{{{AGENT},place="graph a@b.c",reason="permission"}}': "1 2 3",
            found("self-mailbox-down", f"{AGENT},{SELF}"): "1 2 3",
        },
        {"0m": set(), "1m": {"MailflowMailboxDown"}},
    ),
    Case(
        "a credential that is refused",
        {
            f'mailflow_self_credential_refused_runs{{{AGENT},credential="probe",reason="expired-secret"}}': "1 2 3",
            found("self-credential-refused", f"{AGENT},{SELF}"): "1 2 3",
        },
        {"0m": set(), "1m": {"MailflowCredentialRefused"}},
    ),
    Case(
        "a smart host that no route reaches is one alert",
        {**unreached(ROUTE, "1 2 3"), **unreached(OTHER, "_ 1 2")},
        {"0m": set(), "1m": {"MailflowSmartHostDown/critical"}},
    ),
    Case(
        "a smart host that another route has just reached",
        {
            **unreached(ROUTE, "1 2 3"),
            f"mailflow_route_info{{{OTHER},{RELAY}}}": "1x9",
            verdict(OTHER): "0x9",
        },
        {"2m": set()},
    ),
    Case(
        "a smart host of which another route can tell nothing",
        {
            **unreached(ROUTE, "1 2 3"),
            f"mailflow_route_info{{{OTHER},{RELAY}}}": "1x9",
            verdict(OTHER): "2x9",
        },
        {"2m": {"MailflowSmartHostDown"}},
    ),
    Case(
        "a smart host that a connector alone leads to",
        {
            f'mailflow_connector_info{{{AGENT},tenant="c",subject="out",probe="connector",server="relay:25",tls_settings="none"}}': "1x9",
            found(
                "connector-timed-out", f'{AGENT},tenant="c",subject="out",probe="connector"'
            ): "1 2 3",
        },
        {"0m": set(), "1m": {"MailflowSmartHostDown"}},
    ),
    Case(
        "the exchanges of a domain",
        unreached(ROUTE, "1 2 3", 'server="mx:contoso.com",place="sink"'),
        {"0m": set(), "1m": {"MailflowExchangesDown"}},
    ),
    Case(
        "exchanges that another route has just reached",
        {
            **unreached(ROUTE, "1 2 3", 'server="mx:contoso.com",place="sink"'),
            f'mailflow_route_info{{{OTHER},server="mx:contoso.com",place="sink"}}': "1x9",
            verdict(OTHER): "1x9",
        },
        {"2m": set()},
    ),
]
MAIL = [
    Case(
        "a secret that ends in a month, then within days",
        {
            f'mailflow_credential_secret_expiry_timestamp_seconds{{{AGENT},credential="a"}}': f"{30 * DAY + 600}x20 {5 * DAY + 1800}x40"
        },
        {
            "9m": set(),
            "16m": {"MailflowCredentialExpires/warning"},
            "26m": {"MailflowCredentialExpires/warning"},
            "36m": {"MailflowCredentialExpires/critical"},
        },
    ),
    Case(
        "a certificate that Exchange Online looks at ends within days",
        {
            f'mailflow_connector_certificate_expiry_timestamp_seconds{{{AGENT},tenant="c",subject="out",probe="connector"}}': f"{3 * DAY + 600}x30",
            f'mailflow_connector_info{{{AGENT},tenant="c",subject="out",probe="connector",server="",tls_settings="domain-validation"}}': "1x30",
        },
        {"9m": set(), "11m": {"MailflowCertificateExpires/critical"}},
    ),
    Case(
        "a certificate that it does not look at",
        {
            f'mailflow_connector_certificate_expiry_timestamp_seconds{{{AGENT},tenant="c",subject="out",probe="connector"}}': f"{3 * DAY}x30",
            f'mailflow_connector_info{{{AGENT},tenant="c",subject="out",probe="connector",server="",tls_settings="encryption-only"}}': "1x30",
        },
        {"11m": set()},
    ),
    Case(
        "a certificate that it knows the tenant by, and one that has ended",
        {
            f'mailflow_inbound_certificate_expiry_timestamp_seconds{{{AGENT},tenant="c",subject="in",probe="inbound"}}': "600x30"
        },
        {"9m": {"MailflowCertificateExpires"}, "11m": set()},
    ),
    Case(
        "a mailbox that is more than nine tenths full",
        {
            f'mailflow_mailbox_used_bytes{{{AGENT},place="m"}}': "90x5 91x30",
            f'mailflow_mailbox_limit_bytes{{{AGENT},place="m"}}': "100x35",
        },
        {"6m": set(), "25m": {"MailflowMailboxFillsUp"}},
    ),
]
ROUTES = [
    Case(
        "a route that delivers nothing",
        route("0x60", "0+60x60"),
        {"20m": set(), "31m": {"MailflowRouteDown"}},
    ),
    Case(
        "a restart delivers nothing",
        {
            key: values.replace("x60", "x33 stale _ _ _") if "x60" in values else values
            for key, values in route("0x60", "0+60x60").items()
        },
        {"31m": {"MailflowRouteDown"}, "36m": {"MailflowRouteDown"}, "50m": set()},
    ),
    Case("a route on which nothing is sent", route("0x60", "0x60"), {"31m": set(), "50m": set()}),
    Case(
        "a route whose mailbox nobody can look into",
        route(
            "0x60", "0+60x60", **{found("route-mailbox-closed", ROUTE, "unknown"): "0x15 1+1x40"}
        ),
        {"25m": set(), "40m": set()},
    ),
    Case(
        "a route whose server has been down: what that has cost is no news, for half an hour",
        route(
            "0x70",
            "0+60x70",
            **{
                **unreached(ROUTE, "2x20 stale"),
                verdict(ROUTE): "3x20 0x50",
                f"mailflow_route_info{{{ROUTE},{RELAY}}}": "1x70",
            },
        ),
        {"20m": {"MailflowSmartHostDown"}, "45m": set(), "65m": {"MailflowRouteDown"}},
    ),
    Case(
        "one of two agents still receives",
        {
            **route("0x60", "0+60x60"),
            f"mailflow_route_last_delivered_timestamp_seconds{{{SECOND},{OF_ROUTE}}}": "0+60x60",
        },
        {"40m": set()},
    ),
    Case(
        "half of the deadline is taken by more than one in twenty",
        {
            f'mailflow_route_delivery_duration_seconds_bucket{{{ROUTE},le="300.0"}}': "0x100",
            f'mailflow_route_delivery_duration_seconds_bucket{{{ROUTE},le="600.0"}}': "0+1x100",
            f'mailflow_route_delivery_duration_seconds_bucket{{{ROUTE},le="+Inf"}}': "0+1x100",
            f"mailflow_route_deadline_seconds{{{ROUTE}}}": "600x100",
            f"mailflow_route_slo_objective_ratio{{{ROUTE}}}": "0.99x100",
        },
        {"20m": set(), "60m": {"MailflowRouteSlow"}},
    ),
    Case(
        "junk twice",
        {
            f"mailflow_route_junk_total{{{ROUTE}}}": "0x10 1x10 3x60",
            f"mailflow_route_slo_objective_ratio{{{ROUTE}}}": "0.99x80",
        },
        {"15m": set(), "60m": {"MailflowRouteLandsInJunk"}},
    ),
    Case(
        "junk once",
        {
            f"mailflow_route_junk_total{{{ROUTE}}}": "0x10 1x80",
            f"mailflow_route_slo_objective_ratio{{{ROUTE}}}": "0.99x90",
        },
        {"60m": set()},
    ),
    Case(
        "a budget that is spent",
        {found("route-over-budget", ROUTE, "unknown"): "1 2 3"},
        {"0m": set(), "1m": {"MailflowBudgetExhausted/warning"}},
    ),
]
CASES = [*AGENTS, *CHECKS, *CAUSES, *MAIL, *ROUTES]
# Shown over days in test_objectives.py.
ELSEWHERE = {"MailflowRouteErrorBudgetBurn", "MailflowWatchdog"}


@pytest.mark.integration
def test_an_alert_fires_when_it_should_and_no_other_does(tmp_path: Path) -> None:
    try_cases(tmp_path, alerts.groups(()), CASES)


def test_every_standing_alert_is_seen_firing_and_quiet() -> None:
    firing: set[str] = set()
    for case in CASES:
        firing |= {name.partition("/")[0] for names in case.firing.values() for name in names}
        assert any(not names for names in case.firing.values()) or len(case.firing) == 1, case.title
    assert {alert.name for alert in alerts.standing()} <= firing | ELSEWHERE
