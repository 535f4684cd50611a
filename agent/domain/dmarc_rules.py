"""What can be wrong with a domain's DMARC record, and with what stands around it?

The declarations; :mod:`agent.domain.dmarc_lint` and its neighbours find them. Rules about single
tags and about senders are in :mod:`agent.domain.dmarc_rules_tags`.
"""

from agent.domain.finding import Rule, Severity

MISSING = Rule(
    "dmarc-missing",
    Severity.WARNING,
    "The domain has no DMARC record",
    "Publish one TXT record at `_dmarc` below the domain. Begin with `p=none` and an address for"
    " reports, of a mailbox that somebody, or a service, reads; large providers refuse bulk mail of"
    " domains that have none.",
    "RFC 7489 section 6.6.3; Microsoft: Set up DMARC",
)
NOT_APPLIED = Rule(
    "dmarc-not-applied",
    Severity.CRITICAL,
    "A policy of quarantine or reject is published, and receivers apply none",
    "Mend the record at the place that the finding names. Until then anybody can write in the"
    " domain's name, and providers that want DMARC refuse its bulk mail.",
    "RFC 7489 section 6.6.3; RFC 9989 section 4.10",
)
SEVERAL = Rule(
    "dmarc-several-records",
    Severity.WARNING,
    "The domain has more than one DMARC record, and receivers apply none of them",
    "Merge them into one record and delete the others.",
    "RFC 7489 section 6.6.3; RFC 9989 section 4.10",
)
UNREADABLE = Rule(
    "dmarc-unreadable",
    Severity.WARNING,
    "What stands at `_dmarc` was meant to be a DMARC record and is none",
    "Begin the text with `v=DMARC1;`, in capitals and without blanks or quotes before it.",
    "RFC 7489 section 6.3",
)
MISPLACED = Rule(
    "dmarc-misplaced",
    Severity.WARNING,
    "The DMARC record stands at a name where nobody looks for it",
    "Move it to `_dmarc` below the domain. Many consoles add the domain by themselves: type"
    " `_dmarc` only.",
    "RFC 7489 section 6.1",
)
FOREIGN_TEXT = Rule(
    "dmarc-foreign-text",
    Severity.WARNING,
    "Other text stands where only the DMARC record belongs",
    "Delete the other records at `_dmarc`, or the wildcard that they come from.",
    "RFC 7489 section 6.6.3",
)
WILDCARD = Rule(
    "dmarc-wildcard",
    Severity.WARNING,
    "A wildcard answers every question for text with a DMARC record",
    "Publish the record at `_dmarc` itself and remove the TXT record at `*`: it also answers for"
    " DKIM, MTA-STS and SPF of every name.",
    "RFC 4592 section 2.2; RFC 7489 section 6.1",
)
ALIAS = Rule(
    "dmarc-alias",
    Severity.WARNING,
    "The DMARC record is an alias for a name that somebody else controls",
    "Whoever holds that name decides on the domain's policy and reads its reports. If that is"
    " meant, name it in `hosted_by`; if not, replace the CNAME by a TXT record.",
    "RFC 1034 section 3.6.2",
)
ALIAS_DANGLING = Rule(
    "dmarc-alias-dangling",
    Severity.WARNING,
    "The name `_dmarc` is an alias that leads to no DMARC record",
    "Ask the service that the alias points to for its record, or replace the CNAME by a TXT"
    " record.",
    "RFC 1034 section 3.6.2",
)
DIFFERS = Rule(
    "dmarc-verdicts-differ",
    Severity.WARNING,
    "Receivers that use a list of public suffixes apply another policy than those that walk the"
    " tree",
    "Publish a record at the domain itself: then all receivers apply it.",
    "RFC 7489 section 6.6.3; RFC 9989 section 4.10",
)
NONE = Rule(
    "dmarc-none",
    Severity.WARNING,
    "The policy is still `none`: receivers deliver forgeries of the domain",
    "See in the table of senders who would fail, mend that, and go on to `p=quarantine`, with an"
    " address for reports.",
    "Microsoft: Set up DMARC, deployment in steps",
)
PARKED = Rule(
    "dmarc-parked",
    Severity.WARNING,
    "The domain sends no mail, and its policy lets others send in its name",
    "Publish `v=DMARC1; p=reject;` for the domain and its subdomains.",
    "Microsoft: Set up DMARC, parked domains",
)
CHANGED = Rule(
    "dmarc-record-changed",
    Severity.WARNING,
    "The DMARC record has changed",
    "See whether the change was meant; the evidence lists the tags. This finding goes by itself.",
    "docs/checks/dmarc.md",
)
PLACE_RULES = (
    MISSING,
    NOT_APPLIED,
    SEVERAL,
    UNREADABLE,
    MISPLACED,
    FOREIGN_TEXT,
    WILDCARD,
    ALIAS,
    ALIAS_DANGLING,
    DIFFERS,
    NONE,
    PARKED,
    CHANGED,
)
