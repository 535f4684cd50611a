"""Is all true of a message that arrived that must be true of its way?

What the operator expects is held against what the message itself tells: its path, what the receiver
said of its sender, and where it was found. What it does not tell is no fault of the way: that is
unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agent.domain import arrival_rules as rules
from agent.domain.authentication_results import AuthResult
from agent.domain.entry import Entry
from agent.domain.finding import Finding
from agent.domain.loops import LoopSign
from agent.domain.mx import matches
from agent.domain.owners import Owner, is_inner
from agent.domain.reading import Reading
from agent.domain.trace import Hop

_CANNOT_TELL = (AuthResult.TEMPERROR, AuthResult.TIMEOUT)  # the receiver could not
_PASSES: Mapping[str, tuple[AuthResult, ...]] = {
    "spf": (AuthResult.PASS,),
    "dkim": (AuthResult.PASS,),
    "dmarc": (AuthResult.PASS, AuthResult.BESTGUESSPASS),
    "compauth": (AuthResult.PASS, AuthResult.SOFTPASS),
}
_RULES = {
    "spf": rules.SPF_FAILED,
    "dkim": rules.DKIM_FAILED,
    "dmarc": rules.DMARC_FAILED,
    "compauth": rules.COMPAUTH_FAILED,
}
METHODS = tuple(_RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be true; ``methods`` are those of METHODS that must pass.

    ``folder`` is ``inbox``, ``junk`` or ``any``; host patterns are exact or have a leading ``*.``.
    """

    folder: str = "inbox"
    methods: tuple[str, ...] = ()
    tls_on_every_hop: bool = False
    through: tuple[str, ...] = ()
    never_through: tuple[str, ...] = ()
    max_hops: int | None = None
    attributed_to: str = ""


def examine(entry: Entry, reading: Reading, expected: Expected) -> Iterator[Finding]:
    """Yield what is not as it must be with a message that has arrived."""
    yield from _folder(entry, expected)
    yield from _authentication(entry, reading, expected)
    yield from _path(entry, reading, expected)
    yield from _shape(entry, reading, expected)
    yield from _tenant(entry, reading, expected)


def results(reading: Reading) -> dict[str, AuthResult | None]:
    """Return what the receiver said of each method; None where it said nothing.

    What anybody on the way could have written was not said by the receiver.
    """
    seen = reading.authentication
    if seen.is_claim:
        return dict.fromkeys(METHODS)
    return {"spf": seen.spf, "dkim": seen.dkim, "dmarc": seen.dmarc, "compauth": seen.compauth}


def has_passed(method: str, result: AuthResult | None) -> bool | None:
    """Tell whether a method passed; None where the receiver does not say, or could not tell."""
    if result is None or result in _CANNOT_TELL:
        return None
    return result in _PASSES[method]


def path_lines(reading: Reading) -> tuple[str, ...]:
    """Write the path of a message down, a line for each hop, the oldest first."""
    return tuple(_line(hop) for hop in reading.trace.hops)


def _about(entry: Entry) -> str:
    return f"message {entry.sequence}"


def _folder(entry: Entry, expected: Expected) -> Iterator[Finding]:
    wanted, found = expected.folder, entry.folder
    # That it is in Junk and should be in the Inbox is told as a state of the message.
    is_told = found == "junk" and wanted == "inbox"
    if found and wanted not in ("any", found) and not is_told:
        yield rules.WRONG_FOLDER.found(f"{_about(entry)} is in {found}, expected: {wanted}")


def _authentication(entry: Entry, reading: Reading, expected: Expected) -> Iterator[Finding]:
    said = results(reading)
    for method in expected.methods:
        result = said[method]
        if result is None:
            yield rules.UNSAID.found(f"{_about(entry)}: the receiver says nothing of {method}")
        elif has_passed(method, result) is False:
            detail = f"{_about(entry)}: {method}={result}"
            yield _RULES[method].found(detail, *_evidence(reading, method))


def _evidence(reading: Reading, method: str) -> Iterator[str]:
    """Yield what the receiver said beside the result."""
    seen = reading.authentication.seen
    if method == "spf":
        if reading.authentication.sender_address:
            yield f"the receiver saw the address {reading.authentication.sender_address}"
        if seen.mail_from:
            yield f"smtp.mailfrom={seen.mail_from}"
    if method == "dkim":
        for each in seen.signatures:
            yield f"{each.result} header.d={each.domain or 'none'} {each.comment}".rstrip()
    if method == "dmarc" and seen.header_from:
        yield f"header.from={seen.header_from} action={seen.action or 'none'}"
    if method == "compauth" and seen.reason:
        yield f"reason={seen.reason}: {seen.reason_meaning or 'not documented'}"


def _path(entry: Entry, reading: Reading, expected: Expected) -> Iterator[Finding]:
    """Hold the hosts on the way against those that are demanded and forbidden."""
    hops = reading.trace.hops
    if not hops:
        if expected.through or expected.tls_on_every_hop:
            yield rules.UNSAID.found(f"{_about(entry)} has no Received field")
        return
    believed = [hop for hop in hops if not hop.is_claim]
    yield from _hosts(entry, reading, expected, believed)
    if expected.tls_on_every_hop:
        for hop in believed:
            if hop.encrypted is False:
                yield rules.PLAINTEXT_HOP.found(f"{_about(entry)}: {_line(hop)}")


def _hosts(
    entry: Entry, reading: Reading, expected: Expected, believed: list[Hop]
) -> Iterator[Finding]:
    lines = path_lines(reading)
    for pattern in expected.through:
        if not any(_is_proven(hop, pattern) for hop in believed):
            yield rules.NOT_THROUGH.found(f"{_about(entry)} did not pass {pattern}", *lines)
    for pattern in expected.never_through:
        if _pass(believed, pattern):
            yield rules.THROUGH_FORBIDDEN.found(f"{_about(entry)} passed {pattern}", *lines)
        elif _pass(reading.trace.hops, pattern):
            # Anybody can write that, to raise an alarm; but nor can it be ruled out.
            detail = f"{_about(entry)}: only a claim says that it passed {pattern}"
            yield rules.UNSAID.found(detail, *lines)


def _pass(hops: Iterable[Hop], pattern: str) -> bool:
    return any(_passed(hop, pattern) for hop in hops)


def _passed(hop: Hop, pattern: str) -> bool:
    """Tell whether a hop names such a host in any way: what is forbidden is seen soon enough."""
    received = hop.received
    names = (received.by_host, received.from_name, received.from_host, hop.client_name)
    return any(name and matches(pattern, name) for name in names)


def _is_proven(hop: Hop, pattern: str) -> bool:
    """Tell whether such a host wrote the hop or was its client, whatever the client says.

    What the client calls itself counts only where no name contradicts it, and its address is one
    that a stranger cannot have.
    """
    received, client = hop.received, hop.client_name
    if not client and (hop.client is not Owner.UNKNOWN or is_inner(received.from_address)):
        client = received.from_host
    return any(name and matches(pattern, name) for name in (received.by_host, client))


def _shape(entry: Entry, reading: Reading, expected: Expected) -> Iterator[Finding]:
    trace = reading.trace
    if expected.max_hops is not None and trace.count > expected.max_hops:
        detail = f"{_about(entry)} took {trace.count} hops, expected: at most {expected.max_hops}"
        yield rules.TOO_MANY_HOPS.found(detail, *path_lines(reading))
    if trace.loops:
        yield rules.GOING_ROUND.found(f"{_about(entry)} came round again", *map(_sign, trace.loops))
    for hop in trace.hops:
        if hop.is_skewed and not hop.is_claim:
            yield rules.CLOCK_WRONG.found(f"{_about(entry)}: {_line(hop)}")


def _sign(sign: LoopSign) -> str:
    times = f"{sign.subject}, {sign.times} times" if sign.subject else str(sign.times)
    return f"{sign.kind}: {times}"


def _tenant(entry: Entry, reading: Reading, expected: Expected) -> Iterator[Finding]:
    wanted = expected.attributed_to
    if not wanted:
        return
    told = tenant_stamps(reading)
    if not told:
        yield rules.UNSAID.found(f"{_about(entry)} bears no stamp of a tenant")
        return
    foreign = {name: value for name, value in told.items() if value.lower() != wanted}
    if foreign:
        lines = (f"{name}: {value}" for name, value in foreign.items())
        yield rules.FOREIGN_TENANT.found(f"{_about(entry)} was not attributed to {wanted}", *lines)


def tenant_stamps(reading: Reading) -> dict[str, str]:
    """Return the ids of tenants that Exchange Online stamped, by the name of the field.

    Where it did not have the message, stamps are somebody's claim, and none is returned.
    """
    if not any(hop.owner is Owner.MICROSOFT and not hop.is_claim for hop in reading.trace.hops):
        return {}
    told = {
        "X-MS-Exchange-CrossTenant-Id": reading.stamps.crosstenant_id,
        "X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp": (
            reading.stamps.attributed_tenant
        ),
    }
    return {name: value for name, value in told.items() if value}


def _line(hop: Hop) -> str:
    """Write one hop: from whom, to whom, how, after how long."""
    received = hop.received
    source = received.from_name or received.from_host or received.from_address or "?"
    words = [f"{source} -> {hop.host or '?'} ({hop.owner})"]
    if hop.encrypted is None:
        words.append("inside")
    else:
        words.append(f"TLS {received.tls}".rstrip() if hop.encrypted else "not encrypted")
    if hop.delay is not None:
        words.append(f"after {hop.delay.total_seconds():.0f} s")
    if hop.is_skewed:
        words.append(f"at a time that cannot be: {received.at}")
    if hop.is_claim:
        words.append("as somebody claims")
    return ", ".join(words)
