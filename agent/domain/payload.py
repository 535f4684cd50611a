"""What does a synthetic message carry besides its token?

Filters look at different things in different mails: at the sender of a plain one, at the markup of
another, at what is attached to a third. A route that must show that one of them lets mail through
carries what that filter looks at. All of it follows from the token, so that nothing has to be kept
to know on arrival what was sent.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from agent.domain.attachment import EXTENSIONS, MAKERS

# Exchange Online's default for messages that are sent, in octets; base64 adds a third to that.
MAX_SIZE = 35 * 1024 * 1024
MAX_HEADERS = 20
MAX_VALUE = 900  # characters: with its name a field stays below the 998 of RFC 5322 section 2.1.1

_NAME = re.compile(r"[Xx]-[A-Za-z0-9-]{1,60}")
_VALUE = re.compile(rf"[\x20-\x7e]{{0,{MAX_VALUE}}}")
_FILENAME = re.compile(r"(?![. ])[A-Za-z0-9 ._()-]{1,100}(?<![. ])")
_OURS = ("x-mailflow-", "x-auto-response-suppress")


class Kind(enum.StrEnum):
    """The shape of a message."""

    PLAIN = "plain"
    HTML = "html"  # multipart/alternative: the text, and the text as HTML
    ATTACHMENT = "attachment"  # multipart/mixed: the text, and a file


FILTERS: Mapping[Kind, str] = {
    Kind.PLAIN: "Filters that judge the sender and the words: a short text without markup, link or"
    " file, so that nothing but the standing of the sender can make it suspicious.",
    Kind.HTML: "Filters that read and rewrite markup, such as those for disclaimers and marks of"
    " external senders: the same text twice, plain and as HTML, without a link or a picture.",
    Kind.ATTACHMENT: "Filters that open or weigh what is attached, such as scans for malware and"
    " limits of type and size: the text, and a harmless file of the given type and size.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What a message carries.

    ``size`` is the octets of the attachment before its transfer encoding, ``content_type`` one of
    :data:`agent.domain.attachment.MAKERS`; both, and ``filename``, count for an attachment only.
    Without ``filename`` the file has a name that fits its type.
    ``headers`` are fields that the operator adds, names and values. Raises ValueError for what does
    not fit into a message.
    """

    kind: Kind = Kind.PLAIN
    size: int = 16 * 1024
    content_type: str = "text/plain"
    filename: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            message = f"an attachment has 0 to {MAX_SIZE} octets"
            raise ValueError(message)
        if self.content_type not in MAKERS:
            message = f"{self.content_type!r} is no content type of: {', '.join(MAKERS)}"
            raise ValueError(message)
        if self.filename and not _FILENAME.fullmatch(self.filename):
            message = f"{self.filename!r} is no plain file name"
            raise ValueError(message)
        if len(self.headers) > MAX_HEADERS:
            message = f"no more than {MAX_HEADERS} header fields can be added"
            raise ValueError(message)
        for name, value in self.headers:
            _check(name, value)

    @property
    def filters(self) -> str:
        """Which content filters it is meant to pass, in one sentence."""
        return FILTERS[self.kind]

    @property
    def attached_as(self) -> str:
        """The file's name."""
        return self.filename or f"mailflow-agent.{EXTENSIONS[self.content_type]}"

    def attachment(self, token: str) -> bytes:
        """Return the attached file; nothing where the message has none.

        A type that has a structure is somewhat longer than ``size`` where that is too small for it.
        """
        if self.kind is not Kind.ATTACHMENT:
            return b""
        return MAKERS[self.content_type](token, self.size)


PLAIN = Payload()


def _check(name: str, value: str) -> None:
    """Raise ValueError for a field that would break out of its line, or pass for one of ours."""
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no header field that starts with X-"
        raise ValueError(message)
    if name.lower().startswith(_OURS):
        message = f"{name} is a header field of the agent's own"
        raise ValueError(message)
    if not _VALUE.fullmatch(value):
        message = f"the value of {name} is not printable ASCII of up to {MAX_VALUE} characters"
        raise ValueError(message)
