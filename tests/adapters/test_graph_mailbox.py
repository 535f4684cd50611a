"""A mailbox over Graph shows what came, once, and nothing that is none of our business."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from agent.adapters.graph_mailbox import MAX_SEEN, OVERLAP, GraphMailbox
from agent.adapters.graph_send import Sent, send_mail
from agent.adapters.mailbox import (
    LOOK_BACK,
    MAX_BODY,
    MAX_HEAD,
    MAX_LETTERS,
    Folder,
    Letter,
    Mailbox,
    PickupError,
    Room,
    Trouble,
)
from agent.domain.header_fields import read_head
from agent.domain.message import Token, find_tokens
from servers.entra import answers
from servers.graph import error
from servers.microsoft import USER, Microsoft, microsoft


def token(number: int) -> Token:
    random = number.to_bytes(16, "big")
    return Token.make(random, key=b"k" * 32, route="r", sequence=number, instance="i")


def mail(number: int, body: str = "Hello.\r\n") -> bytes:
    made = token(number)
    return (
        f"From: <{USER}>\r\nTo: <{USER}>\r\nMessage-ID: <{made}@contoso.com>\r\n"
        f"Subject: mailflow-agent {made}\r\nX-Mailflow-Token: {made}\r\n\r\n{body}"
    ).encode()


STRANGER = b"From: <a@example.net>\r\nSubject: lunch?\r\nMessage-ID: <1@example.net>\r\n\r\nHi.\r\n"


@pytest.fixture
async def tenant() -> AsyncIterator[Microsoft]:
    async with microsoft() as running:
        yield running


def mailbox(tenant: Microsoft, *folders: Folder, others: tuple[str, ...] = ()) -> GraphMailbox:
    folders = folders or (Folder.INBOX, Folder.JUNK)
    return GraphMailbox(tenant.client, USER, clock=tenant.clock, folders=folders, others=others)


def numbers(letters: tuple[Letter, ...]) -> list[Token]:
    return [find_tokens(letter.octets)[0] for letter in letters]


async def opened(tenant: Microsoft, *folders: Folder, others: tuple[str, ...] = ()) -> Mailbox:
    made = mailbox(tenant, *folders, others=others)
    await made.open()
    return made


async def test_what_was_sent_is_found_in_the_inbox_and_removed(tenant: Microsoft) -> None:
    sent = await send_mail(tenant.client, USER, mail(1))
    assert isinstance(sent, Sent)
    box = await opened(tenant)
    (letter,) = await box.look()
    assert (letter.folder, letter.is_whole) == (Folder.INBOX, True)
    assert letter.octets == b"Received: from graph\r\n" + mail(1)
    assert (letter.size, letter.received_at) == (len(letter.octets), tenant.clock.now())
    await box.remove([letter.key])
    assert tenant.service.folder(USER, "inbox") == []
    await box.remove([letter.key])  # gone, which is what was wanted


async def test_a_letter_is_returned_once_and_the_next_one_too(tenant: Microsoft) -> None:
    box = await opened(tenant)
    assert await box.look() == ()
    for number in range(1, 4):
        tenant.clock.advance(timedelta(minutes=7))
        tenant.service.put(USER, "inbox", mail(number))
        assert numbers(await box.look()) == [token(number)]
    assert await box.look() == ()
    tenant.clock.advance(timedelta(hours=2))
    assert await box.look() == ()


async def test_the_folder_is_told_and_letters_come_oldest_first(tenant: Microsoft) -> None:
    tenant.service.box(USER).others["Moved 'away'"] = "AAMkOther"
    for number, folder in enumerate(("junkemail", "inbox", "AAMkOther", "sentitems"), 1):
        tenant.service.put(USER, folder, mail(number))
        tenant.clock.advance(timedelta(seconds=30))
    box = await opened(
        tenant, Folder.INBOX, Folder.JUNK, Folder.SENT, Folder.DELETED, others=("Moved 'away'",)
    )
    letters = await box.look()
    assert [each.folder for each in letters] == [
        Folder.JUNK,
        Folder.INBOX,
        Folder.OTHER,
        Folder.SENT,
    ]
    assert numbers(letters) == [token(number) for number in (1, 2, 3, 4)]


async def test_a_letter_that_moved_to_junk_is_seen_there(tenant: Microsoft) -> None:
    stored = tenant.service.put(USER, "inbox", mail(1))
    box = await opened(tenant)
    assert len(await box.look()) == 1
    stored.folder, stored.key = "junkemail", "AAMkMoved="  # Exchange gives it another id
    (letter,) = await box.look()
    assert letter.folder is Folder.JUNK


async def test_what_a_stranger_wrote_is_not_fetched(tenant: Microsoft) -> None:
    tenant.service.put(USER, "inbox", STRANGER)
    box = await opened(tenant)
    assert await box.look() == ()
    assert tenant.service.asked["messages/$value"] == 0


@pytest.mark.parametrize(
    "head",
    [
        b"From: <postmaster@contoso.com>\r\n",
        b"From: <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.com>\r\n",
        b"Content-Type: multipart/report; report-type=delivery-status\r\n",
        b"Auto-Submitted: auto-replied\r\n",
    ],
)
async def test_a_report_is_fetched_although_it_names_no_token(
    tenant: Microsoft, head: bytes
) -> None:
    octets = head + b"Subject: Undeliverable\r\n\r\n" + mail(1)
    tenant.service.put(USER, "inbox", octets)
    (letter,) = await (await opened(tenant)).look()
    assert letter.octets == octets


async def test_a_report_that_never_left_exchange_is_known_by_its_author(tenant: Microsoft) -> None:
    assert isinstance(
        await send_mail(tenant.client, USER, mail(1).replace(b"To: <probe", b"To: <nobody")), Sent
    )
    (letter,) = await (await opened(tenant)).look()
    assert b"5.1.10" in letter.octets
    assert find_tokens(letter.octets) == (token(1),)


async def test_sent_items_can_be_cleaned(tenant: Microsoft) -> None:
    await send_mail(tenant.client, USER, mail(1))
    box = await opened(tenant, Folder.SENT)
    letters = await box.look()
    await box.remove([letter.key for letter in letters])
    assert tenant.service.folder(USER, "sentitems") == []


async def test_where_nothing_can_be_removed_for_good_it_is_deleted(tenant: Microsoft) -> None:
    stored = tenant.service.put(USER, "inbox", mail(1))
    tenant.service.has_permanent_delete = False
    await (await opened(tenant)).remove([stored.key])
    assert tenant.service.folder(USER, "inbox") == []


async def test_the_header_alone_is_read_where_no_more_is_permitted(tenant: Microsoft) -> None:
    tenant.application.permissions = {"Mail.ReadBasic.All"}
    for number in (1, 2, 3):
        tenant.service.put(USER, "inbox", mail(number))
    box = await opened(tenant)
    letters = await box.look()
    assert numbers(letters) == [token(number) for number in (1, 2, 3)]
    assert not letters[0].is_whole
    assert read_head(letters[0].octets).first("x-mailflow-token") == str(token(1))
    before = tenant.service.asked["messages/$value"]
    tenant.service.put(USER, "inbox", mail(4))
    assert numbers(await box.look()) == [token(4)]
    assert tenant.service.asked["messages/$value"] == before
    with pytest.raises(PickupError) as caught:
        await box.remove([letters[0].key])
    assert caught.value.trouble is Trouble.PERMISSION
    assert "Mail.ReadWrite" in caught.value.fix


async def test_a_long_letter_is_cut(tenant: Microsoft) -> None:
    tenant.service.put(USER, "inbox", mail(1, "x" * 500_000))
    (letter,) = await (await opened(tenant)).look()
    assert (len(letter.octets), letter.is_whole) == (MAX_HEAD + MAX_BODY, False)


async def test_a_letter_that_goes_while_one_looks_is_passed_over(tenant: Microsoft) -> None:
    for number in (1, 2):
        tenant.service.put(USER, "inbox", mail(number))
    box = await opened(tenant)

    async def fault(request: web.Request) -> web.Response | None:
        is_first = request.path.endswith("/AAMk000001=/$value")
        return error(404, "ErrorItemNotFound", "Gone.") if is_first else None

    tenant.service.fault = fault
    assert numbers(await box.look()) == [token(2)]


async def test_more_than_a_look_holds_is_left_to_the_next(tenant: Microsoft) -> None:
    count = 2 * MAX_LETTERS + 30
    for number in range(count):
        tenant.service.put(USER, "inbox", mail(number))
    box = await opened(tenant)
    looks = [await box.look() for _ in range(3)]
    assert [len(letters) for letters in looks] == [MAX_LETTERS, MAX_LETTERS, 30]
    letters = looks[0] + looks[1] + looks[2]
    assert numbers(letters) == [token(number) for number in range(count)]


async def test_the_second_look_sees_what_came_while_the_first_was_full(tenant: Microsoft) -> None:
    for number in range(MAX_LETTERS + 1):
        tenant.service.put(USER, "inbox", mail(number))
    box = await opened(tenant)
    await box.look()
    tenant.service.put(USER, "inbox", mail(500))
    assert token(500) in numbers(await box.look())


async def test_letters_behind_a_thousand_of_strangers_are_found(tenant: Microsoft) -> None:
    tenant.service.page = 5  # a hundred messages in as many pages as are read at a time
    for _ in range(150):
        tenant.service.put(USER, "inbox", STRANGER)
        tenant.clock.advance(timedelta(seconds=5))
    tenant.service.put(USER, "inbox", mail(1))
    assert numbers(await (await opened(tenant)).look()) == [token(1)]


async def test_a_mailbox_that_is_flooded_is_told(tenant: Microsoft) -> None:
    stored = tenant.service.put(USER, "inbox", STRANGER)
    box = await opened(tenant)

    async def fault(request: web.Request) -> web.Response | None:
        if not request.path.endswith("/messages"):
            return None
        start = int(request.query.get("$skip", "0"))
        listed = [stored.listed("id,receivedDateTime")] * 500
        link = f"{tenant.service.url}{request.rel_url.with_query({'$skip': str(start + 500)})}"
        return web.json_response({"value": listed, "@odata.nextLink": link})

    tenant.service.fault = fault
    with pytest.raises(PickupError) as caught:
        await box.look()
    assert caught.value.trouble is Trouble.OVER_QUOTA
    assert "a mailbox of its own" in caught.value.fix


async def test_one_who_may_not_remove_is_told_in_a_national_cloud_too(tenant: Microsoft) -> None:
    stored = tenant.service.put(USER, "inbox", mail(1))
    tenant.service.fault = answers(lambda: error(400, "BadRequest", "No."))
    with pytest.raises(PickupError) as caught:
        await mailbox(tenant).remove([stored.key])
    assert caught.value.trouble is Trouble.PROTOCOL


async def test_a_folder_is_found_among_those_that_are_named_alike(tenant: Microsoft) -> None:
    names = ({"displayName": "archive", "id": "a"}, {"displayName": "Archive", "id": "b"})

    async def fault(request: web.Request) -> web.Response | None:
        is_search = request.path.endswith("/mailFolders")
        return web.json_response({"value": names}) if is_search else None

    tenant.service.fault = fault
    tenant.service.box(USER).others["Archive"] = "b"
    tenant.service.put(USER, "b", mail(1))
    (letter,) = await (await opened(tenant, Folder.INBOX, others=("Archive",))).look()
    assert letter.folder is Folder.OTHER


async def test_old_letters_are_left_alone(tenant: Microsoft) -> None:
    tenant.service.put(USER, "inbox", mail(1))
    tenant.clock.advance(LOOK_BACK + timedelta(minutes=1))
    tenant.service.put(USER, "inbox", mail(2))
    assert numbers(await (await opened(tenant)).look()) == [token(2)]


async def test_what_is_put_there_with_a_time_of_the_past_is_seen(tenant: Microsoft) -> None:
    box = await opened(tenant)
    tenant.service.put(USER, "inbox", mail(1))
    await box.look()
    late = tenant.service.put(USER, "inbox", mail(2))
    late.received_at -= OVERLAP / 2
    assert numbers(await box.look()) == [token(2)]


async def test_a_time_in_the_future_blinds_nobody(tenant: Microsoft) -> None:
    box = await opened(tenant)
    tenant.service.put(USER, "inbox", mail(1)).received_at += timedelta(days=999)
    assert numbers(await box.look()) == [token(1)]
    tenant.service.put(USER, "inbox", mail(2))
    assert numbers(await box.look()) == [token(2)]


async def test_few_ids_are_remembered(tenant: Microsoft) -> None:
    made = mailbox(tenant)
    await made.open()
    place = made._places[0]
    place.seen.update(dict.fromkeys(map(str, range(MAX_SEEN))))
    tenant.service.put(USER, "inbox", STRANGER)
    await made.look()
    assert len(place.seen) == MAX_SEEN
    assert "AAMk000001=" in place.seen


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "a"},
        {"receivedDateTime": "2026-11-23T12:00:00Z"},
        {"id": "../..", "receivedDateTime": "2026-11-23T12:00:00Z"},
        {"id": "x" * 2000, "receivedDateTime": "2026-11-23T12:00:00Z"},
        {"id": "a", "receivedDateTime": "yesterday"},
    ],
)
async def test_an_entry_without_id_or_time_is_a_fault_of_protocol(
    tenant: Microsoft, entry: dict[str, object]
) -> None:
    box = await opened(tenant)
    tenant.service.fault = answers(lambda: web.json_response({"value": [entry]}))
    with pytest.raises(PickupError) as caught:
        await box.look()
    assert caught.value.trouble is Trouble.PROTOCOL


async def test_header_fields_of_the_wrong_kind_are_left_out(tenant: Microsoft) -> None:
    tenant.application.permissions = {"Mail.ReadBasic.All"}
    box = await opened(tenant)
    entry = {
        "id": "AAMk1=",
        "receivedDateTime": "2026-11-23T12:00:00Z",
        "subject": f"a\r\nX-Forged: 1 {token(1)}",
        "from": {"emailAddress": "x"},
        "internetMessageHeaders": [
            7,
            {"name": 7, "value": "x"},
            {"name": "A"},
            {"name": "B", "value": "1\ud800"},
        ],
    }

    async def fault(request: web.Request) -> web.Response | None:
        if request.path.endswith("/inbox/messages"):
            return web.json_response({"value": [entry]})
        return None

    tenant.service.fault = fault
    (letter,) = [each for each in await box.look() if each.folder is Folder.INBOX]
    assert [field.name for field in read_head(letter.octets)] == ["b", "subject"]


@pytest.mark.parametrize("status", [429, 500])
async def test_trouble_with_one_letter_ends_the_look(tenant: Microsoft, status: int) -> None:
    for number in range(9):
        tenant.service.put(USER, "inbox", mail(number))
    box = await opened(tenant)

    async def fault(request: web.Request) -> web.Response | None:
        return error(status, "Trouble", "No.") if request.path.endswith("$value") else None

    tenant.service.fault = fault
    with pytest.raises(PickupError) as caught:
        await box.look()
    assert caught.value.trouble in (Trouble.THROTTLED, Trouble.UNAVAILABLE)


async def test_a_connection_that_breaks_is_no_lost_letter(tenant: Microsoft) -> None:
    stored = tenant.service.put(USER, "inbox", mail(1))
    box = await opened(tenant)

    async def fault(request: web.Request) -> web.Response | None:
        if "/AAMk" in request.path:
            assert request.transport is not None
            request.transport.close()
        return None

    tenant.service.fault = fault
    for asking in (box.look(), box.remove([stored.key])):
        with pytest.raises(PickupError) as caught:
            await asking
        assert caught.value.trouble is Trouble.UNREACHED


async def test_a_mailbox_that_does_not_exist_is_told() -> None:
    async with microsoft(mailbox=False) as tenant:
        with pytest.raises(PickupError) as caught:
            await opened(tenant)
    assert caught.value.trouble is Trouble.NO_MAILBOX
    assert USER in caught.value.fix


async def test_a_mailbox_outside_of_the_scope_is_told(tenant: Microsoft) -> None:
    tenant.application.mailboxes = {"other@contoso.com"}
    with pytest.raises(PickupError) as caught:
        await opened(tenant)
    assert caught.value.trouble is Trouble.PERMISSION
    assert "Test-ApplicationAccessPolicy" in caught.value.fix


async def test_a_folder_that_does_not_exist_is_told(tenant: Microsoft) -> None:
    with pytest.raises(PickupError) as caught:
        await opened(tenant, others=("Archive",))
    assert caught.value.trouble is Trouble.NO_FOLDER
    assert "Archive" in caught.value.detail


async def test_a_message_is_found_by_its_message_id_in_any_folder(tenant: Microsoft) -> None:
    tenant.service.put(USER, "deleteditems", b"Message-ID: <it's@b>\r\n\r\n")
    tenant.service.put(USER, "inbox", mail(1))
    (found,) = await mailbox(tenant).find("<it's@b>")
    assert (found.folder_id, found.key) == ("deleteditems", "AAMk000001=")
    assert found.received_at == tenant.clock.now()
    assert await mailbox(tenant).find("<none@b>") == ()


async def test_waiting_ends_in_time_and_closing_closes_nothing(tenant: Microsoft) -> None:
    box = await opened(tenant)
    async with asyncio.timeout(5):
        await box.wait(timedelta(milliseconds=10))
    assert await box.room() == Room()
    await box.close()
    assert await box.look() == ()
