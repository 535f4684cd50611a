"""Does the whole way down to the sockets agree with the RFC 7208 suite?

The real resolver against a real server over UDP and TCP: with time-outs that are silence, CNAME
chains and loops, and once more with every answer truncated, so that TCP is needed.
"""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from itertools import groupby

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.plans import drive
from agent.adapters.resolver import Resolver
from agent.domain.spf import check_host
from servers.dns import Content, DnsServer, Fault, Truncated
from servers.rfc7208 import SUITE, Case, SuiteZone, cases

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason=f"the suite is not at {SUITE}")
GROUPS = [(name, tuple(group)) for name, group in groupby(cases(), key=lambda case: case.group)]
SILENT_TYPES = ("A", "AAAA", "MX", "TXT", "PTR", "SPF")


def serve(zone: SuiteZone, *, truncated: bool) -> Iterator[tuple[tuple[str, str], Content]]:
    for key, records in zone.rows.items():
        yield key, Truncated(records) if truncated else records
    for name in zone.silent:
        for kind in SILENT_TYPES:
            if (name, kind) not in zone.rows:
                yield (name, kind), Fault.SILENT


async def verdicts(group: tuple[Case, ...], *, truncated: bool) -> list[str]:
    wrong = []
    async with DnsServer(dict(serve(group[0].zone, truncated=truncated))) as server:
        timeout = timedelta(milliseconds=250)
        resolver = Resolver((server.address,), SystemClock(), timeout=timeout, attempts=2)
        await resolver.start()
        for case in group:
            plan = check_host(
                ip_address(case.ip), case.mail_from, case.helo, receiver="receiver.example"
            )
            found = await drive(plan, resolver)
            wanted = "" if case.explanation == "DEFAULT" else case.explanation
            if found.result not in case.results:
                wrong.append(f"{case.name}: {found.sentence}, not {case.results}")
            elif wanted is not None and found.explanation.lower() != wanted.lower():
                wrong.append(f"{case.name}: says {found.explanation!r}, not {wanted!r}")
        await resolver.close()
        if truncated:
            assert server.connections
    return wrong


@pytest.mark.integration
@pytest.mark.parametrize("group", [group for _, group in GROUPS], ids=[name for name, _ in GROUPS])
@pytest.mark.parametrize("truncated", [False, True], ids=["udp", "tcp"])
async def test_every_case_of_a_group_comes_out_right(
    group: tuple[Case, ...], *, truncated: bool
) -> None:
    assert await verdicts(group, truncated=truncated) == []


def test_the_groups_hold_all_203_cases() -> None:
    assert sum(len(group) for _, group in GROUPS) == 203
