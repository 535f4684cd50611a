"""What a message carries is checked before it is sent, and is what it says it is."""

import io
import re
import zipfile

import pytest

from agent.domain.attachment import EXTENSIONS, MAKERS
from agent.domain.payload import FILTERS, MAX_HEADERS, MAX_SIZE, MAX_VALUE, PLAIN, Kind, Payload

TOKEN = "mfa1-" + "a" * 26 + "-" + "b" * 26


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param({"size": -1}, "0 to 36700160 octets", id="negative size"),
        pytest.param({"size": MAX_SIZE + 1}, "0 to 36700160 octets", id="too large"),
        pytest.param({"content_type": "application/x-msdownload"}, "text/plain", id="unknown type"),
        pytest.param({"filename": 'a"\r\nBcc: x'}, "file name", id="file name breaks out"),
        pytest.param({"filename": "../etc/passwd"}, "file name", id="file name is a path"),
        pytest.param({"filename": ".hidden"}, "file name", id="file name starts with a dot"),
        pytest.param({"headers": (("Subject", "x"),)}, "starts with X-", id="not an X- field"),
        pytest.param({"headers": (("X-A:b", "x"),)}, "starts with X-", id="colon in the name"),
        pytest.param({"headers": (("X-A", "x\r\nBcc: y"),)}, "printable", id="line break"),
        pytest.param({"headers": (("X-A", "ü"),)}, "printable", id="not ASCII"),
        pytest.param({"headers": (("X-A", "x" * (MAX_VALUE + 1)),)}, "printable", id="long value"),
        pytest.param(
            {"headers": (("x-mailflow-token", "x"),)}, "the agent's own", id="a field of ours"
        ),
        pytest.param({"headers": (("X-A", "x"),) * (MAX_HEADERS + 1)}, "no more", id="many"),
    ],
)
def test_what_does_not_fit_into_a_message_is_an_error(
    written: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Payload(**written)  # type: ignore[arg-type]


def test_every_kind_says_in_one_sentence_which_filters_it_is_for() -> None:
    for kind in Kind:
        sentence = Payload(kind=kind).filters
        assert sentence == FILTERS[kind]
        assert sentence.count(".") == 1
        assert sentence.endswith(".")


@pytest.mark.parametrize("content_type", sorted(MAKERS))
@pytest.mark.parametrize("size", [0, 1, 2, 3, 100, 5000, 100_000])
def test_a_file_has_the_size_that_is_asked_for_or_little_more(content_type: str, size: int) -> None:
    payload = Payload(kind=Kind.ATTACHMENT, content_type=content_type, size=size)
    file = payload.attachment(TOKEN)
    assert size <= len(file) <= size + 700
    assert file == payload.attachment(TOKEN)
    assert payload.attached_as == f"mailflow-agent.{EXTENSIONS[content_type]}"


def test_a_file_may_have_a_name() -> None:
    assert Payload(filename="report (2).pdf").attached_as == "report (2).pdf"


def test_other_kinds_have_no_file() -> None:
    assert PLAIN.attachment(TOKEN) == b""


def test_a_text_is_lines_that_people_can_read() -> None:
    lines = MAKERS["text/plain"](TOKEN, 10_000).decode("ascii").split("\r\n")
    assert max(map(len, lines)) <= 72
    assert TOKEN in "".join(lines)


def test_a_table_has_a_head_and_rows_of_as_many_fields() -> None:
    head, *rows = MAKERS["text/csv"](TOKEN, 10_000).decode("ascii").splitlines()
    assert {row.count(",") for row in (head, *rows)} == {2}
    assert len(rows) > 80


def test_an_archive_opens_and_holds_one_text() -> None:
    with zipfile.ZipFile(io.BytesIO(MAKERS["application/zip"](TOKEN, 10_000))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["mailflow-agent.txt"]
        assert len(archive.read("mailflow-agent.txt")) == 10_000


@pytest.mark.parametrize("size", [0, 10_000])
def test_a_pdf_has_its_objects_where_its_table_says(size: int) -> None:
    file = MAKERS["application/pdf"](TOKEN, size)
    assert file.startswith(b"%PDF-1.4\n")
    assert file.endswith(b"%%EOF\n")
    table = int(file.split(b"startxref\n")[1].split()[0])
    assert file[table:].startswith(b"xref\n0 6\n")
    places = [int(line[:10]) for line in file[table:].split(b"\n")[3:8]]
    for number, place in enumerate(places, 1):
        assert file[place:].startswith(b"%d 0 obj\n" % number)
