from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.received import MAX_HOST, MAX_WORD, Received, read_address, read_received
from servers.budget import best_cpu
from servers.heads import HEADERS, samples

DATE = "; Tue, 3 Nov 2026 12:00:05 +0000"
NOON = datetime(2026, 11, 3, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param(
            "from helo.example (name.example [192.0.2.1]) (using TLSv1.3 with cipher"
            " TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519) (No client certificate"
            " requested) by mx.example (Postfix) with ESMTPS id 4Vz for <kim@contoso.com>",
            Received(
                from_host="helo.example",
                from_name="name.example",
                from_address="192.0.2.1",
                by_host="mx.example",
                protocol="ESMTPS",
                id="4Vz",
                recipient="kim@contoso.com",
                tls="1.3",
                cipher="TLS_AES_256_GCM_SHA384",
                is_encrypted=True,
                at=NOON,
            ),
            id="Postfix",
        ),
        pytest.param(
            "from A.PROD.OUTLOOK.COM (2603:10a6:208:4c::26) by B.mail.protection.outlook.com"
            " (10.152.75.89) with Microsoft SMTP Server (version=TLS1_2,"
            " cipher=TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P384) id 15.20.1.2"
            " via Frontend Transport",
            Received(
                from_host="a.prod.outlook.com",
                from_address="2603:10a6:208:4c::26",
                by_host="b.mail.protection.outlook.com",
                by_address="10.152.75.89",
                protocol="Microsoft SMTP Server",
                id="15.20.1.2",
                via="Frontend Transport",
                tls="1.2",
                cipher="TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
                is_encrypted=True,
                at=NOON,
            ),
            id="Exchange Online",
        ),
        pytest.param(
            "from a.prod.outlook.com ([fe80::1%22]) by a.prod.outlook.com ([fe80::1%22])"
            " with mapi id 15.20.1.2",
            Received(
                from_host="a.prod.outlook.com",
                from_address="fe80::1",
                by_host="a.prod.outlook.com",
                by_address="fe80::1",
                protocol="MAPI",
                id="15.20.1.2",
                at=NOON,
            ),
            id="MAPI",
        ),
        pytest.param(
            "from b.prod.outlook.com (10.1.2.3:0:0:d::1) by a.prod.outlook.com with HTTPS"
            " via C.PROD.EXCHANGELABS.COM",
            Received(
                from_host="b.prod.outlook.com",
                from_address="10.1.2.3",
                by_host="a.prod.outlook.com",
                protocol="HTTPS",
                via="C.PROD.EXCHANGELABS.COM",
                at=NOON,
            ),
            id="HTTPS",
        ),
        pytest.param(
            "from name.example ([192.0.2.1]:2400 helo=helo.example) by mx.example with esmtps"
            " (TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256) (Exim 4.96) (envelope-from <a@b.example>)"
            " id 1P1ce6-000Egt-GZ for kim@contoso.com",
            Received(
                from_host="helo.example",
                from_name="name.example",
                from_address="192.0.2.1",
                by_host="mx.example",
                protocol="ESMTPS",
                id="1P1ce6-000Egt-GZ",
                recipient="kim@contoso.com",
                tls="1.2",
                cipher="ECDHE-RSA-AES256-GCM-SHA384",
                is_encrypted=True,
                at=NOON,
            ),
            id="Exim",
        ),
        pytest.param(
            "from helo.example (kim@name.example [192.0.2.1] (may be forged)) (x)"
            " by mx.example (8.18.1/8.18.1) with ESMTP id 5A (version=TLSv1/SSLv3"
            " cipher=DHE-RSA-AES256-SHA bits=256 verify=NO) for <kim@contoso.com>",
            Received(
                from_host="helo.example",
                from_name="name.example",
                from_address="192.0.2.1",
                by_host="mx.example",
                protocol="ESMTP",
                id="5A",
                recipient="kim@contoso.com",
                tls="1.0",
                cipher="DHE-RSA-AES256-SHA",
                is_encrypted=True,
                at=NOON,
            ),
            id="Sendmail",
        ),
        pytest.param(
            "from unknown (HELO [203.0.113.9]) (192.0.2.1) by mx.example with SMTP",
            Received(
                from_host="203.0.113.9",
                from_address="192.0.2.1",
                by_host="mx.example",
                protocol="SMTP",
                at=NOON,
            ),
            id="qmail, and a client that calls itself another address",
        ),
        pytest.param("(qmail 21084 invoked from network)", Received(at=NOON), id="qmail inside"),
        pytest.param(
            "from 127.0.0.1  (EHLO a.example) (192.0.2.1) by b.mail.yahoo.example with SMTPS",
            Received(
                from_host="a.example",
                from_address="192.0.2.1",
                by_host="b.mail.yahoo.example",
                protocol="SMTPS",
                is_encrypted=True,
                at=NOON,
            ),
            id="Yahoo",
        ),
        pytest.param(
            "by 2002:a17:90a:3a90:: with SMTP id b16mr1",
            Received(
                by_host="2002:a17:90a:3a90::",
                by_address="2002:a17:90a:3a90::",
                protocol="SMTP",
                id="b16mr1",
                at=NOON,
            ),
            id="Google inside",
        ),
        pytest.param(
            "from m.example (m.example. [2001:DB8::1]) by mx.google.com with SMTPS id b56"
            " for <kim@contoso.com> (Google Transport Security)",
            Received(
                from_host="m.example",
                from_name="m.example",
                from_address="2001:db8::1",
                by_host="mx.google.com",
                protocol="SMTPS",
                id="b56",
                recipient="kim@contoso.com",
                is_encrypted=True,
                at=NOON,
            ),
            id="Google",
        ),
        pytest.param(
            "from mx.example by mx.example with LMTP id abc (envelope-from <a@b.example>)"
            " for <kim@contoso.com>",
            Received(
                from_host="mx.example",
                by_host="mx.example",
                protocol="LMTP",
                id="abc",
                recipient="kim@contoso.com",
                at=NOON,
            ),
            id="Dovecot",
        ),
        pytest.param(
            "from a.example ([IPv6:2001:db8::2]) by mx.example with UTF8SMTPSA id x for <>",
            Received(
                from_host="a.example",
                from_address="2001:db8::2",
                by_host="mx.example",
                protocol="UTF8SMTPSA",
                id="x",
                is_encrypted=True,
                at=NOON,
            ),
            id="IPv6 as SMTP writes it",
        ),
        pytest.param(
            "from unknown [192.0.2.240] (EHLO a.example) by mx.example(mxl_mta-6.5) with ESMTP",
            Received(
                from_host="a.example",
                from_address="192.0.2.240",
                by_host="mx.example",
                protocol="ESMTP",
                at=NOON,
            ),
            id="address outside of a comment",
        ),
        pytest.param(
            "from [192.0.2.135] (port=51580 helo=[203.0.113.9]) by mx.example with esmtpa",
            Received(
                from_host="203.0.113.9",
                from_address="192.0.2.135",
                by_host="mx.example",
                protocol="ESMTPA",
                at=NOON,
            ),
            id="the address is not the one that the client says",
        ),
        pytest.param(
            "a.example (localhost [127.0.0.1]) by mx.example for postmaster",
            Received(
                from_host="a.example",
                from_name="localhost",
                from_address="127.0.0.1",
                by_host="mx.example",
                at=NOON,
            ),
            id="without the word from",
        ),
        pytest.param(
            "from by (unknown [192.0.2.1]) by mx.example with\\x09SMTP",
            Received(
                from_host="by",
                from_address="192.0.2.1",
                by_host="mx.example",
                protocol="SMTP",
                at=NOON,
            ),
            id="a client that calls itself by, and a tab",
        ),
        pytest.param(
            "from a.example (b.example [::ffff:192.0.2.1]) by mx.example (Postfix with ESMTP id 7",
            Received(
                from_host="a.example",
                from_name="b.example",
                from_address="192.0.2.1",
                by_host="mx.example",
                protocol="ESMTP",
                id="7",
                at=NOON,
            ),
            id="a comment that nobody closed",
        ),
        pytest.param(
            "from a.example ([x] [192.0.2.1]) by mx.example ([y])",
            Received(
                from_host="a.example", from_address="192.0.2.1", by_host="mx.example", at=NOON
            ),
            id="brackets that hold no address",
        ),
    ],
)
def test_a_field_is_read_whoever_wrote_it(value: str, wanted: Received) -> None:
    assert read_received(value + DATE) == wanted


@pytest.mark.parametrize(
    ("way", "tls", "cipher"),
    [
        pytest.param("with ESMTP/TLS/DHE-RSA-AES256-SHA", "", "DHE-RSA-AES256-SHA", id="slashes"),
        pytest.param("with AES128-SHA encrypted SMTP", "", "", id="words"),
        pytest.param("with ESMTP via SSL", "", "", id="via"),
        pytest.param("over TLS secured channel with Microsoft SMTPSVC(7.5)", "", "", id="over"),
        pytest.param("with Microsoft SMTP Server (TLS) id 14.3.1.2", "", "", id="no version"),
        pytest.param("with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384", "1.3",
                     "TLS_AES_256_GCM_SHA384", id="Exim"),
        pytest.param("with SMTP (using TLS 1.1 with cipher AES128-SHA)", "1.1", "AES128-SHA",
                     id="1.1"),
        pytest.param("with SMTP (version=SSLv3 cipher=RC4-MD5)", "ssl3", "RC4-MD5", id="SSL 3"),
        pytest.param("with SMTP (version=SSLv2 cipher=RC4-MD5)", "", "RC4-MD5", id="SSL 2"),
        pytest.param("with SMTP (TLSv9.9)", "", "", id="a version that is none"),
    ],
)  # fmt: skip
def test_encryption_is_seen_in_many_words(way: str, tls: str, cipher: str) -> None:
    received = read_received(f"from a.example ([192.0.2.1]) by mx.example {way}{DATE}")
    assert (received.tls, received.cipher, received.is_encrypted) == (tls, cipher, True)


@pytest.mark.parametrize(
    "client",
    [
        pytest.param("TLS1_2 (unknown [192.0.2.1])", id="calls itself TLS"),
        pytest.param("a.example (tlsv1.3.evil.example [192.0.2.1])", id="a name in DNS like TLS"),
        pytest.param('a.example ([192.0.2.1]) (Client CN "TLSv1.3")', id="a certificate like TLS"),
        pytest.param("unknown (HELO TLSv1.3) (192.0.2.1)", id="a HELO like TLS"),
    ],
)
def test_a_client_cannot_claim_to_be_encrypted(client: str) -> None:
    received = read_received(f"from {client} by mx.example with ESMTP{DATE}")
    assert received.from_address == "192.0.2.1"
    assert not received.is_encrypted


@pytest.mark.parametrize(
    ("value", "is_internal"),
    [
        pytest.param("by mx.example (Postfix, from userid 1) id 1", True, id="no client"),
        pytest.param("from a.example by mx.example with LMTP", True, id="local delivery"),
        pytest.param("from a.example (x [127.0.0.1]) by mx.example", True, id="loopback"),
        pytest.param("from a.example ([::1]) by mx.example", True, id="loopback in IPv6"),
        pytest.param("from a.example ([192.0.2.9]) by localhost", True, id="by localhost"),
        pytest.param("from a (10.0.0.1) by b.example (10.0.0.1)", True, id="one address"),
        pytest.param("from root by mx.example", True, id="a user"),
        pytest.param("from mx.example by mx.example", True, id="one host"),
        pytest.param("from a.example by mx.example", False, id="another host"),
        pytest.param("from mx.example ([192.0.2.9]) by mx.example", False, id="says it is we"),
        pytest.param("from localhost ([192.0.2.9]) by mx.example", False, id="says localhost"),
    ],
)
def test_a_hop_inside_of_one_system_is_told_from_one_across_a_network(
    value: str, *, is_internal: bool
) -> None:
    assert read_received(value + DATE).is_internal is is_internal


def test_a_date_may_stand_before_other_things_or_without_a_semicolon() -> None:
    assert read_received(f"from a.example by b.example with dsn{DATE} id 0E").at == NOON
    assert read_received("by b.example on Tue, 3 Nov 2026 12:00:05 GMT").at == NOON
    assert read_received("by b.example; id 7; with what").at is None


def test_what_is_kept_is_bounded() -> None:
    long = "x" * 1500
    received = read_received(f"from {long} by {long} id {long} for <{long}@{long}>")
    assert len(received.from_host) == len(received.by_host) == MAX_HOST
    assert len(received.id) == len(received.recipient) == MAX_WORD


@pytest.mark.parametrize(
    "text", ["", "dead.beef", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "a:b", "1.2.3:x", ":"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_address(text) == ""


@given(st.ip_addresses())
def test_every_address_is_read_in_its_usual_spelling(address: object) -> None:
    mapped = getattr(ip_address(str(address)), "ipv4_mapped", None)
    assert read_address(str(address)) == str(mapped or address)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_no_value_breaks_the_reader(value: str) -> None:
    read_received(value)
    read_received(f"from {value} by {value};{value}")


# Lines of the collection that hold no time or no host: reports cut them in the middle, and qmail
# writes none when it hands a message to itself.
CUT_OFF = {
    "lhost-exchange2007-04.eml": 3,
    "lhost-gmail-03.eml": 1,
    "lhost-gmail-05.eml": 1,
    "lhost-gmail-18.eml": 1,
    "lhost-gmx-01.eml": 1,
    "lhost-office365-03.eml": 1,
    "lhost-office365-11.eml": 3,
    "lhost-office365-12.eml": 2,
    "lhost-office365-13.eml": 1,
    "lhost-postfix-57.eml": 1,
    "rhost-microsoft-03.eml": 2,
}


@pytest.mark.skipif(not HEADERS.exists(), reason="the folder ../shared is absent")
def test_every_real_field_gives_its_time_and_a_host_unless_it_was_cut_off() -> None:
    seen = [each for each in samples() if each.name == "received"]
    no_time: dict[str, int] = {}
    for each in seen:
        received = read_received(each.value)
        if received.at is None:
            no_time[each.file] = no_time.get(each.file, 0) + 1
        elif not each.value.startswith(("(qmail", "(Haraka")):
            assert received.from_host or received.by_host, each
    assert no_time == CUT_OFF
    assert len(seen) > 900


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("from a (" + "helo " * 1500 + ") by b", id="helo"),
        pytest.param("from a by b with TLS " + "A-A-" * 1800, id="ciphers"),
        pytest.param("from a by b; " + "1 Jan 20 1:" * 700, id="dates"),
        pytest.param("from a (" + "[1:2]" * 1600 + ") by b", id="addresses"),
        pytest.param(";" * 8000, id="semicolons"),
        pytest.param("from" + " " * 8000 + "by", id="blanks"),
    ],
)
def test_a_hostile_field_is_read_at_once(value: str) -> None:
    assert best_cpu(lambda: read_received(value)) < 0.05
