"""Which checks follow from the configuration?

Every subject is looked at by every probe for its kind, in the order of the file, unless it is
switched off, its settings leave nothing to do, or the probe has nothing to look at there. Subjects
that say nothing of their own share one settings object.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from agent.config.errors import Path
from agent.config.model import SECTION_OF_KIND, Probes, attribute, of_kind
from agent.config.tenant_model import listed
from agent.config.tenant_whole import subject_of
from agent.probes.base import Check
from agent.settings import AgentSubject, CheckSettings, Subject, TenantSubject

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


class Choices:
    """Which probes look at which kind of subject, and with which settings."""

    def __init__(self, file: Any, probes: Probes) -> None:
        kinds = (*SECTION_OF_KIND, TenantSubject.kind, AgentSubject.kind)
        self._of_kind = {
            kind: [_Chosen(probe, file.checks) for probe in of_kind(probes, kind)] for kind in kinds
        }

    def checks(
        self, tenant: str, subject: Subject, written: Any = None, path: Path = ()
    ) -> Iterator[Check[Any, Any] | Clash]:
        """Yield the checks of *subject*, and what does not fit together.

        *written* is what stands under its ``checks``, at *path* of the file; None for nothing.
        """
        for choice in self._of_kind[subject.kind]:
            place = (*path, "checks", choice.probe.kind)
            why = choice.probe.unfit(subject) if choice.probe.unfit else ""
            if why:
                if written is not None and choice.is_asked_for(written):
                    yield place, f"has no use here: {why}"
                continue
            try:
                settings = choice.default if written is None else choice.of(written)
            except ValidationError as error:
                context = error.errors()[0].get("ctx", {})
                yield place, str(context.get("error", "do not fit those for all"))
                continue
            is_idle = choice.probe.is_idle
            if settings is None or (is_idle and is_idle(settings)):
                continue
            if clash := settings.clash():
                for_all = ("checks", choice.probe.kind)
                yield for_all if settings is choice.default else place, clash
            else:
                yield Check(tenant, subject, choice.probe, settings)


def expand(file: Any, probes: Probes) -> tuple[tuple[Check[Any, Any], ...], tuple[Clash, ...]]:
    """Return the checks of *file*, and the paths of settings that clash, with the reason."""
    found: list[Check[Any, Any] | Clash] = []
    choices = Choices(file, probes)
    found += choices.checks(TENANT_OF_AGENT, AgentSubject(name=file.agent.vantage))
    for number, tenant in enumerate(file.tenants):
        domains = tuple(domain.name for domain in tenant.domains)
        path: Path = ("tenants", number)
        found += choices.checks(
            tenant.name, subject_of(tenant, file.credentials), tenant.checks, path
        )
        for _, place, subject in listed(tenant):
            placed = subject.within(domains)
            found += choices.checks(tenant.name, placed, subject.checks, (*path, *place))
    checks = tuple(each for each in found if isinstance(each, Check))
    return checks, tuple(each for each in found if isinstance(each, tuple))
