"""What does a server mean that does not let us log in?

Servers have been seen to repeat the password in their reply, plain or in base64. So none of their
words is kept of that phase; what a reply means is told by its codes, and by those of its words that
we know and say ourselves.
"""

from agent.domain.diagnosis import diagnose
from agent.domain.peer_text import PeerText
from agent.domain.smtp_reply import Reply

NOT_AT_PRESENT = 454  # RFC 4954 section 4.3
_HIDDEN = "(hidden)"
_MEANINGS = {
    "4.7.12": "the server wants the password once more by PLAIN, to know it in another form",
    "5.7.9": "the account may not log in with this mechanism; an app password or OAuth is needed",
    "5.7.11": "the mechanism is allowed inside of TLS only",
}
_BY_CODE = {
    421: "the server ends the session; it may be overloaded, or we log in too often",
    432: "too many sessions of this account at once, or its password has to be changed",
    NOT_AT_PRESENT: "the server cannot check logins at present",
    500: "the server does not understand the login; the token may be too long for it",
    501: "the server does not understand the login",
    504: "the server does not know the mechanism",
    530: "the server wants a login or TLS first",
    534: "the mechanism is too weak for the server",
    535: "the user name, the password or the token is wrong, or the account may not log in",
    538: "the mechanism is allowed inside of TLS only",
}


def without_text(reply: Reply) -> Reply:
    """Return *reply* with nothing of its text but words that we know, so that it can be judged."""
    known = diagnose(reply).known
    kept = f"{_HIDDEN} {known.text}" if known is not None and known.text else _HIDDEN
    code = f"{reply.enhanced} " if reply.enhanced else ""
    return Reply(reply.code, reply.enhanced, (PeerText(f"{code}{kept}"),))


def meaning_of(reply: Reply) -> str:
    """Return in a few words why a login failed; nothing for a reply that says nothing we know."""
    if reply.code == NOT_AT_PRESENT:
        return _BY_CODE[NOT_AT_PRESENT]  # 4.7.0, which means another thing elsewhere
    known = diagnose(reply).known
    if known is not None:
        return f"{known.meaning}. {known.fix}"
    # RFC 4954 section 6 and, for what it leaves open, Exchange Online's replies.
    return _MEANINGS.get(reply.enhanced) or _BY_CODE.get(reply.code, "")
