"""The check of the reputation, over real DNS on loopback."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent import config
from agent.adapters.plans import Recall
from agent.adapters.resolver import Resolver
from agent.config import ConfigError
from agent.domain import reputation_rules as rules
from agent.domain.finding import Outcome, Severity
from agent.probes.base import Check, Toolbox
from agent.probes.reputation import PROBE, ReputationSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers.dns import DnsServer, Fault
from servers.standings import HandClock

RELAY = "192.31.196.25"
ZONE = "bl.example.com"
TEST, OURS = f"2.0.0.127.{ZONE}", f"25.196.31.192.{ZONE}"
KEY = "q4x7canary"
ReputationCheck = Check[DomainSubject, ReputationSettings]


@dataclass
class World:
    server: DnsServer
    clock: HandClock
    tools: Any

    async def run(self, check: ReputationCheck) -> Outcome:
        return await run(check, cast("Toolbox", self.tools))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with DnsServer({(TEST, "A"): "127.0.0.2"}) as server:
        clock = HandClock()
        resolver = Resolver((server.address,), clock)
        await resolver.start()
        tools = SimpleNamespace(clock=clock, recall=Recall(resolver))
        yield World(server, clock, tools)
        await resolver.close()


def check(**settings: Any) -> ReputationCheck:
    subject = DomainSubject(name="contoso.com", senders=("exchange-online", RELAY))
    given = {"lists": [{"zone": ZONE, "refuses": True}], **settings}
    return Check("contoso", subject, PROBE, ReputationSettings.model_validate(given))


async def test_an_address_is_found_listed_and_told_why_until_it_is_taken_off(world: World) -> None:
    mine = check()
    assert (await world.run(mine)).findings == ()
    world.server.zone[OURS, "A"] = "127.0.0.5"
    world.server.zone[OURS, "TXT"] = "sent to a trap"
    quiet(rules.REFUSED, await world.run(mine))  # within the time to live nobody is asked again
    assert world.server.asked[OURS, "A"] == 1
    world.clock.advance(mine.settings.interval)
    outcome = await world.run(mine)
    finding = fires(rules.REFUSED, outcome)
    assert finding.detail == f"{RELAY} is on {ZONE}: 127.0.0.5: a code that is not known here."
    assert finding.evidence == ("the list writes: sent to a trap",)
    assert outcome.severity is Severity.CRITICAL
    assert await world.run(mine) is outcome
    assert world.server.asked[OURS, "A"] == 2
    del world.server.zone[OURS, "A"], world.server.zone[OURS, "TXT"]
    world.clock.advance(mine.settings.interval)
    assert (await world.run(mine)).findings == ()


async def test_not_listed_is_told_from_no_answer(world: World) -> None:
    del world.server.zone[TEST, "A"]
    outcome = await world.run(check())
    fires(rules.SILENT, outcome)
    assert outcome.severity is Severity.UNKNOWN
    assert outcome.failure == "list-useless"
    assert world.server.asked[OURS, "A"] == 0


async def test_a_refusal_is_no_listing(world: World) -> None:
    for name in (TEST, f"1.0.0.127.{ZONE}", OURS):
        world.server.zone[name, "A"] = "127.255.255.254"
    outcome = await world.run(check())
    assert "public or open resolver" in fires(rules.REFUSES_US, outcome).detail
    quiet(rules.REFUSED, outcome)
    assert outcome.severity is Severity.UNKNOWN


async def test_a_wildcard_of_a_zone_that_was_sold_is_no_listing(world: World) -> None:
    world.server.zone.clear()
    world.server.default = "192.31.196.80"
    outcome = await world.run(check())
    fires(rules.BROKEN, outcome)
    assert outcome.severity is Severity.UNKNOWN


@pytest.mark.parametrize("fault", [Fault.SERVFAIL, Fault.REFUSED])
async def test_dns_faults_are_unknown(world: World, fault: Fault) -> None:
    world.server.zone[OURS, "A"] = fault
    outcome = await world.run(check())
    fires(rules.SILENT, outcome)
    assert outcome.failure == fault.name.lower()
    assert outcome.severity is Severity.UNKNOWN


async def test_the_key_is_asked_with_and_seen_nowhere(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, f"[{{zone: {ZONE}, key_file: key}}]")
    loaded = config.load(path)
    (mine,) = (each for each in loaded.checks if each.probe is PROBE)
    keyed = f"25.196.31.192.{KEY}.{ZONE}"
    world.server.zone[f"2.0.0.127.{KEY}.{ZONE}", "A"] = "127.0.0.2"
    world.server.zone[keyed, "A"] = "127.0.0.2"
    world.server.zone[keyed, "TXT"] = f"https://{ZONE}/?ip={RELAY}&key={KEY.upper()}"
    outcome = await world.run(mine)
    assert f"&key={'*' * 8}" in fires(rules.LISTED, outcome).evidence[0]
    shown = (outcome, mine.settings, mine.settings.model_dump(mode="json"))
    assert KEY not in repr(shown).lower()
    (tmp_path / "key").write_text("other\n")
    world.server.zone[f"2.0.0.127.other.{ZONE}", "A"] = "127.0.0.2"
    quiet(rules.LISTED, await world.run(mine))  # the new key is taken at the next run
    assert world.server.asked[f"25.196.31.192.other.{ZONE}", "A"] == 1


@pytest.mark.parametrize(
    ("content", "words"), [("", "its key is empty"), ("two.labels", "its key is no label")]
)
async def test_a_key_that_is_lost_later_is_unknown(
    world: World, tmp_path: Path, content: str, words: str
) -> None:
    path = written(tmp_path, f"[{{zone: {ZONE}, key_file: key}}]")
    (mine,) = (each for each in config.load(path).checks if each.probe is PROBE)
    (tmp_path / "key").write_text(content)
    outcome = await world.run(mine)
    assert words in fires(rules.NOT_ASKED, outcome).detail
    assert outcome.failure == "key-unusable"
    assert not world.server.asked


def written(folder: Path, lists: str) -> Path:
    """Write a configuration with these lists, and the file that holds the key."""
    (folder / "key").write_text(f"{KEY}\n")
    path = folder / "config.yaml"
    path.write_text(
        "agent: {state: ./state}\ntenants:\n  - name: contoso\n    domains:\n"
        f"      - {{name: contoso.com, senders: [{RELAY}],"
        f" checks: {{reputation: {{lists: {lists}}}}}}}\n"
    )
    return path


def test_without_lists_there_is_no_check(tmp_path: Path) -> None:
    assert PROBE not in {each.probe for each in config.load(written(tmp_path, "[]")).checks}
    one = config.load(written(tmp_path, "[{list: spamcop}]"))
    assert [each.identity for each in one.checks if each.probe is PROBE] == [
        "contoso/domain/contoso.com/reputation"
    ]


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ("[{list: spamhaus}]", "is no list that is known here"),
        ("[{}]", "needs exactly one of list and zone"),
        (f"[{{list: psbl, zone: {ZONE}}}]", "needs exactly one of list and zone"),
        ("[{list: psbl, key_file: key}]", "none is known to be taken by psbl"),
        ("[{list: psbl}, {list: psbl}]", "names a list twice: psbl"),
        (f"[{{zone: {KEY}.zen.dq.spamhaus.net}}]", "has a zone for customers"),
        (f"[{{list: spamhaus-zen, key: {KEY}}}]", "is written in the file"),
        (f"[{{list: spamhaus-zen, key_file: key, key: {KEY}}}]", "is written in the file"),
        (f"[{{list: psbl, keys: {KEY}}}]", "keys"),
        (f"[{KEY}]", "lists"),
        ("[{zone: 7}]", "is not a domain name"),
        ("[spamcop]", 'lists[0]: "spamcop": is no mapping; write {list: spamcop}'),
        ("[bl.spamcop.net]", "is no mapping; write {list: NAME} or {zone: ZONE}"),
        ("[{zone: BL.spamcop.net}]", "write list: spamcop"),
        ("[{list: spamcop, of: [domain, ipv4]}]", "wants entries of domain, and spamcop has none"),
        (f"[{{zone: '{KEY} {ZONE}'}}]", "is not a domain name"),
    ],
)
def test_mistakes_are_told_without_the_key(tmp_path: Path, lists: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(written(tmp_path, lists))
    assert words in str(caught.value)
    assert KEY not in str(caught.value)
