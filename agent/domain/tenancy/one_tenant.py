"""Are all these objects of one tenant?

Exports of two tenants in one folder look like one tenant with the connectors of both, and every
rule would say nonsense. What tells them apart is what a tenant has only one of.
"""

from collections.abc import Iterable, Iterator

from agent.domain.tenancy.export_kinds import Found
from agent.domain.tenancy.export_organisation import tenant_id_of
from agent.domain.tenancy.export_trouble import Notes, Place
from agent.domain.tenancy.export_values import Cell, flag, label
from agent.domain.tenancy.objects import MICROSOFT_DOMAINS

_RIGHT = "import the files of one tenant only, and of one run of the export"
_HOSTED = "/microsoft exchange hosted organizations/"


def see_one_tenant(found: Iterable[Found], notes: Notes) -> None:
    """Note a mistake where the objects are of several tenants."""
    quiet = Notes()
    first: dict[str, tuple[str, Place]] = {}
    for each in found:
        for trait, value in _traits(each, quiet):
            known, there = first.setdefault(trait, (value, each.properties.place))
            if known != value:
                place = each.properties.place
                where = there.path if there.file == place.file else f"{there.file}: {there.path}"
                what = f"is of another tenant: {trait} is {value}, and {known} in {where}"
                notes.mistake(place, what, _RIGHT)


def _traits(found: Found, quiet: Notes) -> Iterator[tuple[str, str]]:
    """Yield what every object of one tenant has the same value of, where it has any."""
    properties = found.properties

    def cell(name: str) -> Cell:
        return Cell(properties.cell(name).value, properties.place, quiet)

    organisation = _tenant_part(label(cell("OrganizationId")).lower())
    if organisation:
        yield "its OrganizationId", organisation
    if found.kind == "org":
        tenant_id = tenant_id_of(properties)
        if tenant_id:
            yield "its id", tenant_id
    if found.kind == "domains":
        name = label(cell("DomainName")).lower() or label(cell("Name")).lower()
        if flag(cell("Default")):
            yield "the default domain", name
        if flag(cell("InitialDomain")) and name.endswith(MICROSOFT_DOMAINS):
            yield "the initial domain", name


def _tenant_part(organisation: str) -> str:
    """Return what of an OrganizationId names the tenant: servers before and after it may differ."""
    _, hosted, rest = organisation.partition(_HOSTED)
    return rest.split(" - ")[0].split("/")[0] if hosted else organisation
