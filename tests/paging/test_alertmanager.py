"""Who is told of which alert, and which alert is hidden by which?

By Alertmanager itself: amtool checks the file and sorts labels, and a live one is given all alerts
at once and asked what inhibits each.
"""

import asyncio
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from servers import shortened
from servers.alertmanager import AMTOOL, RECEIVERS, alertmanager
from servers.program import ROOT
from servers.running import eventually

CONFIGURATION = ROOT / "deploy" / "alertmanager.yml"
RULES = ROOT / "grafana" / "alerts" / "mailflow.yaml"
TEXT = CONFIGURATION.read_text(encoding="utf-8")

pytestmark = pytest.mark.integration

WAYS = {
    "severity=critical alertname=MailflowRouteDown component=route": "pager",
    "severity=critical alertname=MailflowAgentAbsent component=agent": "pager",
    "severity=warning alertname=MailflowCannotTell component=check": "chat",
    "severity=warning alertname=MailflowRouteErrorBudgetBurn window=slow": "chat",
    "severity=info alertname=MailflowWatchdog component=agent": "dead-man",
    "severity=info alertname=MailflowMxChanged component=domain": "nobody",
}

HOST, MX = "smart.contoso.com:25", "mx:contoso.com"
PLACE = "graph probe@contoso.com"
ALERTS: dict[str, dict[str, str]] = {
    "MailflowWatchdog": {"component": "agent", "severity": "info"},
    "MailflowAgentAbsent": {"component": "agent"},
    "MailflowAgentStuck": {"component": "agent"},
    "MailflowUplinkDown": {"component": "uplink"},
    "MailflowResolverDown": {"component": "dns"},
    "MailflowIdentityProviderDown": {"component": "identity"},
    "MailflowCredentialRefused": {"component": "identity", "credential": "graph"},
    "MailflowMailboxDown": {"component": "mailbox", "place": PLACE},
    "MailflowSmartHostDown": {"component": "server", "server": HOST},
    "MailflowExchangeUnreachable": {
        "component": "domain",
        "server": MX,
        "tenant": "contoso",
        "subject": "contoso.com",
    },
    "MailflowConnectorRefused": {
        "component": "connector",
        "server": HOST,
        "tenant": "contoso",
        "subject": "to-datacentre",
    },
    "MailflowConnectorOfSeveralHosts": {"component": "connector", "tenant": "contoso"},
    "MailflowSpfMissing": {"component": "domain", "tenant": "contoso", "subject": "contoso.com"},
    "MailflowLoopPredicted": {"component": "tenant", "tenant": "contoso", "subject": "contoso"},
    "MailflowRouteDown": {"component": "route", "server": HOST, "place": "sink"},
    "MailflowRouteErrorBudgetBurn": {"component": "route", "server": MX, "place": PLACE},
    "MailflowRouteWithoutLabels": {"component": "route"},
    "MailflowCannotTell": {"component": "check", "severity": "warning"},
    "MailflowBudgetExhausted": {"component": "route", "severity": "warning", "server": "other:25"},
    "OfSomebodyElse": {"component": "route", "server": HOST, "place": PLACE},
}
"""One alert of each sort, with the labels that matter; critical where nothing else is said."""

CHECKS = {"component=check"}
BELOW_RESOLVER = {
    "identity",
    "mailbox",
    "server",
    "domain",
    "connector",
    "route",
    "tenant",
    "check",
}
HIDES: dict[str, set[str]] = {
    "MailflowAgentAbsent": set(ALERTS)
    - {"MailflowAgentAbsent", "MailflowWatchdog", "OfSomebodyElse"},
    "MailflowAgentStuck": set(ALERTS)
    - {"MailflowAgentAbsent", "MailflowAgentStuck", "MailflowWatchdog", "OfSomebodyElse"},
    "MailflowUplinkDown": {"dns", *BELOW_RESOLVER},
    "MailflowResolverDown": BELOW_RESOLVER,
    "MailflowIdentityProviderDown": {"mailbox", "route", "check"},
    "MailflowCredentialRefused": {"check"},
    "MailflowMailboxDown": {"MailflowRouteErrorBudgetBurn", "OfSomebodyElse"},
    "MailflowSmartHostDown": {"MailflowConnectorRefused", "MailflowRouteDown", "OfSomebodyElse"},
    "MailflowExchangeUnreachable": {"MailflowRouteErrorBudgetBurn"},
    "MailflowConnectorRefused": {"MailflowRouteDown", "OfSomebodyElse"},
}
"""What each alert hides: names, or components of alerts of ours."""


def hidden(by: str) -> set[str]:
    """Return the names of the alerts that one hides."""
    return {
        name
        for name, labels in ALERTS.items()
        if name in HIDES[by] or (labels["component"] in HIDES[by] and name.startswith("Mailflow"))
    }


async def amtool(*arguments: str) -> tuple[int, str]:
    """Run amtool, and return its exit code and what it says."""
    assert AMTOOL is not None, "install Debian's prometheus-alertmanager"
    process = await asyncio.create_subprocess_exec(
        AMTOOL, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, (out + err).decode()


async def test_alertmanager_takes_the_file() -> None:
    code, said = await amtool("check-config", str(CONFIGURATION))
    assert (code, "4 receivers" in said) == (0, True), said


@pytest.mark.parametrize("labels", WAYS)
async def test_an_alert_goes_to_whom_it_is_for(labels: str) -> None:
    code, said = await amtool(
        *("config", "routes", "test", f"--config.file={CONFIGURATION}"),
        f"--verify.receivers={WAYS[labels]}",
        *labels.split(),
    )
    assert code == 0, said


def test_every_alert_that_is_named_exists_and_has_the_labels_that_are_matched() -> None:
    """A matcher on a name or component that no rule has would never hide anything."""
    rules = [
        rule
        for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    names, components = (
        {rule["alert"] for rule in rules},
        {rule["labels"]["component"] for rule in rules},
    )
    for rule in yaml.safe_load(TEXT)["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, _, value = matcher.partition("=")
            wanted = {each for each in value.strip('~"').split("|") if not each.endswith("+")}
            if label == "alertname":
                assert wanted <= names, f"no rule is named {wanted - names}"
            if label == "component":
                assert wanted <= components, f"no rule is about {wanted - components}"


def test_no_receiver_travels_by_the_mail_that_is_watched() -> None:
    receivers = yaml.safe_load(TEXT)["receivers"]
    assert {each["name"] for each in receivers} == {*RECEIVERS, "nobody"}
    assert not any("email_configs" in each for each in receivers)


SUBJECT = {"tenant": "contoso", "subject": "tailspintoys.com", "component": "domain"}
DEAD = ("mx-none-reachable", "mx-expected-missing", "mx-unexpected", "mx-dangling")
GONE = ("mx-domain-missing", "spf-missing", "mx-expected-missing", "exchange-unreachable")
SENT = ("spf-too-many-lookups", "spf-sender-refused", "dmarc-sender-fails")


def found(rule: str, job: str, **labels: str) -> dict[str, object]:
    """Return the alert of a finding, with the severity that the shipped rule gives it."""
    name = "Mailflow" + "".join(map(str.capitalize, rule.split("-")))
    (severity,) = {
        each["labels"]["severity"]
        for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
        for each in group["rules"]
        if each.get("alert") == name
    }
    said = {"alertname": name, "job": job, "rule": rule, "severity": severity, **SUBJECT, **labels}
    return {"labels": said, "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}


async def test_one_cause_in_one_subject_is_one_page_whichever_probes_find_it(
    tmp_path: Path,
) -> None:
    nowhere = dict.fromkeys(RECEIVERS, "http://127.0.0.1:9/")
    stories = {"dead": DEAD, "gone": GONE, "sent": SENT}
    posts = [found(rule, job) for job, rules in stories.items() for rule in rules]
    # The same of another domain, or of another tenant's, has a cause of its own.
    posts += [found(DEAD[1], "dead", subject="adatum.com"), found(DEAD[1], "dead", tenant="other")]
    # A cause that opens a ticket only must not hide what pages.
    posts += [found("mx-literal", "loud"), found("mx-none-reachable", "loud")]

    async def loud() -> set[tuple[str, str, str, str]]:
        return {
            tuple(each["labels"][key] for key in ("job", "tenant", "subject", "rule"))
            for each in await manager.alerts()
            if not each["status"]["inhibitedBy"]
        }

    here = ("contoso", SUBJECT["subject"])
    expected = {
        *((job, *here, rules[0]) for job, rules in stories.items()),
        ("dead", "contoso", "adatum.com", DEAD[1]),
        ("dead", "other", SUBJECT["subject"], DEAD[1]),
        ("loud", *here, "mx-literal"),
        ("loud", *here, "mx-none-reachable"),
    }
    async with alertmanager(shortened.alertmanager(TEXT, nowhere), tmp_path) as manager:
        await manager.post(posts)
        await eventually(manager.alerts, lambda alerts: len(alerts) == len(posts))
        await eventually(loud, lambda seen: seen == expected)


def posted(name: str, job: str) -> dict[str, object]:
    """Return an alert as Prometheus sends it."""
    labels = {"alertname": name, "job": job, "severity": "critical", **ALERTS[name]}
    until = datetime.now(UTC) + timedelta(hours=1)
    return {"labels": labels, "endsAt": until.isoformat()}


async def test_what_is_hidden_by_what_is_as_the_table_says(tmp_path: Path) -> None:
    nowhere = dict.fromkeys(RECEIVERS, "http://127.0.0.1:9/")
    # Each pair has a job of its own, so that nobody else interferes: `job` is equal everywhere,
    # but for an agent that is absent, which comes last.
    sources = [name for name in HIDES if name != "MailflowAgentAbsent"]
    pairs = [
        (by, name) for by in sources for name in ALERTS if name not in (by, "MailflowAgentAbsent")
    ]
    expected = {(f"{by}/{name}", name): name in hidden(by) for by, name in pairs}

    async def quiet() -> dict[tuple[str, str], bool]:
        """Return for each alert that is hidden, or not, whether it is."""
        seen = {
            (each["labels"]["job"], each["labels"]["alertname"]): bool(
                each["status"]["inhibitedBy"]
            )
            for each in await manager.alerts()
        }
        return {key: seen[key] for key in expected if key in seen}

    async def loud() -> set[str]:
        return {
            each["labels"]["alertname"]
            for each in await manager.alerts()
            if not each["status"]["inhibitedBy"]
        }

    async with alertmanager(shortened.alertmanager(TEXT, nowhere), tmp_path) as manager:
        await manager.post(
            [posted(each, f"{by}/{name}") for by, name in pairs for each in (by, name)]
        )
        await eventually(quiet, lambda seen: seen == expected)
        await manager.post([posted("MailflowAgentAbsent", "mailflow")])
        await eventually(loud, lambda seen: seen == set(ALERTS) - hidden("MailflowAgentAbsent"))
