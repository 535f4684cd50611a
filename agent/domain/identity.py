"""Which of our messages is a letter itself?

Who quotes a token writes about a message and is not that message: a digest of a quarantine, the
acknowledgement of a ticket, a person who answers. A message of ours names its token in a field of
our own or in its Message-ID, at the top. Where a gateway took both away, what is left must be ours
to the letter: the Subject, but for tags in brackets, and the beginning of the text.
"""

import re

from agent.domain.header_fields import Fields, read_head
from agent.domain.letter_text import OPENING
from agent.domain.markup import squeezed, text_of_html
from agent.domain.message import TOKEN_HEADER, Token, find_tokens
from agent.domain.mime_parts import read_parts
from agent.domain.subject_words import words_of

_TOKEN = r"mfa1-[a-z2-7]{26}-[a-z2-7]{26}"  # noqa: S105 - the form of all of them
_FIELD = re.compile(rf"\s*({_TOKEN})\s*", re.IGNORECASE)
# Machines make the Message-ID of an answer out of ours, and put words of their own around it.
_MESSAGE_ID = re.compile(rf"\s*<?\s*({_TOKEN})@[^\s<>]{{1,255}}>?\s*", re.IGNORECASE)
_SUBJECT = re.compile(rf"(?:\[[^\[\]]{{1,60}}\]\s*){{0,4}}mailflow-agent\s+({_TOKEN})")
_OPENING = squeezed(OPENING)
_BEGINNING = 16 * 1024  # octets of the text that are looked at


def token_at_top(head: Fields) -> Token | None:
    """Return the token that a header names as the message's own, in fields that nobody copies."""
    named = _FIELD.fullmatch(head.first(TOKEN_HEADER.lower()))
    named = named or _MESSAGE_ID.fullmatch(head.first("message-id"))
    return None if named is None else _read(named[1])


def identity_of(raw: bytes) -> Token | None:
    """Return the token of the message of ours that *raw* is; None where it at most quotes one.

    Never raises; the work is linear in the octets looked at, which are bounded.
    """
    head = read_head(raw)
    found = token_at_top(head)
    if found is not None or head.has("in-reply-to"):
        return found
    named = _SUBJECT.fullmatch(words_of(head.first("subject")))
    return _read(named[1]) if named is not None and _begins_as_ours(raw) else None


def _read(text: str) -> Token:
    return find_tokens(text.encode("ascii"))[0]


def _begins_as_ours(raw: bytes) -> bool:
    """Tell whether the text begins with our own words, as text or as HTML."""
    for part in read_parts(raw):
        if part.is_multipart:
            continue
        text = part.body[:_BEGINNING].decode("utf-8", "replace")
        if part.content_type == "text/html":
            text = text_of_html(text)
        return part.content_type.startswith("text/") and squeezed(text).startswith(_OPENING)
    return False
