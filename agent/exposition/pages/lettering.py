"""How much room does a text take in a picture?

The page is made where no font is known, and SVG breaks no lines. So texts are measured with the
widths of DejaVu Sans, the widest of the fonts that the style sheet asks for: what fits there fits
with the others too.
"""

import re
from collections.abc import Iterator
from itertools import accumulate

LABEL_SIZE, SMALL_SIZE = 13.0, 12.0  # of the font, in pixels; the style sheet says the same
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_OTHER, _WIDEST = (
    0.8,
    1.3,
)  # Latin letters with marks; what is not Latin, such as picture characters
_LATIN = 0x250  # code points from here on are none
_ALLOWANCE = 1.02  # browsers round the width of each letter
_NORMAL = {
    28: "'ijl", 29: "IJ", 32: " ,.", 34: "/:;\\|", 36: "-f", 39: "()[]t", 41: "!r", 46: '"',
    50: "*_`", 53: "?sz", 55: "c", 58: "FLk", 60: "Pvxy", 62: "Taeo",
    64: "$0123456789ESbdghnpqu{}", 69: "ABKRVXZ", 73: "CU", 79: "&DGHNOQ", 84: "#+<=>^w~",
    97: "%Mm", 100: f"@W{ELLIPSIS}",
}  # fmt: skip
_BOLD = {
    34: "'ijl", 38: " ,./IJ\\|", 42: "-:;", 46: "!()[]f", 49: "rt", 52: '"*_`', 60: "?csz",
    65: "Lvxy", 69: "EFTaeko", 73: "$0123456789CPSYZbdghnpqu{}", 77: "ABKRVX",
    85: "#+<=>DGHNOQU^~", 92: "&w", 104: f"%@Mm{ELLIPSIS}", 110: "W",
}  # fmt: skip
_WIDTHS = {
    is_bold: {letter: n / 100 for n, letters in table.items() for letter in letters}
    for is_bold, table in ((False, _NORMAL), (True, _BOLD))
}
# A line may end behind what separates words, or the labels of a name, but not within an address.
_PIECE = re.compile(r".+?(?:[\s\-@/,_](?!\s)|\.(?=[^\s\d.])|$)")


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the most that *text* takes in a font of *size*, in the same unit."""
    return sum(_widths(text, size, bold=bold))


def _widths(text: str, size: float, *, bold: bool) -> Iterator[float]:
    table = _WIDTHS[bold]
    for letter in text:
        known = table.get(letter) or (_OTHER if ord(letter) < _LATIN else _WIDEST)
        yield known * size * _ALLOWANCE


def fitted(text: str, room: float, size: float, *, bold: bool = False, most: int = 2) -> list[str]:
    """Break *text* into as few lines of *room* as it needs, and at most into *most*.

    No line for no text. What is too long loses its middle, in the last line.
    """
    for number in range(1, most + 1):
        *lines, last = _broken(text, room, size, bold=bold, most=number)
        if width(last, size, bold=bold) <= room:
            break
    return [*lines, _shortened(last, room, size, bold=bold)] if last else []


def _broken(text: str, room: float, size: float, *, bold: bool, most: int) -> list[str]:
    """Return lines of which only the last may be too long."""
    lines: list[str] = []
    while width(text, size, bold=bold) > room and len(lines) < most - 1:
        end = _end(text, room, size, bold=bold, more=most - 1 - len(lines))
        if not end:
            break
        lines.append(text[:end].rstrip())
        text = text[end:]
    return [*lines, text]


def _end(text: str, room: float, size: float, *, bold: bool, more: int) -> int:
    """Return where the first line ends: between words if the rest then fits, the lines even."""
    ends = accumulate(len(piece) for piece in _PIECE.findall(text))
    sides = {x: (text[:x].rstrip(), text[x:]) for x in ends}
    widths = {x: [width(y, size, bold=bold) for y in side] for x, side in sides.items()}
    fitting = {x: max(head, rest / more) for x, (head, rest) in widths.items() if head <= room}
    all_fits = [x for x, widest in fitting.items() if widest <= room]
    if words := [x for x in all_fits if text[x - 1] == " "]:
        all_fits = words
    return min(all_fits, key=fitting.__getitem__) if all_fits else max(fitting, default=0)


def _shortened(text: str, room: float, size: float, *, bold: bool) -> str:
    """Return *text*, or as much of its beginning and end as there is room for."""
    if width(text, size, bold=bold) <= room:
        return text
    half = (room - width(ELLIPSIS, size, bold=bold)) / 2
    head, tail = (_fitting(x, half, size, bold=bold) for x in (text, text[::-1]))
    return f"{text[:head].rstrip()}{ELLIPSIS}{text[len(text) - tail :].lstrip()}"


def _fitting(text: str, room: float, size: float, *, bold: bool) -> int:
    """Return how many of the first letters fit."""
    return sum(total <= room for total in accumulate(_widths(text, size, bold=bold)))
