"""What does checkdmarc say of SPF, and which rule of ours says it?"""

from agent.exposition.beside.said import Said, by, none

_QUERY = "spf.query_spf_record"
_PARSE = "spf.parse_spf_record"
_REPORTING = (
    "RFC 6652 asks for reports that no large receiver sends; what it adds to the record is passed"
    " over, as is every modifier that nobody knows."
)

SPF: tuple[Said, ...] = (
    none("SPFError", "an SPF record that cannot be used", "It is not raised itself."),
    by(
        "SPFRecordNotFound",
        "no SPF record, or no answer",
        "spf-missing spf-only-at-parent mx-domain-missing dns-unanswered",
    ),
    by("MultipleSPFRTXTRecords", "several records", "spf-several-records spf-published-twice"),
    by("SPFSyntaxError", "a term that is none, or has a value it must not have", "spf-syntax"),
    by("SPFTooManyDNSLookups", "more than ten lookups", "spf-too-many-lookups spf-many-exchanges"),
    by("SPFTooManyVoidDNSLookups", "lookups that lead nowhere", "spf-too-many-voids"),
    by("SPFRedirectLoop", "a redirect that leads back", "spf-loop"),
    by("SPFIncludeLoop", "an include that leads back", "spf-loop"),
    by(
        "_SPFWarning",
        "`ptr`, and targets that DNS did not answer for",
        "spf-ptr spf-target-unanswered",
    ),
    by("_SPFMissingRecords", "`a`, `mx` or `ptr` without records", "spf-empty-term"),
    none("_SPFDuplicateInclude", "an include that is there twice", "Declared there, never raised."),
    none(
        "UndecodableCharactersInTXTRecord",
        "octets that are no text",
        "Declared there, never raised; spf-typographic says it of the record itself.",
    ),
    by(_QUERY, "a record of the DNS type SPF", "spf-type-99"),
    by(
        _QUERY,
        "a TXT record with octets that are no text",
        "spf-typographic",
        "Of the SPF record only: what else stands beside it does not touch mail.",
    ),
    by(_QUERY, "a record of Sender ID", "spf-sender-id"),
    by(_QUERY, "text that looks like SPF", "spf-near-miss"),
    by(
        _QUERY,
        "a string of more than 255 octets",
        "spf-string-cut spf-split",
        "No string in DNS can be longer; what comes of trying is what we look for.",
    ),
    by(
        _QUERY, "a record longer than 512 octets, or than 450", "spf-long spf-large-answer", sites=2
    ),
    by(_QUERY, "a record behind an alias", "spf-alias"),
    by(_PARSE, "a parked domain whose record allows somebody", "spf-parked"),
    by(
        _PARSE,
        "a target without a known top level",
        "spf-empty-term spf-target-missing",
        "We ask DNS for it: what has no records is found, whatever it ends in.",
    ),
    by(_PARSE, "`exp` that leads to no text, to several, or to no answer", "spf-exp", sites=3),
    none(_PARSE, "`ra`, `rp`, `rr` malformed, repeated or without effect", _REPORTING, sites=4),
    by(_PARSE, "`all` more than once, and terms after it", "spf-after-all", sites=2),
    by(
        _PARSE,
        "a modifier that nobody knows",
        "spf-typo-modifier",
        "Only where it looks like a mistake: others are there on purpose, and harmless.",
    ),
    by(_PARSE, "a host of an `mx` term without an address", "spf-empty-term spf-ipv6-voids"),
    by(_PARSE, "`redirect` beside `all`", "spf-redirect-with-all"),
    by(_PARSE, "an include that is there twice", "spf-duplicate-include"),
    by(
        _PARSE,
        "whatever else went wrong with a target",
        "spf-target-missing spf-target-broken spf-target-unanswered spf-empty-term spf-ptr",
    ),
)
