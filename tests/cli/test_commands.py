import json
from pathlib import Path

import pytest

from agent.lab.control import Control
from agent.lab.faults import World
from servers.program import mailflow_agent


async def test_help_teaches_what_to_begin_with_and_what_exit_codes_mean() -> None:
    ended = await mailflow_agent("--help")
    assert ended.code == 0
    for words in ("check example.com", "run --lab", "explain spf-too-many-lookups", "Exit codes"):
        assert words in ended.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["dance"], "No such command 'dance'", id="command"),
        pytest.param(["check"], "Missing argument", id="argument"),
        pytest.param(["explain", "spf-lookup"], "did you mean", id="rule"),
        pytest.param(["lab", "break", "coffee"], "is not one of", id="fault"),
        pytest.param(["healthcheck", "ftp://x"], "is no address", id="url"),
    ],
)
async def test_a_wrong_word_ends_in_a_hint_and_the_usage_code(
    arguments: list[str], complaint: str
) -> None:
    ended = await mailflow_agent(*arguments)
    assert ended.code == 64
    assert complaint in ended.err
    assert "Traceback" not in ended.err


async def test_explain_says_what_a_rule_means_and_what_to_do() -> None:
    ended = await mailflow_agent("explain", "spf-too-many-lookups")
    assert ended.code == 0
    assert "What to do: " in ended.out
    assert "RFC 7208 section 4.6.4" in ended.out


async def test_explain_alone_lists_every_rule() -> None:
    ended = await mailflow_agent("explain")
    codes = {line.split()[0] for line in ended.out.splitlines()}
    assert {"spf-missing", "mx-dangling", "run-crashed", "dns-unanswered"} <= codes


async def test_explain_of_a_probe_shows_its_manual_page() -> None:
    ended = await mailflow_agent("explain", "mx")
    assert ended.out.startswith("Can the world find the hosts that take the domain's mail")
    assert "mx-dangling" in ended.out


async def test_the_schema_is_json() -> None:
    ended = await mailflow_agent("schema")
    assert json.loads(ended.out)["type"] == "object"


async def test_a_right_configuration_is_counted(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("tenants: [{name: a, domains: [{name: contoso.com}]}]\n")
    ended = await mailflow_agent("config", "check", str(tmp_path / "c.yaml"))
    assert ended.code == 0
    assert "1 subjects, 2 checks" in ended.out
    shown = await mailflow_agent("config", "show", str(tmp_path / "c.yaml"))
    assert "name: contoso.com" in shown.out


async def test_a_wrong_configuration_shows_every_mistake_on_a_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("tenant: []\nagent: {listen: nowhere, vantage: A B}\n")
    ended = await mailflow_agent("config", "check", str(tmp_path / "c.yaml"))
    assert ended.code == 78
    assert ended.err.splitlines()[-1] == "3 mistakes"
    assert "c.yaml:1: tenant" in ended.err
    assert "Traceback" not in ended.err


async def test_orders_reach_the_lab_that_runs(tmp_path: Path) -> None:
    world = World()
    async with Control(world, tmp_path):
        broken = await mailflow_agent("lab", "break", "spf-missing", "--state", str(tmp_path))
        assert (broken.code, world.broken) == (0, ("spf-missing",))
        assert "Soon to be seen: spf of contoso.com" in broken.out
        listed = await mailflow_agent("lab", "list", "--state", str(tmp_path))
        assert "✗ spf-missing" in listed.out
        mended = await mailflow_agent("lab", "mend", "all", "--state", str(tmp_path))
        assert (mended.code, world.broken) == (0, ())


async def test_without_a_lab_an_order_says_how_to_start_one(tmp_path: Path) -> None:
    ended = await mailflow_agent("lab", "break", "spf-missing", "--state", str(tmp_path))
    assert ended.code == 69
    assert "make run" in ended.err


async def test_a_health_check_without_an_agent_fails() -> None:
    ended = await mailflow_agent("healthcheck", "http://127.0.0.1:1/-/healthy")
    assert ended.code == 2
    assert "no answer" in ended.err
