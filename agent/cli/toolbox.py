"""What does a command lend to the probes that it runs?"""

import contextlib
from collections.abc import AsyncIterator

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.dns_direct import Direct
from agent.adapters.egress import CONTROLS, Egress
from agent.adapters.history import History
from agent.adapters.https import Https
from agent.adapters.ledger import Ledger
from agent.adapters.plans import Recall
from agent.adapters.policies import Policies
from agent.adapters.resolver import Resolver
from agent.adapters.sightings import Sightings
from agent.adapters.store import Store
from agent.adapters.trust import TrustStore
from agent.adapters.wallet import Wallet
from agent.probes.base import Toolbox


@contextlib.asynccontextmanager
async def lending(resolver: Resolver, trust: TrustStore | None = None) -> AsyncIterator[Toolbox]:
    """Lend a toolbox that remembers nothing; without *trust* no certificate is trusted."""
    clock, store = SystemClock(), Store(None)
    dialer, trust = Dialer(clock=clock), trust or TrustStore(system=False)
    await store.open()
    try:
        yield Toolbox(
            resolver=resolver,
            clock=clock,
            recall=Recall(resolver),
            history=History(None),
            ledger=Ledger(store, clock),
            dialer=dialer,
            direct=Direct(clock),
            egress=Egress(CONTROLS, resolver=resolver, dialer=dialer, clock=clock),
            trust=trust,
            policies=Policies(Https(resolver=resolver, dialer=dialer, trust=trust), clock),
            wallet=Wallet(),
            sightings=Sightings(),
        )
    finally:
        await store.close()
