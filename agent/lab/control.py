"""How does another terminal break and mend the lab that is running?

By lines over a socket in the state folder, which only its owner may open: a word and a fault's
name in, lines out, the first of which says whether it went well.
"""

import asyncio
import errno
import socket
from pathlib import Path
from typing import Self

from agent.lab.faults import BY_NAME, World

NAME = "lab.sock"  # in the state folder
MAX_LINE = 200  # octets of a request


class Control:
    """Listens for orders to break and mend a world."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._path = folder / NAME
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if _is_answered(self._path):
            raise OSError(errno.EADDRINUSE, "another lab runs there; stop it, or set another state")
        self._path.unlink(missing_ok=True)  # of a lab that was killed
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_LINE)
        self._path.chmod(0o600)
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            writer.write(self._obey(line.decode("ascii", "replace").split()).encode())
            await writer.drain()
        except (ValueError, ConnectionError):
            pass  # a line without an end, or nobody listens any more
        finally:
            writer.close()

    def _obey(self, words: list[str]) -> str:
        match words:
            case ["break", name] if name in BY_NAME:
                self._world.break_(name)
            case ["mend", "all"]:
                self._world.mend()
            case ["mend", name] if name in BY_NAME:
                self._world.mend(name)
            case ["broken"]:
                pass
            case _:
                return "no\n"
        return "\n".join(("yes", *self._world.broken)) + "\n"


def _is_answered(path: Path) -> bool:
    """Tell whether somebody listens on the socket at *path*."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
        except OSError:
            return False
        return True


def order(folder: Path, *words: str) -> tuple[str, ...]:
    """Give an order to the lab that runs with this state folder; return the faults that are on.

    Raises OSError where no lab runs there, and ValueError for an order that it refuses.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(folder / NAME))
        connection.sendall(" ".join(words).encode() + b"\n")
        with connection.makefile(encoding="ascii") as answer:
            said, *broken = answer.read().splitlines() or ["no"]
    if said != "yes":
        message = f"the lab refuses {' '.join(words)!r}"
        raise ValueError(message)
    return tuple(broken)
