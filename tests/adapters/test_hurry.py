"""What waits to be tried again is tried at once when its cause is gone."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from agent.adapters.mailbox import Mailbox, PickupError, Trouble
from agent.adapters.pickup import Place
from agent.adapters.pickups import Pickups
from agent.adapters.token_credentials import ClientSecret
from agent.adapters.token_trouble import TokenError, TokenTrouble
from servers.entra import TENANT, Application, answers, entra
from servers.letters import BOX, desk
from servers.microsoft import SECRET, asking, authorities
from servers.standings import HandClock

SCOPE = "https://graph.microsoft.com/.default"


async def test_a_mailbox_that_rests_is_opened_again() -> None:
    tries = asyncio.Semaphore(0)

    async def closed() -> Mailbox:
        tries.release()
        raise PickupError(Trouble.UNREACHED, "no luck")

    async with desk() as it, asyncio.timeout(10):
        pickups = Pickups(it.intray, it.ledger, it.clock)
        pickups.replace({BOX: Place(closed, timedelta(seconds=5))})
        await tries.acquire()
        await pickups.known(BOX)
        pickups.hurry()
        await tries.acquire()  # long before the first pause of two seconds is over
        (state,) = pickups.states
        assert state.failures == 2
        await pickups.close()


async def test_a_token_is_asked_for_again() -> None:
    clock = HandClock()
    async with entra(clock, authorities()) as provider:
        provider.register(Application("app-1", SECRET))
        provider.fault = answers(lambda: web.Response(status=503))
        credential = ClientSecret(TENANT, "app-1", lambda: SECRET, authority=provider.url)
        async with asking(clock, probe=credential) as tokens:
            for _ in range(2):
                with pytest.raises(TokenError):
                    await tokens.get("probe", SCOPE)
            (status,) = tokens.status()
            assert (status.failures, status.is_blind) == (1, True)
            assert status.failure is not None
            assert status.failure.trouble is not TokenTrouble.REFUSED_SECRET
            provider.fault = None
            tokens.hurry()
            assert (await tokens.get("probe", SCOPE)).text
            (status,) = tokens.status()
            assert (status.failures, status.is_blind, status.failure) == (0, False, None)
