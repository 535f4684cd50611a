"""Under which selectors may a domain's mail be signed, and who says so?

DNS cannot list them. The operator names them, the tenant's export and the topology imply them,
messages that arrived show them, and senders have names that they give to every customer. Where
nobody says anything, common names are tried, of which the absence proves nothing.
"""

import enum
import re
from dataclasses import dataclass
from itertools import chain

from agent.domain.knowledge.dkim_targets import CLOUDS, COMMON, SELECTORS, own_selectors
from agent.domain.knowledge.sender_selectors import SENDER_SELECTORS
from agent.domain.names import MAX_NAME
from agent.domain.tenancy.objects import MICROSOFT_DOMAINS, DkimConfig

_SELECTOR = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")


def is_selector(text: str) -> bool:
    """Tell whether *text*, in lower case, can be a selector (RFC 6376 section 3.1)."""
    return len(text) <= MAX_NAME and _SELECTOR.fullmatch(text) is not None


class Origin(enum.StrEnum):
    """Who names a selector."""

    CONFIGURATION = "configuration"
    TENANT = "tenant's export"
    TOPOLOGY = "topology"
    SENDER = "sender's habit"
    MESSAGE = "message that arrived"
    GUESS = "common name"


@dataclass(frozen=True, slots=True)
class Intent:
    """What the operator says of the domain.

    ``selectors`` replace those of the topology; ``senders`` are profiles, addresses or networks;
    ``config`` is what the tenant's export says, where there is one; ``seen`` are the selectors
    under which the last messages that arrived were signed. A domain that neither sends nor is
    parked is one of which nothing is assumed.
    """

    sends: bool = True
    is_parked: bool = False
    senders: tuple[str, ...] = ("exchange-online",)
    selectors: tuple[str, ...] = ()
    config: DkimConfig | None = None
    seen: tuple[str, ...] = ()

    @property
    def is_microsofts(self) -> bool:
        """Whether mail leaves by Exchange Online."""
        return bool(CLOUDS & set(self.senders)) or self.config is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selector to ask for.

    Where ``is_expected``, its absence is a fault; ``target`` is what it must be an alias for, by
    the tenant's export.
    """

    selector: str
    origin: Origin
    is_expected: bool = False
    is_microsofts: bool = False
    target: str = ""

    def name(self, domain: str) -> str:
        """Return the name that its key is published at."""
        return f"{self.selector}._domainkey.{domain}"


def wanted(domain: str, intent: Intent) -> tuple[Wanted, ...]:
    """Return the selectors to ask for, each once, those first that are surest."""
    found: dict[str, Wanted] = {}
    asked = (_configured(intent), _microsofts(domain, intent), _seen(intent), _of_senders(intent))
    for one in chain.from_iterable(asked):
        found.setdefault(one.selector, one)
    if not found:
        found = {name: Wanted(name, Origin.GUESS) for name in COMMON}
    return tuple(one for one in found.values() if len(one.name(domain)) <= MAX_NAME)


def _configured(intent: Intent) -> list[Wanted]:
    return [
        Wanted(
            name,
            Origin.CONFIGURATION,
            is_expected=intent.sends,
            is_microsofts=intent.is_microsofts and name in SELECTORS,
            target=_target(name, intent.config),
        )
        for name in intent.selectors
    ]


def _microsofts(domain: str, intent: Intent) -> list[Wanted]:
    """Return those of Exchange Online, which a domain that sends by it must have."""
    if not intent.is_microsofts:
        return []
    is_expected = intent.sends and not intent.selectors
    if domain.endswith(MICROSOFT_DOMAINS):
        return [Wanted(name, Origin.TOPOLOGY, is_expected) for name in own_selectors(domain)]
    origin = Origin.TENANT if intent.config is not None else Origin.TOPOLOGY
    return [
        Wanted(name, origin, is_expected, is_expected, _target(name, intent.config))
        for name in SELECTORS
    ]


def _target(name: str, config: DkimConfig | None) -> str:
    if config is None or name not in SELECTORS:
        return ""
    text = config.selector1_cname if name == SELECTORS[0] else config.selector2_cname
    return text.lower().removesuffix(".")


def _seen(intent: Intent) -> list[Wanted]:
    """Return those that messages are signed under: without a key their signatures fail."""
    return [Wanted(name, Origin.MESSAGE, is_expected=intent.sends) for name in intent.seen]


def _of_senders(intent: Intent) -> list[Wanted]:
    """Return what other senders may use; a customer may have chosen another name."""
    return [
        Wanted(name, Origin.SENDER)
        for sender in intent.senders
        if sender not in CLOUDS and sender in SENDER_SELECTORS
        for name in SENDER_SELECTORS[sender].selectors
    ]
