"""What can be wrong with how mail is let into a tenant?"""

from agent.domain.tenancy.hygiene_rules import (
    ENHANCED,
    SAFE_SENDERS,
    SET_INBOUND,
    THIRD_PARTY,
    critical,
    warning,
)

NOT_LOCKED_DOWN = critical(
    "not-locked-down",
    "Anybody can deliver past the filter, straight to Exchange Online",
    "Have one inbound connector of the type Partner for the domain `*` and restrict it to the"
    " filter's certificate (TlsSenderCertificateName with RestrictDomainsToCertificate) or to its"
    " addresses (SenderIPAddresses with RestrictDomainsToIPAddresses). Every domain of the tenant"
    " has to come through the filter then.",
    THIRD_PARTY,
)
UNRESTRICTED = warning(
    "unrestricted",
    "A partner connector for all senders restricts nobody",
    "If a filter is in front of the tenant, restrict the connector to the filter's certificate or"
    " addresses: as it is, anybody can deliver past the filter. Where MX leads straight to Exchange"
    " Online a restriction would lock everybody out, and the connector does nothing: remove it.",
    THIRD_PARTY,
)
LOCKED_OUT = critical(
    "locked-out",
    "A connector refuses the mail of a domain whose MX leads straight to Exchange Online",
    "Let the domain's MX lead to the filter too: a partner connector for `*` that is restricted"
    " turns away all mail that comes another way, whichever domain it is for.",
    THIRD_PARTY,
)
RESTRICTION_WITHOUT_VALUE = critical(
    "restriction-without-value",
    "A partner connector is restricted to nothing",
    "Set TlsSenderCertificateName for RestrictDomainsToCertificate, SenderIPAddresses for"
    " RestrictDomainsToIPAddresses, or take the restriction off.",
    SET_INBOUND,
)
RESTRICTION_MIXED = warning(
    "restriction-mixed",
    "A partner connector is restricted by certificate and by address",
    "Restrict it by one of the two, better by the certificate; addresses change.",
)
CERTIFICATE_WITHOUT_TLS = warning(
    "certificate-without-tls",
    "A partner connector wants a certificate and does not require TLS",
    "Set RequireTls: a certificate is shown in TLS only.",
    SET_INBOUND,
)
TREATED_AS_INTERNAL = warning(
    "treated-as-internal",
    "Mail that comes in through a connector counts as internal",
    "Clear TreatMessagesAsInternal: whoever sends through the server then skips spam filtering"
    " with an address of yours. Exchange servers have CloudServicesMailEnabled for it.",
    SET_INBOUND,
)
SCOPED_TO_DOMAINS = warning(
    "scoped-to-domains",
    "A connector is limited to some accepted domains",
    "Clear AssociatedAcceptedDomains: it is meant for tests. Mail from domains that are left out"
    " does not match the connector and is not relayed (5.7.64).",
    SET_INBOUND,
)
ADDRESS_IPV6 = warning(
    "address-ipv6",
    "SenderIPAddresses holds an IPv6 address, which never matches",
    "Take it out, and let the server send over IPv4 or be known by its certificate.",
    SET_INBOUND,
)
ADDRESS_UNREADABLE = warning(
    "address-unreadable",
    "SenderIPAddresses holds something that is no address",
    "Write single IPv4 addresses, or networks from /24 to /32.",
    SET_INBOUND,
)
ADDRESS_WIDE = warning(
    "address-wide",
    "SenderIPAddresses holds a range wider than /24",
    "List only the addresses that send; a wide range that is all yours is split into /24s.",
    SET_INBOUND,
)
ADDRESS_PRIVATE = warning(
    "address-private",
    "SenderIPAddresses holds an address that is not seen on the Internet",
    "List the public address that the server leaves your network by.",
    SET_INBOUND,
)
ADDRESS_OF_MICROSOFT = critical(
    "address-of-microsoft",
    "A connector takes all of Exchange Online for one's own servers",
    "Take Microsoft's addresses out of SenderIPAddresses: every other tenant sends from them.",
    SET_INBOUND,
)
EF_MISSING = warning(
    "enhanced-filtering-missing",
    "Enhanced filtering is off behind a filter",
    "Switch it on for the connector by which the filter's mail comes in: EFSkipLastIP where the"
    " filter is the last hop, else EFSkipIPs with all its public addresses. Without it SPF and"
    " DMARC are judged by the filter's address.",
    ENHANCED,
)
EF_PILOT = warning(
    "enhanced-filtering-pilot",
    "Enhanced filtering is on for some recipients only",
    "Clear EFUsers once the trial is over: all others' mail is judged by the filter's address, and"
    " so is mail that has one of them among its recipients.",
    ENHANCED,
)
EF_ADDRESS = warning(
    "enhanced-filtering-address",
    "Enhanced filtering skips addresses that may not be listed",
    "Take them out of EFSkipIPs: private addresses are skipped anyway, and Microsoft's must"
    " never be.",
    ENHANCED,
)
EF_UNDER_CMT = warning(
    "enhanced-filtering-under-cmt",
    "Enhanced filtering is on together with centralised mail transport",
    "Switch enhanced filtering off, or give up RouteAllMessagesViaOnPremises; the two together are"
    " not supported.",
    ENHANCED,
)
EF_WITHOUT_FILTER = warning(
    "enhanced-filtering-without-filter",
    "Enhanced filtering is on although MX leads straight to Exchange Online",
    "Switch it off: the address that is skipped is the true source, and what stands behind it is"
    " judged in its place.",
    ENHANCED,
)
SCL_CONFLICT = warning(
    "scl-rule-conflict",
    "A rule lets mail skip spam filtering that enhanced filtering is to judge",
    "Switch the rule off: enhanced filtering finds the true source, and the rule throws the result"
    " away.",
    ENHANCED,
)
SCL_BLANKET = warning(
    "scl-rule-blanket",
    "A rule lets mail skip spam filtering on nothing that cannot be forged",
    "Give the rule a condition that proves who sends (Authentication-Results contains dmarc=pass),"
    " or put the senders on the Tenant Allow/Block List. Behind a filter use enhanced filtering.",
    SAFE_SENDERS,
)

RULES = (
    NOT_LOCKED_DOWN,
    UNRESTRICTED,
    LOCKED_OUT,
    RESTRICTION_WITHOUT_VALUE,
    RESTRICTION_MIXED,
    CERTIFICATE_WITHOUT_TLS,
    TREATED_AS_INTERNAL,
    SCOPED_TO_DOMAINS,
    ADDRESS_IPV6,
    ADDRESS_UNREADABLE,
    ADDRESS_WIDE,
    ADDRESS_PRIVATE,
    ADDRESS_OF_MICROSOFT,
    EF_MISSING,
    EF_PILOT,
    EF_ADDRESS,
    EF_UNDER_CMT,
    EF_WITHOUT_FILTER,
    SCL_CONFLICT,
    SCL_BLANKET,
)
