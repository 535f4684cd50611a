"""What a registry answers by RDAP, as the tests of registrations write it down."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from servers.policy_host import Handler
from servers.standings import NOON

D = "contoso.com"
LOCKED = ("client transfer prohibited", "client delete prohibited")
IANA_HOST, REGISTRY = "data.iana.org", "rdap.registry.example"
TYPE = "application/rdap+json"
DAY = timedelta(days=1)


def domain(
    *status: str, expires: datetime | None = NOON + 300 * DAY, name: str = D, **more: Any
) -> dict[str, Any]:
    """Make the answer about a domain, in the shape of RFC 9083 section 5.3."""
    events = [
        {"eventAction": "registration", "eventDate": "1996-09-23T04:00:00Z"},
        {"eventAction": "last changed", "eventDate": "2026-08-01T07:00:00.0Z"},
    ]
    if expires is not None:
        events.append({"eventAction": "expiration", "eventDate": expires.isoformat()})
    card = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Example Registrar"]]]
    return {
        "rdapConformance": ["rdap_level_0"],
        "objectClassName": "domain",
        "ldhName": name.upper(),
        "status": list(status or LOCKED),
        "events": events,
        "entities": [{"objectClassName": "entity", "roles": ["registrar"], "vcardArray": card}],
        "nameservers": [{"objectClassName": "nameserver", "ldhName": f"NS1.{name}."}],
        "secureDNS": {"delegationSigned": False},
        **more,
    }


def iana(*tops: str, server: str = f"https://{REGISTRY}/v1/") -> dict[str, Any]:
    """Make IANA's file, with one server for *tops*."""
    services = [[["other"], ["https://no.example/"]], [list(tops), [server]]]
    return {"version": "1.0", "services": services}


def answer(data: Any, kind: str = TYPE, status: int = 200, **headers: str) -> Handler:
    """Answer with *data* as JSON, or as it is where it is text."""
    body = data if isinstance(data, str) else json.dumps(data)

    async def handle(_request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=body, content_type=kind, status=status, headers=named)

    return handle


def leading(*places: str) -> Handler:
    """Redirect to each of *places* in turn, and again to the last."""
    left = list(places)

    async def handle(_request: web.Request) -> web.Response:
        where = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=302, headers={"Location": where})

    return handle


def by_host(handlers: Mapping[str, Handler]) -> Handler:
    """Answer as the host that is asked for would."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await handlers[request.host.partition(":")[0]](request)

    return handle
