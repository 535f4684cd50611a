"""Which way did this message take, and what do its headers say of it?"""

import dataclasses
import enum
import json
import sys
from datetime import datetime, timedelta
from typing import IO, Any

import click

from agent.cli.analyze_input import NotReadable
from agent.cli.draw import Pen, join
from agent.cli.draw_reading import draw_reading, warnings
from agent.cli.exits import Exit
from agent.domain.estate import Estate
from agent.domain.header_fields import MAX_HEAD, Fields, read_head
from agent.domain.owners import Owners
from agent.domain.reading import Reading, read_fields
from agent.domain.trace import Hop, holder

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # editors put it in front of what was pasted

_HELP = (
    "Save the message from the mail program as .eml and not as .msg, or copy its whole header "
    "(Outlook: File > Properties > Internet headers) to a file, from its first line on."
)


@click.command("headers")
@click.argument("file", type=click.File("rb"))
@click.option("--ours", multiple=True, metavar="PATTERN", help="Hosts or networks of your own.")
@click.option("--filter", "filters", multiple=True, metavar="PATTERN", help="Those of your filter.")
@click.option("--partner", multiple=True, metavar="PATTERN", help="Those of your partners.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
def headers(
    *,
    file: IO[bytes],
    ours: tuple[str, ...],
    filters: tuple[str, ...],
    partner: tuple[str, ...],
    as_json: bool,
) -> int:
    """Read the header of the message in FILE (- for standard input) and say what it tells.

    A PATTERN is a host, *.example.com, or a network; each option may be given again.

    Example: mailflow-agent analyze headers message.eml --ours '*.example.com'
    """
    try:
        owners = Owners(Estate.read(ours), Estate.read(filters), Estate.read(partner))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    reading = read_fields(_fields(file), owners)
    pen = Pen.of_terminal(colour=sys.stdout.isatty())
    lines = list(draw_reading(reading, pen))
    if not lines:  # no field at all, or only such as random octets happen to look like
        lack = "has no header of a message at its start."
        name = getattr(file, "name", "-")  # bytes in memory have none
        raise NotReadable(name, lack, _HELP, as_json=as_json)
    click.echo(_as_json(reading) if as_json else join(lines), nl=False)
    return Exit.WARNING if warnings(reading) else Exit.OK


def _fields(file: IO[bytes]) -> Fields:
    """Read the fields at the start of a file, also of one that was made by pasting."""
    raw = file.read(MAX_HEAD + len(_BYTE_ORDER_MARK))
    return read_head(raw.removeprefix(_BYTE_ORDER_MARK).lstrip(b"\r\n"))


def _as_json(reading: Reading) -> str:
    trace, held = reading.trace, holder(reading.trace)
    data = {
        "message_id": reading.message_id,
        "from": reading.author,
        "subject": reading.subject,
        "date": _plain(reading.date),
        "is_date_skewed": trace.is_date_skewed,
        "hops": [_hop(hop) for hop in trace.hops],
        "count": trace.count,
        "total": _plain(trace.total),
        "held_longest": held
        and {"owner": held.owner, "host": held.hop.host, "time": _plain(held.time)},
        "loops": [
            {"kind": sign.kind.name.lower(), "subject": sign.subject, "times": sign.times}
            for sign in trace.loops
        ],
        "authentication": _plain(reading.authentication),
        "antispam": _plain(reading.antispam),
        "meanings": _plain(reading.antispam.meanings()),
        "stamps": _plain(reading.stamps),
        "warnings": warnings(reading),
    }
    return json.dumps(data, indent=2) + "\n"


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "owner": hop.owner,
        "host": hop.host,
        "host_class": hop.host_class,
        "delay": _plain(hop.delay),
        "is_corrected": hop.is_corrected,
        "is_skewed": hop.is_skewed,
        "encrypted": hop.encrypted,
        "is_claim": hop.is_claim,
        "received": _plain(hop.received),
    }


def _plain(value: Any) -> Any:
    """Return a value of the domain as plain data: times in ISO 8601, durations in seconds."""
    match value:
        case enum.Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case tuple():
            return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        names = (each.name for each in dataclasses.fields(value))
        return {name: _plain(getattr(value, name)) for name in names}
    return value
