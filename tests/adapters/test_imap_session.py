"""What is said to IMAP servers that are odd and honest, and what is made of their answers."""

import base64
from collections.abc import Mapping
from datetime import UTC

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.imap_login import PasswordLogin, TokenLogin
from agent.adapters.mailbox import PickupError, Room, Trouble
from agent.adapters.trust import TrustStore
from servers.imap import ALONE, LETTER, NO_SASL, ORDINARY, Answer, fetched, imap_server
from servers.imap_visit import giving, opened, trouble
from servers.smtp import Wire
from servers.tls import Authorities


@pytest.fixture(scope="module")
def trust() -> TrustStore:
    return Authorities().store


EXAMINED = b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT %d] x\r\n%%t OK done\r\n"


async def test_a_folder_of_many_messages_is_searched_in_pieces(trust: TrustStore) -> None:
    asked: list[bytes] = []

    async def search(wire: Wire, tag: bytes) -> None:
        asked.append(bytes(wire.heard).split(b" UID SEARCH ")[-1].split(b" SINCE")[0].strip())
        number = 10_001 - len(asked)
        await wire.say(b"* SEARCH %d\r\n%b OK done\r\n" % (number, tag))

    none = b"%t OK done\r\n"
    answers: dict[str, Answer] = {
        "LIST": ALONE,
        "EXAMINE": EXAMINED % (10_000, 10_001),
        "SEARCH": search,
    }
    async with imap_server({**answers, "FETCH": none}) as (port, _):
        mailbox = await opened(port, trust)
        await mailbox.look()
        await mailbox.close()
    assert asked == [b"5905:*", b"1809:5904", b"1:1808"]


async def test_after_an_outage_a_search_goes_back_as_far_as_there_is_news(
    trust: TrustStore,
) -> None:
    exists = [EXAMINED % (0, 1), EXAMINED % (20_000, 20_001)]
    asked: list[bytes] = []

    async def examine(wire: Wire, tag: bytes) -> None:
        await wire.say((exists.pop(0) if len(exists) > 1 else exists[0]).replace(b"%t", tag))

    async def search(wire: Wire, tag: bytes) -> None:
        asked.append(bytes(wire.heard).split(b" UID SEARCH ")[-1].strip())
        found = b" 20000" if len(asked) < 3 else b""
        await wire.say(b"* SEARCH%b\r\n%b OK done\r\n" % (found, tag))

    none = b"%t OK done\r\n"
    answers: dict[str, Answer] = {
        "LIST": ALONE,
        "EXAMINE": examine,
        "SEARCH": search,
        "FETCH": none,
    }
    async with imap_server(answers) as (port, _):
        mailbox = await opened(port, trust)
        await mailbox.look()
        assert asked == []
        await mailbox.look()
        await mailbox.look()
        await mailbox.close()
    assert asked == [b"15905:* UID 1:*", b"11809:15904 UID 1:*", b"7713:11808 UID 1:*"]


async def test_a_folder_that_goes_away_is_not_looked_into_any_more(
    trust: TrustStore,
) -> None:
    lists = [ORDINARY["LIST"], ALONE]

    async def listing(wire: Wire, tag: bytes) -> None:
        answer = lists.pop(0) if len(lists) > 1 else lists[0]
        assert isinstance(answer, bytes)
        await wire.say(answer.replace(b"%t", tag))

    async with imap_server({"LIST": listing, "STATUS": b"%t NO gone\r\n"}) as (port, heard):
        mailbox = await opened(port, trust)
        assert len(await mailbox.look()) == 1
        assert await mailbox.look() == ()
        await mailbox.close()
    assert heard.count(b" STATUS ") == 1


async def test_a_folder_that_is_there_and_refuses_is_trouble(trust: TrustStore) -> None:
    async with imap_server({"STATUS": b"%t NO [NOPERM] not you\r\n"}) as (port, _):
        error = await trouble(port, trust)
    assert error.trouble is Trouble.PERMISSION


async def test_new_folders_are_looked_for_now_and_then(trust: TrustStore) -> None:
    async with imap_server({}) as (port, heard):
        clock = Later()
        mailbox = await opened(port, trust, clock)
        await mailbox.look()
        clock.ahead = 301.0
        await mailbox.look()
        await mailbox.close()
    assert heard.count(b" LIST ") == 2


class Later(SystemClock):
    """A clock that can be put ahead."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def test_without_uidplus_nobody_elses_message_is_expunged(trust: TrustStore) -> None:
    capability = NO_SASL % b"AUTH=PLAIN"
    for deleted, times in ((b"* SEARCH 5\r\n", 1), (b"* SEARCH 5 6\r\n", 0)):
        answers = {"CAPABILITY": capability, "SEARCH": deleted + b"%t OK done\r\n"}
        async with imap_server(answers) as (port, heard):
            mailbox = await opened(port, trust)
            await mailbox.remove(["7-5-INBOX"])
            await mailbox.close()
        assert heard.count(b" EXPUNGE\r\n") == times


async def test_what_lay_in_a_folder_that_is_gone_is_removed_already(
    trust: TrustStore,
) -> None:
    async with imap_server({"SELECT": b"%t NO gone\r\n"}) as (port, heard):
        mailbox = await opened(port, trust)
        await mailbox.remove(["7-5-INBOX"])
        await mailbox.close()
    assert b" STORE " not in heard


async def test_a_folder_that_is_read_only_is_trouble(trust: TrustStore) -> None:
    answer = b"* OK [UIDVALIDITY 7] x\r\n%t OK [READ-ONLY] done\r\n"
    async with imap_server({"SELECT": answer}) as (port, _):
        mailbox = await opened(port, trust)
        with pytest.raises(PickupError) as caught:
            await mailbox.remove(["7-5-INBOX"])
        await mailbox.close()
    assert caught.value.trouble is Trouble.PERMISSION


@pytest.mark.parametrize(
    ("answers", "room"),
    [
        ({"CAPABILITY": NO_SASL % b"AUTH=PLAIN"}, Room()),
        ({"GETQUOTAROOT": b"%t NO none\r\n"}, Room()),
        (
            {
                "GETQUOTAROOT": b'* QUOTAROOT INBOX ""\r\n'
                b'* QUOTA "" (MESSAGE 5 10)\r\n%t OK done\r\n'
            },
            Room(),
        ),
        (
            {
                "GETQUOTAROOT": b'* QUOTAROOT INBOX ""\r\n'
                b'* QUOTA "" (MESSAGE 5 10 STORAGE 2 3)\r\n%t OK done\r\n'
            },
            Room(2048, 3072),
        ),
    ],
)
async def test_the_room_is_told_where_the_server_tells_it(
    answers: Mapping[str, Answer], room: Room, trust: TrustStore
) -> None:
    async with imap_server(answers) as (port, _):
        mailbox = await opened(port, trust)
        assert await mailbox.room() == room
        await mailbox.close()


async def test_the_refusal_of_a_token_is_taken_note_of_and_not_answered_with_the_token(
    trust: TrustStore,
) -> None:
    said = []

    async def refuse(wire: Wire, tag: bytes) -> None:
        for challenge in (b"", base64.b64encode(b'{"status":"400"}')):
            await wire.say(b"+ " + challenge + b"\r\n")
            said.append(await wire.hear())
        await wire.say(tag + b" NO AUTHENTICATE failed.\r\n")

    async with imap_server({"AUTHENTICATE": refuse}) as (port, _):
        login = giving(TokenLogin("probe@contoso.com", "canary"))
        error = await trouble(port, trust, login=login)
    assert error.trouble is Trouble.LOGIN_REFUSED
    assert base64.b64decode(said[0]) == b"user=probe@contoso.com\1auth=Bearer canary\1\1"
    assert said[1] == b"\r\n"


async def test_a_password_is_quoted_for_a_server_without_sasl(trust: TrustStore) -> None:
    async with imap_server({"CAPABILITY": NO_SASL % b""}) as (port, heard):
        mailbox = await opened(port, trust)
        await mailbox.close()
    assert b'LOGIN "probe@contoso.com" "pass \\"word\\" \\\\ of canary-4711"\r\n' in heard


@pytest.mark.parametrize(
    ("password", "capability"),
    [("two\r\nlines", b""), ("schl\u00fcssel", b""), ("sound", b"LOGINDISABLED")],
)
async def test_what_cannot_be_said_in_a_login_is_not_said(
    password: str, capability: bytes, trust: TrustStore
) -> None:
    async with imap_server({"CAPABILITY": NO_SASL % capability}) as (port, heard):
        login = giving(PasswordLogin("probe@contoso.com", password))
        error = await trouble(port, trust, login=login)
    assert error.trouble is Trouble.LOGIN_REFUSED
    assert b"LOGIN" not in heard


async def test_octets_in_the_capabilities_do_no_harm(trust: TrustStore) -> None:
    capability = b"* CAPABILITY IMAP4rev1 X-\xff\xfe IDLE AUTH=PLAIN\r\n%t OK done\r\n"
    async with imap_server({"CAPABILITY": capability, "LIST": ALONE}) as (port, _):
        mailbox = await opened(port, trust)
        letters = await mailbox.look()
        await mailbox.close()
    assert [letter.octets for letter in letters] == [LETTER + b"body\r\n"]


async def test_what_was_not_asked_for_is_no_letter(trust: TrustStore) -> None:
    two = fetched(4711).replace(b"%t OK done\r\n", b"") + fetched(1)
    async with imap_server({"FETCH": two, "LIST": ALONE}) as (port, _):
        mailbox = await opened(port, trust)
        letters = await mailbox.look()
        await mailbox.close()
    assert [letter.key for letter in letters] == ["7-1-INBOX"]


@pytest.mark.parametrize(
    ("answer", "octets", "is_whole"),
    [
        (fetched(1, LETTER, b"x" * 200_000), 65536 + len(LETTER), False),
        (fetched(1, b"A: " + b"x" * 200_000, b""), 65536 + 4, False),
        (b"* 1 FETCH (UID 1 BODY[TEXT] NIL RFC822.SIZE NIL)\r\n%t OK done\r\n", 4, True),
        (
            b'* 1 FETCH (UID 1 INTERNALDATE "31-Dec-9999 23:59:59 -1200")\r\n%t OK done\r\n',
            4,
            True,
        ),
        (b'* 1 FETCH (UID 1 INTERNALDATE "no date")\r\n%t OK done\r\n', 4, True),
    ],
)
async def test_a_letter_is_cut_to_what_may_be_kept(
    answer: bytes, octets: int, *, is_whole: bool, trust: TrustStore
) -> None:
    async with imap_server({"FETCH": answer, "LIST": ALONE}) as (port, _):
        mailbox = await opened(port, trust)
        [letter] = await mailbox.look()
        await mailbox.close()
    assert (len(letter.octets), letter.is_whole) == (octets, is_whole)
    assert letter.received_at is None or letter.received_at.tzinfo is UTC
