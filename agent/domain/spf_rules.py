"""What can be wrong with a domain's SPF record, as it is published?

The declarations; :mod:`agent.domain.spf_lint` and its neighbours find them. The rules about a
record's surroundings and cost are in :mod:`agent.domain.spf_rules_tree`.
"""

from agent.domain.finding import Rule, Severity

MISSING = Rule(
    "spf-missing",
    Severity.CRITICAL,
    "The domain has no SPF record",
    "Publish one TXT record at the domain, such as `v=spf1 include:spf.protection.outlook.com -all`"
    " for Exchange Online, or `v=spf1 -all` where it sends nothing.",
    "RFC 7208 section 4.5",
)
ONLY_AT_PARENT = Rule(
    "spf-only-at-parent",
    Severity.WARNING,
    "The parent domain has an SPF record, but it does not count for this one",
    "SPF is not inherited: publish a record at every name that sends.",
    "Microsoft Learn, Set up SPF; RFC 7208 section 4.4",
)
SEVERAL = Rule(
    "spf-several-records",
    Severity.CRITICAL,
    "The domain has more than one SPF record, which is a permanent error for every message",
    "Merge them into one record and delete the others.",
    "RFC 7208 section 4.5",
)
TWICE = Rule(
    "spf-published-twice",
    Severity.CRITICAL,
    "The same SPF record is published twice; receivers may see one record or two",
    "Delete one of the copies: identical records are merged by some resolvers only.",
    "RFC 7208 section 4.5",
)
SYNTAX = Rule(
    "spf-syntax",
    Severity.CRITICAL,
    "The SPF record has a syntax error, which is a permanent error for every message",
    "Correct the term that the finding names; receivers reject the record as a whole, even if an"
    " earlier term matches.",
    "RFC 7208 section 4.6",
)
TYPOGRAPHIC = Rule(
    "spf-typographic",
    Severity.CRITICAL,
    "The SPF record holds quotation marks, or characters that are not plain ASCII",
    "Type the record again instead of pasting it: hyphens, straight characters, single spaces, and"
    " no quotation marks inside it.",
    "RFC 7208 section 3.1",
)
NEAR_MISS = Rule(
    "spf-near-miss",
    Severity.WARNING,
    "A TXT record looks like SPF but is not, because it does not begin with `v=spf1` and a space",
    "Correct or delete it. The record must begin with exactly `v=spf1`, without anything before it,"
    " followed by a space.",
    "RFC 7208 section 4.5",
)
SENDER_ID = Rule(
    "spf-sender-id",
    Severity.WARNING,
    "A Sender ID record (`spf2.0`) is published; nobody reads it any more",
    "Delete the record.",
    "RFC 7208 appendix C.3; RFC 6686",
)
TYPE_99 = Rule(
    "spf-type-99",
    Severity.WARNING,
    "A record of the DNS type SPF is published; only TXT counts",
    "Publish the policy as TXT and delete the record of type SPF (99).",
    "RFC 7208 section 3.1",
)
ALIAS = Rule(
    "spf-alias",
    Severity.WARNING,
    "The SPF record is reached through an alias (CNAME)",
    "Publish the record at the domain itself: who owns the target decides who may send.",
    "RFC 1034 section 3.6.2",
)
WILDCARD = Rule(
    "spf-wildcard",
    Severity.WARNING,
    "A wildcard answers with an SPF record for every name below the domain",
    "Name the hosts that send, and publish `v=spf1 -all` at the wildcard at most.",
    "RFC 7208 section 3.5",
)
TTL_LOW = Rule(
    "spf-ttl-low",
    Severity.WARNING,
    "The SPF record may be cached for a very short time only",
    "Raise its time to live to an hour: each short life is another chance for a time-out.",
    "Microsoft Learn, Troubleshoot email authentication",
)
TTL_HIGH = Rule(
    "spf-ttl-high",
    Severity.WARNING,
    "The SPF record may be cached for a very long time",
    "Lower its time to live to a day or less, or a mistake stays with receivers for that long.",
    "RFC 1912 section 2.2",
)
LONG = Rule(
    "spf-long",
    Severity.WARNING,
    "The SPF record is longer than fits in a plain DNS reply",
    "Shorten it to 450 octets: merge networks, or move some behind an include.",
    "RFC 7208 section 3.4",
)
LARGE_ANSWER = Rule(
    "spf-large-answer",
    Severity.WARNING,
    "The answer with all TXT records of the domain is larger than 512 octets",
    "Delete verification tokens that are no longer needed: large answers need TCP or fragments,"
    " which some networks drop.",
    "RFC 7208 section 3.4",
)
SPLIT = Rule(
    "spf-split",
    Severity.WARNING,
    "The strings of the SPF record are joined without a space, and two terms run together",
    "Put the space inside one of the strings: they are joined with nothing between them.",
    "RFC 7208 section 3.3",
)
STRING_CUT = Rule(
    "spf-string-cut",
    Severity.WARNING,
    "The SPF record ends after exactly 255 octets and seems to be cut off",
    "A string of a TXT record holds at most 255 octets: write the record as several strings.",
    "RFC 7208 section 3.3; RFC 1035 section 3.3",
)
PLUS_ALL = Rule(
    "spf-plus-all",
    Severity.CRITICAL,
    "The SPF record lets everybody send as the domain",
    "End it in `-all`, or `~all` while you are still finding your senders.",
    "RFC 7208 section 5.1",
)
NEUTRAL_ALL = Rule(
    "spf-neutral-all",
    Severity.WARNING,
    "The SPF record ends in `?all`, which says nothing about strangers",
    "End it in `-all`, or `~all` while you are still finding your senders.",
    "RFC 7208 section 5.1",
)
NO_ALL = Rule(
    "spf-no-all",
    Severity.WARNING,
    "The SPF record has neither `all` nor `redirect`, so strangers get a neutral result",
    "End it in `-all` or `~all`.",
    "RFC 7208 section 4.7",
)
AFTER_ALL = Rule(
    "spf-after-all",
    Severity.WARNING,
    "Terms after `all` are never looked at",
    "Move them before `all`, or delete them.",
    "RFC 7208 section 5.1",
)
REDIRECT_WITH_ALL = Rule(
    "spf-redirect-with-all",
    Severity.WARNING,
    "The record has `all`, so its `redirect` is ignored",
    "Keep one of the two.",
    "RFC 7208 section 6.1",
)
PTR = Rule(
    "spf-ptr",
    Severity.WARNING,
    "The record uses `ptr`, which is slow, unreliable and not to be used",
    "Replace it by `ip4`, `ip6` or `a`.",
    "RFC 7208 section 5.5",
)
MACRO_P = Rule(
    "spf-macro-p",
    Severity.WARNING,
    "The record uses the macro `%{p}`, which is not to be used",
    "Replace it by another macro: it costs receivers many lookups and depends on the client's DNS.",
    "RFC 7208 section 7.2",
)
WIDE_RANGE = Rule(
    "spf-wide-range",
    Severity.WARNING,
    "The record allows a very wide range of addresses",
    "Narrow it to the addresses that really send; the finding names the term.",
    "RFC 7208 section 11.4",
)
WHOLE_INTERNET = Rule(
    "spf-whole-internet",
    Severity.CRITICAL,
    "A term with the prefix length 0 covers every address of its family",
    "Write the prefix length of your network; `/0` lets everybody pass.",
    "RFC 7208 section 5.6",
)
SPECIAL_RANGE = Rule(
    "spf-special-range",
    Severity.WARNING,
    "The record lists addresses that cannot send mail on the Internet",
    "Delete the range: receivers never see private, loopback, documentation or multicast"
    " addresses as clients. List the public address of your gateway instead.",
    "RFC 6890",
)
REDUNDANT_RANGE = Rule(
    "spf-redundant-range",
    Severity.WARNING,
    "A range is listed twice or lies inside another one",
    "Delete the smaller one.",
    "RFC 7208 section 4.6.4",
)
HOST_BITS = Rule(
    "spf-host-bits",
    Severity.WARNING,
    "A range is written with bits set beyond its prefix length",
    "Write the first address of the network, or the prefix length that was meant: receivers take"
    " the whole network.",
    "RFC 7208 section 5.6",
)
TYPO_MODIFIER = Rule(
    "spf-typo-modifier",
    Severity.WARNING,
    "A modifier that everybody ignores looks like a mistake",
    "Write mechanisms with a colon instead of the equals sign. A second `v=spf1` in the record is"
    " left over from pasting two records together.",
    "RFC 7208 section 6",
)

RECORD_RULES = (
    MISSING,
    ONLY_AT_PARENT,
    SEVERAL,
    TWICE,
    SYNTAX,
    TYPOGRAPHIC,
    NEAR_MISS,
    SENDER_ID,
    TYPE_99,
    ALIAS,
    WILDCARD,
    TTL_LOW,
    TTL_HIGH,
    LONG,
    LARGE_ANSWER,
    SPLIT,
    STRING_CUT,
    PLUS_ALL,
    NEUTRAL_ALL,
    NO_ALL,
    AFTER_ALL,
    REDIRECT_WITH_ALL,
    PTR,
    MACRO_P,
    WIDE_RANGE,
    WHOLE_INTERNET,
    SPECIAL_RANGE,
    REDUNDANT_RANGE,
    HOST_BITS,
    TYPO_MODIFIER,
)
