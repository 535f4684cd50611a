"""How does the agent write its log?

One line per event to standard error: logfmt as in the Prometheus world, JSON, or colours for a
person at a terminal. Modules log with the standard library, a constant message and data in
``extra``; this is the one place that knows how a line looks. Control characters are escaped,
whoever sent them, and lines are counted by level.
"""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Literal, TextIO

import structlog

LogFormat = Literal["logfmt", "json", "console"]
_NOISY = ("aiohttp", "aiosmtplib", "apscheduler", "asyncio")
_FIRST = ["time", "level", "logger", "msg"]
_LIMIT = 4000  # characters of one value: room for a traceback, no room for a flood
_KEPT = frozenset("\n\t")
_AGAIN = 60.0  # seconds until asyncio may say the same again
_REMEMBERED = 100  # sayings


class _Counting(logging.Handler):
    """Counts each record by level, and writes nothing."""

    def __init__(self, count: Callable[[str], None]) -> None:
        super().__init__()
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        self._count(_level(record.levelno))


class _Sparing(logging.Filter):
    """Lets asyncio say the same once a minute.

    While there are no more file descriptors it complains a hundred times a second, with a traceback
    each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name != "asyncio":
            return True
        text = record.getMessage()
        if record.created < self._said.get(text, 0.0) + _AGAIN:
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[text] = record.created
        return True


def _level(number: int) -> str:
    """Return the closed-set word for a level, which a library may have invented."""
    for floor, word in (
        (logging.CRITICAL, "critical"),
        (logging.ERROR, "error"),
        (logging.WARNING, "warning"),
        (logging.INFO, "info"),
    ):
        if number >= floor:
            return word
    return "debug"


def configure(
    form: LogFormat = "logfmt",
    level: str = "info",
    *,
    count: Callable[[str], None] = lambda _: None,
    stream: TextIO | None = None,
) -> None:
    """Send all logging of the process to *stream* (standard error), replacing what was set up.

    *count* is called with the level of each line. Chatty libraries speak from WARNING on only, and
    those of HTTP not at all: their lines quote what a peer sent.
    """
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.addFilter(_Sparing())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(),
                _escape,
                structlog.processors.EventRenamer("msg"),
                *_renderers(form, colours=stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [_Counting(count), handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").disabled = True
    logging.getLogger("aiohttp.server").disabled = True


def _renderers(form: LogFormat, *, colours: bool) -> list[Any]:
    if form == "json":
        return [structlog.processors.JSONRenderer(default=str)]
    if form == "console":
        console = structlog.dev.ConsoleRenderer(
            colors=colours, event_key="msg", timestamp_key="time"
        )
        return [console]
    return [
        structlog.processors.LogfmtRenderer(key_order=_FIRST, bool_as_flag=False, drop_missing=True)
    ]


def _escape(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Make every value a short text without control characters, numbers and the like aside."""
    for key, value in event.items():
        if value is None or isinstance(value, bool | int | float):
            continue
        event[key] = _printable(str(value))
    return event


def _printable(text: str) -> str:
    text = text if len(text) <= _LIMIT else text[: _LIMIT - 3] + "..."
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in _KEPT
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
