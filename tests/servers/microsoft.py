"""Entra and Graph together, and the agent's clients of both, ready to be used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

from agent.adapters.dialer import Dialer
from agent.adapters.graph import Graph as Client
from agent.adapters.https_api import Api
from agent.adapters.token_credentials import ClientSecret, Credential
from agent.adapters.tokens import Tokens
from servers.checks import DictResolver
from servers.entra import APPLICATION, TENANT, Application, Entra, entra
from servers.graph import Graph, graph
from servers.standings import HandClock
from servers.tls import Authorities

ALL = {"Mail.Send", "Mail.ReadWrite", "ExchangeMessageTrace.Read.All"}
SECRET = "canary~client~secret~8Q"
USER = "probe@contoso.com"


@cache
def authorities() -> Authorities:
    return Authorities()


def api(clock: HandClock, *, is_platform: bool = False) -> Api:
    return Api(
        resolver=DictResolver(),
        dialer=Dialer(clock=clock),
        trust=authorities().store,
        is_platform=is_platform,
    )


@dataclass
class Microsoft:
    """A tenant with one application, and the agent as that application."""

    clock: HandClock
    provider: Entra
    service: Graph
    application: Application
    api: Api
    tokens: Tokens
    client: Client


@asynccontextmanager
async def asking(clock: HandClock, **credentials: Credential) -> AsyncIterator[Tokens]:
    """Give tokens for *credentials*, and close what they were got with."""
    client = api(clock, is_platform=True)
    tokens = Tokens(credentials, api=client, clock=clock)
    try:
        yield tokens
    finally:
        await tokens.close()
        await client.close()


@asynccontextmanager
async def microsoft(*, mailbox: bool = True) -> AsyncIterator[Microsoft]:
    """Run a tenant with the mailbox USER."""
    clock = HandClock()
    async with entra(clock, authorities()) as provider, graph(provider, authorities()) as service:
        application = provider.register(
            Application(APPLICATION, SECRET, permissions=set(ALL), mailboxes=None)
        )
        if mailbox:
            service.box(USER)
        credential = ClientSecret(TENANT, APPLICATION, lambda: SECRET, authority=provider.url)
        async with asking(clock, probe=credential) as tokens:
            reach = api(clock)
            client = Client(
                api=reach, tokens=tokens, credential="probe", clock=clock, base_url=service.url
            )
            try:
                yield Microsoft(clock, provider, service, application, reach, tokens, client)
            finally:
                await reach.close()
