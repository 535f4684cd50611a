"""Which keys does the web configuration file have?

Those of the form that Prometheus and its exporters share, so that an operator gives all of them the
same file. What this program cannot do as they do is an error where it would weaken the listener,
and a note where it makes no difference.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import Field
from pydantic.functional_validators import AfterValidator

from agent.config.sections import FilePath
from agent.settings import Duration, Settings

MAX_COST = 14  # of bcrypt; each step doubles a second that a login takes
# Names as the file has them, and as OpenSSL has them; those of TLS 1.3 cannot be chosen there.
CIPHERS = {
    "TLS_AES_128_GCM_SHA256": "",
    "TLS_AES_256_GCM_SHA384": "",
    "TLS_CHACHA20_POLY1305_SHA256": "",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
# The first two would take any certificate at all, which proves nothing.
UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
ClientAuth = Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"]
TlsVersion = Literal["TLS12", "TLS13"]
Curve = Literal["CurveP256", "CurveP384", "CurveP521", "X25519"]

_HASH = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
_LOWEST_COST = 4


def _hash(text: str) -> str:
    """Check what stands in place of a password; the password itself must never stand there."""
    match = _HASH.fullmatch(text)
    if match is None:
        message = "is no bcrypt hash; make one with: mailflow-agent web-config hash"
        raise ValueError(message)
    if not _LOWEST_COST <= int(match[1]) <= MAX_COST:
        message = f"has a cost that is not between {_LOWEST_COST} and {MAX_COST}"
        raise ValueError(message)
    return text


def _user(text: str) -> str:
    if not text or ":" in text or not text.isprintable():  # RFC 7617 section 2
        message = "is no name of a user: it may not be empty, nor hold a colon or what is invisible"
        raise ValueError(message)
    return text


def _client_auth(text: str) -> str:
    if text in UNVERIFIED:
        message = (
            "would take any certificate, whoever made it; write RequireAndVerifyClientCert,"
            " and client_ca_file"
        )
        raise ValueError(message)
    if text not in get_args(ClientAuth):
        message = f"is not one of: {', '.join(get_args(ClientAuth))}"
        raise ValueError(message)
    return text


def _cipher(text: str) -> str:
    if text not in CIPHERS:
        message = f"is not one of: {', '.join(CIPHERS)}"
        raise ValueError(message)
    return text


def _field_value(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        message = "holds a character that no header field may have"
        raise ValueError(message)
    return text


FieldValue = Annotated[str, AfterValidator(_field_value), Field(max_length=4096)]
Cipher = Annotated[str, AfterValidator(_cipher)]


class TlsServer(Settings):
    """How the listener speaks TLS."""

    cert: str | None = Field(default=None, description="The certificate in PEM, and its chain.")
    key: str | None = Field(default=None, description="The key in PEM.")
    client_ca: str | None = Field(default=None, description="Who vouches for clients, in PEM.")
    cert_file: FilePath | None = Field(default=None, description="File of the certificate.")
    key_file: FilePath | None = Field(default=None, description="File of the key.")
    client_ca_file: FilePath | None = Field(default=None, description="File of `client_ca`.")
    client_auth_type: Annotated[str, AfterValidator(_client_auth)] = Field(
        default="NoClientCert", description="Whether clients have to show a certificate."
    )
    client_allowed_sans: tuple[str, ...] = Field(
        default=(), max_length=1000, description="Names of which a client's certificate has one."
    )
    min_version: TlsVersion = Field(default="TLS12", description="The oldest version.")
    max_version: TlsVersion = Field(default="TLS13", description="The newest version.")
    cipher_suites: tuple[Cipher, ...] = Field(default=(), description="For TLS 1.2.")
    prefer_server_cipher_suites: bool = Field(default=True, description="Whose order counts.")
    curve_preferences: tuple[Curve, ...] = Field(default=(), description="Not chosen here.")


class Headers(Settings):
    """Header fields of answers; these, and no others."""

    content_security_policy: FieldValue | None = Field(
        default=None, alias="Content-Security-Policy", description="In place of the agent's own."
    )
    x_frame_options: Literal["deny", "sameorigin"] | None = Field(
        default=None, alias="X-Frame-Options", description="Who may frame the pages."
    )
    x_content_type_options: Literal["nosniff"] | None = Field(
        default=None, alias="X-Content-Type-Options", description="Always set anyway."
    )
    x_xss_protection: FieldValue | None = Field(
        default=None, alias="X-XSS-Protection", description="For browsers of long ago."
    )
    strict_transport_security: FieldValue | None = Field(
        default=None, alias="Strict-Transport-Security", description="RFC 6797."
    )


class HttpServer(Settings):
    """How the listener speaks HTTP."""

    http2: bool = Field(default=True, description="Not spoken here, whatever it says.")
    headers: Headers = Field(default=Headers(), description="Header fields of all answers.")


class RateLimit(Settings):
    """How many requests are answered; those for health are not counted."""

    interval: Duration = Field(
        default=timedelta(), le=timedelta(hours=1), description="Time for one more; 0s: no limit."
    )
    burst: int = Field(default=0, ge=0, le=1_000_000, description="Requests at once.")


class WebFile(Settings):
    """The web configuration file."""

    tls_server_config: TlsServer | None = Field(default=None, description="TLS.")
    http_server_config: HttpServer = Field(default=HttpServer(), description="HTTP.")
    basic_auth_users: dict[
        Annotated[str, AfterValidator(_user)], Annotated[str, AfterValidator(_hash)]
    ] = Field(default_factory=dict, max_length=1000, description="Password hashes by user.")
    rate_limit: RateLimit = Field(default=RateLimit(), description="How much is answered.")

    @property
    def headers(self) -> dict[str, str]:
        """The header fields to set, by their names."""
        given: dict[str, Any] = self.http_server_config.headers.model_dump(
            by_alias=True, exclude_none=True
        )
        return {name: str(value) for name, value in given.items() if value}
