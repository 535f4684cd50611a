import pytest

from agent.domain.knowledge.microsoft_hosts import HostClass
from agent.domain.loops import LoopKind, LoopSign, Stop, find_loops
from agent.domain.owners import Owner

US = Stop("mx.contoso.com", Owner.US)
FILTER = Stop("mx.filter.example", Owner.FILTER)
OTHER = Stop("mx.example", Owner.UNKNOWN)
SERVICE = Stop("signatures.example", Owner.PARTNER)


def edge(name: str) -> Stop:
    return Stop(f"{name}.mail.protection.outlook.com", Owner.MICROSOFT, HostClass.EDGE)


def mailbox(name: str) -> Stop:
    return Stop(f"{name}.prod.outlook.com", Owner.MICROSOFT, HostClass.MAILBOX)


@pytest.mark.parametrize(
    "stops",
    [
        pytest.param([], id="none"),
        pytest.param([OTHER, FILTER, edge("a"), edge("b"), mailbox("c")], id="inbound"),
        pytest.param([mailbox("a"), OTHER, edge("b"), mailbox("c")], id="tenant to tenant"),
        pytest.param([FILTER, FILTER, edge("a")], id="a host that hands it to itself"),
        pytest.param([Stop("", Owner.UNKNOWN), OTHER, Stop("", Owner.UNKNOWN)], id="no host named"),
    ],
)
def test_a_way_that_goes_on_is_no_loop(stops: list[Stop]) -> None:
    assert find_loops(stops, len(stops)) == ()


def test_a_host_that_takes_the_message_again_after_another_is_a_sign() -> None:
    signs = find_loops([OTHER, FILTER, OTHER, FILTER, OTHER], 5)
    assert LoopSign(LoopKind.HOST, "mx.example", 3) in signs
    assert LoopSign(LoopKind.HOST, "mx.filter.example", 2) in signs
    assert LoopSign(LoopKind.OWNER, "filter", 2) in signs


def test_the_edge_of_exchange_online_with_another_owner_between_is_a_sign() -> None:
    stops = [edge("a"), edge("b"), SERVICE, edge("c"), mailbox("d")]
    assert find_loops(stops, 5) == (LoopSign(LoopKind.OWNER, "microsoft edge", 2),)


def test_many_hops_are_a_sign_of_their_own() -> None:
    assert find_loops([], 25) == ()
    assert find_loops([], 26) == (LoopSign(LoopKind.HOPS, "", 26),)
