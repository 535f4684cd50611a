"""Mailboxes that are Maildirs, with files and names as strangers may make them."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters import maildir_files as files
from agent.adapters.mailbox import (
    LOOK_BACK,
    MAX_BODY,
    MAX_HEAD,
    MAX_LETTERS,
    Folder,
    Letter,
    PickupError,
    Room,
    Trouble,
)
from agent.adapters.maildir import MaildirMailbox, _trouble

HEAD = b"Subject: probe\n\n"
LONG = timedelta(seconds=20)


def make(path: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(parents=True)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "Maildir")


@pytest.fixture
async def mailbox(root: Path) -> AsyncIterator[MaildirMailbox]:
    one = MaildirMailbox(root)
    yield one
    await one.close()


def deliver(folder: Path, name: str, octets: bytes = HEAD, *, age: float = 0.0) -> Path:
    """Deliver as a delivery agent does."""
    path = folder / "tmp" / name
    path.write_bytes(octets)
    os.utime(path, (time.time() - age,) * 2)
    return path.rename(folder / "new" / name)


def left(root: Path) -> set[str]:
    return {path.name for path in (root / "new").iterdir()}


def move_away(root: Path) -> None:
    root.rename(root.parent / "away")


async def look_at(path: Path) -> None:
    mailbox = MaildirMailbox(path)
    try:
        await mailbox.look()
    finally:
        await mailbox.close()


def bodies(letters: tuple[Letter, ...]) -> list[bytes]:
    return [letter.octets.partition(b"\n\n")[2] for letter in letters]


async def test_each_letter_is_returned_once_the_oldest_first(
    root: Path, mailbox: MaildirMailbox
) -> None:
    for name, age in (("1.a", 10.0), ("2.b", 30.0), ("3.c", 20.0)):
        deliver(root, name, HEAD + name.encode(), age=age)
    letters = await mailbox.look()
    assert bodies(letters) == [b"2.b", b"3.c", b"1.a"]
    assert [letter.folder for letter in letters] == [Folder.INBOX] * 3
    assert letters[0].received_at is not None
    assert timedelta(seconds=20) < datetime.now(UTC) - letters[0].received_at < LONG * 3
    assert await mailbox.look() == ()
    deliver(root, "4.d", HEAD + b"new")
    assert bodies(await mailbox.look()) == [b"new"]


async def test_a_letter_that_was_read_is_no_new_one(root: Path, mailbox: MaildirMailbox) -> None:
    path = deliver(root, "1.a")
    assert len(await mailbox.look()) == 1
    path.rename(root / "cur" / "1.a:2,S")
    assert await mailbox.look() == ()
    (root / "cur" / "2.b:2,FS").write_bytes(HEAD)
    assert len(await mailbox.look()) == 1


async def test_folders_are_told_apart(root: Path, mailbox: MaildirMailbox) -> None:
    for name in (".Junk", ".Sent", ".Trash", ".Else"):
        deliver(make(root / name), "1.a")
    found = {letter.folder for letter in await mailbox.look()}
    assert found == {Folder.JUNK, Folder.SENT, Folder.DELETED}


async def test_a_letter_moved_to_junk_is_found_there(root: Path, mailbox: MaildirMailbox) -> None:
    path = deliver(root, "1.a")
    assert [letter.folder for letter in await mailbox.look()] == [Folder.INBOX]
    path.rename(make(root / ".Junk") / "cur" / "1.a:2,")
    assert [letter.folder for letter in await mailbox.look()] == [Folder.JUNK]


async def test_waiting_ends_soon_after_something_has_come(
    root: Path, mailbox: MaildirMailbox
) -> None:
    await mailbox.look()
    await mailbox.wait(timedelta(seconds=0.2))  # the folder itself was made just now
    await mailbox.look()
    waiting = asyncio.create_task(mailbox.wait(LONG))
    await asyncio.sleep(0)  # it has begun
    deliver(root, "1.a")
    began = time.monotonic()
    await waiting
    assert time.monotonic() - began < 2
    assert len(await mailbox.look()) == 1


async def test_waiting_ends_when_nothing_comes(root: Path, mailbox: MaildirMailbox) -> None:
    deliver(root, "1.a")
    os.utime(root / "new", (0, 0))
    os.utime(root / "cur", (0, 0))
    await mailbox.look()
    began = time.monotonic()
    await mailbox.wait(timedelta(seconds=0.3))
    assert 0.28 < time.monotonic() - began < 2


async def test_what_is_too_much_for_one_look_is_left_to_the_next(
    root: Path, mailbox: MaildirMailbox
) -> None:
    for number in range(MAX_LETTERS + 50):
        deliver(root, f"{number}.a", HEAD + b"%d" % number, age=1000.0 - number)
    letters = await mailbox.look()
    assert bodies(letters) == [b"%d" % number for number in range(MAX_LETTERS)]
    began = time.monotonic()
    await mailbox.wait(LONG)
    assert time.monotonic() - began < 1
    assert len(await mailbox.look()) == 50
    assert await mailbox.look() == ()


async def test_the_first_look_does_not_reach_back_for_ever(root: Path) -> None:
    old = LOOK_BACK.total_seconds() + 60
    deliver(root, "1.old", HEAD + b"old", age=old)
    deliver(root, "2.new", HEAD + b"new", age=60)
    mailbox = MaildirMailbox(root)
    assert bodies(await mailbox.look()) == [b"new"]
    deliver(root, "3.copied", HEAD + b"copied with its old time", age=old)
    assert bodies(await mailbox.look()) == [b"copied with its old time"]
    await mailbox.close()


async def test_fifty_thousand_old_letters_take_no_time(root: Path) -> None:
    old = time.time() - LOOK_BACK.total_seconds() - 60
    first = deliver(root, "first", age=time.time() - old)
    for number in range(50_000):
        os.link(first, root / "cur" / f"{number}.a:2,S")  # 50,000 names of one old file
    deliver(root, "new")
    mailbox = MaildirMailbox(root)
    began = time.monotonic()
    assert len(await mailbox.look()) == 1
    assert time.monotonic() - began < 5
    await mailbox.close()


@pytest.mark.parametrize(
    ("octets", "kept", "is_whole"),
    [
        (b"", 0, True),
        (b"no body", 7, True),
        (b"A: b\r\n\r\nbody\n\nmore", 18, True),
        (HEAD + b"x" * MAX_BODY, len(HEAD) + MAX_BODY, True),
        (HEAD + b"x" * (MAX_BODY + 1), len(HEAD) + MAX_BODY, False),
        (b"A: " + b"x" * 2**20, MAX_HEAD, False),
        (b"A" * (MAX_HEAD + 1) + b"\n\nbody", MAX_HEAD + 6, False),
    ],
)
async def test_no_more_is_kept_than_may_be(
    octets: bytes, kept: int, *, is_whole: bool, root: Path, mailbox: MaildirMailbox
) -> None:
    deliver(root, "1.a", octets)
    [letter] = await mailbox.look()
    assert (len(letter.octets), letter.is_whole) == (kept, is_whole)
    assert letter.size == len(octets)


async def test_no_name_leads_out_of_the_folder(
    root: Path, mailbox: MaildirMailbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"Subject: secret\n\n")
    elsewhere = make(tmp_path / "elsewhere")
    deliver(elsewhere, "1.a")
    (root / "new" / "link").symlink_to(secret)
    (root / "new" / "nowhere").symlink_to(tmp_path / "nothing")
    (root / "new" / "folder").mkdir()
    os.mkfifo(root / "new" / "pipe")
    (root / "new" / ".hidden").write_bytes(HEAD)
    (root / ".Junk").symlink_to(elsewhere)
    make(root / ".Sent")
    (root / ".Sent" / "new").rmdir()
    (root / ".Sent" / "new").symlink_to(elsewhere / "new")
    (root / ".Trash").write_bytes(b"no folder")
    assert await mailbox.look() == ()
    keys = (
        "/link",
        "/../../secret",
        "/pipe",
        "/folder/x",
        ".Junk/1.a",
        ".Sent/1.a",
        ".Trash/1.a",
        "../elsewhere/1.a",
        "",
        "/",
        "no key",
        "/gone",
    )
    await mailbox.remove([key for key in keys if key != "/pipe"])
    assert secret.is_file()
    assert (elsewhere / "new" / "1.a").is_file()
    assert left(root) == {"nowhere", "folder", "pipe", ".hidden"}  # the link itself is gone


async def test_hostile_names_are_only_names(root: Path, mailbox: MaildirMailbox) -> None:
    for name in (b"\x1b[2J\n", b"\xff\xfe", b"a b;c", b"x" * 255, b":2,S", b"1:2,S:2,T"):
        with open(os.path.join(os.fsencode(root), b"new", name), "wb") as file:  # noqa: ASYNC230, PTH118, PTH123
            file.write(HEAD)
    letters = await mailbox.look()
    assert len(letters) == 6
    await mailbox.remove([letter.key for letter in letters])
    assert list((root / "new").iterdir()) == []


async def test_only_what_is_named_is_removed(root: Path, mailbox: MaildirMailbox) -> None:
    paths = [deliver(root, f"{number}.a") for number in range(3)]
    junk = deliver(make(root / ".Junk"), "1.a")
    letters = await mailbox.look()
    paths[1] = paths[1].rename(root / "cur" / "1.a:2,S")
    doomed = [each.key for each in letters if each.folder is Folder.INBOX and "1.a" in each.key]
    await mailbox.remove(doomed)
    assert [path.exists() for path in (*paths, junk)] == [True, False, True, True]
    await mailbox.remove(doomed)  # gone already
    assert await mailbox.room() == Room()


@pytest.mark.parametrize("name", ["nothing", "file", "empty"])
async def test_what_is_no_maildir_is_said_to_be_none(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PickupError) as caught:
        await look_at(tmp_path / name)
    assert caught.value.trouble is Trouble.NO_MAILBOX
    assert caught.value.fix


async def test_a_maildir_that_goes_away_is_no_empty_one(
    root: Path, mailbox: MaildirMailbox
) -> None:
    await mailbox.look()
    move_away(root)
    with pytest.raises(PickupError):
        await mailbox.look()


async def test_a_folder_that_cannot_be_opened_has_its_reason(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(PickupError) as caught:
        await look_at(tmp_path / "one")
    assert caught.value.trouble is Trouble.UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (FileNotFoundError(), Trouble.NO_MAILBOX),
        (NotADirectoryError(), Trouble.NO_MAILBOX),
        (PermissionError(errno.EACCES, "Permission denied"), Trouble.PERMISSION),
        (OSError(errno.EIO, "Input/output error"), Trouble.UNAVAILABLE),
        (OSError(), Trouble.UNAVAILABLE),
        (ValueError("embedded null byte"), Trouble.NO_MAILBOX),
    ],
)
def test_each_fault_of_the_disk_has_its_reason(
    error: OSError | ValueError, trouble: Trouble
) -> None:
    assert _trouble(error, "/mail").trouble is trouble
    assert "/mail" in _trouble(error, "/mail").detail


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
async def test_a_name_that_no_file_can_have_is_no_maildir(name: str, tmp_path: Path) -> None:
    with pytest.raises(PickupError) as caught:
        await look_at(tmp_path / name)
    assert caught.value.trouble is Trouble.NO_MAILBOX


async def test_a_folder_with_too_many_files_was_not_looked_into(
    root: Path, mailbox: MaildirMailbox
) -> None:
    old = [deliver(root, f"{number}.old", age=LOOK_BACK.total_seconds() + 60) for number in (0, 1)]
    for number in range(files.MAX_FILES):
        os.link(old[number % 2], root / "cur" / f"{number}.a")
    assert len(await mailbox.look()) == 0
    os.link(old[0], root / "cur" / "one more")
    with pytest.raises(PickupError, match="more than 100000 files") as caught:
        await mailbox.look()
    assert caught.value.trouble is Trouble.UNAVAILABLE


async def test_a_closed_mailbox_is_of_no_use(root: Path) -> None:
    mailbox = MaildirMailbox(root)
    await mailbox.close()
    await mailbox.close()
    with pytest.raises(PickupError):
        await mailbox.look()
