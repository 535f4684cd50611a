"""What is a probe?

A value. One file of this package ends in ``PROBE = Probe(...)``; the configuration schema, the
metrics, the alerts, the runbooks and the documentation derive from it. A probe has no state between
two runs: what must be remembered lives in the toolbox, under its own name.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from agent.adapters.excuses import Excuses
from agent.adapters.uncollected import uncollected
from agent.domain.finding import Measurement, Outcome, Rule, Severity, Signal
from agent.settings import CheckSettings, Subject

if TYPE_CHECKING:
    from agent.adapters.clock import Clock
    from agent.adapters.dialer import Dialer
    from agent.adapters.dns_direct import Direct
    from agent.adapters.egress import Egress
    from agent.adapters.history import History
    from agent.adapters.ledger import Ledger
    from agent.adapters.outbox import Outbox
    from agent.adapters.pickups import Pickups
    from agent.adapters.plans import Recall
    from agent.adapters.policies import Policies
    from agent.adapters.registries import Registries
    from agent.adapters.resolver import Resolver
    from agent.adapters.sightings import Sightings
    from agent.adapters.tenancies import Tenancies
    from agent.adapters.tokens import CredentialStatus
    from agent.adapters.trust import TrustStore
    from agent.adapters.wallet import Wallet

T = TypeVar("T", bound=Subject)
S = TypeVar("S", bound=CheckSettings)


class Vitals(Protocol):
    """How the process of the agent does."""

    def loop_lag(self) -> timedelta:
        """Return the largest lag of the event loop in the last minute."""
        ...

    def overdue_tasks(self) -> tuple[str, ...]:
        """Return the names of tasks of the agent that show no sign of life."""
        ...

    def store_trouble(self) -> str:
        """Say in a sentence why the store does not take what it should; empty when it does."""
        ...


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What a run may use of the world."""

    resolver: "Resolver"
    clock: "Clock"
    recall: "Recall"
    history: "History"
    ledger: "Ledger"
    dialer: "Dialer"
    trust: "TrustStore"
    egress: "Egress | None" = None  # without it nobody asks whether a port is open from here
    policies: "Policies | None" = None  # only connectors that deliver by MX ask for them
    registries: "Registries | None" = None  # only checks of registrations ask them
    wallet: "Wallet | None" = None  # only inbound connectors show certificates
    outbox: "Outbox | None" = None  # only routes send messages
    pickups: "Pickups | None" = None  # only routes that end in a mailbox look at it
    sightings: "Sightings | None" = None  # without it nobody remembers certificates
    tenancies: "Tenancies | None" = None  # only the checks of tenants look at them
    direct: "Direct | None" = None  # only checks of name servers and signatures ask one by one
    vitals: "Vitals | None" = None  # only the agent's own check looks at these
    credentials: "Callable[[], tuple[CredentialStatus, ...]] | None" = None  # as above
    excuses: Excuses = field(default_factory=Excuses)  # as above


@dataclass(frozen=True, slots=True)
class Probe(Generic[T, S]):
    """A kind of measurement, declared once.

    ``subject`` is the class of what it looks at; ``settings`` the class of what an operator may
    tune. ``depends_on`` names the dependencies (``resolver``, ``uplink``) without which a run could
    tell nothing. ``initial`` gives the measurements that exist before the first run of this
    process, so that counters start at 0, or where they stood before a restart. ``polite`` is the
    interval below which the servers of others, which it talks to, may turn this machine away; zero
    where it talks to none. ``example`` is a short YAML value for the example file. ``unfit`` says
    why the probe has nothing to look at in a subject of its kind, such as an outbound connector; an
    empty text where it has. ``is_idle`` tells whether settings leave nothing to do, such as an
    empty list; then there is no check. ``one_off`` are the settings for a single look at a subject
    of which nothing but the name is known: what takes time to be judged is judged at once. None
    where public data and a name are not enough. ``after`` are the kinds whose runs note what this
    one compares, for where both look but once.
    """

    kind: str
    subject: type[T]
    settings: type[S]
    run: "Callable[[Check[T, S], Toolbox], Awaitable[Outcome]]"
    rules: tuple[Rule, ...]
    signals: tuple[Signal, ...] = ()
    depends_on: tuple[str, ...] = ()
    initial: "Callable[[Check[T, S], Toolbox], tuple[Measurement, ...]] | None" = None
    polite: timedelta = timedelta()
    example: str = ""
    unfit: "Callable[[T], str] | None" = None
    is_idle: "Callable[[S], bool] | None" = None
    one_off: S | None = None
    after: tuple[str, ...] = ()

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The probe's own rules and those that every probe has."""
        return (*self.rules, *SHARED_RULES)


@dataclass(frozen=True, slots=True, eq=False)
class Check(Generic[T, S]):
    """One probe applied to one subject of one tenant, with its settings.

    ``identity`` is what stays the same over reloads and restarts, such as
    ``contoso/domain/contoso.com/spf``. It is made once, because every run needs it many times.
    """

    tenant: str
    target: T
    probe: Probe[T, S]
    settings: S
    identity: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        identity = f"{self.tenant}/{self.target.kind}/{self.subject}/{self.probe.kind}"
        object.__setattr__(self, "identity", identity)

    @property
    def subject(self) -> str:
        """The name of the subject, as the ``subject`` label has it."""
        return self.target.name

    def initial(self, tools: Toolbox) -> tuple[Measurement, ...]:
        """Return what is measured before the first run."""
        return () if self.probe.initial is None else self.probe.initial(self, tools)


DNS_UNANSWERED = Rule(
    code="dns-unanswered",
    severity=Severity.UNKNOWN,
    summary="DNS could not say",
    remedy="Nothing is known to be wrong with the domain. See why the resolver does not answer:"
    " ask it for the same name with `dig`, then ask the domain's own name servers.",
    reference="RFC 2308 section 7",
)
TIMED_OUT = Rule(
    code="run-timed-out",
    severity=Severity.UNKNOWN,
    summary="The run did not end before its deadline",
    remedy="Look at the walk for the phase that took the time. Raise the check's `timeout` only if"
    " the peer is known to be slow.",
    reference="docs/architecture.md",
)
CRASHED = Rule(
    code="run-crashed",
    severity=Severity.UNKNOWN,
    summary="The probe crashed; this is a bug of the agent",
    remedy="Report it with the traceback from the log. The subject may be fine.",
    reference="docs/architecture.md",
)
DEPENDENCY_DOWN = Rule(
    code="dependency-down",
    severity=Severity.UNKNOWN,
    summary="Not run, because something it depends on is down",
    remedy="Mend the dependency that the finding names; this check resumes by itself.",
    reference="docs/architecture.md",
)
SHARED_RULES = (DNS_UNANSWERED, TIMED_OUT, CRASHED, DEPENDENCY_DOWN)


@cache
def discover() -> tuple[Probe[Any, Any], ...]:
    """Return every probe of this package, by kind.

    Raises TypeError, naming the file, for a module that does not end in a ``PROBE``.
    """
    with uncollected():
        package = importlib.import_module("agent.probes")
        names = [each.name for each in pkgutil.iter_modules(package.__path__)]
        modules = {name: importlib.import_module(f"agent.probes.{name}") for name in names}
    probes = []
    for name, module in modules.items():
        if name == "base":
            continue
        probe = getattr(module, "PROBE", None)
        if not isinstance(probe, Probe):
            message = f"agent/probes/{name}.py must end in PROBE = Probe(...)"
            raise TypeError(message)
        probes.append(probe)
    return tuple(sorted(probes, key=lambda probe: probe.kind))
