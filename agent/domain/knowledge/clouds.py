"""Which Microsoft clouds take mail, and under which names?

Source: Microsoft's pages on external DNS records for Microsoft 365 and on how SMTP DANE works;
state of November 2026. The first label of an endpoint is a token of the domain: usually its dots
turned into dashes, but Microsoft may add to it, so that only the admin centre knows it for sure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cloud:
    """A Microsoft cloud: what its customers publish, and whether it still exists.

    ``exchange_patterns`` have one leading ``*.`` for one or more labels; ``retired`` is the year in
    which the cloud was closed, or 0.
    """

    name: str
    title: str
    spf_include: str
    exchange_patterns: tuple[str, ...]
    retired: int = 0


_ALL = (
    Cloud(
        name="exchange-online",
        title="Exchange Online",
        spf_include="spf.protection.outlook.com",
        # The second is the infrastructure with DNSSEC; new domains get it since July 2026.
        exchange_patterns=("*.mail.protection.outlook.com", "*.mx.microsoft"),
    ),
    Cloud(
        name="gcc-high",
        title="Exchange Online (GCC High and DoD)",
        spf_include="spf.protection.office365.us",
        exchange_patterns=("*.mail.protection.office365.us",),
    ),
    Cloud(
        name="21vianet",
        title="Exchange Online (21Vianet)",
        spf_include="spf.protection.partner.outlook.cn",
        exchange_patterns=("*.mail.protection.partner.outlook.cn",),
    ),
    Cloud(
        name="germany",
        title="Microsoft Cloud Germany",
        spf_include="spf.protection.outlook.de",
        exchange_patterns=("*.mail.protection.outlook.de",),
        retired=2021,
    ),
)

CLOUDS: Mapping[str, Cloud] = MappingProxyType({cloud.name: cloud for cloud in _ALL})
"""Every cloud, the retired ones too, by name."""

LEGACY_EXCHANGES: tuple[str, ...] = (
    "mail.messaging.microsoft.com",
    "*.mail.messaging.microsoft.com",
    "mail.global.frontbridge.com",
    "*.global.frontbridge.com",
    "mail.eo.outlook.com",
    "*.mail.eo.outlook.com",
)
"""MX hosts of Exchange Online's forerunners. Mail sent there is deferred with 451 4.4.62.

Source: Microsoft's support article on the wrong Office 365 region, read in 2026.
"""

CLASSIC_SUFFIX = "mail.protection.outlook.com"
"""Where endpoints of the worldwide cloud live without DNSSEC."""

DNSSEC_SUFFIX = "mx.microsoft"
"""Where endpoints of the worldwide cloud live with DNSSEC."""

UNNEEDED_INCLUDES: Mapping[str, str] = MappingProxyType(
    {
        "sharepointonline.com": "SharePoint's mail leaves through Exchange Online",
        "spf.protection.outlook.de": "Microsoft Cloud Germany was closed in 2021",
    }
)
"""SPF includes that Microsoft once asked for and no longer does, with the reason."""
