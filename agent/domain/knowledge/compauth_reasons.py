"""What does the reason of Microsoft's composite authentication mean?

Source: Microsoft Defender for Office 365, anti-spam message headers (``compauth=... reason=nnn`` in
Authentication-Results), read in 2026; 100, 109 and 130 are observed. Codes that Microsoft does not
list one by one are known by their first digit.
"""

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "000": "DMARC failed, and the sender's policy is quarantine or reject",
        "001": "no explicit authentication, and what is known of the sender is not enough",
        "002": "an administrator forbids this pair of sender and domain to spoof",
        "010": "DMARC failed, and the sender's domain is one of your accepted domains",
        "100": "SPF or DKIM passed for the domain in From",
        "109": "the domain has no DMARC record, but would have passed",
        "130": "a trusted ARC seal overrides the failure of DMARC",
    }
)
"""Meanings of single codes."""

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "1": "authentication passed",
        "2": "implicit authentication passed softly",
        "3": "not checked",
        "4": "bypassed",
        "6": "implicit authentication failed, and the domain is one of your accepted domains",
        "7": "authentication passed",
        "9": "bypassed",
    }
)
"""Meanings of all other codes, by the first digit."""


def compauth_meaning(reason: str) -> str:
    """Return the meaning of a reason, three digits; empty for one that is not known."""
    return REASONS.get(reason) or CLASSES.get(reason[:1], "")
