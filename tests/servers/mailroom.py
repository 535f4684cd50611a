"""The agent's mailroom in a tenant of its own, by a clock that is moved by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from agent.adapters.dialer import Dialer
from agent.adapters.ledger import Ledger
from agent.adapters.store import Store
from agent.adapters.wallet import Wallet
from agent.app.mailroom import Mailroom
from agent.app.options import Overrides, pairs
from agent.config import Config, build
from agent.domain.budget import Allowance, Budget
from agent.domain.finding import Outcome
from agent.domain.knowledge.microsoft_endpoints import Endpoints
from agent.probes.base import Toolbox
from agent.probes.route import RouteCheck, ledger_key, run
from servers.checks import DictResolver
from servers.entra import APPLICATION, TENANT
from servers.microsoft import SECRET, USER, Microsoft, authorities, microsoft

INBOX = "inbox@contoso.com"
MAIL_SCOPE = "https://mail.example/.default"


@dataclass
class Office:
    """A mailroom, and what it works with. ``folder`` is that of the configuration."""

    tenant: Microsoft
    ledger: Ledger
    tools: Toolbox
    room: Mailroom
    folder: Path
    credentials: dict[str, Any] = field(default_factory=dict)

    def route(self, **changes: Any) -> dict[str, Any]:
        """Return a route that sends and receives by Graph, with changes."""
        return {
            "name": "way",
            "send": {
                "graph": {"credential": "probe", "mailbox": USER},
                "mail_from": USER,
                "rcpt_to": INBOX,
            },
            "receive": {"graph": {"credential": "probe", "mailbox": INBOX}, "poll": "100ms"},
            **changes,
        }

    def config(self, *routes: dict[str, Any], **sections: Any) -> Config:
        """Return a configuration with these routes, or with the one that goes by Graph."""
        tenants = [{"name": "contoso", "routes": list(routes or (self.route(),))}]
        data = {"credentials": self.credentials, "tenants": tenants, **sections}
        return build(data, folder=self.folder)

    def check(self, config: Config, name: str = "way") -> RouteCheck:
        (found,) = (each for each in config.checks if each.subject == name)
        return found

    async def send(self, config: Config, name: str = "way") -> Outcome:
        """Run the check of a route once its places are known."""
        check = self.check(config, name)
        await self.room.opened(check.target)
        return await run(check, self.room.tools)

    def recent(self, config: Config, name: str = "way") -> Any:
        return self.ledger.recent(ledger_key(self.check(config, name)))


def toolbox(tenant: Microsoft, ledger: Ledger) -> Toolbox:
    missing = cast("Any", None)
    return Toolbox(
        resolver=cast("Any", DictResolver()),
        clock=tenant.clock,
        recall=missing,
        history=missing,
        ledger=ledger,
        dialer=Dialer(clock=tenant.clock),
        trust=authorities().store,
        wallet=Wallet(),
    )


@asynccontextmanager
async def office(folder: Path, **overrides: Any) -> AsyncIterator[Office]:
    """Run a tenant with the mailboxes USER and INBOX, and a mailroom that knows the way there."""
    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o600)
    async with microsoft() as tenant:
        tenant.service.box(INBOX)
        store = Store()
        await store.open()
        wide = Allowance(1000, Budget().minute.per)
        ledger = Ledger(store, tenant.clock, budget=Budget(route=wide, minute=wide))
        await ledger.start()
        tools = toolbox(tenant, ledger)
        places = Endpoints(tenant.provider.url, tenant.service.url, MAIL_SCOPE)
        room = Mailroom(tools, Overrides(**{"microsoft": places, **overrides}))
        credential = {
            "kind": "entra-client-credentials",
            "tenant_id": TENANT,
            "client_id": APPLICATION,
            "client_secret_file": "secret",
        }
        try:
            yield Office(tenant, ledger, tools, room, folder, {"probe": credential})
        finally:
            await room.close()
            await store.close()


def apply(it: Office, config: Config) -> None:
    """Make a configuration the one in force, as the agent does."""
    assert it.tools.wallet is not None
    it.tools.wallet.replace(pairs(config))
    it.room.apply(config)
