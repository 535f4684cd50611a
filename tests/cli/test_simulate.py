"""The command that answers what a planned change would do."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.lab.dns_server import DnsServer
from agent.lab.faults import World
from servers.program import mailflow_agent

NEW_MX = "0 adatum-com.mail.protection.outlook.com"
SHORT = "v=spf1 include:spf.protection.outlook.com -all"


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def resolver(world: World) -> AsyncIterator[str]:
    async with DnsServer(world) as server:
        yield f"127.0.0.1:{server.port}"


async def test_who_would_fail_stands_before_all_else(resolver: str) -> None:
    senders = ("--sender", "exchange-online", "--sender", "mailchimp")
    ended = await mailflow_agent(
        "simulate", "northwindtraders.com", "--dmarc", "reject", *senders, "--resolver", resolver
    )
    assert ended.code == 2, ended.err
    first, *lines = ended.out.splitlines()
    assert first.startswith("✗ critical northwindtraders.com after the change: A sender of the")
    assert "    + v=DMARC1; p=reject" in lines
    lost = lines.index("  would fail: 1 of 2 senders")
    assert lines[lost + 1].startswith("    ✗ mailchimp: refused.")
    assert lost < lines.index("  who may send") < lines.index("  comes") < lines.index("  goes")
    assert "changed" not in ended.out  # a plan is no news


async def test_what_a_change_mends_goes_and_the_code_is_that_of_what_is_left(resolver: str) -> None:
    changes = ("--spf", SHORT, "--dmarc", "v=DMARC1; p=none; rua=mailto:dmarc@adatum.com")
    ended = await mailflow_agent(
        "simulate", "adatum.com", *changes, "--json", "--resolver", resolver
    )
    found = json.loads(ended.out)
    assert (ended.code, found["before"]["severity"], found["after"]["severity"]) == (
        1,
        "critical",
        "warning",
    )
    assert "spf-too-many-lookups" in {each["rule"] for each in found["goes"]}
    assert [each["rule"] for each in found["stays"]] == ["dkim-missing", "autodiscover-missing"]
    assert found["changes"][0]["after"] == [SHORT]
    (sender,) = found["senders"]
    assert (sender["sender"], sender["is_lost"]) == ("exchange-online", False)


async def test_mx_that_moves_is_held_against_what_it_looks_like_then(resolver: str) -> None:
    ended = await mailflow_agent(
        "simulate", "tailspintoys.com", "--mx", NEW_MX, "--resolver", resolver
    )
    assert "then like: Exchange Online" in ended.out
    assert "    - 10 oldmail.tailspintoys.com" in ended.out
    assert ended.code == 1, ended.out


async def test_a_key_by_an_alias_is_found_where_it_leads(resolver: str) -> None:
    target = "selector1-contoso-com._domainkey.contoso.onmicrosoft.com"
    ended = await mailflow_agent(
        "simulate", "wingtiptoys.com", "--dkim", f"own={target}", "--json", "--resolver", resolver
    )
    found = json.loads(ended.out)
    assert found["changes"][0]["after"] == [f"CNAME {target}"]
    assert "dkim-missing" in {each["rule"] for each in found["stays"]}


async def test_a_policy_is_laid_beside_its_record(resolver: str, tmp_path: Path) -> None:
    file = tmp_path / "mta-sts.txt"
    file.write_text(
        "version: STSv1\nmode: testing\nmx: *.mail.protection.outlook.com\nmax_age: 86400\n"
    )
    ended = await mailflow_agent(
        "simulate", "contoso.com", "--mta-sts-policy", str(file), "--resolver", resolver
    )
    assert "TXT _mta-sts.contoso.com" in ended.out
    assert "rule mta-sts-host-missing" in ended.out, ended.out
    file.write_text("mode: enforce\n")
    ended = await mailflow_agent(
        "simulate", "contoso.com", "--mta-sts-policy", str(file), "--resolver", resolver
    )
    assert ended.code == 64
    assert "it has no version" in ended.err


async def test_a_change_that_changes_nothing_says_so(resolver: str) -> None:
    ended = await mailflow_agent(
        "simulate", "contoso.com", "--dmarc", "reject", "--resolver", resolver
    )
    assert "    is like that already" in ended.out
    assert "  comes: nothing" in ended.out
    assert "  goes: nothing" in ended.out


async def test_without_an_answer_a_policy_has_nothing_to_be_laid_over(
    world: World, resolver: str
) -> None:
    world.break_("dns-failing")
    ended = await mailflow_agent(
        "simulate", "contoso.com", "--dmarc", "reject", "--resolver", resolver
    )
    assert ended.code == 3
    assert "DNS could not say" in ended.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param((), "say what is planned", id="nothing"),
        pytest.param(
            ("--spf", "v=spf1 includ:a.example"),
            "  v=spf1 includ:a.example\n         ^\n",
            id="a mark at the place",
        ),
        pytest.param(("--dmarc", "v=DMARC1; p=rejct"), "Did you mean `p=reject`?", id="hint"),
        pytest.param(("--mx", "mx.example"), "a preference and a host", id="mx"),
        pytest.param(("--sender", "nobody"), "none of: 21vianet", id="sender"),
    ],
)
async def test_what_cannot_be_published_is_refused(options: tuple[str, ...], said: str) -> None:
    ended = await mailflow_agent("simulate", "contoso.com", *options)
    assert ended.code == 64
    assert said in ended.err
