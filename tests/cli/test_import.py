import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.cli.import_ import NOT_JUDGED
from agent.cli.toolbox_of_tenants import probes_of_tenants
from agent.config import load
from agent.lab.dns_server import DnsServer
from agent.lab.faults import World
from agent.probes.base import discover
from agent.settings import TenantSubject
from servers.exports import combined, domain, inbound, initial, outbound
from servers.program import mailflow_agent

CONTOSO = "agent/lab/exports/contoso.json"


def fresh(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return combined(exportedUtc=now, rules=[], **changes)


@pytest.fixture
async def resolver() -> AsyncIterator[str]:
    async with DnsServer(World()) as server:
        yield f"127.0.0.1:{server.port}"


def written(path: Path, data: Any) -> str:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


async def test_what_is_printed_can_be_pasted_into_the_configuration(tmp_path: Path) -> None:
    ended = await mailflow_agent("import", "ours/*.json", cwd=_ours(tmp_path))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "contoso"
    assert re.search(r"inbound connectors +1\n", ended.out)
    config = tmp_path / "config.yaml"
    config.write_text(ended.out[ended.out.index("tenants:") :], encoding="utf-8")
    checks = [each for each in load(config).checks if each.target.kind == TenantSubject.kind]
    assert {each.tenant for each in checks} == {"contoso"}
    assert checks[0].target.imports == (str(tmp_path / "ours/*.json"),)


def _ours(folder: Path) -> Path:
    (folder / "ours").mkdir()
    written(folder / "ours/export.json", fresh())
    # The program is started as a module of the folder that it is in.
    (folder / "agent").symlink_to(Path(__file__).parents[2] / "agent")
    return folder


async def test_findings_come_in_order_of_danger_with_the_line_that_mends(tmp_path: Path) -> None:
    wrong = inbound(
        Name="From filter",
        ConnectorType="Partner",
        RestrictDomainsToCertificate=True,
        TlsSenderCertificateName=None,
    )
    loose = outbound(Enabled=False)
    file = written(tmp_path / "a.json", fresh(inbound=[wrong], outbound=[loose]))
    ended = await mailflow_agent("import", "--check", "--offline", "--brief", file)
    assert ended.err == ""
    assert ended.code == 2, ended.out
    assert ended.out.splitlines()[0] == "✗ critical contoso"
    marks = re.findall(r"^    ([✗?!]) ", ended.out, re.MULTILINE)
    assert marks == sorted(marks, key="✗?!".index)
    assert len(marks) > 1
    line = r"^      \$ [A-Z][a-z]+-OutboundConnector -Identity 'To own servers'"
    assert re.search(line, ended.out, re.MULTILINE)
    assert "inbound connectors  " not in ended.out


async def test_dns_is_asked_of_what_is_around_the_tenant(resolver: str) -> None:
    arguments = ("import", "--check", "agent/lab/exports/contoso.json", "--resolver", resolver)
    ended = await mailflow_agent(*arguments, "--json")
    answer = json.loads(ended.out)
    assert answer["tenant"] == "contoso"
    assert set(answer["checks"]) >= {"export", "hygiene", "attribution", "loop", "drift"}
    rules = {finding["rule"] for each in answer["checks"].values() for finding in each["findings"]}
    assert "crashed" not in str(rules)
    assert answer["objects"] == {"inbound": 1, "outbound": 1, "domains": 3, "rules": 0, "dkim": 2}


async def test_what_is_not_understood_is_shown_in_both_ways(tmp_path: Path) -> None:
    file = written(tmp_path / "a.json", fresh(inbound=[inbound(ConnectorType=7)]))
    told = await mailflow_agent("import", file)
    assert "a.json: inbound[0].ConnectorType is 7, and nobody can be" in " ".join(told.out.split())
    judged = await mailflow_agent("import", "--check", "--offline", "--json", file)
    answer = json.loads(judged.out)
    assert [each["path"] for each in answer["remarks"]] == ["inbound[0].ConnectorType"]
    found = answer["checks"]["export"]["findings"]
    assert "export-not-understood" in {each["rule"] for each in found}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param("<html>", "a.json is no JSON: it is a page of HTML", id="no JSON"),
        pytest.param([{"RecipientTypeDetails": 1}], "is the output of Get-Mailbox", id="mailboxes"),
        pytest.param(
            [domain(), initial(), initial(DomainName="fabrikam.onmicrosoft.com")],
            "is of another tenant: the initial domain is fabrikam.onmicrosoft.com",
            id="two tenants",
        ),
    ],
)
async def test_what_is_no_export_is_one_clear_line(data: Any, said: str, tmp_path: Path) -> None:
    file = written(tmp_path / "a.json", data)
    ended = await mailflow_agent("import", "--check", file)
    assert (ended.code, ended.out) == (78, "")
    assert said in ended.err
    assert "Traceback" not in ended.err
    answer = await mailflow_agent("import", "--json", file)
    assert answer.code == 78
    (mistake,) = json.loads(answer.out)["mistakes"]
    assert mistake["file"] == file


@pytest.mark.parametrize(
    ("arguments", "data", "name"),
    [
        pytest.param([], fresh(), "contoso", id="the initial domain"),
        pytest.param(["--name", "Our Tenant"], fresh(), "our-tenant", id="as it is said"),
        pytest.param([], inbound(), "my-export", id="the file"),
    ],
)
async def test_the_name_of_the_tenant(
    arguments: list[str], data: Any, name: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "My export.json", data)
    ended = await mailflow_agent("import", *arguments, file)
    assert ended.out.splitlines()[0] == name
    assert (ended.code, ended.err) == (0, "")


async def test_a_tenant_without_faults_has_nothing_wrong(tmp_path: Path) -> None:
    data = fresh(inbound=[], outbound=[], domains=[initial(Default=True)], dkim=[], transport={})
    file = written(tmp_path / "a.json", data)
    ended = await mailflow_agent("import", "--check", "--offline", "--brief", file)
    assert (ended.code, ended.err) == (0, ""), ended.out
    first, second, *others = ended.out.splitlines()
    assert first == "✓ ok       contoso"
    assert re.fullmatch(r"  as of \S+ \S+ UTC, (just now|\d+m ago)", second)
    assert others[:2] == ["", "Nothing is wrong by the export alone."]
    assert " ".join(others[2:]) == NOT_JUDGED


async def test_dns_that_does_not_answer_is_unknown_and_names_what_it_was_asked_for() -> None:
    silent = ("--resolver", "127.0.0.1:1")
    ended = await mailflow_agent("import", "--check", CONTOSO, *silent)
    assert ended.code == 3
    text = " ".join(ended.out.split())
    assert re.search(
        r"DNS could not say No answer for contoso\.com \((timeout|unreachable)\)", text
    )
    assert "where the tenant's mail comes in and goes to is not known in full" in text
    assert "Nothing is wrong" not in text


async def test_a_file_that_is_looked_at_once_may_be_of_any_age(
    resolver: str, tmp_path: Path
) -> None:
    old = (datetime.now(UTC) - timedelta(days=8, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    file = written(tmp_path / "a.json", _contoso() | {"exportedUtc": old})
    ended = await mailflow_agent("import", "--check", file, "--resolver", resolver)
    assert ended.code == 0, ended.out
    assert ended.out.splitlines()[1].endswith("UTC, 8 days ago")
    assert re.search(r"^    Routing$", ended.out, re.MULTILINE)


def _contoso() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(CONTOSO).read_text(encoding="utf-8"))
    return found


async def test_the_gravest_check_comes_first_for_programs(tmp_path: Path) -> None:
    wrong = inbound(
        ConnectorType="Partner", RestrictDomainsToCertificate=True, TlsSenderCertificateName=None
    )
    file = written(tmp_path / "a.json", fresh(inbound=[wrong]))
    ended = await mailflow_agent("import", "--check", "--offline", "--json", file)
    order = ("ok", "warning", "unknown", "critical")
    ranks = [order.index(each["severity"]) for each in json.loads(ended.out)["checks"].values()]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] == 3


def test_every_probe_of_tenants_is_run() -> None:
    kinds = {each.kind for each in discover() if each.subject is TenantSubject}
    assert {each.kind for each in probes_of_tenants()} == kinds
