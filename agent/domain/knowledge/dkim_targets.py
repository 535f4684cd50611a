"""Under which names does Exchange Online keep the DKIM keys of a customer's domain?

Source: Microsoft's page on setting up DKIM; state of November 2026. A customer's two selectors are
aliases. Their targets name the selector, a token of the domain (its dots turned into dashes, to
which Microsoft may add a little), and the first label of the tenant's initial domain. Domains for
which DKIM was set up since May 2025 have targets in a zone of its own, in one of several
partitions, whose letter cannot be foreseen; older ones keep theirs.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

SELECTORS = ("selector1", "selector2")
"""The selectors that Exchange Online signs under; one at a time, in turn."""

CLOUDS = frozenset({"exchange-online", "gcc-high", "21vianet"})
"""Profiles of senders whose mail is signed so."""

COMMON = ("default", "dkim", "mail", "google", *SELECTORS, "s1", "s2", "k1", "key1")
"""What people call their selectors, for where nobody says."""

_OLD = r"(?:onmicrosoft\.(?:com|us|de)|(?:partner\.)?onmschina\.cn)"
_NEW = r"[a-z0-9]{1,10}-v[0-9]{1,3}\.dkim\.mail\.microsoft"
_TARGET = re.compile(
    rf"(selector[12])-([a-z0-9_-]{{1,63}})\._domainkey\.([a-z0-9-]{{1,63}})\.({_OLD}|{_NEW})"
)
_MAX_SUFFIX = 4  # characters that Microsoft may add to a token


@dataclass(frozen=True, slots=True)
class Target:
    """A name at which Exchange Online keeps a key."""

    selector: str
    token: str
    initial: str
    zone: str

    @property
    def form(self) -> str:
        """Which of the two forms it has, as people may look for it."""
        return "form of 2025" if self.zone.endswith(".microsoft") else "old form"

    def of(self, selector: str) -> str:
        """Return the name of the key of the same domain under *selector*."""
        return f"{selector}-{self.token}._domainkey.{self.initial}.{self.zone}"

    def is_for(self, domain: str) -> bool:
        """Tell whether it was made for *domain*, as far as its token shows."""
        token, own = self.token.replace("-", ""), _letters(domain)
        return token.startswith(own) and len(token) - len(own) <= _MAX_SUFFIX


def _letters(domain: str) -> str:
    return domain.replace(".", "").replace("-", "")


@lru_cache(maxsize=4096)
def read_target(name: str) -> Target | None:
    """Read the name of a key at Exchange Online, in lower case; None for any other name."""
    match = _TARGET.fullmatch(name)
    return Target(*match.groups()) if match is not None else None


def first_target(names: Iterable[str]) -> Target | None:
    """Return the first of *names* at which Exchange Online keeps a key."""
    return next((found for found in map(read_target, names) if found is not None), None)


def own_selectors(domain: str) -> tuple[str, ...]:
    """Return the selectors of a tenant's initial *domain*, which has no aliases."""
    return tuple(f"{selector}-{domain.replace('.', '-')}" for selector in SELECTORS)
