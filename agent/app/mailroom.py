"""How is everything put together that sends synthetic messages and picks them up?

Built once, and told of each configuration that comes into force. What did not change goes on as it
was: kept connections, tokens, and the messages under way.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from agent.adapters.dialer import Reach
from agent.adapters.graph import Graph
from agent.adapters.graph_trace import Traces
from agent.adapters.https_api import Api
from agent.adapters.intray import Intray
from agent.adapters.keyring import Keyring
from agent.adapters.ledger import SINK
from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.outbox import Outbox
from agent.adapters.pickup import PickupState, Place
from agent.adapters.pickups import Pickups
from agent.adapters.tokens import CredentialStatus, Tokens
from agent.adapters.tracer import Traceable, Tracer
from agent.app import credentials
from agent.app.mail_places import Opening, shared
from agent.app.options import Overrides, route_checks, routes
from agent.app.own_server import OwnServer
from agent.config import Config
from agent.domain.knowledge.microsoft_endpoints import Endpoints
from agent.domain.message import author_of
from agent.probes.base import Toolbox
from agent.probes.route import ledger_key
from agent.settings import Receive, RouteSubject
from agent.settings.route_plan import watched


class Mailroom:
    """Outbox, intray, places of pick-up, and the agent's own SMTP server.

    *tools* are those of the agent without what is made here; ``lent`` are the whole.
    """

    def __init__(self, tools: Toolbox, overrides: Overrides) -> None:
        assert tools.wallet is not None  # noqa: S101 - the agent has one
        self._tools, self._overrides = tools, overrides
        reach: Reach = "public" if overrides.microsoft is None else "any"
        self._api = Api(
            resolver=tools.resolver, dialer=tools.dialer, trust=tools.trust, reach=reach
        )
        self._platform = Api(
            resolver=tools.resolver,
            dialer=tools.dialer,
            trust=tools.trust,
            reach=reach,
            is_platform=True,
        )
        self.keyring = Keyring()
        self.intray = Intray(tools.ledger)
        self.pickups = Pickups(self.intray, tools.ledger, tools.clock)
        self._tracer = Tracer(tools.ledger, tools.clock)
        self._tracing: asyncio.Task[None] | None = None
        self._credentials: Mapping[str, object] = {}
        self._receives: Mapping[str, Receive] = {}
        self._clouds: dict[str, Endpoints] = {}
        self._graphs: dict[str, Graph] = {}
        self._traces: dict[str, Traces] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._recipients: set[str] = set()
        self._places: dict[str, Place] = {}
        self._own_server = OwnServer(
            self.intray, tools.clock, lambda: self._recipients, tools.ledger.intake.alive
        )
        self.outbox = Outbox(
            resolver=tools.resolver,
            dialer=tools.dialer,
            trust=tools.trust,
            clock=tools.clock,
            keyring=self.keyring,
            wallet=tools.wallet,
            graph=self.graph,
            egress=tools.egress,
        )

    @property
    def tools(self) -> Toolbox:
        """The tools that routes are run with."""
        return replace(
            self._tools,
            outbox=self.outbox,
            pickups=self.pickups,
            credentials=self.credentials,
        )

    async def opened(self, route: RouteSubject, seconds: float = 30.0) -> None:
        """Wait until the places of a route have been looked into, or cannot be, or it is late."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for end in ends(route):
                    await self.pickups.known(end.home)

    def graph(self, credential: str) -> Graph:
        """Return the client of Graph that shows the tokens of *credential*.

        Raises PickupError where there is none, as for a route that is gone with its credential.
        """
        if credential not in self._graphs:
            raise PickupError(Trouble.TOKEN, f"there is no credential {credential}")
        return self._graphs[credential]

    def graph_scope(self, credential: str) -> str:
        """Return the scope of the tokens that Graph takes from *credential*."""
        return f"{self._clouds[credential].graph}/.default"

    def states(self) -> tuple[PickupState, ...]:
        """Return how every place of pick-up does."""
        return self.pickups.states

    def credentials(self) -> tuple[CredentialStatus, ...]:
        """Return how it stands with each credential of Entra."""
        tokens = self.keyring.tokens
        return () if tokens is None else tokens.status()

    def hurry(self) -> None:
        """Try again at once what has failed, because its cause is gone."""
        if self.keyring.tokens is not None:
            self.keyring.tokens.hurry()
        self.pickups.hurry()

    def apply(self, config: Config) -> None:
        """Make a configuration the one in force."""
        is_other = self.log_in(config)
        checks = route_checks(config)
        self.intray.replace({ledger_key(each): watched(each.target) for each in checks})
        # A message sent for a route that is gone must still be let in, so none is ever removed.
        for each in checks:
            self._recipients |= recipients(each.target)
        opening = Opening(config, self._tools, self.keyring, self.graph)
        before, self._receives = self._receives, places_of(config)
        self._tools.ledger.intake.homes = frozenset({SINK, *self._receives})
        places = {
            home: Place(partial(opening.open, receive), receive.poll, receive.cleanup)
            for home, receive in self._receives.items()
        }
        anew = {home for home in places if is_other or self._receives[home] != before.get(home)}
        # What was sent for a route that is gone is still followed to its end.
        for home in self._tools.ledger.homes_in_flight() & self._places.keys():
            places.setdefault(home, self._places[home])
        self._places = places
        self.pickups.replace(places, anew=anew)
        self._trace(config)

    def log_in(self, config: Config) -> bool:
        """Take up the credentials; return whether they are others than before.

        Tokens are kept unless something about them changed.
        """
        if config.credentials == self._credentials:
            return False
        self._credentials = dict(config.credentials)
        clouds = self._clouds = {
            name: self._endpoints(cloud)
            for name, cloud in credentials.clouds(config.credentials).items()
        }
        old = self.keyring.tokens
        known = credentials.for_tokens(config.credentials, clouds)
        tokens = None
        if known:
            tokens = Tokens(known, api=self._api, clock=self._tools.clock, platform=self._platform)
        self.keyring.replace(credentials.keys(config.credentials, clouds), tokens)
        self._graphs, self._traces = {}, {}
        if tokens is not None:
            self._graphs = {
                name: Graph(
                    api=self._api,
                    tokens=tokens,
                    credential=name,
                    clock=self._tools.clock,
                    base_url=cloud.graph,
                )
                for name, cloud in clouds.items()
            }
        if old is not None:
            closing = asyncio.get_running_loop().create_task(old.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return True

    def _endpoints(self, cloud: Endpoints) -> Endpoints:
        return self._overrides.microsoft or cloud

    def _trace(self, config: Config) -> None:
        """Have the message trace asked for the routes that name it."""
        traced: dict[str, Traceable] = {}
        for check in route_checks(config):
            trace, send = check.target.trace, check.target.send
            if trace is not None:
                name = trace.credential
                traces = self._traces.setdefault(
                    name, Traces(self._graphs[name], self._tools.clock)
                )
                author = author_of(send.mail_from, send.rcpt_to, send.header_from)
                traced[ledger_key(check)] = Traceable(traces, author.rpartition("@")[2])
        self._tracer.replace(traced)
        if traced and self._tracing is None:
            self._tracing = asyncio.get_running_loop().create_task(self._tracer.run())

    async def open_sink(self, config: Config) -> None:
        """Have the sink listen once there is a route that ends in it. Raises ListenError."""
        wanted = any(end.home == "sink" for route in routes(config) for end in ends(route))
        if wanted:
            await self._own_server.open(config, self._overrides.sink)

    async def close(self) -> None:
        """Stop listening, leave every mailbox, and log out."""
        await self._own_server.close()
        if self._tracing is not None:
            self._tracing.cancel()
            await asyncio.gather(self._tracing, return_exceptions=True)
        await self.pickups.close()
        if self.keyring.tokens is not None:
            await self.keyring.tokens.close()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._api.close()
        await self._platform.close()


def ends(route: RouteSubject) -> tuple[Receive, ...]:
    """Return the places of pick-up of a route."""
    bounces = route.bounces
    return (route.receive,) if bounces is None else (route.receive, bounces)


def places_of(config: Config) -> dict[str, Receive]:
    """Return the mailboxes to look into, by name; all routes that end in one share it."""
    found: dict[str, Receive] = {}
    for receive in (end for route in routes(config) for end in ends(route)):
        known = found.get(receive.home)
        if receive.home != "sink":
            found[receive.home] = receive if known is None else shared(known, receive)
    return found


def recipients(route: RouteSubject) -> set[str]:
    """Return whom the sink takes mail for because of a route, in lower case."""
    send, receive, bounces = route.send, route.receive, route.bounces
    found = {send.rcpt_to}
    if bounces is not None and bounces.home == "sink":
        found.add(send.mail_from)
    if receive.home == "sink" and receive.reflector:
        # Machines answer the sender of the envelope, those who forward the author too.
        found |= {send.mail_from, send.header_from or ""}
    return {each.lower() for each in found if each}
