import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli.analyze_ndr import ndr
from agent.domain.message import Token

TOKEN = Token.make(bytes(16), key=b"k", route="a-b", sequence=1, instance="i")
BOUNCE = f"""\
From: postmaster@contoso.com
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; am0pr01.prod.outlook.com
Original-Envelope-Id: env-7

Final-Recipient: rfc822; a@contoso.com
Action: failed
Status: 5.7.64
Remote-MTA: dns; mx.example
Diagnostic-Code: smtp; 550 5.7.64 TenantAttribution; Relay Access Denied ATTR36 \x1b[31m

Final-Recipient: rfc822; b@contoso.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 RESOLVER.ADR.RecipNotFound; not found

Final-Recipient: rfc822; c@contoso.com
Action: failed
Status: 5.0.350
Diagnostic-Code: smtp; 550 5.0.350 Remote server returned an error -> 550 oh no
--b
Content-Type: message/rfc822

Message-ID: <{TOKEN}@contoso.com>
X-Mailflow-Token: {TOKEN}

--b--
"""
COMPLAINT = """\
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Original-Rcpt-To: a@x.example
--b--
"""


def analyze(raw: str, *options: str) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(
        ndr, ["-", *options], input=raw, standalone_mode=False
    )


def squeezed(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_person_reads_what_happened_and_what_helps() -> None:
    result = analyze(BOUNCE)
    assert result.return_value == 0
    assert result.output.splitlines()[0] == "Not delivered"
    text = squeezed(result)
    assert "reported by am0pr01.prod.outlook.com" in text
    assert f"message <{TOKEN}@contoso.com>" in text
    assert "envelope env-7" in text
    assert "a synthetic message of mailflow-agent" in text
    assert "for support ATTR36" in text
    assert "a@contoso.com code 550 5.7.64 said by mx.example > 550 5.7.64 Tenant" in text
    assert "→ Meaning: The mail was attributed to no tenant that may relay it." in text
    assert "→ Usual cause: Neither the certificate's domain" in text
    assert "→ What helps: Compare the certificate" in text
    assert "The address may well be right" in text
    assert "The address or its domain does not exist" in text
    assert "said by the receiving server, quoted" in text
    assert "Nothing more is known of this reply." not in text
    assert "\x1b" not in result.output
    assert max(map(len, result.output.splitlines())) <= 100


def test_what_is_not_said_is_not_made_up() -> None:
    text = squeezed(analyze("X-MS-Exchange-Message-Is-Ndr:\n\nsorry\n"))
    assert text == "Not delivered The report does not say which recipient it is about."
    text = squeezed(analyze("From: MAILER-DAEMON\n\nCould not be delivered to <a@x.example>: no\n"))
    assert "a@x.example code none given" in text
    assert "Nothing more is known of this reply." in text


def test_a_complaint_is_no_failure() -> None:
    result = analyze(COMPLAINT)
    assert result.output.startswith("A complaint")
    assert "Nothing more" not in result.output


def test_a_program_reads_the_same_as_data() -> None:
    data = json.loads(analyze(BOUNCE, "--json").output)
    assert (data["kind"], data["tokens"], data["tags"]) == ("failed", [str(TOKEN)], ["ATTR36"])
    first, second, third = data["recipients"]
    assert (first["status"], first["reply"], first["class"]) == ("5.7.64", 550, "relay")
    assert first["fix"].startswith("Compare the certificate")
    assert (first["hard"], second["hard"]) == (False, True)
    assert (third["class"], third["remote"]) == ("remote", True)


def test_an_unknown_reply_has_no_meaning_in_the_data() -> None:
    raw = BOUNCE.replace("5.0.350 Remote server returned an error -> 550 oh no", "oh no")
    raw = raw.replace("Status: 5.0.350\n", "")
    third = json.loads(analyze(raw, "--json").output)["recipients"][2]
    assert (third["meaning"], third["status"]) == (None, None)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ("Subject: hello\n\nhow are you?\n", "No delivery report was found in it."),
        ("Subject: Automatic reply: x\n\naway\n", "It is the automatic answer of a mailbox"),
        ("X-Delivery-Agent: TMDA\nIn-Reply-To: <x@y>\n\nwho?\n", "It is a challenge"),
        ("Content-Class: urn:content-classes:mdn\n\nread\n", "It is a receipt"),
        ("", "Save the bounce from the mail program as .eml"),
    ],
)
def test_what_is_no_bounce_is_not_known_and_it_says_what_to_do(raw: str, complaint: str) -> None:
    result = CliRunner().invoke(ndr, ["-"], input=raw)
    assert (result.exit_code, result.stdout) == (3, "")
    assert complaint in " ".join(result.stderr.split())
    assert "    → Save the bounce from the mail program as .eml" in result.stderr
    assert "Usage" not in result.stderr
    told = CliRunner().invoke(ndr, ["-", "--json"], input=raw)
    assert (told.exit_code, told.stderr) == (3, "")
    assert json.loads(told.stdout)["fix"].startswith("Save the bounce")


def test_japanese_in_a_diagnostic_is_named_and_not_shown_as_escapes() -> None:
    shown = analyze(BOUNCE.replace("TenantAttribution;", "\x1b$B%f!<%6\x1b(B said;")).output
    assert "550 5.7.64 (Japanese text) said; Relay" in " ".join(shown.split())
    assert "x1b$B" not in shown


def test_a_file_is_read_and_a_missing_one_named(tmp_path: Path) -> None:
    path = tmp_path / "bounce.eml"
    path.write_text(BOUNCE)
    result = CliRunner().invoke(ndr, [str(path)])
    assert result.output.startswith("Not delivered")
    missing = CliRunner().invoke(ndr, [str(tmp_path / "none.eml")])
    assert "none.eml" in missing.output
    assert missing.exit_code == 2
