"""What can be wrong with mail that comes in through an inbound connector?"""

from agent.domain.finding import Rule, Severity

_RELAY = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/updated-requirements-smtp-relay"
)
_FLOW = "https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-mail-flow"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str = _FLOW) -> Rule:
    return Rule(f"inbound-{code}", severity, summary, remedy, reference)


NOT_REACHED = _rule(
    "not-reached",
    Severity.UNKNOWN,
    "The tenant's endpoint was not reached, so nothing is known of the connector",
    "Exchange Online is rarely down as a whole: see first whether this machine may connect to port"
    " 25 outside, which many clouds and networks block, and whether `endpoint` is the host that the"
    " admin centre shows for the domain.",
)
TLS_STRIPPED = _rule(
    "tls-stripped",
    Severity.CRITICAL,
    "The way to Exchange Online offers no TLS",
    "Exchange Online always offers STARTTLS. Something in between takes it away: switch off SMTP"
    " inspection (fixup) on the firewall, or send by another way.",
    "RFC 3207 section 6",
)
TLS_FAILED = _rule(
    "tls-failed",
    Severity.CRITICAL,
    "TLS with Exchange Online fails",
    "See whether a proxy or firewall ends TLS in between. If the fault is with the certificate that"
    " is shown, the other findings of this check name it.",
)
NOT_ASKED = _rule(
    "certificate-not-asked",
    Severity.CRITICAL,
    "Nobody asks for the connector's certificate",
    "Exchange Online asks every sender for a certificate. What answers here ends TLS in between and"
    " shows its own, if any, to Exchange: let port 25 pass unopened.",
)
UNREADABLE = _rule(
    "credential-unreadable",
    Severity.UNKNOWN,
    "The certificate to be shown cannot be read",
    "See what the finding says of the files of the credential: both must exist, be PEM, be readable"
    " by the agent, and belong together. A renewal replaces both.",
)
EXPIRED = _rule(
    "certificate-expired",
    Severity.CRITICAL,
    "The connector's certificate is out of its time",
    "Renew it with the same name and assign it to the sending server's send connector; until then"
    " Exchange Online does not attribute the mail and refuses to relay it.",
    _RELAY,
)
EXPIRES_SOON = _rule(
    "certificate-expires-soon",
    Severity.WARNING,
    "The connector's certificate expires soon",
    "Renew it now with the same name. Send once through the new one before the old one is removed.",
)
UNTRUSTED = _rule(
    "certificate-untrusted",
    Severity.CRITICAL,
    "The connector's certificate leads to no trusted root",
    "Use a certificate of a public authority and let the sending server show it with its"
    " intermediates; Exchange Online ignores one that it cannot follow to a root.",
)
WRONG_PURPOSE = _rule(
    "certificate-not-for-clients",
    Severity.WARNING,
    "The connector's certificate is not for clients",
    "Public authorities leave the purpose Client Authentication out of new certificates. Some"
    " servers then do not show it: have one issued with that purpose, or see in the sending"
    " server's log that it is still shown.",
    "RFC 5280 section 4.2.1.12",
)
NAME_MISMATCH = _rule(
    "certificate-name-mismatch",
    Severity.CRITICAL,
    "The certificate that is shown is not the one that the connector names",
    "Set TlsSenderCertificateName to a name of the certificate, or show the certificate that has"
    " the name. A renewal with another subject is the usual cause.",
    _RELAY,
)
NAME_AMBIGUOUS = _rule(
    "certificate-name-ambiguous",
    Severity.WARNING,
    "Whether the certificate fits TlsSenderCertificateName is not documented",
    "Name in TlsSenderCertificateName a name that the certificate has, letter by letter.",
)
NOT_ACCEPTED = _rule(
    "domain-not-accepted",
    Severity.CRITICAL,
    "Neither the certificate's domain nor the sender's is an accepted domain",
    "Add the domain in TlsSenderCertificateName to the tenant's accepted domains (and to"
    " `accepted_domains` here). Without one of the two Exchange Online relays nothing: 550 5.7.64.",
    _RELAY,
)
PARENT_ONLY = _rule(
    "domain-parent-only",
    Severity.WARNING,
    "Only a parent of the certificate's domain is an accepted domain",
    "It works today; Microsoft's advice is to add the very name of the certificate to the accepted"
    " domains.",
    _RELAY,
)
RELAY_DENIED = _rule(
    "relay-denied",
    Severity.CRITICAL,
    "Exchange Online does not relay through the connector",
    "Compare what the sending server shows with the connector: the certificate's name with"
    " TlsSenderCertificateName, or its outgoing address (IPv4 only) with SenderIPAddresses. See"
    " that the connector is on and of the type OnPremises, and that the certificate's domain or the"
    " sender's is an accepted domain.",
    _RELAY,
)
RELAYS = _rule(
    "relays-unexpectedly",
    Severity.CRITICAL,
    "Exchange Online relays through a connector that is not meant to",
    "Whoever holds the certificate or the address can send to anybody in your name. If that is"
    " meant, set `relays: true`; else make the connector one of the type Partner.",
    _RELAY,
)
IMPOSTOR = _rule(
    "impostor-accepted",
    Severity.CRITICAL,
    "A certificate that nobody vouches for is treated as the connector's",
    "The connector matches on something weaker than the certificate, such as an address that this"
    " machine shares. Narrow SenderIPAddresses, or identify the sender by its certificate only.",
)
RESTRICTED = _rule(
    "sender-restricted",
    Severity.CRITICAL,
    "The partner connector turns the sender away",
    "The session shows neither the certificate nor the address that the connector restricts its"
    " domains to. Correct TlsSenderCertificateName or SenderIPAddresses, or what the sender shows.",
)
RECIPIENT_REFUSED = _rule(
    "recipient-refused",
    Severity.CRITICAL,
    "Exchange Online refuses the recipient",
    "See that the mailbox exists and is synchronised, and that its domain is an accepted domain of"
    " this tenant; if the mailbox is gone, set another `recipient`.",
)
SESSION_REFUSED = _rule(
    "session-refused",
    Severity.CRITICAL,
    "Exchange Online refuses the session",
    "Read its words, and what they mean, in the evidence.",
)
BANNED = _rule(
    "address-banned",
    Severity.UNKNOWN,
    "Exchange Online has banned the address that this machine sends from",
    "Nothing is known of the connector. If the sending server leaves by the same address its mail"
    " is refused too: ask for removal at https://sender.office.com and find out what was sent.",
)
THROTTLED = _rule(
    "throttled",
    Severity.UNKNOWN,
    "Exchange Online slows this machine down, so nothing is known of the connector",
    "Raise the interval of this check. If it lasts, see what else sends from the same address.",
)
DEFERRED = _rule(
    "deferred",
    Severity.WARNING,
    "Exchange Online asks to come back later",
    "It passes by itself within minutes; if it stays for hours, see what the evidence says.",
    "RFC 5321 section 4.2.1",
)

RULES = (
    NOT_REACHED,
    TLS_STRIPPED,
    TLS_FAILED,
    NOT_ASKED,
    UNREADABLE,
    EXPIRED,
    EXPIRES_SOON,
    UNTRUSTED,
    WRONG_PURPOSE,
    NAME_MISMATCH,
    NAME_AMBIGUOUS,
    NOT_ACCEPTED,
    PARENT_ONLY,
    RELAY_DENIED,
    RELAYS,
    IMPOSTOR,
    RESTRICTED,
    RECIPIENT_REFUSED,
    SESSION_REFUSED,
    BANNED,
    THROTTLED,
    DEFERRED,
)
