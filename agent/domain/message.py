"""What does a synthetic message look like, and which one is it that arrived?

A message carries its token in four places: Message-ID, a header field of our own, the subject and
the body. A gateway may rewrite any of them, and still leaves one. Reading is the softest spot of
mail software, so nothing here parses MIME: the token is found by one linear regular expression over
a bounded number of octets.
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

    The empty ``mail_from`` is the null sender. Raises ValueError for text that would break out of
    its header field.
    """

    token: Token
    route: str
    mail_from: str
    rcpt_to: str
    sent_at: datetime

    def __post_init__(self) -> None:
        for value in (self.route, self.mail_from, self.rcpt_to):
            # A line break in a field would let the configuration write headers or commands.
            if _UNSAFE.search(value):
                message = f"{value!r} does not fit in a header field"
                raise ValueError(message)

    @property
    def author(self) -> str:
        """The address in From, which must not be empty (RFC 5322 section 3.6.2)."""
        return self.mail_from or f"mailflow-agent@{self.rcpt_to.rpartition('@')[2]}"

    @property
    def message_id(self) -> str:
        """The Message-ID, in angle brackets (RFC 5322 section 3.6.4)."""
        return f"<{self.token}@{self.author.rpartition('@')[2]}>"

    def encode(self) -> bytes:
        """Return the message as SMTP carries it: CRLF, 7 bits, lines below 998 octets."""
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
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=us-ascii",
            "Content-Transfer-Encoding: 7bit",
        )
        return "\r\n".join((*fields, "", _body(self.token))).encode("ascii")


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


def is_intact(raw: bytes, token: Token) -> bool:
    """Whether the body that arrived is the one that was sent, however it was encoded on the way.

    Line ends and white space at the end of lines may change in transit without harm.
    """
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    decoded = _decoded(body, head[:MAX_SCAN].lower())
    return body_digest(decoded) == body_digest(_body(token).encode("ascii"))


def body_digest(body: bytes) -> str:
    """Return the digest of a body, the same for every harmless spelling of it."""
    lines = [line.rstrip() for line in body.replace(b"\r\n", b"\n").split(b"\n")]
    return hashlib.sha256(b"\n".join(lines).rstrip(b"\n")).hexdigest()


def _body(token: Token) -> str:
    """Return the text of the message, with the lines that careless software damages."""
    return "\r\n".join(
        (
            "This is a synthetic message of mailflow-agent, which watches this way of mail.",
            "Nobody needs to read or answer it.",
            "",
            f"Token: {token}",
            "",
            ".a line that starts with a dot, which a careless relay loses",
            "From a mailbox in mbox form this line comes back changed.",
            "",
        )
    )


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


def _decoded(body: bytes, head: bytes) -> bytes:
    """Undo the transfer encoding that the head names; broken encoding stays as it is."""
    encoding = re.search(rb"^content-transfer-encoding:[ \t]*([a-z0-9-]+)", head, re.MULTILINE)
    name = encoding[1] if encoding else b""
    if name == b"quoted-printable":
        return binascii.a2b_qp(body)
    if name == b"base64":
        try:
            return binascii.a2b_base64(body)
        except binascii.Error:
            return body
    return body


def _base32(octets: bytes) -> str:
    return base64.b32encode(octets).decode("ascii")[:_TEXT].lower()


def _code(nonce: str, *, key: bytes, route: str, sequence: int, instance: str) -> str:
    """Return the HMAC over all that the message claims to be."""
    claim = "\n".join((nonce, route, str(sequence), instance)).encode("utf-8")
    return _base32(hmac.digest(key, claim, "sha256")[:_OCTETS])
