"""What does the header of a message tell, all in all?

The way it took, what the receiver thought of the sender, what the filter thought of the message,
and what Exchange stamped on it. The body is not looked at.
"""

from dataclasses import dataclass
from datetime import datetime

from agent.domain.antispam import Antispam, read_antispam
from agent.domain.authentication import Authentication, read_authentication
from agent.domain.dkim_signature import Signer, read_signers
from agent.domain.exchange_stamps import Stamps, read_stamps
from agent.domain.header_fields import Fields, read_head
from agent.domain.owners import Owners
from agent.domain.trace import Trace, read_trace

_MAX_SUBJECT = 500  # characters
_MAX_ID = 998  # RFC 5322 section 2.1.1


@dataclass(frozen=True, slots=True)
class Reading:
    """A header, read. ``subject`` is as it came, with encoded words."""

    trace: Trace
    authentication: Authentication
    antispam: Antispam
    stamps: Stamps
    message_id: str = ""
    subject: str = ""
    author: str = ""
    signers: tuple[Signer, ...] = ()

    @property
    def date(self) -> datetime | None:
        """The time of the Date field; None where there is none that can be."""
        return self.trace.date


def read_message(raw: bytes, owners: Owners) -> Reading:
    """Read the header at the start of *raw*. Never raises; the work is bounded."""
    return read_fields(read_head(raw), owners)


def read_fields(fields: Fields, owners: Owners) -> Reading:
    """Read a header that is parted into its fields already. Never raises."""
    trace = read_trace(fields, owners)
    return Reading(
        trace=trace,
        authentication=read_authentication(
            fields,
            trace.believed or None,  # without any hop none can be a stranger's
            {hop.received.by_host for hop in trace.hops if not hop.is_claim},
        ),
        antispam=read_antispam(fields),
        stamps=read_stamps(fields),
        message_id=fields.first("message-id")[:_MAX_ID],
        subject=fields.first("subject")[:_MAX_SUBJECT],
        author=fields.first("from")[:_MAX_SUBJECT],
        signers=read_signers(fields.all("dkim-signature")),
    )
