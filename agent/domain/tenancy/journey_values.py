"""In which words is the way of a message told?

A journey is a list of steps, each taken at a place because of an object that somebody configured,
and an end. Where the way comes back to itself, the end holds the cycle and the step to change.
"""

import enum
from dataclasses import dataclass
from typing import Literal

from agent.domain.fact import Mood
from agent.domain.tenancy.landscape import Address

RecipientClass = Literal["known", "unknown", "remote", "external"]
Spot = Literal["internet", "exchange", "tenant", "gateway", "server", "service"]
Leg = Literal["origin", "inward", "outward", "central"]
ByKind = Literal[
    "inbound connector",
    "outbound connector",
    "mail flow rule",
    "MX",
    "accepted domain",
    "recipient",
    "server",
]
EndKind = Literal["delivered", "handed", "refused", "left", "looped", "unknown"]

ROUNDS = 20  # after which Exchange Online cuts a loop; its page on NDR codes 5.4.6 to 5.4.20
CUT = "554 5.4.14 Hop count exceeded - possible mail loop ATTR34"
INTERNET = "internet"
OF_TENANT = "tenant:"
OF_SERVERS = "on-premises:"


class Cause(enum.StrEnum):
    """Which fault sends a message back, the most telling first."""

    ATTRIBUTION = "a tenant claims mail of another one"
    RULE = "a mail flow rule does not see that a message was there before"
    CMT = "centralised mail transport has no way out, or none back"
    SMART_HOST = "a smart host is Exchange Online itself"
    DNS_ROUTING = "mail leaves by an MX that leads back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as far as its way depends on it; domains in lower case.

    ``rcpt_class`` says whether the tenant of the recipient's domain has such a mailbox; a remote
    one is on other servers, and the tenant knows of it (a mail user of a hybrid tenant). ``origin``
    is ``internet``, ``tenant:NAME`` or ``on-premises:NAME``. ``meets_conditions`` says whether it
    is one of the messages that meet those conditions of mail flow rules that nobody can judge
    from its domains.
    """

    sender_domain: str
    rcpt_domain: str
    rcpt_class: RecipientClass = "known"
    origin: str = INTERNET
    meets_conditions: bool = False


@dataclass(frozen=True, slots=True)
class By:
    """The object that decides a step, and the tenant that has it."""

    kind: ByKind
    name: str
    tenant: str = ""

    def __str__(self) -> str:
        """Say it in words: ``outbound connector "To own servers" of tenant contoso``."""
        whose = f" of tenant {self.tenant}" if self.tenant else ""
        name = f'"{self.name}"' if self.kind.endswith(("connector", "rule")) else self.name
        return f"{self.kind} {name}{whose}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens to the message at one place, and why.

    ``spot`` and ``name`` say again for pictures what ``place`` says in words. ``cause`` is the
    fault that the step would be if the message came by again. ``doubt`` is what Microsoft leaves
    open of it: it may go another way as well.
    """

    place: str
    action: str
    why: str
    by: By
    mood: Mood = "plain"
    spot: Spot
    name: str = ""
    cause: Cause | None = None
    doubt: str = ""

    def __str__(self) -> str:
        """Say it on one line."""
        return f"{self.place}: {self.action}, because {self.why}"


@dataclass(frozen=True, slots=True)
class Loop:
    """A cycle: its steps, the one to change, and the hop at which Exchange Online cuts it."""

    steps: tuple[Step, ...]
    edge: Step
    hop: int


@dataclass(frozen=True, slots=True)
class End:
    """Where a journey ends.

    ``place`` is the tenant, server or host; ``text`` the reply of a refusal, or what is not known.
    """

    kind: EndKind
    place: str = ""
    text: str = ""
    loop: Loop | None = None

    def __str__(self) -> str:
        """Say it in a sentence without full stop."""
        match self.kind:
            case "delivered":
                return f"delivered to a mailbox of tenant {self.place}"
            case "handed":
                return f"handed to the own server {self.place}"
            case "refused":
                return f"refused by {self.place}: {self.text}"
            case "left":
                return f"left to {self.place}"
            case "looped":
                return f"goes round in a loop until Exchange Online says: {self.text}"
        return f"not known from here on: {self.text}"


@dataclass(frozen=True, slots=True)
class Journey:
    """The way of a message from its origin to its end."""

    message: Message
    steps: tuple[Step, ...]
    end: End

    @property
    def doubt(self) -> str:
        """What is open of the first step of which anything is; empty where nothing is."""
        return next((step.doubt for step in self.steps if step.doubt), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a message is, with all that its further way depends on beside itself.

    ``name`` is the host, or the tenant that has the message, ``tenant`` who runs it. ``shown`` and
    ``address`` are what Exchange Online sees of the host that hands it over, ``back`` is the
    inbound connector by which a service sends it back. ``trusted`` is mail of the tenant's own;
    ``stamped`` names the connectors that rules have sent it by.
    """

    spot: Spot
    name: str
    tenant: str = ""
    shown: tuple[str, ...] = ()
    address: Address | None = None
    back: str = ""
    trusted: bool = False
    leg: Leg = "inward"
    stamped: frozenset[str] = frozenset()


Move = tuple[Step, State | End]
