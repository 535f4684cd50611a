"""What does the web configuration say, and what is wrong with it?

The file beside the configuration that says how the listener speaks TLS and who may log in. It is
judged as a whole, with the files it names, and every mistake is told at once; no value that may be
a secret is.
"""

import hashlib
import ssl
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path as FilePath
from typing import Any

from agent.config import web_tls
from agent.config.errors import ConfigError, Path, Problem, follow, write_path, write_value
from agent.config.salvage import Salvage, validate
from agent.config.schema import Guide
from agent.config.sources import Source, gather
from agent.config.web_model import TlsServer, WebFile
from agent.config.words import explain
from agent.settings import MASK

_SECRET = {"key", "cert", "client_ca"}
_SECTION = "tls_server_config"
_PEM = {f"{_SECTION}.{key}" for key in _SECRET}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """A web configuration that holds.

    ``context`` is None without TLS; ``requires_certificate``: nobody gets in without one that is
    verified; ``sans``: of which names it has one, where there are any. ``users`` are hashes by
    name. One request is answered each ``interval``, and ``burst`` at once; no interval: no limit.
    ``notes`` are no mistakes but worth a line.
    """

    context: ssl.SSLContext | None = None
    requires_certificate: bool = False
    sans: frozenset[str] = frozenset()
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    interval: timedelta = timedelta()
    burst: int = 0
    notes: tuple[Problem, ...] = ()

    @property
    def has_login(self) -> bool:
        """Whether nobody gets in without saying who they are."""
        return bool(self.users) or self.requires_certificate


@dataclass(frozen=True, slots=True)
class Examined:
    """One look at a file: what it says (None: it is wrong), its mistakes, and what was read."""

    config: WebConfig | None
    problems: tuple[Problem, ...]
    files: tuple[FilePath, ...]


def read_web_config(path: FilePath) -> WebConfig:
    """Read the web configuration at *path*, and the files it names.

    It reads files: to be called in a thread. Raises ConfigError with every mistake.
    """
    examined = examine(path)
    if examined.config is None:
        raise ConfigError(examined.problems)
    return examined.config


def examine(path: FilePath) -> Examined:
    """Judge the file at *path*. Never raises; it reads files: to be called in a thread."""
    return _Reading(path).examined()


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach what listens on *host*."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_everywhere(host: str) -> bool:
    """Tell whether *host* stands for every address of this machine, and so leads nowhere."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def fingerprint(paths: Iterable[FilePath]) -> str:
    """Return what changes when the content of one of *paths* does, or whether it can be read."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"\0{path}\0".encode())
        try:
            if path.is_file():
                digest.update(path.read_bytes())
        except OSError as error:
            digest.update(f"{error.errno}".encode())
    return digest.hexdigest()


@cache
def _guide() -> Guide:
    return Guide(WebFile)


class _Reading:
    """One reading of the file."""

    def __init__(self, path: FilePath) -> None:
        self._path = path
        self._problems: list[Problem] = []
        self._notes: list[Problem] = []
        self._data: Any = {}
        self._source: Source | None = None
        self._files = [path]

    def examined(self) -> Examined:
        config = self._config()
        problems = tuple(sorted(set(self._problems)))
        return Examined(None if problems else config, problems, tuple(self._files))

    def _config(self) -> WebConfig | None:
        if self._path.is_dir():
            self._problems.append(Problem(str(self._path), 0, "", "", "is a folder, not a file"))
            return None
        merged = gather(self._path)
        # PEM has lines, which no other value may have. Empty is wrong, as while it is written.
        self._problems += [each for each in merged.problems if each.path not in _PEM]
        if not merged.readable and self._problems:
            return None
        self._source = merged.sources[0] if merged.sources else None
        self._data = merged.data
        salvage = Salvage(self._data)
        file, errors = validate(WebFile, salvage, {})
        for path, error in errors:
            # A name of a user is no key that is declared: pydantic puts a mark behind it.
            self._note(path, explain(error, path, self._data, _guide()))
        return self._made(file) if isinstance(file, WebFile) else None

    def _made(self, file: WebFile) -> WebConfig:
        section = file.tls_server_config
        context = None if section is None else self._secure(section)
        self._remark(file)
        limit = file.rate_limit
        return WebConfig(
            context=context,
            requires_certificate=context is not None and context.verify_mode is ssl.CERT_REQUIRED,
            sans=frozenset(section.client_allowed_sans) if section else frozenset(),
            users=dict(file.basic_auth_users),
            headers=file.headers,
            interval=limit.interval,
            burst=max(1, limit.burst),
            notes=tuple(self._notes),
        )

    def _secure(self, section: TlsServer) -> ssl.SSLContext | None:
        folder = self._path.parent
        self._files += [folder / path for key in web_tls.FILES if (path := getattr(section, key))]

        def told(key: str, message: str) -> None:
            self._note((_SECTION, key), message)

        found = web_tls.read_files(section, folder, told)
        if section.key_file is not None and _is_open(folder / section.key_file):
            self._remind((_SECTION, "key_file"), "can be read by every user of this machine")
        return web_tls.make_context(section, found, told)

    def _remark(self, file: WebFile) -> None:
        """Note what is accepted and makes no difference, or leaves a door open."""
        if len({text[4:6] for text in file.basic_auth_users.values()}) > 1:
            told = "their hashes differ in cost, so that their names can be found out by timing"
            self._remind(("basic_auth_users",), told)
        section, http = self._data.get(_SECTION), self._data.get("http_server_config")
        if isinstance(http, dict) and http.get("http2") is True:
            self._remind(("http_server_config", "http2"), "is not spoken; HTTP/1.1 is")
        if isinstance(section, dict) and "curve_preferences" in section:
            self._remind((_SECTION, "curve_preferences"), "is left to the TLS library")
        if file.basic_auth_users and file.tls_server_config is None:
            said = "passwords go over the network in clear without tls_server_config"
            self._remind(("basic_auth_users",), said)

    def _note(self, path: Path, message: str) -> None:
        value = follow(self._data, path)
        is_unknown = message.startswith("unknown key")
        shown = "" if is_unknown or isinstance(value, dict | tuple) else _shown(value, path)
        self._problems.append(self._problem(path, shown, message))

    def _remind(self, path: Path, message: str) -> None:
        self._notes.append(self._problem(path, "", message))

    def _problem(self, path: Path, shown: str, message: str) -> Problem:
        return Problem(
            str(self._path), self._line(path), write_path(path, self._data), shown, message
        )

    def _line(self, path: Path) -> int:
        places = {} if self._source is None else self._source.places
        for length in range(len(path), 0, -1):
            if path[:length] in places:
                return places[path[:length]].line
        return 0


def _shown(value: object, path: Path) -> str:
    """Write a value unless it may be a secret, or is one in a wrong place."""
    if path[:1] == ("basic_auth_users",) or path[-1] in _SECRET:
        return "" if value is None else MASK
    return write_value(value, path)


def _is_open(path: FilePath) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
