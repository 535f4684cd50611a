"""Every fault of the lab is seen by the agent that runs there, and so is its end."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.lab.faults import FAULTS
from servers.program import mailflow_agent
from servers.running import Installation, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPF = ("spf", "contoso.com")
MX = ("mx", "contoso.com")
DMARC = ("dmarc", "contoso.com")
CONNECTOR = ("connector", "to-datacentre")
ROUTE = ("route", "to-mailbox")
MAILBOX = ("route", "internet-to-mailbox")
INBOUND = ("inbound", "from-datacentre")
REFUSAL = ("refusal", "fabrikam.com")
RECORDS = {
    "spf-too-many-lookups": (SPF, "critical", "spf-too-many-lookups"),
    "spf-two-records": (SPF, "critical", "spf-several-records"),
    "spf-missing": (SPF, "critical", "spf-missing"),
    "spf-sender-forgotten": (SPF, "critical", "spf-sender-refused"),
    "spf-plus-all": (SPF, "critical", "spf-plus-all"),
    "spf-include-gone": (SPF, "critical", "spf-target-missing"),
    "dmarc-misspelt": (DMARC, "critical", "dmarc-not-applied"),
    "dkim-key-gone": (("dkim", "contoso.com"), "warning", "dkim-key-missing"),
    "autodiscover-dangling": (
        ("autodiscover", "contoso.com"),
        "warning",
        "autodiscover-dangling",
    ),
    "reverse-missing": (("reverse", "contoso.com"), "warning", "reverse-missing"),
    "mx-missing": (MX, "critical", "mx-missing"),
    "mx-dangling": (MX, "critical", "mx-dangling"),
    "mx-stranger": (MX, "critical", "mx-unexpected"),
    "mx-alias": (MX, "warning", "mx-alias"),
    "listed": (("reputation", "contoso.com"), "critical", "reputation-refused"),
}
"""Faults in records: which check sees them, how bad it is then, and by which rule."""
SMART_HOST = {
    "smarthost-down": (CONNECTOR, "critical", "connector-refused"),
    "smarthost-stalls": (CONNECTOR, "critical", "connector-stalled"),
    "smarthost-no-starttls": (CONNECTOR, "critical", "connector-starttls-missing"),
    "smarthost-expired": (CONNECTOR, "critical", "connector-certificate-expired"),
    "smarthost-wrong-name": (CONNECTOR, "critical", "connector-certificate-name-mismatch"),
    "smarthost-refuses": (CONNECTOR, "critical", "connector-recipient-refused"),
    "smarthost-greylists": (CONNECTOR, "warning", "connector-deferred"),
}
FRONT_DOOR = {
    "filter-down": (("exchange", "fabrikam.com"), "warning", "exchange-partly-failing"),
    "filter-in-the-clear": (("exchange", "fabrikam.com"), "warning", "exchange-starttls-missing"),
    "filter-bypassed": (REFUSAL, "critical", "refusal-filter-bypassed"),
    "exchange-forgets-connector": (INBOUND, "critical", "inbound-relay-denied"),
    "exchange-bans-address": (INBOUND, "unknown", "inbound-address-banned"),
    "exchange-open-relay": (REFUSAL, "critical", "refusal-own-domain-relayed"),
}
MAIL = {
    "mail-dropped": (ROUTE, "critical", "route-lost"),
    "mail-delayed": (ROUTE, "warning", "route-late"),
    "mail-doubled": (ROUTE, "warning", "route-duplicate"),
    "mail-bounced": (ROUTE, "critical", "route-bounced"),
    "mail-looped": (ROUTE, "critical", "route-looped"),
    "mail-junked": (MAILBOX, "warning", "route-junked"),
    "mail-held": (MAILBOX, "warning", "route-late"),
    "mail-past-filter": (MAILBOX, "critical", "route-not-through"),
    "provider-certificate-shared": (MAILBOX, "critical", "route-looped"),
}
LAST = "exchange-throttles"  # a server that slowed us down is left alone for half a minute
# Under the eyes of Prometheus: in test_end_to_end.py and paging/test_one_fault_one_page.py.
OUTAGES = {"dns-failing", "dns-silent", "scheduler-stalled"}
GATE = "dns-captive"  # in cli/test_check.py, and as a server of another kind in test_app.py
# With more than one name server: in lab/test_name_servers.py.
NAME_SERVERS = {"delegation-changed", "nameserver-lame", "nameservers-disagree"}
FASTEST = 9  # seconds between two messages; Exchange Online's limits allow no more


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(Installation(tmp_path_factory.mktemp("agent"))) as agent:
        yield agent


@pytest_asyncio.fixture(loop_scope="module")
async def agent(shared: Running) -> AsyncIterator[Running]:
    """An agent in a lab in which nothing is broken; a route needs its next message to tell."""
    await shared.until(lambda seen: seen.is_well("route"))
    yield shared
    await shared.order("mend", "all")


async def test_no_fault_of_the_lab_is_left_out() -> None:
    assert {fault.name for fault in FAULTS} == {
        *(*RECORDS, *SMART_HOST, *FRONT_DOOR, *MAIL, *OUTAGES, *NAME_SERVERS, GATE, LAST)
    }


@pytest.mark.parametrize("fault", [*RECORDS, *SMART_HOST, *FRONT_DOOR])
async def test_a_fault_is_seen_by_its_rule_and_its_end_too(agent: Running, fault: str) -> None:
    check, severity, rule = (RECORDS | SMART_HOST | FRONT_DOOR)[fault]
    await agent.order("break", fault)
    seen = await agent.until(lambda seen: rule in seen.found(*check))
    assert seen.found(*check)[rule] == severity
    assert seen.severity("spf", "fourthcoffee.com") == 0
    assert seen.severity("mx", "fourthcoffee.com") == 0
    await agent.order("mend", fault)
    await agent.until(lambda seen: seen.severity(*check) == 0)


@pytest.mark.parametrize("fault", MAIL)
async def test_what_happens_to_mail_on_its_way_is_seen(agent: Running, fault: str) -> None:
    check, severity, rule = MAIL[fault]
    await agent.order("break", fault)
    seen = await agent.until(lambda seen: rule in seen.found(*check), 3 * FASTEST)
    assert seen.found(*check)[rule] == severity


async def test_a_loop_through_a_provider_ends_with_its_cause(agent: Running) -> None:
    await agent.order("break", "provider-certificate-shared")
    await agent.until(lambda seen: "route-looped" in seen.found(*MAILBOX), 3 * FASTEST)
    loop = (await agent.findings("contoso/route/internet-to-mailbox/route"))["route-looped"]
    assert "5.4.14" in " ".join((loop["detail"], *loop["evidence"]))
    await agent.order("mend", "provider-certificate-shared")
    await agent.until(lambda seen: seen.severity(*MAILBOX) == 0, 3 * FASTEST)


async def test_a_message_that_arrives_is_counted_and_timed(agent: Running) -> None:
    labels = {"tenant": "contoso", "subject": "to-mailbox", "probe": "route"}
    count = "mailflow_route_delivery_duration_seconds_count"
    before = (await agent.look()).value(count, **labels) or 0
    seen = await agent.until(lambda seen: (seen.value(count, **labels) or 0) > before, 2 * FASTEST)
    assert (seen.value("mailflow_route_messages_total", **labels) or 0) > before
    assert seen.value("mailflow_route_delivery_duration_seconds_sum", **labels)
    bucket = "mailflow_route_delivery_duration_seconds_bucket"
    counts = [sample.value for sample in seen.all(bucket, **labels)]
    assert counts == sorted(counts)
    assert counts[-1] == seen.value(count, **labels)
    phases = seen.all("mailflow_route_phase_duration_seconds", **labels)
    assert {"connect", "starttls", "data", "transit"} <= {s.labels["phase"] for s in phases}


async def test_faults_are_ordered_from_another_terminal(agent: Running) -> None:
    state = ("--state", str(agent.installation.state))
    broken = await mailflow_agent("lab", "break", "spf-missing", *state)
    assert broken.out.startswith("Broken: spf-missing.")
    await agent.until(lambda seen: "spf-missing" in seen.found(*SPF))
    mended = await mailflow_agent("lab", "mend", "all", *state)
    assert mended.out == "Mended; nothing is broken any more.\n"
    assert f"lab list --state {agent.installation.state}" in "".join(agent.log)


async def test_who_slows_us_down_is_not_accused(agent: Running) -> None:
    await agent.order("break", LAST)
    seen = await agent.until(lambda seen: "inbound-throttled" in seen.found(*INBOUND))
    assert seen.found(*INBOUND)["inbound-throttled"] == "unknown"
