"""MTA-STS policies that hosts of the gallery would serve."""

from datetime import timedelta

from agent.adapters.https import Https
from agent.adapters.policies import KEEP, Found, Policies
from agent.domain.mta_sts_policy import parse
from agent.probes.base import Toolbox

SOON = timedelta(seconds=10)


class Served(Policies):
    """Has what the policies' hosts serve, by domain."""

    def __init__(self, tools: Toolbox, files: dict[str, str]) -> None:
        https = Https(resolver=tools.resolver, dialer=tools.dialer, trust=tools.trust)
        super().__init__(https, tools.clock)
        self._files = files

    async def of(
        self, domain: str, version: str, within: timedelta = SOON, keep: timedelta = KEEP
    ) -> Found:
        del version, within, keep
        document = parse(self._files[domain].encode())
        return Found(document.policy, document=document)
