"""Which tenants do the files of the command line, or the configuration, say that there are?"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.adapters.export_files import ExportError, ExportReading, read_tenant
from agent.cli.wrong_export import WrongExport
from agent.config import Config
from agent.config.tenant_whole import subject_of
from agent.domain.tenancy.objects import Export
from agent.domain.tenancy.tenancies import Tenancy
from agent.settings.tenancy import tenancy_of

UNNAMED = "tenant"


def imported(arguments: Iterable[str]) -> Iterator[Tenancy]:
    """Read tenants from ``PATH`` or ``NAME=PATH``; those without a name are one tenant.

    That one has the name that its organisation has, or its first domain.
    """
    paths: dict[str, list[str]] = {}
    for argument in arguments:
        name, separator, path = argument.partition("=")
        if separator and not Path(argument).exists():
            paths.setdefault(name, []).append(path)
        else:
            paths.setdefault("", []).append(argument)
    for name, found in paths.items():
        export = _read(found).export
        yield Tenancy(name=name or _name_of(export), export=export)


def _name_of(export: Export) -> str:
    if export.organisation is not None and export.organisation.name:
        return export.organisation.name.partition(".")[0]
    initial = [each.name for each in export.domains or () if each.is_initial]
    return next(iter([*initial, *export.domain_names]), UNNAMED).partition(".")[0]


def tenancies_of(config: Config) -> Iterator[Tenancy]:
    """Read the tenants of the configuration that import what Exchange exports."""
    for tenant in config.file.tenants:
        subject = subject_of(tenant, config.file.credentials)
        if subject.imports:
            yield tenancy_of(subject, _read(subject.imports, config.folder).export)


def _read(paths: Iterable[str], base: Path | None = None) -> ExportReading:
    try:
        return read_tenant(paths, base)
    except ExportError as error:
        raise WrongExport(error) from None
