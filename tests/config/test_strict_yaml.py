"""What the strict reader makes of YAML, with either parser underneath."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.config.compose import MAX_ALIASED, MAX_DEPTH, Place
from agent.config.scalars import trap
from agent.config.strict_yaml import locate, read, write
from agent.config.yaml_text import MAX_SIZE, StrictYamlError
from agent.config.yaml_words import in_our_words

CORPUS = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest) -> Any:
    return getattr(yaml, request.param)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("no", "no", id="no is no boolean"),
        pytest.param("Yes", "Yes", id="yes is no boolean"),
        pytest.param("on", "on", id="on is no boolean"),
        pytest.param("022", "022", id="no octal"),
        pytest.param("0o17", "0o17", id="no octal of YAML 1.2"),
        pytest.param("0x1F", "0x1F", id="no hexadecimal"),
        pytest.param("12:30:45", "12:30:45", id="no base 60"),
        pytest.param("1_000", "1_000", id="no underscores"),
        pytest.param(".inf", ".inf", id="not infinite"),
        pytest.param(".NaN", ".NaN", id="not a NaN"),
        pytest.param("2026-01-01", "2026-01-01", id="no date"),
        pytest.param("=", "=", id="no default value"),
        pytest.param("1e999", "1e999", id="no overflow"),
        pytest.param("1234567890123456789", "1234567890123456789", id="no endless number"),
        pytest.param("true", True, id="true"),
        pytest.param("False", False, id="false"),
        pytest.param("~", None, id="null"),
        pytest.param("", None, id="nothing"),
        pytest.param("0", 0, id="zero"),
        pytest.param("-17", -17, id="negative"),
        pytest.param("1.5", 1.5, id="fraction"),
        pytest.param(".5", 0.5, id="fraction without zero"),
        pytest.param("1e3", 1000.0, id="exponent"),
        pytest.param("'12'", "12", id="in quotes"),
        pytest.param('"true"', "true", id="in double quotes"),
    ],
)
def test_a_plain_scalar_is_what_it_looks_like(written: str, meant: object, loader: Any) -> None:
    data = read(f"key: {written}\n".encode(), loader=loader).data
    assert data == {"key": meant}
    assert type(data["key"]) is type(meant)


def test_a_key_is_text_however_it_looks(loader: Any) -> None:
    assert read(b"no: 1\n1: 2\n~: 3\n", loader=loader).data == {"no": 1, "1": 2, "~": 3}


def test_a_byte_order_mark_is_no_part_of_the_text(loader: Any) -> None:
    assert read(b"\xef\xbb\xbfa: 1\n", loader=loader).data == {"a": 1}


def test_an_alias_within_bounds_stands_for_its_anchor(loader: Any) -> None:
    document = read(b"a: &x [1, {b: &y 2}]\nc: *x\nd: [*y]\n", loader=loader)
    assert document.data == {"a": (1, {"b": 2}), "c": (1, {"b": 2}), "d": (2,)}
    assert document.problems == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("*a", "the alias *a has no anchor", id="alias alone"),
        pytest.param("a: &a 1\n*a : 1", "a key cannot be an alias", id="alias as key"),
        pytest.param("{a: 1}: 1", "a key must be text", id="mapping as key"),
        pytest.param("a: 1\n...\nb: 2", "a second document begins", id="two documents"),
        pytest.param("%FOO\n...\n--- b: 2", "", id="directive"),
        pytest.param("a: |x\n b", "", id="block header"),
        pytest.param("a: &\n", "an anchor or alias without", id="anchor without name"),
        pytest.param("a: !<x\n", "", id="tag that does not end"),
        pytest.param("a: '\n---\n'", "a quote that is never closed", id="document in quotes"),
        pytest.param("a: {b\n", "", id="brace"),
        pytest.param("- a\nb", "", id="list and word"),
        pytest.param("a: - b", "", id="list on the line of its key"),
        pytest.param("a: `", "no value can begin with `", id="backquote"),
        pytest.param('a: "\\xzz"', "a backslash", id="hexadecimal escape"),
    ],
)
def test_what_is_no_yaml_is_refused_in_our_words(text: str, message: str, loader: Any) -> None:
    with pytest.raises(StrictYamlError) as caught:
        read(text.encode(), loader=loader)
    assert message in str(caught.value)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("&k key: 1", "a key cannot be an anchor", id="anchor on a key"),
        pytest.param("a: !x {b: 1}", "tags", id="tag on a mapping"),
        pytest.param("a: !x [b]", "tags", id="tag on a list"),
        pytest.param('"a\\u0007": 1', "holds the invisible character U+0007", id="bell in a key"),
        pytest.param("a: {<<: {b: 1}}", "merge keys", id="merge key"),
    ],
)
def test_milder_mistakes_do_not_end_the_reading(text: str, message: str, loader: Any) -> None:
    document = read(f"{text}\nlast: 1\nlast: [2, {{x: 3}}]\n".encode(), loader=loader)
    assert document.data["last"] == 1
    assert [problem.message for problem in document.problems][1:] == [
        "the key last is here twice; only one can count"
    ]
    assert message in document.problems[0].message


def test_places_are_those_of_keys_and_items(loader: Any) -> None:
    places = locate(b"a:\n  - b: x\n    c:\n      022\n  - d\n'e': 'f'\ne: 1\n", loader=loader)
    assert places[("a",)] == Place(1, 1, None)
    assert places["a", 0] == Place(2, 5, None)
    assert places["a", 0, "b"] == Place(2, 5, "x")
    assert places["a", 0, "c"] == Place(4, 5, "022")
    assert places["a", 1] == Place(5, 5, "d")
    assert places[("e",)] == Place(6, 1, None)


def test_places_are_known_as_far_as_the_file_can_be_read() -> None:
    assert ("a",) in locate(b"a: 1\nb: [\n")
    assert locate(b"\xff") == {}


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in CORPUS])
def test_both_parsers_stop_at_the_same_files(path: Path) -> None:
    def outcome(loader: Any) -> object:
        try:
            document = read(path.read_bytes(), loader=loader)
        except StrictYamlError as error:
            return error.problem.line
        return document

    assert outcome(yaml.CSafeLoader) == outcome(yaml.SafeLoader)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=20)
    | st.sampled_from(["no", "on", "022", "0o1", "1e3", "~", "null", "1:30", "<<", "=", "", "-"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text("abcno0<~ ", min_size=1, max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(PLAIN)
def test_what_was_written_is_read_back(data: object) -> None:
    document = read(write({"it": data}).encode())
    assert document.data == {"it": data}
    assert document.problems == ()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    message = ""
    try:
        read(raw)
    except StrictYamlError as error:
        message = error.problem.message
    assert message.isprintable()


def test_size_depth_and_aliases_are_bounded() -> None:
    with pytest.raises(StrictYamlError, match="larger than 16 MiB"):
        read(b"#" * (MAX_SIZE + 1))
    assert read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).problems == ()
    with pytest.raises(StrictYamlError, match="levels deep"):
        read(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    items = b"x, " * 101
    with pytest.raises(StrictYamlError, match=f"more than {MAX_ALIASED} values"):
        read(b"a: &a [" + items + b"]\nb: [" + b"*a, " * 100 + b"]\n")
    ten = b"a: [" + b"x, " * 8 + b"]"  # the mapping, the list and its items
    assert read(ten, max_nodes=10).problems == ()
    with pytest.raises(StrictYamlError, match="more than 9 values"):
        read(ten, max_nodes=9)


def test_a_trap_is_named_and_ordinary_text_is_none() -> None:
    assert trap("off") == "YAML 1.1 reads it as false"
    assert trap("0999") == "write it without the leading 0"
    assert trap("example.com") is None


def test_a_problem_of_the_parser_without_words_of_ours_still_names_the_place() -> None:
    assert in_our_words("something new", "a", 0, 0).startswith("is not YAML")
    assert in_our_words("cannot start any token", "", 3, 0).startswith("no value can begin")


class _Odd:
    """A parser that fails in ways the real ones do not."""

    def __init__(self, error: yaml.YAMLError) -> None:
        self._error = error

    def get_event(self) -> object:
        raise self._error

    def dispose(self) -> None:
        pass


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(yaml.YAMLError(), id="an error without a place"),
        pytest.param(yaml.MarkedYAMLError(), id="a place that is not given"),
    ],
)
def test_a_parser_that_cannot_say_where_is_no_crash(error: yaml.YAMLError) -> None:
    with pytest.raises(StrictYamlError) as caught:
        read(b"a", loader=lambda _text: _Odd(error))
    assert caught.value.problem.line == 1
