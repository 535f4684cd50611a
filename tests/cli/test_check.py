import json
from collections.abc import AsyncIterator

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.resolver import Resolver
from agent.cli.looking import look
from agent.cli.toolbox import lending
from agent.lab.dns_server import DnsServer
from agent.lab.faults import World
from agent.probes import dane, exchange, mta_sts
from servers.dns import DnsServer as Server
from servers.program import mailflow_agent


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def resolver(world: World) -> AsyncIterator[str]:
    async with DnsServer(world) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("domain", "first", "code"),
    [
        pytest.param("fourthcoffee.com", "✓ ok       fourthcoffee.com", 0, id="parked"),
        pytest.param(
            "wingtiptoys.com",
            "✗ critical wingtiptoys.com: The domain has more than one SPF record, which is a"
            " permanent error for every message",
            2,
            id="two records",
        ),
        pytest.param(
            "tailspintoys.com",
            "✗ critical tailspintoys.com: No exchange has an address: nobody can deliver",
            2,
            id="dangling",
        ),
        pytest.param(
            "nobody.example",
            "✗ critical nobody.example: The domain does not exist",
            2,
            id="missing",
        ),
    ],
)
async def test_the_first_line_is_the_verdict_and_what_to_mend_first(
    resolver: str, domain: str, first: str, code: int
) -> None:
    ended = await mailflow_agent("check", domain, "--resolver", resolver)
    assert ended.out.splitlines()[0] == first, ended.out
    assert ended.code == code
    assert ended.err == ""


async def test_one_list_over_all_probes_stands_before_what_they_saw(resolver: str) -> None:
    ended = await mailflow_agent("check", "adatum.com", "--resolver", resolver)
    lines = ended.out.splitlines()
    numbered = [line for line in lines if line[2:4] == ". "]
    assert [line[:6] for line in numbered[:3]] == [" 1. ✗ ", " 2. ! ", " 3. ! "]
    assert lines[1] == "    looks like: Exchange Online"
    assert "rule spf-too-many-lookups" in ended.out
    assert "adatum.com [14]" in ended.out
    assert "under p=reject" in ended.out  # who may send
    assert lines.index(numbered[-1]) < lines.index("  ✗ critical spf")


async def test_many_domains_end_in_a_count(resolver: str) -> None:
    ended = await mailflow_agent(
        "check", "fourthcoffee.com", "adatum.com", "ADATUM.com.", "--brief", "--resolver", resolver
    )
    assert ended.out.splitlines()[-1] == "2 domains: 1 ok, 1 critical"
    assert "    looked at: " in ended.out
    assert "under p=reject" not in ended.out


async def test_the_json_answer_has_every_finding_with_its_remedy(resolver: str) -> None:
    ended = await mailflow_agent("check", "wingtiptoys.com", "--json", "--resolver", resolver)
    (domain,) = json.loads(ended.out)
    rules = {finding["rule"] for finding in domain["checks"]["spf"]["findings"]}
    assert "spf-several-records" in rules
    assert all(finding["remedy"] for finding in domain["checks"]["spf"]["findings"])
    first = domain["findings"][0]
    assert (first["rule"], first["check"]) == ("spf-several-records", "spf")
    assert first["explains"] == ["dmarc-sender-would-fail"]
    # A single look remembers nothing, so nothing is "first seen" now.
    assert "first seen" not in ended.out
    assert not any("changes" in each["facts"] for each in domain["checks"].values())
    assert domain["looks_like"] == {"topology": "exchange-online", "title": "Exchange Online"}


async def test_a_sender_that_is_declared_is_judged(resolver: str) -> None:
    ended = await mailflow_agent(
        "check", "adatum.com", "--sender", "mailchimp", "--brief", "--resolver", resolver
    )
    assert "mailchimp: SPF fail, DKIM fail" in ended.out


@pytest.mark.parametrize("fault", ["dns-failing"])
async def test_what_dns_cannot_say_is_unknown_and_never_critical(
    world: World, resolver: str, fault: str
) -> None:
    world.break_(fault)
    ended = await mailflow_agent("check", "contoso.com", "--resolver", resolver)
    assert ended.code == 3
    assert "critical" not in ended.out


async def test_behind_a_gate_nothing_is_known_and_one_line_says_what_to_do(
    world: World, resolver: str
) -> None:
    world.break_("dns-captive")
    seen = (
        f"{resolver} has no record of com or org, but an address for a name that cannot exist, as"
        " the gate of a guest network has. Name one that sees the internet: --resolver ADDRESS."
    )
    ended = await mailflow_agent("check", "contoso.com", "--resolver", resolver)
    assert ended.code == 3
    assert ended.out.startswith("? unknown  contoso.com: DNS could not say\n")
    assert " ".join(ended.out.split()).count(seen) == 1
    assert (ended.err, "critical" in ended.out, "warning" in ended.out) == ("", False, False)
    ended = await mailflow_agent("check", "contoso.com", "--json", "--resolver", resolver)
    (domain,) = json.loads(ended.out)
    assert (ended.code, domain["severity"]) == (3, "unknown")
    ((rule, detail),) = {(each["rule"], each["detail"]) for each in domain["findings"]}
    assert (rule, detail) == ("dns-unanswered", seen)
    assert {each["severity"] for each in domain["checks"].values()} == {"unknown"}


async def test_a_server_of_a_few_zones_is_believed_of_these_with_a_note() -> None:
    async with Server({("contoso.com", "MX"): "0 mx.contoso.com"}) as server:
        place = f"127.0.0.1:{server.port}"
        ended = await mailflow_agent("check", "contoso.com", "--brief", "--resolver", place)
    assert ended.code == 2
    assert "spf-missing" in ended.out
    assert ended.err == (
        f"note: {place} has no record of com or org, as the gate of a guest network has none. What"
        " it says does not exist may exist elsewhere.\n"
    )


_EXPORT = "agent/lab/exports/contoso.json"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("spf --ip 192.0.2.1 --mail-from a@contoso.com", id="spf"),
        pytest.param("simulate contoso.com --dmarc reject", id="simulate"),
        pytest.param("smtp mail.contoso.com", id="smtp"),
        pytest.param(f"import --check {_EXPORT}", id="import"),
        pytest.param(f"path --to a@contoso.com --import {_EXPORT}", id="path"),
    ],
)
async def test_no_other_command_believes_a_gate(world: World, resolver: str, words: str) -> None:
    world.break_("dns-captive")
    ended = await mailflow_agent(*words.split(), "--resolver", resolver)
    assert ended.code == 3, ended.out
    said = " ".join((ended.out + ended.err).split())
    assert said.count("Name one that sees the internet: --resolver ADDRESS.") == 1
    assert "critical" not in said


async def test_without_a_resolver_nothing_is_known_of_the_domain() -> None:
    ended = await mailflow_agent("check", "contoso.com", "--resolver", "127.0.0.1:1")
    assert ended.code == 3
    assert "Traceback" not in ended.err


async def test_every_wrong_name_is_told_at_once() -> None:
    ended = await mailflow_agent("check", "a b.example", "com", "ok.example")
    assert ended.code == 64
    assert "'a b.example' has the label" in ended.err
    assert "'com' has a single label" in ended.err
    assert "ok.example" not in ended.err


async def test_who_compares_certificates_waits_for_who_meets_them(world: World) -> None:
    done: list[str] = []
    async with DnsServer(world) as server:
        resolver = Resolver((("127.0.0.1", server.port),), SystemClock())
        async with lending(resolver) as tools:
            assert tools.sightings is not None
            probes = (dane.PROBE, mta_sts.PROBE, exchange.PROBE)
            for asked in (probes, probes[:2]):
                done.clear()
                await look(
                    ("fourthcoffee.com",),
                    tools,
                    asked,
                    on_run=lambda run: done.append(run.check.probe.kind),
                )
                assert sorted(done) == sorted(each.kind for each in asked)
                assert asked is not probes or done[0] == "exchange"
        await resolver.close()
