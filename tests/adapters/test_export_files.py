"""Exports as they lie in files: whole, damaged, hostile, and changing."""

import json
import os
import random
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.adapters.export_files import (
    MAX_FILES,
    MAX_SIZE,
    ExportError,
    find_files,
    read_files,
    read_tenant,
)
from agent.adapters.export_json import MAX_DEPTH, MAX_PIECES, NotJsonError, decode, parse
from agent.adapters.export_watch import ExportWatch
from servers.exports import combined, domain, inbound, org, outbound

GOOD = json.dumps(combined())
MIB = 1024 * 1024


def written(path: Path, data: str | bytes | Any = GOOD) -> Path:
    """Write a file as it is, or an object as JSON."""
    if not isinstance(data, str | bytes):
        data = json.dumps(data)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def mistakes(*paths: Path | str, base: Path | None = None) -> list[str]:
    with pytest.raises(ExportError) as error:
        read_tenant(paths, base)
    return [str(each) for each in error.value.mistakes]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(GOOD.encode(), id="UTF-8"),
        pytest.param(GOOD.encode("utf-8-sig"), id="UTF-8 with BOM"),
        pytest.param(GOOD.encode("utf-16"), id="UTF-16LE with BOM"),
        pytest.param(b"\xfe\xff" + GOOD.encode("utf-16-be"), id="UTF-16BE with BOM"),
        pytest.param(GOOD.encode("utf-16-le"), id="UTF-16LE without BOM"),
        pytest.param(GOOD.encode("utf-16-be"), id="UTF-16BE without BOM"),
        pytest.param(GOOD.encode("utf-32"), id="UTF-32 with BOM"),
        pytest.param(json.dumps(combined(), indent=4).replace("\n", "\r\n").encode(), id="lines"),
    ],
)
def test_every_encoding_of_powershell_says_the_same(raw: bytes, tmp_path: Path) -> None:
    reading = read_tenant([written(tmp_path / "a.json", raw)])
    assert reading.remarks == ()
    assert reading.export == read_tenant([written(tmp_path / "b.json")]).export


def test_a_name_in_a_code_page_is_remarked_and_the_rest_is_read(tmp_path: Path) -> None:
    raw = json.dumps(combined(inbound=[inbound(Name="Au\xdfen")]), ensure_ascii=False)
    reading = read_tenant([written(tmp_path / "a.json", raw.encode("cp1252"))])
    assert [each.name for each in reading.export.inbound or ()] == [r"Au\xdfen"]
    assert "is not UTF-8 throughout; write it with -Encoding utf8" in str(reading.remarks[0])


def test_files_folders_and_patterns_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("b.json", "a.JSON", ".c.json", "d.json.tmp", "e.txt"):
        written(folder / name)
    assert [Path(each).name for each in find_files(["export"], tmp_path).paths] == [
        *("a.JSON", "b.json")
    ]
    found = find_files(["export/*.json", "export/b.json", str(folder)], tmp_path)
    assert [Path(each).name for each in found.paths] == ["b.json", "a.JSON"]
    odd = written(folder / "[x].json")
    assert list(find_files([odd]).paths) == [str(odd)]


def test_places_that_lead_nowhere_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "gone").symlink_to("nowhere")
    said = mistakes("a.json", "x/*.json", "empty", "a\0b", "gone", base=tmp_path)
    assert [each.removeprefix(f"{tmp_path}/") for each in said] == [
        "a.json is not there; see what `import` says of the place of the export",
        "x/*.json leads to no file; see what `import` says of the place of the export",
        "empty is a folder without *.json files; see what `import` says of the place of the export",
        r"a\x00b is not there; see what `import` says of the place of the export",
        "gone cannot be read: No such file or directory",
    ]
    assert mistakes() == [" no file is named; see what `import` says of the place of the export"]


def test_more_files_than_any_tenant_has_are_a_mistake(tmp_path: Path) -> None:
    for index in range(MAX_FILES + 2):
        (tmp_path / f"{index:05}.json").touch()
    found = find_files([tmp_path])
    assert (len(found.paths), len(found.mistakes)) == (MAX_FILES, 1)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    said = "\n".join(mistakes(tmp_path, "/dev/zero"))
    assert "pipe.json is no regular file" in said
    assert "folder.json is a folder in a folder" in said
    assert "/dev/zero is no regular file" in said


def test_all_files_of_a_tenant_are_bounded_together(tmp_path: Path) -> None:
    half = " " * (MAX_SIZE // 2) + json.dumps(inbound())
    written(tmp_path / "a.json", half)
    assert read_tenant([tmp_path]).export.inbound
    written(tmp_path / "b.json", half)
    (said,) = mistakes(tmp_path)
    assert "b.json has 16 MiB; a tenant's export has at most 32 MiB, of which 15 MiB are" in said


def _times(text: str, count: int) -> str:
    return text * count


def _wide(count: int) -> str:
    return "[" + ",".join([json.dumps(inbound())] * count) + "]"


DAMAGED: list[Any] = [
    pytest.param(b"", "is empty; the export was cut off", id="empty"),
    pytest.param(b"\xff\xfe", "is empty", id="a mark alone"),
    pytest.param(b" \r\n", "is empty", id="blanks"),
    pytest.param(b"\0" * 4096, "holds nothing but NUL octets", id="NUL octets"),
    pytest.param(GOOD[:500], "ends in the middle, at line 1, column", id="truncated"),
    pytest.param(GOOD[:-1], "ends in the middle", id="without the last bracket"),
    pytest.param('[{"Name": "x', "ends in the middle", id="truncated in a text"),
    pytest.param('[{"Enabled": tru', "ends in the middle", id="truncated in a word"),
    pytest.param('[{"Enabled":', "ends in the middle", id="truncated before a value"),
    pytest.param(GOOD.encode("utf-16")[:501], "is not UTF-16-LE at octet", id="truncated UTF-16"),
    pytest.param(GOOD + GOOD, "begins a second document at line 1, column", id="appended"),
    pytest.param(GOOD.encode("utf-16") + GOOD.encode(), "a second document", id="two encodings"),
    pytest.param("<!DOCTYPE html><html>", "is a page of HTML", id="HTML"),
    pytest.param('<Objs Version="1.1.0.1">', "is the XML of Export-Clixml", id="Clixml"),
    pytest.param("<?xml version='1.0'?><a/>", "it is XML", id="XML"),
    pytest.param("#TYPE Selected\r\n", "is CSV", id="CSV with a type"),
    pytest.param('"Name","Enabled"\r\n"x","True"', "is CSV", id="CSV"),
    pytest.param("Name : x\r\nEnabled : True", "shows on the screen", id="Format-List"),
    pytest.param("Name Enabled\n---- -------\nx    True", "shows on the screen", id="Format-Table"),
    pytest.param(b"PK\x03\x04\x14", "is an archive", id="an archive"),
    pytest.param(b"\x1f\x8b\x08\x00", "is an archive", id="packed"),
    pytest.param(bytes(range(1, 256)), "is no JSON", id="noise"),
    pytest.param("tenants:\n- name: contoso", "is no JSON", id="YAML"),
    pytest.param("{'Name': 'x'}", "expecting property name enclosed in double", id="quotes"),
    pytest.param('{"Name": "a\0b"}', "invalid control character", id="NUL in a text"),
    pytest.param('{"Name": "x",}', "is no JSON", id="a comma too many"),
    pytest.param(_times("[", 100_000), "is nested deeper than 100", id="nested lists"),
    pytest.param(_times("[", 100_000) + _times("]", 100_000), "is nested deeper", id="and closed"),
    pytest.param(_times('{"a":', 100_000), "is nested deeper than 100", id="nested objects"),
    pytest.param(_times("[", 200) + _times("]", 200), "is nested deeper", id="nested a little"),
    pytest.param(_times('{"value":', 99) + "1" + _times("}", 99), "is an object", id="in value"),
    pytest.param('{"Priority": NaN}', "holds NaN", id="NaN"),
    pytest.param('{"Priority": -Infinity}', "holds -Infinity", id="Infinity"),
    pytest.param('{"Priority": 1e999}', "holds the number 1e999", id="a float beyond all"),
    pytest.param('{"Priority": ' + "9" * 100_000 + "}", "holds the number 999", id="huge number"),
    pytest.param('{"Name": "a", "Name": "b"}', "the property 'Name' twice", id="a key twice"),
    pytest.param(" " * 50 * MIB, "has 50 MiB; a tenant's export has at most 32", id="50 MB"),
    pytest.param("[" + "{}," * 1_000_000 + "{}]", "more than 1000000 values", id="many objects"),
    pytest.param("[" + "[]," * 400_000 + "[]]", "has 400001 objects", id="many lists"),
    pytest.param(
        '{"Name":"a","SmartHosts":"' + "a," * 600_000 + '"}', "the 100000", id="many items"
    ),
    pytest.param(
        '{"Name":"a","SmartHosts":"' + "a " * 600_000 + '"}', "the 100000", id="blanks apart"
    ),
    pytest.param(_wide(40_000), "more than 1000000 values|at most 32", id="many connectors"),
    pytest.param('[{"RecipientTypeDetails":"UserMailbox"}]', "Get-Mailbox", id="mailboxes"),
    pytest.param("42", "is 42, and no object", id="a number"),
    pytest.param('"text"', "is 'text', and no object", id="a text"),
    pytest.param("null", "is null", id="null"),
    pytest.param("[[[[]]]]", "[0] is a list", id="lists"),
    pytest.param(json.dumps({"schema": 7}), "schema is 7", id="schema"),
    pytest.param(
        json.dumps({"schema": "mailflow-export/1", "inbound": 1}), "inbound is 1", id="a wrong type"
    ),
    pytest.param(
        json.dumps([org(), org(Guid="00000000-0000-0000-0000-000000000005")]),
        "is of another tenant",
        id="two tenants",
    ),
    pytest.param(json.dumps({"\x1b[2J" * 9: 1}), r"properties \x1b[2J", id="escapes in a key"),
    pytest.param(json.dumps({"k" * MIB: 1}), "properties kkkk", id="a key of 1 MB"),
]


@pytest.mark.parametrize(("raw", "said"), DAMAGED)
def test_a_damaged_export_is_a_clear_error_and_the_last_good_one_stays(
    raw: str | bytes, said: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "contoso.json")
    clock = Hands()
    watch = ExportWatch(clock)
    assert watch.poll({"contoso": [path]}) == {"contoso"}
    good = watch["contoso"].reading
    written(path, raw)
    began = time.monotonic()
    assert watch.poll({"contoso": [path]}) == {"contoso"}
    assert time.monotonic() - began < 20
    look = watch["contoso"]
    assert look.reading is good
    assert look.broken_since == clock.at
    assert any(each in look.trouble for each in said.split("|"))
    assert "contoso.json" in look.trouble
    assert look.trouble.isprintable()
    assert len(look.trouble) < 1000


HOSTILE: list[Any] = [
    pytest.param(inbound(Name="n" * MIB), "a name of more than 64 characters", id="name of 1 MB"),
    pytest.param(inbound(Name="\x1b]0;x\x07", TlsSenderCertificateName="\x1b[2J"),
                 r"is '\x1b[2J'", id="terminal escapes"),
    pytest.param(inbound(TlsSenderCertificateName="\u0430" * 100_000), "is not a valid int",
                 id="IDNA"),
    pytest.param(inbound(Name="\ud800", SenderDomains=["\udfff.com"]), "Domains[0]", id="halves"),
    pytest.param(inbound(Enabled=[[]], RequireTls={}, SenderDomains=7), "is a list", id="types"),
    pytest.param(inbound(SenderIPAddresses=[f"1.1.{x}" for x in range(50_000)]),
                 "more like these", id="50,000 remarks"),
    pytest.param(inbound(Comment="<script>" * MIB), "", id="a long comment"),
    pytest.param(inbound(**{f"x{x}": [] for x in range(100_000)}), "", id="many properties"),
    pytest.param(inbound(WhenChangedUTC="/Date(999999999999999)/"), "WhenChangedUTC", id="date"),
    pytest.param(inbound(SenderIPAddresses=["0.0.0.0/0", "::/0"]), "", id="all addresses"),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "said"), HOSTILE)
def test_a_hostile_value_is_at_most_a_remark(thing: Any, said: str, tmp_path: Path) -> None:
    reading = read_tenant([written(tmp_path / "a.json", combined(inbound=[thing]))])
    assert len(reading.export.inbound or ()) == 1
    assert any(said in str(each) for each in reading.remarks) or not said
    assert all(str(each).isprintable() for each in reading.remarks)
    assert len(reading.remarks) < 300


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: b" " * (50 * MIB), id="50 MB"),
        pytest.param(lambda: _times("[", 30 * MIB).encode(), id="nested"),
        pytest.param(lambda: b"[" + b"{}," * 10_000_000 + b"{}]", id="ten million objects"),
        pytest.param(lambda: b'["' + b"a" * (31 * MIB) + b'"]', id="one text"),
        pytest.param(lambda: b'{"SmartHosts":"' + b"* " * (15 * MIB) + b'"}', id="items"),
        pytest.param(lambda: b"[" + b'{"a":1},' * 490_000 + b"{}]", id="as many as are read"),
        pytest.param(("\U0001f4a9" * 7 * MIB).encode, id="wide characters"),
    ],
)
def test_memory_is_bounded(make: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(make())
    tracemalloc.start()
    try:
        assert mistakes(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 256 * MIB


def test_depth_and_number_of_values_have_their_limits() -> None:
    assert parse(_times("[", MAX_DEPTH) + _times("]", MAX_DEPTH))
    with pytest.raises(NotJsonError, match="nested deeper"):
        parse(_times("[", MAX_DEPTH + 1) + _times("]", MAX_DEPTH + 1))
    with pytest.raises(NotJsonError, match="more than 1000000 values"):
        parse("[" + "1," * MAX_PIECES + "1]")
    assert parse("12345678901234567890123456789") == 12345678901234567890123456789
    assert parse("1.5") == 1.5


@given(st.binary(max_size=200))
def test_octets_are_text_or_not_json(raw: bytes) -> None:
    said = ""
    try:
        parse(decode(raw))
    except NotJsonError as error:
        said = error.what + error.right
    assert said.isprintable()


WHOLE = combined(
    inbound=[inbound(), inbound(Name="B", Guid=None)],
    outbound={"value": [outbound()], "Count": 1},
)
STRANGE: list[Any] = [None, True, 0, -1, 1e300, "", "\0", "@{a=b}", [], {}, [[]], {"value": {}}]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    listed = dict(enumerate(value)) if isinstance(value, list) else value
    if isinstance(listed, dict):
        for key, inner in listed.items():
            yield from _places(inner, (*path, key))


PLACES = [path for path in _places(WHOLE) if path]


def _changed(path: tuple[Any, ...], value: Any, *, is_gone: bool) -> Any:
    data = json.loads(json.dumps(WHOLE))
    target = data
    for key in path[:-1]:
        target = target[key]
    if is_gone:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return data


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations") / "a.json"


def _said(path: Path) -> str:
    """Return what is said of a file, whether it is read or not."""
    try:
        reading = read_tenant([path])
    except ExportError as error:
        return error.sentence
    assert reading.export.exported_at is not None
    return "".join(map(str, reading.remarks))


@given(st.sampled_from(PLACES), st.sampled_from([*STRANGE, domain(), inbound()]), st.booleans())
def test_a_value_that_is_replaced_raises_nothing_else(
    one_file: Path,
    path: tuple[Any, ...],
    value: Any,
    is_gone: bool,  # noqa: FBT001
) -> None:
    written(one_file, _changed(path, value, is_gone=is_gone))
    assert _said(one_file).isprintable()


@given(st.integers(0, 2**32), st.integers(1, 8))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_octets_that_are_flipped_raise_nothing_else(one_file: Path, seed: int, count: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(json.dumps(WHOLE).encode(chance.choice(["utf-8", "utf-16", "utf-16-le"])))
    for _ in range(count):
        at = chance.randrange(len(raw))
        match chance.randrange(3):
            case 0:
                raw[at] = chance.randrange(256)
            case 1:
                del raw[at : at + chance.randrange(40)]
            case _:
                raw[at:at] = raw[: chance.randrange(40)]
    written(one_file, bytes(raw))
    assert _said(one_file).isprintable()


class Hands:
    """A clock that is moved by hand, far from the files' times."""

    def __init__(self) -> None:
        self.at = datetime(2126, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def test_a_file_that_does_not_change_is_not_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json")
    watch = ExportWatch(Hands(), tmp_path)
    assert watch["contoso"].trouble == "the files have not been read yet"
    assert watch.poll({"contoso": ["a.json"]}) == {"contoso"}
    before = watch["contoso"]
    assert watch.poll({"contoso": ["a.json"]}) == frozenset()
    assert watch["contoso"] is before
    os.utime(path, (2e9, 2e9))  # read again, and found to say the same
    assert watch.poll({"contoso": ["a.json"]}) == frozenset()
    assert watch["contoso"] is not before


def test_one_tenant_that_changes_is_told_and_the_others_are_not_read(tmp_path: Path) -> None:
    paths = {name: [written(tmp_path / f"{name}.json")] for name in "abc"}
    watch = ExportWatch(Hands())
    assert watch.poll(paths) == {"a", "b", "c"}
    before = watch["a"].reading
    written(paths["b"][0], combined(inbound=[]))
    assert watch.poll(paths) == {"b"}
    assert watch["b"].reading is not None
    assert watch["b"].reading.export.inbound == ()
    assert watch["a"].reading is before


def test_the_last_good_reading_stays_since_when_it_broke_until_it_is_mended(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json")
    clock = Hands()
    watch = ExportWatch(clock)
    watch.poll({"t": [path]})
    good = watch["t"].reading
    broken = clock.at = clock.at + timedelta(hours=1)
    path.unlink()
    assert watch.poll({"t": [path]}) == {"t"}
    clock.at += timedelta(hours=1)
    written(path, GOOD[:100])
    assert watch.poll({"t": [path]}) == {"t"}  # broken in another way
    assert (watch["t"].reading, watch["t"].broken_since) == (good, broken)
    assert "ends in the middle" in watch["t"].trouble
    written(path)
    assert watch.poll({"t": [path]}) == {"t"}
    assert (watch["t"].reading, watch["t"].trouble, watch["t"].broken_since) == (good, "", None)


def test_a_tenant_that_was_never_read_has_no_reading(tmp_path: Path) -> None:
    watch = ExportWatch(Hands())
    assert watch.poll({"t": [tmp_path / "a.json"]}) == {"t"}
    assert watch["t"].reading is None
    assert "a.json is not there" in watch["t"].trouble
    assert watch.poll({"t": [tmp_path / "a.json"]}) == frozenset()


def test_a_new_file_of_a_folder_is_seen_and_a_tenant_that_is_gone_forgotten(tmp_path: Path) -> None:
    written(tmp_path / "a.json", inbound())
    watch = ExportWatch(Hands())
    watch.poll({"t": [tmp_path], "gone": [tmp_path]})
    written(tmp_path / "b.json", outbound())
    assert watch.poll({"t": [tmp_path]}) == {"t"}
    assert watch["t"].reading is not None
    assert len(watch["t"].reading.export.outbound or ()) == 1
    assert watch["gone"].reading is None


def test_a_file_that_has_just_been_written_is_looked_at_once_more(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json")
    found = path.stat()
    clock = Hands()
    clock.at = datetime.fromtimestamp(found.st_mtime, UTC)
    watch = ExportWatch(clock)
    watch.poll({"t": [path]})
    raw = GOOD.replace("From own servers", "From new servers")
    with path.open("r+b") as file:
        file.write(raw.encode())
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))  # as if within one tick of the clock
    assert watch.poll({"t": [path]}) == {"t"}
    clock.at += timedelta(minutes=1)
    assert watch.poll({"t": [path]}) == frozenset()


def test_a_file_that_grows_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", b"[" + b" " * MIB)
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.is_set() and file.tell() < 20 * MIB:
                file.write(b" " * 4096)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        said = mistakes(path)
    finally:
        stop.set()
        thread.join()
    assert "changes while it is read" in said[0] or "ends in the middle" in said[0]


def test_hundreds_of_tenants_are_looked_at_in_a_moment(tmp_path: Path) -> None:
    paths = {f"t{x}": [written(tmp_path / f"{x}.json")] for x in range(300)}
    watch = ExportWatch(Hands())
    watch.poll(paths)
    began = time.process_time()
    assert watch.poll(paths) == frozenset()
    assert time.process_time() - began < 2


def test_a_time_that_no_calendar_has_is_the_oldest(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", inbound())
    with suppress(OSError, OverflowError):  # where the file system has such a time
        os.utime(path, (1e14, 1e14))
    reading = read_files(find_files([path]))
    assert reading.export.exported_at is not None


def test_a_file_that_may_be_read_again_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json")
    watch = ExportWatch(Hands())
    watch.poll({"t": [path]})
    before = watch["t"]
    path.chmod(0o600)
    path.chmod(0o640)
    watch.poll({"t": [path]})
    assert watch["t"] is not before  # it was read: the time of change tells
    assert watch.busy == ("", 0.0)


def test_what_the_system_refuses_is_tried_at_every_look(tmp_path: Path) -> None:
    loop = tmp_path / "a.json"
    loop.symlink_to(loop)
    watch = ExportWatch(Hands())
    assert watch.poll({"t": [loop]}) == {"t"}
    before = watch["t"]
    assert watch.poll({"t": [loop]}) == frozenset()
    assert watch["t"] is not before
    assert "cannot be read" in before.trouble


def test_an_export_from_the_future_is_of_now_and_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", inbound())
    os.utime(path, (5e9, 5e9))
    watch = ExportWatch(Hands())
    watch.poll({"t": [path]})
    reading = watch["t"].reading
    assert reading is not None
    assert reading.export.exported_at == Hands().now()
    assert "still to come" in str(reading.remarks[-1])


class Zoneless(Hands):
    """A clock as no agent has: times without a zone cannot be compared with any other."""

    def now(self) -> datetime:
        return self.at.replace(tzinfo=None)


def test_a_mistake_of_ours_is_told_as_one(tmp_path: Path) -> None:
    watch = ExportWatch(Zoneless())
    assert watch.poll({"t": [written(tmp_path / "a.json")]}) == {"t"}
    assert "a fault of the agent's: TypeError" in watch["t"].trouble


def test_files_that_go_are_told_unless_others_come(tmp_path: Path) -> None:
    written(tmp_path / "a.json", inbound())
    old = written(tmp_path / "b.json", outbound())
    watch = ExportWatch(Hands())
    watch.poll({"t": [tmp_path]})
    old.unlink()
    assert watch.poll({"t": [tmp_path]}) == {"t"}
    assert watch["t"].gone == (str(old),)
    written(tmp_path / "a.json", "[")
    watch.poll({"t": [tmp_path]})
    assert watch["t"].trouble
    written(tmp_path / "a.json", inbound())
    watch.poll({"t": [tmp_path]})
    assert watch["t"].gone == (str(old),)
    written(tmp_path / "c.json", outbound())
    watch.poll({"t": [tmp_path]})
    assert not watch["t"].gone
    watch.poll({"t": [tmp_path / "a.json"]})  # the configuration says so
    assert not watch["t"].gone
