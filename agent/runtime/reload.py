"""What of a configuration that is loaded again is new?

A check that says the same as before stays the very object, and with it everything that is
remembered for it. A part of the file that is built into the running agent takes a restart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.config import Config, load
from agent.probes import self_check
from agent.probes.base import Check
from agent.settings import DomainSubject

Checks = tuple[Check[Any, Any], ...]
_CONTROL_DOMAINS = 3


def read(
    path: Path, override: Mapping[str, Any], beneath: Mapping[str, Any] | None = None
) -> Config:
    """Load the configuration, with *override* over it and *beneath* where it says nothing.

    It takes long for a long file: to be called in a thread. Raises ConfigError.
    """
    return load(path, override=override, beneath=beneath, exports=False)


def complete(config: Config, imported: Checks = (), before: Checks = ()) -> Config:
    """Return *config* with the *imported* checks, keeping those of *before* that say the same."""
    everything = (*config.checks, *imported)
    domains = tuple(
        dict.fromkeys(
            check.subject for check in everything if isinstance(check.target, DomainSubject)
        )
    )[:_CONTROL_DOMAINS]
    checks = (
        self_check.with_controls(check, domains) if check.probe is self_check.PROBE else check
        for check in everything
    )
    return replace(config, checks=keep_same(before, checks))


def keep_same(before: Checks, checks: Iterable[Check[Any, Any]]) -> Checks:
    """Return *checks*, each as the object that it was *before* where nothing about it changed."""
    known = {check.identity: check for check in before}
    return tuple(_same(known.get(check.identity), check) for check in checks)


def _same(before: Check[Any, Any] | None, check: Check[Any, Any]) -> Check[Any, Any]:
    if (
        before is not None
        and before.probe is check.probe
        and before.settings == check.settings
        and before.target == check.target
    ):
        return before
    return check


def needs_restart(before: Config, after: Config) -> bool:
    """Tell whether *after* changes what is only read at the start."""
    return (before.agent, before.resolvers, before.sink, before.budget) != (
        after.agent,
        after.resolvers,
        after.sink,
        after.budget,
    )
