"""Credentials are used by their names, read when they are used, and never told."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.adapters.imap_login import PasswordLogin, TokenLogin
from agent.adapters.keyring import Application, Keyring, KeyringError, Password, SigningKey
from agent.domain.smtp import Login
from agent.settings.secret import SecretError
from servers.microsoft import USER, Microsoft, microsoft

SCOPE = "https://outlook.office365.com/.default"
LETTER = b"From: <probe@contoso.com>\r\nSubject: x\r\n\r\nHello.\r\n"
PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode("ascii")
)


def gone() -> str:
    message = "file /run/secrets/mail does not exist"
    raise SecretError(message)


def password(text: str = "canary-hunter2") -> Keyring:
    return Keyring({"mail": Password("me", lambda: text)})


def of_tenant(it: Microsoft) -> Keyring:
    return Keyring({"probe": Application(SCOPE)}, it.tokens)


async def test_a_password_is_read_when_it_is_used() -> None:
    secrets = iter(("canary-hunter2", "canary-hunter3"))
    ring = Keyring({"mail": Password("me", lambda: next(secrets))})
    smtp, imap = await ring.smtp_login("mail", ""), await ring.imap_login("mail", "")
    assert isinstance(smtp, Login)
    assert (smtp.mechanism, base64.b64decode(smtp.response)) == ("PLAIN", b"\0me\0canary-hunter2")
    assert imap == PasswordLogin("me", "canary-hunter3")
    assert "canary" not in repr((ring, smtp, imap, Password("me", str)))


async def test_an_application_logs_in_with_a_token_for_mail_servers() -> None:
    async with microsoft() as it:
        ring = of_tenant(it)
        smtp, imap = await ring.smtp_login("probe", USER), await ring.imap_login("probe", USER)
        assert smtp.mechanism == "XOAUTH2"
        assert isinstance(imap, TokenLogin)
        assert imap.username == USER
        holder = it.provider.holder(imap.token, SCOPE.removesuffix("/.default"))
        assert holder is it.application
        assert imap.token.encode() in base64.b64decode(smtp.response)
        assert ring.scope("probe") == SCOPE


async def test_where_no_token_is_got_the_missing_step_is_told() -> None:
    async with microsoft() as it:
        it.application.has_consent = False
        with pytest.raises(KeyringError, match="probe: no-consent: AADSTS65001") as caught:
            await of_tenant(it).smtp_login("probe", USER)
        assert caught.value.fix.startswith("Grant admin consent")


@pytest.mark.parametrize("name", ["mail", "unknown", "key"])
async def test_what_is_no_login_is_no_login(name: str) -> None:
    ring = Keyring({"mail": Application(SCOPE), "key": SigningKey("contoso.com", "s", gone)})
    for login in (ring.smtp_login, ring.imap_login):
        with pytest.raises(KeyringError, match=f"there is no credential {name} to log in with"):
            await login(name, USER)


async def test_a_secret_that_cannot_be_read_is_told_without_its_value() -> None:
    ring = Keyring({"mail": Password("me", gone), "key": SigningKey("contoso.com", "s", gone)})
    with pytest.raises(KeyringError, match="mail: file /run/secrets/mail does not exist"):
        await ring.smtp_login("mail", "")
    with pytest.raises(KeyringError, match="key: file /run/secrets/mail does not exist"):
        await ring.sign("key", LETTER)


async def test_a_message_is_signed_with_the_key_of_that_name() -> None:
    ring = Keyring({"key": SigningKey("contoso.com", "s1", lambda: PEM)})
    signed = await ring.sign("key", LETTER)
    assert signed.endswith(LETTER)
    assert b"d=contoso.com" in signed
    assert b"s=s1" in signed
    with pytest.raises(KeyringError, match="there is no DKIM key other"):
        await ring.sign("other", LETTER)


async def test_a_key_that_is_none_is_told_without_its_value() -> None:
    ring = Keyring({"key": SigningKey("contoso.com", "s1", lambda: "canary-hunter2")})
    with pytest.raises(KeyringError, match=r"^key: ") as caught:
        await ring.sign("key", LETTER)
    assert "canary" not in str(caught.value)


async def test_what_replaces_the_credentials_counts_from_then_on() -> None:
    ring = password()
    ring.replace({"other": Password("you", lambda: "x")}, None)
    assert await ring.imap_login("other", "") == PasswordLogin("you", "x")
    with pytest.raises(KeyringError):
        await ring.imap_login("mail", "")
    with pytest.raises(KeyError):
        ring.scope("other")
