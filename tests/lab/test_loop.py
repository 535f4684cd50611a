"""Does a message that the provider's tenant claims go round, and is it cut and told of?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, message_from_string
from email.message import Message
from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.dialer import Dialer
from agent.adapters.smtp_policy import Client, Policy, Response, say
from agent.adapters.smtp_server import SmtpServer
from agent.adapters.smtp_session import Target, hold
from agent.adapters.trust import TrustStore
from agent.domain.dsn import read_report
from agent.domain.received import Received, read_received
from agent.domain.smtp import Accepted, Dialogue, Errand, Tls
from agent.lab.lab import Lab
from agent.lab.mailbox import NAME as MAILBOX
from agent.lab.onward import MOST_ROUNDS
from agent.lab.tenants import id_of
from agent.lab.world import (
    CONTOSO_ENDPOINT,
    EXCHANGE_NAME,
    FILTERS,
    OUTBOUND,
    OUTBOUND_NAME,
)
from servers.running import eventually

FAULT = "provider-certificate-shared"
EDGE = EXCHANGE_NAME.lower()
FIRST, SECOND = "mx1.filter.example", "mx2.filter.example"
CONTENT = b"Subject: hello\r\nMessage-ID: <1@contoso.com>\r\n\r\nbody\r\n"
PATIENCE = 25


class Sink(Policy):
    """Keeps what arrives, and for whom."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[str | None, list[str], bytes]] = asyncio.Queue()

    async def rcpt(self, client: Client, rcpt_to: str) -> Response:
        del client, rcpt_to
        return say(250, "2.1.5 ok")

    async def message(self, client: Client, content: bytes) -> Response:
        self.arrived.put_nowait((client.mail_from, list(client.rcpt_to), content))
        return say(250, "2.0.0 ok")


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with Lab(tmp_path) as lab:
        yield lab


@pytest.fixture
async def sink(lab: Lab) -> AsyncIterator[Sink]:
    sink = Sink()
    server = SmtpServer(sink)
    await server.start("127.0.0.1", lab.sink_port)
    yield sink
    await server.close()


async def send(
    lab: Lab,
    *,
    host: str = FILTERS[0],
    rcpt_to: str = "probe@fabrikam.com",
    mail_from: str = "visitor@contoso.com",
) -> Dialogue:
    """Hand a message to a server of the lab as the internet would."""
    clock = SystemClock()
    trust = TrustStore(roots=[lab.authority], system=False)
    session = await hold(
        Target(address=ip_address(host), port=25, tls=trust.client(verify=False)),
        Errand("client.contoso.com", Tls.REQUIRED, mail_from, (rcpt_to,), CONTENT),
        dialer=Dialer(clock=clock, detours=lab.detours, detours_only=True),
        clock=clock,
        deadline=timedelta(seconds=10),
    )
    return session.dialogue


async def in_mailbox(folder: Path, number: int = 1) -> list[Message]:
    """Return what lies in the lab's mailbox, as soon as there is so much."""
    place = folder / MAILBOX / "new"

    async def look() -> list[bytes]:
        return await asyncio.to_thread(lambda: [each.read_bytes() for each in place.iterdir()])

    found = await eventually(look, lambda found: len(found) >= number)
    return [message_from_bytes(each) for each in found]


def hops(message: Message) -> list[Received]:
    """Return its Received fields, oldest first."""
    return [read_received(each) for each in reversed(message.get_all("Received", []))]


def way(message: Message) -> list[tuple[str, str]]:
    return [(each.from_host, each.by_host) for each in hops(message)]


def visits(lab: Lab) -> int:
    """Return how many sessions the front door of Exchange Online has had."""
    return lab._exchange.stats.sessions


async def returned(sink: Sink) -> tuple[str, Message]:
    """Wait for a non-delivery report; return its diagnostic and what it holds of the original."""
    async with asyncio.timeout(PATIENCE):
        mail_from, rcpt_to, content = await sink.arrived.get()
    assert (mail_from, rcpt_to) == ("", ["visitor@contoso.com"])
    report = read_report(content)
    assert report is not None
    (recipient,) = report.recipients
    *_, original = message_from_bytes(content).walk()
    return recipient.diagnostic, message_from_string(str(original.get_payload()))


async def test_without_the_fault_the_filter_delivers_into_the_mailbox(
    lab: Lab, sink: Sink, tmp_path: Path
) -> None:
    assert isinstance(await send(lab), Accepted)
    (message,) = await in_mailbox(tmp_path)
    inside = hops(message)[-1].by_host
    assert way(message) == [("client.contoso.com", FIRST), (FIRST, EDGE), (EDGE, inside)]
    assert message["X-MS-Exchange-CrossTenant-Id"] == id_of("fabrikam")
    assert sink.arrived.empty()


async def test_mail_that_the_providers_tenant_claims_goes_round_until_it_is_cut(
    lab: Lab, sink: Sink, tmp_path: Path
) -> None:
    lab.world.break_(FAULT)
    assert isinstance(await send(lab), Accepted)
    diagnostic, original = await returned(sink)
    assert "554 5.4.14 Hop count exceeded - possible mail loop ATTR34" in diagnostic
    found = hops(original)
    inside = found[2].by_host
    one_round = [(FIRST, EDGE), (EDGE, inside), (OUTBOUND_NAME, FIRST)]
    assert way(original) == [
        ("client.contoso.com", FIRST),
        *one_round * MOST_ROUNDS,
        (FIRST, EDGE),
    ]
    # Every host wrote an address, an id and a time, and every way was encrypted.
    assert all(each.is_encrypted and each.id and each.at for each in found)
    assert {each.from_address for each in found if each.from_host == FIRST} == {FILTERS[0]}
    assert {each.from_address for each in found if each.from_host == OUTBOUND_NAME} == {OUTBOUND}
    times = [each.at for each in found if each.at]
    assert times == sorted(times)
    # It was attributed once, to the provider.
    assert original.get_all("X-MS-Exchange-CrossTenant-Id") == [id_of("relecloud")]
    assert original["X-OriginatorOrg"] == "relecloud.com"
    assert original["X-MS-Exchange-CrossTenant-FromEntityHeader"] == "HybridOnPrem"
    assert not list((tmp_path / MAILBOX / "new").iterdir())


async def test_mending_it_ends_the_loop_even_for_what_is_under_way(
    lab: Lab, sink: Sink, tmp_path: Path
) -> None:
    lab.world.break_(FAULT)
    await send(lab)
    lab.world.mend(FAULT)
    await send(lab)
    first, second = await in_mailbox(tmp_path, 2)
    assert min(len(hops(first)), len(hops(second))) == 3
    assert max(len(hops(first)), len(hops(second))) < 3 * MOST_ROUNDS
    assert sink.arrived.empty()


async def test_a_loop_goes_on_by_the_second_exchange_where_the_first_is_down(
    lab: Lab, sink: Sink
) -> None:
    lab.world.break_("filter-down")
    lab.world.break_(FAULT)
    assert isinstance(await send(lab, host=FILTERS[1]), Accepted)
    _, original = await returned(sink)
    assert way(original).count((OUTBOUND_NAME, SECOND)) == MOST_ROUNDS


async def test_a_message_that_goes_round_is_never_doubled(lab: Lab, sink: Sink) -> None:
    lab.world.break_("mail-doubled")
    lab.world.break_(FAULT)
    await send(lab)
    await returned(sink)
    assert visits(lab) == MOST_ROUNDS + 1
    assert sink.arrived.empty()


async def test_a_loop_without_a_sender_ends_in_silence(lab: Lab, sink: Sink) -> None:
    lab.world.break_(FAULT)
    await send(lab, mail_from="")

    async def look() -> int:
        return visits(lab)

    await eventually(look, lambda number: number == MOST_ROUNDS + 1)
    await send(lab)
    await returned(sink)
    assert visits(lab) == 2 * (MOST_ROUNDS + 1)
    assert sink.arrived.empty()


async def test_other_mail_of_a_tenant_is_relayed_to_where_the_mx_points(
    lab: Lab, tmp_path: Path
) -> None:
    # Contoso's connector knows the address, so that this is mail of Contoso to Fabrikam.
    assert isinstance(await send(lab, host=CONTOSO_ENDPOINT), Accepted)
    (message,) = await in_mailbox(tmp_path)
    assert way(message)[1:4] == [
        (EDGE, hops(message)[1].by_host),
        (OUTBOUND_NAME, FIRST),
        (FIRST, EDGE),
    ]
    assert message["X-OriginatorOrg"] == "contoso.com"


@pytest.mark.parametrize(
    ("rcpt_to", "said"),
    [
        pytest.param("me@stranger.example", "550 5.4.310", id="no MX"),
        pytest.param("me@payroll.example", "550 5.4.316", id="nobody listens"),
        pytest.param("me@litwareinc.com", "550 5.0.350", id="refused"),
    ],
)
async def test_what_cannot_be_relayed_is_reported(
    lab: Lab, sink: Sink, rcpt_to: str, said: str
) -> None:
    assert isinstance(await send(lab, host=CONTOSO_ENDPOINT, rcpt_to=rcpt_to), Accepted)
    diagnostic, _ = await returned(sink)
    assert diagnostic.startswith(said)
