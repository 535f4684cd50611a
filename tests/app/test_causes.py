"""What is down, and is what it held up tried again once it is back?"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from agent.adapters.mailbox import PickupError, Trouble
from agent.adapters.pickup import PickupState
from agent.adapters.token_trouble import NoToken, TokenTrouble
from agent.adapters.tokens import CredentialStatus
from agent.app.causes import Causes
from agent.domain.peer_text import PeerText
from agent.runtime.dependencies import Dependencies

AWAY = NoToken(TokenTrouble.UNREACHABLE, PeerText("no connection"))


@dataclass
class Room:
    """A mailroom as far as it is looked at."""

    places: tuple[PickupState, ...] = ()
    statuses: tuple[CredentialStatus, ...] = ()
    hurried: int = 0
    asked: list[str] = field(default_factory=list)

    def states(self) -> tuple[PickupState, ...]:
        return self.places

    def credentials(self) -> tuple[CredentialStatus, ...]:
        return self.statuses

    def hurry(self) -> None:
        self.hurried += 1


def status(*, failure: NoToken | None = None, is_blind: bool = False) -> CredentialStatus:
    at: datetime | None = None
    return CredentialStatus("probe", at, at, failure, at, is_blind=is_blind)


def test_mailboxes_and_credentials_are_dependencies_by_their_names() -> None:
    dependencies, room = Dependencies(), Room()
    causes = Causes(dependencies, cast("Any", room))
    closed = PickupState("graph a@b.c", trouble=PickupError(Trouble.PERMISSION, "no"))
    room.places = (closed, PickupState("imap d", opened=True))
    room.statuses = (status(failure=AWAY, is_blind=True),)
    causes.look()
    assert dependencies.up == {
        "resolver": True,
        "uplink": True,
        "mailbox graph a@b.c": False,
        "mailbox imap d": True,
        "credential probe": False,
    }
    room.places, room.statuses = (PickupState("imap d"),), (status(failure=AWAY),)
    causes.look()
    assert dependencies.up == {
        "resolver": True,
        "uplink": True,
        "mailbox imap d": True,
        "credential probe": True,
    }


def test_what_failed_is_tried_again_when_its_cause_is_gone_and_only_then() -> None:
    dependencies, room = Dependencies(), Room()
    causes = Causes(dependencies, cast("Any", room))
    closed = PickupState("imap d", trouble=PickupError(Trouble.UNREACHED, "no"))
    room.places = (closed,)
    dependencies.note("uplink", "None of 2 hosts can be connected to.")
    causes.look()
    causes.look()
    assert room.hurried == 0
    dependencies.note("uplink")
    causes.look()
    assert room.hurried == 1
    closed.trouble = None
    causes.look()
    assert room.hurried == 1
