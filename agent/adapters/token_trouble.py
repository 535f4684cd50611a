"""Why does the identity provider give no token, and which step is missing?

Entra says why in a number (AADSTS and digits). Those that an operator can do something about are
told apart; the sentence that goes with each names the step. The words of the provider are shown
beside it, made printable.
"""

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from agent.domain.peer_text import PeerText


class TokenTrouble(enum.StrEnum):
    """Why there is no token: a closed set, fit for a label value."""

    REFUSED_SECRET = "refused-secret"  # noqa: S105 - a word, not a secret
    EXPIRED_SECRET = "expired-secret"  # noqa: S105 - as above
    UNREADABLE_SECRET = "unreadable-secret"  # noqa: S105 - as above
    UNKNOWN_APPLICATION = "unknown-application"
    UNKNOWN_TENANT = "unknown-tenant"
    NO_CONSENT = "no-consent"
    CERTIFICATE_NOT_REGISTERED = "certificate-not-registered"
    UNTRUSTED_ASSERTION = "untrusted-assertion"  # no federated credential fits the platform's token
    BLOCKED = "blocked"  # by a policy of the tenant
    CLOCK = "clock"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"  # the provider says what no provider may say
    REFUSED = "refused"  # for a reason that has no word here
    LIBRARY_MISSING = "library-missing"

    @property
    def is_providers(self) -> bool:
        """True where the provider itself is away or busy; else it has answered, and said no."""
        return self in (TokenTrouble.UNREACHABLE, TokenTrouble.THROTTLED, TokenTrouble.MALFORMED)


@dataclass(frozen=True, slots=True)
class NoToken:
    """There is no token; ``retry_after`` is how long the provider asks to be left alone."""

    trouble: TokenTrouble
    detail: PeerText
    retry_after: timedelta | None = None

    @property
    def fix(self) -> str:
        """The missing step, in one sentence."""
        return FIXES[self.trouble]


class TokenError(Exception):
    """There is no token; ``detail`` is printable, ``fix`` the missing step."""

    def __init__(self, why: NoToken) -> None:
        super().__init__(f"{why.trouble}: {why.detail}")
        self.trouble = why.trouble
        self.detail = why.detail
        self.fix = why.fix
        self.retry_after = why.retry_after


FIXES = {
    TokenTrouble.REFUSED_SECRET: "Copy the value of the client secret, not its id, from Entra"
    " > App registrations > Certificates & secrets, and make a new one if it is no longer shown.",
    TokenTrouble.EXPIRED_SECRET: "Make a new client secret or certificate in Entra > App"
    " registrations > Certificates & secrets, and put it where the configuration reads it.",
    TokenTrouble.UNREADABLE_SECRET: "Put the secret where the configuration reads it: for a"
    " certificate its PEM and the RSA private key that belongs to it, without a passphrase.",
    TokenTrouble.UNKNOWN_APPLICATION: "Set client_id to the Application (client) id in Entra > App"
    " registrations, and see that the application is in this tenant; assign a managed identity to"
    " this machine in Azure.",
    TokenTrouble.UNKNOWN_TENANT: "Set tenant_id to the Directory (tenant) id in Entra > Overview,"
    " and use the authority of the cloud that the tenant is in.",
    TokenTrouble.NO_CONSENT: "Grant admin consent in Entra > App registrations > API permissions,"
    " which also makes the enterprise application.",
    TokenTrouble.CERTIFICATE_NOT_REGISTERED: "Upload the certificate whose key the agent holds in"
    " Entra > App registrations > Certificates & secrets > Certificates.",
    TokenTrouble.UNTRUSTED_ASSERTION: "Add a federated credential in Entra > App registrations >"
    " Certificates & secrets whose issuer, subject and audience are those of the platform's token.",
    TokenTrouble.BLOCKED: "Exempt the application's workload identity from the policy in Entra >"
    " Protection > Conditional Access, or enable the enterprise application for sign-in.",
    TokenTrouble.CLOCK: "Set the clock of this machine: Entra allows a difference of 5 minutes.",
    TokenTrouble.THROTTLED: "Wait: the identity provider asks for fewer requests.",
    TokenTrouble.UNREACHABLE: "Allow this machine to reach the identity provider over HTTPS, by"
    " default login.microsoftonline.com port 443.",
    TokenTrouble.MALFORMED: "See whether a proxy answers in place of the identity provider, and"
    " whether the authority is the base address of one.",
    TokenTrouble.REFUSED: "Look up the AADSTS number in Microsoft's list of authentication errors.",
    TokenTrouble.LIBRARY_MISSING: "Install what Microsoft's services need:"
    " pip install 'mailflow-agent[microsoft]'; in a clone: .venv/bin/pip install '.[microsoft]',"
    " or uv sync --extra microsoft.",
}

# learn.microsoft.com/entra/identity-platform/reference-error-codes
_BY_CODE = {
    7000215: TokenTrouble.REFUSED_SECRET,
    7000216: TokenTrouble.REFUSED_SECRET,  # none was sent
    7000222: TokenTrouble.EXPIRED_SECRET,
    1000502: TokenTrouble.EXPIRED_SECRET,  # the certificate is outside of its time
    700016: TokenTrouble.UNKNOWN_APPLICATION,
    700038: TokenTrouble.UNKNOWN_APPLICATION,  # zeros
    900023: TokenTrouble.UNKNOWN_TENANT,  # neither an id nor a domain
    900971: TokenTrouble.UNKNOWN_TENANT,
    90002: TokenTrouble.UNKNOWN_TENANT,
    65001: TokenTrouble.NO_CONSENT,
    650056: TokenTrouble.NO_CONSENT,
    500011: TokenTrouble.NO_CONSENT,  # the resource has no principal in the tenant
    501051: TokenTrouble.NO_CONSENT,
    7000112: TokenTrouble.BLOCKED,  # the application is disabled
    7000229: TokenTrouble.NO_CONSENT,  # no enterprise application
    53003: TokenTrouble.BLOCKED,
    530034: TokenTrouble.BLOCKED,
    700027: TokenTrouble.CERTIFICATE_NOT_REGISTERED,
    700024: TokenTrouble.CLOCK,
    700021: TokenTrouble.UNTRUSTED_ASSERTION,
    700211: TokenTrouble.UNTRUSTED_ASSERTION,
    700212: TokenTrouble.UNTRUSTED_ASSERTION,
    700213: TokenTrouble.UNTRUSTED_ASSERTION,
    70021: TokenTrouble.UNTRUSTED_ASSERTION,
    90055: TokenTrouble.THROTTLED,
    50196: TokenTrouble.THROTTLED,  # the same question over and over
}
_CODE = re.compile(r"AADSTS(\d{4,9})")


def codes_in(description: str) -> tuple[int, ...]:
    """Return the numbers in Entra's description of an error, in order."""
    return tuple(int(digits) for digits in _CODE.findall(description))


def classify(codes: Iterable[int]) -> TokenTrouble:
    """Return the trouble that the first known of Entra's numbers stands for."""
    return next((_BY_CODE[code] for code in codes if code in _BY_CODE), TokenTrouble.REFUSED)
