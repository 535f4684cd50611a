"""What goes over the configuration, and what of it do the parts of the agent need?"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from agent.adapters.clock import Clock
from agent.adapters.dialer import Dialer
from agent.adapters.dns_direct import Direct
from agent.adapters.egress import Egress
from agent.adapters.resolver import Resolver, system_resolvers
from agent.adapters.uplink import Uplink
from agent.adapters.wallet import Reader
from agent.adapters.x509_making import KeyPair
from agent.config import Config
from agent.config.credentials import ClientCertificate
from agent.domain.knowledge.microsoft_endpoints import Endpoints
from agent.probes.base import Check
from agent.probes.self_check import KIND as SELF
from agent.probes.self_check import SelfSettings
from agent.runtime.lane import Limits
from agent.runtime.watchdog import Patience
from agent.settings import RouteSubject

GRACE = timedelta(seconds=10)


class StartError(Exception):
    """The agent cannot start; the text says in one line why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What goes over the configuration, for the lab and for tests.

    ``detours`` sends connections to mail servers, and questions to name servers, elsewhere, and
    with ``detours_only`` nowhere else;
    ``roots`` are further trusted certificates in PEM; ``microsoft`` is where the identity provider
    and Graph are, in place of Microsoft's; ``grace`` is how long runs may take to end when the
    agent stops; ``patience`` is how long the event loop may be stuck; ``gate`` is awaited by each
    tick of the scheduler, so that the lab can hold it up.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)  # over the file, key by key
    beneath: Mapping[str, Any] = field(default_factory=dict)  # where the file says nothing
    resolvers: tuple[tuple[str, int], ...] = ()
    detours: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    detours_only: bool = False
    roots: tuple[bytes, ...] = ()
    microsoft: Endpoints | None = None
    listen: tuple[str, int] | None = None
    sink: tuple[str, int] | None = None
    grace: timedelta = GRACE
    patience: Patience | None = None
    gate: Callable[[], Awaitable[None]] | None = None


def resolvers(config: Config) -> tuple[tuple[str, int], ...]:
    """Return the resolvers to ask; `system` stands for those of this machine."""
    servers: list[tuple[str, int]] = []
    for entry in config.resolvers:
        servers += system_resolvers() if entry == "system" else [(entry.host, entry.port)]
    return tuple(dict.fromkeys(servers))


def resolving(config: Config, overrides: Overrides, clock: Clock) -> Resolver:
    """Return what asks DNS, yet to be started."""
    servers = overrides.resolvers or resolvers(config)
    return Resolver(servers, clock, trust_ad=config.agent.trust_ad)


def directly(overrides: Overrides, clock: Clock) -> Direct:
    """Return what asks one DNS server, past every resolver."""
    return Direct(clock, detours=overrides.detours, detours_only=overrides.detours_only)


def dialing(
    config: Config, overrides: Overrides, resolver: Resolver, clock: Clock
) -> tuple[Dialer, Egress]:
    """Return what connects to mail servers, and what knows whether that is possible at all."""
    dialer = Dialer(
        clock=clock,
        per_host=config.agent.limits.connections_per_host,
        spacing=config.agent.limits.spacing_per_host,
        detours=overrides.detours,
        detours_only=overrides.detours_only,
    )
    controls = [(each.host, each.port) for each in config.agent.egress_controls]
    always = [(each.host, each.port) for each in config.agent.uplink_controls]
    uplink = Uplink(always, resolver=resolver, dialer=dialer, clock=clock)
    egress = Egress(controls, resolver=resolver, dialer=dialer, clock=clock, uplink=uplink)
    return dialer, egress


def limits(config: Config) -> Limits:
    """Share out the runs among the kinds, so that none, and never our own check, has to wait."""
    kinds = {check.probe.kind for check in config.checks} - {SELF}
    runs = config.agent.limits.concurrency
    each = max(1, runs // max(1, len(kinds)))
    return Limits(runs=max(runs, len(kinds)) + 1, runs_per_kind=each)


def control_names(config: Config) -> tuple[str, ...]:
    """Return the names by which the agent's own check tells whether DNS is seen."""
    own = (each.settings for each in config.checks if isinstance(each.settings, SelfSettings))
    return next((each.control_names for each in own), ())


def route_checks(config: Config) -> list[Check[RouteSubject, Any]]:
    """Return the checks of routes."""
    return [check for check in config.checks if isinstance(check.target, RouteSubject)]


def routes(config: Config) -> list[RouteSubject]:
    """Return the routes that are checked."""
    return [check.target for check in route_checks(config)]


def hosts(config: Config) -> tuple[str, ...]:
    """Return the names under which people reach the page, besides loopback."""
    host = urlsplit(config.agent.external_url).hostname
    return () if host is None else (host,)


def pairs(config: Config) -> dict[str, Reader]:
    """Return how to read the client certificates of the configuration, by credential."""
    return {
        name: partial(read_pair, credential)
        for name, credential in config.credentials.items()
        if isinstance(credential, ClientCertificate)
    }


def read_pair(credential: ClientCertificate) -> KeyPair:
    """Read a certificate and its key as they are now. Raises ValueError."""
    certificates, key = credential.certificate_file.reveal(), credential.secret.reveal()
    return KeyPair(certificates.encode(), key.encode())
