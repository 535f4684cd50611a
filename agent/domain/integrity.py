"""Is the message that arrived the one that was sent?

Gateways encode mail anew, wrap it and add to it, and all of that is no damage: so what is compared
is not octets but each part that was sent with the parts that arrived, after the transfer encoding
is undone, without regard to character set, line ends and white space at the end of lines. HTML is
compared by its words.
"""

import enum
from collections.abc import Callable

from agent.domain.letter_text import plain_text
from agent.domain.markup import squeezed, text_of_html, unflowed
from agent.domain.mime_parts import MAX_OCTETS, Part, read_parts
from agent.domain.payload import PLAIN, Kind, Payload
from agent.domain.transfer import in_base64

_PLAIN, _HTML = "text/plain", "text/html"
# Those that do not spell ASCII as ASCII does; a peer's word is not looked up among all codecs.
_WIDE = ("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be")
_ENCLOSED = ("message/rfc822", "message/global")


class Integrity(enum.StrEnum):
    """What became of the content of a message on its way."""

    INTACT = "intact"
    BANNER = "banner"  # all of it is there, and something was added
    CHANGED = "changed"
    UNKNOWN = "unknown"  # the copy at hand was cut before it could be told


_Fits = Callable[[Part], Integrity | None]


def examine(
    raw: bytes, token: str, payload: Payload = PLAIN, *, is_whole: bool = True
) -> Integrity:
    """Tell whether *raw*, as it arrived, holds what the message with *token* was sent with.

    *is_whole* is false where only the beginning of the message was fetched. Never raises; the work
    is linear in the octets of *raw* and of the attachment, tenths of a second for the largest.
    """
    wanted: list[_Fits] = [_fits_text(token, payload.kind)]
    if payload.kind is Kind.HTML:
        wanted.append(_fits_html(token))
    if payload.kind is Kind.ATTACHMENT:
        file = payload.attachment(token)
        # Most gateways leave an attachment as it is, and then it need not be decoded to be known.
        raw, was_there = _without(raw.replace(b"\r\n", b"\n"), in_base64(file, b"\n"))
        wanted += [] if was_there else [_fits_file(file, payload.content_type)]
    leaves = [each for each in read_parts(raw) if _is_leaf(each)]
    left = list(leaves)
    found = [_take(left, fits) for fits in wanted]
    if None not in found:
        is_more = bool(left) or Integrity.BANNER in found
        return Integrity.BANNER if is_more else Integrity.INTACT
    is_cut = not is_whole or len(raw) > MAX_OCTETS
    if is_cut and not (found[0] is None and _is_text_over(leaves)):
        return Integrity.UNKNOWN
    return Integrity.CHANGED


def _is_leaf(part: Part) -> bool:
    is_wrapper = part.is_multipart or part.content_type in _ENCLOSED
    return not is_wrapper and bool(part.body.strip())


def _is_text_over(leaves: list[Part]) -> bool:
    """Tell whether a text came and was followed by another part: that one was not cut."""
    texts = [_is_text(part) for part in leaves]
    return True in texts and not texts[-1]


def _is_text(part: Part) -> bool:
    is_file = part.fields.first("content-disposition").lower().startswith("attachment")
    return part.content_type == _PLAIN and not is_file


def _take(left: list[Part], fits: _Fits) -> Integrity | None:
    """Take the part that fits best out of *left*, and return how well it does."""
    judged = [fits(part) for part in left]
    for verdict in (Integrity.INTACT, Integrity.BANNER):
        if verdict in judged:
            del left[judged.index(verdict)]
            return verdict
    return None


def _fits_text(token: str, kind: Kind) -> _Fits:
    sent = plain_text(token).replace("\r\n", "\n").strip("\n")
    words = squeezed(sent)

    def fits(part: Part) -> Integrity | None:
        if part.content_type == _PLAIN and kind is Kind.HTML:
            # A store that keeps the HTML alone breaks the lines of the text where it likes.
            return _compare(words, squeezed(_text_of(part)))
        if part.content_type == _PLAIN:
            return _compare(f"\n{sent}\n", f"\n{_text_of(part)}\n")
        if part.content_type == _HTML and kind is not Kind.HTML:
            # Who must add a banner in HTML makes HTML of all.
            is_there = words in squeezed(text_of_html(_decoded(part)))
            return Integrity.BANNER if is_there else None
        return None

    return fits


def _fits_html(token: str) -> _Fits:
    words = squeezed(plain_text(token))

    def fits(part: Part) -> Integrity | None:
        if part.content_type != _HTML:
            return None
        return _compare(words, squeezed(text_of_html(_decoded(part))))

    return fits


def _fits_file(file: bytes, content_type: str) -> _Fits:
    is_text = content_type.startswith("text/")

    def fits(part: Part) -> Integrity | None:
        same = part.body == file or (is_text and _by_lines(part.body) == _by_lines(file))
        return Integrity.INTACT if same else None

    return fits


def _compare(sent: str, arrived: str) -> Integrity | None:
    if sent == arrived:
        return Integrity.INTACT
    return Integrity.BANNER if sent in arrived else None


def _without(raw: bytes, block: bytes) -> tuple[bytes, bool]:
    """Return *raw* without *block*, and whether that was there."""
    before, found, after = raw.partition(block) if block else (raw, b"-", b"")
    return before + after, bool(found)


def _decoded(part: Part) -> str:
    """Return the text of a part; ours is ASCII, which nearly all character sets spell alike."""
    charset = part.parameters.get("charset", "").lower()
    name = charset if charset in _WIDE else "utf-8"
    return part.body.decode(name, "replace").removeprefix("\ufeff")


def _text_of(part: Part) -> str:
    """Return the text of a part in its one spelling."""
    text = _decoded(part).replace("\r\n", "\n")
    if part.parameters.get("format", "").lower() == "flowed":
        is_without = part.parameters.get("delsp", "").lower() == "yes"
        text = unflowed(text, without_space=is_without)
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def _by_lines(octets: bytes) -> list[bytes]:
    lines = octets.replace(b"\r\n", b"\n").rstrip().split(b"\n")
    return [line.rstrip() for line in lines]
