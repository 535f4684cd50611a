"""Which keys does a tenant have in the file?

Its subjects stand in sections, each by its name. The connectors may be imported instead: then the
section says where the exports lie, and what is to be said of single connectors beside them.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, Tag, create_model

from agent.config.checks_model import Probes, checks_model, of_kind
from agent.config.errors import Path
from agent.settings import (
    ConnectorSubject,
    DomainSubject,
    Duration,
    Gateways,
    ImportedConnector,
    ImportPaths,
    Name,
    RouteSubject,
    Settings,
    Subject,
    TenantId,
    TenantSubject,
)

SECTION_OF_KIND: Final[dict[str, tuple[str, type[Subject], str]]] = {
    "domain": ("domains", DomainSubject, "Mail domains."),
    "connector": (
        "connectors",
        ConnectorSubject,
        "Connectors, as Exchange Online has them; or `{import: FILE}`, to read what it exports.",
    ),
    "route": ("routes", RouteSubject, "Ways that mail takes, walked by synthetic messages."),
}
OVERRIDES: Final = "overrides"
_IMPORTED: Final = "as exported"  # no key of the file: errors leave it out of their paths
_MAX_FILES = 50  # patterns of one tenant


def entry_model(subject: type[Settings], title: str, checks: type[Settings]) -> type[Settings]:
    """Build the model of a subject in the file: what it is, and how it is checked."""
    return create_model(
        f"{title}Entry",
        __base__=subject,
        __doc__=subject.__doc__,
        checks=(
            checks,
            Field(default=checks(), description="Settings of single checks, or `off`."),
        ),
    )


def tenant_model(probes: Probes) -> type[Settings]:
    """Build the model of a tenant for *probes*."""
    sections: dict[str, Any] = {}
    for kind, (section, subject, description) in SECTION_OF_KIND.items():
        title = kind.capitalize()
        checks = checks_model(f"{title}Checks", of_kind(probes, kind))
        entries: Any = tuple[entry_model(subject, title, checks), ...]  # type: ignore[misc]
        if subject is ConnectorSubject:
            entries = _or_imported(entries, entry_model(ImportedConnector, "Imported", checks))
        sections[section] = (entries, Field(default=(), description=description))
    checks = checks_model("TenantChecks", of_kind(probes, TenantSubject.kind))
    return create_model(
        "Tenant",
        __base__=Settings,
        __doc__="One Microsoft 365 organisation.",
        name=(Name, Field(description="Its name, as the `tenant` label has it.")),
        tenant_id=(
            TenantId | None,
            Field(default=None, description="Its id in Entra, which messages are stamped with."),
        ),
        gateways=(
            Gateways | None,
            Field(
                default=None,
                description="For a provider that relays its customers' mail: the hosts that do.",
            ),
        ),
        **sections,
        checks=(
            checks,
            Field(default=checks(), description="Settings of the checks of the tenant as a whole."),
        ),
    )


def _or_imported(entries: Any, override: type[Settings]) -> Any:
    """Let a section of connectors be a list, or say where they are imported from."""
    imported = create_model(
        "Imported",
        __base__=Settings,
        __doc__="Where the exports of a tenant lie.",
        files=(
            ImportPaths,
            Field(
                alias="import",
                min_length=1,
                max_length=_MAX_FILES,
                description="Files that PowerShell exported, folders of them, or patterns such as"
                " `export/*.json`; relative to this file. They are read again when they change.",
            ),
        ),
        max_age=(
            Duration,
            Field(
                default=timedelta(hours=26),
                ge=timedelta(minutes=1),
                description="Age from which on an export is stale, and proves nothing any more.",
            ),
        ),
        overrides=(
            tuple[override, ...],  # type: ignore[valid-type] # the type is made at run time
            Field(default=(), description="What is to be said of single connectors beside it."),
        ),
    )
    choice = Annotated[entries, Tag("listed")] | Annotated[imported, Tag(_IMPORTED)]
    return Annotated[choice, Discriminator(_which)]


def _which(value: Any) -> str:
    return _IMPORTED if isinstance(value, dict | Settings) else "listed"


def imported(tenant: Any) -> Any | None:
    """Return what *tenant* says of its exports; None where it lists its connectors itself."""
    return None if isinstance(tenant.connectors, tuple) else tenant.connectors


def listed(tenant: Any) -> Iterator[tuple[str, Path, Any]]:
    """Yield the subjects that *tenant* lists: their kind, their path in the tenant, and each."""
    for kind, (section, _, _) in SECTION_OF_KIND.items():
        value = getattr(tenant, section)
        for index, subject in enumerate(value if isinstance(value, tuple) else ()):
            yield kind, (section, index), subject
