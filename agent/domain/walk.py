"""What was seen on the way through one session with one address of a mail host?

A walk is what every probe of a mail server makes: it ends in a dialogue, and on the way it learned
what TLS agreed on, which certificate was shown, what each recipient was answered, and the time that
each phase took.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from agent.domain.diagnosis import diagnose
from agent.domain.peer_text import PeerText
from agent.domain.smtp import Accepted, Dialogue, Phase, Reason, Refused, Unreached
from agent.domain.smtp_reply import Reply
from agent.domain.tls import Presented

RESULTS = ("accepted", "refused", "unreached")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One session with one address (none, where the name led to none).

    ``asked`` is whether the server asked for a client's certificate, None where nobody looked;
    ``clear_text`` the greeting and what EHLO offered before TLS; ``timings`` are seconds.
    ``tls_failure`` is how the session with TLS ended, where this is a second one without it.
    ``throttled_for`` is for how long the server has been slowing us down, None where it does not.
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
    throttled_for: timedelta | None = None

    @property
    def place(self) -> str:
        """Host and address, for people."""
        host = self.host if self.port == _SMTP else f"{self.host}:{self.port}"
        if self.address is None or str(self.address) == self.host:
            return host
        return f"{host} [{self.address}]"

    @property
    def is_throttled(self) -> bool:
        """True where the server's last word was that we come too often."""
        dialogue = self.dialogue
        return isinstance(dialogue, Refused) and diagnose(dialogue.reply).is_throttle

    @property
    def is_out_of_reach(self) -> bool:
        """True for IPv6 where this machine has none: nothing was tried."""
        match self:
            case Walked(address=IPv6Address(), dialogue=Unreached(reason=Reason.NO_ROUTE)):
                return True
        return False


_SMTP = 25


def slowest(seen: Iterable[Walked], resolving: float) -> dict[Phase, float]:
    """Return the seconds of each phase, those of the slowest address; *resolving* is DNS's part."""
    found = {Phase.RESOLVE: resolving}
    for each in seen:
        for phase, seconds in each.timings.items():
            found[phase] = max(seconds, found.get(phase, 0.0))
    return found


def first_end(seen: Iterable[Walked]) -> datetime | None:
    """Return when the first of the certificates expires; None where none was shown."""
    return min((each.presented.leaf.not_after for each in seen if each.presented), default=None)


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
