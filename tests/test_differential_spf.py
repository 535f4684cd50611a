"""Do we agree with pyspf and checkdmarc on generated zones?

All three look at the same real server. Every disagreement must be a known defect or choice of the
peer, named in a table below; anything else is ours and fails the test.
"""

import asyncio
import logging
import random
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address

import checkdmarc.spf
import dns.resolver
import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.plans import drive
from agent.adapters.resolver import Resolver
from agent.domain.spf import check_host
from agent.domain.spf_lint import Intent, lint
from agent.domain.spf_lint_tree import void_terms
from agent.domain.spf_survey import Bounds, Survey, survey
from agent.domain.spf_terms import Result
from agent.domain.spf_trace import MAX_VOIDS, Evaluation, Step, Visit
from servers.dns import Content, DnsServer, Fault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its source has escapes that newer Pythons warn about
    import spf

SEEDS = range(150)
CLIENTS = ("192.31.196.7", "2a01:111:f400::7")
NAMES = ("a", "b", "c", "d", "e")
QUALIFIERS = ("", "", "", "-", "~", "?", "+")
BROKEN = ("ip4:x", "a:museum", "foo", "redirect:x.y", "ip6:1.2.3.4", "all:x", "a/33", "mx//129")


@dataclass(frozen=True)
class Case:
    zone: dict[tuple[str, str], Content]
    domain: str


def generate(seed: int) -> Case:
    """Make a small world of records that lead to one another, under names of its own."""
    dice = random.Random(seed)
    names = [f"{name}.zone{seed}.com" for name in NAMES]
    zone: dict[tuple[str, str], Content] = {}
    for name in names:
        if dice.random() < 0.85:
            zone[name, "TXT"] = _record(dice, names)
        if dice.random() < 0.5:
            zone[name, "A"] = dice.choice(["192.31.196.7", "192.31.196.99"])
        if dice.random() < 0.4:
            zone[name, "AAAA"] = dice.choice(["2a01:111:f400::7", "2a01:111:f400::99"])
        if dice.random() < 0.4:
            zone[name, "MX"] = [f"{n} {dice.choice(names)}" for n in range(dice.randint(1, 3))]
    if dice.random() < 0.15:
        zone[dice.choice(names[1:]), "TXT"] = Fault.SERVFAIL
    zone[names[0], "TXT"] = _record(dice, names)
    zone["7.196.31.192.in-addr.arpa", "PTR"] = names[1]
    return Case(zone, names[0])


def _record(dice: random.Random, names: list[str]) -> str:
    terms = [dice.choice(QUALIFIERS) + _mechanism(dice, names) for _ in range(dice.randint(0, 4))]
    if dice.random() < 0.06:
        terms.append(dice.choice(BROKEN))
    terms.append(
        dice.choice(["-all", "~all", "?all", "", f"redirect={dice.choice(names)}", "-all"])
    )
    return " ".join(["v=spf1", *filter(None, terms)])


def _mechanism(dice: random.Random, names: list[str]) -> str:
    name = dice.choice([*names, "gone.%{d}", "%{d}"])
    kinds = [
        f"include:{dice.choice(names)}",
        f"a:{name}",
        f"mx:{name}",
        "a",
        "mx",
        f"exists:{name}",
    ]
    kinds += ["ip4:192.31.196.0/29", "ip6:2a01:111:f400::/64", f"a:{name}/24//64", "ptr"]
    return dice.choice(kinds)


@contextmanager
def asking(address: tuple[str, int]) -> Iterator[None]:
    """Have dnspython's default resolver, which pyspf asks, look at our server."""
    resolver = dns.resolver.get_default_resolver()
    resolver.nameservers, resolver.port, resolver.search = [address[0]], address[1], []
    try:
        yield
    finally:
        dns.resolver.reset_default_resolver()


def is_counted_otherwise(found: Evaluation, peer: str) -> bool:
    """pyspf counts every void query, and stops at the third; we count terms."""
    return peer == Result.PERMERROR and found.void_queries > 2


def is_void_of_names(found: Evaluation, peer: str) -> bool:
    """pyspf counts the look-ups of the client's own names under ptr; they are not the domain's."""
    steps = list(_steps(found.visit))
    return peer == Result.PERMERROR and any("ptr" in step.term for step in steps)


def _steps(visit: Visit) -> Iterator[Step]:
    for step in visit.steps:
        yield step
        if step.visit is not None:
            yield from _steps(step.visit)


def is_mx_asked_beyond_the_match(found: Evaluation, peer: str) -> bool:
    """pyspf asks for the addresses of every exchange, also after the one that matches."""
    last = list(_steps(found.visit))[-1]
    return peer == Result.PERMERROR and "mx" in last.term and last.end == "match"


def is_own_include(found: Evaluation, peer: str) -> bool:
    """pyspf takes an include of the record's own name as a syntax error, wherever it stands."""
    return peer == Result.PERMERROR and f"include:{found.visit.domain}" in found.visit.record


PYSPF_DEFECTS = (
    is_counted_otherwise,
    is_void_of_names,
    is_mx_asked_beyond_the_match,
    is_own_include,
)


@pytest.mark.filterwarnings("ignore:please use dns.resolver.resolve:DeprecationWarning")
async def test_pyspf_differs_only_where_it_is_known_to() -> None:
    unknown: list[str] = []
    seen: Counter[str] = Counter()
    async with DnsServer() as server:
        with asking(server.address):
            for seed in SEEDS:
                case = generate(seed)
                server.zone = dict(case.zone)
                for client in CLIENTS:
                    found = await _ours(server, client, case.domain)
                    sender = f"me@{case.domain}"
                    peer, _ = await asyncio.to_thread(spf.check2, client, sender, case.domain)
                    if found.result == peer:
                        seen["agreed"] += 1
                        continue
                    known = [defect for defect in PYSPF_DEFECTS if defect(found, peer)]
                    seen.update(defect.__name__ for defect in known[:1])
                    if not known:
                        unknown.append(f"{seed} {client}: pyspf {peer}, {found.sentence}")
    assert unknown == [], "\n".join(unknown)
    assert seen["agreed"] > 0.8 * len(SEEDS) * len(CLIENTS), seen


async def _ours(server: DnsServer, client: str, domain: str) -> Evaluation:
    resolver = Resolver((server.address,), SystemClock(), timeout=timedelta(seconds=2), attempts=1)
    await resolver.start()
    found = await drive(check_host(ip_address(client), f"me@{domain}", domain), resolver)
    await resolver.close()
    return found


PERMANENT = {
    "spf-loop",
    "spf-many-exchanges",
    "spf-missing",
    "spf-several-records",
    "spf-syntax",
    "spf-target-broken",
    "spf-target-missing",
    "spf-target-unanswered",
    "spf-too-many-lookups",
    "spf-too-many-voids",
}


def is_void_for_one_family_only(found: Survey, codes: set[str], _error: str) -> bool:
    """checkdmarc takes a host as void where it has neither A nor AAAA; an IPv4 client does not."""
    voids, voids6 = Counter(void_terms(found, "A")), Counter(void_terms(found, "AAAA"))
    return codes == {"spf-too-many-voids"} and (voids & voids6).total() <= MAX_VOIDS


def is_target_not_expanded(found: Survey, codes: set[str], _error: str) -> bool:
    """checkdmarc does not expand macros, not even ``%{d}``, so it asks for no such name."""
    return codes == {"spf-too-many-voids"} and any("%{d}" in b.text for b in found.root.walk())


def is_bad_top_label(found: Survey, codes: set[str], _error: str) -> bool:
    """checkdmarc accepts a domain-spec that is a single label."""
    faults = {fault.term for branch in found.root.walk() for fault in branch.faults}
    return codes <= {"spf-syntax", "spf-target-broken"} and faults == {"a:museum"}


def is_void_exchange(found: Survey, codes: set[str], _error: str) -> bool:
    """checkdmarc does not count exchanges without an address as void."""
    return codes == {"spf-too-many-voids"} and any("mx" in term for term in void_terms(found, "A"))


def is_ptr_counted_as_void(found: Survey, codes: set[str], error: str) -> bool:
    """checkdmarc asks for PTR at the domain itself and counts that as void (its issue 215)."""
    return not codes and "void" in error and any("ptr" in b.text for b in found.root.walk())


CHECKDMARC_DEFECTS = (
    is_void_for_one_family_only,
    is_target_not_expanded,
    is_bad_top_label,
    is_void_exchange,
    is_ptr_counted_as_void,
)


async def test_checkdmarc_differs_only_where_it_is_known_to() -> None:
    logging.getLogger("checkdmarc").setLevel(logging.CRITICAL)
    unknown: list[str] = []
    seen: Counter[str] = Counter()
    async with DnsServer() as server:
        peer_resolver = dns.resolver.Resolver(configure=False)
        peer_resolver.nameservers, peer_resolver.port = [server.address[0]], server.port
        for seed in SEEDS:
            case = generate(seed)
            server.zone = dict(case.zone)
            resolver = Resolver((server.address,), SystemClock(), timeout=timedelta(seconds=2))
            await resolver.start()
            found = await drive(survey(case.domain), resolver)
            await resolver.close()
            codes = {one.rule.code for one in lint(found, Bounds(), Intent())} & PERMANENT
            report = await asyncio.to_thread(
                checkdmarc.spf.check_spf, case.domain, resolver=peer_resolver
            )
            if report["valid"] == (not codes):
                seen["agreed"] += 1
                continue
            error = str(report.get("error", ""))
            known = [test.__name__ for test in CHECKDMARC_DEFECTS if test(found, codes, error)]
            seen.update(known[:1])
            if not known:
                unknown.append(f"{seed}: {report['valid']} {error[:150]!r}, ours {sorted(codes)}"
                               f" {found.root.text}")  # fmt: skip
    assert unknown == [], "\n".join(unknown)
    assert seen["agreed"] > 0.5 * len(SEEDS), seen
