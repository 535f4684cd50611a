"""How is a place of pick-up opened, as the operator described it?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from agent.adapters.graph import Graph
from agent.adapters.graph_mailbox import GraphMailbox
from agent.adapters.imap import ImapPlace, open_imap
from agent.adapters.imap_login import ImapLogin
from agent.adapters.keyring import Keyring, KeyringError
from agent.adapters.mailbox import Folder, Mailbox, PickupError, Trouble
from agent.adapters.maildir import MaildirMailbox
from agent.config import Config
from agent.probes.base import Toolbox
from agent.settings import ImapReceive, Receive

_TIMEOUT = timedelta(seconds=30)  # of one command to a mail server
_CAREFUL = ("delete", "dry-run", "keep")  # each more than the one before
_EVERYTHING = (Folder.INBOX, Folder.JUNK, Folder.SENT, Folder.DELETED)


@dataclass(frozen=True, slots=True)
class Opening:
    """What is needed to open any place."""

    config: Config
    tools: Toolbox
    keyring: Keyring
    graph: Callable[[str], Graph]

    async def open(self, receive: Receive) -> Mailbox:
        """Open a place. Raises PickupError."""
        if receive.imap is not None:
            return await self._imap(receive.imap)
        if receive.graph is not None:
            place = receive.graph
            mailbox = GraphMailbox(
                self.graph(place.credential),
                place.mailbox,
                clock=self.tools.clock,
                folders=_EVERYTHING,
                others=place.folders,
            )
            await mailbox.open()
            return mailbox
        assert receive.maildir is not None  # noqa: S101 - the sink is no place to open
        return MaildirMailbox(self.config.folder / receive.maildir.path)

    async def _imap(self, place: ImapReceive) -> Mailbox:
        async def log_in() -> ImapLogin:
            try:
                return await self.keyring.imap_login(place.credential, place.mailbox or "")
            except KeyringError as error:
                raise PickupError(Trouble.TOKEN, error.detail, fix=error.fix) from None

        return await open_imap(
            ImapPlace(
                host=place.host,
                port=place.port,
                tls=place.tls,
                login=log_in,
                folders=place.folders,
            ),
            resolver=self.tools.resolver,
            dialer=self.tools.dialer,
            trust=self.tools.trust,
            clock=self.tools.clock,
            timeout=_TIMEOUT,
        )


def shared(one: Receive, other: Receive) -> Receive:
    """Return one place of pick-up that serves two routes which end in the same mailbox.

    It is looked into as often and in as many folders as either of them asks for, and nothing is
    deleted that one of them wants kept.
    """
    folders = dict.fromkeys((*_folders(one), *_folders(other)))
    changed: dict[str, object] = {
        "poll": min(one.poll, other.poll),
        "cleanup": max(one.cleanup, other.cleanup, key=_CAREFUL.index),
    }
    for kind in ("imap", "graph"):
        place = getattr(one, kind)
        if place is not None:
            changed[kind] = place.model_copy(update={"folders": tuple(folders)})
    return one.model_copy(update=changed)


def _folders(receive: Receive) -> tuple[str, ...]:
    place = receive.imap or receive.graph
    return () if place is None else place.folders
