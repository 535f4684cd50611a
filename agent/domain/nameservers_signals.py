"""What of the name servers of a domain can be put into numbers?"""

from datetime import datetime

from agent.domain import nameservers_answers as answers
from agent.domain.direct import Said
from agent.domain.finding import Measurement, Signal
from agent.domain.nameservers import Standing, Survey

SERVERS = Signal(
    name="mailflow_nameservers_servers",
    help="Name servers of the domain's zone, by the zone above and by its own records.",
)
ASKED = Signal(
    name="mailflow_nameservers_addresses_asked",
    help="Addresses of name servers that were asked.",
)
AUTHORITATIVE = Signal(
    name="mailflow_nameservers_addresses_authoritative",
    help="Addresses of name servers that speak for the zone.",
)
SPREAD = Signal(
    name="mailflow_nameservers_serial_spread",
    help="By how much the oldest SOA serial of servers with one primary is behind the newest.",
)
SLOWEST = Signal(
    name="mailflow_nameservers_slowest_answer_seconds",
    help="Time that the slowest name server took to answer for the SOA record.",
)
LOWEST_TTL = Signal(
    name="mailflow_nameservers_lowest_ttl_seconds",
    help="Lowest time to live of the records that mail needs, as the name servers publish it.",
)
HIGHEST_TTL = Signal(
    name="mailflow_nameservers_highest_ttl_seconds",
    help="Highest time to live of the records that mail needs, as the name servers publish it.",
)
CHANGED_AT = Signal(
    name="mailflow_nameservers_delegation_changed_timestamp_seconds",
    help="When the delegation last changed, or was first seen.",
)

SIGNALS = (SERVERS, ASKED, AUTHORITATIVE, SPREAD, SLOWEST, LOWEST_TTL, HIGHEST_TTL, CHANGED_AT)


def measure(found: Survey, changed_at: datetime | None) -> tuple[Measurement, ...]:
    """Return what is measured; *changed_at* is when the delegation changed or was first seen."""
    good = found.of(Standing.GOOD)
    measured = [
        SERVERS.at(len(found.zone.names) if found.zone else 0),
        ASKED.at(len(found.voices)),
        AUTHORITATIVE.at(len(good)),
    ]
    seconds = [voice.soa.seconds for voice in good if isinstance(voice.soa, Said)]
    if good:
        measured.append(SPREAD.at(answers.spread(found)))
        measured.append(SLOWEST.at(max(seconds)))
    ttls = tuple(answers.ttls(found).values())
    if ttls:
        measured += [LOWEST_TTL.at(min(ttls)), HIGHEST_TTL.at(max(ttls))]
    if changed_at is not None:
        measured.append(CHANGED_AT.at(changed_at.timestamp()))
    return tuple(measured)
