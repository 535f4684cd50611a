"""What does this bounce say, in plain words? One report, read and explained."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import click

from agent.cli.analyze_input import NotReadable
from agent.cli.draw import Pen, join
from agent.cli.exits import Exit
from agent.domain.dsn import Recipient, Report, ReportKind, read_report
from agent.domain.letter_kind import LetterKind, kind_of

MAX_FILE = 16 * 1024 * 1024  # octets; the reader looks at the first 512 KB
_HEADLINES = {
    ReportKind.FAILED: "Not delivered",
    ReportKind.DELAYED: "Delayed; the server still tries",
    ReportKind.DELIVERED: "Delivered",
    ReportKind.RELAYED: "Passed on to a server that gives no reports",
    ReportKind.EXPANDED: "Delivered to a list, which sends it on",
    ReportKind.FEEDBACK: "A complaint: a recipient called the message spam",
}
_COLOURS = {ReportKind.FAILED: "red", ReportKind.DELAYED: "yellow", ReportKind.FEEDBACK: "yellow"}
_OTHERS = {
    LetterKind.AUTO_REPLY: "It is the automatic answer of a mailbox: the mail was delivered.",
    LetterKind.CHALLENGE: "It is a challenge: a filter wants the sender to confirm the mail.",
    LetterKind.RECEIPT: "It is a receipt: the mail was delivered, and perhaps read.",
}
_HELP = (
    "Save the bounce from the mail program as .eml with all its header and parts, not its text "
    "alone and not as .msg."
)
# ISO-2022-JP (RFC 1468), whose escapes reached us as printable text.
_JAPANESE = re.compile(r"\\x1b\$[@B].*?(?:\\x1b\([BJ]|$)")


@click.command("ndr")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def ndr(*, file: str, as_json: bool) -> int:
    """Explain a bounce: who said no, what it means, and what helps.

    FILE is the bounce as it came (.eml); - is the standard input.
    Example: mailflow-agent analyze ndr undeliverable.eml
    """
    with click.open_file(file, "rb") as opened:
        raw = opened.read(MAX_FILE)
    report = read_report(raw)
    if report is None:
        other = _OTHERS.get(kind_of(raw), "No delivery report was found in it.")
        raise NotReadable(file, f"is no bounce. {other}", _HELP, as_json=as_json)
    if as_json:
        click.echo(json.dumps(_as_json(report), indent=2))
    else:
        pen = Pen.of_terminal(colour=sys.stdout.isatty())
        click.echo(join(_as_text(report, pen)), nl=False)
    return Exit.OK


def _as_text(report: Report, pen: Pen) -> Iterator[str]:
    yield pen.paint(_HEADLINES[report.kind], _COLOURS.get(report.kind, "green"), bold=True)
    if report.reporting_mta:
        yield from pen.wrap(report.reporting_mta, "  reported by  ", " " * 15)
    if report.original_message_id:
        yield from pen.wrap(report.original_message_id, "  message      ", " " * 15)
    if report.envelope_id:
        yield from pen.wrap(report.envelope_id, "  envelope     ", " " * 15)
    if report.tokens:
        yield "  origin       a synthetic message of mailflow-agent"
    if report.tags:
        yield from pen.wrap(" ".join(report.tags), "  for support  ", " " * 15)
    for recipient in report.recipients:
        yield ""
        yield from _recipient(recipient, pen)
    if not report.recipients:
        yield ""
        yield "  The report does not say which recipient it is about."


def _recipient(recipient: Recipient, pen: Pen) -> Iterator[str]:
    yield f"  {pen.paint(recipient.address or 'a recipient without a name', None, bold=True)}"
    codes = " ".join(filter(None, (str(recipient.reply or ""), recipient.status)))
    yield from pen.wrap(codes or "none given", "    code   ", " " * 11)
    if recipient.remote_mta:
        yield from pen.wrap(recipient.remote_mta, "    said by ", " " * 12)
    elif recipient.is_remote:
        yield "    said by the receiving server, quoted by the reporting one"
    if recipient.diagnostic:
        words = _JAPANESE.sub("(Japanese text)", recipient.diagnostic)
        yield from pen.wrap(words, "    > ", "      ")
    yield from _meaning(recipient, pen)


def _meaning(recipient: Recipient, pen: Pen) -> Iterator[str]:
    if recipient.action is ReportKind.FAILED:
        yield (
            "    The address or its domain does not exist: sending again is no use."
            if recipient.is_hard
            else "    The address may well be right: something else is in the way."
        )
    for line in recipient.diagnosis.advice:
        yield from pen.wrap(line, "    → ", "      ")
    if recipient.known is None and recipient.action is not ReportKind.FEEDBACK:
        yield from pen.wrap("Nothing more is known of this reply.", "    → ", "      ")


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "kind": report.kind,
        "reporting_mta": report.reporting_mta,
        "envelope_id": report.envelope_id,
        "original_message_id": report.original_message_id,
        "tokens": [str(each) for each in report.tokens],
        "tags": list(report.tags),
        "recipients": [_recipient_as_json(each) for each in report.recipients],
    }


def _recipient_as_json(recipient: Recipient) -> dict[str, Any]:
    known = recipient.known
    return {
        "address": recipient.address,
        "action": recipient.action,
        "status": recipient.status or None,
        "reply": recipient.reply or None,
        "hard": recipient.is_hard,
        "remote": recipient.is_remote,
        "remote_mta": recipient.remote_mta,
        "diagnostic": recipient.diagnostic,
        "class": recipient.diagnosis.reply_class,
        "meaning": known.meaning if known else None,
        "cause": known.cause if known else None,
        "fix": known.fix if known else None,
    }
