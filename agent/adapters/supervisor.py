"""Who supervises the process, and how does it hear that all is well?

systemd gives a unit of ``Type=notify`` a datagram socket. What may be written to it, and what each
line means, is in sd_notify(3). Where there is no such socket nobody listens, and nothing is said.
"""

import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Collection, MutableMapping
from contextlib import asynccontextmanager
from typing import Self

_LONGEST = 200  # characters of a status line
_log = logging.getLogger(__name__)


class Supervisor:
    """Tells the supervisor at *address* what the process does; without an address nobody.

    An address is a path, or an abstract name that begins with ``@``. Nothing here waits or raises:
    a supervisor that does not listen is logged once, and is no reason to stop watching mail.
    ``expects_beats`` is whether it ends a process that it does not hear of.
    """

    def __init__(self, address: str = "", *, expects_beats: bool = False) -> None:
        self.expects_beats = expects_beats
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._well = self._status = ""
        self._is_deaf = False

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> Self:
        """Read who supervises from the *environment*, and take it out, so that no child has it."""
        address = environment.pop("NOTIFY_SOCKET", "")
        seconds = environment.pop("WATCHDOG_USEC", "")
        process = environment.pop("WATCHDOG_PID", str(os.getpid()))
        # Another kind of address, such as vsock:, is of virtual machines.
        return cls(
            address if address.startswith(("/", "@")) else "",
            expects_beats=bool(seconds) and process == str(os.getpid()),
        )

    def ready(self, status: str) -> None:
        """Say that the start is over; *status* is what to show while all is well."""
        self._well = self._status = status
        self._say("READY=1", _line(status))

    @asynccontextmanager
    async def reloading(self) -> AsyncIterator[None]:
        """Say that the configuration is being read, and when that is over, however it ends."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self._say("READY=1")

    def stopping(self) -> None:
        """Say that the process ends as it was asked to."""
        self._say("STOPPING=1", "STATUS=Stopping")

    def beat(self, rejected: Collection[str], overdue: Collection[str]) -> None:
        """Say that all is well, unless tasks are *overdue*.

        ``systemctl status`` shows it, and the first mistake of a file that was *rejected*.
        """
        status = self._well
        if overdue:
            status = f"No sign of life of {', '.join(overdue)}"
        elif rejected:
            status = f"Watching; the new configuration was rejected: {next(iter(rejected))}"
        lines = ["WATCHDOG=1"] if self.expects_beats and not overdue else []
        if status != self._status:
            self._status = status
            lines.append(_line(status))
        if lines:
            self._say(*lines)

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.setblocking(False)  # noqa: FBT003 - the library's own signature
                speaker.sendto("\n".join(lines).encode(errors="replace"), self._address)
        except OSError as error:
            if not self._is_deaf:
                self._is_deaf = True
                _log.warning("the supervisor does not listen", extra={"cause": str(error)})


def _line(status: str) -> str:
    return "STATUS=" + " ".join(status.split())[:_LONGEST]
