"""Where does what one owner has end, and what strangers share begin?

Two names below ``co.uk`` have nothing in common, two below ``contoso.co.uk`` have an owner. The
list is that of publicsuffix.org as its library ships it; a top-level domain that it does not know
is one that strangers share. What Microsoft gives to tenants below its own names is added here.
"""

from collections.abc import Iterator
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from agent.domain.tenancy.objects import MICROSOFT_DOMAINS


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList()  # a tenth of a second, for whoever asks first


@lru_cache(maxsize=65536)
def zone_of(name: str) -> str:
    """Return the domain that *name*, in lower case, is of: the part that somebody registered.

    Empty where the name itself is one that strangers share.
    """
    found = [each for each in MICROSOFT_DOMAINS if f".{name}".endswith(each)]
    if found:
        suffix = max(found, key=len)
        label = f".{name}".removesuffix(suffix).rpartition(".")[2]
        return label + suffix if label else ""
    return _list().privatesuffix(name) or ""


def owned_parents(name: str) -> Iterator[str]:
    """Yield the domains above *name*, nearest first, as far as they have the same owner."""
    zone = zone_of(name)
    while zone and len(name) > len(zone):
        name = name.partition(".")[2]
        yield name
