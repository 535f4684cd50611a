"""What can be wrong with a message that arrived, beside its being late?"""

from agent.domain.finding import Rule, Severity

_DOC = "docs/checks/route.md"
_AUTH = "RFC 8601 section 2.7"
_HEADERS = "Microsoft Defender for Office 365: anti-spam message headers"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"route-{code}", severity, summary, remedy, reference)


WRONG_FOLDER = _rule(
    "wrong-folder",
    Severity.WARNING,
    "A message arrived in another folder than it should",
    "See which rule of the mailbox, or which policy, moves it; `expect.folder` says where it should"
    " be.",
    _DOC,
)
SPF_FAILED = _rule(
    "spf-failed",
    Severity.CRITICAL,
    "The receiver says that SPF did not pass",
    "The evidence has the address that the receiver saw. If it is a server of yours, or of a"
    " service that sends for you, add it to the domain's SPF record; if a gateway stands in"
    " between, turn on enhanced filtering for its connector.",
    _AUTH,
)
DKIM_FAILED = _rule(
    "dkim-failed",
    Severity.CRITICAL,
    "The receiver says that DKIM did not pass",
    "With `none` nothing signs on this way. With `fail` something changes the message behind the"
    " signer, or the key at the selector is not the one it was signed with.",
    _AUTH,
)
DMARC_FAILED = _rule(
    "dmarc-failed",
    Severity.CRITICAL,
    "The receiver says that DMARC did not pass",
    "Neither SPF nor DKIM passed for the domain of the author. Sign with `d=` of that domain, or"
    " send with an envelope sender of it.",
    _AUTH,
)
COMPAUTH_FAILED = _rule(
    "compauth-failed",
    Severity.CRITICAL,
    "Exchange Online's composite authentication did not pass",
    "Read the reason code in the evidence. Publish SPF, DKIM and DMARC of the sender's domain; for"
    " mail through a gateway turn on enhanced filtering.",
    _HEADERS,
)
SENDER_MISSING = _rule(
    "sender-missing",
    Severity.CRITICAL,
    "The address that mail comes from is not in the sender's SPF record",
    "The receiver saw this address, and the record as it is published now does not pass it. Add the"
    " address, or the include of the service it belongs to.",
    "RFC 7208 section 4",
)
SPF_DIFFERS = _rule(
    "spf-differs",
    Severity.WARNING,
    "The receiver and the published record disagree about SPF",
    "Evaluated now, the record gives another result than the receiver had. It was changed lately,"
    " or the receiver looks at another address: see which of both in the evidence.",
    "RFC 7208 section 4",
)
PLAINTEXT_HOP = _rule(
    "plaintext-hop",
    Severity.CRITICAL,
    "A message crossed the network without encryption",
    "See the hop in the evidence. Demand TLS on the connector or relay that sends there, and offer"
    " STARTTLS on the host that takes it.",
    "RFC 3207",
)
NOT_THROUGH = _rule(
    "not-through",
    Severity.CRITICAL,
    "A message did not pass a host that it must pass",
    "Mail goes around it: compare the MX records, the connectors and the rules that lead there. If"
    " the host is a filter, nothing has filtered this way.",
    _DOC,
)
THROUGH_FORBIDDEN = _rule(
    "through-forbidden",
    Severity.CRITICAL,
    "A message passed a host that it must not pass",
    "See which connector, rule or MX record leads there, and close it.",
    _DOC,
)
TOO_MANY_HOPS = _rule(
    "too-many-hops",
    Severity.WARNING,
    "A message took more hops than it should",
    "Compare the path with the one you mean; a detour through a host that hands it back is the"
    " beginning of a loop.",
    "RFC 5321 section 6.3",
)
GOING_ROUND = _rule(
    "going-round",
    Severity.WARNING,
    "The path of a message has the shape of a loop",
    "It came to the same hosts again before it was delivered. Compare the domain's type, the"
    " connectors and the filter's delivery host, and guard rules by a header field.",
    "RFC 5321 section 6.3",
)
FOREIGN_TENANT = _rule(
    "foreign-tenant",
    Severity.CRITICAL,
    "Exchange Online attributed a message to another tenant",
    "Another tenant has an inbound connector with the certificate domain or the address that this"
    " mail comes with. Use a certificate domain that is an accepted domain of your tenant alone.",
    "Exchange Online: inbound connector attribution (MC1226222)",
)
CLOCK_WRONG = _rule(
    "clock-wrong",
    Severity.WARNING,
    "A host on the way writes times that cannot be",
    "Set the clock of that host; delays before and behind it cannot be told.",
    "RFC 5321 section 4.4",
)

UNSAID = _rule(
    "unsaid",
    Severity.UNKNOWN,
    "A message does not say what is expected of it",
    "The receiver writes no such header field, or the place of pick-up does not hand it on. Take"
    " the expectation away, or pick the message up where the field is.",
    _DOC,
)

ARRIVAL_RULES = (
    WRONG_FOLDER,
    SPF_FAILED,
    DKIM_FAILED,
    DMARC_FAILED,
    COMPAUTH_FAILED,
    SENDER_MISSING,
    SPF_DIFFERS,
    PLAINTEXT_HOP,
    NOT_THROUGH,
    THROUGH_FORBIDDEN,
    TOO_MANY_HOPS,
    GOING_ROUND,
    FOREIGN_TENANT,
    CLOCK_WRONG,
    UNSAID,
)
