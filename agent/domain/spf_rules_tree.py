"""What can be wrong with what an SPF record leads to, and with what it costs?"""

from agent.domain.finding import Rule, Severity

TARGET_MISSING = Rule(
    "spf-target-missing",
    Severity.CRITICAL,
    "An include or redirect leads to a name without an SPF record, which is a permanent error",
    "Delete the term, or ask its owner for the name to use now.",
    "RFC 7208 sections 5.2 and 6.1",
)
TARGET_BROKEN = Rule(
    "spf-target-broken",
    Severity.CRITICAL,
    "An include or redirect leads to a record that is itself a permanent error",
    "Tell the owner of the record; until it is mended, delete the term if you can do without.",
    "RFC 7208 section 5.2",
)
TARGET_PLUS_ALL = Rule(
    "spf-target-plus-all",
    Severity.CRITICAL,
    "An included record passes everybody, and so does yours",
    "Delete the include, and tell its owner.",
    "RFC 7208 section 5.2",
)
TARGET_UNANSWERED = Rule(
    "spf-target-unanswered",
    Severity.UNKNOWN,
    "DNS could not say what an include or redirect leads to",
    "Receivers get a temporary error now and defer mail. If it lasts, tell the owner of the name.",
    "RFC 7208 section 2.6.6",
)
LOOP = Rule(
    "spf-loop",
    Severity.CRITICAL,
    "The record includes itself, directly or through others",
    "Break the circle: receivers go round until the limit of lookups, then it is an error.",
    "RFC 7208 section 4.6.4",
)
TOO_MANY_LOOKUPS = Rule(
    "spf-too-many-lookups",
    Severity.CRITICAL,
    "The record takes more than 10 lookups, which is a permanent error",
    "Delete includes of services that you no longer use, replace `a` and `mx` by `ip4` and `ip6`,"
    " or give a service a subdomain of its own.",
    "RFC 7208 section 4.6.4",
)
NEAR_LOOKUPS = Rule(
    "spf-near-lookup-limit",
    Severity.WARNING,
    "The record is close to the limit of 10 lookups",
    "Make room now: a provider that splits its record breaks yours without any change of yours.",
    "RFC 7208 section 4.6.4",
)
TOO_MANY_VOIDS = Rule(
    "spf-too-many-voids",
    Severity.CRITICAL,
    "More than two lookups lead nowhere, which is a permanent error",
    "Delete the terms that name hosts or domains which no longer exist.",
    "RFC 7208 section 4.6.4",
)
NEAR_VOIDS = Rule(
    "spf-near-void-limit",
    Severity.WARNING,
    "Two lookups lead nowhere; a third makes the record a permanent error",
    "Delete the terms that name hosts or domains which no longer exist.",
    "RFC 7208 section 4.6.4",
)
IPV6_VOIDS = Rule(
    "spf-ipv6-voids",
    Severity.WARNING,
    "Clients with IPv6 meet more than two lookups that lead nowhere",
    "List addresses by `ip4` and `ip6` instead of `a` and `mx`: hosts without IPv6 addresses count"
    " as void lookups for IPv6 clients at many receivers.",
    "RFC 7208 section 4.6.4",
)
EMPTY_TERM = Rule(
    "spf-empty-term",
    Severity.WARNING,
    "An `a` or `mx` term names something without such records",
    "Delete the term: it matches nobody, and counts as a void lookup.",
    "RFC 7208 sections 5.3 and 5.4",
)
MANY_EXCHANGES = Rule(
    "spf-many-exchanges",
    Severity.CRITICAL,
    "An `mx` term names a domain with more than 10 MX records, which is a permanent error",
    "List the addresses that send by `ip4` and `ip6`.",
    "RFC 7208 section 4.6.4",
)
DUPLICATE_INCLUDE = Rule(
    "spf-duplicate-include",
    Severity.WARNING,
    "The same record is included more than once",
    "Keep one of the includes: every one costs its lookups again.",
    "RFC 7208 section 4.6.4",
)
EXP = Rule(
    "spf-exp",
    Severity.WARNING,
    "The text that `exp` names cannot be used",
    "Publish exactly one TXT record of plain ASCII there, or delete `exp`.",
    "RFC 7208 section 6.2",
)
DIFFERS = Rule(
    "spf-verdict-differs",
    Severity.WARNING,
    "Receivers come to different verdicts about a sender",
    "Delete the terms that lead nowhere, or list the sender by `ip4` or `ip6` before them.",
    "RFC 7208 section 4.6.4",
)
CLOUD_MISSING = Rule(
    "spf-cloud-include-missing",
    Severity.CRITICAL,
    "The record does not cover Exchange Online, where the domain's mail leaves",
    "Add the include of your Microsoft cloud, `include:spf.protection.outlook.com` in the"
    " worldwide one.",
    "Microsoft Learn, Set up SPF",
)
CLOUD_UNMENTIONED = Rule(
    "spf-cloud-mx-without-include",
    Severity.WARNING,
    "MX leads to Exchange Online, but the record does not include it",
    "Add the include of your Microsoft cloud if mail leaves through it, as it does by default.",
    "Microsoft Learn, Set up SPF",
)
WRONG_CLOUD = Rule(
    "spf-wrong-cloud",
    Severity.CRITICAL,
    "The record includes the senders of another Microsoft cloud",
    "Replace the include by that of the cloud where your tenant is.",
    "Microsoft Learn, Set up SPF",
)
OUTLOOK_COM = Rule(
    "spf-outlook-com",
    Severity.WARNING,
    "The record includes outlook.com, Microsoft's service for consumers",
    "Delete it; business tenants include `spf.protection.outlook.com`.",
    "Microsoft Learn, Set up SPF",
)
RETIRED_INCLUDE = Rule(
    "spf-retired-include",
    Severity.WARNING,
    "The record includes a name that Microsoft no longer asks for",
    "Delete the include.",
    "Microsoft Learn, External DNS records for Microsoft 365",
)
SEVERAL_CLOUDS = Rule(
    "spf-several-clouds",
    Severity.WARNING,
    "The record includes more than one Microsoft cloud",
    "Keep the include of the cloud where your tenant is.",
    "Microsoft Learn, Set up SPF",
)
PARKED = Rule(
    "spf-parked",
    Severity.WARNING,
    "The domain is parked, but its SPF record does not say that it sends nothing",
    "Publish exactly `v=spf1 -all`.",
    "Microsoft Learn, Set up SPF; M3AAWG parked domains",
)

TREE_RULES = (
    TARGET_MISSING,
    TARGET_BROKEN,
    TARGET_PLUS_ALL,
    TARGET_UNANSWERED,
    LOOP,
    TOO_MANY_LOOKUPS,
    NEAR_LOOKUPS,
    TOO_MANY_VOIDS,
    NEAR_VOIDS,
    IPV6_VOIDS,
    EMPTY_TERM,
    MANY_EXCHANGES,
    DUPLICATE_INCLUDE,
    EXP,
    DIFFERS,
    CLOUD_MISSING,
    CLOUD_UNMENTIONED,
    WRONG_CLOUD,
    OUTLOOK_COM,
    RETIRED_INCLUDE,
    SEVERAL_CLOUDS,
    PARKED,
)
