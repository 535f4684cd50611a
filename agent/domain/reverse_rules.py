"""What can be wrong with the reverse names of the addresses that send a domain's mail?

Declarations only; :mod:`agent.domain.reverse_lint` says when they are broken.
"""

from agent.domain.finding import Rule, Severity

_IPV6 = "https://learn.microsoft.com/defender-office-365/support-for-anonymous-inbound-email-messages-over-ipv6"
_PTR = "RFC 1912 section 2.1"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"reverse-{code}", severity, summary, remedy, reference)


MISSING_IPV6 = _rule(
    "missing-ipv6",
    Severity.CRITICAL,
    "An IPv6 address that sends the domain's mail has no reverse name",
    "Have whoever owns the address publish a PTR record with the server's name, or let the server"
    " send over IPv4 only until it stands. Exchange Online refuses mail from such an address with"
    " 450 4.7.25, and other large receivers do so as well.",
    _IPV6,
)
MISSING = _rule(
    "missing",
    Severity.WARNING,
    "An address that sends the domain's mail has no reverse name",
    "Have whoever owns the address publish a PTR record with the server's name. Many receivers take"
    " a server without one for somebody's infected desktop, and refuse its mail.",
    _PTR,
)
UNCONFIRMED = _rule(
    "unconfirmed",
    Severity.WARNING,
    "The reverse name of a sending address does not lead back to it",
    "Publish an address record for that name with this address, or correct the PTR record: a name"
    " that does not agree counts as none at some receivers.",
    _PTR,
)
GENERIC = _rule(
    "generic",
    Severity.WARNING,
    "The reverse name of a sending address looks like that of any machine of its provider",
    "Have the PTR record name the server, with a name in a domain of your own and an address record"
    " that leads back. Filters give mail from a name such as the present one bad marks.",
    "RFC 8501",
)
SEVERAL = _rule(
    "several-names",
    Severity.WARNING,
    "A sending address has several reverse names, of which not all lead back to it",
    "Keep one PTR record, that of the name with which the server greets. Receivers pick any of"
    " them, so that mail is now trusted and now not.",
    _PTR,
)
ALIAS = _rule(
    "alias",
    Severity.WARNING,
    "The reverse name of a sending address is an alias",
    "Have the PTR record name the host itself, the one with the address record.",
    _PTR,
)
IMPROPER = _rule(
    "improper",
    Severity.WARNING,
    "The reverse name of a sending address is none that a host can have",
    "Choose a full name of letters, digits and hyphens, without an underscore, in the PTR record,"
    " in the address record and as the server's own name.",
    "RFC 1123 section 2.1",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
