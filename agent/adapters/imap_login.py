"""With what does the agent log in at an IMAP server?

What is secret has no repr, and :func:`censored` takes it out of what a server says: some repeat the
command that they refuse.
"""

import base64
from dataclasses import dataclass, field

_HIDDEN = b"***"


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """A user name and its password."""

    username: str
    password: str = field(repr=False)

    @property
    def mechanism(self) -> str:
        """The SASL mechanism, RFC 4616."""
        return "PLAIN"

    @property
    def response(self) -> bytes:
        """The SASL response before base64."""
        return b"\0".join((b"", self.username.encode(), self.password.encode()))

    @property
    def secret(self) -> str:
        """What nobody may see."""
        return self.password


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """The name of a mailbox, and an OAuth access token for it."""

    username: str
    token: str = field(repr=False)

    @property
    def mechanism(self) -> str:
        """The SASL mechanism that Exchange Online and Dovecot take."""
        return "XOAUTH2"

    @property
    def response(self) -> bytes:
        """The SASL response before base64, as Microsoft and Google document it."""
        return f"user={self.username}\1auth=Bearer {self.token}\1\1".encode()

    @property
    def secret(self) -> str:
        """What nobody may see."""
        return self.token


ImapLogin = PasswordLogin | TokenLogin


def censored(said: bytes, login: ImapLogin | None) -> bytes:
    """Return *said* without the secret of *login*, however it was sent."""
    if login is None:
        return said
    secret = login.secret.encode()
    quoted = secret.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for form in (login.response, secret, quoted, repr(secret)[2:-1].encode()):
        for shape in (form, base64.b64encode(form)):
            if shape:
                said = said.replace(shape, _HIDDEN)
    return said
