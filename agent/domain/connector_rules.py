"""What can be wrong between Exchange Online and a connector's smart hosts?"""

from datetime import timedelta

from agent.domain.finding import Rule, Severity

_FLOW = "https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-mail-flow"
_NDR = "https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str = _FLOW) -> Rule:
    return Rule(f"connector-{code}", severity, summary, remedy, reference)


UNRESOLVED = _rule(
    "unresolved",
    Severity.CRITICAL,
    "A smart host's name leads to no address",
    "Correct SmartHosts in the connector, or publish an A record for the name.",
    _NDR,
)
REFUSED = _rule(
    "refused",
    Severity.CRITICAL,
    "A smart host refuses connections",
    "Start the mail service, and let the firewall accept port 25 from all ranges of Exchange"
    " Online. If the server is gone, switch the connector off.",
    _NDR,
)
TIMED_OUT = _rule(
    "timed-out",
    Severity.CRITICAL,
    "A smart host does not answer a connection",
    "See that the address is right, the server is up, and no firewall drops port 25.",
    _NDR,
)
STALLED = _rule(
    "stalled",
    Severity.CRITICAL,
    "A smart host stops answering within a session",
    "See the server's load and log at the phase that the walk names; slow look-ups of the client"
    " and inspecting firewalls are common causes.",
    "RFC 5321 section 4.5.3.2",
)
CONNECTION_LOST = _rule(
    "connection-lost",
    Severity.CRITICAL,
    "A smart host closes the connection abruptly",
    "Switch off SMTP inspection on firewalls in between, then look at the server's log.",
    _NDR,
)
PROTOCOL = _rule(
    "protocol",
    Severity.CRITICAL,
    "What answers is out of step with SMTP",
    "See that the port belongs to the mail server and not to another service, and that no device"
    " in between rewrites the session.",
    "RFC 5321 section 4.2",
)
INJECTED = _rule(
    "starttls-injected",
    Severity.CRITICAL,
    "Plain text follows the reply to STARTTLS",
    "Update the mail server; if it is up to date, something in between tampers with the session.",
    "RFC 3207 section 6",
)
SESSION_REFUSED = _rule(
    "session-refused",
    Severity.CRITICAL,
    "A smart host refuses the session",
    "Read the server's own words: the sender's address or network is not permitted there. Permit"
    " Exchange Online's ranges in its receive connector.",
)
RECIPIENT_REFUSED = _rule(
    "recipient-refused",
    Severity.CRITICAL,
    "A smart host refuses a validation recipient",
    "Correct ValidationRecipients if the mailbox is gone; if the reply speaks of relaying, let the"
    " server accept the connector's domains from Exchange Online.",
    _NDR,
)
DEFERRED = _rule(
    "deferred",
    Severity.WARNING,
    "A smart host asks to come back later",
    "Greylisting passes by itself; a reply that stays for hours is a fault of the server, whose"
    " words are in the finding.",
    "RFC 5321 section 4.2.1",
)
THROTTLED = _rule(
    "throttled",
    Severity.UNKNOWN,
    "A smart host limits our connections, so nothing is known of it",
    "Raise the interval of this check, or exempt this machine from the server's limits.",
    "RFC 5321 section 3.8",
)
THROTTLED_LASTING = _rule(
    "throttled-lasting",
    Severity.WARNING,
    "A smart host has been turning connections away for long",
    "It answers this machine, which comes rarely, with a limit all the time, so it will answer"
    " Exchange Online so too. See the server's load and its limits (smtpd_client_connection_rate_"
    "limit on Postfix, MaxInboundConnection on Exchange), and exempt Exchange Online's ranges.",
    "RFC 5321 section 3.8",
)
THROTTLED_TOO_LONG = timedelta(minutes=30)
STARTTLS_MISSING = _rule(
    "starttls-missing",
    Severity.CRITICAL,
    "The connector requires TLS and a smart host does not offer it",
    "Enable STARTTLS with a valid certificate, or stop devices in between from removing the offer.",
    _NDR,
)
PLAINTEXT = _rule(
    "plaintext",
    Severity.WARNING,
    "A smart host takes mail in the clear only",
    "Enable STARTTLS on the server, then require it with TlsSettings.",
)
HANDSHAKE_FAILED = _rule(
    "handshake-failed",
    Severity.CRITICAL,
    "The connector requires TLS and the handshake fails",
    "See that the server has a certificate with its key for the mail service, and ciphers with"
    " ECDHE and AES-GCM.",
    _NDR,
)
TLS_BROKEN = _rule(
    "tls-broken",
    Severity.WARNING,
    "TLS does not work, and mail goes in the clear",
    "Repair STARTTLS on the server: certificate, key, TLS 1.2 or later; then require it.",
)
TLS_TOO_OLD = _rule(
    "tls-too-old",
    Severity.CRITICAL,
    "A smart host speaks no TLS that Exchange Online accepts",
    "Enable TLS 1.2 or 1.3 on the server.",
    "https://learn.microsoft.com/purview/exchange-online-uses-tls-to-secure-email-connections",
)
EXPIRED = _rule(
    "certificate-expired",
    Severity.CRITICAL,
    "A smart host's certificate is out of its time",
    "Renew the certificate and assign it to the mail service.",
    _NDR,
)
EXPIRES_SOON = _rule(
    "certificate-expires-soon",
    Severity.WARNING,
    "A smart host's certificate expires soon",
    "Renew it now, with the same subject, and assign it to the mail service.",
    _NDR,
)
NAME_MISMATCH = _rule(
    "certificate-name-mismatch",
    Severity.CRITICAL,
    "A smart host's certificate lacks the name that TlsDomain asks for",
    "Use a certificate with that name, or correct TlsDomain.",
    _NDR,
)
NAME_AMBIGUOUS = _rule(
    "certificate-name-ambiguous",
    Severity.WARNING,
    "Whether the certificate fits TlsDomain is not documented",
    "Name the host in TlsDomain, or use a certificate with a name directly below the domain.",
)
UNTRUSTED = _rule(
    "certificate-untrusted",
    Severity.CRITICAL,
    "A smart host's certificate leads to no trusted root",
    "Send the full chain with its intermediates: Exchange Online fetches none. Use a public"
    " authority. Trust a private one here only if the connector does not validate.",
    _NDR,
)
WEAK = _rule(
    "certificate-weak",
    Severity.WARNING,
    "A smart host's certificate is weak",
    "Renew it with an RSA key of 2048 bits or a P-256 key, signed with SHA-256.",
)
REVOKED = _rule(
    "certificate-revoked",
    Severity.CRITICAL,
    "A smart host's certificate is revoked",
    "Find out why the authority revoked it (a leaked key, a mistake of its own), make a new key,"
    " have a certificate issued for it and assign that to the mail service.",
    "RFC 6960 section 2.2",
)
STALE_STAPLE = _rule(
    "certificate-stale-staple",
    Severity.WARNING,
    "A smart host staples an OCSP answer that is out of date",
    "Let the mail server fetch the answer of its authority again: restart the service that staples,"
    " and see that it may reach the authority's OCSP address through the firewall.",
    "RFC 6960 section 4.2.2.1",
)
WRONG_PURPOSE = _rule(
    "certificate-wrong-purpose",
    Severity.CRITICAL,
    "A smart host's certificate is not for servers",
    "Have a certificate issued with the extended key usage Server Authentication; the present one"
    " is meant for something else, such as signing or client authentication.",
    "RFC 5280 section 4.2.1.12",
)
UNVALIDATED = _rule(
    "certificate-unvalidated",
    Severity.WARNING,
    "A smart host's certificate is not valid, and the connector does not look",
    "Repair the certificate, then set TlsSettings to CertificateValidation or DomainValidation.",
)
INSPECTED = _rule(
    "inspected",
    Severity.WARNING,
    "A device in between rewrites the SMTP session",
    "Switch off SMTP inspection (fixup) on the firewall: it removes STARTTLS and breaks sessions.",
)
PARTLY_FAILING = _rule(
    "partly-failing",
    Severity.WARNING,
    "Some addresses of the connector fail while others work",
    "Mail still flows, with delays. Repair the addresses that the evidence names, or remove them.",
)
FAMILY_FAILING = _rule(
    "family-failing",
    Severity.WARNING,
    "One address family of the smart hosts fails while the other works",
    "Exchange Online tries IPv6 first and falls back, so mail is late and not lost. Let the server"
    " listen on that family and the firewall pass it, or take the AAAA (or A) record away.",
)
OPEN_RELAY = _rule(
    "open-relay",
    Severity.CRITICAL,
    "A smart host relays mail of strangers to strangers",
    "Anybody who finds the server can send spam through it, until its address is on every block"
    " list. Allow relaying only to the networks that need it: the receive connector's remote"
    " ranges on Exchange, mynetworks and smtpd_relay_restrictions on Postfix. If this machine is"
    " meant to relay there, set `try_relay: false` for this check.",
    "RFC 5321 section 7.9",
)
CLIENT_CERTIFICATE = _rule(
    "client-certificate",
    Severity.UNKNOWN,
    "A smart host demands a client certificate that only Exchange Online has",
    "The server takes nobody else, so it cannot be walked from here. Ask for the certificate"
    " without demanding it (smtpd_tls_ask_ccert on Postfix) and check it per message, or watch this"
    " connector by a route, whose message comes from Exchange Online itself.",
    "RFC 8446 section 4.4.2.4",
)
NOT_TRIED = _rule(
    "not-tried",
    Severity.UNKNOWN,
    "This machine could not try a smart host",
    "Nothing is known to be wrong with the smart host. See what the finding says: a network that"
    " cannot be reached from here, an address that is never connected to, no free sockets, or too"
    " many checks of one host at a time for `connections_per_host`.",
)

RULES = (
    UNRESOLVED,
    REFUSED,
    TIMED_OUT,
    STALLED,
    CONNECTION_LOST,
    PROTOCOL,
    INJECTED,
    SESSION_REFUSED,
    RECIPIENT_REFUSED,
    DEFERRED,
    THROTTLED,
    THROTTLED_LASTING,
    STARTTLS_MISSING,
    PLAINTEXT,
    HANDSHAKE_FAILED,
    TLS_BROKEN,
    TLS_TOO_OLD,
    EXPIRED,
    EXPIRES_SOON,
    NAME_MISMATCH,
    NAME_AMBIGUOUS,
    UNTRUSTED,
    WEAK,
    REVOKED,
    STALE_STAPLE,
    WRONG_PURPOSE,
    UNVALIDATED,
    INSPECTED,
    PARTLY_FAILING,
    FAMILY_FAILING,
    OPEN_RELAY,
    CLIENT_CERTIFICATE,
    NOT_TRIED,
)
