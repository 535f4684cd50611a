import json
import os
import signal
from importlib.metadata import version
from pathlib import Path

import pytest

from servers.dns import DnsServer, Fault
from servers.program import end, mailflow_agent, start


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
    assert "1 subjects, 12 checks" in ended.out
    shown = await mailflow_agent("config", "show", str(tmp_path / "c.yaml"))
    assert "name: contoso.com" in shown.out


async def test_a_wrong_configuration_shows_every_mistake_on_a_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "tenant: []\nagent: {listen: nowhere, vantage: A B}\nchecks: {registration: on}\n"
    )
    ended = await mailflow_agent("config", "check", str(tmp_path / "c.yaml"))
    assert ended.code == 78
    assert ended.err.splitlines()[-1] == "4 mistakes"
    assert "c.yaml:1: tenant" in ended.err
    assert "settings, such as {enabled: true}" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--help"], id="help"),
        pytest.param(["spf", "--help"], id="help of a command"),
        pytest.param(["explain"], id="a command"),
    ],
)
async def test_a_reader_who_has_seen_enough_is_no_fault(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as unread:
        ended = await mailflow_agent(*arguments, stdout=unread, is_fresh=True)
    assert (ended.code, ended.err) == (0, "")


async def test_the_version_is_that_of_the_package() -> None:
    ended = await mailflow_agent("--version", is_fresh=True)
    assert (ended.code, ended.out) == (0, f"mailflow-agent, version {version('mailflow-agent')}\n")


async def test_without_a_command_help_comes_and_the_usage_code() -> None:
    ended = await mailflow_agent()
    assert ended.code == 64
    assert "Begin with" in ended.err


async def test_an_interrupted_command_ends_without_a_traceback() -> None:
    async with DnsServer({("contoso.com", "MX"): Fault.SILENT}) as server:
        arguments = ("check", "contoso.com", "--resolver", f"127.0.0.1:{server.port}")
        process = await start(*arguments, is_fresh=True)
        await server.wait_until_asked("contoso.com", "MX")
        process.send_signal(signal.SIGINT)
        ended = await end(process)
    assert ended.code == 130
    assert "Traceback" not in ended.err


async def test_a_command_that_is_misspelt_meets_the_one_that_was_meant() -> None:
    ended = await mailflow_agent("chek", "contoso.com")
    assert ended.code == 64
    assert "there is no command 'chek'; did you mean check?" in ended.err
    assert "did you mean" not in (await mailflow_agent("qqq")).err


async def test_who_has_no_configuration_yet_is_told_how_to_begin(tmp_path: Path) -> None:
    ended = await mailflow_agent("config", "check", str(tmp_path / "none.yaml"))
    assert ended.code == 78
    assert ended.err.splitlines()[-1].startswith("To begin, copy config.example.yaml")


async def test_warnings_are_told_beside_mistakes(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "credentials:\n"
        "  mail: {kind: password, username: a@contoso.com, password: '${HOME}'}\n"
        "tenants:\n"
        "  - name: contoso\n"
        "    routes:\n"
        "      - name: way\n"
        "        send: {mx: {}, mail_from: a@contoso.com, rcpt_to: b@contoso.com}\n"
        "        receive:\n"
        "          imap: {host: outlook.office365.com, credential: mail}\n"
        "          poll: often\n"
    )
    ended = await mailflow_agent("config", "check", str(tmp_path / "config.yaml"))
    assert ended.code == 78
    assert "warning: " in ended.err
    assert "this login will fail" in ended.err
    assert ended.err.endswith("1 mistake\n")
