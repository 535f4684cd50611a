"""Are messages read as dnspython reads them, and is nothing raised whatever they hold?

dnspython's own message parser, with its own way of following aliases, is the oracle: for messages
as servers send them, for those with octets changed, and for mere noise.
"""

import struct
from ipaddress import IPv4Address

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.adapters import dns_serving
from agent.adapters.answer_cache import AnswerCache
from agent.adapters.dns_question import (
    echoes,
    encode_name,
    encode_query,
    encode_question,
    is_truncated,
)
from agent.adapters.dns_serving import ResourceRecord, Response
from agent.adapters.dns_wire import Dangling, read_reply
from agent.domain.lookup import (
    Answer,
    Exchange,
    Query,
    Record,
    Silence,
    TextRecord,
    Type,
    Unanswered,
)

IDENT = b"\x12\x34"
NAMES = st.sampled_from(["example.com", "a.example.com", "b.example.com", "xn--bcher-kva.example"])
TTLS = st.sampled_from([0, 1, 300, 2**31 - 1, 2**31, 2**32 - 1])
DATA: dict[Type, st.SearchStrategy[Record]] = {
    "TXT": st.lists(st.binary(max_size=255), max_size=3).map(lambda s: TextRecord(tuple(s))),
    "MX": st.builds(Exchange, st.integers(0, 65535), NAMES),
    "A": st.integers(0, 2**32 - 1).map(IPv4Address),
    "CNAME": NAMES,
}


@st.composite
def records(draw: st.DrawFn, kind: Type) -> ResourceRecord:
    kind = draw(st.sampled_from([kind, kind, kind, "CNAME", "MX"]))
    return ResourceRecord(draw(NAMES), kind, draw(TTLS), draw(DATA[kind]))


@st.composite
def replies(draw: st.DrawFn) -> tuple[str, Type, bytes]:
    """A name and type, and a reply such as servers send."""
    name = draw(NAMES)
    kind: Type = draw(st.sampled_from(["TXT", "MX", "A"]))
    octets = encode_question(name, kind)
    assert octets is not None
    soa = ResourceRecord("com", "SOA", draw(TTLS), "ns.example.com")
    response = Response(
        rcode=draw(st.sampled_from([0, 0, 0, 3])),
        answers=tuple(draw(st.lists(records(kind), max_size=5))),
        authority=(soa,) if draw(st.booleans()) else (),
    )
    question = dns_serving.Question(IDENT, name, kind, octets, 4096, draw(st.booleans()))
    return name, kind, dns_serving.write_response(question, response, datagram=True)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, Type, bytes]:
    """A reply with octets changed, cut off or added."""
    name, kind, wire = draw(replies())
    octets = bytearray(wire)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(2, len(octets) - 1))
        octets[at] = draw(st.sampled_from([0, 1, 0x0C, 0x3F, 0x40, 0xC0, 0xFF]))
    cut = draw(st.sampled_from([len(octets)] * 4 + list(range(12, len(octets)))))
    return name, kind, bytes(octets[:cut]) + draw(st.sampled_from([b"", b"", b"\0", b"junk"]))


def _oracle(wire: bytes) -> tuple[set[str], str] | None:
    """The records and their owner, as dnspython's own way has them; nothing where it raises."""
    try:
        message = dns.message.from_wire(wire)
        if message.rcode() not in {0, 3} or not isinstance(message, dns.message.QueryMessage):
            return None
        chain = message.resolve_chaining()
    except dns.exception.DNSException:
        return None
    found = set() if chain.answer is None else {rdata.to_text() for rdata in chain.answer}
    return found, chain.canonical_name.to_text(omit_final_dot=True).lower()


def _in_text(answer: Answer, kind: Type) -> set[str]:
    """The records as dnspython would write them."""
    said = set()
    for record in answer.records:
        octets = dns_serving.write_response(
            dns_serving.Question(IDENT, "x", kind, b"\1x\0" + struct.pack("!HH", 1, 1)),
            Response(answers=(ResourceRecord("x", kind, 0, record),)),
            datagram=False,
        )
        said |= {rdata.to_text() for rdata in dns.message.from_wire(octets).answer[0]}
    return said


@given(replies() | mutations())
@settings(max_examples=400, deadline=None)
def test_reading_agrees_with_dnspython(case: tuple[str, Type, bytes]) -> None:
    name, kind, wire = case
    question = encode_question(name, kind)
    assert question is not None
    if not echoes(wire, question) or is_truncated(wire):
        return
    reading = read_reply(wire, name, kind)
    oracle = _oracle(wire)
    if oracle is None or not isinstance(reading.reply, Answer):
        return
    records, canonical = oracle
    if any(record == TextRecord(()) for record in reading.reply.records):
        return  # dnspython drops these messages
    assert _in_text(reading.reply, kind) == records
    assert (reading.reply.aliases[-1] if reading.reply.aliases else name) == canonical


@given(replies())
@settings(max_examples=200, deadline=None)
def test_what_dnspython_answers_is_answered(case: tuple[str, Type, bytes]) -> None:
    name, kind, wire = case
    oracle = _oracle(wire)
    reading = read_reply(wire, name, kind)
    if oracle is not None and oracle[0]:
        contradictory = reading.reply == Unanswered(Silence.MALFORMED)
        assert contradictory or (isinstance(reading.reply, Answer) and reading.reply.records)
        if contradictory:
            aliases = dns.message.from_wire(wire, one_rr_per_rrset=True).answer
            owners = [rr.name for rr in aliases if rr.rdtype == dns.rdatatype.CNAME]
            assert len(owners) > len(set(owners))


@given(replies() | mutations(), st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
@example(("example.com", "TXT", b"\x12\x34\x81\x80\0\1\0\0\0\0\0\0"), b"")
def test_nothing_is_raised_whatever_comes(case: tuple[str, Type, bytes], noise: bytes) -> None:
    name, kind, wire = case
    question = encode_question(name, kind)
    assert question is not None
    for octets in (wire, noise, IDENT + b"\x81\x80\0\1" + noise, wire[:18] + noise):
        if echoes(octets, question):
            assert isinstance(read_reply(octets, name, kind).reply, Answer | Unanswered | Dangling)


@given(replies() | mutations(), st.integers(0, 2**32 - 1), st.data())
@settings(max_examples=400, deadline=None)
def test_a_reply_is_recognised_if_and_only_if_it_reads_the_same(
    case: tuple[str, Type, bytes], ttl: int, data: st.DataObject
) -> None:
    """Recognition stands in for reading: it must never differ from it."""
    name, kind, wire = case
    question = encode_question(name, kind)
    assert question is not None
    if not echoes(wire, question) or is_truncated(wire):
        return
    cache = AnswerCache(10)
    entry = cache.entry(Query(name, kind))
    reading = read_reply(wire, name, kind)
    first = cache.learn(entry, wire, reading)
    if reading.layout is None:
        assert not cache.recognise(entry, wire)
        return
    again = bytearray(b"\xab\xcd" + wire[2:])
    for offset in reading.layout.ttls:
        again[offset : offset + 4] = ttl.to_bytes(4, "big")
    assert cache.recognise(entry, bytes(again))
    assert entry.result == first == read_reply(bytes(again), name, kind).reply
    free = {at for offset in reading.layout.ttls for at in range(offset, offset + 4)} | {0, 1}
    bound = [at for at in range(len(wire)) if at not in free]
    at = data.draw(st.sampled_from(bound))
    again[at] ^= data.draw(st.integers(1, 255))
    assert not cache.recognise(entry, bytes(again))


@given(replies())
@settings(max_examples=200, deadline=None)
def test_times_to_live_are_read_the_same_from_known_and_unknown_replies(
    case: tuple[str, Type, bytes],
) -> None:
    name, kind, wire = case
    cache = AnswerCache(10)
    entry = cache.entry(Query(name, kind))
    cache.learn(entry, wire, read_reply(wire, name, kind))
    expires, result = entry.expires, entry.result
    if cache.recognise(entry, wire):
        assert (entry.expires, entry.result) == (expires, result)
        assert entry.result is result


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_a_name_is_encoded_label_by_label_or_not_at_all(name: str) -> None:
    wire = encode_name(name)
    labels = name.encode("latin-1").split(b".") if name else []
    fits = all(0 < len(label) <= 63 for label in labels) and len(name) <= 253
    assert (wire is not None) == fits
    if wire is not None:
        assert wire == b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


@pytest.mark.parametrize("edns", [True, False])
def test_a_query_is_what_dnspython_makes(edns: bool) -> None:  # noqa: FBT001  a table of two
    question = encode_question("example.com", "MX")
    assert question is not None
    ours = dns.message.from_wire(encode_query(IDENT, question, edns=edns))
    theirs = dns.message.make_query("example.com", "MX", use_edns=0 if edns else -1, payload=1232)
    theirs.id = ours.id
    theirs.flags |= dns.flags.AD  # tell us whether DNSSEC vouches
    assert ours.to_wire() == theirs.to_wire()


def test_a_name_with_a_dot_inside_a_label_can_never_be_asked() -> None:
    question = encode_question("example.com", "PTR")
    assert question is not None
    target = b"\x03a.b\x07example\0"
    record = b"\xc0\x0c" + struct.pack("!HHIH", 12, 1, 60, len(target)) + target
    wire = IDENT + b"\x81\x80\0\1\0\1\0\0\0\0" + question + record
    reply = read_reply(wire, "example.com", "PTR").reply
    assert isinstance(reply, Answer)
    assert encode_name(str(reply.records[0])) is None


def test_records_of_another_class_are_not_ours() -> None:
    question = encode_question("example.com", "TXT")
    assert question is not None
    record = b"\xc0\x0c" + struct.pack("!HHIH", 16, 3, 60, 5) + b"\4away"
    wire = IDENT + b"\x81\x80\0\1\0\1\0\0\0\0" + question + record
    assert read_reply(wire, "example.com", "TXT").reply == Unanswered(Silence.MALFORMED)


_REFERRAL = ResourceRecord("com", "NS", 60, "ns.example")
_SOA = ResourceRecord("com", "SOA", 60, "ns.example")
_BESIDE = ResourceRecord("other.example", "TXT", 60, TextRecord((b"v=spf1 +all",)))
_ALIAS = ResourceRecord("example.com", "CNAME", 60, "a.example")


@pytest.mark.parametrize(
    ("response", "flags", "reason"),
    [
        pytest.param(Response(), 0x8180, None, id="nothing, after recursion"),
        pytest.param(Response(), 0x8400, None, id="nothing, with authority"),
        pytest.param(Response(), 0x8000, Silence.REFUSED, id="nothing, with neither"),
        pytest.param(Response(rcode=3), 0x8000, Silence.REFUSED, id="NXDOMAIN with neither"),
        pytest.param(Response(rcode=3), 0x8180, None, id="NXDOMAIN after recursion"),
        pytest.param(Response(authority=(_SOA,)), 0x8000, None, id="nothing, with a SOA"),
        pytest.param(Response(authority=(_REFERRAL,)), 0x8180, Silence.REFUSED, id="referral"),
        pytest.param(Response(authority=(_REFERRAL, _SOA)), 0x8180, None, id="NS and SOA"),
        pytest.param(Response(3, authority=(_REFERRAL,)), 0x8180, None, id="NXDOMAIN and NS"),
        pytest.param(Response(answers=(_BESIDE,)), 0x8180, Silence.MALFORMED, id="another name"),
        pytest.param(Response(3, (_BESIDE,)), 0x8180, Silence.MALFORMED, id="NXDOMAIN and another"),
        pytest.param(Response(0, (_BESIDE,), (_SOA,)), 0x8180, None, id="another name and a SOA"),
        pytest.param(Response(3, (_ALIAS,)), 0x8180, None, id="alias of what does not exist"),
    ],
)
def test_absence_is_believed_only_of_those_who_can_know(
    response: Response, flags: int, reason: Silence | None
) -> None:
    octets = encode_question("example.com", "TXT")
    assert octets is not None
    question = dns_serving.Question(IDENT, "example.com", "TXT", octets)
    wire = bytearray(dns_serving.write_response(question, response, datagram=True))
    wire[2:4] = (flags | response.rcode).to_bytes(2, "big")
    reply = read_reply(bytes(wire), "example.com", "TXT").reply
    if reason is None:
        assert isinstance(reply, Answer)
        assert reply.is_void
    else:
        assert reply == Unanswered(reason)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        pytest.param("b.example", Silence.MALFORMED, id="two targets"),
        pytest.param("a.example", None, id="one target twice"),
    ],
)
def test_a_name_has_one_alias(second: str, reason: Silence | None) -> None:
    octets = encode_question("example.com", "A")
    assert octets is not None
    question = dns_serving.Question(IDENT, "example.com", "A", octets)
    aliases = [ResourceRecord("example.com", "CNAME", 60, to) for to in ("a.example", second)]
    wire = dns_serving.write_response(question, Response(answers=tuple(aliases)), datagram=True)
    reply = read_reply(wire, "example.com", "A").reply
    assert reply == (Unanswered(reason) if reason else Dangling(("a.example",)))


def test_an_extended_rcode_is_a_failure() -> None:
    question = encode_question("example.com", "A")
    assert question is not None
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 1 << 24, 0)
    wire = IDENT + b"\x81\x80\0\1\0\0\0\0\0\1" + question + opt
    assert read_reply(wire, "example.com", "A").reply == Unanswered(Silence.SERVFAIL)


def _exchanges_under(name: str, count: int) -> bytes:
    """A reply with that many MX records, which all name the longest name, by pointers."""
    question = encode_question(name, "MX")
    assert question is not None
    record = b"\xc0\x0c" + struct.pack("!HHIH", 15, 1, 60, 4) + b"\0\1\xc0\x0c"
    counts = b"\0\1" + count.to_bytes(2, "big") + b"\0\0\0\0"
    return IDENT + b"\x81\x80" + counts + question + record * count


def test_names_that_would_take_long_to_read_are_not_read() -> None:
    name = ".".join(["a"] * 120)
    few = read_reply(_exchanges_under(name, 5), name, "MX").reply
    assert isinstance(few, Answer)
    assert len(few.records) == 5
    many = read_reply(_exchanges_under(name, 50), name, "MX").reply
    assert many == Unanswered(Silence.MALFORMED)


def test_ordinary_names_are_read_however_many() -> None:
    reply = read_reply(_exchanges_under("a.b.example.com", 900), "a.b.example.com", "MX").reply
    assert isinstance(reply, Answer)
    assert len(reply.records) == 900


def test_records_of_other_types_are_not_looked_into() -> None:
    question = encode_question("example.com", "MX")
    assert question is not None
    broken = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 1) + b"x"
    wire = IDENT + b"\x81\x80\0\1\0\0\0\0\0\1" + question + broken
    assert read_reply(wire, "example.com", "MX").reply == Answer()


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0" * 11, id="cut header"),
        pytest.param(b"\0\0\x80\0\0\1" + b"\0" * 12, id="a response"),
        pytest.param(b"\0\0\1\0\0\2" + b"\0" * 20, id="two questions"),
        pytest.param(b"\0\0\1\0\0\1\0\0\0\0\0\0\x07exam", id="cut name"),
    ],
)
def test_a_server_does_not_answer_what_is_no_query(query: bytes) -> None:
    assert dns_serving.read_question(query) is None


@given(st.binary(max_size=60))
def test_a_server_reads_any_query_without_raising(noise: bytes) -> None:
    dns_serving.read_question(noise)
    dns_serving.read_question(b"\0\0\1\0\0\1\0\0\0\0\0\1" + noise)


def test_a_server_knows_types_without_a_name() -> None:
    wire = b"\0\0\1\0\0\1\0\0\0\0\0\0\1x\0" + struct.pack("!HH", 65280, 1)
    question = dns_serving.read_question(wire)
    assert question is not None
    assert question.kind == "TYPE65280"
    assert dns_serving.respond(question, {}).rcode == dns_serving.NXDOMAIN


def test_a_server_gives_up_aliases_that_lead_in_a_circle() -> None:
    question = dns_serving.read_question(
        encode_query(IDENT, encode_question("a.example", "A") or b"", edns=False)
    )
    assert question is not None
    zone: dict[tuple[str, str], tuple[Record, ...]] = {("a.example", "CNAME"): ("a.example",)}
    assert len(dns_serving.respond(question, zone).answers) == 20


@pytest.mark.parametrize("octets", [b"", b"\3", b"\3\1", b"\3\1\1", b"\3\1\1\xab", bytes(300)])
def test_a_tlsa_record_of_any_length_is_shown_as_it_is(octets: bytes) -> None:
    name = "_25._tcp.mx.example.com"
    question = encode_question(name, "TLSA")
    assert question is not None
    record = b"\xc0\x0c" + struct.pack("!HHIH", 52, 1, 60, len(octets)) + octets
    wire = IDENT + struct.pack("!HHHHH", 0x85A0, 1, 1, 0, 0) + question + record
    answer = read_reply(wire, name, "TLSA").reply
    assert isinstance(answer, Answer)
    text = " ".join((*map(str, octets[:3]), octets[3:].hex())).rstrip()
    assert answer.records == (text,)
    assert answer.authentic
