"""What does a command lend to the checks of a tenant as a whole?

They read an export and ask DNS, and need nothing else of the world, so nothing else is loaded: the
libraries for TLS, HTTPS and routes take longer to start than a tenant to judge.
"""

import importlib
from typing import Any, Final, cast

from agent.adapters.clock import SystemClock
from agent.adapters.plans import Recall, Resolves
from agent.adapters.tenancies import Tenancies
from agent.probes.base import Probe, Toolbox

KINDS: Final = ("attribution", "drift", "export", "hygiene", "loop", "retirement")


def probes_of_tenants() -> tuple[Probe[Any, Any], ...]:
    """Return the probes that look at a tenant as a whole."""
    modules = (importlib.import_module(f"agent.probes.{kind}") for kind in KINDS)
    return tuple(module.PROBE for module in modules)


def toolbox_of_tenants(resolver: Resolves, tenancies: Tenancies) -> Toolbox:
    """Return tools with which no connection can be made, and nothing is remembered."""
    none = cast("Any", None)
    return Toolbox(
        resolver=none,
        clock=SystemClock(),
        recall=Recall(resolver),
        history=none,
        ledger=none,
        dialer=none,
        trust=none,
        tenancies=tenancies,
    )
