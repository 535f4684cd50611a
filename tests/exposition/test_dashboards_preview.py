"""Can the preview still draw every dashboard? What is cheap to tell without npm."""

import json
import re

import pytest

from servers.dashboards import BOARDS, panels
from servers.program import ROOT

FOLDER = ROOT / "grafana/preview"
MODULES = sorted((FOLDER / "src").iterdir())
LONGEST = 200
PACKAGES = json.loads((FOLDER / "package.json").read_text())


def imported(text: str) -> set[str]:
    return set(re.findall(r'^(?:import|export)\b[^;]*?from "([^"]+)";', text, re.MULTILINE))


def test_every_type_of_panel_has_a_renderer() -> None:
    text = (FOLDER / "src/panels.jsx").read_text()
    (table,) = re.findall(r"^const RENDERERS = \{$(.*?)^\};$", text, re.MULTILINE | re.DOTALL)
    drawn = set(re.findall(r'^  "?([\w-]+)"?: \[', table, re.MULTILINE))
    assert drawn == {panel["type"] for board in BOARDS.values() for panel in panels(board)}


def test_every_variable_is_of_a_kind_that_it_knows() -> None:
    variables = [each for board in BOARDS.values() for each in board["templating"]["list"]]
    assert {each["type"] for each in variables} == {"datasource", "query"}
    for each in variables:
        if each["type"] == "query":
            assert re.fullmatch(r"label_values\((.+), *(\w+)\)", each["query"])


@pytest.mark.parametrize("name", [path.name for path in MODULES])
def test_every_module_is_short_and_imports_what_is_there(name: str) -> None:
    text = (FOLDER / "src" / name).read_text()
    assert len(text.splitlines()) < LONGEST
    assert text.startswith("// ")
    for source in imported(text):
        if source.startswith("./"):
            assert (FOLDER / "src" / source).is_file()
        else:
            package = "/".join(source.split("/")[: 2 if source[0] == "@" else 1])
            assert package in PACKAGES["dependencies"]


def test_libraries_are_pinned_and_nothing_is_locked_to_a_place() -> None:
    for version in (*PACKAGES["dependencies"].values(), *PACKAGES["overrides"].values()):
        assert re.fullmatch(r"(npm:[\w-]+@)?\d+\.\d+\.\d+(-beta\.\d+)?", version)
    for name, version in PACKAGES["overrides"].items():
        assert PACKAGES["dependencies"].get(name, version) == version
    assert not list(FOLDER.glob("*lock*"))
