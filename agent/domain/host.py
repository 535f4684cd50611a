"""At which addresses is a mail host?

A host without addresses and a DNS that does not answer are two different things: the first is the
host's fault, the second says nothing about the host.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from agent.domain.lookup import Answer, Plan, Query, Unanswered, ask_all
from agent.domain.smtp import Reason

MAX_ADDRESSES = 16  # of one host, that are looked at


@dataclass(frozen=True, slots=True)
class Located:
    """The addresses of a host, or why there are none.

    ``gap`` says why a part of them may be missing, where one of two address families got no answer.
    """

    addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    reason: Reason | None = None
    detail: str = ""
    gap: str = ""


def locate(host: str) -> Plan[Located]:
    """Look up the IPv4 and IPv6 addresses of *host*, which may be an address itself."""
    if host == "localhost":  # RFC 6761 section 6.3: not a question for DNS
        return Located((ip_address("127.0.0.1"), ip_address("::1")))
    try:
        return Located((ip_address(host),))
    except ValueError:
        pass
    replies = yield from ask_all((Query(host, "A"), Query(host, "AAAA")))
    silences = [reply.reason for reply in replies if isinstance(reply, Unanswered)]
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    addresses = tuple(
        dict.fromkeys(
            record
            for answer in answers
            for record in answer.records
            if isinstance(record, IPv4Address | IPv6Address)
        )
    )
    gap = f"DNS did not answer for one address family: {silences[0]}" if silences else ""
    if addresses:
        return Located(addresses[:MAX_ADDRESSES], gap=gap)
    if silences:
        return Located(reason=Reason.DNS_UNANSWERED, detail=f"{host}: {silences[0]}")
    exists = any(answer.name_exists for answer in answers)
    why = "has no address" if exists else "does not exist"
    return Located(reason=Reason.UNRESOLVED, detail=f"{host} {why}")
