"""A place of pick-up is opened as the operator described it, and what is missing is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.adapters.keyring import Keyring, Password
from agent.adapters.mailbox import Folder, Mailbox, PickupError, Trouble
from agent.app.mail_places import Opening, shared
from agent.settings import Receive
from servers.imap import imap_server
from servers.mailroom import INBOX, Office, office


def opening(it: Office, keyring: Keyring | None = None) -> Opening:
    return Opening(it.config(), it.tools, keyring or it.room.keyring, it.room.graph)


@asynccontextmanager
async def opened(way: Opening, **receive: Any) -> AsyncIterator[Mailbox]:
    mailbox = await way.open(Receive.model_validate(receive))
    try:
        yield mailbox
    finally:
        await mailbox.close()


async def test_a_mailbox_by_graph_is_looked_into_in_every_folder(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        it.room.log_in(it.config())
        it.tenant.service.box(INBOX).others["Archive"] = "archive-key"
        for folder in ("inbox", "junkemail", "sentitems", "deleteditems", "archive-key"):
            it.tenant.service.put(INBOX, folder, b"Subject: mfa1-" + b"a" * 26 + b"-" + b"b" * 26)
        graph = {"credential": "probe", "mailbox": INBOX, "folders": ("Archive",)}
        async with opened(opening(it), graph=graph) as mailbox:
            found = {each.folder for each in await mailbox.look()}
        assert found == set(Folder)


async def test_a_mailbox_by_imap_is_logged_in_to_with_the_credential(tmp_path: Path) -> None:
    async with office(tmp_path) as it, imap_server({}) as (port, heard):
        keyring = Keyring({"mail": Password("me", lambda: "canary-hunter2")})
        place = {"host": "127.0.0.1", "port": port, "tls": "never", "credential": "mail"}
        async with opened(opening(it, keyring), imap=place) as mailbox:
            assert len(await mailbox.look()) > 0
        assert b"AUTHENTICATE PLAIN" in heard


async def test_a_credential_that_cannot_be_used_is_told_with_the_missing_step(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as it, imap_server({}) as (port, heard):
        it.tenant.application.has_consent = False
        it.room.log_in(it.config())
        place = {
            "host": "127.0.0.1",
            "port": port,
            "tls": "never",
            "credential": "probe",
            "mailbox": INBOX,
        }
        with pytest.raises(PickupError) as caught:
            await opening(it).open(Receive.model_validate({"imap": place}))
        assert caught.value.trouble is Trouble.TOKEN
        assert "AADSTS65001" in caught.value.detail
        assert caught.value.fix.startswith("Grant admin consent")
        assert b"AUTHENTICATE" not in heard


async def test_a_maildir_is_found_beside_the_configuration(tmp_path: Path) -> None:
    async with office(tmp_path) as it:
        for name in ("cur", "new", "tmp"):
            (tmp_path / "box" / name).mkdir(parents=True)
        (tmp_path / "box" / "new" / "1.letter").write_bytes(b"Subject: hello\r\n\r\nHello.\r\n")
        async with opened(opening(it), maildir={"path": "box"}) as mailbox:
            (letter,) = await mailbox.look()
        assert letter.folder is Folder.INBOX
        async with opened(opening(it), maildir={"path": "none"}) as mailbox:
            with pytest.raises(PickupError, match="no-mailbox"):
                await mailbox.look()


@pytest.mark.parametrize(
    ("one", "other", "cleanup"),
    [
        ("delete", "delete", "delete"),
        ("delete", "dry-run", "dry-run"),
        ("keep", "dry-run", "keep"),
    ],
)
def test_of_two_routes_the_more_careful_one_decides_what_is_deleted(
    one: str, other: str, cleanup: str
) -> None:
    imap = {"host": "mail.contoso.com", "credential": "mail"}
    first = Receive.model_validate({"imap": {**imap, "folders": ("A",)}, "cleanup": one})
    second = Receive.model_validate({"imap": {**imap, "folders": ("B",)}, "cleanup": other})
    both = shared(first, second)
    assert both.cleanup == shared(second, first).cleanup == cleanup
    assert both.imap is not None
    assert both.imap.folders == ("A", "B")
    assert both.home == first.home
