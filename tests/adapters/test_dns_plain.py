"""Does what is read here read the same by dnspython, and is every ordinary reply read here?"""

from ipaddress import ip_address

import dns.edns
import dns.flags
import dns.message
import dns.rrset
import pytest
from adapters.test_dns_wire import mutations, replies
from hypothesis import given, settings

from agent.adapters import dns_wire
from agent.adapters.dns_opening import open_message
from agent.adapters.dns_plain import open_plain
from agent.adapters.dns_question import echoes, encode_question
from agent.adapters.dns_said import read_said
from agent.domain.direct import DirectQuery, Said
from agent.domain.lookup import Type, Unanswered

NAME = "example.com"
NOTE = dns.edns.EDEOption(dns.edns.EDECode.STALE_ANSWER)


def read_by_dnspython(wire: bytes, name: str, kind: Type) -> dns_wire.Reading:
    """What was read before plain messages were told apart."""
    opened = open_message(wire, (kind, "CNAME", "SOA"))
    if isinstance(opened, Unanswered):
        return dns_wire.Reading(opened)
    message, marks = opened
    rcode = int(message.rcode())
    if rcode not in (0, 3):
        return dns_wire.Reading(dns_wire._failure(rcode))
    return dns_wire._Reader(message, marks, len(wire)).read(name, kind, exists=rcode == 0)


@given(replies() | mutations())
@settings(max_examples=400, deadline=None)
def test_a_plain_message_says_what_dnspython_says_it_does(case: tuple[str, Type, bytes]) -> None:
    name, kind, wire = case
    question = encode_question(name, kind)
    assert question is not None
    if echoes(wire, question) and open_plain(wire, (kind, "CNAME", "SOA")) is not None:
        assert dns_wire.read_reply(wire, name, kind) == read_by_dnspython(wire, name, kind)


@given(replies())
@settings(max_examples=50, deadline=None)
def test_what_servers_send_is_plain(case: tuple[str, Type, bytes]) -> None:
    assert open_plain(case[2], (case[1], "CNAME", "SOA")) is not None


def reply(kind: Type, *records: str, rdclass: str = "IN") -> dns.message.Message:
    message = dns.message.make_response(dns.message.make_query(NAME, kind, use_edns=True))
    message.flags |= dns.flags.RA
    message.answer = [dns.rrset.from_text(f"{NAME}.", 300, rdclass, kind, *records)]
    return message


@pytest.mark.parametrize(
    ("kind", "records"),
    [
        pytest.param("AAAA", ("2001:db8::1", "2001:db8::2"), id="AAAA"),
        pytest.param("NS", ("ns1.example.com.", "NS2.example.net."), id="NS"),
        pytest.param("PTR", ("mail.example.com.",), id="PTR"),
        pytest.param("MX", ("0 .",), id="the root"),
        pytest.param("SPF", ('"v=spf1 " "-all"',), id="SPF"),
        pytest.param("SOA", (r"ns. a\.b\"\007\200.example. 1 2 3 4 4294967295",), id="SOA"),
    ],
)
def test_other_types_read_the_same(kind: Type, records: tuple[str, ...]) -> None:
    wire = reply(kind, *records).to_wire()
    assert open_plain(wire, (kind, "CNAME", "SOA")) is not None
    assert dns_wire.read_reply(wire, NAME, kind) == read_by_dnspython(wire, NAME, kind)


def test_the_unusual_is_left_to_dnspython() -> None:
    noted = reply("A", "192.0.2.1")
    noted.use_edns(0, options=[NOTE])
    many = reply("MX", *(f"1 {'a.' * 100}{number}.example." for number in range(9)))
    long = reply("A", "192.0.2.1").to_wire().replace(b"\xc0\x0c\0\1", b"\xc0\x40\0\1", 1)
    for wire, kind in (
        (noted.to_wire(), "A"),
        (many.to_wire(max_size=65535), "MX"),
        (reply("SRV", "0 1 443 web.example.").to_wire(), "SRV"),
        (reply("A", "a.example. 1", rdclass="CH").to_wire(), "A"),
        (long, "A"),
    ):
        assert open_plain(wire, (kind, "CNAME", "SOA")) is None  # type: ignore[arg-type]
        found = dns_wire.read_reply(wire, NAME, kind)  # type: ignore[arg-type]
        assert found == read_by_dnspython(wire, NAME, kind)  # type: ignore[arg-type]


@given(replies() | mutations())
@settings(max_examples=100, deadline=None)
def test_a_name_does_not_lead_through_what_dnspython_is_not_shown(
    case: tuple[str, Type, bytes],
) -> None:
    name, kind, wire = case
    question = encode_question(name, kind)
    assert question is not None
    kinds: tuple[Type, ...] = (kind, "CNAME", "SOA")
    if echoes(wire, question) and open_plain(wire, kinds) is not None:
        assert not isinstance(open_message(wire, kinds), Unanswered)


def test_a_direct_reply_reads_the_same_whoever_reads_it() -> None:
    """A note makes dnspython read it; the note may stand before the glue or behind it."""
    asked = DirectQuery(ip_address("192.0.2.53"), f"www.{NAME}", "A")
    message = dns.message.make_response(dns.message.make_query(asked.name, "A"))
    message.answer = [
        dns.rrset.from_text(f"www.{NAME}.", 2**31 - 1, "IN", "CNAME", f"Web.{NAME}."),
        dns.rrset.from_text(f"web.{NAME}.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"),
    ]
    message.authority = [dns.rrset.from_text(f"{NAME}.", 60, "IN", "NS", f"ns.{NAME}.", "ns.a.")]
    message.additional = [
        dns.rrset.from_text(f"ns.{NAME}.", 60, "IN", "A", "192.0.2.3"),
        dns.rrset.from_text(f"ns.{NAME}.", 60, "IN", "AAAA", "2001:db8::1"),
    ]
    wire = message.to_wire()
    assert open_plain(wire, ("A", "CNAME", "NS", "A", "AAAA", "RRSIG")) is not None
    said = read_said(wire, asked, seconds=0)
    assert isinstance(said, Said)
    assert (said.aliases, said.ttl, said.cut) == ((f"web.{NAME}",), 60, NAME)
    assert said.glue == {f"ns.{NAME}": tuple(map(ip_address, ("192.0.2.3", "2001:db8::1")))}
    message.use_edns(0, options=[NOTE])
    behind = message.to_wire()
    opt = behind[len(wire) :]
    glue = wire.index(b"\xc0\x00\x02\x03") - 12  # where its record begins, with a short name
    before = behind[:glue] + opt + behind[glue : len(wire)]
    for noted in (behind, before):
        assert read_said(noted, asked, seconds=0) == said
