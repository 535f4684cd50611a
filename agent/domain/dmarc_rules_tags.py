"""What can be wrong with the tags of a DMARC record, and with the senders under it?

The declarations; :mod:`agent.domain.dmarc_lint_tags` finds the first kind,
:mod:`agent.domain.dmarc_report` the second.
"""

from agent.domain.dmarc_rules import PLACE_RULES
from agent.domain.finding import Rule, Severity

SYNTAX = Rule(
    "dmarc-syntax",
    Severity.WARNING,
    "Part of the DMARC record does not follow the grammar, and receivers leave it out",
    "Correct the record at the character that the finding names.",
    "RFC 7489 section 6.4; RFC 9989 section 4.8",
)
UNKNOWN_TAG = Rule(
    "dmarc-unknown-tag",
    Severity.WARNING,
    "The DMARC record has a tag that nobody knows",
    "Remove it, or correct its name.",
    "RFC 7489 section 6.3",
)
ORDER = Rule(
    "dmarc-policy-not-second",
    Severity.WARNING,
    "The tag `p` does not follow the version, where older receivers look for it",
    "Write `v=DMARC1; p=` first, and all other tags after it.",
    "RFC 7489 section 6.4",
)
SUBDOMAINS = Rule(
    "dmarc-subdomains-weaker",
    Severity.WARNING,
    "Subdomains have a weaker policy than the domain",
    "Remove `sp` and `np`, or raise them to the policy of the domain: forgers use a name below it.",
    "RFC 7489 section 6.3; RFC 9989 section 4.7",
)
PERCENT = Rule(
    "dmarc-percent",
    Severity.WARNING,
    "The policy is asked for on a part of the mail only",
    "Remove `pct`. Receivers of RFC 9989 ignore it and apply the policy to all mail already.",
    "RFC 7489 section 6.3; RFC 9989 section 4.7",
)
TESTING = Rule(
    "dmarc-testing",
    Severity.WARNING,
    "The policy is marked as a test: some receivers do not apply it",
    "Remove `t=y` when the reports show no sender of yours failing.",
    "RFC 9989 section 4.7",
)
NO_REPORTS = Rule(
    "dmarc-no-reports",
    Severity.WARNING,
    "Nobody gets reports about who sends in the domain's name",
    "Add `rua=mailto:` and a mailbox that somebody, or a service, reads.",
    "RFC 7489 section 6.3",
)
UNAUTHORISED = Rule(
    "dmarc-report-unauthorised",
    Severity.WARNING,
    "A destination in another domain has not said that it wants the reports, and gets none",
    "Have the owner of that domain publish the record that the finding shows.",
    "RFC 7489 section 7.1; RFC 9990 section 4",
)
NOWHERE = Rule(
    "dmarc-report-nowhere",
    Severity.WARNING,
    "A destination for reports takes no mail",
    "Correct the address, or create the mailbox.",
    "RFC 7489 section 6.3; RFC 5321 section 5.1",
)
REPORT_UNANSWERED = Rule(
    "dmarc-report-unanswered",
    Severity.UNKNOWN,
    "DNS could not say whether a destination wants and takes the reports",
    "Nothing is known to be wrong with the domain. Ask for the name with `dig`.",
    "RFC 7489 section 7.1",
)
NOT_MAIL = Rule(
    "dmarc-report-not-mail",
    Severity.WARNING,
    "Reports shall go to a URI that is no mail address, and most receivers send them by mail only",
    "Add a `mailto:` address.",
    "RFC 7489 section 6.2; RFC 9989 section 4.7",
)
TOO_MANY = Rule(
    "dmarc-report-too-many",
    Severity.WARNING,
    "More than two destinations are named, and receivers need not serve more than two",
    "Keep the two that matter most.",
    "RFC 7489 section 6.2",
)
LIMIT = Rule(
    "dmarc-report-limit",
    Severity.WARNING,
    "A destination has a size limit, beyond which some receivers send no report at all",
    "Remove `!` and the number after it. Receivers of RFC 9989 ignore it.",
    "RFC 7489 section 6.4; RFC 9989 section 4.7",
)
SENDER_FAILS = Rule(
    "dmarc-sender-fails",
    Severity.CRITICAL,
    "A sender of the domain can pass neither SPF nor DKIM, and the policy has its mail refused or"
    " put in the junk folder",
    "Authorise the sender in SPF or publish its DKIM key. If that takes time, go back to `p=none`"
    " until it is done.",
    "RFC 7489 section 3.1; Microsoft: Set up DMARC",
)
SENDER_WOULD_FAIL = Rule(
    "dmarc-sender-would-fail",
    Severity.WARNING,
    "A sender of the domain would lose its mail as soon as the policy is enforced",
    "Authorise the sender in SPF or publish its DKIM key before you go beyond `p=none`.",
    "RFC 7489 section 3.1; Microsoft: Set up DMARC",
)
SENDER_SPF_ONLY = Rule(
    "dmarc-sender-spf-only",
    Severity.WARNING,
    "A sender of the domain has SPF alone, so that its mail is lost where it is forwarded",
    "Turn on DKIM for the domain at the sender, and publish its key.",
    "RFC 7489 section 10.1; RFC 7960 section 3",
)
SENDER_UNPROVEN = Rule(
    "dmarc-sender-unproven",
    Severity.WARNING,
    "The policy is enforced, and DNS does not show that a sender of the domain can pass",
    "Set up DKIM for the domain at the sender and name its selectors in `dkim_selectors`; a route"
    " through it shows what its messages carry.",
    "RFC 7489 section 3.1",
)
RULES = (
    *PLACE_RULES,
    SYNTAX,
    UNKNOWN_TAG,
    ORDER,
    SUBDOMAINS,
    PERCENT,
    TESTING,
    NO_REPORTS,
    UNAUTHORISED,
    NOWHERE,
    REPORT_UNANSWERED,
    NOT_MAIL,
    TOO_MANY,
    LIMIT,
    SENDER_FAILS,
    SENDER_WOULD_FAIL,
    SENDER_SPF_ONLY,
    SENDER_UNPROVEN,
)
