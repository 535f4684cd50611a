"""Mailboxes looked into by IMAP, at a real Dovecot."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from imapclient import IMAPClient

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.imap import ImapMailbox, ImapPlace, open_imap
from agent.adapters.imap_login import ImapLogin, PasswordLogin, TokenLogin
from agent.adapters.mailbox import MAX_BODY, MAX_LETTERS, Folder, Letter, PickupError, Trouble
from agent.adapters.trust import TrustStore
from agent.domain.lookup import Answer, Query, Reply, Unanswered
from servers.imap import threads
from servers.mail_store import Store, store
from servers.mail_world import FULL, PASSWORD, PROBE, TOKEN, issued
from servers.smart_host import Nowhere

pytestmark = pytest.mark.integration

SOON = timedelta(seconds=5)
LONG = timedelta(seconds=60)
TRUST = TrustStore(roots=(issued()[0],), system=False)


@pytest.fixture
async def boxes() -> AsyncIterator[Store]:
    _, pair = issued()
    async with store(pair, {PROBE: PASSWORD, FULL: PASSWORD}, {}) as one:
        one.tokens[TOKEN] = PROBE
        yield one


def letter(name: str, *, head: str = "", body: str = "body") -> bytes:
    return f"Subject: {name}\r\nMessage-ID: <{name}@x>\r\n{head}\r\n{body}\r\n".encode()


def giving(login: ImapLogin) -> Callable[[], Awaitable[ImapLogin]]:
    async def log_in() -> ImapLogin:
        return login

    return log_in


@asynccontextmanager
async def opened(
    boxes: Store,
    login: ImapLogin | None = None,
    *,
    resolver: Nowhere | None = None,
    trust: TrustStore = TRUST,
    **place: object,
) -> AsyncIterator[ImapMailbox]:
    clock = SystemClock()
    login = login or PasswordLogin(PROBE, PASSWORD)
    given = {"host": "localhost", "port": boxes.imaps, "login": giving(login), **place}
    mailbox = await open_imap(
        ImapPlace(**given),  # type: ignore[arg-type]
        resolver=resolver or Nowhere(),
        dialer=Dialer(clock=clock, detours={("192.0.2.1", 993): ("127.0.0.1", boxes.imaps)}),
        trust=trust,
        clock=clock,
        timeout=SOON,
    )
    try:
        yield mailbox
    finally:
        await mailbox.close()
        assert threads() == []


async def refusal(boxes: Store, login: ImapLogin | None = None, **place: object) -> PickupError:
    with pytest.raises(PickupError) as caught:
        async with opened(boxes, login, **place):  # type: ignore[arg-type]
            pass
    assert threads() == []
    return caught.value


async def by_hand(boxes: Store, action: Callable[[IMAPClient], None]) -> None:
    """Do something in the mailbox as its user would."""
    context = ssl.create_default_context(cadata=issued()[0].decode())

    def act() -> None:
        with IMAPClient("localhost", boxes.imaps, ssl_context=context) as client:
            client.login(PROBE, PASSWORD)
            action(client)

    await asyncio.to_thread(act)


def names(letters: tuple[Letter, ...]) -> list[str]:
    """Return the subjects."""
    heads = [each.octets.partition(b"\r\n\r\n")[0].decode() for each in letters]
    return [head.split("Subject: ")[1].split("\r\n")[0] for head in heads]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("login", [PasswordLogin(PROBE, PASSWORD), TokenLogin(PROBE, TOKEN)])
async def test_each_letter_is_returned_once(boxes: Store, tls: str, login: ImapLogin) -> None:
    port = boxes.imaps if tls == "implicit" else boxes.imap
    await boxes.deliver(letter("one"), PROBE)
    async with opened(boxes, login, tls=tls, port=port) as mailbox:
        [found] = await mailbox.look()
        assert await mailbox.look() == ()
        await boxes.deliver(letter("two"), PROBE)
        await boxes.deliver(letter("three"), PROBE)
        assert names(await mailbox.look()) == ["two", "three"]
        assert await mailbox.look() == ()
    assert found.folder is Folder.INBOX
    assert found.is_whole
    assert found.octets.endswith(b"Message-ID: <one@x>\r\n\r\nbody\r\n")
    assert b"Received: from tests" in found.octets
    assert found.received_at is not None
    assert abs(datetime.now(UTC) - found.received_at) < LONG


async def test_folders_are_found_by_their_use_and_by_their_names(boxes: Store) -> None:
    await by_hand(boxes, lambda client: client.create_folder("Pr\u00fcfung"))
    async with opened(boxes, folders=("Pr\u00fcfung",)) as mailbox:
        for folder in ("Junk", "Sent", "Trash", "INBOX"):
            await boxes.deliver(letter(folder), PROBE, folder)
        await by_hand(boxes, lambda client: client.append("Pr\u00fcfung", letter("Else")))
        found = {name: each.folder for each in await mailbox.look() for name in names((each,))}
    assert found == {
        "Junk": Folder.JUNK,
        "Sent": Folder.SENT,
        "Trash": Folder.DELETED,
        "INBOX": Folder.INBOX,
        "Else": Folder.OTHER,
    }


async def test_a_letter_moved_to_junk_is_found_there(boxes: Store) -> None:
    def move(client: IMAPClient) -> None:
        client.select_folder("INBOX")
        client.move([1], "Junk")

    await boxes.deliver(letter("one"), PROBE)
    async with opened(boxes) as mailbox:
        assert [each.folder for each in await mailbox.look()] == [Folder.INBOX]
        await by_hand(boxes, move)
        assert [each.folder for each in await mailbox.look()] == [Folder.JUNK]
        assert await mailbox.look() == ()


async def test_a_folder_that_is_made_anew_is_looked_into_anew(boxes: Store) -> None:
    def remake(client: IMAPClient) -> None:
        client.delete_folder("Else")
        client.create_folder("Else")
        client.append("Else", letter("again"))

    await by_hand(boxes, lambda client: client.create_folder("Else"))
    await boxes.deliver(letter("one"), PROBE, "Else")
    async with opened(boxes, folders=("Else",)) as mailbox:
        [old] = await mailbox.look()
        await by_hand(boxes, remake)
        # The UIDs begin anew under another UIDVALIDITY: this is no letter that was seen.
        [new] = await mailbox.look()
        assert names((old, new)) == ["one", "again"]
        assert old.key.split("-")[1] == new.key.split("-")[1]
        await mailbox.remove([old.key])
        await by_hand(boxes, lambda client: _holds(client, "Else", 1))
        await mailbox.remove([new.key])
        await by_hand(boxes, lambda client: _holds(client, "Else", 0))


def _holds(client: IMAPClient, folder: str, count: int) -> None:
    assert client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"] == count


async def test_only_what_is_named_is_removed(boxes: Store) -> None:
    def mark(client: IMAPClient) -> None:
        client.select_folder("INBOX")
        client.delete_messages([3])  # by somebody else, who may want it back

    for name in ("one", "two", "three"):
        await boxes.deliver(letter(name), PROBE)
    await boxes.deliver(letter("junk"), PROBE, "Junk")
    async with opened(boxes) as mailbox:
        letters = await mailbox.look()
        await by_hand(boxes, mark)
        await mailbox.remove([each.key for each in letters if names((each,))[0] in ("one", "junk")])
        await mailbox.remove(["no key", "1-1-Nowhere"][:1])
        await mailbox.remove([])
        await by_hand(boxes, lambda client: _holds(client, "INBOX", 2))
        await by_hand(boxes, lambda client: _holds(client, "Junk", 0))
        await mailbox.wait(timedelta(seconds=0.1))
        assert await mailbox.look() == ()


async def test_waiting_ends_when_something_comes(boxes: Store) -> None:
    async with opened(boxes) as mailbox:
        await mailbox.look()
        waiting = asyncio.create_task(mailbox.wait(LONG))
        await boxes.deliver(letter("one"), PROBE)
        began = time.monotonic()
        await waiting
        assert time.monotonic() - began < 5  # Dovecot itself waits for half a second
        assert names(await mailbox.look()) == ["one"]


async def test_waiting_does_not_miss_what_came_before(boxes: Store) -> None:
    async with opened(boxes) as mailbox:
        await boxes.deliver(letter("one"), PROBE)
        await mailbox.remove([each.key for each in await mailbox.look()])
        await boxes.deliver(letter("two"), PROBE)  # while no folder is examined
        began = time.monotonic()
        await mailbox.wait(LONG)
        assert time.monotonic() - began < 5
        assert names(await mailbox.look()) == ["two"]


async def test_waiting_ends_when_nothing_comes(boxes: Store) -> None:
    async with opened(boxes, renew=timedelta(seconds=0.1)) as mailbox:
        await mailbox.look()
        began = time.monotonic()
        await mailbox.wait(timedelta(seconds=0.35))
        assert 0.3 < time.monotonic() - began < 3
        assert await mailbox.look() == ()


async def test_what_is_too_much_for_one_look_is_left_to_the_next(boxes: Store) -> None:
    def fill(client: IMAPClient) -> None:
        for number in range(MAX_LETTERS + 20):
            client.append("INBOX", letter(str(number)))

    await by_hand(boxes, fill)
    async with opened(boxes) as mailbox:
        first = await mailbox.look()
        began = time.monotonic()
        await mailbox.wait(LONG)
        assert time.monotonic() - began < 1
        second = await mailbox.look()
        assert await mailbox.look() == ()
    assert len(first) == MAX_LETTERS
    assert sorted(map(int, names(first + second))) == list(range(MAX_LETTERS + 20))


async def test_old_letters_are_left_alone(boxes: Store) -> None:
    old = datetime.now(UTC) - timedelta(days=30)
    await by_hand(boxes, lambda client: client.append("INBOX", letter("old"), msg_time=old))
    async with opened(boxes) as mailbox:
        assert await mailbox.look() == ()
        await by_hand(boxes, lambda client: client.append("INBOX", letter("copy"), msg_time=old))
        assert names(await mailbox.look()) == ["copy"]


async def test_a_large_letter_is_cut(boxes: Store) -> None:
    body = "\r\n".join("x" * 70 for _ in range(5000))
    head = "X-Unknown: y\r\nX-MS-Exchange-Organization-SCL: 1\r\n"
    await boxes.deliver(letter("large", body=body, head=head), PROBE)
    async with opened(boxes) as mailbox:
        [found] = await mailbox.look()
    assert not found.is_whole
    assert len(found.octets.partition(b"\r\n\r\n")[2]) == MAX_BODY
    assert found.size > len(body)
    assert b"X-Unknown" not in found.octets  # nothing is fetched that nobody reads
    assert b"X-MS-Exchange-Organization-SCL: 1" in found.octets


async def test_the_room_of_a_mailbox_is_told(boxes: Store) -> None:
    await boxes.deliver(letter("large", body="\r\n".join("x" * 70 for _ in range(500))), PROBE)
    async with opened(boxes) as mailbox:
        room = await mailbox.room()
    assert room.limit == 64 * 2**20
    assert room.used is not None
    assert 35_000 < room.used < 40_000


async def test_a_wrong_password_is_said_to_be_wrong(boxes: Store) -> None:
    error = await refusal(boxes, PasswordLogin(PROBE, "canary"))
    assert error.trouble is Trouble.LOGIN_REFUSED
    assert error.fix == "check the user name and the password"


async def test_a_token_that_is_not_good_any_more_is_refused(boxes: Store) -> None:
    async with opened(boxes, TokenLogin(PROBE, TOKEN)):
        del boxes.tokens[TOKEN]
    error = await refusal(boxes, TokenLogin(PROBE, TOKEN))
    assert error.trouble is Trouble.LOGIN_REFUSED
    assert TOKEN not in error.detail


async def test_a_token_for_another_mailbox_opens_none(boxes: Store) -> None:
    error = await refusal(boxes, TokenLogin(FULL, TOKEN))
    assert error.trouble is Trouble.LOGIN_REFUSED


async def test_a_folder_that_is_not_there_is_named(boxes: Store) -> None:
    error = await refusal(boxes, folders=("Nowhere",))
    assert error.trouble is Trouble.NO_FOLDER
    assert "Nowhere" in error.detail


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_nobody_logs_in_at_a_stranger(boxes: Store, tls: str) -> None:
    port = boxes.imaps if tls == "implicit" else boxes.imap
    nobody = TrustStore(system=False)
    assert (await refusal(boxes, tls=tls, port=port, trust=nobody)).trouble is Trouble.TLS
    world = World({"mail.contoso.com": "192.0.2.1"})
    error = await refusal(boxes, host="mail.contoso.com", port=993, resolver=world)
    assert error.trouble is Trouble.TLS
    assert "mail.contoso.com" in error.detail


class World(Nowhere):
    """A resolver of a few names; None is one that does not answer."""

    def __init__(self, names: dict[str, str | None]) -> None:
        self._names = names

    async def resolve_all(self, queries: tuple[Query, ...]) -> tuple[Reply, ...]:
        return tuple(map(self._resolve, queries))

    def _resolve(self, query: Query) -> Reply:
        address = self._names.get(query.name, "")
        if address is None:
            return Unanswered("timeout")  # type: ignore[arg-type]
        wanted = [address] if address and query.type == "A" else []
        return Answer(tuple(map(ip_address, wanted)), name_exists=query.name in self._names)


async def test_a_name_is_looked_up_by_our_own_resolver(boxes: Store) -> None:
    await boxes.deliver(letter("one"), PROBE)
    world = World({"imap.contoso.com": "192.0.2.1"})
    async with opened(boxes, host="imap.contoso.com", port=993, resolver=world) as mailbox:
        assert names(await mailbox.look()) == ["one"]


@pytest.mark.parametrize(
    ("address", "trouble", "detail"),
    [
        ("", Trouble.UNRESOLVED, "has no address"),
        (None, Trouble.UNRESOLVED, "timeout"),
        ("169.254.169.254", Trouble.UNREACHED, "forbidden-address"),
        ("127.0.0.1", Trouble.UNREACHED, "forbidden-address"),
    ],
)
async def test_a_name_that_leads_nowhere_has_its_reason(
    boxes: Store, address: str | None, trouble: Trouble, detail: str
) -> None:
    world = World({"imap.contoso.com": address})
    error = await refusal(boxes, host="imap.contoso.com", resolver=world)
    assert error.trouble is trouble
    assert detail in error.detail


async def test_a_server_that_is_away_and_comes_back(boxes: Store) -> None:
    await boxes.deliver(letter("one"), PROBE)
    async with opened(boxes) as mailbox:
        await mailbox.look()
        await boxes.stop()
        with pytest.raises(PickupError) as caught:
            await mailbox.wait(LONG)
    assert caught.value.trouble in (Trouble.UNAVAILABLE, Trouble.UNREACHED)
    assert (await refusal(boxes)).trouble is Trouble.UNREACHED
    await boxes.start()
    async with opened(boxes) as mailbox:
        assert names(await mailbox.look()) == ["one"]
