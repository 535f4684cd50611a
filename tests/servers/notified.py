"""What a supervisor hears: the datagrams that sd_notify(3) describes, on a real socket."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Notified:
    """A supervisor's socket."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    @classmethod
    @contextmanager
    def at(cls, address: str) -> Iterator[Self]:
        """Listen at a path, or at an abstract name that begins with ``@``."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind("\0" + address[1:] if address.startswith("@") else address)
            listener.setblocking(False)  # noqa: FBT003 - the library's own signature
            yield cls(listener)

    def heard(self) -> list[str]:
        """Return the lines that have come so far."""
        lines = []
        try:
            while True:
                lines += self._listener.recv(4096).decode().split("\n")
        except BlockingIOError:
            return lines

    async def until(self, line: str, seconds: float = 30) -> list[str]:
        """Wait for a line that begins so, and return all up to it."""
        lines: list[str] = []
        async with asyncio.timeout(seconds):
            while not any(each.startswith(line) for each in lines):
                datagram = await asyncio.get_running_loop().sock_recv(self._listener, 4096)
                lines += datagram.decode().split("\n")
        return lines
