"""A connector's check against a real mail server on loopback, and certificates for the server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.trust import TrustStore
from agent.adapters.x509_making import Authority, KeyPair
from agent.domain.finding import Outcome
from agent.domain.lookup import Answer, Query, Reply
from agent.probes.base import Check, Toolbox
from agent.probes.connector import PROBE, ConnectorSettings
from agent.settings import ConnectorSubject

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOST = "mail.contoso.com"
RECIPIENT = "probe@contoso.com"
ROOT = Authority("Root", at=NOW)
MIDDLE = Authority("Middle", at=NOW, parent=ROOT)
STORE = TrustStore(roots=(ROOT.pem,), system=False)
FORCED = {"tls_settings": "encryption-only"}
VALID = {"tls_settings": "certificate-validation"}
NAMED = {"tls_settings": "domain-validation", "tls_domain": HOST}


def issued(*names: str, start: timedelta = -DAY, end: timedelta = 90 * DAY) -> KeyPair:
    return MIDDLE.issue(*(names or (HOST,)), not_before=NOW + start, not_after=NOW + end)


class Nowhere:
    """A resolver of names that nobody has."""

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(Answer(name_exists=False) for _ in queries)


async def walk(port: int, subject: Mapping[str, object], *, seconds: float = 20) -> Outcome:
    """Walk a server as the connector *subject*, under an address of the world."""
    clock = SystemClock()
    place = "192.31.196.1"
    dialer = Dialer(clock=clock, detours={(place, 25): ("127.0.0.1", port)}, detours_only=True)
    tools = SimpleNamespace(
        resolver=Nowhere(), clock=clock, dialer=dialer, trust=STORE, egress=None, sightings=None
    )
    written = {
        "name": "to-datacentre",
        "smart_hosts": (place,),
        "validation_recipients": (RECIPIENT,),
        "mail_from": "probe@contoso.com",
        **subject,
    }
    check = Check(
        tenant="contoso",
        target=ConnectorSubject.model_validate(written),
        probe=PROBE,
        settings=ConnectorSettings(timeout=timedelta(seconds=seconds)),
    )
    return await PROBE.run(check, cast("Toolbox", tools))


def codes(outcome: Outcome) -> set[str]:
    """Return the rules that are broken, by the words behind the probe's name."""
    return {finding.rule.code.removeprefix("connector-") for finding in outcome.findings}


def words(outcome: Outcome) -> str:
    """Return all that the findings say."""
    return " ".join(line for each in outcome.findings for line in (each.detail, *each.evidence))


@asynccontextmanager
async def occupied(port: int) -> AsyncIterator[None]:
    """Hold a session open, so that a server with room for one has none."""
    for _ in range(50):  # a session before may still be ending
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if (await reader.readline()).startswith(b"220"):
            break
        writer.close()
        await asyncio.sleep(0.05)  # between two tries, not for a state
    else:
        message = "the server has no room for anybody"
        raise AssertionError(message)
    try:
        yield
    finally:
        writer.close()
