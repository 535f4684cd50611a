import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click import Command
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.analyze import command as analyze
from agent.cli.analyze_headers import headers
from agent.cli.draw import Pen
from agent.cli.draw_reading import draw_reading, span, warnings
from agent.cli.laboratory import command as lab
from agent.domain.owners import Owners
from agent.domain.reading import read_message
from servers.heads import FILTERED

PLAIN = Pen(width=100)


def run(*arguments: str, given: bytes = b"") -> tuple[int, str, str]:
    ended = CliRunner(env={"COLUMNS": "100"}).invoke(
        headers, arguments, input=given, standalone_mode=False
    )
    code = getattr(ended.exception, "exit_code", ended.return_value)
    message = getattr(ended.exception, "message", "")
    return code, ended.stdout, ended.stderr or message


@pytest.fixture
def message(tmp_path: Path) -> str:
    path = tmp_path / "message.eml"
    path.write_bytes(FILTERED)
    return str(path)


def test_the_way_is_drawn_hop_by_hop(message: str) -> None:
    code, out, err = run(message)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    start = lines.index("Way, oldest hop first")
    assert lines[start + 1 : start + 7] == [
        "    1 10:14:18          -          unknown   mail.fabrikam.com  no TLS  (a claim)",
        f"{'':45}from client.fabrikam.com (198.51.100.7)",
        "    2 10:14:20        2 s █        filter    mx0a-001.pphosted.com  TLS 1.3",
        f"{'':45}from mail.fabrikam.com (192.0.2.25)",
        "    3 10:15:05       45 s ████████ filter    mx0a-001.pphosted.com  ESMTP",
        f"{'':45}from pps.filterd (m0001.ppops.net, 127.0.0.1)",
    ]
    assert "(clocks disagree)" in lines[start + 11]
    assert "  7 hops, 51 s in all, as they claim" in lines
    assert "  held longest: filter, mx0a-001.pphosted.com, 45 s" in lines


def test_the_opinions_are_drawn_with_their_meanings(message: str) -> None:
    _, out, _ = run(message)
    lines = out.splitlines()
    assert "  compauth  pass          100: SPF or DKIM passed for the domain in From" in lines
    assert "  the receiver saw the client 205.220.168.10" in lines
    assert "  SFV NSPM  filtered and found not to be spam" in lines
    assert "  direction   Incoming" in lines


def test_the_operators_words_say_whose_a_host_is(message: str) -> None:
    _, out, _ = run(message, "--partner", "*.fabrikam.com", "--ours", "192.0.2.0/28")
    assert "partner   mail.fabrikam.com" in out


def test_a_message_comes_by_standard_input_as_well() -> None:
    code, out, _ = run("-", given=b"\xef\xbb\xbf\r\n" + FILTERED)
    assert code == 0
    assert "Subject     The offer" in out


def test_the_json_answer_carries_the_same(message: str) -> None:
    code, out, _ = run(message, "--json")
    data: dict[str, Any] = json.loads(out)
    assert code == 0
    assert data["date"] == "2026-11-03T10:14:17+00:00"
    assert data["held_longest"] == {
        "owner": "filter",
        "host": "mx0a-001.pphosted.com",
        "time": 45.0,
    }
    assert [hop["owner"] for hop in data["hops"]][:2] == ["unknown", "filter"]
    assert data["hops"][1]["received"]["at"] == "2026-11-03T10:14:20+00:00"
    assert data["authentication"]["seen"]["dmarc"] == "pass"
    assert data["meanings"][0] == {"key": "SCL", "value": "1", "meaning": "not spam"}
    assert data["warnings"] == []


HOSTS = (b"a.example", b"b.example")
LOOPED = b"".join(
    b"Received: from %s ([198.51.100.1]) by %s; Tue, 3 Nov 2026 12:%02d:00 +0000\r\n"
    % (HOSTS[number % 2], HOSTS[(number + 1) % 2], 59 - number)
    for number in range(30)
)


def test_a_loop_is_a_warning_on_the_page_and_in_the_exit_code() -> None:
    code, out, _ = run("-", given=LOOPED)
    assert code == 1
    assert "! perhaps a loop: the same host took the message again after another one" in out
    assert "! 30 hops: more than a way without a loop has" in out
    assert json.loads(run("-", "--json", given=LOOPED)[1])["loops"][-1] == {
        "kind": "hops",
        "subject": "",
        "times": 30,
    }


def test_bad_opinions_and_the_junk_folder_are_warnings() -> None:
    reading = read_message(
        b"Received: from x ([198.51.100.1]) by a.example; Tue, 3 Nov 2026 12:00:00 +0000\r\n"
        b"Received: from y by z; broken\r\n"
        b"Authentication-Results: a; spf=fail; dmarc=fail action=oreject; compauth=softpass"
        b" reason=201; arc=permerror\r\n"
        b"ARC-Seal: i=1; cv=none; d=a.example\r\n"
        b"X-Microsoft-Antispam-Mailbox-Delivery: dest:J\r\n"
        b"X-MS-Exchange-SkipListedInternetSender: yes\r\n"
        b"Date: Tue, 3 Nov 2037 12:00:00 +0000\r\n",
        Owners(),
    )
    assert warnings(reading) == [
        "DMARC failed",
        "SPF failed",
        "Anybody could have written what is said of authentication",
        "The message was put into the junk folder",
    ]
    text = "\n".join(draw_reading(reading, PLAIN))
    assert "(cannot be, if the hops are right)" in text
    assert "anybody could have written this:" in text
    assert "arc 1     none          a.example" in text
    assert "skip listing  on" in text


@pytest.mark.parametrize("raw", [b"just words\r\n", b"", b"\x8f\x01q: \xfe\r\n\x00\xff"])
def test_a_file_without_a_header_is_not_known(raw: bytes) -> None:
    code, out, err = run("-", given=raw)
    assert (code, out) == (3, "")
    assert err == "standard input has no header of a message at its start."
    ended = CliRunner().invoke(headers, ["-"], input=raw)
    assert ended.exit_code == 3
    assert "    → Save the message from the mail program as .eml" in ended.stderr
    assert "Usage" not in ended.stderr
    told = CliRunner().invoke(headers, ["-", "--json"], input=raw)
    assert (json.loads(told.stdout)["error"], told.stderr) == (err, "")


@pytest.mark.parametrize(
    ("command", "example"),
    [(analyze, "mailflow-agent analyze ndr bounce.eml"), (lab, "mailflow-agent lab mend all")],
)
def test_an_example_in_the_help_has_a_line_of_its_own(command: Command, example: str) -> None:
    shown = CliRunner().invoke(command, ["--help"]).output
    assert f"    {example}" in shown.splitlines()
    assert "\\b" not in shown


def test_a_wrong_command_line_is_one_clear_line(message: str) -> None:
    assert run(message, "--ours", "a b")[2].startswith("'a b' is no host, no pattern")
    assert "No such file" in run("absent.eml")[2]


def test_colour_is_used_only_where_it_is_wanted() -> None:
    reading = read_message(FILTERED, Owners())
    assert "\x1b[" not in "".join(draw_reading(reading, PLAIN))
    assert "\x1b[32m" in "".join(draw_reading(reading, Pen(100, colour=True)))
    failed = read_message(b"Authentication-Results: a; spf=fail\r\n", Owners())
    assert "\x1b[31m" in "".join(draw_reading(failed, Pen(100, colour=True)))


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(seconds=45), "45 s"),
        (timedelta(seconds=125), "2 min 05 s"),
        (timedelta(hours=3, minutes=4), "3 h 04 min"),
        (timedelta(days=2, hours=5), "2 d 05 h"),
    ],
)
def test_a_length_of_time_is_in_the_unit_that_fits(time: timedelta, text: str) -> None:
    assert span(time) == text


@given(st.binary(max_size=300))
def test_whatever_a_head_holds_only_printable_text_is_drawn(raw: bytes) -> None:
    reading = read_message(b"Subject: " + raw + b"\r\nReceived: from " + raw, Owners())
    assert all(line.isprintable() for line in draw_reading(reading, PLAIN))
