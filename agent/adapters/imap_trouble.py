"""Why can a mailbox not be looked into by IMAP, and what is the missing step?

The words of servers differ; response codes (RFC 5530) do not, where there are some. Exchange Online
has its own sentences, which are known here. What a server says is shown without the secret that it
may repeat.
"""

import re
import ssl
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.imap_login import ImapLogin, TokenLogin, censored
from agent.adapters.imap_wire import (
    LostError,
    NoTlsError,
    ProtocolError,
    ReadOnlyError,
    ServerByeError,
    ServerNoError,
)
from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.retry_after import LEAST, MOST
from agent.domain.peer_text import PeerText

_CODES = {  # RFC 5530, RFC 9051, RFC 9208
    b"AUTHENTICATIONFAILED": Trouble.LOGIN_REFUSED,
    b"EXPIRED": Trouble.LOGIN_REFUSED,
    b"AUTHORIZATIONFAILED": Trouble.PERMISSION,
    b"NOPERM": Trouble.PERMISSION,
    b"PRIVACYREQUIRED": Trouble.TLS,
    b"NONEXISTENT": Trouble.NO_FOLDER,
    b"TRYCREATE": Trouble.NO_FOLDER,
    b"OVERQUOTA": Trouble.OVER_QUOTA,
    b"LIMIT": Trouble.THROTTLED,
    b"THROTTLED": Trouble.THROTTLED,
    b"UNAVAILABLE": Trouble.UNAVAILABLE,
    b"INUSE": Trouble.UNAVAILABLE,
    b"SERVERBUG": Trouble.UNAVAILABLE,
    b"CONTACTADMIN": Trouble.UNAVAILABLE,
}
_CODE = re.compile(rb"\[([A-Z]{1,24})\b")
_TEXTS = (
    (re.compile(rb"throttl|too many|backoff time|rate limit", re.IGNORECASE), Trouble.THROTTLED),
    (re.compile(rb"not connected", re.IGNORECASE), Trouble.PERMISSION),  # Exchange's words
    (re.compile(rb"over ?quota|quota exceeded", re.IGNORECASE), Trouble.OVER_QUOTA),
    (re.compile(rb"unavailable|try (again )?later", re.IGNORECASE), Trouble.UNAVAILABLE),
)
_BACKOFF = re.compile(rb"backoff time: (\d{1,9}) milliseconds", re.IGNORECASE)
_EXCHANGE = ("outlook.office365.com", "outlook.office365.us", "partner.outlook.cn")
_STEPS = (
    "New-ServicePrincipal with the object id of the enterprise application (not of the app"
    " registration), Add-MailboxPermission with FullAccess for it on this mailbox, the application"
    " permission IMAP.AccessAsApp with admin consent, and Set-CASMailbox -ImapEnabled $true"
)
_PARSING = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reason depends on besides the error: the host, and as whom one logs in."""

    host: str
    login: ImapLogin | None = None

    @property
    def is_exchange(self) -> bool:
        """Whether this is Exchange Online."""
        return self.host.lower().rstrip(".") in _EXCHANGE


FAULTS = (
    *(LostError, NoTlsError, ProtocolError, ServerByeError, ServerNoError),
    *(OSError, EOFError, ValueError, *_PARSING),
)
"""All that may come out of a conversation with a server, besides the library's own error."""


def translate(error: Exception, about: Circumstances) -> PickupError:
    """Return the error for what went wrong in a conversation."""
    match error:
        case PickupError():
            return error
        case ServerNoError(command=command, said=said):
            return _refused(command, said, about)
        case ServerByeError(said=said):
            return _left(said, about)
        case ReadOnlyError():
            trouble = Trouble.PERMISSION
            return PickupError(trouble, "the folder is read-only", fix=_fix(trouble, about))
        case OSError() | LostError() | NoTlsError():
            return _broken(error, about)
    said = censored(str(error).encode("utf-8", "backslashreplace")[:4096], about.login)
    return PickupError(Trouble.PROTOCOL, f"no answer that can be used: {PeerText(said)}")


def _broken(error: OSError | LostError | NoTlsError, about: Circumstances) -> PickupError:
    """Return the error for a connection that does not carry."""
    if isinstance(error, ssl.SSLCertVerificationError):
        fix = f"the certificate must be valid for {about.host}, and its root be trusted"
        return PickupError(Trouble.TLS, f"certificate: {error.verify_message}", fix=fix)
    if isinstance(error, ssl.SSLError | NoTlsError):
        return PickupError(Trouble.TLS, str(error))
    return PickupError(Trouble.UNREACHED, str(error) or type(error).__name__)


def _refused(command: str, said: bytes, about: Circumstances) -> PickupError:
    """Return the error for a command that was answered by NO or BAD."""
    is_login = command in ("AUTHENTICATE", "LOGIN")
    trouble = _known(said)
    if trouble is None or (is_login and trouble is Trouble.NO_FOLDER):
        trouble = Trouble.LOGIN_REFUSED if is_login else _BY_COMMAND.get(command)
    trouble = trouble or Trouble.UNAVAILABLE
    detail = f"{command} refused: {PeerText(censored(said, about.login))}"
    return PickupError(trouble, detail, fix=_fix(trouble, about), retry_after=_backoff(said))


_BY_COMMAND = {
    "SELECT": Trouble.NO_FOLDER,
    "EXAMINE": Trouble.NO_FOLDER,
    "STATUS": Trouble.NO_FOLDER,
    "CAPABILITY": Trouble.PROTOCOL,
    "STARTTLS": Trouble.TLS,
}


def _left(said: bytes, about: Circumstances) -> PickupError:
    """Return the error for a session that the server ended."""
    trouble = _known(said) or Trouble.UNAVAILABLE
    detail = f"the server ends the session: {PeerText(censored(said, about.login))}"
    return PickupError(trouble, detail, fix=_fix(trouble, about), retry_after=_backoff(said))


def _known(said: bytes) -> Trouble | None:
    code = _CODE.match(said)
    if code is not None and code[1] in _CODES:
        return _CODES[code[1]]
    head = said[:1024]
    return next((trouble for text, trouble in _TEXTS if text.search(head)), None)


def _backoff(said: bytes) -> timedelta | None:
    """Return for how long Exchange asks to be left alone."""
    found = _BACKOFF.search(said[:1024])
    if found is None:
        return None
    return min(max(timedelta(milliseconds=int(found[1])), LEAST), MOST)


def _fix(trouble: Trouble, about: Circumstances) -> str:
    """Return the missing step; empty where there is none but to wait."""
    by_token = isinstance(about.login, TokenLogin)
    if about.is_exchange and trouble in (Trouble.LOGIN_REFUSED, Trouble.PERMISSION):
        return f"check, in Exchange Online: {_STEPS}" if by_token else _NO_PASSWORD
    if by_token and trouble is Trouble.LOGIN_REFUSED:
        return "check that the server takes tokens of this issuer for this mailbox"
    return _FIXES.get(trouble, "")


_NO_PASSWORD = "Exchange Online takes no password for IMAP: use a credential of Entra"  # noqa: S105
_FIXES = {
    Trouble.LOGIN_REFUSED: "check the user name and the password",
    Trouble.PERMISSION: "let this user read the mailbox, and delete in it",
    Trouble.NO_FOLDER: "make the folder, or correct its name",
    Trouble.OVER_QUOTA: "make room in the mailbox, or give it a larger quota",
    Trouble.THROTTLED: "look less often, or let fewer programs use this mailbox at a time",
}
