"""What was seen on the way through one session with one address of a mail host?

A walk is what every probe of a mail server makes: it ends in a dialogue, and on the way it learned
what TLS agreed on, which certificate was shown, what each recipient was answered, and the time that
each phase took.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Presented

RESULTS = ("accepted", "refused", "unreached")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One session with one address (none, where the name led to none).

    ``asked`` is whether the server asked for a client's certificate, None where nobody looked;
    ``clear_text`` the greeting and what EHLO offered before TLS; ``timings`` are seconds.
    ``tls_failure`` is how the session with TLS ended, where this is a second one without it.
    """

    host: str
    dialogue: Dialogue
    port: int = 25
    address: IPv4Address | IPv6Address | None = None
    presented: Presented | None = None
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    tls_version: str = ""
    tls_cipher: str = ""
    asked: bool | None = None
    recipients: tuple[tuple[str, Reply], ...] = ()
    greeting: PeerText = field(default_factory=lambda: PeerText(""))
    clear_text: str = ""
    timings: Mapping[Phase, float] = field(default_factory=dict)
    transcript: tuple[PeerText, ...] = ()
    tls_failure: Refused | Unreached | None = None

    @property
    def place(self) -> str:
        """Host and address, for people."""
        host = self.host if self.port == _SMTP else f"{self.host}:{self.port}"
        if self.address is None or str(self.address) == self.host:
            return host
        return f"{host} [{self.address}]"


_SMTP = 25


def result_of(dialogue: Dialogue) -> str:
    """Return the word of :data:`RESULTS` for a dialogue, fit for a label value."""
    if isinstance(dialogue, Accepted):
        return "accepted"
    return "refused" if isinstance(dialogue, Refused) else "unreached"


def words_of(dialogue: Dialogue) -> str:
    """Return in a few words how a session ended."""
    if isinstance(dialogue, Accepted):
        return dialogue.reply.text
    if isinstance(dialogue, Refused):
        return f"{dialogue.phase}: {dialogue.reply.text}"
    more = f" ({dialogue.detail})" if dialogue.detail else ""
    return f"{dialogue.phase}: {dialogue.reason}{more}"
