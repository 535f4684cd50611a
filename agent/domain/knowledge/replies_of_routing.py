"""What do replies mean that are about the way of the mail?

Meanings, causes and remedies after Microsoft's pages on non-delivery reports, in our own words.
Data that Microsoft may change.
"""

from agent.domain.knowledge.reply import Known, ReplyClass

ROUTING = (
    Known(
        ("4.4.7", "5.4.7", "5.4.300", "4.4.300"),
        ReplyClass.EXPIRED,
        "The message waited until its time in the queue was over",
        "The receiving server could not be reached for a day",
        "Find out why the receiver was down; the connector check of that host says it",
    ),
    Known(
        ("4.4.62",),
        ReplyClass.ROUTING,
        "The mail came to a region of Microsoft 365 that does not serve the tenant (ATTR35)",
        "The MX record or smart host is an old name such as mail.messaging.microsoft.com, or "
        "no inbound connector matches",
        "Point MX and smart host at the endpoint that the admin centre shows, and create the "
        "inbound connector for relaying",
    ),
    Known(
        ("4.4.312", "5.4.312"),
        ReplyClass.DNS,
        "The name of the receiving server could not be resolved",
        "The domain or its name server has a fault, or has expired",
        "Repair the zone or renew the domain; lower the TTL before the next move",
    ),
    Known(
        ("4.4.315", "5.4.315"),
        ReplyClass.CONNECT,
        "The receiving server did not answer a connection",
        "It is down, its address is wrong, or a firewall drops port 25",
        "Start it, correct the smart host, and open port 25 for all ranges of Exchange Online",
    ),
    Known(
        ("4.4.316", "5.4.316"),
        ReplyClass.CONNECT,
        "The receiving server refused the connection",
        "The mail service is stopped or a firewall rejects Exchange Online",
        "Start the service and open port 25; if the server is gone, switch its connector off",
    ),
    Known(
        ("4.4.317", "5.4.317"),
        ReplyClass.TLS,
        "The session with the receiving server could not be set up",
        "It offers no TLS although the connector requires it, or does not send its intermediates",
        "Switch STARTTLS on and send the full chain; Exchange Online fetches no certificate "
        "that is missing",
    ),
    Known(
        ("4.4.318", "5.4.318"),
        ReplyClass.CONNECT,
        "The receiving server closed the connection abruptly",
        "A firewall inspects SMTP, or the server hangs",
        "Switch the inspection off and look at the server's log",
    ),
    Known(
        ("4.7.320", "5.7.320"),
        ReplyClass.TLS,
        "The receiving server's certificate was not valid",
        "It has expired, has another name, or leads to no trusted root",
        "Renew it with the name that TlsDomain asks for",
    ),
    Known(
        ("4.7.321", "5.7.321"),
        ReplyClass.DANE,
        "The receiver promises DANE and offers no STARTTLS",
        "A device strips the offer, or the server lost its certificate",
        "Restore STARTTLS at the receiver before its TLSA record is believed again",
    ),
    Known(
        ("4.7.322", "5.7.322"),
        ReplyClass.DANE,
        "The receiver's certificate has expired",
        "Its renewal was missed",
        "Renew it, and publish the TLSA record of the new one first",
    ),
    Known(
        ("4.7.323", "5.7.323"),
        ReplyClass.DANE,
        "The receiver's TLSA record does not match its certificate",
        "The certificate was changed and the record was not",
        "Publish the record of the new key, wait for the TTL, then change the certificate",
    ),
    Known(
        ("4.7.324", "5.7.324"),
        ReplyClass.DANE,
        "DNSSEC of the receiver's domain is broken",
        "Signatures ran out, or the DS record is of an old key",
        "Sign the zone again and correct the DS record at the registrar",
    ),
    Known(
        ("4.7.325", "5.7.325"),
        ReplyClass.DANE,
        "The receiver's certificate lacks the name of its MX host",
        "The certificate was made for another host",
        "Have one made with the MX host's name",
    ),
    Known(
        ("5.4.6", "5.4.14", "4.4.6"),
        ReplyClass.LOOP,
        "The message went round in a circle",
        "An accepted domain of the wrong type, a connector that sends mail back where it came "
        "from, or one certificate for two tenants",
        "Make the domain authoritative or give it a connector; use smart hosts in place of MX "
        "on the hybrid connector; give each tenant a certificate of its own",
    ),
    Known(
        ("5.4.1",),
        ReplyClass.ROUTING,
        "The server does not serve the recipient's domain",
        "MX points to the wrong tenant, or the domain is no accepted domain there",
        "Correct MX, or add the domain to the tenant",
        text="relay access denied",
    ),
    Known(
        ("5.4.1",),
        ReplyClass.ADDRESS,
        "The recipient does not exist in the tenant, which is checked at its edge",
        "The mailbox was removed or never synchronised",
        "Create or synchronise it, or make the domain an internal relay while mailboxes are "
        "elsewhere",
        text="access denied",
    ),
    Known(
        ("5.7.64",),
        ReplyClass.RELAY,
        "The mail was attributed to no tenant that may relay it",
        "Neither the certificate's domain nor the sender's is an accepted domain, or the "
        "certificate or address is not the one of the inbound connector",
        "Compare the certificate that the server shows and the address it comes from with "
        "TlsSenderCertificateName and SenderIPAddresses, and add the certificate's domain to "
        "the accepted domains",
    ),
    Known(
        ("5.7.51",),
        ReplyClass.RELAY,
        "A partner connector of the recipient's tenant does not let this sender in",
        "The connector restricts its domains to a certificate or to addresses, and this "
        "session has neither",
        "If this is a sender of yours, let it show the certificate or come from the addresses "
        "of the connector; if not, this is the lock that was wanted",
    ),
    Known(
        ("5.7.68",),
        ReplyClass.RELAY,
        "Direct Send is rejected for the organisation",
        "RejectDirectSend is on, the sender is of an accepted domain, and no connector matches",
        "Give the device a connector, or let it log in; do not switch the protection off",
    ),
    Known(
        ("5.7.1",),
        ReplyClass.RELAY,
        "The server does not relay for this sender",
        "The recipient's domain is not its own and the client has no right to relay",
        "Give the client's address or certificate the right in the receive connector",
        text="unable to relay",
    ),
    Known(
        ("5.7.1", "4.7.1"),
        ReplyClass.RELAY,
        "The server does not relay for this sender",
        "The recipient's domain is not its own and the client has no right to relay",
        "Give the client's address or certificate the right in the server's relay rules",
        text="relay access denied",
    ),
    Known(
        ("5.7.367",),
        ReplyClass.RELAY,
        "A server on the way refuses to relay forwarded mail",
        "SPF or DKIM no longer pass after a gateway",
        "Send by the direct way, or let the gateway rewrite the sender and seal with ARC",
    ),
    Known(
        ("5.7.12",),
        ReplyClass.HYBRID,
        "The recipient takes mail of the own organisation only",
        "The message lost its internal headers on the way",
        "Set CloudServicesMailEnabled on both connectors and remove servers in between that "
        "are not Exchange",
    ),
    Known(
        ("4.7.230", "5.7.230"),
        ReplyClass.ONPREM,
        "An outdated Exchange server is throttled or blocked",
        "The server is out of support",
        "Update it; until then the pause in the admin centre gives up to 90 days a year",
    ),
    Known(
        ("5.7.506",),
        ReplyClass.CONFIG,
        "The name given in EHLO belongs to the receiver",
        "The server introduces itself with a name of its target",
        "Set its EHLO name to its own full host name",
    ),
    Known(
        ("5.7.750",),
        ReplyClass.CONFIG,
        "The tenant sends from domains that it has not registered",
        "Accepted domains are missing",
        "Add and verify the domains",
    ),
    Known(
        ("5.3.190",),
        ReplyClass.CONFIG,
        "Archiving of journal reports is off",
        "The journaling mailbox is not set up",
        "Set it up in the tenant",
    ),
    Known(
        ("5.0.350",),
        ReplyClass.REMOTE,
        "The receiving server refused the message in words of its own",
        "Anything; the words stand after the arrow",
        "Read the text after the arrow and act on that",
    ),
    Known(
        ("5.1.351",),
        ReplyClass.REMOTE,
        "The receiving server knows no such recipient",
        "The address is wrong there",
        "Correct the address",
    ),
)
