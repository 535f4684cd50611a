"""What does the YAML parser mean to say?

Both parsers (libyaml and the one in Python) report in terms of tokens. An operator wants to know
which character to change.
"""

from typing import Final

_INDENTED = "indented otherwise than its neighbours"
_ESCAPE = "a backslash in double quotes starts an escape, and this is none; use single quotes"
_NOT_CLOSED = "a bracket or brace that is not closed, or a missing comma"
_ANCHOR = "an anchor or alias without a proper name; put text that begins with & or * in quotes"
_DIRECTIVE = "a directive (%...) is refused; put text that begins with % in quotes"
_COLON = (
    "a colon where no key can stand; indent the line as its neighbours, or put the value in quotes"
)
_DOCUMENT = "a second document begins, or a line is indented wrongly; a file is one document"
_LIST = "a list or mapping cannot begin here; begin it on its own line"

_WORDS: Final = (
    ("mapping values are not allowed", _COLON),
    ("could not find expected ':'", "a key without a colon after it"),
    ("end of stream", "a quote or bracket that is never closed"),
    ("unexpected document indicator", "a quote that is never closed"),
    ("unexpected document separator", "a quote that is never closed"),
    ("document start", _DOCUMENT),
    ("nesting depth", "is nested more than 32 levels deep"),  # libyaml's own limit is far above
    ("escape", _ESCAPE),
    ("hexdecimal", _ESCAPE),
    ("hexadecimal", _ESCAPE),
    ("expected key", _INDENTED),
    ("expected <block end>", _INDENTED),
    ("'-' indicator", _INDENTED),
    ("block sequence entries are not allowed", _LIST),
    ("sequence entries are not allowed", _LIST),
    ("block collections", _LIST),
    ("mapping keys are not allowed", "a key cannot begin here"),
    ("'}'", _NOT_CLOSED),
    ("']'", _NOT_CLOSED),
    ("expected the node content", "a value is missing here"),
    ("expected node content", "a value is missing here"),
    ("anchor", _ANCHOR),
    ("alias", _ANCHOR),
    ("alphabetic or numeric", _ANCHOR),
    ("tag", "tags (!...) are refused; write the plain value"),
    ("directive", _DIRECTIVE),
    ("YAML document", _DIRECTIVE),
    ("version", _DIRECTIVE),
)


def in_our_words(problem: str, text: str, line: int, column: int) -> str:
    """Return what to tell about a parser's *problem* at *line* and *column* (from 0)."""
    if "cannot start any token" in problem or "tab" in problem.split():
        return _about_character(text, line, column)
    words = next((words for part, words in _WORDS if part in problem), None)
    return words or "is not YAML; look at quotes, brackets and indentation here"


def _about_character(text: str, line: int, column: int) -> str:
    """Say what is wrong with the character that no value can begin with."""
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    character = here[column : column + 1]
    if character == "\t" or "\t" in here[: len(here) - len(here.lstrip())]:
        return "a tab; indent with spaces"
    return f"no value can begin with {character}; put it in quotes"
