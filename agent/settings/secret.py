"""How does a password get from the operator to a server, and nowhere else?

A secret is never written in the configuration: it is the content of a file, or of an environment
variable. The value is read when it is used, so a secret that was rotated on disk is used at the
next connection, and it has no readable form in a traceback, a log, a page or a pickle.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

MAX_SECRET = 64 * 1024  # bytes; a private key with its chain fits
MASK = "********"


class SecretError(ValueError):
    """A secret could not be read; the message says why and never what."""


class Secret:
    """A reference to a value that must not be shown. Equal when it refers to the same place."""

    __slots__ = ("_read", "path", "source")

    def __init__(self, source: str, read: Callable[[], str], path: Path | None = None) -> None:
        self.source = source
        self.path = path
        self._read = read

    @classmethod
    def from_file(cls, path: Path) -> "Secret":
        """Return a secret that is the content of the file *path*."""
        return cls(f"file {path}", lambda: read_secret_file(path), path)

    @classmethod
    def from_environment(cls, name: str) -> "Secret":
        """Return a secret that is the value of the environment variable *name*."""
        return cls(f"${{{name}}}", lambda: _read_variable(name))

    def reveal(self) -> str:
        """Read the value now. Raises SecretError where it cannot be read."""
        return self._read()

    @property
    def readable_by_all(self) -> bool:
        """True where every user of the machine may read the file."""
        try:
            return self.path is not None and bool(self.path.stat().st_mode & stat.S_IROTH)
        except OSError:
            return False

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "a secret cannot be pickled or copied"
        raise TypeError(message)


def read_secret_file(path: Path) -> str:
    """Read a secret from *path*, without the line break at its end.

    Raises SecretError, with words that fit after the path, where that cannot be done.
    """
    try:
        if path.is_dir():
            message = "is a folder, not a file with a secret"
            raise SecretError(message)
        with path.open("rb") as file:
            raw = file.read(MAX_SECRET + 1)
    except FileNotFoundError:
        message = "does not exist"
        raise SecretError(message) from None
    except OSError as error:
        message = f"cannot be read: {os.strerror(error.errno or 0)}"
        raise SecretError(message) from None
    if len(raw) > MAX_SECRET:
        message = f"is larger than {MAX_SECRET // 1024} KiB; that is no secret"
        raise SecretError(message)
    return _decode(raw)


def _decode(raw: bytes) -> str:
    """Return the text of a secret; raise SecretError where it is empty or no text."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None:
        # Not in the handler: the codec's exception carries the bytes, and would come along.
        message = "is not UTF-8 text"
        raise SecretError(message)
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        message = "is empty"
        raise SecretError(message)
    return text


def _read_variable(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        message = f"the environment variable {name} is not set"
        raise SecretError(message)
    if not value.strip():
        message = f"the environment variable {name} is empty"
        raise SecretError(message)
    return value
