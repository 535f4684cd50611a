"""Which DNS blocklists do receivers ask, on which terms, and what do their answers mean?

Only lists that answer today, and codes that their operators document, that are part of RFC 5782, or
that receivers commonly use; ``checked`` says by which of these each was confirmed. A code that is
not here is shown as the number that it is. Terms change: the address of each list leads to those in
force. State of November 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Lists = Literal["ipv4", "ipv6", "domain"]  # what a list has entries of


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code, or a bit of one, says; ``refuses`` whether it is meant to refuse mail by."""

    text: str
    refuses: bool = True


@dataclass(frozen=True, slots=True)
class Blocklist:
    """A list: ``name`` is what the configuration calls it, ``zone`` where it is asked.

    ``of`` is what it has entries of. ``codes`` are its answers by address, ``bits`` by the bits of
    the last octet. ``refusals`` are answers by which it refuses to answer, beside those that all
    lists have. ``refuses`` is whether receivers commonly refuse mail by it. ``keyed_zone`` is where
    customers ask, with their key before it. ``test_domain`` is always listed, as 127.0.0.2 is;
    empty for that of RFC 5782. ``terms`` is who may ask it freely, ``page`` where they stand.
    ``checked`` is what codes and terms were compared with.
    """

    name: str
    title: str
    zone: str
    of: tuple[Lists, ...]
    codes: Mapping[str, Meaning] = field(default_factory=dict)
    bits: Mapping[int, Meaning] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    refuses: bool = False
    keyed_zone: str = ""
    test_domain: str = ""
    terms: str = ""
    page: str = ""
    checked: str = ""


_PUBLIC = "the question came by a public or open resolver"
REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        # RFC 5782 section 2.1 leaves it out of what lists answer; some refuse with it.
        "127.0.0.1": "the list does not answer questions from here",
        "127.255.255.252": "the name of the list is misspelt",
        "127.255.255.254": _PUBLIC,
        "127.255.255.255": "too many questions come from here",
    }
)
"""Answers that refuse, whichever list gives them; all of 127.255.255.0/24 is taken for that."""

_OPERATOR = "its operator's pages"
_ANSWER_OF_OTHERS = "its operator's pages; the answer by what receivers use"
_POLICY = "end users' addresses, from which no mail server should send (PBL)"
_ALL = (
    Blocklist(
        name="spamhaus-zen",
        title="Spamhaus ZEN",
        zone="zen.spamhaus.org",
        of=("ipv4", "ipv6"),
        codes={
            "127.0.0.2": Meaning("source of spam (SBL)"),
            "127.0.0.3": Meaning("source of spam, found by machine (CSS)"),
            "127.0.0.4": Meaning("infected or hijacked machine (XBL)"),
            "127.0.0.9": Meaning("network in criminal hands (DROP)"),
            "127.0.0.10": Meaning(f"{_POLICY}, entered by the network's operator"),
            "127.0.0.11": Meaning(f"{_POLICY}, entered by Spamhaus"),
            "127.0.0.30": Meaning("command server of a botnet (BCL)"),
        },
        refuses=True,
        keyed_zone="zen.dq.spamhaus.net",
        terms="Free for small, non-commercial use, and not by public resolvers; with a key for"
        " others.",
        page="https://www.spamhaus.org/blocklists/dnsbl-fair-use-policy/",
        checked=_OPERATOR,
    ),
    Blocklist(
        name="spamhaus-dbl",
        title="Spamhaus DBL",
        zone="dbl.spamhaus.org",
        of=("domain",),
        codes={
            "127.0.1.2": Meaning("domain of low reputation"),
            "127.0.1.4": Meaning("phishing"),
            "127.0.1.5": Meaning("malware"),
            "127.0.1.6": Meaning("command server of a botnet"),
            "127.0.1.102": Meaning("decent domain, abused for spam", refuses=False),
            "127.0.1.103": Meaning("redirector, abused for spam", refuses=False),
            "127.0.1.104": Meaning("decent domain, abused for phishing", refuses=False),
            "127.0.1.105": Meaning("decent domain, abused for malware", refuses=False),
            "127.0.1.106": Meaning("decent domain, abused for a botnet", refuses=False),
        },
        refusals={"127.0.1.255": "it lists domains and was asked for an address"},
        refuses=True,
        keyed_zone="dbl.dq.spamhaus.net",
        test_domain="dbltest.com",
        terms="As for ZEN.",
        page="https://www.spamhaus.org/blocklists/dnsbl-fair-use-policy/",
        checked=_OPERATOR,
    ),
    Blocklist(
        name="barracuda",
        title="Barracuda Reputation Block List",
        zone="b.barracudacentral.org",
        of=("ipv4",),
        codes={"127.0.0.2": Meaning("source of spam")},
        terms="Free; the address of the resolver has to be registered first.",
        page="https://www.barracudacentral.org/rbl",
        checked=_OPERATOR,
    ),
    Blocklist(
        name="spamcop",
        title="SpamCop Blocking List",
        zone="bl.spamcop.net",
        of=("ipv4",),
        codes={"127.0.0.2": Meaning("reported by those who got its spam")},
        terms="Free. Its operator asks to mark mail by it rather than to refuse it.",
        page="https://www.spamcop.net/bl.shtml",
        checked=_ANSWER_OF_OTHERS,
    ),
    Blocklist(
        name="psbl",
        title="Passive Spam Block List",
        zone="psbl.surriel.com",
        of=("ipv4",),
        codes={"127.0.0.2": Meaning("sent to a spam trap")},
        terms="Free for everybody.",
        page="https://psbl.org/",
        checked=_ANSWER_OF_OTHERS,
    ),
    Blocklist(
        name="uceprotect-1",
        title="UCEPROTECT Level 1",
        zone="dnsbl-1.uceprotect.net",
        of=("ipv4",),
        codes={"127.0.0.2": Meaning("sent to a spam trap in the last week")},
        terms="Free. An entry ends by itself after seven days; sooner for money.",
        page="https://www.uceprotect.net/en/index.php",
        checked="what others write of it",
    ),
    Blocklist(
        name="surbl",
        title="SURBL multi",
        zone="multi.surbl.org",
        of=("domain",),
        bits={
            8: Meaning("phishing"),
            16: Meaning("malware"),
            64: Meaning("named in spam"),
            128: Meaning("decent site that was broken into", refuses=False),
        },
        test_domain="surbl-org-permanent-test-point.com",
        terms="Free for fewer than 1,000 users or 250,000 messages a day, and not in a product or"
        " service that is paid for.",
        page="https://www.surbl.org/usage-policy",
        checked="its operator's pages; the entry for tests by what receivers use",
    ),
    Blocklist(
        name="uribl",
        title="URIBL multi",
        zone="multi.uribl.com",
        of=("domain",),
        bits={
            2: Meaning("named in spam (black)"),
            4: Meaning("named in mail that some call spam (grey)", refuses=False),
            8: Meaning("young, or of those who look alike (red)", refuses=False),
        },
        refusals={"127.0.0.1": "too many questions come by this resolver, or it is a public one"},
        test_domain="test.uribl.com",
        terms="Free for a low volume, and not by public resolvers or those of large providers.",
        page="https://uribl.com/about.shtml",
        checked="its operator's pages; the bits of grey and red by what receivers use",
    ),
)

BLOCKLISTS: Mapping[str, Blocklist] = MappingProxyType({each.name: each for each in _ALL})
"""Every list, by the name that the configuration uses."""

KEYED_SUFFIXES = (".dq.spamhaus.net",)
"""Below these names every zone begins with a customer's key."""
