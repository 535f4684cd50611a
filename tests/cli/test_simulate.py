"""The command that answers what a planned change would do."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.lab.dns_server import DnsServer
from agent.lab.faults import World
from servers.dns import Content
from servers.dns import DnsServer as ZoneServer
from servers.program import mailflow_agent

NEW_MX = "0 adatum-com.mail.protection.outlook.com"
SHORT = "v=spf1 include:spf.protection.outlook.com -all"
SOFT = "v=spf1 include:spf.protection.outlook.com ~all"
FLAT = (
    "v=spf1 ip4:192.31.196.25 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15"
    " ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48"
    " ip6:2a01:111:f403::/49 -all"
)


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
    changes = ("--spf", SOFT, "--dmarc", "v=DMARC1; p=none; rua=mailto:dmarc@adatum.com")
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
    assert found["changes"][0]["after"] == [SOFT]
    assert [(each["term"], each["spf_after"], each["is_lost"]) for each in found["no_longer_pass"]][
        -2:
    ] == [
        ("include:spf.payroll.example", "softfail", False),
        ("include:spf.survey.example", "softfail", False),
    ]
    (sender,) = found["senders"]
    assert (sender["sender"], sender["is_lost"]) == ("exchange-online", False)


async def test_mx_may_move_to_the_cloud_that_the_topology_has(resolver: str) -> None:
    ended = await mailflow_agent(
        "simulate", "tailspintoys.com", "--mx", NEW_MX, "--resolver", resolver
    )
    assert "Mail for tailspintoys.com would be taken by Exchange Online instead of" in ended.out
    assert "then like: Exchange Online" in ended.out
    assert "    - 10 oldmail.tailspintoys.com" in ended.out
    assert ended.code == 1, ended.out


@pytest.mark.parametrize(
    ("domain", "options", "code", "said"),
    [
        pytest.param(
            "contoso.com",
            ("--mx", "0 ."),
            2,
            (
                "✗ critical contoso.com after the change: The domain declares that it takes no",
                "    Mail for contoso.com would be taken by nobody instead of Exchange Online. If",
            ),
            id="null MX",
        ),
        pytest.param(
            "contoso.com",
            ("--mx", "0 mail.payroll.example"),
            2,
            (
                "✗ critical",
                "    Mail for contoso.com would be taken by hosts of payroll.example instead",
            ),
            id="a stranger's MX",
        ),
        pytest.param(
            "fabrikam.com",
            ("--mx", "0 fabrikam-com.mail.protection.outlook.com"),
            2,
            (
                "✗ critical fabrikam.com after the change: No MX record names an expected exchange",
                "    Mail for fabrikam.com would be taken by Exchange Online instead of hosts",
            ),
            id="a move that nobody said is meant",
        ),
        pytest.param(
            "fabrikam.com",
            ("--mx", "0 fabrikam-com.mail.protection.outlook.com", "--topology", "exchange-online"),
            0,
            (
                "✓ ok       fabrikam.com after the change",
                "    now: ✓ ok",
                "    looks like: Exchange Online behind hosts of filter.example; then like:",
                "    is meant to be exchange-online: All mailboxes and all filtering in",
            ),
            id="a move that is meant",
        ),
        pytest.param(
            "fabrikam.com", ("--mx", "10 mx2.filter.example"), 0, ("✓ ok ",), id="the same owner"
        ),
        pytest.param(
            "fourthcoffee.com",
            ("--mx", "0 fourthcoffee-com.mail.protection.outlook.com"),
            2,
            (
                "✗ critical",
                "    Mail for fourthcoffee.com would be taken by Exchange Online instead of",
            ),
            id="parked no more",
        ),
        pytest.param(
            "contoso.com",
            ("--spf", SHORT),
            2,
            ("✗ critical contoso.com after the change: mail from 192.31.196.25 would be lost",),
            id="a relay dropped",
        ),
        pytest.param(
            "adatum.com",
            ("--spf", SHORT),
            2,
            ("✗ critical adatum.com after the change: mail from include:spf.crm.example would be",),
            id="includes dropped",
        ),
        pytest.param(
            "contoso.com", ("--spf", FLAT), 1, ("! warning  contoso.com",), id="flattened"
        ),
        pytest.param(
            "litwareinc.com",
            ("--spf", "v=spf1 ip4:192.31.196.40 include:spf.protection.outlook.com ~all"),
            0,
            ("✓ ok ",),
            id="nothing dropped",
        ),
    ],
)
async def test_the_first_lines_say_what_would_be_lost(
    resolver: str, domain: str, options: tuple[str, ...], code: int, said: tuple[str, ...]
) -> None:
    ended = await mailflow_agent("simulate", domain, *options, "--resolver", resolver)
    lines = ended.out.splitlines()
    assert ended.code == code, ended.out
    assert [line.startswith(each) for line, each in zip(lines, said, strict=False)] == [True] * len(
        said
    ), ended.out
    assert ("would not pass SPF any more" in ended.out) == ("include:spf.crm" in said[0]), ended.out


async def test_programs_are_told_of_a_handover_too(resolver: str) -> None:
    ended = await mailflow_agent(
        "simulate", "contoso.com", "--mx", "0 .", "--json", "--resolver", resolver
    )
    found = json.loads(ended.out)
    assert (found["severity"], found["is_handover"]) == ("critical", True)
    assert found["topology"] == {
        "meant": "",
        "held_against": "exchange-online",
        "if_meant": "parked",
    }


async def test_a_sender_that_is_named_comes_to_those_of_the_record(resolver: str) -> None:
    ended = await mailflow_agent(
        *("simulate", "contoso.com", "--spf", "v=spf1 -all", "--sender", "gcc-high"),
        *("--resolver", resolver),
    )
    assert "    ✗ 192.31.196.25: refused unless a signature aligns" in ended.out
    assert "    does not count as a sender: exchange-online, because --sender names" in ended.out
    assert "exchange-online  " not in ended.out


async def test_a_key_by_an_alias_is_found_where_it_leads(resolver: str) -> None:
    target = "selector1-contoso-com._domainkey.contoso.onmicrosoft.com"
    ended = await mailflow_agent(
        "simulate", "wingtiptoys.com", "--dkim", f"own={target}", "--json", "--resolver", resolver
    )
    found = json.loads(ended.out)
    assert found["changes"][0]["after"] == [f"CNAME {target}"]
    assert "dkim-missing" in {each["rule"] for each in found["stays"]}


async def test_the_first_line_is_of_what_the_change_brings(resolver: str) -> None:
    ours, at = ("--sender", "exchange-online"), ("--resolver", resolver)
    lossy = await mailflow_agent(
        "simulate", "adatum.com", "--dmarc", "reject", *ours, "--sender", "mailchimp", *at
    )
    first, now, *_ = lossy.out.splitlines()
    assert first == "✗ critical adatum.com after the change: mail from mailchimp would be lost"
    assert now == "    now: ✗ critical"
    harmless = await mailflow_agent("simulate", "adatum.com", "--dmarc", "none", *ours, *at)
    first, now, *_ = harmless.out.splitlines()
    assert first.startswith("✗ critical adatum.com after the change: The record takes more than")
    assert now == "    now: ✗ critical, for the same reason"


async def test_a_domain_that_is_to_be_parked_is_asked_for_no_sender(resolver: str) -> None:
    parking = ("--topology", "parked", "--mx", "0 .", "--spf", "v=spf1 -all")
    ended = await mailflow_agent("simulate", "contoso.com", *parking, "--resolver", resolver)
    assert ended.out.startswith(
        "✗ critical contoso.com after the change: mail from 192.31.196.25 would be lost\n"
    )
    assert "include:spf.protection.outlook.com: SPF fail" in ended.out
    assert "spf-cloud-include-missing" not in ended.out


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
    # It is judged before there is a host to serve it.
    file.write_text("version: STSv1\nmode: enforce\nmx: mail.contoso.com\nmax_age: 86400\n")
    ended = await mailflow_agent(
        "simulate", "contoso.com", "--mta-sts-policy", str(file), "--resolver", resolver
    )
    assert ended.code == 2
    assert "rule mta-sts-exchange-uncovered" in ended.out, ended.out
    file.write_text("mode: enforce\n")
    ended = await mailflow_agent(
        "simulate", "contoso.com", "--mta-sts-policy", str(file), "--resolver", resolver
    )
    assert ended.code == 64
    assert "it has no version" in ended.err


async def test_a_policy_without_end_is_not_read(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_bytes(b"\n" * 65_537)
    for path, why in (
        (Path("/dev/zero"), "is no regular file, but a pipe or a device"),
        (pipe, "is no regular file, but a pipe or a device"),
        (large, "is larger than the 65536 octets that senders read"),
    ):
        ended = await mailflow_agent("simulate", "contoso.com", "--mta-sts-policy", str(path))
        assert ended.code == 64
        assert why in " ".join(ended.err.split()), ended.err


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
    ("change", "said"),
    [
        pytest.param(("--mx", "0 ."), "DNS could not say who takes the mail of", id="mx"),
        pytest.param(("--spf", SHORT), "DNS could not say all of whom SPF lets pass", id="spf"),
    ],
)
async def test_what_is_not_known_now_is_no_proof_that_nothing_is_lost(
    world: World, resolver: str, change: tuple[str, str], said: str
) -> None:
    world.break_("dns-failing")
    ended = await mailflow_agent("simulate", "contoso.com", *change, "--resolver", resolver)
    assert ended.code == 3, ended.out
    assert said in ended.out


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
        pytest.param(("--topology", "onpremises"), '(did you mean "on-premises"?)', id="topology"),
    ],
)
async def test_what_cannot_be_published_is_refused(options: tuple[str, ...], said: str) -> None:
    ended = await mailflow_agent("simulate", "contoso.com", *options)
    assert ended.code == 64
    assert said in ended.err


async def test_a_term_that_depends_on_the_client_is_not_dropped_for_nothing() -> None:
    zone: dict[tuple[str, str], Content] = {
        ("com", "SOA"): "ns.example. h.example. 1 2 3 4 5",
        ("adatum.com", "MX"): "10 mail.fabrikam.com",
        ("mail.fabrikam.com", "A"): "25.18.9.1",
        ("fabrikam.com", "MX"): "10 mail.fabrikam.com",
        ("adatum.com", "TXT"): "v=spf1 ip4:25.18.9.1 exists:%{i}.spf.adatum.com -all",
        ("_dmarc.adatum.com", "TXT"): "v=DMARC1; p=reject; rua=mailto:dmarc@adatum.com",
    }
    async with ZoneServer(zone) as server:
        place = f"127.0.0.1:{server.address[1]}"
        spf = "v=spf1 ip4:25.18.9.1 -all"
        ended = await mailflow_agent("simulate", "adatum.com", "--spf", spf, "--resolver", place)
        nobody = await mailflow_agent(
            "simulate", "fabrikam.com", "--dmarc", "reject", "--resolver", place
        )
    assert "nobody is known to send, so that nobody is known to lose mail" in nobody.out
    first, *_ = ended.out.splitlines()
    assert (ended.code, "whose mail would be lost cannot be told" in first) == (3, True), ended.out
