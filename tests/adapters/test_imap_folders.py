"""Which folders are chosen, and what is remembered of each."""

import pytest

from agent.adapters.imap_folders import MAX_UID, Listed, Watched, choose, read_key
from agent.adapters.mailbox import Folder


def listed(name: bytes, *flags: bytes, mark: bytes = b"/") -> Listed:
    return Listed(flags, mark, name)


def chosen(*folders: Listed, others: tuple[bytes, ...] = ()) -> dict[bytes, Folder]:
    return {each.name: each.folder for each in choose(folders, others, ())}


@pytest.mark.parametrize("name", [b"Junk", b"junk email", b"JUNK-E-MAIL", b"INBOX/Spam"])
def test_junk_is_known_by_its_name(name: bytes) -> None:
    assert chosen(listed(name))[name] is Folder.JUNK


def test_a_use_counts_more_than_a_name() -> None:
    german = listed(b"Werbung", b"\\HasNoChildren", b"\\JUNK")
    assert chosen(listed(b"Junk"), german) == {b"Werbung": Folder.JUNK, b"INBOX": Folder.INBOX}


def test_a_folder_that_cannot_be_selected_is_none() -> None:
    assert chosen(listed(b"Junk", b"\\NoSelect")) == {b"INBOX": Folder.INBOX}
    assert chosen(listed(b"Spam", b"\\Junk", b"\\Noselect")) == {b"INBOX": Folder.INBOX}


def test_a_name_without_a_delimiter_is_a_name() -> None:
    assert chosen(listed(b"Sent Items", mark=b""))[b"Sent Items"] is Folder.SENT


def test_what_the_operator_named_is_theirs_whatever_it_is_for() -> None:
    folders = chosen(listed(b"Trash", b"\\Trash"), others=(b"Trash", b"inbox", b"Gone"))
    assert folders == {b"Trash": Folder.OTHER, b"Gone": Folder.OTHER, b"INBOX": Folder.INBOX}


def test_what_was_seen_of_a_folder_is_kept() -> None:
    before = choose((listed(b"Junk"),), (), ())
    before[0].found([5])
    after = choose((listed(b"Junk"), listed(b"Sent")), (), before)
    assert after[0] is before[0]
    assert [each.folder for each in after] == [Folder.JUNK, Folder.SENT, Folder.INBOX]


def test_only_new_uids_are_pending_and_each_once() -> None:
    watched = Watched(Folder.INBOX, b"INBOX", validity=1)
    watched.found([7, 5, 7, MAX_UID + 1])
    watched.found([7, 6, 9])
    watched.found([])
    assert list(watched.pending) == [5, 7, 9]
    watched.begin(2)
    assert (watched.validity, watched.seen, list(watched.pending)) == (2, 0, [])


def test_a_key_finds_the_message_again() -> None:
    watched = Watched(Folder.JUNK, b"Junk-E-Mail", validity=4711)
    assert read_key(watched.key(5)) == (4711, 5, b"Junk-E-Mail")
    assert read_key(Watched(Folder.JUNK, b"a\nb").key(1)) == (0, 1, b"a\nb")


@pytest.mark.parametrize("key", ["", "1-2-", "1-x-INBOX", "INBOX", "1-99999999999-INBOX"])
def test_what_is_no_key_finds_nothing(key: str) -> None:
    assert read_key(key) is None
