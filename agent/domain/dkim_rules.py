"""What can be wrong with the places at which a domain's DKIM keys are published?

The declarations; :mod:`agent.domain.dkim_lint` finds them. Rules about the keys themselves are in
:mod:`agent.domain.dkim_rules_keys`.
"""

from agent.domain.finding import Rule, Severity

_SETUP = "Microsoft: Set up DKIM to sign mail from your cloud domain"

TAKEOVER = Rule(
    "dkim-takeover",
    Severity.CRITICAL,
    "A selector is an alias into a domain that is free: whoever registers it signs as the domain",
    "Delete the CNAME record now. If the service is still in use, take the name that it shows.",
    "RFC 6376 section 8.10",
)
MISSING = Rule(
    "dkim-missing",
    Severity.WARNING,
    "The domain sends by Exchange Online and has no DKIM key",
    "Publish the two CNAME records that `Get-DkimSigningConfig` shows for the domain as"
    " Selector1CNAME and Selector2CNAME, and turn signing on; the finding lists the steps. Until"
    " then mail is signed with the tenant's onmicrosoft.com domain, which does not align in DMARC.",
    _SETUP,
)
CNAME_MISSING = Rule(
    "dkim-cname-missing",
    Severity.WARNING,
    "One of the two selectors of Exchange Online is not published, so that rotation breaks signing",
    "Publish the missing CNAME record. The selectors sign in turn.",
    _SETUP,
)
CNAME_COPIED = Rule(
    "dkim-cname-copied",
    Severity.WARNING,
    "A selector of Exchange Online holds a copy of the key in place of an alias",
    "Replace the TXT record by the CNAME record that `Get-DkimSigningConfig` shows: a copy stays as"
    " it is when Microsoft rotates the key.",
    _SETUP,
)
CNAME_WRONG = Rule(
    "dkim-cname-wrong",
    Severity.WARNING,
    "A selector of Exchange Online is an alias for the wrong name",
    "Compare with Selector1CNAME and Selector2CNAME of `Get-DkimSigningConfig`, letter by letter.",
    _SETUP,
)
CNAME_FOREIGN = Rule(
    "dkim-cname-foreign",
    Severity.WARNING,
    "A selector of Exchange Online is an alias for the key of another domain",
    "Each domain has targets of its own: take those that `Get-DkimSigningConfig` shows for it. If"
    " those are published, Microsoft chose a token that differs from the domain's name.",
    _SETUP,
)
SAME_KEY = Rule(
    "dkim-same-key",
    Severity.WARNING,
    "Two selectors lead to the same key, so that rotation changes nothing or breaks signing",
    "Give each selector a key of its own; with Exchange Online, each its own CNAME record.",
    "RFC 6376 section 3.1",
)
KEY_MISSING = Rule(
    "dkim-key-missing",
    Severity.WARNING,
    "A selector in use has no key: signatures made with it fail",
    "Publish the key, or take the selector out of use. Where the name is an alias for one of"
    " Exchange Online, turn signing on: only then Microsoft publishes the key.",
    "RFC 6376 section 6.1.2",
)
MISPLACED = Rule(
    "dkim-misplaced",
    Severity.WARNING,
    "A DKIM key stands at a name where nobody looks for it",
    "Move it to `<selector>._domainkey` below the domain. Many consoles add the domain by"
    " themselves: type `<selector>._domainkey` only.",
    "RFC 6376 section 3.6.2.1",
)
SELECTORS_UNKNOWN = Rule(
    "dkim-selectors-unknown",
    Severity.WARNING,
    "No DKIM key is found, and nobody says under which selector the domain signs",
    "Name the selectors in `dkim_selectors` of the domain: they stand as `s=` in the field"
    " DKIM-Signature of its mail. If there is no such field, have its servers sign.",
    "RFC 6376 section 3.1",
)
PARKED = Rule(
    "dkim-parked",
    Severity.WARNING,
    "The domain sends no mail and has a DKIM key, by which somebody can send in its name",
    'Delete the key. `*._domainkey TXT "v=DKIM1; p="` says that no key is valid.',
    "RFC 6376 section 3.6.1",
)
WILDCARD = Rule(
    "dkim-wildcard",
    Severity.WARNING,
    "A selector that nobody made has an answer: a wildcard stands above it",
    "Publish each record at its own name and remove the wildcard. Only"
    ' `*._domainkey TXT "v=DKIM1; p="` does no harm.',
    "RFC 6376 section 6.1.2; RFC 4592 section 2.2",
)
CHANGED = Rule(
    "dkim-record-changed",
    Severity.WARNING,
    "A DKIM key, or the way to it, has changed",
    "See whether a rotation was under way; the evidence has both states. If nobody planned it,"
    " somebody else may be able to sign as the domain. This ends by itself after"
    " `report_changes_for`.",
    "docs/checks/dkim.md",
)
OLD = Rule(
    "dkim-key-old",
    Severity.WARNING,
    "A DKIM key has been the same for very long",
    "Rotate it: publish a new key under another selector, sign with that, and remove the old one"
    " some days later. With Exchange Online, `Rotate-DkimSigningConfig` does all of it.",
    "RFC 6376 section 3.1; M3AAWG: DKIM Key Rotation Best Common Practices",
)

PLACE_RULES = (
    TAKEOVER,
    MISSING,
    CNAME_MISSING,
    CNAME_COPIED,
    CNAME_WRONG,
    CNAME_FOREIGN,
    SAME_KEY,
    KEY_MISSING,
    MISPLACED,
    SELECTORS_UNKNOWN,
    PARKED,
    WILDCARD,
    CHANGED,
    OLD,
)
