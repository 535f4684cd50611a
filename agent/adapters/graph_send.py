"""Was a message taken by Exchange Online, when it is given to Microsoft Graph?

A message is sent as it is, octet for octet: as MIME in base64, because the JSON form would make a
Message-ID of its own and allow few header fields (learn.microsoft.com/graph/api/user-sendmail).
That form has no place for ``saveToSentItems``, so a copy of each message lies in Sent Items until
:meth:`agent.adapters.graph_mailbox.GraphMailbox.remove` clears it away: let a mailbox look into the
folder SENT as well. 202 means accepted, never delivered.
"""

import base64
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.graph import Call, Graph, path
from agent.adapters.graph_refusal import BUSY, SEND, read_error, refusal_of
from agent.adapters.https_api import Failure, Reply
from agent.adapters.mailbox import PickupError, Trouble
from agent.domain.peer_text import PeerText

MAX_MIME = 3 * 1024 * 1024  # octets; a request takes 4 MB, and base64 makes four of three
_ACCEPTED, _ERROR, _SERVER, _UNAVAILABLE = 202, 400, 500, 503


@dataclass(frozen=True, slots=True)
class Sent:
    """Graph took the message; ``request_id`` is what its support asks for."""

    request_id: PeerText


@dataclass(frozen=True, slots=True)
class Declined:
    """Graph said no, in its own words; the message was not taken."""

    status: int
    code: PeerText
    message: PeerText
    trouble: Trouble
    fix: str
    request_id: PeerText


@dataclass(frozen=True, slots=True)
class NotSent:
    """The message was not taken, for a reason that is none of the message's.

    ``retry_after`` is how long to wait, where Graph or the identity provider says so.
    """

    trouble: Trouble
    detail: PeerText
    fix: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Graph may have taken the message: only its arrival can tell. It must not be sent again."""

    trouble: Trouble
    detail: PeerText


Submission = Sent | Declined | NotSent | Uncertain


async def send_mail(graph: Graph, user: str, mime: bytes) -> Submission:
    """Send *mime* from the mailbox *user*, which must be the author or may send as him.

    Takes the permission Mail.Send. The recipients are those of the header. No PickupError gets out;
    raises ValueError for a message that no request can carry.
    """
    if len(mime) > MAX_MIME:
        message = f"a message that Graph takes has at most {MAX_MIME} octets"
        raise ValueError(message)
    call = Call(
        "POST",
        path("users", user, "sendMail"),
        SEND,
        user,
        headers={"Content-Type": "text/plain"},
        body=base64.b64encode(mime),
        is_alone=True,  # a kept connection may be dead, and then nobody knows
    )
    try:
        reply = await graph.exchange(call)
    except PickupError as error:
        return NotSent(error.trouble, error.detail, error.fix, error.retry_after)
    if isinstance(reply, Failure):
        cause = graph.error_of(reply)
        if reply.was_sent:
            return Uncertain(cause.trouble, cause.detail)
        return NotSent(cause.trouble, cause.detail, cause.fix)
    return _judge(reply, user)


def _judge(reply: Reply, user: str) -> Submission:
    request_id = reply.headers.get("request-id", PeerText(""))
    if reply.status == _ACCEPTED:
        return Sent(request_id)
    if reply.status < _ERROR:
        detail = f"status {reply.status}, which is not Graph's way to take a message"
        return Uncertain(Trouble.PROTOCOL, PeerText(detail))
    refusal = refusal_of(reply, SEND, user)
    if reply.status < _SERVER or reply.status == _UNAVAILABLE:
        if reply.status in BUSY:
            return NotSent(refusal.trouble, refusal.detail, refusal.fix, refusal.retry_after)
        said = read_error(reply.body)
        return Declined(
            reply.status, said.code, said.message, refusal.trouble, refusal.fix, request_id
        )
    return Uncertain(refusal.trouble, refusal.detail)  # whatever failed there came after the taking
