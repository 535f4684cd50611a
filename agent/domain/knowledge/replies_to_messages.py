"""What do replies mean that are about rights, proofs, forms and quotas?

Meanings, causes and remedies after Microsoft's pages on non-delivery reports, in our own words.
Data that Microsoft may change.
"""

from agent.domain.knowledge.reply import Known, ReplyClass

MESSAGES = (
    Known(
        ("5.7.703",),
        ReplyClass.POLICY,
        "The recipient's administrator blocks the sender",
        "An entry of their allow and block list",
        "Ask them",
    ),
    Known(
        ("5.7.124", "5.7.133", "5.7.134", "5.7.135", "5.7.136", "5.7.13", "5.7.193"),
        ReplyClass.POLICY,
        "The recipient takes mail of certain senders only",
        "A restriction on the mailbox, group or folder",
        "Choose another recipient, or lift the restriction",
    ),
    Known(
        ("5.7.1",),
        ReplyClass.POLICY,
        "Delivery is not authorised",
        "A restriction of the recipient or a mail flow rule",
        "Ask the recipient's administrator",
        text="not authorized",
    ),
    Known(
        ("5.7.1",),
        ReplyClass.AUTH,
        "The server takes mail of clients that log in only",
        "The client is anonymous there",
        "Let it log in, or permit anonymous clients in the receive connector",
        text="not authenticated",
    ),
    Known(
        ("5.7.30",),
        ReplyClass.AUTH,
        "Logging in with a password is not possible any more",
        "Basic authentication is off for client submission",
        "Use OAuth",
    ),
    Known(
        ("5.7.57",),
        ReplyClass.AUTH,
        "The client did not log in",
        "The device uses the submission host without a login",
        "Let it log in, or send to the MX endpoint",
    ),
    Known(
        ("5.7.60",),
        ReplyClass.AUTH,
        "The account may not send as this sender",
        "It lacks the right Send As",
        "Grant it",
    ),
    Known(
        ("5.7.23",),
        ReplyClass.SPF,
        "The receiver refuses on SPF",
        "The sending address is not in the SPF record",
        "Complete the record; the spf check says how",
    ),
    Known(
        ("5.7.509",),
        ReplyClass.DMARC,
        "DMARC of the sender's domain says reject",
        "Neither SPF nor DKIM passes for the domain in From",
        "Authorise the sender in SPF or sign with the domain's DKIM key",
    ),
    Known(
        ("5.7.515",),
        ReplyClass.DMARC,
        "Large senders must pass SPF, DKIM and DMARC",
        "One of the three is incomplete",
        "Publish and align all three",
    ),
    Known(
        ("5.7.512",),
        ReplyClass.FORMAT,
        "The message has no valid From",
        "The software leaves it out",
        "Add one",
    ),
    Known(
        ("5.6.11",),
        ReplyClass.FORMAT,
        "The message has line ends that the next server does not take",
        "The client writes LF alone",
        "Write CR LF",
    ),
    Known(
        ("5.1.90",),
        ReplyClass.LIMIT,
        "The day's number of recipients is used up",
        "The account sent to too many",
        "Wait, and use a service for bulk mail",
    ),
    Known(
        ("5.2.2",),
        ReplyClass.LIMIT,
        "The mailbox is full or has sent too much",
        "A quota is used up",
        "Make room, or wait",
    ),
    Known(
        ("5.2.121", "5.2.122"),
        ReplyClass.LIMIT,
        "The recipient gets too much mail",
        "A storm of messages, perhaps of probes",
        "Lower the rate",
    ),
    Known(
        ("5.7.232", "5.7.233", "5.7.236"),
        ReplyClass.LIMIT,
        "The tenant's number of external recipients is used up",
        "Too much mail to the outside, or from onmicrosoft.com addresses",
        "Wait; send from a domain of your own, and use a service for bulk mail",
    ),
)
