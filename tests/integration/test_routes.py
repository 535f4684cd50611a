"""Each fate of a message is reached through real servers: Postfix, Postfix again, and Dovecot.

But for two: a lost final reply is in tests/probes/test_route.py, and quarantine, which only a fake
of Exchange Online has, in tests/app/test_mailroom.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from agent.config import build
from agent.domain import arrival_rules, route_rules
from agent.domain.entry import State, Witness
from agent.domain.fact import Path as Way
from agent.domain.finding import Outcome, Rule
from servers.mail_world import FULL, NOBODY, PROBE, TOKEN, MailWorld, mail_world
from servers.route_world import Walker, described, walking

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[MailWorld]:
    async with mail_world() as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: MailWorld) -> AsyncIterator[MailWorld]:
    yield shared
    shared.well()


def broken(outcome: Outcome) -> set[str]:
    return {finding.rule.code for finding in outcome.findings}


async def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - servers tell nobody
            await asyncio.sleep(0.05)  # between two looks


def stops(outcome: Outcome) -> list[str]:
    (way,) = (fact for fact in outcome.facts.values() if isinstance(fact, Way))
    return [stop.host for stop in way.stops]


async def test_a_message_goes_by_two_relays_to_the_mailbox_and_is_cleaned_away(
    world: MailWorld, tmp_path: Path
) -> None:
    expect = {"tls": "every-hop", "through": ["gateway.contoso.com"], "max_hops": 5}
    async with walking(world, tmp_path, expect=expect) as walker:
        outcome = await walker.run()
        assert broken(outcome) == set()
        entry = walker.entry
        assert (entry.state, entry.witness, entry.folder) == (
            State.DELIVERED,
            Witness.MAILBOX,
            "inbox",
        )
        path = stops(outcome)
        assert path[0] == "this agent"
        assert [host for host in path if host.startswith(("gateway", "backend"))] == [
            "gateway.contoso.com",
            "backend.contoso.com",
        ]
        state = walker.mailroom.pickups.state(entry.home)
        assert state is not None
        await until(lambda: state.removed == 1)
        maildir = world.store.maildir(PROBE)
        assert not [*maildir.glob("new/*"), *maildir.glob("cur/*")]


async def test_a_message_that_waits_at_a_relay_is_late_and_then_delivered_late(
    world: MailWorld, tmp_path: Path
) -> None:
    world.hold()
    async with walking(world, tmp_path, expect={"within": "1s"}) as walker:
        await walker.run()
        assert walker.entry.is_in_flight
        await until(lambda: bool(walker.tools.ledger.overdue(walker.key)))
        assert route_rules.LATE.code in broken(await walker.judge())
        world.release()
        entry = await walker.settled(State.LATE)
        assert entry.failure == "late"


async def test_a_message_that_a_relay_throws_away_is_lost_after_a_last_look(
    world: MailWorld, tmp_path: Path
) -> None:
    world.drop()
    expect = {"within": "500ms", "lost_after": "2s"}
    async with walking(world, tmp_path, expect=expect) as walker:
        await walker.run()
        entry = await walker.settled(State.LOST)
        assert (entry.witness, entry.failure) == (Witness.CLOCK, "lost")
        assert route_rules.LOST.code in broken(await walker.judge())


async def test_what_is_delivered_twice_is_one_message_and_a_duplicate(
    world: MailWorld, tmp_path: Path
) -> None:
    world.duplicate()
    async with walking(world, tmp_path) as walker:
        found = broken(await walker.run())
        await until(lambda: walker.entry.duplicates == 1)
        assert walker.entry.state is State.DELIVERED
        assert route_rules.DUPLICATE.code in found | broken(await walker.judge())


async def test_a_message_in_junk_is_junked(world: MailWorld, tmp_path: Path) -> None:
    world.junk()
    async with walking(world, tmp_path) as walker:
        assert broken(await walker.run()) == {route_rules.JUNKED.code}
        assert (walker.entry.state, walker.entry.folder) == (State.JUNKED, "junk")


async def test_junk_is_where_it_may_be_expected(world: MailWorld, tmp_path: Path) -> None:
    async with walking(world, tmp_path, expect={"folder": "junk"}) as walker:
        assert broken(await walker.run()) == {arrival_rules.WRONG_FOLDER.code}


@pytest.mark.parametrize(
    ("reply", "state", "rule"),
    [
        pytest.param("550 5.7.1 not wanted", State.BOUNCED, route_rules.BOUNCED, id="bounced"),
        pytest.param(
            "554 5.4.14 Hop count exceeded - possible mail loop ATTR34",
            State.LOOPED,
            route_rules.LOOPED,
            id="looped",
        ),
    ],
)
async def test_a_report_that_comes_back_ends_the_message(
    world: MailWorld, tmp_path: Path, reply: str, state: State, rule: Rule
) -> None:
    world.bounce(reply)
    async with walking(world, tmp_path) as walker:
        outcome = await walker.run()
        assert broken(outcome) == {rule.code}
        assert (walker.entry.state, walker.entry.witness) == (state, Witness.REPORT)
        assert reply[4:10].strip() in walker.entry.detail


async def test_an_unknown_user_bounces_with_what_helps(world: MailWorld, tmp_path: Path) -> None:
    route = described(world)
    route["send"]["rcpt_to"] = NOBODY
    async with walking(world, tmp_path, route) as walker:
        await walker.run()
        entry = await walker.settled(State.BOUNCED)
        assert "5.1.1" in entry.detail
        assert "What helps" in entry.detail


async def test_a_full_mailbox_bounces(world: MailWorld, tmp_path: Path) -> None:
    route = described(world)
    route["send"]["rcpt_to"] = FULL
    async with walking(world, tmp_path, route) as walker:
        await walker.run()
        assert "5.2.2" in (await walker.settled(State.BOUNCED)).detail


async def test_a_server_that_refuses_the_message_rejects_it(
    world: MailWorld, tmp_path: Path
) -> None:
    world.reject()
    async with walking(world, tmp_path) as walker:
        assert broken(await walker.run()) == {route_rules.REFUSED.code}
        assert (walker.entry.state, walker.entry.failure) == (State.REJECTED, "refused")


async def test_greylisting_at_the_second_relay_only_costs_time(
    world: MailWorld, tmp_path: Path
) -> None:
    world.greylist()
    async with walking(world, tmp_path, expect={"lost_after": "90s"}) as walker:
        await walker.run()
        for _ in range(40):
            if not walker.entry.is_in_flight:
                break
            await world.gateway.flush()
            await asyncio.sleep(0.25)  # between two tries of the queue
        assert walker.entry.has_arrived


async def test_a_loop_that_ends_is_delivered_with_all_its_hops(
    world: MailWorld, tmp_path: Path
) -> None:
    world.loop(2)
    async with walking(world, tmp_path, expect={"max_hops": 4}) as walker:
        assert arrival_rules.TOO_MANY_HOPS.code in broken(await walker.run())
        assert walker.entry.has_arrived


async def test_a_footer_is_damage_unless_a_banner_is_allowed(
    world: MailWorld, tmp_path: Path
) -> None:
    world.footer("Sent through a gateway")
    async with walking(world, tmp_path) as walker:
        assert broken(await walker.run()) == {route_rules.DAMAGED.code}
    async with walking(world, tmp_path, expect={"body": "banner-allowed"}) as walker:
        assert broken(await walker.run()) == set()


async def test_a_message_is_known_whatever_gateways_rewrite(
    world: MailWorld, tmp_path: Path
) -> None:
    world.tag_subject("[EXTERNAL]")
    world.remove_header("X-Mailflow-Token")
    world.replace_header("Message-ID", "<rewritten@gateway.contoso.com>")
    async with walking(world, tmp_path) as walker:
        assert broken(await walker.run()) == set()
        assert walker.entry.state is State.DELIVERED


async def test_a_message_in_a_mailbox_that_is_not_its_own_is_misrouted(
    world: MailWorld, tmp_path: Path
) -> None:
    route = described(world)
    # It must arrive at the sink, and somebody's alias leads to a mailbox that is watched, too.
    route["receive"], route["returns"] = {"sink": {}}, route["receive"]
    async with walking(world, tmp_path, route) as walker:
        await walker.run()
        entry = await walker.settled(State.LOOPED)
        assert entry.failure == "looped"


async def test_while_the_mailbox_is_closed_nothing_is_sent_and_nothing_is_lost(
    world: MailWorld, tmp_path: Path
) -> None:
    expect = {"within": "500ms", "lost_after": "2s"}
    async with walking(world, tmp_path, expect=expect) as walker:
        world.hold()
        await walker.run()
        await world.store.stop()
        state = walker.mailroom.pickups.state(walker.entry.home)
        assert state is not None
        await until(lambda: state.trouble is not None)
        outcome = await walker.run()
        assert route_rules.MAILBOX_CLOSED.code in broken(outcome)
        assert route_rules.LOST.code not in broken(outcome)
        assert len(walker.tools.ledger.recent(walker.key)) == 1  # nothing more was sent
        await world.store.start()
        world.release()
        await world.backend.flush()
        entry = await walker.settled(State.DELIVERED, State.LATE, seconds=40)
        assert entry.has_arrived


async def test_a_restart_finds_in_the_mailbox_what_arrived_meanwhile(
    world: MailWorld, tmp_path: Path
) -> None:
    world.hold()
    async with walking(world, tmp_path, expect={"within": "1s"}) as walker:
        await walker.run()
        assert walker.entry.is_in_flight
    world.release()
    await world.arrived(PROBE)
    async with walking(world, tmp_path) as walker:
        entry = await walker.settled(State.LATE, State.DELIVERED)
        assert entry.witness is Witness.MAILBOX
        assert not entry.unjudged


async def test_a_message_under_way_is_followed_to_its_end_when_its_route_is_gone(
    world: MailWorld, tmp_path: Path
) -> None:
    world.hold()
    async with walking(world, tmp_path, expect={"within": "1s"}) as walker:
        await walker.run()
        assert walker.entry.is_in_flight
        walker.mailroom.apply(build({}, folder=tmp_path))
        world.release()
        entry = await walker.settled(State.LATE, State.DELIVERED)
        assert entry.witness is Witness.MAILBOX


async def test_a_mailbox_opens_with_a_token_as_well(world: MailWorld, tmp_path: Path) -> None:
    assert world.store.tokens[TOKEN] == PROBE
    route = described(world)
    route["receive"]["imap"]["port"] = world.store.imap
    route["receive"]["imap"]["tls"] = "starttls"
    async with walking(world, tmp_path, route) as walker:
        assert broken(await walker.run()) == set()


async def test_a_wrong_password_sends_nothing_and_names_the_step(
    world: MailWorld, tmp_path: Path
) -> None:
    route = described(world)
    (tmp_path / "wrong").mkdir()
    async with walking(world, tmp_path, route) as walker:
        (tmp_path / "secret").write_text("not the password")
        places = walker.mailroom.pickups
        places.replace({})
        walker.mailroom.apply(walker.config)
        await walker.mailroom.opened(walker.check.target)
        outcome = await walker.run()
        assert broken(outcome) == {route_rules.MAILBOX_CLOSED.code}
        assert "login-refused" in outcome.findings[0].detail
        assert walker.tools.ledger.recent(walker.key) == ()


async def test_the_world_is_well_again(world: MailWorld, tmp_path: Path) -> None:
    async with walking(world, tmp_path) as walker:
        assert isinstance(walker, Walker)
        assert broken(await walker.run()) == set()
