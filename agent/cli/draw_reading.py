"""How does the header of a message look on a terminal, once it is read?"""

from collections.abc import Iterator
from datetime import timedelta

from agent.cli.draw import Pen
from agent.domain.authentication import Authentication
from agent.domain.authentication_results import AuthResult
from agent.domain.exchange_stamps import Stamps
from agent.domain.loops import LoopKind, LoopSign
from agent.domain.reading import Reading
from agent.domain.trace import Hop, Trace, holder

_BAR = 8  # characters of the longest bar
_BEFORE_HOST = 43  # characters of a hop before the name of its host
_MINUTE, _HOUR, _DAY = 60, 3600, 86400  # seconds
_GOOD = frozenset({AuthResult.PASS, AuthResult.BESTGUESSPASS, AuthResult.SOFTPASS})
_BAD = frozenset({AuthResult.FAIL, AuthResult.PERMERROR})


def draw_reading(reading: Reading, pen: Pen) -> Iterator[str]:
    """Return the lines for a reading: the message, its way, who it is from, what it counts as."""
    date = f"{reading.date:%Y-%m-%d %H:%M:%S} UTC" if reading.date else ""
    if reading.trace.is_date_skewed:
        date += "  (cannot be, if the hops are right)"
    yield from _rows(
        (
            ("Message-ID", reading.message_id),
            ("From", reading.author),
            ("Subject", reading.subject),
            ("Date", date),
        ),
        pen,
    )
    yield from _titled("Way, oldest hop first", _way(reading.trace, pen), pen)
    yield from _titled("Authentication", _authentication(reading.authentication, pen), pen)
    verdict = (
        (f"{each.key} {each.value}", each.meaning or "(not known)")
        for each in reading.antispam.meanings()
    )
    yield from _titled("Spam filter", _rows(verdict, pen), pen)
    yield from _titled("Stamps of Exchange", _rows(_stamps(reading.stamps), pen), pen)


def warnings(reading: Reading) -> list[str]:
    """Return what a person should look at, a sentence each."""
    found = [_loop(sign) for sign in reading.trace.loops]
    seen = reading.authentication.seen
    for name, result in (("DMARC", seen.dmarc), ("compauth", seen.compauth), ("SPF", seen.spf)):
        if result is AuthResult.FAIL:
            found.append(f"{name} failed")
    if reading.authentication.is_claim:
        found.append("Anybody could have written what is said of authentication")
    if reading.antispam.destination == "junk":
        found.append("The message was put into the junk folder")
    return found


def span(time: timedelta) -> str:
    """Return a length of time in the unit that fits."""
    seconds = time.total_seconds()
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:02.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:02.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:02.0f} h"


def _titled(title: str, lines: Iterator[str], pen: Pen) -> Iterator[str]:
    """Return a part with its title; nothing where the part is empty."""
    for number, line in enumerate(lines):
        if not number:
            yield ""
            yield pen.paint(title, None, bold=True)
        yield f"  {line}"


def _rows(
    pairs: "Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]", pen: Pen
) -> Iterator[str]:
    known = [(name, text) for name, text in pairs if text]
    width = max((len(name) for name, _ in known), default=0)
    for name, text in known:
        room = max(20, pen.width - width - 4)
        first, *rest = (text[at : at + room] for at in range(0, len(text), room))
        yield f"{pen.paint(name.ljust(width), 'bright_black')}  {first}"
        yield from (f"{'':{width}}  {line}" for line in rest)


def _way(trace: Trace, pen: Pen) -> Iterator[str]:
    longest = max((hop.delay for hop in trace.hops if hop.delay), default=timedelta(seconds=1))
    skipped = trace.count - len(trace.hops)
    for number, hop in enumerate(trace.hops, 1 + skipped):
        yield _hop(number, hop, longest, pen)
        if client := _client(hop):
            yield f"{'':{_BEFORE_HOST}}{pen.paint(f'from {client}', 'bright_black')}"
    if trace.total is not None:
        yield f"{trace.count} hops, {span(trace.total)} in all, as they claim"
    if held := holder(trace):
        yield f"held longest: {held.owner}, {held.hop.host or '?'}, {span(held.time)}"
    for sign in trace.loops:
        yield pen.paint(f"! {_loop(sign)}", "yellow")


def _hop(number: int, hop: Hop, longest: timedelta, pen: Pen) -> str:
    time = f"{hop.received.at:%H:%M:%S}" if hop.received.at else "   -    "
    delay = "-" if hop.delay is None else span(hop.delay)
    bar = "█" * max(1, round(hop.delay / longest * _BAR)) if hop.delay else ""
    line = f"{number:3} {time} {delay:>10} {bar:{_BAR}} {hop.owner:9} {hop.host or '?'}"
    return f"{line}  {_tls(hop, pen)}{pen.paint(_marks(hop), 'bright_black')}"


def _client(hop: Hop) -> str:
    """Return who gave the message to the host, as the host says."""
    received = hop.received
    known = (received.from_host, received.from_name, received.from_address)
    first, *others = dict.fromkeys(filter(None, known)) or [""]
    return f"{first} ({', '.join(others)})" if others else first


def _tls(hop: Hop, pen: Pen) -> str:
    if hop.encrypted is None:
        return pen.paint(hop.received.protocol or "inside", "bright_black")
    if not hop.encrypted:
        return pen.paint("no TLS", "yellow")
    return pen.paint(f"TLS {hop.received.tls}".rstrip(), "green")


def _marks(hop: Hop) -> str:
    marks = (
        ("clocks disagree", hop.is_corrected),
        ("time cannot be", hop.is_skewed),
        ("a claim", hop.is_claim),
    )
    said = ", ".join(text for text, holds in marks if holds)
    return f"  ({said})" if said else ""


def _loop(sign: LoopSign) -> str:
    if sign.kind is LoopKind.HOPS:
        return f"{sign.times} hops: more than a way without a loop has"
    return f"perhaps a loop: {sign.kind} ({sign.subject}, {sign.times} times)"


def _authentication(authentication: Authentication, pen: Pen) -> Iterator[str]:
    seen = authentication.seen
    if authentication.is_claim:
        yield pen.paint("anybody could have written this:", "yellow")
    results = [("spf", seen.spf, seen.mail_from or seen.helo)]
    results += [
        ("dkim", each.result, " ".join(filter(None, (each.domain, each.comment))))
        for each in seen.signatures
    ]
    action = f"action {seen.action}" if seen.action else ""
    results += [
        ("dmarc", seen.dmarc, ", ".join(filter(None, (seen.header_from, action)))),
        ("compauth", seen.compauth, f"{seen.reason}: {seen.reason_meaning}".strip(": ")),
        ("arc", seen.arc, ""),
    ]
    results += [
        (f"arc {each.instance}", each.validation, each.domain) for each in authentication.arc_sets
    ]
    for name, result, detail in results:
        if result is not None:
            yield f"{name:9} {pen.paint(f'{result:13}', _colour(result))} {detail}".rstrip()
    if authentication.sender_address:
        yield f"the receiver saw the client {authentication.sender_address}"


def _colour(result: AuthResult) -> str | None:
    return "green" if result in _GOOD else "red" if result in _BAD else "yellow"


def _stamps(stamps: Stamps) -> Iterator[tuple[str, str]]:
    latency = stamps.end_to_end_latency
    yield "counts as", stamps.auth_as
    yield "decided by", stamps.auth_source
    yield "direction", stamps.directionality
    yield "came from", stamps.from_entity
    yield "tenant", stamps.crosstenant_id
    yield (
        "attributed to",
        " ".join(
            filter(None, (stamps.attributed_tenant, stamps.attributed_ip, stamps.attributed_helo))
        ),
    )
    yield "sent by tenant", stamps.originator_org
    yield "skip listing", stamps.skipped_address or ("on" if stamps.skip_listed else "")
    yield "header filter", stamps.headers_filtered_by
    yield "network id", stamps.network_message_id
    yield "latency", f"{latency.total_seconds():.1f} s inside of Exchange" if latency else ""
