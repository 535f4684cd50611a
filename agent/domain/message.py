"""What does a synthetic message look like, and which one is it that arrived?

A message carries its token in four places: Message-ID, a header field of our own, the subject and
the body. A gateway may rewrite any of them, and still leaves one. Reading is the softest spot of
mail software, so the token is found without parsing MIME, by one linear regular expression over a
bounded number of octets. Whether a message is as it was sent is for :mod:`agent.domain.integrity`
to say.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Self

from agent.domain.integrity import Integrity, examine
from agent.domain.letter_text import html_text, plain_text
from agent.domain.payload import PLAIN, Kind, Payload
from agent.domain.transfer import in_base64

MAX_SCAN = 256 * 1024  # octets of a message that are looked at
MAX_TOKENS = 8  # candidates per message; ours holds four copies of one
TOKEN_HEADER = "X-Mailflow-Token"  # noqa: S105 - the name of a header field
_OCTETS = 16  # 128 bits, of the random part and of the code
_TEXT = 26  # base32 characters of 128 bits

_TOKEN = re.compile(rb"mfa1-([a-z2-7]{26})-([a-z2-7]{26})(?![a-z2-7])", re.IGNORECASE)
_FOLD = re.compile(rb"=\r?\n|\r?\n[ \t]")  # a soft break of quoted-printable, a folded header line
_WRAP = re.compile(rb"(?<=[A-Za-z0-9+/])\r?\n(?=[A-Za-z0-9+/=])")  # not the blank line above
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
_UNSAFE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Token:
    """The identity of a synthetic message: 128 random bits, and a code that only we can make."""

    nonce: str
    code: str

    @classmethod
    def make(cls, random: bytes, *, key: bytes, route: str, sequence: int, instance: str) -> Self:
        """Return the token of a new message; *random* are 16 octets that nobody can guess."""
        if len(random) != _OCTETS:
            message = f"a token is made of {_OCTETS} random octets"
            raise ValueError(message)
        nonce = _base32(random)
        return cls(nonce, _code(nonce, key=key, route=route, sequence=sequence, instance=instance))

    def is_genuine(self, *, key: bytes, route: str, sequence: int, instance: str) -> bool:
        """Whether the code fits, compared in a time that does not tell how far it fits."""
        right = _code(self.nonce, key=key, route=route, sequence=sequence, instance=instance)
        return hmac.compare_digest(right, self.code)

    def __str__(self) -> str:
        return f"mfa1-{self.nonce}-{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A synthetic message before it is octets; addresses without angle brackets.

    The empty ``mail_from`` is the null sender. ``header_from`` is the address in From where that
    is another than ``mail_from``. ``sent_at`` becomes the Date: who tries again says the same time,
    so that the octets are the same. Raises ValueError for text that would break out of its header
    field.
    """

    token: Token
    route: str
    mail_from: str
    rcpt_to: str
    sent_at: datetime
    payload: Payload = PLAIN
    header_from: str | None = None

    def __post_init__(self) -> None:
        for value in (self.route, self.mail_from, self.rcpt_to, self.header_from or ""):
            # A line break in a field would let the configuration write headers or commands.
            if _UNSAFE.search(value):
                message = f"{value!r} does not fit in a header field"
                raise ValueError(message)

    @property
    def author(self) -> str:
        """The address in From, which must not be empty (RFC 5322 section 3.6.2)."""
        return author_of(self.mail_from, self.rcpt_to, self.header_from)

    @property
    def message_id(self) -> str:
        """The Message-ID, in angle brackets (RFC 5322 section 3.6.4)."""
        return message_id_of(self.token, self.author.rpartition("@")[2])

    def encode(self) -> bytes:
        """Return the message as SMTP carries it: CRLF, 7 bits, lines below 998 octets.

        The same octets each time. One with an attachment of 35 MiB takes a second: leave that to a
        thread.
        """
        fields = (
            f"Date: {format_datetime(self.sent_at)}",
            f"From: <{self.author}>",
            f"To: <{self.rcpt_to}>",
            f"Message-ID: {self.message_id}",
            f"Subject: mailflow-agent {self.token}",
            f"{TOKEN_HEADER}: {self.token}",
            f"X-Mailflow-Route: {self.route}",
            "Auto-Submitted: auto-generated",  # RFC 3834 section 5: nobody shall answer
            "X-Auto-Response-Suppress: All",  # the same, as Exchange reads it
            *(f"{name}: {value}".rstrip() for name, value in self.payload.headers),
            "MIME-Version: 1.0",
        )
        head = "\r\n".join((*fields, "")).encode("ascii")
        return head + self._content()

    def _content(self) -> bytes:
        """Return the fields of the content, the empty line, and the body."""
        text = _entity("text/plain; charset=us-ascii", plain_text(str(self.token)))
        match self.payload.kind:
            case Kind.HTML:
                markup = _entity("text/html; charset=us-ascii", html_text(str(self.token)))
                return _multipart("alternative", self.token, text, markup)
            case Kind.ATTACHMENT:
                return _multipart("mixed", self.token, text, self._attached())
        return text

    def _attached(self) -> bytes:
        payload = self.payload
        head = (
            f'Content-Type: {payload.content_type}; name="{payload.attached_as}"\r\n'
            f'Content-Disposition: attachment; filename="{payload.attached_as}"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n"
        )
        return head.encode("ascii") + in_base64(payload.attachment(str(self.token)))


def author_of(mail_from: str, rcpt_to: str, header_from: str | None) -> str:
    """Return the address in From: as configured, the sender's, or one of the recipient's domain."""
    return header_from or mail_from or f"mailflow-agent@{rcpt_to.rpartition('@')[2]}"


def message_id_of(token: Token, domain: str) -> str:
    """Return the Message-ID of the message with *token* whose author is of *domain*."""
    return f"<{token}@{domain}>"


def find_tokens(raw: bytes) -> tuple[Token, ...]:
    """Return the tokens in a message as it arrived, in order, each once.

    Looks at the octets as they are, then with folded lines joined, then inside of what looks like
    base64. Never raises; the work is linear in the octets looked at, which are bounded.
    """
    raw = raw[:MAX_SCAN]
    for text in _readings(raw):
        found = dict.fromkeys(
            Token(match[1].decode("ascii").lower(), match[2].decode("ascii").lower())
            for match, _ in zip(_TOKEN.finditer(text), range(MAX_TOKENS), strict=False)
        )
        if found:
            return tuple(found)
    return ()


def is_intact(
    raw: bytes, token: Token, payload: Payload = PLAIN, *, banner_allowed: bool = False
) -> bool:
    """Whether the message that arrived is as it was sent; :func:`integrity.examine` tells more.

    *banner_allowed* tells that what was added on the way is no damage.
    """
    found = examine(raw, str(token), payload)
    return found is Integrity.INTACT or (banner_allowed and found is Integrity.BANNER)


def _entity(content_type: str, text: str) -> bytes:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    return (head + text).encode("ascii")


def _multipart(subtype: str, token: Token, *parts: bytes) -> bytes:
    """Return parts in one (RFC 2046 section 5.1), parted by what none of them can hold."""
    boundary = f"mailflow-{hashlib.sha256(str(token).encode('ascii')).hexdigest()[:40]}"
    mark = f"--{boundary}".encode("ascii")
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    inner = b"".join(b"%s\r\n%s\r\n" % (mark, part) for part in parts)
    return b"%s%s%s--\r\n" % (head, inner, mark)


def _readings(raw: bytes) -> Iterator[bytes]:
    """Yield the message as it is, unfolded, and decoded, each only if the last one gave nothing."""
    yield raw
    joined = _FOLD.sub(b"", raw)
    yield joined
    # Lines of base64 belong together: a token may begin on one and end on the next.
    flat = _WRAP.sub(b"", joined)
    for run in _BASE64.finditer(flat):
        text = run[0].rstrip(b"=")
        text = text[: len(text) - (len(text) % 4 == 1)]  # no octets give such a length
        yield binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def _base32(octets: bytes) -> str:
    return base64.b32encode(octets).decode("ascii")[:_TEXT].lower()


def _code(nonce: str, *, key: bytes, route: str, sequence: int, instance: str) -> str:
    """Return the HMAC over all that the message claims to be."""
    claim = "\n".join((nonce, route, str(sequence), instance)).encode("utf-8")
    return _base32(hmac.digest(key, claim, "sha256")[:_OCTETS])
