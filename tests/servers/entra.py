"""An identity provider that speaks as Entra does, over a real socket.

It knows tenants and applications, checks secrets, and verifies the signature of an assertion with
the certificate that is registered. A token it gave out is good until it says otherwise.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from servers.standings import HandClock
from servers.tls import Authorities

TENANT = "8f6b7a52-0000-4000-8000-00000000c0de"
APPLICATION = "8f6b7a52-0000-4000-8000-0000000000a1"
Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class Application:
    """An application as registered: its proofs, and what it may do."""

    client_id: str
    secret: str = ""
    secret_expired: bool = False
    certificates: list[x509.Certificate] = field(default_factory=list)
    platform_tokens: set[str] = field(default_factory=set)
    permissions: set[str] = field(default_factory=set)
    mailboxes: set[str] | None = None  # RBAC for Applications; None: all
    has_consent: bool = True


@dataclass
class Issued:
    application: Application
    resource: str
    expires_at: datetime


class Entra:
    """The provider. ``fault`` may answer a request in its place."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.applications: dict[str, Application] = {}
        self.issued: dict[str, Issued] = {}
        self.lifetime: object = 3600
        self.asked = 0  # for tokens
        self.fault: Fault | None = None
        self.token_endpoint: str | None = None
        self.managed: Application | None = None
        self.url = ""

    def register(self, application: Application) -> Application:
        self.applications[application.client_id] = application
        return application

    def holder(self, token: str, resource: str) -> Application | None:
        """Return whose token that is, where it is one for *resource* and still good."""
        issued = self.issued.get(token)
        if issued is None or issued.resource != resource or issued.expires_at <= self.clock.now():
            return None
        return issued.application

    def revoke(self) -> None:
        self.issued.clear()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST" or request.path.startswith("/metadata"):
            self.asked += 1
        if self.fault is not None and (answer := await self.fault(request)) is not None:
            return answer
        if request.path.startswith("/metadata/identity"):
            return self._metadata(request)
        tenant, _, rest = request.path.lstrip("/").partition("/")
        if tenant != TENANT:
            return _error(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
        if rest == "v2.0/.well-known/openid-configuration":
            return self._discovery()
        if rest == "oauth2/v2.0/token" and request.method == "POST":
            return await self._token(request)
        raise web.HTTPNotFound

    def _discovery(self) -> web.Response:
        base = f"{self.url}/{TENANT}"
        return web.json_response(
            {
                "token_endpoint": self.token_endpoint or f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "issuer": f"{base}/v2.0",
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        assert form["grant_type"] == "client_credentials"
        application = self.applications.get(form["client_id"])
        if application is None:
            text = f"Application with identifier '{form['client_id']}' was not found."
            return _error(400, "unauthorized_client", 700016, text)
        if (refusal := self._prove(application, form)) is not None:
            return refusal
        if not application.has_consent:
            return _error(400, "invalid_grant", 65001, "The administrator has not consented.")
        resource = form["scope"].removesuffix("/.default")
        assert form["scope"].endswith("/.default")
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": self.lifetime,
                "access_token": self.issue(application, resource),
            }
        )

    def issue(self, application: Application, resource: str) -> str:
        text = f"eyJ-canary-{secrets.token_urlsafe(24)}"
        seconds = self.lifetime if isinstance(self.lifetime, int) else 3600
        until = self.clock.now() + timedelta(seconds=seconds)
        self.issued[text] = Issued(application, resource, until)
        return text

    def _prove(self, application: Application, form: dict[str, str]) -> web.Response | None:
        if "client_assertion" in form:
            assertion = form["client_assertion"]
            if assertion in application.platform_tokens:
                return None
            return self._verify(application, assertion)
        if form.get("client_secret") != application.secret:
            text = f"Invalid client secret provided: {form.get('client_secret')}"
            return _error(401, "invalid_client", 7000215, text)
        if application.secret_expired:
            return _error(401, "invalid_client", 7000222, "The provided client secret has expired.")
        return None

    def _verify(self, application: Application, assertion: str) -> web.Response | None:
        """Check the signature with the certificate that the assertion names (RFC 7523)."""
        try:
            named = jwt.get_unverified_header(assertion).get("x5t#S256")
        except jwt.InvalidTokenError:
            return _error(400, "invalid_request", 700211, "No matching federated identity record.")
        for certificate in application.certificates:
            print_ = certificate.fingerprint(hashes.SHA256())
            if base64.urlsafe_b64encode(print_).rstrip(b"=").decode() != str(named).rstrip("="):
                continue
            claims = jwt.decode(
                assertion,
                certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["PS256"],
                audience=f"{self.url}/{TENANT}/oauth2/v2.0/token",
                issuer=application.client_id,
            )
            assert claims["sub"] == application.client_id
            return None
        return _error(401, "invalid_client", 700027, "The key was not found.")

    def _metadata(self, request: web.Request) -> web.Response:
        """Answer as the machine's own metadata service."""
        if request.headers.get("Metadata") != "true" or self.managed is None:
            content = {"error": "invalid_request", "error_description": "Identity not found"}
            return web.json_response(content, status=400)
        text = self.issue(self.managed, request.query["resource"])
        return web.json_response({"access_token": text, "expires_in": str(self.lifetime)})


def _error(status: int, word: str, code: int, text: str) -> web.Response:
    content = {
        "error": word,
        "error_description": f"AADSTS{code}: {text} Trace ID: 1\r\nTimestamp: now",
        "error_codes": [code],
    }
    return web.json_response(content, status=status)


@asynccontextmanager
async def listening(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    authorities: Authorities | None,
    *names: str,
) -> AsyncIterator[str]:
    """Serve *handler* on a free port of this machine, with TLS where there are authorities.

    The certificate is for the machine, and for other *names*.
    """
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    context = authorities.server("127.0.0.1", *names) if authorities else None
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def entra(clock: HandClock, authorities: Authorities | None) -> AsyncIterator[Entra]:
    """Run an identity provider."""
    provider = Entra(clock)
    async with listening(provider.handle, authorities) as url:
        provider.url = url
        yield provider


def answers(response: Callable[[], web.Response], times: int = 1000) -> Fault:
    """Return a fault that answers *times* requests in the server's place."""
    left = [times]

    async def fault(_request: web.Request) -> web.Response | None:
        left[0] -= 1
        return response() if left[0] >= 0 else None

    return fault


async def hang(_request: web.Request) -> web.Response:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError
