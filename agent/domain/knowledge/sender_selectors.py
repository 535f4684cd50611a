"""Under which DKIM selectors does a provider publish its customers' keys?

Only what the providers' public set-up pages name; state of November 2026. Where ``is_fixed`` is
false the names are a default that a customer may have changed, or part of what there is. A provider
that is missing here gives every customer names of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SenderSelectors:
    """The selectors of one provider, and whether MAIL FROM can be in the customer's domain."""

    selectors: tuple[str, ...]
    is_fixed: bool = False
    has_return_path: bool = True


_MICROSOFT = SenderSelectors(("selector1", "selector2"), is_fixed=True)

SENDER_SELECTORS: Mapping[str, SenderSelectors] = MappingProxyType(
    {
        "exchange-online": _MICROSOFT,
        "gcc-high": _MICROSOFT,
        "21vianet": _MICROSOFT,
        "google-workspace": SenderSelectors(("google",)),
        "brevo": SenderSelectors(("brevo1", "brevo2", "mail")),
        # Mail leaves under the provider's own MAIL FROM, whatever the customer publishes.
        "mailchimp": SenderSelectors(("k1", "k2", "k3"), is_fixed=True, has_return_path=False),
        "mailjet": SenderSelectors(("mailjet",)),
        "mandrill": SenderSelectors(("mte1", "mte2", "mandrill")),
        "sendgrid": SenderSelectors(("s1", "s2")),
        "zendesk": SenderSelectors(("zendesk1", "zendesk2"), is_fixed=True),
    }
)
"""What is known of selectors, by the name of the provider's profile."""
