"""What does the configuration say, and what is wrong with it?

The one way in: read the files, judge them as a whole, and give either a configuration that holds or
every mistake at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path as FilePath
from typing import Any, Literal

from agent.adapters.uncollected import uncollected
from agent.config.advice import NO_PAGE, advice, without_exports
from agent.config.courtesy import hasty
from agent.config.errors import ConfigError, Path, Problem, follow, write_path, write_value
from agent.config.expand import expand
from agent.config.model import Probes, file_model
from agent.config.objectives import unwatchable
from agent.config.salvage import Salvage, validate
from agent.config.scalars import trap
from agent.config.schema import guide_to
from agent.config.sections import AgentSection, BudgetSection, SinkSection
from agent.config.semantics import kinds_of, mistakes
from agent.config.show import in_force
from agent.config.sources import Merged, gather
from agent.config.strict_yaml import write
from agent.config.web_config import examine, is_everywhere, is_loopback
from agent.config.words import explain
from agent.probes.base import Check, discover
from agent.settings import HostPort

Resolvers = tuple[HostPort | Literal["system"], ...]


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that holds. ``checks`` is what follows from it, in the order of the file.

    ``warnings`` are no mistakes but worth a line; ``digest`` tells two contents apart; ``file`` is
    the model of the file itself, for those who need more than the sections named here.
    """

    agent: AgentSection
    resolvers: Resolvers
    credentials: Mapping[str, Any]
    sink: SinkSection
    budget: BudgetSection
    checks: tuple[Check[Any, Any], ...]
    folder: FilePath
    digest: str
    warnings: tuple[Problem, ...]
    file: Any

    @property
    def web_config(self) -> FilePath | None:
        """The web configuration file, relative to the configuration's folder."""
        return None if self.agent.web_config is None else self.folder / self.agent.web_config

    @property
    def state(self) -> FilePath:
        """The folder for what must survive a restart, relative to the configuration's."""
        return self.folder / self.agent.state

    def shown(self) -> str:
        """Return what is in force, defaults included and secrets masked, as YAML."""
        return write(in_force(self.file, self.checks))


def load(  # noqa: PLR0913 - each is a thing of its own that a caller may leave out
    path: FilePath,
    *,
    probes: Probes | None = None,
    override: Mapping[str, Any] | None = None,
    beneath: Mapping[str, Any] | None = None,
    today: date | None = None,
    exports: bool = True,
) -> Config:
    """Read the file or folder *path*.

    *probes* are those of the package unless given; *override* goes over what the files say, section
    by section and key by key, and *beneath* counts where they say nothing; *today* decides what is
    over; *exports* warns where those of tenants are not there. Raises ConfigError with every
    mistake.
    """
    folder = path if path.is_dir() else path.parent
    with uncollected():
        reading = _Reading(gather(path), folder, probes, (beneath, override), today)
        return reading.config(exports=exports)


def build(
    data: Mapping[str, Any], *, probes: Probes | None = None, folder: FilePath = FilePath()
) -> Config:
    """Make a configuration from plain data. Raises ConfigError with every mistake."""
    merged = Merged(_as_read(data), (), (), readable=True, digest="")
    return _Reading(merged, folder, probes).config()


class _Reading:
    """One reading of a configuration, on its way to a Config or to its mistakes."""

    def __init__(
        self,
        merged: Merged,
        folder: FilePath,
        probes: Probes | None,
        around: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] = (None, None),
        today: date | None = None,
    ) -> None:
        self._merged = merged
        self._folder = folder
        self._today = today or datetime.now(UTC).date()
        self._probes = discover() if probes is None else probes
        beneath, over = (_as_read(each or {}) for each in around)
        self._data = _overridden(_overridden(beneath, merged.data), over)
        self._problems = list(merged.problems)
        self._told = {(problem.file, problem.path) for problem in merged.problems}

    def config(self, *, exports: bool = False) -> Config:
        """Return the configuration. Raises ConfigError with every mistake."""
        if not self._merged.readable:
            raise ConfigError(self._problems)
        salvage = Salvage(self._data)
        file, errors = validate(file_model(self._probes), salvage, {"folder": self._folder})
        if errors:
            guide = guide_to(self._probes)
            for path, error in errors:
                self._note(path, explain(error, path, self._data, guide))
        if file is None:
            raise ConfigError(self._problems)
        checks = self._judge(file, salvage)
        notes = self._of_the_web(file)
        warnings = (*self._warn(file, salvage, checks, exports=exports), *notes)
        if self._problems:
            raise ConfigError(self._problems, warnings)
        return self._made(file, checks, warnings)

    def _judge(self, file: Any, salvage: Salvage) -> tuple[Check[Any, Any], ...]:
        """Expand *file*, and note how its parts do not fit together."""
        checks, clashes = expand(file, self._probes)
        for path, message in (*clashes, *mistakes(file, self._data, checks)):
            self._note(salvage.original(path), message)
        return checks

    def _of_the_web(self, file: Any) -> tuple[Problem, ...]:
        """Judge the web configuration, which is a file of its own; return what it is noted for."""
        notes: tuple[Problem, ...] = ()
        has_login = False
        if file.agent.web_config is not None:
            examined = examine(self._folder / file.agent.web_config)
            self._problems += examined.problems
            if examined.config is not None:
                notes, has_login = examined.config.notes, examined.config.has_login
        host, said = file.agent.listen.host, []
        if not has_login and not is_loopback(host):
            said += [
                "is not loopback, and there is no login: only metrics and names are shown there"
            ]
        if is_everywhere(host) and not file.agent.external_url:
            said += [NO_PAGE]
        if not said:
            return notes  # the place of a line costs another reading of the file
        of, place = self._merged.place(("agent", "listen"))
        where, line = of or "configuration", place.line if place else 0
        return (*(Problem(where, line, "agent.listen", "", each) for each in said), *notes)

    def _note(self, path: Path, message: str) -> None:
        value = follow(self._data, path)
        file, place = self._merged.place(path)
        where = write_path(path, self._data)
        if (file, where) in self._told:
            return  # the reader of YAML has said what is wrong there
        if place is not None and place.plain is not None and not message.startswith("unknown key"):
            hint = trap(place.plain) if isinstance(value, str) else None
            message += f"; {hint}" if hint and hint not in message else ""
        unknown = message.startswith("unknown key")
        self._problems.append(
            Problem(
                file or "configuration",
                place.line if place else 0,
                where,
                # Below a misspelt key a secret may stand.
                "" if unknown else _shown(value, path),
                message,
            )
        )

    def _made(
        self, file: Any, checks: tuple[Check[Any, Any], ...], warnings: tuple[Problem, ...]
    ) -> Config:
        return Config(
            agent=file.agent,
            resolvers=file.resolvers,
            credentials=dict(file.credentials),
            sink=file.sink,
            budget=file.budget,
            checks=checks,
            folder=self._folder,
            digest=self._merged.digest,
            warnings=warnings,
            file=file,
        )

    def _warn(
        self, file: Any, salvage: Salvage, checks: tuple[Check[Any, Any], ...], *, exports: bool
    ) -> tuple[Problem, ...]:
        """Return what is no mistake but worth a line."""
        found = []
        missing = without_exports(file, self._folder) if exports else ()
        noted = (*advice(file, kinds_of(self._data), self._today), *unwatchable(file, checks))
        # What nobody wrote, as the lab's own haste, is nothing to edit.
        hurried = (
            (path, what)
            for path, what in hasty(file, self._probes)
            if follow(self._merged.data, path) is not None
        )
        for path, message in (*noted, *hurried, *missing):
            original = salvage.original(path)
            of, place = self._merged.place(original)
            line, where = place.line if place else 0, write_path(original, self._data)
            found.append(Problem(of or "configuration", line, where, "", message))
        return tuple(found)


def _shown(value: object, path: Path) -> str:
    """Write the value for an error; a mapping or list is only worth a word where it is wrong."""
    return "" if isinstance(value, dict | tuple) else write_value(value, path)


def _as_read(value: Any) -> Any:
    """Return plain data as the reader of YAML would give it: lists are tuples."""
    if isinstance(value, Mapping):
        return {str(key): _as_read(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(map(_as_read, value))
    return value


def _overridden(data: Any, over: Any) -> Any:
    """Return *data* with *over* on top: mappings key by key, everything else as a whole."""
    if not (isinstance(data, dict) and isinstance(over, dict)):
        return over
    return data | {
        key: _overridden(data[key], value) if key in data else value for key, value in over.items()
    }
