"""What does a check of the registration measure and show?"""

from collections.abc import Iterator
from datetime import datetime

from agent.domain.fact import Fact, Table
from agent.domain.finding import Measurement, Signal
from agent.domain.lookup import Answer, Unanswered
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.rdap import Registration
from agent.domain.registration_book import EVERY
from agent.domain.registration_lint import Picture

EXPIRY = Signal(
    name="mailflow_registration_expiry_timestamp_seconds",
    help="When the registration of the domain ends; absent where the registry does not say.",
)
TOLD_AT = Signal(
    name="mailflow_registration_told_timestamp_seconds",
    help="When the registry last said how the domain stands.",
)
SIGNALS = (EXPIRY, TOLD_AT)


def measure(picture: Picture) -> tuple[Measurement, ...]:
    """Return what is measured, as far as it is known."""
    values = []
    if picture.last is not None and picture.last.expires is not None:
        values.append(EXPIRY.at(picture.last.expires.timestamp()))
    if picture.book.told_at is not None:
        values.append(TOLD_AT.at(picture.book.told_at.timestamp()))
    return tuple(values)


def draw_facts(picture: Picture) -> dict[str, Fact]:
    """Return what is shown: what the registry says, and its name servers beside those in DNS."""
    rows = tuple(_rows(picture))
    facts: dict[str, Fact] = {"registration": Table(("", picture.domain), rows)}
    if servers := tuple(_servers(picture)):
        facts["name servers"] = Table(("name server", "registry", "DNS"), servers)
    return facts


def _rows(picture: Picture) -> Iterator[tuple[str, str]]:
    book = picture.book
    if book.last is not None:
        yield from _of_registry(book.last)
    yield "told at", _time(book.told_at)
    yield "asked at", _time(book.asked_at)
    if book.asked_at is not None:
        yield "asked again after", _time(book.asked_at + EVERY)
    if picture.trouble:
        yield "trouble", picture.trouble


def _of_registry(last: Registration) -> Iterator[tuple[str, str]]:
    yield "registrar", last.registrar or "not said"
    yield "status", ", ".join(last.statuses) or "not said"
    yield "expires", _time(last.expires) if last.expires else "not said by this registry"
    yield "registered", _time(last.registered)
    yield "last changed", _time(last.changed)
    if last.signed is not None:
        yield "DNSSEC", "signed" if last.signed else "not signed"


def _time(at: datetime | None) -> str:
    return "-" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _servers(picture: Picture) -> Iterator[tuple[str, str, str]]:
    registry = set(picture.last.servers) if picture.last else set()
    delegation = picture.delegation
    if isinstance(delegation, Unanswered):
        for each in sorted(registry):
            yield each, "yes", f"unanswered: {delegation.reason}"
        return
    in_dns = set(_names(delegation))
    for each in sorted(registry | in_dns):
        yield each, "yes" if each in registry else "no", "yes" if each in in_dns else "no"


def _names(delegation: Answer) -> Iterator[str]:
    for each in delegation.records:
        if isinstance(each, str):
            yield PeerText(each.lower(), MAX_NAME)
