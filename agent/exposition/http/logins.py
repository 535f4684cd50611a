"""Is this who they say they are?

Passwords are kept as bcrypt hashes, and a hash is slow on purpose: it is computed in a thread, one
at a time, and a login that was right is remembered under a keyed digest. A wrong one costs the same
whether there is such a user or not. Who asks while too many wait is told to come again: so guessing
keeps no processor busy for long, and nobody out who is logged in.
"""

import asyncio
import base64
import binascii
import enum
import hashlib
import hmac
import secrets
from collections.abc import Mapping

import bcrypt

COST = 10  # of new hashes: some 60 ms
MAX_PASSWORD = 72  # octets that count; bcrypt knows no more
_REMEMBERED = 256  # logins
_WAITING = 8  # logins to be computed, at most
_SALT = 29  # characters of a hash before the digest


class Verdict(enum.Enum):
    """What became of a login."""

    RIGHT = "right"
    WRONG = "wrong"
    BUSY = "busy"


class Logins:
    """The *users* of a web configuration. ``failed`` counts the wrong logins."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self.users = users
        self._hashes = {name.encode(): text.encode() for name, text in users.items()}
        # Computing it takes what the slowest user's takes, and it never matches.
        self._nobody = max(self._hashes.values(), key=_cost, default=b"")[:_SALT] + b"." * 31
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, None] = {}
        self._computing = asyncio.Semaphore(1)
        self._waiting = 0
        self.failed = 0

    async def check(self, header: str) -> Verdict:
        """Judge the value of an Authorization field (RFC 7617)."""
        pair = _pair(header)
        if pair is None:
            return Verdict.WRONG
        user, password = pair
        digest = hmac.digest(self._key, b"%d %b %b" % (len(user), user, password), hashlib.sha256)
        if digest in self._known:
            return Verdict.RIGHT
        if self._waiting >= _WAITING:
            return Verdict.BUSY
        self._waiting += 1
        try:
            async with self._computing:
                is_right = await asyncio.to_thread(self._matches, user, password)
        finally:
            self._waiting -= 1
        if not is_right:
            self.failed += 1
            return Verdict.WRONG
        while len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[digest] = None
        return Verdict.RIGHT

    def _matches(self, user: bytes, password: bytes) -> bool:
        hashed = self._hashes.get(user)
        matches = bcrypt.checkpw(password[:MAX_PASSWORD], hashed or self._nobody)
        return matches and hashed is not None


def _cost(hashed: bytes) -> bytes:
    """Return the cost of a hash, in its two digits."""
    return hashed[4:6]


def _pair(header: str) -> tuple[bytes, bytes] | None:
    """Return user and password of a field; None where it has another form."""
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def make_hash(password: str) -> str:
    """Return the hash of *password*. Raises ValueError for one that bcrypt would cut."""
    octets = password.encode()
    if not 1 <= len(octets) <= MAX_PASSWORD:
        message = f"a password has between 1 and {MAX_PASSWORD} octets"
        raise ValueError(message)
    return bcrypt.hashpw(octets, bcrypt.gensalt(COST)).decode("ascii")
