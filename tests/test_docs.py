"""Does the documentation say what the program does?"""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from agent.cli.exits import MEANINGS
from agent.cli.main import COMMANDS, cli
from agent.config import load
from agent.config.model import file_model
from agent.probes.base import discover
from servers.program import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("[A-Z]*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
_COMMAND = re.compile(
    r"^\s*(?:\$ )?(?:\.venv/bin/)?mailflow-agent (?P<words>(?:[^#|>\n\\]|\\\n)+)", re.MULTILINE
)
_INLINE = re.compile(r"`mailflow-agent ([a-z][^`]*)`")
_ROW = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SECRET = re.compile(r"_file: (\S+)$", re.MULTILINE)
_PROBE = re.compile(r"^\| \[`([\w-]+)`\]\(docs/checks/([\w-]+)\.md\) \|", re.MULTILINE)


def _commands() -> list[str]:
    found: dict[str, None] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL):
            found.update(
                dict.fromkeys(match["words"].strip() for match in _COMMAND.finditer(block))
            )
        found.update(dict.fromkeys(_INLINE.findall(text)))
    return list(found)


def _links() -> list[tuple[Path, str]]:
    return [
        (page, link)
        for page in PAGES
        for link, _ in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in link and not link.startswith("mailto:")
    ]


def test_every_link_leads_somewhere() -> None:
    broken = [f"{page}: {link}" for page, link in _links() if not (page.parent / link).exists()]
    assert not broken
    assert len(_links()) > 20


def _wrong_in(words: str) -> str:
    """Return what the program does not have of a command that is shown."""
    command: click.Command = cli
    rest = shlex.split(re.sub(r"[\[\]…]|\.\.\.", "", words))
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        below = command.get_command(click.Context(command), name)
        if below is None:
            return f"{words}: there is no {name}"
        command = below
    known = {"--help"}
    for parameter in command.params:
        known |= {*parameter.opts, *parameter.secondary_opts}
    shown = {word.partition("=")[0] for word in rest if word.startswith("--")}
    return f"{words}: there is no {shown - known}" if shown - known else ""


def test_commands_that_are_shown_exist_with_their_options() -> None:
    assert [wrong for words in _commands() if (wrong := _wrong_in(words))] == []
    assert _wrong_in("check example.com --resolvers x")
    assert _wrong_in("chek example.com")


def test_every_exit_code_is_documented_as_the_program_has_it() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    rows = {int(code): meaning for code, meaning in _ROW.findall(text)}
    assert rows == {int(code): meaning for code, meaning in MEANINGS.items()}


def test_the_readme_lists_every_probe() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert _PROBE.findall(text) == [(probe.kind, probe.kind) for probe in discover()]


def test_every_command_of_the_program_is_shown_somewhere() -> None:
    shown = {words.split()[0] for words in _commands()}
    assert shown >= set(COMMANDS) - {"generate"}  # `make generate` calls it


SNIPPETS = _YAML.findall((ROOT / "docs/routes.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_example_of_a_route_can_be_pasted(snippet: str, tmp_path: Path) -> None:
    if snippet.startswith(" "):  # what may stand in a route, shown at the shortest one
        snippet = SNIPPETS[0] + textwrap.indent(textwrap.dedent(snippet), " " * 8)
    for secret in _SECRET.findall(snippet):
        (tmp_path / secret).parent.mkdir(exist_ok=True)
        (tmp_path / secret).write_text("secret", encoding="utf-8")
    path = tmp_path / "config.yaml"
    path.write_text(snippet, encoding="utf-8")
    kinds = [check.target.kind for check in load(path).checks]
    assert "route" in kinds


TENANTS = _YAML.findall((ROOT / "docs/tenants.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("snippet", TENANTS)
def test_every_example_of_a_tenant_can_be_pasted(snippet: str, tmp_path: Path) -> None:
    for secret in ("mail.pem", "mail.key"):
        (tmp_path / secret).write_text("secret", encoding="utf-8")
    path = tmp_path / "config.yaml"
    path.write_text(snippet, encoding="utf-8")
    assert "tenant" in {check.target.kind for check in load(path).checks}


def test_the_examples_of_routes_show_each_place_with_its_credential() -> None:
    places = (r"receive:\s+imap:", r"receive:\s+graph:", r"send:\s+graph:")
    assert all(any(re.search(place, each) for each in SNIPPETS) for place in places)
    kinds = {kind for each in SNIPPETS for kind in re.findall(r"kind: (\S+)", each)}
    assert kinds >= {"password", "entra-client-credentials", "certificate"}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _settings(model: type[BaseModel]) -> Iterator[str]:
    """Yield every key of *model* and below, save those of credentials and checks."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in {"credentials", "checks"}:
            yield key
            for below in _models(field.annotation):
                yield from _settings(below)


def test_the_example_configuration_holds_every_setting() -> None:
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    keys = set(re.findall(r"^ *#? *(?:- )?(\w+):", text, re.MULTILINE))
    keys |= set(re.findall(r"[{ ](\w+): ", text))
    assert set(_settings(file_model(discover()))) <= keys
    below = re.search(r"^ *#imap:\n((?: *#  .*\n)+)", text, re.MULTILINE)
    assert below
    assert re.findall(r"#  (\w+):(.*)", below[1]) == [
        ("host", ""),
        ("port", " 993"),
        ("tls", " implicit"),
        ("credential", ""),
        ("mailbox", ""),
        ("folders", " []"),
    ]
