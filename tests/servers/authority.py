"""Who speaks for a zone in this test?

A real server as :class:`servers.dns.DnsServer`, that answers as a name server does: with authority,
without recursion, and, for a zone above others, with a referral.
"""

from collections.abc import Mapping
from dataclasses import replace

from agent.adapters.dns_serving import REFUSED, Question, Response, refer
from servers.dns import DnsServer
from servers.dns_zone import Content, View


class Authority(DnsServer):
    """A name server; with *apex*, that of a zone which delegates everything below."""

    def __init__(
        self, zone: Mapping[tuple[str, str], Content] | None = None, apex: str = ""
    ) -> None:
        super().__init__(zone)
        self.apex = apex
        self.is_lame = False

    def _response(self, question: Question, content: Content | None) -> Response:
        if self.is_lame:
            return Response(REFUSED, authoritative=False, recursion=False)
        if self.apex:
            return refer(question, View(self.zone, question, content), self.apex)
        return replace(super()._response(question, content), recursion=False)
