"""The rules of the house that a linter does not know."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "agent").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE = 300
LONGEST_FUNCTION = 50
HOMES = {  # the one place that may import it
    "aiohttp": "agent/exposition/",
    "aiosmtplib": "agent/adapters/smtp.py",
    "apscheduler": "agent/runtime/scheduler.py",
    "bcrypt": "agent/exposition/http/",
    "click": "agent/cli/",
    "dkim": "agent/adapters/dkim_signing.py",
    "imapclient": "agent/adapters/imap",
    "msal": "agent/adapters/tokens",
    "OpenSSL": "agent/adapters/tls_learning.py",
    "cryptography": "agent/adapters/x509",
    "dns": "agent/adapters/dns_",
    "grafana_foundation_sdk": "agent/exposition/dashboards/",
    "idna": "agent/domain/names.py",
    "jinja2": "agent/exposition/pages/",
    "prometheus_client": "agent/exposition/",
    "publicsuffixlist": "agent/domain/public_suffix.py",
    "pydantic": "agent/settings/",
    "pydantic_core": "agent/settings/",
    "sqlite3": "agent/adapters/",
    "structlog": "agent/exposition/log.py",
    "yaml": "agent/config/",
}
ALSO = {  # the other one
    "aiohttp": "agent/adapters/https",
    "pydantic": "agent/config/",  # the whole border
    "pydantic_core": "agent/config/",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_every_outside_library_has_one_home() -> None:
    strays = defaultdict(list)
    for path in SOURCES:
        for library in set(imports(path)):
            if library in sys.stdlib_module_names - {"sqlite3"} or library == "agent":
                continue
            homes = (HOMES.get(library, "nowhere"), ALSO.get(library, "nowhere"))
            if not name_of(path).startswith(homes):
                strays[library].append(name_of(path))
    assert not strays


@pytest.mark.parametrize("library", sorted(HOMES))
def test_every_home_is_lived_in(library: str) -> None:
    homes = (HOMES[library], ALSO.get(library, HOMES[library]))
    assert any(name_of(path).startswith(homes) and library in imports(path) for path in SOURCES)


def test_every_file_is_read_in_one_sitting() -> None:
    long = {name_of(path): n for path in SOURCES if (n := lines(path)) > LONGEST_FILE}
    assert not long


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_every_function_fits_a_screen() -> None:
    long = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long[f"{name_of(path)}:{node.name}"] = length
    assert not long


def test_one_place_catches_everything() -> None:
    broad = [
        name_of(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"})
    ]
    assert broad == ["agent/runtime/runner.py"]


def test_every_module_opens_with_a_docstring() -> None:
    assert not [name_of(path) for path in SOURCES if not ast.get_docstring(parse(path))]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_tests_patch_nothing() -> None:
    pattern = re.compile(r"unittest\.mock|mock\.patch|setattr\(|time\.sleep\((?!.*on purpose)")
    found = [name_of(p) for p in TESTS if p != Path(__file__) and pattern.search(p.read_text())]
    assert not found


def test_the_architecture_page_names_modules_that_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    for path in re.findall(r"`(agent/[a-z_/.]+)`", text):
        assert (ROOT / path).exists(), path
