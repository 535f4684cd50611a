"""The check of the registration, over a real web server with real certificates."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent import config
from agent.adapters.dialer import Dialer
from agent.adapters.history import History
from agent.adapters.https import PORT
from agent.adapters.https_api import Api
from agent.adapters.registries import Registries
from agent.adapters.store import Store, StoreError
from agent.config import ConfigError
from agent.domain import registration_rules as rules
from agent.domain.finding import Outcome, Severity
from agent.domain.lookup import Answer, Query, Reply
from agent.probes.base import Check, Toolbox
from agent.probes.registration import PROBE, RegistrationSettings, run
from agent.settings import DomainSubject
from proof import fires, quiet
from servers import policy_host
from servers.policy_host import Handler, PolicyHost
from servers.rdap_case import (
    DAY,
    IANA_HOST,
    REGISTRY,
    TYPE,
    D,
    answer,
    by_host,
    domain,
    iana,
    leading,
)
from servers.spf_zone import zone_of
from servers.standings import NOON, HandClock
from servers.tls import Authorities

PLACE, OTHER = "192.31.196.80", "10.0.0.80"
DNS = f"""
{IANA_HOST} A {PLACE}
{REGISTRY} A {PLACE}
inner.example A {OTHER}
{D} NS ns1.{D}
"""
RegistrationCheck = Check[DomainSubject, RegistrationSettings]


class Zone:
    """A resolver that answers from records."""

    def __init__(self, records: dict[tuple[str, str], Reply]) -> None:
        self.records = records

    async def resolve(self, query: Query) -> Reply:
        return self.records.get((query.name, query.type), Answer(name_exists=False))

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple([await self.resolve(each) for each in queries])


@dataclass
class World:
    host: PolicyHost
    store: Store
    authorities: Authorities
    clock: HandClock = field(default_factory=HandClock)
    zone: Zone = field(default_factory=lambda: Zone(zone_of(DNS.strip())))
    tools: Any = None
    hosts: dict[str, Handler] = field(default_factory=dict)

    def serve(self, registry: Handler, file: Handler | None = None) -> None:
        self.hosts = {IANA_HOST: file or answer(iana("com")), REGISTRY: registry}
        self.host.answer = by_host(self.hosts)

    async def start(self) -> None:
        """Begin anew, as after a restart: only the store knows anything."""
        history = History(self.store)
        await history.start()
        detours = {(PLACE, PORT): ("127.0.0.1", self.host.port)}
        dialer = Dialer(clock=self.clock, detours=detours, detours_only=True)
        api = Api(resolver=self.zone, dialer=dialer, trust=self.authorities.store)
        self.tools = SimpleNamespace(
            resolver=self.zone,
            clock=self.clock,
            history=history,
            dialer=dialer,
            registries=Registries(api, self.clock),
        )

    async def run(self, check: RegistrationCheck | None = None) -> Outcome:
        return await run(check or check_of(), cast("Toolbox", self.tools))

    @property
    def asked(self) -> list[str]:
        """The paths that the registry was asked for."""
        return [path for path, host in self.host.asked if not host.startswith(IANA_HOST)]

    @property
    def fetched(self) -> int:
        """How often IANA's file was fetched."""
        return len(self.host.asked) - len(self.asked)


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    return Authorities()


@pytest.fixture
async def world(authorities: Authorities) -> AsyncIterator[World]:
    store = Store(None)
    await store.open()
    async with PolicyHost(authorities, IANA_HOST) as host:
        host.context = authorities.server(IANA_HOST, REGISTRY)
        world = World(host, store, authorities)
        world.serve(answer(domain()))
        await world.start()
        yield world
    await store.close()


def check_of(name: str = D, **settings: Any) -> RegistrationCheck:
    given = RegistrationSettings.model_validate({"enabled": True, **settings})
    return Check("contoso", DomainSubject(name=name), PROBE, given)


async def test_the_registry_is_asked_once_a_day_whatever_happens(world: World) -> None:
    outcome = await world.run()
    assert outcome.findings == ()
    assert outcome.failure == ""
    assert world.asked == [f"/v1/domain/{D}"]
    values = {each.signal.name: each.value for each in outcome.measurements}
    assert (
        values["mailflow_registration_expiry_timestamp_seconds"] == (NOON + 300 * DAY).timestamp()
    )
    for _ in range(3):  # restarts: what was told is known all the same
        await world.start()
        world.clock.advance(DAY / 4)
        assert (await world.run()).findings == ()
    assert len(world.asked) == 1
    world.clock.advance(DAY / 4)
    world.serve(answer(domain("client hold")))
    finding = fires(rules.ON_HOLD, await world.run())
    assert "Example Registrar" in finding.detail
    assert len(world.asked) == 2


async def test_a_crash_while_asking_counts(world: World) -> None:
    world.serve(policy_host.silence)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await world.run()
    await world.start()
    world.serve(answer(domain()))
    finding = fires(rules.NOT_TOLD, await world.run())
    assert "no answer was waited for" in finding.detail
    assert len(world.asked) == 1
    world.clock.advance(DAY)
    quiet(rules.NOT_TOLD, await world.run())


async def test_two_names_below_one_domain_share_the_answer(world: World) -> None:
    await world.run()
    below = check_of(f"mail.{D}")
    assert (await world.run(below)).findings == ()
    await world.start()
    assert (await world.run(below)).findings == ()
    assert len(world.asked) == 1
    assert world.fetched == 1


DEEP = '{"a":' * 50_000 + "1" + "}" * 50_000


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        pytest.param(answer("<html></html>", "text/html"), "it is text/html", id="a page"),
        pytest.param(answer(domain(), "text/plain"), "it is text/plain", id="a wrong type"),
        pytest.param(answer("{", TYPE), "it is no JSON", id="garbage"),
        pytest.param(answer(DEEP), "more than|too deeply", id="deep"),
        pytest.param(answer("[" * 200_000), "too deeply", id="deeper"),
        pytest.param(answer([]), "not about a domain", id="no object"),
        pytest.param(answer(domain(name="a.example")), "another domain", id="another domain"),
        pytest.param(policy_host.endless, "more than 262144 octets", id="10 MB"),
        pytest.param(policy_host.hang_up, "lost", id="no answer"),
        pytest.param(answer({}, status=500), "status 500", id="an error"),
        pytest.param(leading("http://rdap.registry.example/"), "not over TLS", id="a downgrade"),
        pytest.param(leading("https://10.0.0.1/x"), "not public", id="an inner address"),
        pytest.param(leading("https://[::1]/x"), "not public", id="loopback"),
        pytest.param(leading("https://inner.example/"), "no address that is", id="an inner name"),
        pytest.param(leading("https://[x/"), "not over TLS", id="no address at all"),
        pytest.param(leading("/round"), "more than 3 redirects", id="a loop"),
    ],
)
async def test_what_is_no_answer_is_unknown(world: World, handler: Handler, words: str) -> None:
    world.serve(handler)
    outcome = await world.run()
    detail = fires(rules.NOT_TOLD, outcome).detail
    assert any(each in detail for each in words.split("|")), detail
    assert outcome.severity is Severity.UNKNOWN
    assert outcome.failure == "registry-untold"
    assert len(world.asked) <= 4


async def test_a_slow_registry_is_unknown(world: World) -> None:
    world.serve(policy_host.silence)
    outcome = await world.run(check_of(timeout="500ms"))
    assert "no answer in time" in fires(rules.NOT_TOLD, outcome).detail


async def test_redirects_are_followed_a_few_times(world: World) -> None:
    places = [f"https://{REGISTRY}/2", "/3", "https://www.registry.example/4"]
    world.zone.records["www.registry.example", "A"] = world.zone.records[REGISTRY, "A"]
    world.host.context = world.authorities.server(IANA_HOST, REGISTRY, "www.registry.example")
    world.serve(leading(*places))
    world.hosts["www.registry.example"] = answer(domain())
    assert (await world.run()).findings == ()
    assert world.asked == [f"/v1/domain/{D}", "/2", "/3", "/4"]


async def test_a_certificate_that_is_not_trusted_ends_it_and_is_no_request(world: World) -> None:
    await world.run()
    world.clock.advance(DAY)
    await world.start()
    world.host.context = world.authorities.server(IANA_HOST, REGISTRY, known=False)
    outcome = await world.run()
    quiet(rules.NOT_TOLD, outcome)  # what was told yesterday counts for some days
    world.clock.advance(2 * DAY)
    assert "certificate" in fires(rules.NOT_TOLD, await world.run()).detail


async def test_a_registry_that_cannot_be_reached_is_tried_again_soon(world: World) -> None:
    address = world.zone.records.pop((REGISTRY, "A"))
    fires(rules.NOT_TOLD, await world.run())
    world.zone.records[REGISTRY, "A"] = address
    assert (await world.run()).findings == ()


async def test_a_registry_that_asks_for_rest_gets_it_from_all(world: World) -> None:
    world.serve(answer({}, status=429, Retry_After="172800"))
    assert "asked for rest" in fires(rules.NOT_TOLD, await world.run()).detail
    other = check_of("fabrikam.com")
    for _ in range(2):
        detail = fires(rules.NOT_TOLD, await world.run(other)).detail
        assert f"{REGISTRY} asked for rest until 2026-11-25 12:00 UTC" in detail
        assert len(world.asked) == 1
        world.clock.advance(DAY)
    world.serve(answer(domain(name="fabrikam.com")))
    assert (await world.run(other)).findings == ()


async def test_a_domain_that_nobody_knows_is_critical(world: World) -> None:
    world.serve(answer({"errorCode": 404}, status=404))
    outcome = await world.run()
    fires(rules.NOT_TOLD, outcome)  # DNS has it
    del world.zone.records[D, "NS"]
    outcome = await world.run()
    fires(rules.UNKNOWN_DOMAIN, outcome)
    assert outcome.severity is Severity.CRITICAL
    assert outcome.failure == ""
    assert len(world.asked) == 1


async def test_without_rdap_nobody_is_asked(world: World) -> None:
    world.serve(answer(domain()), answer(iana("net")))
    for _ in range(3):
        fires(rules.NO_RDAP, await world.run())
    assert world.asked == []
    assert world.fetched == 1


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (answer({}, status=503), "status 503"),
        (answer("x"), "no JSON"),
        (answer({}), "no services"),
        (policy_host.hang_up, "lost"),
    ],
)
async def test_without_ianas_file_it_is_unknown(world: World, file: Handler, words: str) -> None:
    world.serve(answer(domain()), file)
    for _ in range(2):
        outcome = await world.run()
        assert words in fires(rules.NOT_TOLD, outcome).detail
    assert world.fetched == 1
    assert world.asked == []
    world.serve(answer(domain()))
    world.clock.advance(DAY)
    assert (await world.run()).findings == ()


async def test_what_cannot_be_written_down_is_not_asked(world: World) -> None:
    async def commit(*_: object) -> None:
        message = "the disk is full"
        raise StoreError(message)

    world.tools.history._store = SimpleNamespace(commit=commit, write=lambda _: None)
    assert "store" in fires(rules.NOT_TOLD, await world.run()).detail
    assert world.asked == []
    world.tools.registries = None
    fires(rules.NOT_TOLD, await world.run())


def test_it_is_off_unless_enabled(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"

    def checks(text: str) -> list[str]:
        path.write_text(
            "agent: {state: ./state}\n" + text + "tenants:\n  - name: contoso\n    domains:\n"
            "      - name: contoso.com\n      - name: contoso.de\n"
            "        checks: {registration: off}\n"
        )
        found = config.load(path).checks
        return [each.subject for each in found if each.probe is PROBE]

    assert checks("") == []
    assert checks("checks: {registration: {interval: 2h}}\n") == []
    assert checks("checks: {registration: {enabled: true}}\n") == ["contoso.com"]


@pytest.mark.parametrize(
    ("for_all", "of_one", "clash"),
    [
        ("alarm_before: 61d", "autorenew: true", "alarm_before (1464h) is longer than warn_before"),
        ("warn_before: 90d", "alarm_before: 61d", ""),
        ("timeout: 2h", "autorenew: true", "timeout (2h) is longer than interval; make it 1h at"),
        ("timeout: 2h", "interval: 2h", ""),
    ],
)
def test_settings_are_judged_as_they_are_in_effect(
    tmp_path: Path, for_all: str, of_one: str, clash: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"agent: {{state: ./state}}\nchecks: {{registration: {{{for_all}}}}}\n"
        "tenants:\n  - name: contoso\n    domains:\n      - name: contoso.com\n"
        f"        checks: {{registration: {{enabled: true, {of_one}}}}}\n"
    )
    if not clash:
        assert PROBE in {each.probe for each in config.load(path).checks}
        return
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert f"domains[contoso.com].checks.registration: {clash}" in str(caught.value)
