import json
from collections.abc import AsyncIterator

import pytest

from agent.lab.dns_server import DnsServer
from agent.lab.faults import World
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
        pytest.param("contoso.com", "✓ ok       contoso.com", 0, id="healthy"),
        pytest.param("fourthcoffee.com", "✓ ok       fourthcoffee.com", 0, id="parked"),
        pytest.param("adatum.com", "✗ critical adatum.com", 2, id="too many lookups"),
        pytest.param("wingtiptoys.com", "✗ critical wingtiptoys.com", 2, id="two records"),
        pytest.param("tailspintoys.com", "✗ critical tailspintoys.com", 2, id="dangling"),
        pytest.param("nobody.example", "✗ critical nobody.example", 2, id="missing"),
    ],
)
async def test_a_domain_is_judged_without_configuration(
    resolver: str, domain: str, first: str, code: int
) -> None:
    ended = await mailflow_agent("check", domain, "--resolver", resolver)
    assert ended.out.splitlines()[0] == first, ended.out
    assert ended.code == code
    assert ended.err == ""


async def test_fourteen_lookups_are_counted_at_the_top_of_the_tree(resolver: str) -> None:
    ended = await mailflow_agent("check", "adatum.com", "--resolver", resolver)
    assert "adatum.com [14]" in ended.out
    assert "rule spf-too-many-lookups" in ended.out


async def test_many_domains_end_in_a_count(resolver: str) -> None:
    ended = await mailflow_agent(
        "check", "contoso.com", "adatum.com", "CONTOSO.com.", "--brief", "--resolver", resolver
    )
    assert ended.out.splitlines()[-1] == "2 domains: 1 ok, 1 critical"


async def test_the_json_answer_has_every_finding_with_its_remedy(resolver: str) -> None:
    ended = await mailflow_agent("check", "wingtiptoys.com", "--json", "--resolver", resolver)
    (domain,) = json.loads(ended.out)
    rules = {finding["rule"] for finding in domain["checks"]["spf"]["findings"]}
    assert "spf-several-records" in rules
    assert all(finding["remedy"] for finding in domain["checks"]["spf"]["findings"])


@pytest.mark.parametrize("fault", ["dns-failing"])
async def test_what_dns_cannot_say_is_unknown_and_never_critical(
    world: World, resolver: str, fault: str
) -> None:
    world.break_(fault)
    ended = await mailflow_agent("check", "contoso.com", "--resolver", resolver)
    assert ended.code == 3
    assert "critical" not in ended.out


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
