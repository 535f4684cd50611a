"""What does the lab's Exchange Online write on a message, and what does its report of failure say?

The forms are those of the real one: header fields in its grammar, a report as RFC 3464 has it with
Exchange's own words.
"""

from datetime import datetime
from email.utils import format_datetime

from agent.domain.attribution import Tenant
from agent.lab.tenants import id_of
from agent.lab.world import EXCHANGE_NAME

TENANT = id_of("fabrikam")  # whose mailboxes the lab has
_MAILBOX_SERVER = "DB9PR08MB7421.eurprd08.prod.outlook.com"
_BOUNDARY = "=_lab_report"
_ATTRIBUTED = "X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp:"


def stamp(content: bytes, *, sender_address: str, mail_from: str, at: datetime, scl: int) -> bytes:
    """Return *content* as it is put into a mailbox, behind the fields that Exchange writes."""
    domain = mail_from.rpartition("@")[2]
    sfv = "SPM" if scl > 4 else "NSPM"  # noqa: PLR2004 - from 5 on it is spam
    lines = (
        *_inside(at),
        f"Authentication-Results: spf=pass (sender IP is {sender_address})",
        f" smtp.mailfrom={domain}; dkim=none (message not signed)",
        f" header.d=none;dmarc=pass action=none header.from={domain};",
        " compauth=pass reason=100",
        f"X-Forefront-Antispam-Report: CIP:{sender_address};CTRY:;LANG:en;SCL:{scl};SRV:;IPV:NLI;",
        f" SFV:{sfv};H:{domain};PTR:;CAT:NONE;SFS:;DIR:INB;",
        "X-MS-Exchange-Organization-AuthAs: Anonymous",
        *_attributed(TENANT, "Internet", address=sender_address, helo=domain),
    )
    return "\r\n".join(lines).encode() + b"\r\n" + content


def pass_on(content: bytes, *, tenant: Tenant, address: str, helo: str, at: datetime) -> bytes:
    """Return *content* as it leaves for another host, as outgoing mail of a tenant.

    *address* and *helo* are those of the server that brought it the first time.
    Each round through Exchange Online adds a Received field; what else there is to say stays.
    """
    lines = [*_inside(at)]
    if f"\r\n{_ATTRIBUTED}".encode() not in content.partition(b"\r\n\r\n")[0]:
        lines += [f"X-OriginatorOrg: {tenant.accepted_domains[0]}"]
        lines += _attributed(id_of(tenant.name), "HybridOnPrem", address=address, helo=helo)
    return "\r\n".join(lines).encode() + b"\r\n" + content


def rounds_of(content: bytes) -> int:
    """Return how often a message has come in by the front door, this time included."""
    head = content.partition(b"\r\n\r\n")[0]
    return head.count(f"\r\n by {EXCHANGE_NAME} with ".encode())


def _inside(at: datetime) -> tuple[str, ...]:
    """Return the Received field of a way between two servers of Exchange Online."""
    return (
        f"Received: from {EXCHANGE_NAME} (2603:10a6:10:3c4::21) by",
        f" {_MAILBOX_SERVER} (2603:10a6:10:451::8) with Microsoft SMTP Server",
        " (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.9388.14;",
        f" {format_datetime(at)}",
    )


def _attributed(tenant: str, entity: str, *, address: str, helo: str) -> tuple[str, ...]:
    """Return the fields that say whose mail it is, and who brought it."""
    return (
        f"X-MS-Exchange-CrossTenant-Id: {tenant}",
        f"X-MS-Exchange-CrossTenant-FromEntityHeader: {entity}",
        _ATTRIBUTED,
        f" TenantId={tenant};Ip=[{address}];Helo=[{helo}]",
    )


def report(content: bytes, *, rcpt_to: str, mail_from: str, reply: str, at: datetime) -> bytes:
    """Return the non-delivery report for a message that was accepted and failed with *reply*.

    *reply* begins with the code and the enhanced code, as ``550 5.1.10 ...``.
    """
    status = reply.split()[1]
    head = content.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    own = _field(head, "message-id")
    lines = (
        f"From: Microsoft Outlook <postmaster@{rcpt_to.rpartition('@')[2]}>",
        f"To: <{mail_from}>",
        f"Date: {format_datetime(at)}",
        f"Subject: Undeliverable: {_field(head, 'subject')}",
        f"Message-ID: <report-{at.timestamp():.6f}@{_MAILBOX_SERVER}>",
        f"In-Reply-To: {own}",
        f"References: {own}",
        "Auto-Submitted: auto-replied",
        "X-MS-Exchange-Message-Is-Ndr:",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"Your message to {rcpt_to} couldn't be delivered.",
        "",
        f"--{_BOUNDARY}",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns;{_MAILBOX_SERVER}",
        f"Arrival-Date: {format_datetime(at)}",
        "",
        f"Final-Recipient: rfc822;{rcpt_to}",
        "Action: failed",
        f"Status: {status}",
        f"Diagnostic-Code: smtp;{reply}",
        "",
        f"--{_BOUNDARY}",
        "Content-Type: text/rfc822-headers",
        "",
        head,
        "",
        f"--{_BOUNDARY}--",
        "",
    )
    return "\r\n".join(lines).encode("ascii", "replace")


def _field(head: str, name: str) -> str:
    """Return the value of the first field with a name in lower case."""
    for line in head.split("\r\n"):
        if line.lower().startswith(f"{name}:"):
            return line.partition(":")[2].strip()
    return ""
