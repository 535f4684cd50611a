"""Microsoft Graph says no: what is missing, and who gives it?

The status says little: a missing permission, a mailbox outside of the application's scope and a
consent that has not spread yet are all 403. Graph's own code and message say more; they are shown,
made printable, beside the step that an operator has to take.
"""

import json
from dataclasses import dataclass
from typing import Any

from agent.adapters.https_api import Reply
from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.retry_after import read_retry_after
from agent.domain.peer_text import PeerText

TRACE_APPLICATION = "8bd644d1-64a1-4d4b-ae52-2e0cbf64e373"
"""Microsoft's application that message traces come from; it needs a principal in the tenant."""

BUSY = (429, 503, 504)  # with which Graph says when to come again
SPARE = "Look into this mailbox less often, or from fewer places."
_TOO_MANY, _SERVER = 429, 500


@dataclass(frozen=True, slots=True)
class Need:
    """A permission of applications, and the role by which Exchange can give it for some mailboxes.

    An empty role: it is given for the whole tenant only.
    """

    permission: str
    role: str = ""


READ_BASIC = Need("Mail.ReadBasic.All", "Application Mail.ReadBasic")
READ = Need("Mail.Read", "Application Mail.Read")
READ_WRITE = Need("Mail.ReadWrite", "Application Mail.ReadWrite")
SEND = Need("Mail.Send", "Application Mail.Send")
TRACE = Need("ExchangeMessageTrace.Read.All")


@dataclass(frozen=True, slots=True)
class GraphError:
    """What Graph says of an error, made printable; both are empty where it says nothing."""

    code: PeerText
    message: PeerText


def read_error(body: bytes) -> GraphError:
    """Return the code and the message in the body of an error. Never raises."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    error: Any = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return GraphError(PeerText(""), PeerText(""))
    return GraphError(_text(error.get("code")), _text(error.get("message")))


def _text(value: object) -> PeerText:
    return PeerText(value if isinstance(value, str) else "")


def refusal_of(reply: Reply, need: Need, user: str) -> PickupError:
    """Return the error that a reply with a status from 400 on is."""
    said = read_error(reply.body)
    trouble, fix = _by_words(said, user) or _by_status(reply, said, need, user)
    words = f"{said.code}: {said.message}" if said.code else "without a word of Graph's"
    is_passing = reply.status in BUSY
    return PickupError(
        trouble,
        f"{reply.status} {words}",
        fix=fix,
        retry_after=read_retry_after(reply.headers) if is_passing else None,
    )


_NO_MAILBOX = frozenset(
    {
        "ErrorInvalidUser",
        "MailboxNotEnabledForRESTAPI",
        "MailboxNotSupportedForRESTAPI",
        "Request_ResourceNotFound",
        "ResourceNotFound",
        "ErrorNonExistentMailbox",
    }
)


def _by_words(said: GraphError, user: str) -> tuple[Trouble, str] | None:
    """Return what Graph's own words mean, where they are known."""
    if said.code in _NO_MAILBOX and user:
        return Trouble.NO_MAILBOX, (
            f"Check with Get-EXOMailbox {user} that the mailbox exists in this tenant, is in"
            " Exchange Online and has a licence; a new one takes up to a day."
        )
    if said.code == "ErrorQuotaExceeded":
        return Trouble.OVER_QUOTA, f"Empty the mailbox {user}, its recoverable items too."
    if TRACE_APPLICATION in said.message:
        return Trouble.PERMISSION, (
            f"Run New-MgServicePrincipal -AppId {TRACE_APPLICATION}, without which there are no"
            " message traces; it takes some hours to count."
        )
    return None


def _by_status(reply: Reply, said: GraphError, need: Need, user: str) -> tuple[Trouble, str]:
    if reply.status in BUSY and (reply.status == _TOO_MANY or "retry-after" in reply.headers):
        return Trouble.THROTTLED, SPARE
    match reply.status:
        case 401:
            return Trouble.LOGIN_REFUSED, (
                f"Grant the application permission {need.permission} with admin consent in Entra,"
                " and use the authority and the Graph of the same cloud."
            )
        case 403:
            return Trouble.PERMISSION, _how_to_permit(said, need, user)
        case 404 if user:
            return Trouble.NO_FOLDER, f"Look up the names of folders with Get-MailboxFolder {user}."
        case status if status >= _SERVER:
            return Trouble.UNAVAILABLE, "Look at the service health in the Microsoft 365 center."
        case _:
            return Trouble.PROTOCOL, ""


def _how_to_permit(said: GraphError, need: Need, user: str) -> str:
    """Return how to give a permission that is missing, or not given for a mailbox."""
    if "OData" in said.message:  # as it says where an application access policy forbids
        return (
            f"Take {user} into the scope: see Get-ApplicationAccessPolicy and"
            " Test-ApplicationAccessPolicy; a change takes 30 to 60 minutes to count."
        )
    grant = f"Grant the application permission {need.permission} with admin consent in Entra"
    if need.role:
        grant += (
            f", or for some mailboxes New-ManagementRoleAssignment -Role '{need.role}' -App <object"
            " id of the enterprise application> -CustomResourceScope <a scope that holds"
            f" {user}>, and check it with Test-ServicePrincipalAuthorization"
        )
    return grant + "; it takes 30 to 60 minutes to count, a scoped one up to 2 hours."
