"""What does a registry say of a domain, by RDAP (RFC 9082, RFC 9083)?

The answer is a stranger's JSON: every value may be of any type, or missing. What cannot be read is
left out, and never invented. Statuses are given by the names of EPP, which registrars' consoles
show (RFC 8056).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText

_MAX_STATUSES = 20
_MAX_SERVERS = 13
_LONGEST_SERVER = 150  # characters; what is read has to fit into what is remembered
_LONGEST_WORD = 40

# RFC 8056 section 2; words of two sorts of objects differ in writing only.
_EPP: Mapping[str, str] = {
    "add period": "addPeriod",
    "auto renew period": "autoRenewPeriod",
    "client delete prohibited": "clientDeleteProhibited",
    "client hold": "clientHold",
    "client renew prohibited": "clientRenewProhibited",
    "client transfer prohibited": "clientTransferProhibited",
    "client update prohibited": "clientUpdateProhibited",
    "active": "ok",
    "inactive": "inactive",
    "pending create": "pendingCreate",
    "pending delete": "pendingDelete",
    "pending renew": "pendingRenew",
    "pending restore": "pendingRestore",
    "pending transfer": "pendingTransfer",
    "pending update": "pendingUpdate",
    "redemption period": "redemptionPeriod",
    "renew period": "renewPeriod",
    "server delete prohibited": "serverDeleteProhibited",
    "server renew prohibited": "serverRenewProhibited",
    "server transfer prohibited": "serverTransferProhibited",
    "server update prohibited": "serverUpdateProhibited",
    "server hold": "serverHold",
    "transfer period": "transferPeriod",
}
_BY_LETTERS = {name.replace(" ", ""): epp for name, epp in _EPP.items()}
_BY_LETTERS |= {epp.lower(): epp for epp in _EPP.values()}


class UnreadableError(ValueError):
    """The answer is none that can be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the registry says of a domain; None and empty for what it does not say."""

    registrar: str = ""
    statuses: tuple[str, ...] = ()
    registered: datetime | None = None
    changed: datetime | None = None
    expires: datetime | None = None
    servers: tuple[str, ...] = ()
    signed: bool | None = None


def read_json(body: bytes) -> Any:
    """Read the text of an answer. Raises UnreadableError."""
    try:
        return json.loads(body)
    except RecursionError:
        message = "it is nested too deeply"
    except ValueError:
        message = "it is no JSON"
    raise UnreadableError(message)


def read_domain(data: Any, asked: str) -> Registration:
    """Read the answer about the domain *asked*. Raises UnreadableError."""
    if not isinstance(data, dict) or data.get("objectClassName") != "domain":
        message = "it is not about a domain"
        raise UnreadableError(message)
    if _name(data.get("ldhName")) != asked:
        message = "it is about another domain"
        raise UnreadableError(message)
    events = dict(_events(data))
    secure = data.get("secureDNS")
    signed = secure.get("delegationSigned") if isinstance(secure, dict) else None
    return Registration(
        registrar=next(_registrars(data), ""),
        statuses=tuple(dict.fromkeys(_statuses(data)))[:_MAX_STATUSES],
        registered=events.get("registration"),
        changed=events.get("last changed"),
        expires=events.get("expiration"),
        servers=tuple(sorted(set(_servers(data))))[:_MAX_SERVERS],
        signed=signed if isinstance(signed, bool) else None,
    )


def read_servers(data: Any, domain: str) -> tuple[str, ...]:
    """Return the servers that are responsible for *domain*, by IANA's file (RFC 9224 section 4).

    The longest match counts; servers without TLS are left out. Empty where there are none. Raises
    UnreadableError.
    """
    services = data.get("services") if isinstance(data, dict) else None
    if not isinstance(services, list):
        message = "it has no services"
        raise UnreadableError(message)
    best, found = -1, ()
    for service in services:
        if not isinstance(service, list) or len(service) < 2:  # noqa: PLR2004 - names, servers
            continue
        for name in filter(None, map(_name, _items(service[0]))):
            if f".{domain}".endswith(f".{name}") and len(name) > best:
                best, found = len(name), tuple(filter(_is_secure, _items(service[1])))
    return found


def _is_secure(server: Any) -> bool:
    return isinstance(server, str) and server.lower().startswith("https://")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(data: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
    return (each for each in _items(data.get(key)) if isinstance(each, dict))


def _name(value: Any) -> str:
    """Return a name as we write it; empty for what is none."""
    return PeerText(value.rstrip(".").lower(), MAX_NAME) if isinstance(value, str) else ""


def _statuses(data: Mapping[str, Any]) -> Iterator[str]:
    for status in _items(data.get("status")):
        if isinstance(status, str):
            letters = status.lower().replace(" ", "")
            yield _BY_LETTERS.get(letters) or PeerText(status, _LONGEST_WORD)


def _servers(data: Mapping[str, Any]) -> Iterator[str]:
    names = (_name(each.get("ldhName")) for each in _objects(data, "nameservers"))
    return (PeerText(name, _LONGEST_SERVER) for name in names if name)


def _events(data: Mapping[str, Any]) -> Iterator[tuple[str, datetime]]:
    """Yield what happened or will; of several of a kind the earliest counts, which comes last."""
    told = []
    for event in _objects(data, "events"):
        action, at = event.get("eventAction"), _moment(event.get("eventDate"))
        if isinstance(action, str) and at is not None:
            told.append((action.lower(), at))
    yield from sorted(told, key=lambda each: each[1], reverse=True)


def _moment(value: Any) -> datetime | None:
    """Read a time (RFC 3339); some registries leave out the zone, or the time of day."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _registrars(data: Mapping[str, Any]) -> Iterator[str]:
    for entity in _objects(data, "entities"):
        if "registrar" in _items(entity.get("roles")):
            card = _items(entity.get("vcardArray"))
            fields = _items(card[1]) if len(card) > 1 else []
            yield from _full_names(fields)
            if isinstance(handle := entity.get("handle"), str):
                yield PeerText(handle, _LONGEST_WORD)


def _full_names(fields: list[Any]) -> Iterator[str]:
    """Yield the texts of a jCard's property ``fn`` (RFC 7095 section 3.3)."""
    for each in fields:
        match each:
            case ["fn", _, _, str(text), *_] if text:
                yield PeerText(text, 3 * _LONGEST_WORD)
