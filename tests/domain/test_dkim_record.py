"""Is a DKIM key record read as RFC 6376 says, with the place of each fault, whatever it is?"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.dkim_meaning import meaning, notes
from agent.domain.dkim_record import KNOWN, is_like, parse, repaired
from agent.domain.dkim_terms import Paste, Record, Verdict
from servers.dkim_case import ED, GOOD, b64, ed25519, key, rsa, spki

LINES = "\n".join(rsa()[at : at + 64] for at in range(0, len(rsa()), 64))
PEM = f"-----BEGIN PUBLIC KEY-----\n{LINES}\n-----END PUBLIC KEY-----"


def read(text: str) -> Record:
    return parse(text.encode("latin-1"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param(GOOD + ";", id="a semicolon at the end"),
        pytest.param(f"p={rsa()}", id="only a key"),
        pytest.param(f" v = DKIM1 ;\tk = rsa ; p = {rsa()} ; ", id="blanks"),
        pytest.param(f"v=DKIM1; p={LINES}", id="a key over several lines"),
        pytest.param(GOOD.replace("k=rsa", "h=sha1:sha256; s=tlsrpt:email; t=s"), id="all tags"),
        pytest.param(f"v=DKIM1; n=hello; g=*; x=1; p={rsa()}", id="a note and unknown tags"),
        pytest.param(ED, id="Ed25519"),
    ],
)
def test_a_good_record_is_valid(text: str) -> None:
    found = read(text)
    assert found.verdict is Verdict.VALID
    assert found.faults == ()
    assert found.paste is None


def test_tags_keep_their_places() -> None:
    found = read(f"v=DKIM1;  k = rsa; t=y:s; h=sha256; p={rsa()}")
    assert [(tag.name, tag.position, tag.start) for tag in found.tags][:3] == [
        ("v", 0, 2),
        ("k", 10, 14),
        ("t", 19, 21),
    ]
    assert (found.flags, found.hashes, found.services) == (("y", "s"), ("sha256",), ("*",))
    assert found.tag("n") is None


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        pytest.param("v=DKIM1; p=", Verdict.REVOKED, id="revoked"),
        pytest.param("p=;", Verdict.REVOKED, id="revoked, short"),
        pytest.param("v=DKIM2; p=", Verdict.BROKEN, id="revoked in another version"),
        pytest.param(key(1023), Verdict.WEAK, id="1023 bits"),
        pytest.param(key(1024), Verdict.VALID, id="1024 bits"),
        pytest.param(f"p={rsa(exponent=3)}", Verdict.VALID, id="exponent 3"),
        pytest.param(key(more="h=sha1; "), Verdict.BROKEN, id="SHA-1 only"),
        pytest.param(key(more="s=tlsrpt; "), Verdict.BROKEN, id="not for mail"),
        pytest.param("", Verdict.BROKEN, id="empty"),
    ],
)
def test_a_record_has_a_verdict(text: str, verdict: Verdict) -> None:
    assert read(text).verdict is verdict


@pytest.mark.parametrize(
    ("text", "position", "words", "voids"),
    [
        ("v=DKIM1; k=rsa", 0, "no tag `p`", True),
        ("v=DKIM1; P=abc", 0, "no tag `p`", True),
        ("v=dkim1; p=", 0, "is no version", True),
        ("k=rsa; v=DKIM1; p=", 7, "must be the first", False),
        ("v=DKIM1; k=rsa; k=rsa; p=", 16, "appears twice", True),
        ("v=DKIM1 k=rsa; p=", 0, "is no version", True),
        ("v=DKIM1; rsa; p=", 9, "no tag with a value", True),
        ("v=DKIM1; 1=2; p=", 9, "no tag with a value", True),
        ("v=DKIM1;; p=", 8, "between two semicolons", False),
        ("v=DKIM1; h=sha256:; p=", 9, "empty word", False),
        ("v=DKIM1; t=; p=", 9, "empty word", False),
        ("v=DKIM1; n=\xe9; p=", 9, "no ASCII, 0xe9", False),
        ("x;" * 200, 0, "more than 100 tags", False),
    ],
)
def test_a_fault_has_its_place(text: str, position: int, words: str, *, voids: bool) -> None:
    found = [fault for fault in read(text).faults if words in fault.problem]
    assert [(fault.position, fault.voids) for fault in found] == [(position, voids)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"k=dsa; p={rsa()}", "of a type that receivers do not know"),
        (f"k=RSA; p={rsa()}", "of a type that receivers do not know"),
        ("p=MIIB*IjAN", "no base64: octet 0x2a stands at character 7"),
        ("p=MI=IBIjA", "no base64: octet 0x3d stands at character 5"),
        ("p=MIIBI", "no base64, cut off: 5 characters"),
        ("p=MIIB====", "no base64: it is filled up wrongly"),
        (f"p={rsa()[:-4]}", "cut off: at least 3 octets are missing"),
        (GOOD[:253], "no base64, cut off"),
        (f"{GOOD[:255]}", "the record ends where one string of 255 octets does"),
        (f"k=ed25519; p={b64(ed25519())}", "takes its 32 octets alone"),
    ],
)
def test_what_is_no_key_is_told(text: str, problem: str) -> None:
    found = read(text)
    assert problem in found.problem
    assert found.key is None
    assert found.verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("text", "paste"),
    [
        pytest.param(f"v=DKIM1; k=rsa; p={PEM}", Paste.ARMOUR, id="armour in p"),
        pytest.param(PEM, Paste.ARMOUR, id="nothing but armour"),
        pytest.param(f'"{GOOD}"', Paste.QUOTES, id="quotes around"),
        pytest.param(GOOD[:99] + '" "' + GOOD[99:], Paste.QUOTES, id="quotes within"),
        pytest.param(f"\xe2\x80\x9c{GOOD}\xe2\x80\x9d", Paste.QUOTES, id="typographic quotes"),
        pytest.param(GOOD.replace(";", "\\;"), Paste.ESCAPES, id="escaped semicolons"),
        pytest.param(GOOD.replace(";", "\\;").replace("v", '"v'), Paste.ESCAPES, id="both"),
    ],
)
def test_what_came_along_in_pasting_is_recognised_and_taken_out(text: str, paste: Paste) -> None:
    found = read(text)
    assert found.verdict is Verdict.BROKEN
    assert found.paste is paste
    assert repaired(found).decode() == GOOD
    assert is_like(found.raw)


def test_a_wrapped_ed25519_key_is_unwrapped() -> None:
    assert repaired(read(f"k=ed25519; p={b64(ed25519())}")).decode() == ED


@pytest.mark.parametrize("text", ["k=ed25519; p=*", "k=ed25519", "p=MIIB", "", "v=DKIM2; p="])
def test_what_is_lost_is_not_repaired(text: str) -> None:
    assert repaired(read(text)) == b""


def test_a_repair_keeps_what_the_record_allows() -> None:
    text = f'"v=DKIM1; t=s; h=sha256; n=note; p={rsa()}"'
    assert repaired(read(text)).decode() == f"v=DKIM1; k=rsa; t=s; h=sha256; p={rsa()}"


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----MIIE",
        "v=DKIM1; p=-----BEGIN PRIVATE KEY-----MIIE",
        "v=DKIM1; p=" + base64.b64encode(b"\x30\x1b" + b"\x02\x01\x00" * 9).decode(),
    ],
)
def test_a_private_key_is_recognised_and_never_repaired(text: str) -> None:
    found = read(text)
    assert found.is_private
    assert found.verdict is Verdict.BROKEN
    assert repaired(found) == b""


@pytest.mark.parametrize(
    ("text", "like"),
    [
        (GOOD, True),
        ("p=", True),
        ("k = rsa", True),
        (rsa(), True),
        ("v=spf1 include:x -all", False),
        ("v=DMARC1; p=none", True),
        ("hello", False),
        ("MIIB", False),
    ],
)
def test_records_of_another_kind_are_told_apart(text: str, *, like: bool) -> None:
    assert is_like(text.encode()) is like


def test_each_tag_has_a_meaning() -> None:
    text = f"v=DKIM1; k=rsa; h=sha1:sha256; s=*:x; t=s:y; n=x; g=; x=1; p={rsa(4096, exponent=17)}"
    found = read(text)
    told = {tag.name: meaning(tag, found) for tag in found.tags}
    assert set(told) == {*KNOWN, "x"}
    assert told["s"] == "for every service; unknown, and ignored"
    assert "not in a subdomain" in told["t"]
    assert told["p"].startswith("an RSA key of 4096 bits, fingerprint sha256:")
    assert notes(found) == (
        "t=s:y, takes several strings, and more than 512 octets of DNS, exponent 17,"
        " allows SHA-1 as well"
    )
    assert meaning(read("p=").tags[0], read("p=")).startswith("revoked")
    assert meaning(read("p=*").tags[0], read("p=*")).startswith("no base64")
    assert "Ed25519" in meaning(read(ED).tags[2], read(ED))
    assert notes(read(ED)) == "-"


def test_a_bare_key_without_version_is_noted() -> None:
    bare = spki()[24:]
    assert notes(read(f"p={b64(bare)}")) == (
        "without version, a bare RSAPublicKey, which some receivers do not read"
    )


PIECES = st.sampled_from(
    [*"vkphstng", "=", ";", ":", " ", '"', "\\", "DKIM1", "rsa", "-----BEGIN ", "\xe9", rsa()[:40]]
)


@given(st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=30).map("".join)))
def test_anything_is_read_without_a_crash(raw: bytes | str) -> None:
    octets = raw.encode("latin-1") if isinstance(raw, str) else raw
    found = parse(octets)
    assert (found.key is None) or found.problem == ""
    assert len(repaired(found)) <= len(octets) + 40
    assert is_like(octets) in {True, False}
    assert all(0 <= fault.position <= len(octets) for fault in found.faults)
    assert all(
        octets[tag.start : tag.start + 1] in {tag.value[:1].encode("latin-1"), b""} or not tag.value
        for tag in found.tags
    )


@given(
    st.lists(
        st.sampled_from(["t=s", "n=a", "x=y", "s=email", "h=sha256"]), unique=True, max_size=5
    ),
    st.sampled_from(["", " ", "\t", "\r\n "]),
)
def test_blanks_and_other_tags_do_not_change_the_key(tags: list[str], blank: str) -> None:
    text = f";{blank}".join(["v=DKIM1", *tags, f"p={blank.join([rsa()[:70], rsa()[70:]])}"])
    found = read(text)
    assert found.verdict is Verdict.VALID
    assert found.key == read(GOOD).key


@pytest.mark.parametrize("text", ["-" * 65000, "p=" + "=" * 65000, "v " * 32000, '"' * 65000])
def test_a_record_as_long_as_dns_allows_is_read_in_no_time(text: str) -> None:
    found = read(text)
    assert repaired(found) == b""
    assert found.verdict in {Verdict.BROKEN, Verdict.REVOKED}
