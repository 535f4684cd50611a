"""Which SPF record would let a domain's senders pass, and nobody else?

The record in its simplest form, as a line of a zone to publish: an include for each provider, and
the addresses and networks as they are.
"""

from collections.abc import Iterator
from ipaddress import ip_network

from agent.domain.knowledge.providers import PROFILES

_STRING = 255  # octets of one string of a TXT record, RFC 1035 section 3.3.14


def propose(domain: str, senders: tuple[str, ...]) -> str:
    """Return the record of *domain* for *senders*: profiles, addresses and networks.

    Without senders it is the record of a domain that sends nothing. What only the operator knows,
    such as the name that a provider gives each customer, is a gap in angle brackets.
    """
    text = " ".join(("v=spf1", *dict.fromkeys(_terms(senders)), "-all"))
    strings = (f'"{text[at : at + _STRING]}"' for at in range(0, len(text), _STRING))
    return f"{domain}. 3600 IN TXT {' '.join(strings)}"


def _terms(senders: tuple[str, ...]) -> Iterator[str]:
    for name in senders:
        profile = PROFILES.get(name)
        if profile is not None:
            yield f"include:{profile.spf_include or f'<name from {profile.title}>'}"
            continue
        try:
            network = ip_network(name, strict=False)
        except ValueError:
            continue  # a finding of its own says that it is neither
        is_one = network.num_addresses == 1
        yield f"ip{network.version}:{network.network_address if is_one else network}"
