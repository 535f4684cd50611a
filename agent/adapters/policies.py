"""What is the MTA-STS policy of a domain, as lately as need be?

A policy is fetched when the version in DNS is new, or a day has passed (RFC 8461 section 5.1), and
not at every run; where it cannot be had, it is tried again after a while.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.clock import Clock
from agent.adapters.https import Https
from agent.domain.mta_sts_policy import Document, parse
from agent.domain.mta_sts_terms import MAX_POLICY, Policy, describe

KEEP = timedelta(days=1)
_AGAIN = timedelta(minutes=5)
_WITHIN = timedelta(seconds=10)
_MAX_KNOWN = 10_000  # domains


@dataclass(frozen=True, slots=True)
class Found:
    """A policy, or in ``trouble`` why there is none. ``is_ours``: the cause may be on this side.

    ``document`` is the file as soon as there was a text, be it one that senders do not take;
    ``kept_from`` why it was not taken before anybody looked into it.
    """

    policy: Policy | None = None
    trouble: str = ""
    is_ours: bool = False
    document: Document | None = None
    kept_from: str = ""


class Policies:
    """The policies that were fetched, by domain."""

    def __init__(self, https: Https, clock: Clock) -> None:
        self._https, self._clock = https, clock
        self._known: dict[str, tuple[str, float, Found]] = {}

    async def of(
        self, domain: str, version: str, within: timedelta = _WITHIN, keep: timedelta = KEEP
    ) -> Found:
        """Return the policy of *domain*, whose TXT record announces *version*.

        It is fetched anew when it is older than *keep*.
        """
        now = self._clock.monotonic()
        known = self._known.get(domain)
        if known is not None and known[0] == version:
            lasts = keep if known[2].policy is not None else min(keep, _AGAIN)
            if now < known[1] + lasts.total_seconds():
                return known[2]
        found = await self._fetch(domain, min(within, _WITHIN))
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[domain] = (version, now, found)
        return found

    def planned(self, domain: str) -> Found | None:  # noqa: ARG002
        """Return the policy that *domain* is to have, which no host need serve yet."""
        return None

    async def _fetch(self, domain: str, within: timedelta) -> Found:
        url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
        file = await self._https.fetch(url, most=MAX_POLICY, within=within)
        trouble = f"{url}: {file.trouble}" if file.trouble else ""
        if trouble and not file.body:
            return Found(trouble=trouble, is_ours=file.is_ours, kept_from=trouble)
        # A long file of a stranger is read beside the loop.
        document = await asyncio.to_thread(parse, file.body)
        if trouble or document.policy is None:
            said = trouble or f"{url}: {describe(document.faults[0], 'line')}"
            return Found(trouble=said, document=document, kept_from=trouble)
        return Found(document.policy, document=document)
