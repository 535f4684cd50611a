"""Where a message would go, from exports and DNS alone."""

import json
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest

from agent.lab.dns_server import DnsServer
from agent.lab.faults import World
from servers.program import mailflow_agent

EXPORTS = Path(str(files("agent.lab"))) / "exports"
SOUND = tuple(
    part
    for name in ("contoso", "fabrikam", "relecloud")
    for part in ("--import", f"{name}={EXPORTS / name}.json")
)
SHARED = (*SOUND[:4], "--import", f"relecloud={EXPORTS / 'relecloud-certificate-shared.json'}")


@pytest.fixture
async def resolver() -> AsyncIterator[str]:
    async with DnsServer(World()) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("arguments", "first", "code"),
    [
        pytest.param(
            ("--to", "probe@fabrikam.com", *SOUND),
            "✓ delivered to a mailbox of tenant fabrikam",
            0,
            id="through the filter",
        ),
        pytest.param(
            ("--to", "probe@fabrikam.com", *SHARED),
            "✗ goes round in a loop until Exchange Online says: 554 5.4.14 Hop count exceeded",
            2,
            id="loop",
        ),
        pytest.param(
            ("--from", "a@contoso.com", "--to", "b@contoso.com", "--unknown", *SOUND),
            "✓ handed to the own server mail.contoso.com",
            0,
            id="elsewhere",
        ),
        pytest.param(
            ("--from", "a@contoso.com", "--to", "b@contoso.com", "--remote", *SOUND),
            "✓ handed to the own server mail.contoso.com",
            0,
            id="remote",
        ),
        pytest.param(
            ("--from", "server:contoso", "--to", "probe@contoso.com", *SOUND),
            "✓ delivered to a mailbox of tenant contoso",
            0,
            id="own servers",
        ),
        pytest.param(
            ("--from", "a@contoso.com", "--to", "a@nobody.invalid", *SOUND),
            "✗ refused",
            2,
            id="out",
        ),
    ],
)
async def test_the_first_line_says_where_it_ends(
    resolver: str, arguments: tuple[str, ...], first: str, code: int
) -> None:
    ended = await mailflow_agent("path", *arguments, "--resolver", resolver)
    assert ended.out.startswith(first), ended
    assert (ended.code, ended.err) == (code, "")
    assert "because" in ended.out


async def test_what_is_not_known_is_said() -> None:
    ended = await mailflow_agent(
        *("path", "--to", "probe@fabrikam.com", *SOUND[2:4], "--resolver", "127.0.0.1:1")
    )
    assert ended.out.startswith("? not known from here on: the MX of fabrikam.com")
    assert ended.code == 3


async def test_the_json_answer_has_the_steps_and_the_picture(resolver: str) -> None:
    ended = await mailflow_agent(
        *("path", "--to", "probe@fabrikam.com", "--json", *SHARED, "--resolver", resolver)
    )
    data = json.loads(ended.out)
    assert data["end"] == "looped"
    assert data["change"].endswith("of tenant relecloud")
    assert data["hop"] == 41
    assert {road["mood"] for road in data["picture"]["roads"]} == {"plain", "bad"}
    assert data["steps"][0]["by"] == {"kind": "MX", "name": "fabrikam.com", "tenant": None}


RULE = """[{"Name": "to the archive", "State": "Enabled", "Mode": "Enforce", "Priority": 0,
"RouteMessageOutboundConnector": "archive", "SubjectContainsWords": ["archive"],
"Guid": "00000000-0000-0000-0000-000000000009", "FromScope": null, "SentToScope": null}]"""
CONNECTOR = """[{"Name": "archive", "Enabled": true, "ConnectorType": "OnPremises",
"IsTransportRuleScoped": true, "UseMXRecord": false, "SmartHosts": ["mail.contoso.com"],
"RecipientDomains": [], "TlsSettings": null}]"""
DOMAIN = """[{"Name": "contoso.com", "DomainName": "contoso.com", "DomainType": "Authoritative",
"Default": true, "InitialDomain": false, "MatchSubDomains": false}]"""


async def test_a_rule_with_conditions_is_another_way(resolver: str, tmp_path: Path) -> None:
    for name, text in (("rules", RULE), ("out", CONNECTOR), ("domains", DOMAIN)):
        (tmp_path / f"{name}.json").write_text(text)
    ask = ("path", "--to", "a@contoso.com", "--from", "b@contoso.com", "--import", str(tmp_path))
    plain = await mailflow_agent(*ask, "--resolver", resolver)
    assert "try with --conditions" in plain.out
    met = await mailflow_agent(*ask, "--conditions", "--resolver", resolver)
    assert met.out.startswith("✓ handed to the own server mail.contoso.com")
    spoofed = await mailflow_agent(*ask, "--spoofed", "--resolver", resolver)
    assert "the internet" in spoofed.out


CONFIG = """
tenants:
  - name: contoso
    connectors: {import: FILE}
  - name: plain
    domains: [{name: contoso.net, topology: exchange-online}]
"""


async def test_the_configuration_names_the_exports(resolver: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace("FILE", str(EXPORTS / "contoso.json")))
    ended = await mailflow_agent(
        *("path", "--to", "probe@contoso.com", "--config", str(path), "--resolver", resolver)
    )
    assert ended.out.startswith("✓ delivered to a mailbox of tenant contoso"), ended
    path.write_text("tenants: [{name: plain, domains: [{name: contoso.net, topology: custom}]}]")
    ended = await mailflow_agent("path", "--to", "probe@contoso.com", "--config", str(path))
    assert (ended.code, "give --import" in ended.err) == (64, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(("--to", "nobody", *SOUND), 64, "--to 'nobody' has a single label", id="to"),
        pytest.param(
            ("--to", "a@contoso.com", "--from", "server:nobody", *SOUND),
            64,
            "there is no tenant 'nobody', but contoso, fabrikam, relecloud",
            id="server",
        ),
        pytest.param(
            ("--to", "a@contoso.com", "--import", "no/such.json"), 78, "is not there", id="file"
        ),
    ],
)
async def test_mistakes_are_told(
    resolver: str, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ended = await mailflow_agent("path", *arguments, "--resolver", resolver)
    assert (ended.code, says in ended.err) == (code, True), ended
