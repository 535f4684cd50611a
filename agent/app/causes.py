"""What is down that many routes need, and what must be tried again once it is back?

Mailboxes and tokens are tried at longer and longer intervals while they fail. When that which had
kept the agent from them is over, nobody waits for the rest of the pause.
"""

from agent.adapters.tokens import CredentialStatus
from agent.app.mailroom import Mailroom
from agent.runtime.dependencies import Dependencies


class Causes:
    """Keeps *dependencies* told of the mailboxes and credentials of the *mailroom*."""

    def __init__(self, dependencies: Dependencies, mailroom: Mailroom) -> None:
        self._dependencies, self._mailroom = dependencies, mailroom
        self._down: frozenset[str] = frozenset()

    def look(self) -> None:
        """Take in how everything does now; to be called about every second."""
        places, statuses = self._mailroom.states(), self._mailroom.credentials()
        self._dependencies.note_all(
            "mailbox", {each.home: each.cause if each.trouble else "" for each in places}
        )
        self._dependencies.note_all("credential", {each.name: _cause(each) for each in statuses})
        down = frozenset(each for each in self._dependencies.down if not _is_mailbox(each))
        if self._down - down:
            self._mailroom.hurry()
        self._down = down


def _cause(status: CredentialStatus) -> str:
    """Say why no token is got with a credential, and none is left; empty where there is one."""
    if status.failure is None or not status.is_blind:
        return ""
    return f"{status.failure.trouble}: {status.failure.detail}"


def _is_mailbox(name: str) -> bool:
    return name.startswith("mailbox ")
