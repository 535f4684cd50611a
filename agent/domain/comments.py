"""Which parts of a structured header field are comments?

RFC 5322 section 3.2.2 lets comments nest and stand nearly everywhere. Real fields also hold
brackets that nobody closed. Here a bracket without its partner is plain text, so that the rest of
the field is still read. The work is linear in the length of the field.
"""

import re
from itertools import islice

MAX_MARKS = 40  # brackets of a field that are looked at; the others are plain text

_SIMPLE = re.compile(r"\(([^()]*)\)")
_MARK = re.compile(r"\\.|[()]")


def pieces(value: str) -> list[tuple[bool, str]]:
    """Cut *value* into pieces in order; each says whether it is a comment, and its text.

    The text of a comment is without its outer brackets; comments inside of it stay as they are.
    """
    count = value.count("(")
    if not count:
        return [(False, value)]
    if count <= MAX_MARKS // 2 and count == value.count(")") and "\\" not in value:
        cut = _SIMPLE.split(value)
        if len(cut) == 2 * count + 1:  # none is inside of another: by far the most frequent
            return [(number % 2 == 1, text) for number, text in enumerate(cut)]
    found: list[tuple[bool, str]] = []
    end = 0
    for start, stop in _outermost(value):
        found.append((False, value[end:start]))
        found.append((True, value[start + 1 : stop]))
        end = stop + 1
    found.append((False, value[end:]))
    return found


def without_comments(value: str) -> str:
    """Return *value* with a blank in the place of each comment."""
    if "(" not in value:
        return value
    return " ".join(text for is_comment, text in pieces(value) if not is_comment)


def _outermost(value: str) -> list[tuple[int, int]]:
    """Return where each outermost pair of brackets opens and closes, in order."""
    opened: list[int] = []
    pairs: list[tuple[int, int]] = []
    for match in islice(_MARK.finditer(value), MAX_MARKS):
        mark = match[0]
        if mark == "(":
            opened.append(match.start())
        elif mark == ")" and opened:
            start = opened.pop()
            # Each pair is dropped at most once: the whole stays linear.
            while pairs and pairs[-1][0] > start:
                pairs.pop()
            pairs.append((start, match.start()))
    return pairs
