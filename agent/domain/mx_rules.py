"""What can be wrong with the way to a domain's mail?

Declarations only; :mod:`agent.domain.mx_lint` says when they are broken. Critical is what loses,
exposes or misdirects mail now.
"""

from agent.domain.finding import Rule, Severity

_EXTERNAL_RECORDS = "Microsoft: External DNS records for Microsoft 365"
_ONE_MX = "Microsoft: Fix NDR error code 550 5.4.1 in Exchange Online"
_FILTER = "Microsoft: Manage mail flow using a third-party cloud service"

DOMAIN_MISSING = Rule(
    code="mx-domain-missing",
    severity=Severity.CRITICAL,
    summary="The domain does not exist",
    remedy="See at the registrar whether the domain has expired or lost its name servers; until it"
    " is back, all mail to it bounces.",
    reference="RFC 2308 section 2.1",
)
NAME_MISSING = Rule(
    code="mx-name-missing",
    severity=Severity.CRITICAL,
    summary="The name does not exist in the zone above it, which does exist",
    remedy="Look for a slip in the name. If it is right, create it in that zone, with an MX record"
    " if it is to receive mail; until then all mail to it bounces.",
    reference="RFC 2308 section 2.1",
)
MISSING = Rule(
    code="mx-missing",
    severity=Severity.CRITICAL,
    summary="The domain has neither an MX record nor an address: nobody can send it mail",
    remedy="Publish the MX record that the admin centre shows for the domain.",
    reference="RFC 5321 section 5.1",
)
IMPLICIT = Rule(
    code="mx-implicit",
    severity=Severity.WARNING,
    summary="Without an MX record, mail goes to the address of the domain itself",
    remedy="Publish an MX record. The host at the domain's own address is usually a web server,"
    " which takes no mail.",
    reference="RFC 5321 section 5.1",
)
NULL = Rule(
    code="mx-null",
    severity=Severity.CRITICAL,
    summary="The domain declares that it takes no mail",
    remedy="Replace the record `MX 0 .` by the domain's exchange, or set `topology: parked`.",
    reference="RFC 7505 section 3",
)
NULL_BESIDE_OTHERS = Rule(
    code="mx-null-beside-others",
    severity=Severity.CRITICAL,
    summary="The null MX stands beside other MX records, and senders may believe either",
    remedy="Remove the record `MX 0 .`, or all the others.",
    reference="RFC 7505 section 3",
)
PARKED_ACCEPTS = Rule(
    code="mx-parked-accepts",
    severity=Severity.WARNING,
    summary="The parked domain accepts mail",
    remedy="Publish `MX 0 .` as its only MX record, so that senders fail at once.",
    reference="RFC 7505 section 1",
)
DOMAIN_ALIAS = Rule(
    code="mx-domain-alias",
    severity=Severity.WARNING,
    summary="The mail domain itself is an alias",
    remedy="Replace the CNAME at the domain by records of its own. Beside a CNAME no other record"
    " may stand, and some senders rewrite the recipient to the alias's target.",
    reference="RFC 5321 section 2.3.5",
)
LITERAL = Rule(
    code="mx-literal",
    severity=Severity.CRITICAL,
    summary="An MX record holds an address where a host name belongs",
    remedy="Create a host name with that address and name it in the MX record.",
    reference="RFC 1035 section 3.3.9",
)
NOT_A_HOST_NAME = Rule(
    code="mx-not-a-host-name",
    severity=Severity.CRITICAL,
    summary="An MX record names something that is no host name",
    remedy="Type the exchange anew: letters, digits, hyphens and dots, without spaces, quotes or a"
    " preference inside.",
    reference="RFC 5321 section 4.1.2",
)
UNDERSCORE = Rule(
    code="mx-underscore",
    severity=Severity.WARNING,
    summary="An exchange has an underscore in its name, which some senders refuse",
    remedy="Give the host a name of letters, digits and hyphens.",
    reference="RFC 1123 section 2.1",
)
SINGLE_LABEL = Rule(
    code="mx-single-label",
    severity=Severity.WARNING,
    summary="An exchange is a single label without a domain",
    remedy="Write the full name of the host; in a zone file, check what a trailing dot does.",
    reference="RFC 5321 section 2.3.5",
)
ALIAS = Rule(
    code="mx-alias",
    severity=Severity.WARNING,
    summary="An exchange is an alias (CNAME)",
    remedy="Name the alias's target in the MX record itself.",
    reference="RFC 2181 section 10.3",
)
DANGLING = Rule(
    code="mx-dangling",
    severity=Severity.CRITICAL,
    summary="An MX record names a host that does not exist",
    remedy="Remove the record or create the host. If the name can be registered, whoever does so"
    " receives the domain's mail.",
    reference="RFC 5321 section 5.1",
)
NO_ADDRESS = Rule(
    code="mx-no-address",
    severity=Severity.WARNING,
    summary="An exchange has no address",
    remedy="Give the host an A record, or remove it from MX.",
    reference="RFC 5321 section 5.1",
)
NONE_REACHABLE = Rule(
    code="mx-none-reachable",
    severity=Severity.CRITICAL,
    summary="No exchange has an address: nobody can deliver",
    remedy="Compare the MX records with those the admin centre shows, letter by letter.",
    reference="RFC 5321 section 5.1",
)
SPECIAL_ADDRESS = Rule(
    code="mx-special-address",
    severity=Severity.CRITICAL,
    summary="An exchange has an address that is not reachable on the Internet",
    remedy="Give the host its public address; inside names belong in a zone of their own.",
    reference="RFC 6890 section 2.2.2",
)
IPV6_ONLY = Rule(
    code="mx-ipv6-only",
    severity=Severity.WARNING,
    summary="No exchange has an IPv4 address, and many senders have nothing else",
    remedy="Add an A record to at least one exchange.",
    reference="RFC 3974 section 2",
)
TARGET_UNANSWERED = Rule(
    code="mx-target-unanswered",
    severity=Severity.UNKNOWN,
    summary="DNS could not say which addresses an exchange has",
    remedy="Nothing is known to be wrong with the exchange. Ask its name servers with `dig`; if"
    " they stay silent, senders cannot deliver either.",
    reference="RFC 2308 section 7",
)
DUPLICATE = Rule(
    code="mx-duplicate",
    severity=Severity.WARNING,
    summary="An exchange is listed twice",
    remedy="Keep the record with the intended preference and remove the other.",
    reference="RFC 5321 section 5.1",
)
SAME_ADDRESSES = Rule(
    code="mx-same-addresses",
    severity=Severity.WARNING,
    summary="Two exchanges are the same machine, so that one is no reserve for the other",
    remedy="Remove one of them, or give it a machine of its own.",
    reference="RFC 5321 section 5.1",
)
TOO_MANY = Rule(
    code="mx-too-many",
    severity=Severity.WARNING,
    summary="The domain has too many exchanges",
    remedy="Keep those in use. SPF's `mx` mechanism fails beyond 10, and senders give up before"
    " they have tried them all.",
    reference="RFC 7208 section 4.6.4",
)
UNEXPECTED = Rule(
    code="mx-unexpected",
    severity=Severity.CRITICAL,
    summary="An MX record names an exchange that is not expected",
    remedy="Remove the record if it is a leftover or not yours; otherwise add the host to"
    " `exchanges` of the domain.",
    reference=_ONE_MX,
)
EXPECTED_MISSING = Rule(
    code="mx-expected-missing",
    severity=Severity.CRITICAL,
    summary="No MX record names an expected exchange",
    remedy="Publish the MX record that the admin centre or the filter's console shows.",
    reference=_EXTERNAL_RECORDS,
)
EXPECTED_INCOMPLETE = Rule(
    code="mx-expected-incomplete",
    severity=Severity.WARNING,
    summary="An expected exchange is not among the MX records",
    remedy="Publish the missing record, or take the host out of `exchanges`.",
    reference="RFC 5321 section 5.1",
)
PREFERENCE = Rule(
    code="mx-preference",
    severity=Severity.WARNING,
    summary="The most preferred exchange is not an expected one",
    remedy="Give the expected exchange the lowest preference; Microsoft asks for 0.",
    reference=_EXTERNAL_RECORDS,
)
LEGACY = Rule(
    code="mx-legacy",
    severity=Severity.CRITICAL,
    summary="An MX record names a host of a forerunner of Exchange Online",
    remedy="Replace it by the exchange that the admin centre shows; mail to the old host is"
    " deferred with 451 4.4.62.",
    reference="Microsoft: Wrong Office 365 region in Exchange Online",
)
RETIRED_CLOUD = Rule(
    code="mx-retired-cloud",
    severity=Severity.CRITICAL,
    summary="An MX record names a Microsoft cloud that was closed",
    remedy="Replace it by the exchange of the cloud that the tenant was moved to.",
    reference="Microsoft: Microsoft Cloud Deutschland closure",
)
BOTH_ENDPOINTS = Rule(
    code="mx-both-endpoints",
    severity=Severity.WARNING,
    summary="The old and the new Exchange Online endpoint are both in MX",
    remedy="During a move to `mx.microsoft`, test the new endpoint, then make it preference 0 and"
    " remove the old one; DANE protects nothing while the old one remains.",
    reference="Microsoft: How SMTP DANE works",
)
SEVERAL_ENDPOINTS = Rule(
    code="mx-several-endpoints",
    severity=Severity.WARNING,
    summary="More than one Exchange Online endpoint is in MX",
    remedy="Keep the one that the admin centre shows for this very domain; Microsoft supports"
    " exactly one.",
    reference=_ONE_MX,
)
FOREIGN_TOKEN = Rule(
    code="mx-foreign-token",
    severity=Severity.WARNING,
    summary="The Exchange Online endpoint looks like that of another domain",
    remedy="Compare with the value in the admin centre. Microsoft may choose a token that differs"
    " from the domain's name; if it did, list the host in `exchanges`. If it did not, mail is"
    " refused with 550 5.4.1.",
    reference=_ONE_MX,
)
FILTER_BYPASS = Rule(
    code="mx-filter-bypass",
    severity=Severity.CRITICAL,
    summary="Exchange Online is in MX although a filter stands in front: it can be passed by",
    remedy="Leave the filter's hosts only in MX, and restrict the inbound connector to the filter's"
    " certificate or addresses.",
    reference=_FILTER,
)
WILDCARD = Rule(
    code="mx-wildcard",
    severity=Severity.WARNING,
    summary="A wildcard MX takes mail for names below the domain that nobody created",
    remedy="Remove the wildcard, or let the accepted domain match subdomains in Exchange Online;"
    " otherwise that mail is refused.",
    reference="RFC 4592 section 2.2; Microsoft: Enable mail flow for subdomains",
)
TTL_LOW = Rule(
    code="mx-ttl-low",
    severity=Severity.WARNING,
    summary="The MX records expire quickly, so that a short DNS failure already stops mail",
    remedy="Raise the TTL to 3600 seconds, unless a move is under way.",
    reference=_EXTERNAL_RECORDS,
)
TTL_HIGH = Rule(
    code="mx-ttl-high",
    severity=Severity.WARNING,
    summary="The MX records are kept for so long that no change takes effect the same day",
    remedy="Lower the TTL to 3600 seconds.",
    reference=_EXTERNAL_RECORDS,
)
CHANGED = Rule(
    code="mx-changed",
    severity=Severity.WARNING,
    summary="The MX records have changed",
    remedy="See who changed the zone and whether it was meant. This ends by itself after"
    " `report_changes_for`.",
    reference="docs/architecture.md",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
