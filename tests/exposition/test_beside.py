"""Does the table beside checkdmarc have all that it warns about, and rules that exist?"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import checkdmarc

from agent.exposition.beside import LEFT_OUT, entries, render
from agent.probes.base import discover

SOURCES = sorted(Path(checkdmarc.__file__).parent.glob("*.py"))
READ = {path.stem: ast.parse(path.read_text()) for path in SOURCES if path.stem not in LEFT_OUT}


def exceptions() -> Iterator[str]:
    """The classes that are exceptions, or come from one that is."""
    known = {"Exception"}
    for node in (node for tree in READ.values() for node in ast.walk(tree)):
        if isinstance(node, ast.ClassDef) and known & {ast.unparse(base) for base in node.bases}:
            known.add(node.name)
            yield node.name


def warnings() -> Counter[str]:
    """How many lines put something into a list of warnings, by module and function."""
    found: Counter[str] = Counter()
    for module, tree in READ.items():
        for function in tree.body:
            if isinstance(function, ast.FunctionDef):
                sites = sum(map(is_warning, ast.walk(function)))
                found[f"{module}.{function.name}"] += sites
    return +found


def is_warning(node: ast.AST) -> bool:
    """Whether it is `warnings.append(…)`; what is added as a list was said elsewhere."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.append"


def test_every_exception_and_every_warning_is_in_the_table() -> None:
    said = entries()
    classes = [each.place for each in said if each.is_class]
    assert len(set(classes)) == len(classes)
    assert set(exceptions()) == set(classes)
    told: Counter[str] = Counter()
    for each in said:
        if not each.is_class:
            told[each.place] += each.sites
    assert told == warnings()


def test_every_module_is_read_or_left_out_for_a_reason() -> None:
    assert READ.keys() | LEFT_OUT.keys() == {path.stem for path in SOURCES}
    assert {"spf", "dmarc", "mta_sts", "smtp", "smtp_tls_reporting", "utils"} == READ.keys()


def test_every_row_has_a_rule_that_exists_or_a_reason() -> None:
    codes = {rule.code for probe in discover() for rule in probe.all_rules}
    for each in entries():
        assert each.rules or each.why, each
        assert set(each.rules) <= codes, each
        assert f"| `{each.place}` | {each.about} |" in render()
