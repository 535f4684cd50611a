"""What comes in is told apart, tied to a message by a genuine token, and told to the ledger."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.adapters.intray import Batch, Body, Repeats, Watched
from agent.adapters.mailbox import Folder
from agent.domain.entry import State, Witness
from agent.domain.message import Token
from agent.domain.payload import Kind, Payload
from servers.letters import BOX, LOST, SENDER, WITHIN, desk, letter, message, report

OTHER = "graph other@contoso.com"
Made = Callable[[Token], bytes]
Changes = Callable[[bytes], bytes]


def holiday(token: Token) -> bytes:
    """Return the answer of a machine."""
    return (
        b"From: <sink@fabrikam.com>\r\nTo: <probe@contoso.com>\r\n"
        b"Message-ID: <1@fabrikam.com>\r\nIn-Reply-To: <" + str(token).encode() + b"@contoso.com>"
        b"\r\nAuto-Submitted: auto-replied\r\nSubject: Automatic reply: mailflow-agent\r\n\r\n"
        b"I am away.\r\n"
    )


def forwarded(token: Token) -> bytes:
    """Return an ordinary message of somebody else that quotes ours."""
    return (
        b"From: <sink@fabrikam.com>\r\nTo: <probe@contoso.com>\r\nMessage-ID: <2@fabrikam.com>\r\n"
        b"Subject: FW: mailflow-agent " + str(token).encode() + b"\r\n\r\nSee this.\r\n"
    )


async def test_nothing_comes_of_nothing() -> None:
    async with desk() as it:
        assert await it.take() == Batch()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(Payload(), id="plain"),
        pytest.param(Payload(kind=Kind.HTML), id="html"),
        pytest.param(Payload(kind=Kind.ATTACHMENT, size=2000), id="attachment"),
    ],
)
async def test_a_message_of_ours_has_arrived_and_its_header_is_kept(payload: Payload) -> None:
    async with desk() as it:
        it.intray.replace({"r": Watched(payload)})
        token = await it.plan()
        it.clock.advance(timedelta(seconds=7))
        octets = message(token, payload)
        batch = await it.take(octets)
        assert (batch.ours, dict(batch.kinds)) == (("key-0",), {"message": 1})
        entry = it.entry(token)
        assert (entry.state, entry.seconds, entry.damaged) == (State.DELIVERED, 7.0, False)
        assert (entry.witness, entry.detail) == (Witness.MAILBOX, "in inbox")
        head = octets.partition(b"\r\n\r\n")[0]
        assert it.ledger.head(entry).rstrip() == head


async def test_mail_of_strangers_is_left_alone() -> None:
    async with desk() as it, desk() as elsewhere:
        token = await it.plan()
        forged = Token(token.nonce, "a" * 26)
        batch = await it.take(
            b"Subject: lunch?\r\n\r\nAt noon.\r\n",
            message(forged),
            message(await elsewhere.plan()),
            b"",
        )
        assert (batch.ours, dict(batch.kinds)) == ((), {"stranger": 4})
        assert (it.ledger.stats.forged, it.ledger.stats.foreign) == (1, 1)
        assert it.entry(token).state is State.ACCEPTED


@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param("5.1.10", State.BOUNCED, id="bounced"),
        pytest.param("5.4.14", State.LOOPED, id="went round"),
    ],
)
async def test_a_report_of_failure_decides(status: str, state: State) -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(report(token, status=status), home=SENDER)
        assert dict(batch.kinds) == {"bounce": 1}
        entry = it.entry(token)
        assert (entry.state, entry.witness) == (state, Witness.REPORT)
        assert status in entry.detail
        assert "mx.fabrikam.com" in entry.detail


async def test_a_report_of_delay_is_a_hint() -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(report(token, action="delayed", status="4.4.7"), home=SENDER)
        assert dict(batch.kinds) == {"delay": 1}
        entry = it.entry(token)
        assert (entry.state, entry.is_in_flight) == (State.ACCEPTED, True)
        assert "4.4.7" in entry.hint


async def test_an_answer_of_a_machine_is_no_arrival() -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(holiday(token), home=SENDER)
        assert (batch.ours, dict(batch.kinds)) == (("key-0",), {"auto-reply": 1})
        entry = it.entry(token)
        assert (entry.state, entry.hint) == (State.ACCEPTED, "auto-reply came back")


@pytest.mark.parametrize("answer", [holiday, forwarded], ids=["a machine's", "forwarded"])
async def test_where_a_far_end_answers_its_answer_is_the_arrival(answer: Made) -> None:
    async with desk() as it:
        it.intray.replace({"r": Watched(is_reflected=True)})
        token = await it.plan()
        await it.take(answer(token))
        entry = it.entry(token)
        assert (entry.state, entry.damaged) == (State.DELIVERED, False)


async def test_a_report_is_no_answer_of_a_far_end() -> None:
    async with desk() as it:
        it.intray.replace({"r": Watched(is_reflected=True)})
        token = await it.plan()
        await it.take(report(token))
        assert it.entry(token).state is State.BOUNCED


@pytest.mark.parametrize(
    ("folder", "home"),
    [
        pytest.param(Folder.SENT, BOX, id="sent"),
        pytest.param(Folder.DELETED, SENDER, id="deleted where it was sent from"),
    ],
)
async def test_what_was_sent_or_deleted_is_only_litter(folder: Folder, home: str) -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(message(token), report(token), folder=folder, home=home)
        assert batch.ours == ("key-0", "key-1")
        assert (it.entry(token).state, it.entry(token).hint) == (State.ACCEPTED, "")


async def test_a_message_that_a_rule_deletes_is_left_there_until_its_fate_is_known() -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(message(token), folder=Folder.DELETED)
        assert (batch.ours, batch.known, dict(batch.kinds)) == ((), 1, {"message": 1})
        it.clock.advance(LOST)
        it.ledger.looked(BOX, it.clock.monotonic())
        it.ledger.judge("r")
        entry = it.entry(token)
        assert (entry.state, "a rule of the mailbox deletes it" in entry.hint) == (State.LOST, True)
        assert (await it.take(message(token), folder=Folder.DELETED)).ours == ("key-0",)


def written(subject: str, body: str, *fields: str) -> Made:
    """Return how somebody writes a letter that holds the token where a T is."""

    def write(token: Token) -> bytes:
        head = ("From: <boss@contoso.com>", "Message-ID: <3@x.example>", f"Subject: {subject}")
        text = "\r\n".join((*head, *fields, "", body, ""))
        return text.replace("{T}", str(token)).encode()

    return write


QUOTING = [
    pytest.param(
        written("Messages in quarantine", "1 message is held: mailflow-agent {T}"), id="quarantine"
    ),
    pytest.param(written("[#17] mailflow-agent {T}", "We got your request."), id="ticket"),
    pytest.param(
        written("Re: mailflow-agent {T}", "What is this?", "In-Reply-To: <{T}@contoso.com>"),
        id="a person's answer",
    ),
    pytest.param(forwarded, id="forwarded"),
    pytest.param(
        lambda token: (
            b"Message-ID: <4@x.example>\r\nContent-Type: message/rfc822\r\n\r\n" + message(token)
        ),
        id="attached",
    ),
]


@pytest.mark.parametrize("made", QUOTING)
@pytest.mark.parametrize("home", [BOX, SENDER, OTHER])
async def test_who_only_quotes_a_message_has_not_brought_it(made: Made, home: str) -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(made(token), home=home)
        assert (batch.ours, batch.known, dict(batch.kinds)) == ((), 1, {"stranger": 1})
        entry = it.entry(token)
        assert (entry.state, entry.is_in_flight) == (State.ACCEPTED, True)
        assert entry.hint == "a letter that is not the message names it"
        await it.take(message(token))
        entry = it.entry(token)
        assert (entry.state, entry.duplicates) == (State.DELIVERED, 0)


async def test_who_only_quotes_a_message_hides_no_better_hint() -> None:
    async with desk() as it:
        token = await it.plan()
        await it.take(report(token, action="delayed", status="4.4.7"), forwarded(token))
        assert "4.4.7" in it.entry(token).hint


async def test_a_gateway_may_rewrite_all_but_the_subject_and_the_text() -> None:
    async with desk() as it:
        token = await it.plan()
        octets = message(token).replace(b"X-Mailflow-Token", b"X-Gone")
        octets = octets.replace(b"Message-ID: <", b"Message-ID: <5@x.example> (was ")
        await it.take(octets.replace(b"Subject: ", b"Subject: [EXTERNAL] "))
        assert it.entry(token).state is State.DELIVERED


@pytest.mark.parametrize("kind", ["disposition-notification", "feedback-report"])
async def test_a_receipt_is_litter_and_a_complaint_is_left(kind: str) -> None:
    async with desk() as it:
        token = await it.plan()
        made = written("x", "{T}", f"Content-Type: multipart/report; report-type={kind}")
        batch = await it.take(made(token), home=SENDER)
        assert batch.ours == (("key-0",) if kind.startswith("disposition") else ())
        assert "came back" in it.entry(token).hint
        assert "stranger" not in batch.kinds


IN_WORDS = written("delivery failed?", "My mail could not be delivered, was it mailflow-agent {T}?")


async def test_what_a_person_writes_of_a_failure_is_a_hint() -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(IN_WORDS(token), home=SENDER)
        assert (batch.ours, batch.known) == ((), 1)
        entry = it.entry(token)
        assert (entry.state, entry.is_in_flight) == (State.ACCEPTED, True)
        assert entry.hint.startswith("a letter that no mail system wrote says: ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"boss@", b"postmaster@", id="the postmaster"),
        pytest.param(b"Message-ID:", b"Return-Path: <>\r\nMessage-ID:", id="the null sender"),
        pytest.param(
            b"Message-ID:", b"Auto-Submitted: auto-replied\r\nMessage-ID:", id="automatic"
        ),
    ],
)
async def test_what_a_mail_system_writes_of_a_failure_is_believed(
    before: bytes, after: bytes
) -> None:
    async with desk() as it:
        token = await it.plan()
        batch = await it.take(IN_WORDS(token).replace(before, after), home=SENDER)
        assert batch.ours == ("key-0",)
        assert it.entry(token).state is State.BOUNCED


async def test_a_report_about_many_messages_decides_of_none() -> None:
    async with desk() as it:
        tokens = [await it.plan() for _ in range(5)]
        said = "could not be delivered:\r\n" + "\r\n".join(map(str, tokens))
        octets = written("delivery failed", said)(tokens[0]).replace(b"boss@", b"postmaster@")
        assert (await it.take(octets, home=SENDER)).ours == ()
        assert {it.entry(each).state for each in tokens} == {State.ACCEPTED}


@pytest.mark.parametrize(
    ("home", "folder", "state"),
    [
        pytest.param(BOX, Folder.JUNK, State.JUNKED, id="junk"),
        pytest.param(BOX, Folder.OTHER, State.DELIVERED, id="a folder of the operator's"),
        pytest.param(OTHER, Folder.INBOX, State.MISROUTED, id="another mailbox"),
        pytest.param(SENDER, Folder.INBOX, State.LOOPED, id="back where it came from"),
    ],
)
async def test_where_it_lies_tells_what_became_of_it(
    home: str, folder: Folder, state: State
) -> None:
    async with desk() as it:
        token = await it.plan()
        await it.take(message(token), home=home, folder=folder)
        assert it.entry(token).state is state


def changed(octets: bytes) -> bytes:
    head, _, body = octets.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body.replace(b"e", b"3")


def with_banner(octets: bytes) -> bytes:
    return octets + b"\r\n-- \r\nCAUTION: this message is from outside.\r\n"


@pytest.mark.parametrize(
    ("body", "way", "is_damaged"),
    [
        pytest.param("intact", changed, True, id="changed"),
        pytest.param("intact", with_banner, True, id="a banner that nobody expects"),
        pytest.param("banner-allowed", with_banner, False, id="a banner that is expected"),
        pytest.param("banner-allowed", changed, True, id="changed, not only a banner"),
        pytest.param("any", changed, False, id="changed as it likes"),
    ],
)
async def test_damage_is_what_the_route_does_not_allow(
    body: Body, way: Changes, *, is_damaged: bool
) -> None:
    async with desk() as it:
        it.intray.replace({"r": Watched(body=body)})
        token = await it.plan()
        await it.take(way(message(token)))
        assert it.entry(token).damaged is is_damaged


async def test_a_letter_that_was_cut_off_is_not_called_damaged() -> None:
    async with desk() as it:
        payload = Payload(kind=Kind.ATTACHMENT, size=50_000)
        it.intray.replace({"r": Watched(payload)})
        token = await it.plan()
        cut = replace(letter(message(token, payload)[:9000]), is_whole=False)
        await it.intray.take([cut], home=BOX)
        entry = it.entry(token)
        assert (entry.state, entry.damaged) == (State.DELIVERED, False)


async def test_a_report_is_about_the_message_that_it_returns() -> None:
    async with desk() as it:
        one, other = await it.plan(), await it.plan()
        quoted = str(other).encode()
        both = report(one).replace(b"See below.", b"See below, and see " + quoted)
        batch = await it.take(both, home=SENDER)
        assert batch.ours == ("key-0",)
        assert (it.entry(one).state, it.entry(other).state) == (State.BOUNCED, State.ACCEPTED)


async def test_who_waits_is_told_when_it_is_on_the_disk_and_how_it_came() -> None:
    async with desk() as it:
        token = await it.plan()
        await it.intray.take([letter(message(token))], home=BOX, way="from 192.0.2.1")
        assert (await it.ledger.wait(token, WITHIN)).detail == "from 192.0.2.1"
        rows = await it.ledger._store.read("SELECT entry FROM message")
        assert '"delivered"' in rows[0][0]


async def test_what_is_known_from_before_is_no_duplicate_and_what_is_new_is_one() -> None:
    async with desk() as it:
        token, missed = await it.plan(), await it.plan()
        await it.take(message(token), message(token))
        assert it.entry(token).duplicates == 1
        # The mailbox is opened anew, and shows all that lies there.
        repeats = Repeats()
        for octets in (message(token), message(token), message(token), message(missed)):
            batch = await it.intray.take([letter(octets)], home=BOX, repeats=repeats)
            assert batch.ours == ("key",)
        assert it.entry(token).duplicates == 2
        assert (it.entry(missed).state, it.entry(missed).duplicates) == (State.DELIVERED, 0)
        await it.take(message(token))
        assert it.entry(token).duplicates == 3
