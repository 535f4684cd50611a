"""What is no mistake in a configuration, but worth a line?

Secrets that everybody may read, ways to log in that Microsoft takes away, a package that a
credential will need, and exports that are not there. All of it can be said of a file with mistakes,
too.
"""

from collections.abc import Callable, Iterator
from datetime import date
from glob import has_magic, iglob
from importlib.util import find_spec
from pathlib import Path as FilePath
from typing import Any, Final

from agent.config.credentials import ENTRA_KINDS
from agent.config.errors import Path
from agent.config.route_references import retirements
from agent.config.tenant_model import imported
from agent.settings import Secret

Advice = tuple[Path, str]
TOKEN_PACKAGE: Final = "msal"  # noqa: S105 - the name of a package
NO_PAGE: Final = (
    "is every address of this machine, and none that leads to it: alerts have no links to the page"
    " until `agent.external_url` says where people reach it"
)
INSTALL: Final = "pip install 'mailflow-agent[microsoft]'"


def installed(package: str) -> bool:
    """Tell whether *package* could be imported, without doing so."""
    return find_spec(package) is not None


def advice(
    file: Any, kinds: dict[str, str], today: date, has: Callable[[str], bool] = installed
) -> Iterator[Advice]:
    """Yield what is worth a line about *file*, with its path in it.

    *kinds* are the credentials that were written, right or wrong; *has* tells what is installed.
    """
    yield from _readable_by_all(file)
    yield from _without_tokens(kinds, has)
    yield from retirements(file, kinds, today)


def without_exports(file: Any, folder: FilePath) -> Iterator[Advice]:
    """Yield the places in *folder* where a tenant's exports should be and no file is.

    Apart from :func:`advice`, because it blocks for as long as a file system does not answer.
    """
    for index, tenant in enumerate(file.tenants):
        exports = imported(tenant)
        for number, path in enumerate(exports.files if exports else ()):
            if not _leads_somewhere(folder / path):
                what = f"there is no export at {path} yet, and without it no connector is checked"
                yield ("tenants", index, "connectors", "import", number), what


def _leads_somewhere(path: FilePath) -> bool:
    try:
        if path.is_dir():
            return any(each.suffix.lower() == ".json" for each in path.iterdir())
        return path.exists() or (has_magic(str(path)) and any(iglob(str(path))))  # noqa: PTH207
    except OSError:
        return False  # whoever may not look cannot read either


def _readable_by_all(file: Any) -> Iterator[Advice]:
    for name, credential in file.credentials.items():
        for key in type(credential).model_fields:
            value = getattr(credential, key)
            if isinstance(value, Secret) and value.readable_by_all:
                message = f"{value.path} can be read by every user of this machine; chmod 600"
                yield ("credentials", name, key), message


def _without_tokens(kinds: dict[str, str], has: Callable[[str], bool]) -> Iterator[Advice]:
    """Yield the first credential that needs tokens where nothing can fetch them."""
    needy = [name for name, kind in kinds.items() if kind in ENTRA_KINDS]
    if needy and not has(TOKEN_PACKAGE):
        yield (
            ("credentials", needy[0]),
            f"needs the package {TOKEN_PACKAGE}, which is not installed: {INSTALL}",
        )
