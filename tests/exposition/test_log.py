import io
import json
import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from agent.exposition import log
from agent.exposition.log import LogFormat

HOSTILE = "a\x1b[31m\r\nlevel=error msg=forged\u202e\x00"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def written(form: LogFormat, level: str = "info") -> tuple[str, Counter[str]]:
    stream, counts = io.StringIO(), Counter[str]()

    def count(word: str) -> None:
        counts[word] += 1

    log.configure(form, level, count=count, stream=stream)
    logger = logging.getLogger("agent.some.module")
    logger.debug("not said at info")
    logger.warning("severity changed", extra={"check": HOSTILE, "times": 3})
    try:
        int(HOSTILE)
    except ValueError:
        logger.exception("probe crashed")
    return stream.getvalue(), counts


@pytest.mark.parametrize("form", ["logfmt", "json", "console"])
def test_no_control_character_gets_through(form: LogFormat) -> None:
    text, _ = written(form)
    for character in "\x1b\r\x00\u202e":
        assert character not in text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_there_are_colours_on_a_terminal_only() -> None:
    terminal = _Terminal()
    log.configure("console", stream=terminal)
    logging.getLogger("agent.some.module").warning("severity changed", extra={"check": HOSTILE})
    assert "\x1b[" in terminal.getvalue()
    assert "a\x1b[31m" not in terminal.getvalue()


def test_asyncio_says_the_same_once_a_minute_and_all_is_counted() -> None:
    stream, counts = io.StringIO(), Counter[str]()
    log.configure(count=lambda level: counts.update((level,)), stream=stream)
    speaker, at = logging.getLogger("asyncio"), 1_000_000.0
    for text, seconds in [*[("no files", 0.0)] * 50, ("other", 1.0), ("no files", 61.0)]:
        record = speaker.makeRecord("asyncio", logging.ERROR, "", 0, text, (), None)
        record.created = at + seconds
        speaker.handle(record)
    said = [line.partition("msg=")[2].strip('"') for line in stream.getvalue().splitlines()]
    assert said == ["no files", "other", "no files"]
    assert counts["error"] == 52


def test_what_asyncio_said_is_not_remembered_without_bound() -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    for number in [*range(300), 0]:
        logging.getLogger("asyncio").error("number %d", number)
    assert stream.getvalue().count('"number 0"') == 2


def test_our_own_lines_may_be_repeated() -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    for _ in range(3):
        logging.getLogger("agent.some.module").error("probe crashed")
    assert stream.getvalue().count("probe crashed") == 3


def test_logfmt_is_one_line_per_event_in_a_fixed_order() -> None:
    text, _ = written("logfmt")
    first, second = text.splitlines()
    assert [part.split("=")[0] for part in first.split(" ")[:3]] == ["time", "level", "logger"]
    assert 'msg="severity changed"' in first
    assert "times=3" in first
    assert "Traceback" in second


def test_json_is_one_object_per_line() -> None:
    text, _ = written("json")
    first, second = map(json.loads, text.splitlines())
    assert first["msg"] == "severity changed"
    assert first["level"] == "warning"
    assert "ValueError: invalid literal" in second["exception"]


def test_lines_are_counted_by_level() -> None:
    assert written("logfmt")[1] == {"warning": 1, "error": 1}
    assert written("logfmt", "debug")[1]["debug"] == 1


def test_a_flood_in_one_value_is_cut() -> None:
    stream = io.StringIO()
    log.configure("json", stream=stream)
    logging.getLogger("x").info("long", extra={"text": "y" * 100_000})
    assert len(stream.getvalue()) < 5000


def test_an_invented_level_is_counted_as_the_one_below() -> None:
    counts = Counter[str]()
    log.configure(count=lambda word: counts.update([word]), stream=io.StringIO())
    logging.getLogger("x").log(35, "between warning and error")
    logging.getLogger("x").critical("the end")
    assert counts == {"warning": 1, "critical": 1}


def test_libraries_that_quote_peers_are_silent() -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "peer")
    logging.getLogger("apscheduler.scheduler").info("Added job")
    assert not stream.getvalue()
