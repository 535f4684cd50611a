"""What can be wrong with a DKIM key record, and with the key in it?

The declarations; :mod:`agent.domain.dkim_lint_keys` finds them.
"""

from agent.domain.dkim_rules import PLACE_RULES
from agent.domain.finding import Rule, Severity

_KEY_RECORD = "RFC 6376 section 3.6.1"
_KEY_SIZES = "RFC 8301 section 3.2"

PRIVATE_KEY = Rule(
    "dkim-private-key",
    Severity.CRITICAL,
    "The private key is published: anybody can sign as the domain",
    "Make a new pair of keys under a new selector, sign with that, and delete this record now.",
    "RFC 6376 section 8.2",
)
WEAK = Rule(
    "dkim-key-weak",
    Severity.CRITICAL,
    "A DKIM key can be broken: others can sign as the domain, and good receivers ignore it",
    "Sign with a new RSA key of 2048 bits under a new selector, and delete this one. With Exchange"
    " Online, `Rotate-DkimSigningConfig -KeySize 2048` does it.",
    _KEY_SIZES,
)
SHORT = Rule(
    "dkim-key-short",
    Severity.WARNING,
    "A DKIM key has fewer than 2048 bits",
    "Rotate to an RSA key of 2048 bits. With Exchange Online, `Rotate-DkimSigningConfig -KeySize"
    " 2048` does it; the second selector follows with the next rotation.",
    _KEY_SIZES,
)
LONG = Rule(
    "dkim-key-long",
    Severity.WARNING,
    "A DKIM key has more bits than receivers must support",
    "Use an RSA key of 2048 bits. Receivers need not know more than 4096, and an answer with more"
    " than 2048 does not fit one string of a TXT record, nor a plain DNS datagram.",
    _KEY_SIZES,
)
EXPONENT = Rule(
    "dkim-key-exponent",
    Severity.WARNING,
    "The exponent of a DKIM key is so large that some receivers refuse the key",
    "Make a new key with the exponent 65537, which every tool takes by default.",
    "RFC 8017 section 3.1",
)
ED25519_ONLY = Rule(
    "dkim-ed25519-only",
    Severity.WARNING,
    "All keys are of Ed25519, which many receivers do not know: to them the mail is not signed",
    "Sign twice: with an RSA key of 2048 bits as well, under a selector of its own.",
    "RFC 8463 section 5",
)
ARMOUR = Rule(
    "dkim-pasted-armour",
    Severity.WARNING,
    "The key was pasted with the first and last line of its file",
    "Leave out the lines that begin with dashes: only what stands between them belongs after `p=`,"
    " without line breaks.",
    _KEY_RECORD,
)
QUOTES = Rule(
    "dkim-pasted-quotes",
    Severity.WARNING,
    "The record was pasted with quotation marks, which are now part of it",
    "Type the text without quotation marks: the console puts them in and splits it by itself.",
    "RFC 1035 section 5.1",
)
ESCAPES = Rule(
    "dkim-pasted-escapes",
    Severity.WARNING,
    "The record was pasted with backslashes out of a zone file, which are now part of it",
    "Type plain semicolons: only some zone files want a backslash before them.",
    "RFC 1035 section 5.1",
)
SYNTAX = Rule(
    "dkim-syntax",
    Severity.WARNING,
    "A DKIM key record does not follow the grammar",
    "Correct the record at the character that the finding names.",
    "RFC 6376 sections 3.2 and 3.6.1",
)
UNREADABLE = Rule(
    "dkim-key-unreadable",
    Severity.WARNING,
    "What stands in `p` is no key: signatures made with it fail",
    "Paste the whole public key once more, as one line of base64.",
    _KEY_RECORD,
)
UNKNOWN_TAG = Rule(
    "dkim-unknown-tag",
    Severity.WARNING,
    "A DKIM key record has a tag that nobody knows",
    "Remove it, or correct its name; receivers ignore it.",
    "RFC 6376 section 3.2",
)
SEVERAL = Rule(
    "dkim-several-records",
    Severity.WARNING,
    "More than one TXT record stands at a selector: which one receivers take is left to chance",
    "Keep the one record with the key. A long key is split into strings of one record, not into"
    " records.",
    "RFC 6376 section 3.6.2.2",
)
REVOKED = Rule(
    "dkim-revoked",
    Severity.WARNING,
    "A selector in use has a revoked key: signatures made with it fail",
    "Publish the key again if it is still used, or take the selector out of `dkim_selectors`.",
    _KEY_RECORD,
)
TESTING = Rule(
    "dkim-testing",
    Severity.WARNING,
    "A key is marked as a test: receivers may treat its mail as if it were not signed",
    "Remove the flag `t=y`.",
    _KEY_RECORD,
)
HASH = Rule(
    "dkim-hash",
    Severity.WARNING,
    "A key does not allow SHA-256, and receivers accept nothing else",
    "Remove the tag `h`, or write `h=sha256`.",
    "RFC 8301 section 3.1",
)
SERVICE = Rule(
    "dkim-service",
    Severity.WARNING,
    "A key is not meant for mail: receivers ignore it",
    "Remove the tag `s`, or write `s=email`.",
    _KEY_RECORD,
)

KEY_RULES = (
    PRIVATE_KEY,
    WEAK,
    SHORT,
    LONG,
    EXPONENT,
    ED25519_ONLY,
    ARMOUR,
    QUOTES,
    ESCAPES,
    SYNTAX,
    UNREADABLE,
    UNKNOWN_TAG,
    SEVERAL,
    REVOKED,
    TESTING,
    HASH,
    SERVICE,
)
RULES = (*PLACE_RULES, *KEY_RULES)
"""Every rule of the probe."""
