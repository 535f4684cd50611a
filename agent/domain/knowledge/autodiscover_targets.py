"""Under which names do Microsoft's clouds answer Outlook's question where a mailbox is?

Source: Microsoft's pages on external DNS records for Microsoft 365, and those for GCC High, DoD and
21Vianet; state of November 2026. Each cloud has its own name, and the others know nothing of its
mailboxes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TARGETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # The second is an older name for the same service, which still works.
        "exchange-online": ("autodiscover.outlook.com", "autodiscover-s.outlook.com"),
        # The second is that of DoD, which shares all its other names with GCC High.
        "gcc-high": ("autodiscover.office365.us", "autodiscover-dod.office365.us"),
        "21vianet": ("autodiscover.partner.outlook.cn",),
    }
)
"""Where the alias of a customer's domain leads, by cloud; the first is the one to publish."""

ALL_TARGETS: Mapping[str, str] = MappingProxyType(
    {name: cloud for cloud, names in TARGETS.items() for name in names}
)
"""The cloud of every such name."""


@dataclass(frozen=True, slots=True)
class OtherName:
    """A further name that Microsoft has or had customers publish below their domain.

    ``targets`` are where it led; ``purpose`` says what it is for, or was.
    """

    label: str
    purpose: str
    targets: tuple[str, ...] = ()


MSOID = "msoid"
"""Told old Office programs where to sign in; now it keeps Microsoft 365 Apps from activating."""

OTHERS: tuple[OtherName, ...] = (
    OtherName(
        MSOID,
        "sign-in of old Office programs",
        ("clientconfig.microsoftonline-p.net", "clientconfig.partner.microsoftonline-p.net.cn"),
    ),
    OtherName(
        "enterpriseregistration",
        "registration of devices",
        (
            "enterpriseregistration.windows.net",
            "enterpriseregistration.microsoftonline.us",
            "enterpriseregistration.partner.microsoftonline.cn",
        ),
    ),
    OtherName(
        "enterpriseenrollment",
        "enrolment of devices",
        (
            "enterpriseenrollment-s.manage.microsoft.com",
            "enterpriseenrollment.manage.microsoft.com",
            "enterpriseenrollment-s.manage.microsoft.us",
            "enterpriseenrollment.manage.microsoft.us",
            "enterpriseenrollment.manage.microsoftonline.cn",
        ),
    ),
    OtherName("sip", "Skype for Business, retired", ("sipdir.online.lync.com",)),
    OtherName("lyncdiscover", "Skype for Business, retired", ("webdir.online.lync.com",)),
    OtherName("autodiscover-redirect", "detour to Autodiscover, as hosters once set up"),
)
"""The names that are looked at beside ``autodiscover``, in the order they are shown."""
