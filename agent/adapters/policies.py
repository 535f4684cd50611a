"""What is the MTA-STS policy of a domain, as lately as need be?

A policy is fetched when the version in DNS is new, or a day has passed (RFC 8461 section 5.1), and
not at every run; where it cannot be had, it is tried again after a while.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.clock import Clock
from agent.adapters.https import Https
from agent.domain.mta_sts import MAX_POLICY, Policy, PolicyError, read_policy

_KEEP = timedelta(days=1)
_AGAIN = timedelta(minutes=5)
_WITHIN = timedelta(seconds=10)
_MAX_KNOWN = 10_000  # domains


@dataclass(frozen=True, slots=True)
class Found:
    """A policy, or in ``trouble`` why there is none. ``is_ours``: the cause may be on this side."""

    policy: Policy | None = None
    trouble: str = ""
    is_ours: bool = False


class Policies:
    """The policies that were fetched, by domain."""

    def __init__(self, https: Https, clock: Clock) -> None:
        self._https, self._clock = https, clock
        self._known: dict[str, tuple[str, float, Found]] = {}

    async def of(self, domain: str, version: str, within: timedelta = _WITHIN) -> Found:
        """Return the policy of *domain*, whose TXT record announces *version*."""
        now = self._clock.monotonic()
        known = self._known.get(domain)
        if known is not None and known[0] == version and now < known[1]:
            return known[2]
        found = await self._fetch(domain, min(within, _WITHIN))
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        keep = _KEEP if found.policy is not None else _AGAIN
        self._known[domain] = (version, now + keep.total_seconds(), found)
        return found

    async def _fetch(self, domain: str, within: timedelta) -> Found:
        url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
        file = await self._https.fetch(url, most=MAX_POLICY, within=within)
        if file.trouble:
            return Found(trouble=f"{url}: {file.trouble}", is_ours=file.is_ours)
        try:
            # A long file of a stranger is read beside the loop.
            return Found(await asyncio.to_thread(read_policy, file.body))
        except PolicyError as error:
            return Found(trouble=f"{url}: {error}")
