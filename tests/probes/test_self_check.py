"""Is the resolver down, or only the names; and is the process alive?"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from agent.adapters.dialer import Dialer
from agent.adapters.egress import Egress
from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.pickup import PickupState
from agent.adapters.pickups import Pickups
from agent.adapters.store import Change, Store, StoreError
from agent.adapters.token_trouble import NoToken, TokenTrouble
from agent.adapters.tokens import CredentialStatus
from agent.adapters.uplink import Uplink
from agent.domain.control import NOWHERE, RESOLVER_DOWN, RESOLVER_INVENTS
from agent.domain.fact import Table
from agent.domain.finding import Outcome, Rule, Severity
from agent.domain.lookup import Answer, Reply, Silence, Unanswered
from agent.domain.peer_text import PeerText
from agent.probes import self_check as rules
from agent.probes.base import Check, Toolbox
from agent.probes.self_check import PROBE, SelfSettings, run
from agent.runtime.dependencies import Heartbeats, LagSampler, ProcessVitals
from agent.settings import AgentSubject
from proof import Proves, fires, named, quiet
from servers.checks import DictResolver, toolbox
from servers.gates import ADDRESS
from servers.standings import HandClock

SILENT = Unanswered(Silence.TIMEOUT)
FAILED = Unanswered(Silence.SERVFAIL)


def own(**settings: object) -> Check[AgentSubject, SelfSettings]:
    return Check("agent", AgentSubject(name="here"), PROBE, SelfSettings.model_validate(settings))


GONE, BARE = Answer(name_exists=False), Answer()
ZONES: list[tuple[Proves, Rule, str, dict[str, Reply]]] = [
    (fires, RESOLVER_DOWN, "none answered", {"com": SILENT, "org": FAILED}),
    (quiet, RESOLVER_DOWN, "one answered", {"com": SILENT}),
    (fires, RESOLVER_DOWN, "all denied", dict.fromkeys(("com", "org"), GONE)),
    (fires, RESOLVER_DOWN, "all empty", dict.fromkeys(("com", "org"), BARE)),
    (fires, RESOLVER_DOWN, "one silent, one denied", {"com": SILENT, "org": GONE}),
    (quiet, RESOLVER_DOWN, "one denied", {"com": GONE}),
    (fires, RESOLVER_INVENTS, "an address", {NOWHERE: Answer((ADDRESS,))}),
    (quiet, RESOLVER_INVENTS, "no such name", {NOWHERE: GONE}),
    (quiet, RESOLVER_INVENTS, "not said", {NOWHERE: FAILED}),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(ZONES))
async def test_the_resolver_is_down_when_it_answers_nothing(
    proves: Proves, rule: Rule, case: dict[str, Reply]
) -> None:
    outcome = await run(own(), toolbox(resolver=DictResolver(case)))
    proves(rule, outcome)
    table = outcome.facts["Control names"]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["com", "org"]


async def test_the_finding_says_which_names_failed_and_how() -> None:
    outcome = await run(own(), toolbox(resolver=DictResolver({"com": SILENT, "org": FAILED})))
    (finding,) = outcome.findings
    assert finding.severity is Severity.CRITICAL
    assert finding.detail == (
        "None of 2 control names was answered by 192.0.2.53:53 or 192.0.2.54:53"
        " (servfail, timeout)."
    )
    assert finding.evidence == ("com SOA: timeout", "org SOA: servfail")


async def test_control_names_are_asked_afresh() -> None:
    resolver = DictResolver()
    await run(own(control_names=("contoso.com",)), toolbox(resolver=resolver))
    assert [(q.name, q.type, q.fresh) for q in resolver.asked] == [
        ("contoso.com", "SOA", True),
        (NOWHERE, "A", True),
    ]


async def test_without_control_names_the_resolver_is_not_judged() -> None:
    outcome = await run(own(control_names=()), toolbox())
    assert outcome.findings == ()
    assert outcome.facts == {}


async def look(*, lag: float = 0.0, silence: float = 0.0, trouble: str = "") -> Outcome:
    """Run the check in a process with such a lag, and a writer that is silent for so long."""
    clock, sampler = HandClock(), LagSampler()
    heartbeats = Heartbeats(clock)
    heartbeats.expect("writer", 15.0)
    sampler.lag.add(lag)
    clock.advance(timedelta(seconds=silence))
    vitals = ProcessVitals(sampler, heartbeats, lambda: trouble)
    return await run(own(), toolbox(clock, vitals=vitals))


VITALS: list[tuple[Proves, Rule, str, dict[str, Any]]] = [
    (fires, rules.LOOP_LAG, "a second", {"lag": 1.0}),
    (quiet, rules.LOOP_LAG, "less than a second", {"lag": 0.999}),
    (fires, rules.TASK_OVERDUE, "silent for too long", {"silence": 15.1}),
    (quiet, rules.TASK_OVERDUE, "silent for as long as it may be", {"silence": 15.0}),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(VITALS))
async def test_the_process_is_looked_at(proves: Proves, rule: Rule, case: dict[str, Any]) -> None:
    proves(rule, await look(**case))


def put(octets: int) -> Change:
    sql = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
    return Change("key", ((sql, ("key", "x" * octets)),))


async def test_a_store_is_failing_from_a_full_disk_until_there_is_room(tmp_path: Path) -> None:
    store = Store(tmp_path, max_bytes=100_000)
    await store.open()
    await store.commit(put(40_000))
    quiet(rules.STORE_FAILING, await look(trouble=store.stats.degraded))
    with pytest.raises(StoreError):
        await store.commit(put(100_000))
    fires(rules.STORE_FAILING, await look(trouble=store.stats.degraded))
    await store.commit(put(1_000))
    quiet(rules.STORE_FAILING, await look(trouble=store.stats.degraded))
    await store.close()


class Places:
    """Places of pick-up, as the agent knows them."""

    def __init__(self, *states: PickupState) -> None:
        self.states = states


CLOSED = PickupError(Trouble.PERMISSION, "Access is denied.", fix="Grant Mail.ReadWrite.")
PLACES: list[tuple[Proves, Rule, str, PickupState]] = [
    (
        fires,
        rules.MAILBOX_DOWN,
        "may not be read",
        PickupState("graph a@b.c", trouble=CLOSED, failures=2),
    ),
    (
        quiet,
        rules.MAILBOX_DOWN,
        "failed once",
        PickupState("graph a@b.c", trouble=CLOSED, failures=1),
    ),
    (quiet, rules.MAILBOX_DOWN, "not opened yet", PickupState("graph a@b.c")),
    (quiet, rules.MAILBOX_DOWN, "looked into", PickupState("graph a@b.c", opened=True)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(PLACES))
async def test_a_mailbox_is_down_while_nobody_can_look_into_it(
    proves: Proves, rule: Rule, case: PickupState
) -> None:
    tools = replace(toolbox(), pickups=cast("Pickups", Places(case)))
    proves(rule, await run(own(), tools))


async def test_each_mailbox_that_is_down_is_named_with_the_missing_step() -> None:
    states = [PickupState(home, trouble=CLOSED, failures=2) for home in ("graph a@b.c", "imap d")]
    tools = replace(toolbox(), pickups=cast("Pickups", Places(*states)))
    found = (await run(own(), tools)).findings
    assert [finding.detail for finding in found] == [
        "graph a@b.c: permission: Access is denied. Grant Mail.ReadWrite.",
        "imap d: permission: Access is denied. Grant Mail.ReadWrite.",
    ]


class Line:
    """An uplink that is up, or not."""

    controls = ("control.example:443",)

    def __init__(self, *, up: bool) -> None:
        self._up = up

    async def is_up(self) -> bool:
        return self._up


def with_uplink(tools: Toolbox, *, up: bool) -> Toolbox:
    clock, dialer = tools.clock, Dialer(clock=tools.clock)
    uplink = cast("Uplink", Line(up=up))
    egress = Egress([], resolver=tools.resolver, dialer=dialer, clock=clock, uplink=uplink)
    return replace(tools, egress=egress)


UPLINKS: list[tuple[Proves, Rule, str, dict[str, bool]]] = [
    (fires, rules.UPLINK_DOWN, "nothing can be reached", {"up": False}),
    (quiet, rules.UPLINK_DOWN, "something can be reached", {"up": True}),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(UPLINKS))
async def test_the_uplink_is_down_when_nothing_can_be_reached(
    proves: Proves, rule: Rule, case: dict[str, bool]
) -> None:
    proves(rule, await run(own(), with_uplink(toolbox(), **case)))


def failing(trouble: TokenTrouble, failures: int = 2, *, is_blind: bool = True) -> CredentialStatus:
    why = NoToken(trouble, PeerText("no connection."))
    return CredentialStatus("probe", None, None, why, None, failures, is_blind=is_blind)


WELL = CredentialStatus("probe", None, None, None, None)
CREDENTIALS: list[tuple[Proves, Rule, str, CredentialStatus]] = [
    (fires, rules.IDENTITY_DOWN, "the provider is away", failing(TokenTrouble.UNREACHABLE)),
    (fires, rules.IDENTITY_DOWN, "the provider is busy", failing(TokenTrouble.THROTTLED)),
    (quiet, rules.IDENTITY_DOWN, "it failed once", failing(TokenTrouble.UNREACHABLE, 1)),
    (
        quiet,
        rules.IDENTITY_DOWN,
        "an old token serves",
        failing(TokenTrouble.UNREACHABLE, is_blind=False),
    ),
    (quiet, rules.IDENTITY_DOWN, "it says no", failing(TokenTrouble.EXPIRED_SECRET)),
    (fires, rules.CREDENTIAL_REFUSED, "a secret has ended", failing(TokenTrouble.EXPIRED_SECRET)),
    (quiet, rules.CREDENTIAL_REFUSED, "the provider is away", failing(TokenTrouble.UNREACHABLE)),
    (quiet, rules.CREDENTIAL_REFUSED, "all is well", WELL),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CREDENTIALS))
async def test_the_provider_and_a_credential_are_told_apart(
    proves: Proves, rule: Rule, case: CredentialStatus
) -> None:
    proves(rule, await run(own(), replace(toolbox(), credentials=lambda: (case,))))


def blind(trouble: Trouble) -> PickupState:
    return PickupState("graph a@b.c", trouble=PickupError(trouble, "no"), failures=9)


async def codes(tools: Toolbox) -> list[str]:
    return [each.rule.code for each in (await run(own(), tools)).findings]


async def test_one_cause_is_told_once() -> None:
    places = cast("Pickups", Places(blind(Trouble.TOKEN)))
    away = failing(TokenTrouble.UNREACHABLE)
    tools = replace(toolbox(), pickups=places, credentials=lambda: (away,))
    assert await codes(tools) == ["self-identity-down"]
    assert await codes(with_uplink(tools, up=False)) == ["self-uplink-down"]
    silent = DictResolver({"com": SILENT, "org": SILENT})
    unresolved = cast("Pickups", Places(blind(Trouble.UNRESOLVED)))
    assert await codes(replace(tools, resolver=cast("Any", silent), pickups=unresolved)) == [
        "self-resolver-down"
    ]


async def test_a_mailbox_is_not_excused_by_what_does_not_explain_it() -> None:
    places = cast("Pickups", Places(blind(Trouble.PERMISSION)))
    tools = with_uplink(replace(toolbox(), pickups=places), up=False)
    assert await codes(tools) == ["self-uplink-down", "self-mailbox-down"]
    assert tools.excuses.told == {"mailbox graph a@b.c": ("permission", 1)}


async def test_a_mailbox_is_excused_for_the_try_after_its_cause_is_gone() -> None:
    state = blind(Trouble.UNREACHED)
    tools = replace(toolbox(), pickups=cast("Pickups", Places(state)))
    assert await codes(with_uplink(tools, up=False)) == ["self-uplink-down"]
    state.failures += 1
    assert await codes(with_uplink(tools, up=True)) == []
    state.failures += 1
    assert await codes(with_uplink(tools, up=True)) == ["self-mailbox-down"]
