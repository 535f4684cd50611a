"""Which checks follow from the configuration?

Every subject is looked at by every probe for its kind, in the order of the file, unless it is
switched off or the probe has nothing to look at there. Subjects that say nothing of their own share
one settings object.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from agent.config.errors import Path
from agent.config.model import SECTION_OF_KIND, Probes, attribute, of_kind
from agent.probes.base import Check
from agent.settings import AgentSubject, CheckSettings

TENANT_OF_AGENT = "agent"
Clash = tuple[Path, str]


class _Chosen:
    """The settings of one probe: for all subjects, and for those that say otherwise."""

    def __init__(self, probe: Any, for_all: Any) -> None:
        self.probe = probe
        self.attribute = attribute(probe)
        self.default: CheckSettings | None = getattr(for_all, self.attribute)

    def is_asked_for(self, checks: Any) -> bool:
        """Tell whether a subject with *checks* sets this probe up for itself."""
        written = self.attribute in checks.model_fields_set
        return written and getattr(checks, self.attribute) is not None

    def of(self, checks: Any) -> CheckSettings | None:
        """Return the settings for a subject with *checks*, None where it is switched off.

        What a subject says goes over what is said for all, key by key. Raises ValidationError
        where the two do not fit together.
        """
        if self.attribute not in checks.model_fields_set:
            return self.default
        own: CheckSettings | None = getattr(checks, self.attribute)
        default = self.default
        if own is None or default is None or not default.model_fields_set - own.model_fields_set:
            return own
        values = {name: getattr(default, name) for name in default.model_fields_set}
        values |= {name: getattr(own, name) for name in own.model_fields_set}
        merged = self.probe.settings(**values)
        assert isinstance(merged, CheckSettings)  # noqa: S101 - says so to the type checker
        return merged


def expand(file: Any, probes: Probes) -> tuple[tuple[Check[Any, Any], ...], tuple[Clash, ...]]:
    """Return the checks of *file*, and the paths of settings that clash, with the reason."""
    checks: list[Check[Any, Any]] = []
    clashes: list[Clash] = []
    me = AgentSubject(name=file.agent.vantage)
    for probe in of_kind(probes, AgentSubject.kind):
        settings = getattr(file.checks, attribute(probe))
        if settings is not None:
            checks.append(Check(TENANT_OF_AGENT, me, probe, settings))
    chosen = {
        section: [_Chosen(probe, file.checks) for probe in of_kind(probes, kind)]
        for kind, (section, _, _) in SECTION_OF_KIND.items()
    }
    for path, tenant, subject, choice in _pairs(file, chosen):
        why = choice.probe.unfit(subject) if choice.probe.unfit else ""
        if why:
            if choice.is_asked_for(subject.checks):
                clashes.append(((*path, "checks", choice.probe.kind), f"has no use here: {why}"))
            continue
        try:
            settings = choice.of(subject.checks)
        except ValidationError as error:
            reason = str(error.errors()[0].get("ctx", {}).get("error", "do not fit those for all"))
            clashes.append(((*path, "checks", choice.probe.kind), reason))
            continue
        if settings is not None:
            checks.append(Check(tenant, subject, choice.probe, settings))
    return tuple(checks), tuple(clashes)


def _pairs(file: Any, chosen: dict[str, list[_Chosen]]) -> Iterator[tuple[Path, str, Any, _Chosen]]:
    """Yield each subject with each probe for it, in the order of the file."""
    for number, tenant in enumerate(file.tenants):
        domains = tuple(domain.name for domain in tenant.domains)
        for section, choices in chosen.items():
            for index, subject in enumerate(getattr(tenant, section)):
                path = ("tenants", number, section, index)
                placed = subject.within(domains)
                for choice in choices:
                    yield path, tenant.name, placed, choice
