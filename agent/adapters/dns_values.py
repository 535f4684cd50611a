"""What are the records of a message, as values?"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, cast

import dns.rrset

from agent.adapters.dns_opening import Mark
from agent.domain.lookup import Exchange, Record, TextRecord, Type

_UNSPEAKABLE: Final = "\ufffd"


def name_of(name: Any) -> str:
    """Return a name in the form of :class:`agent.domain.lookup.Query`.

    A dot inside a label would make another name of it; it becomes a character that stands for no
    octet, so that such a name is shown, and can never be asked for.
    """
    return _joined(name.labels)


@lru_cache(maxsize=4096)  # a message names the same over and over
def _joined(labels: tuple[bytes, ...]) -> str:
    labels = labels[:-1] if labels and not labels[-1] else labels
    return ".".join(label.lower().decode("latin-1").replace(".", _UNSPEAKABLE) for label in labels)


Found = list[tuple[dns.rrset.RRset, Mark]]


def _texts(found: Found) -> list[Record]:
    texts = [
        TextRecord(tuple(cast("Any", rrset[0]).strings) if mark.length else ())
        for rrset, mark in found
    ]
    return [*sorted(texts, key=lambda text: text.strings)]


def _reader(convert: Callable[[Any], Any]) -> Callable[[Found], list[Record]]:
    # Servers rotate records; sorted, an answer is the same whatever their order.
    return lambda found: sorted(convert(rrset[0]) for rrset, _ in found)


def _tlsa(rdata: Any) -> str:
    """Write a TLSA record as zone files have it, however short it is."""
    octets = bytes(rdata.data)
    return " ".join((*map(str, octets[:3]), octets[3:].hex())).rstrip()


_in_text = _reader(lambda rdata: str(rdata.to_text()))
_READERS: Final[dict[Type, Callable[[Found], list[Record]]]] = {
    "A": _reader(lambda rdata: IPv4Address(rdata.address)),
    "AAAA": _reader(lambda rdata: IPv6Address(rdata.address)),
    "MX": _reader(lambda rdata: Exchange(rdata.preference, name_of(rdata.exchange))),
    "TXT": _texts,
    "SPF": _texts,
    "PTR": _reader(lambda rdata: name_of(rdata.target)),
    "NS": _reader(lambda rdata: name_of(rdata.target)),
    "CNAME": _reader(lambda rdata: name_of(rdata.target)),
    "SOA": _in_text,
    "TLSA": _reader(_tlsa),
    "DS": _in_text,
    "DNSKEY": _in_text,
    "RRSIG": _in_text,
    "SRV": _in_text,
    "CAA": _in_text,
}


def records_of(kind: Type, found: Found) -> list[Record]:
    """Return the values of records of one *kind*, in an order of their own."""
    return _READERS[kind](found)
