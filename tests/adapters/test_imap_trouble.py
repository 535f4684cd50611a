"""What the words of an IMAP server mean, and what is shown of them."""

import base64
import ssl
from datetime import timedelta

import pytest

from agent.adapters.imap_login import ImapLogin, PasswordLogin, TokenLogin, censored
from agent.adapters.imap_trouble import Circumstances, translate
from agent.adapters.imap_wire import (
    CommandError,
    LostError,
    NoTlsError,
    ProtocolError,
    ReadOnlyError,
    ServerByeError,
    ServerNoError,
)
from agent.adapters.mailbox import PickupError, Trouble

PASSWORD = PasswordLogin("probe@contoso.com", 'can"ary \\ 4711')
TOKEN = TokenLogin("probe@contoso.com", "canary.4711")
HERE = Circumstances("imap.contoso.com", PASSWORD)
EXCHANGE = Circumstances("Outlook.Office365.com.", TOKEN)


@pytest.mark.parametrize(
    ("command", "said", "trouble"),
    [
        ("AUTHENTICATE", b"[AUTHENTICATIONFAILED] no", Trouble.LOGIN_REFUSED),
        ("AUTHENTICATE", b"AUTHENTICATE failed.", Trouble.LOGIN_REFUSED),
        ("LOGIN", b"[EXPIRED] no", Trouble.LOGIN_REFUSED),
        ("LOGIN", b"[NONEXISTENT] who?", Trouble.LOGIN_REFUSED),
        ("LOGIN", b"[AUTHORIZATIONFAILED] no", Trouble.PERMISSION),
        ("LOGIN", b"[PRIVACYREQUIRED] no", Trouble.TLS),
        ("LOGIN", b"[UNAVAILABLE] later", Trouble.UNAVAILABLE),
        ("LOGIN", b"[LIMIT] later", Trouble.THROTTLED),
        ("LOGIN", b"[X-ODD] Server Unavailable. 15", Trouble.UNAVAILABLE),
        ("LOGIN", b"Mailbox is over quota", Trouble.OVER_QUOTA),
        ("EXAMINE", b"User is authenticated but not connected.", Trouble.PERMISSION),
        ("EXAMINE", b"no such thing", Trouble.NO_FOLDER),
        ("STATUS", b"[NOPERM] no", Trouble.PERMISSION),
        ("STARTTLS", b"no", Trouble.TLS),
        ("CAPABILITY", b"what", Trouble.PROTOCOL),
        ("UID", b"[OVERQUOTA] no", Trouble.OVER_QUOTA),
        ("UID", b"[] x", Trouble.UNAVAILABLE),
        ("UID", b"", Trouble.UNAVAILABLE),
    ],
)
def test_a_refusal_has_its_reason(command: str, said: bytes, trouble: Trouble) -> None:
    error = translate(ServerNoError(command, said), HERE)
    assert error.trouble is trouble
    assert error.detail.startswith(f"{command} refused")


def test_a_farewell_has_its_reason() -> None:
    assert translate(ServerByeError(b"Too many"), HERE).trouble is Trouble.THROTTLED
    assert translate(ServerByeError(b"\xff"), HERE).trouble is Trouble.UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (LostError("the connection ended"), Trouble.UNREACHED),
        (OSError(), Trouble.UNREACHED),
        (NoTlsError("none"), Trouble.TLS),
        (ssl.SSLError(1, "[SSL] wrong version number"), Trouble.TLS),
        (ReadOnlyError("x"), Trouble.PERMISSION),
        (ProtocolError("a literal"), Trouble.PROTOCOL),
        (CommandError("unexpected"), Trouble.PROTOCOL),
        (IndexError("tuple index out of range"), Trouble.PROTOCOL),
        (PickupError(Trouble.TOKEN, "none"), Trouble.TOKEN),
    ],
)
def test_each_fault_has_its_reason(error: Exception, trouble: Trouble) -> None:
    assert translate(error, HERE).trouble is trouble


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(b"90000", 90), (b"0", 1), (b"999999999", 300)]
)
def test_exchange_says_for_how_long_it_wants_to_be_left_alone(
    milliseconds: bytes, seconds: int
) -> None:
    said = b"Request is throttled. Suggested Backoff Time: " + milliseconds + b" milliseconds"
    error = translate(ServerNoError("UID", said), EXCHANGE)
    assert error.trouble is Trouble.THROTTLED
    assert error.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (EXCHANGE, "object id of the enterprise application"),
        (Circumstances("outlook.office365.us", TOKEN), "FullAccess"),
        (Circumstances("outlook.office365.com", PASSWORD), "takes no password"),
        (Circumstances("imap.contoso.com", TOKEN), "takes tokens of this issuer"),
        (HERE, "check the user name and the password"),
    ],
)
def test_who_is_refused_hears_the_missing_step(about: Circumstances, words: str) -> None:
    error = translate(ServerNoError("AUTHENTICATE", b"AUTHENTICATE failed."), about)
    assert words in error.fix


@pytest.mark.parametrize("login", [PASSWORD, TOKEN, PasswordLogin("a", "schl\u00fcssel-canary")])
def test_no_secret_is_shown_however_it_is_repeated(login: ImapLogin) -> None:
    secret = login.secret.encode()
    quoted = secret.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for shape in (
        *(secret, quoted, login.response),
        *map(base64.b64encode, (secret, login.response)),
    ):
        shown = censored(b"not with " + shape + b" today", login)
        assert shown == b"not with *** today"
        for error in (ServerNoError("LOGIN", shape), ServerByeError(shape)):
            assert "canary" not in str(translate(error, Circumstances("a", login)))
        unexpected = CommandError(f"unexpected response: {shape!r}")
        assert "canary" not in str(translate(unexpected, Circumstances("a", login)))
    assert "canary" not in repr(login)


def test_before_a_login_there_is_nothing_to_hide() -> None:
    assert censored(b"hello", None) == b"hello"
    assert censored(b"hello", PasswordLogin("a", "")) == b"hello"
