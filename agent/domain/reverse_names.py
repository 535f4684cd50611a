"""Does a reverse name look as if somebody had given it to this one server?

A name that spells its own address, or says that it is one of a pool, was given to a whole range.
Receivers trust such a server less, and some refuse it.
"""

import re
from ipaddress import IPv4Address

from agent.domain.knowledge.generic_names import WORDS
from agent.domain.mx import is_host_name
from agent.domain.public_suffix import zone_of
from agent.domain.reverse import Address

_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(r"[0-9]+")
_OCTETS = 4
_HEX_SHOWN = 12  # digits of an IPv6 address in a row that are no accident


def why_generic(name: str, address: Address, domain: str = "") -> str:
    """Say in words why *name*, in lower case, looks generic; empty where it does not.

    Words count only outside of *domain*'s own zone, where names are of one's own choice.
    """
    zone = zone_of(name)
    labels = name.removesuffix(zone).rstrip(".") if zone else name
    if _spells(labels, address):
        return "it spells the address"
    if zone and domain and zone == zone_of(domain):
        return ""
    found = next((word for word in _WORD.findall(labels) if word in WORDS), "")
    return f"it has the word `{found}`" if found else ""


def _spells(labels: str, address: Address) -> bool:
    if isinstance(address, IPv4Address):
        octets = str(address).split(".")
        numbers = [number.lstrip("0") or "0" for number in _NUMBER.findall(labels)]
        runs = [numbers[at : at + _OCTETS] for at in range(len(numbers) - _OCTETS + 1)]
        packed = address.packed.hex()
        padded = "".join(octet.zfill(3) for octet in octets)
        return octets in runs or octets[::-1] in runs or packed in labels or padded in labels
    bare = labels.replace(".", "").replace("-", "")
    digits = address.packed.hex()
    dense = "".join(part.lstrip("0") or "0" for part in address.exploded.split(":"))
    return any((text in bare) for text in (digits[-_HEX_SHOWN:], digits[::-1][:_HEX_SHOWN], dense))


def is_proper(name: str) -> bool:
    """Tell whether a server can have the name: letters, digits, hyphens, and a dot at least."""
    return is_host_name(name) and "." in name
