"""Tokens are got from a provider that checks what it is shown, and are asked for sparingly."""

import asyncio
import logging
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from agent.adapters.token_credentials import (
    ClientCertificate,
    ClientSecret,
    Credential,
    ManagedIdentity,
    WorkloadIdentity,
)
from agent.adapters.token_trouble import FIXES, NoToken, TokenError, TokenTrouble
from agent.adapters.tokens import Token, Tokens
from agent.adapters.tokens_entra import obtain
from agent.domain.peer_text import PeerText
from servers.entra import TENANT, Application, Entra, answers, entra, hang
from servers.microsoft import SECRET, api, asking, authorities
from servers.standings import HandClock

RESOURCE = "https://graph.microsoft.com"
SCOPE = f"{RESOURCE}/.default"
MINUTE = timedelta(minutes=1)
FRESH = MINUTE * 61


@pytest.fixture
async def provider() -> AsyncIterator[Entra]:
    async with entra(HandClock(), authorities()) as running:
        running.register(Application("app-1", SECRET))
        yield running


def secret_of(provider: Entra, read: Callable[[], str] = lambda: SECRET) -> ClientSecret:
    return ClientSecret(TENANT, "app-1", read, authority=provider.url)


async def failure(provider: Entra, credential: Credential | None = None) -> TokenError:
    async with asking(provider.clock, probe=credential or secret_of(provider)) as tokens:
        with pytest.raises(TokenError) as caught:
            await tokens.get("probe", SCOPE)
    return caught.value


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
) -> tuple[x509.Certificate, str, str]:
    """Return a certificate as an operator makes it, and it and its key in PEM."""
    key = key or rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailflow-agent")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made, made.public_bytes(serialization.Encoding.PEM).decode(), pem.decode()


async def test_a_client_secret_gets_a_token_that_the_provider_knows(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        token = await tokens.get("probe", SCOPE)
    assert provider.holder(token.text, RESOURCE) is provider.applications["app-1"]
    assert token.expires_at == provider.clock.now() + timedelta(hours=1)


async def test_a_certificate_signs_and_its_end_is_known(provider: Entra) -> None:
    made, pem, key = certificate()
    provider.register(Application("app-2", certificates=[made]))
    credential = ClientCertificate(
        TENANT, "app-2", lambda: pem, lambda: key, authority=provider.url
    )
    async with asking(provider.clock, probe=credential) as tokens:
        token = await tokens.get("probe", SCOPE)
        (status,) = tokens.status()
    assert provider.holder(token.text, RESOURCE) is provider.applications["app-2"]
    assert status.secret_expires_at == datetime(2040, 1, 1, tzinfo=UTC)


async def test_a_certificate_that_is_not_registered_is_told(provider: Entra) -> None:
    _, pem, key = certificate()
    credential = ClientCertificate(
        TENANT, "app-1", lambda: pem, lambda: key, authority=provider.url
    )
    error = await failure(provider, credential)
    assert error.trouble is TokenTrouble.CERTIFICATE_NOT_REGISTERED
    assert "Upload the certificate" in error.fix


@pytest.mark.parametrize("what", ["another key", "no key", "an EC key", "no file", "no text"])
async def test_a_certificate_that_cannot_sign_is_told(provider: Entra, what: str) -> None:
    _, pem, key = certificate()
    if what == "an EC key":
        _, pem, key = certificate(ec.generate_private_key(ec.SECP256R1()))

    def read() -> str:
        if what == "no file":
            raise FileNotFoundError(2, "No such file")
        if what == "no text":
            return b"\xff".decode()
        return {"another key": certificate()[2], "no key": "canary"}.get(what, key)

    credential = ClientCertificate(TENANT, "app-1", lambda: pem, read, authority=provider.url)
    error = await failure(provider, credential)
    assert error.trouble is TokenTrouble.UNREADABLE_SECRET
    assert "canary" not in str(error)
    assert provider.asked == 0


async def test_a_token_of_the_platform_is_exchanged_and_read_each_time(provider: Entra) -> None:
    provider.applications["app-1"].platform_tokens = {"platform-2"}
    read = iter(["platform-1\n", "platform-2\n"])
    credential = WorkloadIdentity(TENANT, "app-1", lambda: next(read), authority=provider.url)
    async with asking(provider.clock, probe=credential) as tokens:
        with pytest.raises(TokenError) as caught:
            await tokens.get("probe", SCOPE)
        assert caught.value.trouble is TokenTrouble.UNTRUSTED_ASSERTION
        provider.clock.advance(MINUTE)
        token = await tokens.get("probe", SCOPE)
    assert provider.holder(token.text, RESOURCE) is not None


@pytest.mark.parametrize("client_id", [None, "app-3"])
async def test_a_managed_identity_asks_the_machine(
    monkeypatch: pytest.MonkeyPatch, client_id: str | None
) -> None:
    async with entra(HandClock(), None) as provider:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", provider.url)
        credential = ManagedIdentity(client_id)
        error = await failure(provider, credential)
        assert error.trouble is TokenTrouble.UNKNOWN_APPLICATION
        provider.managed = Application("app-3")
        async with asking(provider.clock, probe=credential) as tokens:
            token = await tokens.get("probe", SCOPE)
        assert provider.holder(token.text, RESOURCE) is provider.managed


async def test_azure_arc_may_answer_with_an_empty_body(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = "Basic realm=/var/opt/azcmagent/tokens/canary.key"
    async with entra(HandClock(), None) as provider:
        url = provider.url.replace("127.0.0.1", "localhost")
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/metadata/identity")
        monkeypatch.setenv("IMDS_ENDPOINT", url)
        provider.fault = answers(text("", 401, **{"WWW-Authenticate": realm}))
        error = await failure(provider, ManagedIdentity())  # there is no such file here
    assert error.trouble is TokenTrouble.UNKNOWN_APPLICATION
    assert provider.asked == 1


async def test_an_authority_that_is_no_address_is_told(provider: Entra) -> None:
    credential = ClientSecret(TENANT, "app-1", lambda: SECRET, authority="https://[::1")
    assert (await failure(provider, credential)).trouble is TokenTrouble.MALFORMED


async def test_a_thread_ends_when_the_loop_drops_its_request(provider: Entra) -> None:
    asked = asyncio.Event()

    async def fault(request: web.Request) -> web.Response:
        asked.set()
        return await hang(request)

    provider.fault = fault
    client = api(provider.clock)
    before = asyncio.all_tasks()
    loop = asyncio.get_running_loop()
    told = loop.run_in_executor(None, obtain, secret_of(provider), SCOPE, client, loop)
    await asked.wait()
    for task in asyncio.all_tasks() - before:
        if "Api.request" in repr(task):
            task.cancel()
    async with asyncio.timeout(5):
        failed = await told
    assert isinstance(failed, NoToken)
    assert failed.trouble is TokenTrouble.UNREACHABLE
    await client.close()


async def test_many_who_wait_ask_once(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        got = await asyncio.gather(*(tokens.get("probe", SCOPE) for _ in range(50)))
        assert len({token.text for token in got}) == 1
        assert provider.asked == 1
        provider.clock.advance(FRESH)
        await asyncio.gather(*(tokens.get("probe", SCOPE) for _ in range(50)))
        assert provider.asked == 2


async def test_one_who_gives_up_waiting_takes_nothing_from_the_others(provider: Entra) -> None:
    gate = asyncio.Event()

    async def slow(_request: web.Request) -> None:
        await gate.wait()

    provider.fault = slow
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        hasty = asyncio.create_task(tokens.get("probe", SCOPE))
        patient = asyncio.create_task(tokens.get("probe", SCOPE))
        await asyncio.wait({hasty}, timeout=0.05)
        hasty.cancel()
        await asyncio.wait({hasty})
        gate.set()
        assert (await patient).text in provider.issued
    assert provider.asked == 1


async def test_a_token_is_replaced_five_minutes_before_its_end(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        first = await tokens.get("probe", SCOPE)
        provider.clock.advance(MINUTE * 54)
        assert await tokens.get("probe", SCOPE) is first
        provider.clock.advance(MINUTE * 2)
        second = await tokens.get("probe", SCOPE)
    assert second.text != first.text


async def test_the_old_token_serves_while_it_is_valid_and_the_trouble_is_noted(
    provider: Entra,
) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        first = await tokens.get("probe", SCOPE)
        provider.applications["app-1"].secret_expired = True
        provider.clock.advance(MINUTE * 56)
        for _ in range(10):
            assert await tokens.get("probe", SCOPE) is first
        assert provider.asked == 2
        (status,) = tokens.status()
        assert status.expires_at == first.expires_at
        assert status.failure is not None
        assert status.failure.trouble is TokenTrouble.EXPIRED_SECRET
        assert status.failed_at == provider.clock.now()
        provider.clock.advance(MINUTE * 5)
        with pytest.raises(TokenError, match="expired-secret"):
            await tokens.get("probe", SCOPE)
        provider.applications["app-1"].secret_expired = False
        provider.clock.advance(MINUTE)
        assert (await tokens.get("probe", SCOPE)).text in provider.issued
        (status,) = tokens.status()
        assert status.failure is None


async def test_a_provider_that_hangs_keeps_nobody_with_a_valid_token(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        first = await tokens.get("probe", SCOPE)
        provider.fault = hang
        provider.clock.advance(MINUTE * 56)
        async with asyncio.timeout(10):
            assert await tokens.get("probe", SCOPE) is first


async def test_asking_again_after_a_failure_is_put_off_longer_each_time(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider, lambda: "wrong~secret")) as tokens:
        seen = []
        for _ in range(60):
            with pytest.raises(TokenError, match="refused-secret"):
                await tokens.get("probe", SCOPE)
            seen.append(provider.asked)
            provider.clock.advance(timedelta(seconds=10))
    assert seen[:3] == [1, 2, 3]
    assert seen[-1] <= 8


async def test_a_refused_token_is_renewed_once_for_all(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        first = await tokens.get("probe", SCOPE)
        assert await tokens.renew("probe", SCOPE, first) is first  # just got
        provider.clock.advance(MINUTE * 2)
        got = await asyncio.gather(*(tokens.renew("probe", SCOPE, first) for _ in range(9)))
        assert len({token.text for token in got} - {first.text}) == 1
    assert provider.asked == 2


async def test_a_wall_clock_that_steps_back_does_not_keep_a_dead_token(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        first = await tokens.get("probe", SCOPE)
        provider.clock.advance(FRESH)
        provider.clock.at -= timedelta(hours=9)
        second = await tokens.get("probe", SCOPE)
    assert second.text != first.text


async def test_a_clock_far_from_the_providers_does_not_matter(provider: Entra) -> None:
    clock = HandClock(at=provider.clock.now() - timedelta(days=3))
    async with asking(clock, probe=secret_of(provider)) as tokens:
        token = await tokens.get("probe", SCOPE)
    assert token.expires_at == clock.now() + timedelta(hours=1)
    assert provider.holder(token.text, RESOURCE) is not None


async def test_each_scope_has_its_own_token(provider: Entra) -> None:
    async with asking(provider.clock, probe=secret_of(provider)) as tokens:
        await tokens.get("probe", SCOPE)
        other = await tokens.get("probe", "https://outlook.office365.com/.default")
        (status,) = tokens.status()
    assert provider.holder(other.text, "https://outlook.office365.com") is not None
    assert status.expires_at == other.expires_at


async def test_the_end_of_a_client_secret_is_what_the_operator_says() -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    credential = ClientSecret(TENANT, "app-1", lambda: SECRET, until)
    async with asking(HandClock(), probe=credential) as tokens:
        (status,) = tokens.status()
    assert (status.name, status.secret_expires_at, status.expires_at) == ("probe", until, None)


async def test_a_credential_that_nobody_configured_is_told() -> None:
    async with asking(HandClock()) as tokens:
        with pytest.raises(TokenError, match="there is no credential other"):
            await tokens.get("other", SCOPE)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"secret": "another~secret"}, TokenTrouble.REFUSED_SECRET),
        ({"secret_expired": True}, TokenTrouble.EXPIRED_SECRET),
        ({"client_id": "app-9"}, TokenTrouble.UNKNOWN_APPLICATION),
        ({"has_consent": False}, TokenTrouble.NO_CONSENT),
    ],
)
async def test_what_is_missing_in_entra_is_named(
    provider: Entra, change: dict[str, object], trouble: TokenTrouble
) -> None:
    changed = Application(**{"client_id": "app-1", "secret": SECRET, **change})  # type: ignore[arg-type]
    provider.applications = {changed.client_id: changed}
    error = await failure(provider)
    assert error.trouble is trouble
    assert error.fix == FIXES[trouble]
    assert "AADSTS" in error.detail
    assert SECRET not in f"{error!r} {error} {error.detail}"


@pytest.mark.parametrize("tenant", ["other-tenant", "common"])
async def test_a_tenant_that_is_none_is_named(provider: Entra, tenant: str) -> None:
    credential = ClientSecret(tenant, "app-1", lambda: SECRET, authority=provider.url)
    error = await failure(provider, credential)
    assert error.trouble is TokenTrouble.UNKNOWN_TENANT


def text(body: str, status: int = 200, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.Response(text=body, status=status, headers=headers)


@pytest.mark.parametrize(
    ("response", "trouble", "seconds"),
    [
        (text("{}", 429, **{"Retry-After": "77"}), TokenTrouble.THROTTLED, 77),
        (text("{}", 429, **{"Retry-After": "1000000000"}), TokenTrouble.THROTTLED, 300),
        (text("{}", 503), TokenTrouble.THROTTLED, 30),
        (text("oops", 500), TokenTrouble.UNREACHABLE, None),
        (text("", 302, Location="https://evil.example/"), TokenTrouble.UNREACHABLE, None),
        (text("<html>log in to the hotel</html>"), TokenTrouble.MALFORMED, None),
        (text('{"access_token": "canary'), TokenTrouble.MALFORMED, None),
        (text('{"access_token": 7, "expires_in": 3600}'), TokenTrouble.MALFORMED, None),
        (text('{"access_token": "canary", "expires_in": -1}'), TokenTrouble.MALFORMED, None),
        (text('{"access_token": "canary", "expires_in": 1e99}'), TokenTrouble.MALFORMED, None),
        (text('{"access_token": "canary", "expires_in": Infinity}'), TokenTrouble.MALFORMED, None),
        (text('{"access_token": "can\\u00e4ry", "expires_in": 99}'), TokenTrouble.MALFORMED, None),
        (text('{"error": ["canary"]}', 400), TokenTrouble.MALFORMED, None),
        (text('{"error": "strange", "error_codes": ["x"]}', 400), TokenTrouble.REFUSED, None),
        (text("[" * 200_000), TokenTrouble.MALFORMED, None),
        (text("x" * 300_000), TokenTrouble.UNREACHABLE, None),
        (text("[]"), TokenTrouble.MALFORMED, None),
        (text("{}"), TokenTrouble.MALFORMED, None),
    ],
)
@pytest.mark.parametrize("where", ["token", "discovery"])
async def test_what_is_no_answer_of_a_provider_is_told(
    provider: Entra,
    response: Callable[[], web.Response],
    trouble: TokenTrouble,
    seconds: int | None,
    where: str,
) -> None:
    async def fault(request: web.Request) -> web.Response | None:
        return response() if (request.method == "POST") is (where == "token") else None

    provider.fault = fault
    error = await failure(provider)
    assert error.trouble is trouble or (where, trouble) == ("discovery", TokenTrouble.REFUSED)
    assert error.retry_after == (None if seconds is None else timedelta(seconds=seconds))
    assert "canary" not in f"{error} {error.detail}"


async def test_a_provider_that_refers_elsewhere_is_not_followed(provider: Entra) -> None:
    async with entra(HandClock(), authorities()) as other:
        provider.token_endpoint = f"{other.url}/{TENANT}/oauth2/v2.0/token"
        error = await failure(provider)
        assert error.trouble is TokenTrouble.MALFORMED
        assert "another host" in error.detail
        assert other.asked == 0


async def test_a_provider_that_is_not_there_is_unreachable(provider: Entra) -> None:
    credential = ClientSecret(TENANT, "app-1", lambda: SECRET, authority="https://127.0.0.1:1")
    error = await failure(provider, credential)
    assert error.trouble is TokenTrouble.UNREACHABLE
    assert "login.microsoftonline.com" in error.fix


async def test_stopping_while_the_provider_hangs_takes_no_time(provider: Entra) -> None:
    asked = asyncio.Event()

    async def fault(request: web.Request) -> web.Response:
        asked.set()
        return await hang(request)

    provider.fault = fault
    client = api(provider.clock)
    tokens = Tokens({"probe": secret_of(provider)}, api=client, clock=provider.clock)
    waiting = asyncio.create_task(tokens.get("probe", SCOPE))
    await asked.wait()
    async with asyncio.timeout(5):
        await tokens.close()
        with pytest.raises(TokenError, match="stopping"):
            await waiting
    await client.close()


async def test_secrets_and_tokens_are_in_no_log_no_repr_and_no_exception(
    provider: Entra, caplog: pytest.LogCaptureFixture
) -> None:
    made, pem, key = certificate()
    provider.register(Application("app-2", certificates=[made]))
    caplog.set_level(logging.DEBUG)
    for name in ("msal", "msal.token_cache", "msal.oauth2cli.oauth2", "asyncio", "aiohttp.client"):
        caplog.set_level(logging.DEBUG, name)
    wrong = secret_of(provider, lambda: "canary~wrong")
    by_key = ClientCertificate(TENANT, "app-2", lambda: pem, lambda: key, authority=provider.url)
    shown = [repr(wrong), repr(by_key)]
    async with asking(
        provider.clock, good=secret_of(provider), wrong=wrong, by_key=by_key
    ) as tokens:
        for name in ("good", "by_key"):
            token = await tokens.get(name, SCOPE)
            shown += [repr(token), str(token), f"{token}"]
        with pytest.raises(TokenError) as caught:
            await tokens.get("wrong", SCOPE)
        provider.fault = answers(text("canary, and no JSON"))
        provider.clock.advance(FRESH)
        with pytest.raises(TokenError):
            await tokens.get("good", SCOPE)
        shown += [repr(tokens.status()), repr(caught.value), str(caught.value)]
    assert not [record.name for record in caplog.records if record.name.startswith("msal")]
    shown += [caplog.text, repr([record.__dict__ for record in caplog.records])]
    for secret in (SECRET, "canary", "eyJ", key.splitlines()[1], key.splitlines()[9]):
        assert secret not in "".join(shown)
    assert caught.value.__context__ is None


def test_without_the_library_it_is_said_what_to_install() -> None:
    code = """
import asyncio, sys
sys.modules["msal"] = None
from agent.adapters.token_credentials import ManagedIdentity
from agent.adapters.tokens_entra import obtain
loop = asyncio.new_event_loop()
told = obtain(ManagedIdentity(), "s", None, loop)
print(told.trouble, told.fix)
loop.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.startswith("library-missing")
    assert "pip install 'mailflow-agent[microsoft]'; in a clone: " in done.stdout


def test_the_library_is_not_imported_until_it_is_needed() -> None:
    code = "import sys, agent.adapters.tokens; sys.exit('msal' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_every_trouble_has_a_step_that_is_missing() -> None:
    assert set(FIXES) == set(TokenTrouble)
    assert NoToken(TokenTrouble.BLOCKED, PeerText("")).fix.startswith("Exempt")


def test_a_token_does_not_show_itself() -> None:
    token = Token("canary", datetime(2027, 1, 1, tzinfo=UTC))
    assert "canary" not in f"{token} {token!r} {[token]}"


def test_a_loop_that_is_closed_leaves_nothing_behind() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    credential = ClientSecret(TENANT, "app-1", lambda: SECRET, authority="https://127.0.0.1:1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = obtain(credential, SCOPE, api(HandClock()), loop)
    assert isinstance(told, NoToken)
    assert told.trouble is TokenTrouble.UNREACHABLE
