"""What does a report say in words of its own, and which message does it quote?

A report carries what it is about: the message that it returns holds dates, addresses and perhaps a
report of its own, and none of that must be taken for what the reporting server says. Many reports
are broken: a boundary that is not the one announced, no MIME at all, everything quoted with ``>``
by whoever forwarded it. Reading is bounded and linear, and never raises.
"""

import re
from dataclasses import dataclass

from agent.domain.header_fields import Fields, split
from agent.domain.mime_parts import Part, decode, read_parts

MAX_SAID = 32 * 1024  # characters that a report says; long ones have 20,000
_MAX_STATUS = 2  # parts for machines; a report has one (RFC 3464 section 2)
MAX_ORIGINAL = 256 * 1024  # octets of the quoted message

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")  # RFC 3464, RFC 6533
FEEDBACK_TYPE = "message/feedback-report"  # RFC 5965
RECEIPT_TYPES = ("message/disposition-notification", "message/global-disposition-notification")
_ENCLOSED = ("message/rfc822", "message/global", "message/partial", "message/external-body")
_HEADERS = ("text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers")

_ORIGINAL = re.compile(  # in lower case; to ignore case would take five times as long
    r"^[-=*|> \t]{0,100}(?:"
    r"(?:(?:this|below|included|enclosed) is a )?copy of (?:the|your)(?: original)? message"
    r"|(?:this|below|included|enclosed)(?: this line)? is a copy of"
    r"|original message(?:[-: .]{0,40}$| (?:headers|follows))"
    r"|original (?:message|mail) (?:as )?follows|message headers follow|message text follows"
    r"|unsent message follows|(?:the )?header of the original message|returned message"
    r"|undelivered message)",
    re.MULTILINE,
)
_QUOTE = re.compile(r"^(?:> ?){1,5}", re.MULTILINE)
_TAG = re.compile(r"<(?![^\s<>@]{1,64}@)[^<>]{1,500}>")  # not an address in angle brackets
_BREAK = re.compile(r"<(?:br|BR|/(?:[pP]|div|DIV|tr|TR|li|LI|[hH]\d))\b[^<>]{0,100}>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": " ", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What a message consists of, for whoever looks for a report in it.

    ``head`` are its own fields, ``said`` its words without the quoted message (one character for
    each octet), ``status`` and ``feedback`` the machine-readable parts, ``inner`` those of
    enclosed messages as well, ``types`` the content types of all its own parts, ``original`` the
    octets of the quoted message or of its header.
    """

    head: Fields
    said: str
    status: tuple[str, ...]
    inner: tuple[str, ...]
    feedback: tuple[str, ...]
    types: tuple[str, ...]
    original: bytes


def read_texts(raw: bytes) -> Texts:
    """Part a message into its own words and the message that it quotes."""
    parts = read_parts(raw)
    own = _own(parts)
    plain = [_text(each) for each in own if each.content_type == "text/plain"]
    marked = [_without_tags(_text(each)) for each in own if each.content_type == "text/html"]
    about = [each for each in own if each.content_type in STATUS_TYPES]
    feedback = tuple(_text(each) for each in own if each.content_type == FEEDBACK_TYPE)
    if not (plain or marked or about or feedback):
        # A boundary other than the one that was announced: all of it is one text.
        plain = [_body(raw, parts[0].fields)]
    said = "\n".join(plain or marked)[:MAX_SAID]
    if said.lstrip().startswith(">") or "\n> " in said:
        said = _QUOTE.sub("", said)
    cut = _ORIGINAL.search(said.lower())  # Latin-1 keeps its length
    returned = [each.body for each in own if each.content_type in _ENCLOSED + _HEADERS]
    if cut:
        returned.append(said[cut.end() :].partition("\n")[2].encode("latin-1", "replace"))
        said = said[: cut.start()]
    return Texts(
        head=parts[0].fields,
        said=said,
        status=_bounded(about),
        inner=_bounded([each for each in parts if each.content_type in STATUS_TYPES]),
        feedback=feedback,
        types=tuple(each.content_type for each in own),
        original=b"\n\n".join(returned)[:MAX_ORIGINAL].lstrip(),
    )


def _own(parts: tuple[Part, ...]) -> list[Part]:
    """Leave out the parts of enclosed messages: what those report is not this report."""
    own: list[Part] = []
    above: int | None = None
    for part in parts:
        if above is not None and part.depth > above:
            continue
        above = part.depth if part.content_type in _ENCLOSED and part.depth else None
        own.append(part)
    return own


def _text(part: Part) -> str:
    return part.body[:MAX_SAID].decode("latin-1").replace("\r\n", "\n")


def _bounded(parts: list[Part]) -> tuple[str, ...]:
    return tuple(map(_text, parts[:_MAX_STATUS]))


def _body(raw: bytes, head: Fields) -> str:
    _, body = split(raw[: 2 * MAX_SAID])
    body = decode(body, head.first("content-transfer-encoding"))
    return body[:MAX_SAID].decode("latin-1").replace("\r\n", "\n")


def _without_tags(markup: str) -> str:
    text = _TAG.sub(" ", _BREAK.sub("\n", markup))
    return _ENTITY.sub(lambda match: _ENTITIES[match[0]], text)
