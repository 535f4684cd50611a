"""What does checkdmarc say of DMARC, and which rule of ours says it?"""

from agent.exposition.beside.said import Said, by, none

_QUERY = "dmarc.query_dmarc_record"
_PARSE = "dmarc.parse_dmarc_record"
_REPORTS = "dmarc._parse_report_uris"
_PARENT = "Only what the classes below have in common; it is not raised itself."

DMARC: tuple[Said, ...] = (
    by(
        "DMARCError",
        "a DMARC record that cannot be used; itself, DNS that failed",
        "dns-unanswered",
    ),
    none("_DMARCWarning", "what does not void a record", _PARENT),
    by(
        "_DMARCBestPracticeWarning",
        "no `rua`, too many destinations, a parked domain without `reject`",
        "dmarc-no-reports dmarc-report-too-many dmarc-parked",
    ),
    by("DMARCRecordNotFound", "no DMARC record", "dmarc-missing mx-domain-missing"),
    by("DMARCSyntaxError", "a record outside of the grammar", "dmarc-syntax dmarc-not-applied"),
    by("InvalidDMARCTag", "a tag that is there twice", "dmarc-syntax"),
    by("InvalidDMARCTagValue", "a value that its tag does not have", "dmarc-syntax"),
    by(
        "DMARCRecordStartsWithWhitespace",
        "a blank before the version",
        "dmarc-unreadable dmarc-not-applied",
    ),
    by("InvalidDMARCReportURI", "a destination that is no URI", "dmarc-syntax"),
    by("UnrelatedTXTRecordFoundAtDMARC", "other text beside the record", "dmarc-foreign-text"),
    by(
        "SPFRecordFoundWhereDMARCRecordShouldBe",
        "an SPF record at `_dmarc`",
        "dmarc-foreign-text dmarc-missing",
    ),
    by("DMARCRecordInWrongLocation", "a record at the domain itself", "dmarc-misplaced"),
    by(
        "DMARCReportEmailAddressMissingMXRecords",
        "a destination that takes no mail",
        "dmarc-report-nowhere dmarc-report-unanswered",
    ),
    by(
        "UnverifiedDMARCURIDestination",
        "a destination elsewhere that did not agree",
        "dmarc-report-unauthorised dmarc-report-unanswered",
    ),
    by("MultipleDMARCRecords", "several records", "dmarc-several-records dmarc-not-applied"),
    by(
        _QUERY,
        "a record at the domain itself, beside the one that counts",
        "dmarc-misplaced",
        "Only where no record counts: else nobody reads it, and nothing is lost.",
    ),
    by(_QUERY, "a public suffix's record that counts by the walk", "dmarc-verdicts-differ"),
    by(
        _QUERY,
        "a record behind an alias",
        "dmarc-alias dmarc-alias-dangling",
        "Not where the alias leads to the owner's own names, or to a declared host.",
    ),
    by(_REPORTS, "a destination that is no mail address", "dmarc-report-not-mail"),
    by(_REPORTS, "a destination with a limit of size", "dmarc-report-limit"),
    by(
        _REPORTS,
        "a destination that takes no mail, or did not agree",
        "dmarc-report-nowhere dmarc-report-unauthorised",
    ),
    by(_REPORTS, "more than two destinations", "dmarc-report-too-many"),
    by(_PARSE, "a tag that nobody knows", "dmarc-unknown-tag"),
    by(
        _PARSE,
        "a tag that RFC 9989 took out",
        "dmarc-percent",
        "`pct` is told where it weakens the policy; `rf` and `ri` change nothing in any mail.",
    ),
    by(_PARSE, "no `p`", "dmarc-syntax dmarc-not-applied"),
    by(_PARSE, "`p` not beside the version", "dmarc-policy-not-second"),
    by(_PARSE, "`p=none`", "dmarc-none"),
    by(_PARSE, "`sp=none`", "dmarc-subdomains-weaker dmarc-none"),
    by(_PARSE, "`adkim`, `aspf` or `fo` with a value they do not have", "dmarc-syntax", sites=2),
    by(_PARSE, "no `rua`", "dmarc-no-reports"),
    by(_PARSE, "a parked domain without `reject`, or below it", "dmarc-parked", sites=2),
)
