"""Which words are in a text, whatever it was wrapped in?

What arrives may be in another character set, flowed, or HTML that a gateway has written anew. These
readers take text out of it in one linear pass each; none knows enough of HTML to be led astray.
"""

import re
from collections.abc import Iterator

_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(nbsp|amp|lt|gt|quot|apos));")
_NAMED = {"nbsp": " ", "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200d\ufeff\ufffd]+")
# Stops at the next tag, so that a million of beginnings are not read a million times.
_TAG = re.compile(r"<[^<>]*>?")
_UNSEEN = re.compile(r"<(?:!--|(style|script|head)(?=[\s>]))", re.IGNORECASE)
_ENDS = {"": re.compile("-->")} | {
    name: re.compile(f"</{name}", re.IGNORECASE) for name in ("style", "script", "head")
}
_HIGHEST = 0x10FFFF  # code point


def squeezed(text: str) -> str:
    """Return *text* without white space and other characters that nobody sees."""
    return _INVISIBLE.sub("", text)


def unflowed(text: str, *, without_space: bool) -> str:
    """Join the lines of a text in format=flowed (RFC 3676 section 4.1); line ends are LF.

    *without_space* is its DelSp: the space at the end of a flowed line belongs to the break.
    """
    lines: list[list[str]] = []
    is_open = False
    for each in text.split("\n"):
        line = each.removeprefix(" ")  # section 4.4: it may have been put there
        if not is_open:
            lines.append([])
        is_open = line.endswith(" ") and line != "-- "
        lines[-1].append(line[:-1] if is_open and without_space else line)
    return "\n".join(map("".join, lines))


def text_of_html(document: str) -> str:
    """Return the text between the tags of *document*, comments and unseen elements left out."""
    seen = "".join(_seen(document))
    return _ENTITY.sub(_character, _TAG.sub("", seen))


def _seen(document: str) -> Iterator[str]:
    """Yield what stands between comments and unseen elements, of which the end tags are left."""
    start = 0
    while (opening := _UNSEEN.search(document, start)) is not None:
        yield document[start : opening.start()]
        name = (opening[1] or "").lower()
        end = _ENDS[name].search(document, opening.end())
        if end is None:
            return
        start = end.start() if name else end.end()
    yield document[start:]


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return _NAMED[match[3]]
    point = int(match[1]) if match[1] else int(match[2], 16)
    return chr(point) if point <= _HIGHEST else ""
