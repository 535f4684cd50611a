"""Do the parts of the configuration fit together?

Each part is valid by itself when these questions are asked: are names unique, do references lead
somewhere, can Exchange Online take what the routes send?
"""

from collections.abc import Callable, Iterator
from typing import Any

from agent.config.errors import Path
from agent.config.model import SECTION_OF_KIND
from agent.config.route_references import named, references
from agent.config.tenant_model import OVERRIDES, imported
from agent.config.words import did_you_mean
from agent.domain.budget import Load, excesses
from agent.domain.knowledge.providers import PROFILES
from agent.probes.base import Check
from agent.settings import read_address, read_network

Mistake = tuple[Path, str]
ROUTE_PROBE = "route"
MAX_NAMED = 5  # routes in one line


def mistakes(file: Any, data: Any, checks: tuple[Check[Any, Any], ...]) -> Iterator[Mistake]:
    """Yield what is wrong with a valid *file*, with its path; *data* is all that was written."""
    yield from _unique(("tenants",), file.tenants)
    kinds = kinds_of(data)
    for number, tenant in enumerate(file.tenants):
        yield from _of_tenant(("tenants", number), tenant, kinds)
    if file.sink.certificate is not None:
        yield from named(
            ("sink", "certificate"), file.sink.certificate, kinds, ("client-certificate",)
        )
    yield from _ports(file)
    yield from _loads(file, checks)


def _of_tenant(path: Path, tenant: Any, kinds: dict[str, str]) -> Iterator[Mistake]:
    for section, _, _ in SECTION_OF_KIND.values():
        yield from _unique((*path, section), _items(getattr(tenant, section)))
    for index, domain in enumerate(tenant.domains):
        yield from _senders((*path, "domains", index), domain)
    for index, connector in enumerate(_items(tenant.connectors)):
        yield from _certificate((*path, "connectors", index), connector, kinds)
    exports = imported(tenant)
    if exports is not None:
        overrides: Path = (*path, "connectors", OVERRIDES)
        yield from _unique(overrides, exports.overrides)
        for index, override in enumerate(exports.overrides):
            yield from _certificate((*overrides, index), override, kinds)
    for index, route in enumerate(tenant.routes):
        yield from references((*path, "routes", index), route, kinds)


def _items(section: Any) -> tuple[Any, ...]:
    """Return what a section lists; nothing where it is imported."""
    return section if isinstance(section, tuple) else ()


def _unique(path: Path, items: tuple[Any, ...]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item.name in seen:
            yield (*path, index, "name"), "is the name of another one above; names are unique"
        seen.add(item.name)


def _senders(path: Path, domain: Any) -> Iterator[Mistake]:
    for index, sender in enumerate(domain.senders):
        wrong = "" if sender in PROFILES else _refusal(sender, read_network)
        if wrong:
            nearest = did_you_mean(sender, PROFILES)
            about = f"is neither a provider profile nor a network{nearest}"
            yield (*path, "senders", index), wrong if "first" in wrong else about
    for index, address in enumerate(domain.not_senders):
        wrong = _refusal(address, read_address)
        if wrong:
            yield (*path, "not_senders", index), wrong


def _refusal(text: str, reader: Callable[[str], object]) -> str:
    """Return why *reader* refuses *text*, nothing where it does not."""
    try:
        reader(text)
    except ValueError as error:
        return str(error)
    return ""


def kinds_of(data: Any) -> dict[str, str]:
    """Return the kind of each credential that was written in *data*, by name, right or wrong."""
    credentials = data.get("credentials") if isinstance(data, dict) else None
    if not isinstance(credentials, dict):
        return {}
    return {
        str(name): str(each.get("kind", "")) if isinstance(each, dict) else ""
        for name, each in credentials.items()
    }


def _certificate(path: Path, connector: Any, kinds: dict[str, str]) -> Iterator[Mistake]:
    name = connector.credential
    if name is None:
        return
    fitting = [each for each, kind in kinds.items() if kind == "client-certificate"]
    if name not in fitting:
        known = f"; there is: {', '.join(fitting)}" if fitting else "; none is declared"
        about = f"is no client-certificate in the section credentials{known}"
        yield (*path, "credential"), about


def _ports(file: Any) -> Iterator[Mistake]:
    pages, sink = file.agent.listen, file.sink.listen
    if pages == sink and pages.port:
        yield ("sink", "listen"), "is the address of agent.listen, too"


def _loads(file: Any, checks: tuple[Check[Any, Any], ...]) -> Iterator[Mistake]:
    """Yield the routes that send more than the budget or Exchange Online allows."""
    places = places_of_routes(file)
    loads = tuple(
        Load(
            route=f"{check.tenant}/{check.subject}",
            interval=check.settings.interval,
            mail_from=check.target.send.mail_from,
            rcpt_to=check.target.send.rcpt_to,
            allowance=getattr(check.settings, "allowance", None),
        )
        for check in checks
        if check.probe.kind == ROUTE_PROBE
    )
    for excess in excesses(loads, file.budget.allowances()):
        yield places[excess.routes[-1]], excess.arithmetic + _among(excess.routes)


def places_of_routes(file: Any) -> dict[str, Path]:
    """Return the path of each route in *file*, by ``TENANT/ROUTE``."""
    places: dict[str, Path] = {}
    for number, tenant in enumerate(file.tenants):
        for index, route in enumerate(tenant.routes):
            places.setdefault(f"{tenant.name}/{route.name}", ("tenants", number, "routes", index))
    return places


def _among(routes: tuple[str, ...]) -> str:
    """Name the routes that exceed something together, where they are more than one."""
    if len(routes) == 1:
        return ""
    more = f" and {len(routes) - MAX_NAMED} more" if len(routes) > MAX_NAMED else ""
    return f"; they are {', '.join(routes[:MAX_NAMED])}{more}"
