"""What can be wrong with a door that has to stay shut?"""

from agent.domain.finding import Rule, Severity

_THIRD_PARTY = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/"
    "manage-mail-flow-using-third-party-cloud"
)


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"refusal-{code}", severity, summary, remedy, reference)


BYPASSED = _rule(
    "filter-bypassed",
    Severity.CRITICAL,
    "The tenant's endpoint takes mail that did not pass the filter",
    "Anybody who guesses the endpoint's name delivers past the third-party filter, and spammers"
    " do. Make an inbound connector of the type Partner for the sender domain `*` with"
    " RestrictDomainsToCertificate and the filter's certificate (or RestrictDomainsToIPAddresses"
    " and its addresses), and see that it is on. Exchange may still refuse after the message, of"
    " which none was sent: a route to the endpoint tells.",
    _THIRD_PARTY,
)
DIRECT_SEND = _rule(
    "direct-send-accepted",
    Severity.CRITICAL,
    "A stranger may send to the tenant in the name of its own domain",
    "Switch RejectDirectSend on (Set-OrganizationConfig -RejectDirectSend $true; it takes half an"
    " hour), after every device that sends so has a connector or logs in. Set"
    " `reject_direct_send: false` here if it is meant to be open.",
    "https://techcommunity.microsoft.com/blog/exchange/introducing-more-control-over-direct-send"
    "-in-exchange-online/4408790",
)
OWN_DOMAIN_RELAYED = _rule(
    "own-domain-relayed",
    Severity.CRITICAL,
    "Whoever names a sender of the domain may send to the whole world",
    "The server goes by the sender's address, which anybody can write. Let it relay only for"
    " networks and certificates that are yours: on Exchange Online narrow SenderIPAddresses of the"
    " inbound connector, on other servers the addresses that may relay. If this machine is one that"
    " may, set `try_relay: false` for this check.",
    "RFC 5321 section 7.9",
)
OPEN_RELAY = _rule(
    "open-relay",
    Severity.CRITICAL,
    "A host of the domain relays mail of strangers to strangers",
    "Spammers find it within hours, and then every block list does. Allow relaying only to the"
    " networks that need it: the receive connector's remote ranges on Exchange, mynetworks and"
    " smtpd_relay_restrictions on Postfix.",
    "RFC 5321 section 7.9",
)
INCONCLUSIVE = _rule(
    "inconclusive",
    Severity.UNKNOWN,
    "A session was refused for a reason that says nothing of the lock",
    "Read the server's words: an unknown recipient, a block list or a limit refuses before the lock"
    " is asked. Set a live mailbox as `recipient`, or check from an address in good standing.",
    "docs/operations.md",
)
NOT_TRIED = _rule(
    "not-tried",
    Severity.UNKNOWN,
    "A door could not be tried from here",
    "Nothing is known of it. See what the finding says: port 25 closed for this machine, a name"
    " without an address, a server that is down.",
    "docs/operations.md",
)

RULES = (BYPASSED, DIRECT_SEND, OWN_DOMAIN_RELAYED, OPEN_RELAY, INCONCLUSIVE, NOT_TRIED)
