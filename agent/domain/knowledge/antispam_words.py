"""What do the words of Exchange Online's spam filter mean?

Source: Microsoft Defender for Office 365, anti-spam message headers, SCL and BCL, read in 2026;
SKI, DMS, ``dest`` and the internal words are observed. The keys are those of
X-Forefront-Antispam-Report, and ``BCL`` and ``DEST`` of its two companions.
"""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "SFV": MappingProxyType(
            {
                "NSPM": "filtered and found not to be spam",
                "SPM": "filtered and found to be spam",
                "SKA": "filtering was skipped: the sender is allowed in an anti-spam policy",
                "SKB": "marked as spam: the sender is blocked in an anti-spam policy",
                "SKN": "filtering was skipped: a rule set SCL -1, or the source is trusted",
                "SKS": "marked as spam before filtering, by a mail flow rule",
                "SKQ": "released from quarantine",
                "SKI": "filtering was skipped: the message is internal",
                "SFE": "filtering was skipped: the sender is in the user's Safe Senders",
                "BLK": "marked as spam: the sender is in the user's Blocked Senders",
                "DMS": "not sent out: it was marked for no delivery",
            }
        ),
        "CAT": MappingProxyType(
            {
                "NONE": "no category: clean",
                "SPM": "spam",
                "HSPM": "high-confidence spam",
                "PHSH": "phishing",
                "HPHSH": "high-confidence phishing",
                "HPHISH": "high-confidence phishing",
                "MALW": "malware",
                "AMP": "malware, found by the engines",
                "SAP": "malware, found by Safe Attachments",
                "FTBP": "malware, found by the common attachments filter",
                "BULK": "bulk mail",
                "SPOOF": "spoofing",
                "DIMP": "impersonates a domain",
                "UIMP": "impersonates a user",
                "GIMP": "impersonates a contact, found by mailbox intelligence",
                "BIMP": "impersonates a brand",
                "INTOS": "phishing from inside of the organisation",
                "OSPM": "outbound spam",
            }
        ),
        "IPV": MappingProxyType(
            {
                "CAL": "the address is on the IP Allow List; filtering was skipped",
                "NLI": "the address is on no reputation list",
            }
        ),
        "DIR": MappingProxyType(
            {
                "INB": "inbound",
                "OUT": "outbound",
                "INT": "internal",
            }
        ),
        "SRV": MappingProxyType({"BULK": "marked as bulk mail by the threshold of a policy"}),
        "SFTY": MappingProxyType(
            {
                "9.19": "a safety tip: impersonates a domain",
                "9.20": "a safety tip: impersonates a user",
                "9.25": "a safety tip: first message of this sender",
            }
        ),
        "DEST": MappingProxyType(
            {
                "I": "delivered to the inbox",
                "J": "delivered to the junk folder",
            }
        ),
    }
)
"""Meanings by key and by value, both in capitals."""

SCL = MappingProxyType(
    {
        -1: "filtering was bypassed",
        0: "not spam",
        1: "not spam",
        2: "not spam",
        3: "not spam",
        4: "not spam",
        5: "spam",
        6: "spam",
        7: "high-confidence spam",
        8: "high-confidence spam",
        9: "high-confidence spam",
    }
)
"""Meanings of the spam confidence level."""

BCL = MappingProxyType(
    {
        0: "not from a bulk sender",
        **dict.fromkeys(range(1, 4), "from a bulk sender with few complaints"),
        **dict.fromkeys(range(4, 8), "from a bulk sender with a mixed number of complaints"),
        **dict.fromkeys(range(8, 10), "from a bulk sender with many complaints"),
    }
)
"""Meanings of the bulk complaint level."""
