"""With which tools does a command see the world as it would be after a change?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from agent.adapters.https import Https
from agent.adapters.plans import Recall
from agent.adapters.policies import KEEP, Found, Policies
from agent.adapters.resolver import Resolver
from agent.domain.lookup import Plan, Query
from agent.domain.mta_sts_policy import Document
from agent.domain.overlay import Planned, overlay
from agent.probes.base import Toolbox

T = TypeVar("T")
_WITHIN = timedelta(seconds=10)


def laid_over(
    tools: Toolbox, changes: Mapping[Query, Planned], domain: str, document: Document | None
) -> Toolbox:
    """Return *tools* that see *changes*, and *document* as the policy of *domain* where given."""
    policies = tools.policies if document is None else _Served(tools, domain, document)
    return replace(tools, recall=_LaidOver(tools.resolver, changes), policies=policies)


class _LaidOver(Recall):
    """Runs plans with changes laid over what the resolver says."""

    def __init__(self, resolver: Resolver, changes: Mapping[Query, Planned]) -> None:
        super().__init__(resolver)
        self._changes = changes

    async def derive(self, key: str, owner: object, make: Callable[[], Plan[T]]) -> T:
        return await super().derive(key, owner, lambda: overlay(make(), self._changes))


class _Served(Policies):
    """Says of one domain what its policy's host would serve."""

    def __init__(self, tools: Toolbox, domain: str, document: Document) -> None:
        super().__init__(
            Https(resolver=tools.resolver, dialer=tools.dialer, trust=tools.trust), tools.clock
        )
        self._found = Found(document.policy, document=document)
        self._domain = domain

    async def of(
        self, domain: str, version: str, within: timedelta = _WITHIN, keep: timedelta = KEEP
    ) -> Found:
        if domain == self._domain:
            return self._found
        return await super().of(domain, version, within, keep)

    def planned(self, domain: str) -> Found | None:
        return self._found if domain == self._domain else None
