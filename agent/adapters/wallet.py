"""Which certificates may the agent show, and where are their keys?

A pair is read anew each time it is used, so that a renewed certificate needs no restart, and a pair
that is half renewed is said to be unreadable rather than shown.
"""

import asyncio
from collections.abc import Callable, Mapping

from agent.adapters.x509_making import KeyPair, load_pair

Reader = Callable[[], KeyPair]


class WalletError(Exception):
    """A pair cannot be read now; the text says why, and holds nothing of it."""


class Wallet:
    """The client certificates of the configuration, by the name of their credential."""

    def __init__(self, readers: Mapping[str, Reader] | None = None) -> None:
        self._readers = dict(readers or {})

    def replace(self, readers: Mapping[str, Reader]) -> None:
        """Hold these from now on. A reader raises ValueError where a pair cannot be read."""
        self._readers = dict(readers)

    async def pair(self, name: str) -> KeyPair:
        """Read the certificate and key of the credential *name*. Raises WalletError."""
        if name not in self._readers:
            message = f"there is no credential {name}"
            raise WalletError(message)
        try:
            return await asyncio.to_thread(_read, self._readers[name])
        except ValueError as error:
            message = f"credential {name}: {error}"
            raise WalletError(message) from None


def _read(reader: Reader) -> KeyPair:
    pair = reader()
    load_pair(pair)
    return pair
