"""What did Exchange stamp on the message about tenants, servers and the way it thinks of?

None of these fields is documented as a whole; the forms are those seen in real messages. Exchange
Online takes ``X-MS-Exchange-Organization-*`` off mail from outside (its header firewall), so in a
mailbox there they are its own; in any other mailbox they are claims.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.domain.header_fields import Fields
from agent.domain.mail_date import read_date
from agent.domain.received import read_address

_MAX_VALUE = 255  # characters of one stamp
_ORGANISATION = "x-ms-exchange-organization-"
_TENANT = "x-ms-exchange-crosstenant-"
_TRANSPORT = "x-ms-exchange-transport-"
_PREFIXES = ("x-ms-", "x-originatororg", "x-eop", "x-crosspremises", "x-sender-ip")
_ATTRIBUTED = re.compile(r"\b(TenantId|Ip|Helo)=\[?([^;\[\]]{1,255})", re.IGNORECASE)
_SKIPPED = re.compile(r"\bip=\[?([^;\[\]]{2,60})", re.IGNORECASE)
_LATENCY = re.compile(r"(?:([0-9]{1,4})\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,7}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """Exchange's stamps; what is not there is empty, None or False.

    ``auth_as`` is ``Anonymous`` or ``Internal``: whether the message counts as one of the
    organisation; ``directionality`` is ``Incoming`` or ``Originating``. ``from_entity`` is
    ``Hosted`` (a mailbox), ``Internet`` or ``HybridOnPrem`` (an on-premises connector). The
    ``attributed_`` fields say to which tenant the connection was attributed. ``skipped_address`` is
    the source that enhanced filtering looked at instead of the connecting one.
    """

    auth_as: str = ""
    auth_source: str = ""
    auth_mechanism: str = ""
    directionality: str = ""
    network_message_id: str = ""
    correlation_id: str = ""
    crosstenant_id: str = ""
    crosstenant_auth_as: str = ""
    from_entity: str = ""
    attributed_tenant: str = ""
    attributed_ip: str = ""
    attributed_helo: str = ""
    eop_tenant: str = ""
    original_arrival: datetime | None = None
    end_to_end_latency: timedelta | None = None
    originator_org: str = ""
    sender_ip: str = ""
    skip_listed: bool = False
    skipped_address: str = ""
    headers_filtered_by: str = ""
    is_hybrid: bool = False


def read_stamps(fields: Fields) -> Stamps:
    """Read the stamps of Exchange. Never raises; of two with one name the upper one counts."""
    found: dict[str, str] = {}
    for field in fields:
        if field.name.startswith(_PREFIXES):
            found.setdefault(field.name, field.value[:_MAX_VALUE])
    if not found:
        return Stamps()
    attributed = _attributed(found)
    skipped = found.get("x-ms-exchange-skiplistedinternetsender", "") or found.get(
        "x-ms-exchange-externaloriginalinternetsender", ""
    )
    source = _SKIPPED.search(skipped)
    return Stamps(
        auth_as=found.get(f"{_ORGANISATION}authas", ""),
        auth_source=found.get(f"{_ORGANISATION}authsource", ""),
        auth_mechanism=found.get(f"{_ORGANISATION}authmechanism", ""),
        directionality=found.get(f"{_ORGANISATION}messagedirectionality", ""),
        network_message_id=found.get(f"{_ORGANISATION}network-message-id", "")
        or found.get(f"{_TENANT}network-message-id", ""),
        correlation_id=found.get("x-ms-office365-filtering-correlation-id", ""),
        crosstenant_id=found.get(f"{_TENANT}id", ""),
        crosstenant_auth_as=found.get(f"{_TENANT}authas", ""),
        from_entity=found.get(f"{_TENANT}fromentityheader", ""),
        attributed_tenant=attributed.get("tenantid", ""),
        attributed_ip=read_address(attributed.get("ip", "")),
        attributed_helo=attributed.get("helo", ""),
        eop_tenant=found.get("x-eoptenantattributedmessage", "").partition(":")[0],
        original_arrival=read_date(found.get(f"{_TENANT}originalarrivaltime", "")),
        end_to_end_latency=read_latency(found.get(f"{_TRANSPORT}endtoendlatency", "")),
        originator_org=found.get("x-originatororg", ""),
        sender_ip=read_address(found.get("x-sender-ip", "")),
        skip_listed=bool(skipped),
        skipped_address=read_address(source[1]) if source else "",
        headers_filtered_by=found.get("x-crosspremisesheadersfilteredbysendconnector", ""),
        is_hybrid=any(name.startswith("x-ms-exchange-crosspremises-") for name in found),
    )


def read_latency(text: str) -> timedelta | None:
    """Read ``HH:MM:SS.fffffff``, with days and a dot in front where there are any."""
    match = _LATENCY.fullmatch(text.strip())
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    microseconds = int((match[5] or "0")[:6].ljust(6, "0"))
    return timedelta(days, seconds, microseconds, 0, minutes, hours)


def _attributed(found: dict[str, str]) -> dict[str, str]:
    """Return the parts of ``TenantId=<guid>;Ip=[<ip>];Helo=[<host>]`` by name in lower case."""
    value = found.get(f"{_TENANT}originalattributedtenantconnectingip", "")
    return {match[1].lower(): match[2] for match in _ATTRIBUTED.finditer(value)}
