"""What can a fault of the lab change?

Records, name servers, how a mail server behaves, or the agent's own scheduler.
"""

import enum
from dataclasses import dataclass


class Behaviour(enum.Enum):
    """What a mail server of the lab does differently."""

    DOWN = "the smart host does not listen"
    NO_STARTTLS = "the smart host offers no STARTTLS"
    EXPIRED_CERTIFICATE = "the smart host's certificate has expired"
    WRONG_NAME = "the smart host's certificate is for another name"
    REFUSES_RECIPIENT = "the smart host refuses every recipient"
    GREYLISTS = "the smart host answers every recipient with a temporary failure"
    STALLS = "the smart host takes the connection and never greets"
    FILTER_DOWN = "the first host of the third-party filter does not listen"
    FILTER_IN_THE_CLEAR = "the third-party filter offers no STARTTLS"
    FORGETS_CONNECTOR = "Exchange Online has lost Contoso's inbound connector"
    THROTTLES = "Exchange Online is busy and slows everybody down"
    BANS_ADDRESS = "Exchange Online has banned the agent's address"
    OPEN_RELAY = "Exchange Online takes every recipient, of everybody"
    BYPASSED = "Fabrikam's partner connector no longer restricts who delivers"
    DROPS = "Exchange Online accepts the message and loses it"
    DELAYS = "Exchange Online delivers after half a minute"
    DOUBLES = "Exchange Online delivers every message twice"
    BOUNCES = "Exchange Online accepts the message and then reports that it failed"
    LOOPS = "the message goes round between two systems until Exchange Online cuts it"
    JUNKS = "Exchange Online puts messages to mailboxes into Junk"
    HOLDS = "the third-party filter keeps messages for twenty seconds"
    SKIPS_FILTER = "somebody's rule delivers past the third-party filter"
    SHARES_CERTIFICATE = (
        "the filter's provider has an on-premises connector for the certificate of its gateways"
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be broken.

    ``zone`` is text as in :mod:`agent.lab.world`, whose records replace those of the same name and
    type; ``gone`` lists names and types to take away; ``failing`` lists domains whose name servers
    answer SERVFAIL, ``silent`` makes the resolver say nothing at all, ``captive`` puts a gate into
    its place, which has one address for every name and nothing else. ``stalled`` holds up the
    agent's own scheduler, while its pages and metrics go on. ``at_second`` are records that only
    the second name server has in place of the others, ``refused_by_second`` the domains that it
    refuses to answer for.
    """

    name: str
    summary: str
    shows: str
    zone: str = ""
    gone: tuple[tuple[str, str], ...] = ()
    failing: tuple[str, ...] = ()
    at_second: str = ""
    refused_by_second: tuple[str, ...] = ()
    silent: bool = False
    captive: bool = False
    stalled: bool = False
    behaviour: Behaviour | None = None
