"""What can be wrong with the hosts that take a domain's mail, as a sender meets them?"""

from datetime import timedelta

from agent.domain.finding import Rule, Severity

_NDR = "https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online"
_TLS = "https://learn.microsoft.com/purview/exchange-online-uses-tls-to-secure-email-connections"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"exchange-{code}", severity, summary, remedy, reference)


UNREACHABLE = _rule(
    "unreachable",
    Severity.CRITICAL,
    "No exchange of the domain takes a session",
    "Mail to the domain waits at every sender and bounces after one to five days. See that the"
    " servers run, that port 25 is open to the whole world and not only to some, and that the"
    " addresses in DNS are still theirs.",
    "RFC 5321 section 5.1",
)
PARTLY_FAILING = _rule(
    "partly-failing",
    Severity.WARNING,
    "Some exchanges of the domain fail while others work",
    "Mail still flows, later and over fewer shoulders. Repair the hosts that the evidence names, or"
    " take them out of MX: a dead exchange helps nobody and delays some.",
    "RFC 5321 section 5.1",
)
FAMILY_FAILING = _rule(
    "family-failing",
    Severity.WARNING,
    "One address family of the exchanges fails while the other works",
    "Many senders try IPv6 first and wait before they fall back. Let the servers listen on that"
    " family and the firewall pass it, or take its address records away.",
    "RFC 6724",
)
REFUSES_US = _rule(
    "refuses-us",
    Severity.UNKNOWN,
    "An exchange turns this machine away before it hears of any mail",
    "Others may fare better, so nothing is known of the exchange. Read its words: mostly they name"
    " a block list that this machine's address is on, or its missing reverse name. Check from"
    " another vantage, or have the address admitted.",
    _NDR,
)
THROTTLED = _rule(
    "throttled",
    Severity.UNKNOWN,
    "An exchange limits our connections, so nothing is known of it",
    "Raise the interval of this check, or exempt this machine from the server's limits.",
    "RFC 5321 section 3.8",
)
THROTTLED_LASTING = _rule(
    "throttled-lasting",
    Severity.WARNING,
    "An exchange has been turning connections away for long",
    "It answers this machine, which comes rarely, with a limit all the time, so other senders will"
    " see the same. See its load and its limits for connections.",
    "RFC 5321 section 3.8",
)
DEFERRED = _rule(
    "deferred",
    Severity.WARNING,
    "An exchange asks to come back later",
    "Greylisting passes by itself; a reply that stays for hours is a fault of the server, whose"
    " words are in the finding.",
    "RFC 5321 section 4.2.1",
)
RECIPIENT_REFUSED = _rule(
    "recipient-refused",
    Severity.CRITICAL,
    "An exchange refuses the configured recipient",
    "If the mailbox exists, the exchange does not know it or does not know the domain: synchronise"
    " the filter's list of recipients, or add the domain where the mailboxes are.",
    _NDR,
)
STARTTLS_MISSING = _rule(
    "starttls-missing",
    Severity.WARNING,
    "An exchange takes mail in the clear only",
    "Switch on STARTTLS with a valid certificate. If it is on, a device in between takes the offer"
    " away. Senders that demand TLS (Exchange connectors with TlsSettings, MTA-STS, DANE) do not"
    " deliver meanwhile.",
    "RFC 3207",
)
TLS_BROKEN = _rule(
    "tls-broken",
    Severity.WARNING,
    "An exchange offers TLS that does not work",
    "Some senders fall back to plain text, others wait and bounce. See that the mail service has a"
    " certificate with its key, and TLS 1.2 or later with ECDHE and AES-GCM.",
    _TLS,
)
TLS_TOO_OLD = _rule(
    "tls-too-old",
    Severity.WARNING,
    "An exchange speaks no TLS that Exchange Online accepts",
    "Enable TLS 1.2 or 1.3 on the server; Exchange Online has no older version any more.",
    _TLS,
)
EXPIRED = _rule(
    "certificate-expired",
    Severity.WARNING,
    "An exchange's certificate is out of its time",
    "Renew it and assign it to the mail service. Senders that check it have stopped to deliver.",
    "RFC 5280 section 4.1.2.5",
)
EXPIRES_SOON = _rule(
    "certificate-expires-soon",
    Severity.WARNING,
    "An exchange's certificate expires soon",
    "Renew it now and assign it to the mail service; see why the renewal did not run by itself.",
    "RFC 5280 section 4.1.2.5",
)
NAME_MISMATCH = _rule(
    "certificate-name-mismatch",
    Severity.WARNING,
    "An exchange's certificate lacks the name that MX gives the host",
    "Use a certificate with the host's name, or name in MX a host that the certificate has. With an"
    " MTA-STS policy in mode enforce, senders do not deliver there.",
    "RFC 8461 section 4.1",
)
UNTRUSTED = _rule(
    "certificate-untrusted",
    Severity.WARNING,
    "An exchange's certificate leads to no trusted root",
    "Use a certificate of a public authority and send it with its intermediates. Only senders with"
    " DANE can do without.",
    "RFC 8461 section 4.1",
)
WEAK = _rule(
    "certificate-weak",
    Severity.WARNING,
    "An exchange's certificate is weak",
    "Renew it with an RSA key of 2048 bits or a P-256 key, signed with SHA-256.",
    "RFC 9325 section 4.5",
)
REVOKED = _rule(
    "certificate-revoked",
    Severity.WARNING,
    "An exchange's certificate is revoked, or its OCSP answer is out of date",
    "If it is revoked, find out why, make a new key and have a certificate issued for it. If only"
    " the stapled answer is old, see that the server reaches the authority's OCSP address.",
    "RFC 6960 section 2.2",
)
BANNER = _rule(
    "banner-no-name",
    Severity.WARNING,
    "An exchange greets with no name of a host",
    "The first word of the greeting is to be the server's full name: set it in the mail server"
    " (smtpd_banner and myhostname on Postfix, the receive connector's FQDN on Exchange).",
    "RFC 5321 section 4.3.1",
)
INSPECTED = _rule(
    "inspected",
    Severity.WARNING,
    "A device in between rewrites the SMTP session",
    "Switch off SMTP inspection (fixup) on the firewall: it removes STARTTLS and breaks sessions.",
    _NDR,
)
NO_REVERSE_NAME = _rule(
    "no-reverse-name",
    Severity.WARNING,
    "An exchange's address has no reverse name",
    "Have whoever owns the address publish a PTR record with the server's name. If the host never"
    " sends, set `reverse_dns: false` for this check.",
    "RFC 1912 section 2.1",
)
REVERSE_MISMATCH = _rule(
    "reverse-name-unconfirmed",
    Severity.WARNING,
    "The reverse name of an exchange's address does not lead back to it",
    "Publish an address record for that name with this address, or correct the PTR record: what an"
    " address claims to be counts only where the name agrees.",
    "RFC 1912 section 2.1",
)
NOT_TRIED = _rule(
    "not-tried",
    Severity.UNKNOWN,
    "This machine could not try an exchange",
    "Nothing is known to be wrong with the exchange. See what the finding says: port 25 closed for"
    " this machine, a network that cannot be reached from here, a private address in public DNS"
    " (`allow_private: true` where that is meant), or no free sockets.",
    "docs/operations.md",
)
THROTTLED_TOO_LONG = timedelta(minutes=30)

RULES = (
    UNREACHABLE,
    PARTLY_FAILING,
    FAMILY_FAILING,
    REFUSES_US,
    THROTTLED,
    THROTTLED_LASTING,
    DEFERRED,
    RECIPIENT_REFUSED,
    STARTTLS_MISSING,
    TLS_BROKEN,
    TLS_TOO_OLD,
    EXPIRED,
    EXPIRES_SOON,
    NAME_MISMATCH,
    UNTRUSTED,
    WEAK,
    REVOKED,
    BANNER,
    INSPECTED,
    NO_REVERSE_NAME,
    REVERSE_MISMATCH,
    NOT_TRIED,
)
