"""Whose filter is that host?

The hosts that filters name in MX records write Received fields as well; some vendors use further
names there. Source: the vendors' public set-up pages and Received fields in public archives; state
of November 2026. What an operator configures always wins over this table.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agent.domain.knowledge.providers import PROFILES

_FURTHER = {
    "*.ess.barracuda.com": "Barracuda Email Gateway Defense",
    "*.hes.trendmicro.com": "Trend Micro Hosted Email Security",
    "*.tmes-sg.trendmicro.com": "Trend Micro Email Security",
    "*.fireeyecloud.com": "Trellix Email Security Cloud",
    "*.trellix.com": "Trellix Email Security Cloud",
    "*.spamhero.com": "SpamHero",
    "*.arsmtp.com": "Zix | AppRiver",
    "*.zixport.com": "Zix",
    "*.antispamcloud.com": "N-able Mail Assure (SpamExperts)",
    "*.mailspamprotection.com": "N-able Mail Assure (SpamExperts)",
    "*.mailguard.com.au": "MailGuard",
    "*.retarus.com": "Retarus Email Security",
    "*.nospamproxy.com": "NoSpamProxy Cloud",
    "*.spamtitan.com": "SpamTitan",
}

FILTER_HOSTS: Mapping[str, str] = MappingProxyType(
    {
        pattern: profile.title
        for profile in PROFILES.values()
        if profile.role == "filter"
        for pattern in profile.exchange_patterns
    }
    | _FURTHER
)
"""The title of a filter by the pattern of its hosts, each with one leading ``*.``."""

_SUFFIXES = {pattern.removeprefix("*"): title for pattern, title in FILTER_HOSTS.items()}
_ALL = tuple(_SUFFIXES)


def filter_title(host: str) -> str:
    """Return what people call the filter that *host*, in lower case, belongs to; empty if none."""
    if not host.endswith(_ALL):
        return ""
    return next(title for suffix, title in _SUFFIXES.items() if host.endswith(suffix))
