"""What answers in place of a resolver: the gate of a network, which says the same of every name.

async with DnsServer() as server:
    server.default = GATES["an address for A"]
"""

from ipaddress import IPv4Address

from agent.adapters.dns_serving import (
    NOTIMP,
    NXDOMAIN,
    REFUSED,
    Question,
    ResourceRecord,
    Response,
    write_response,
)
from servers.dns import Content, Raw

ADDRESS = IPv4Address("198.18.0.1")
_PORTAL = "portal.gate.example"
_EMPTY = Response()


def _page(question: Question, owner: str = "") -> ResourceRecord:
    return ResourceRecord(owner or question.name, "A", 30, ADDRESS)


def _alias(question: Question) -> Response:
    alias = ResourceRecord(question.name, "CNAME", 30, _PORTAL)
    return Response(answers=(alias, _page(question, _PORTAL)))


def _gate(for_a: Response | None, otherwise: Response | None) -> Content:
    """Answer by *for_a* questions for A, by *otherwise* all others; None is the gate's address."""

    def make(question: Question, _: bytes) -> bytes:
        response = for_a if question.kind == "A" else otherwise
        if response is None:
            response = Response(answers=(_page(question),))
        return write_response(question, response, datagram=True)

    return Raw(make)


GATES: dict[str, Content] = {
    "an address for every type": _gate(None, None),
    "an address for A": _gate(None, _EMPTY),
    "an address for A and REFUSED": _gate(None, Response(REFUSED)),
    "an address for A and NOTIMP": _gate(None, Response(NOTIMP)),
    "an address for A and NXDOMAIN": _gate(None, Response(NXDOMAIN)),
    "an alias for every type": Raw(
        lambda asked, _: write_response(asked, _alias(asked), datagram=True)
    ),
    "nothing": _gate(_EMPTY, _EMPTY),
    "NXDOMAIN": _gate(Response(NXDOMAIN), Response(NXDOMAIN)),
}
