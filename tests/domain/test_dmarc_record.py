"""Does the parser of DMARC records read what is right, and point at what is wrong?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.dmarc_meaning import meaning
from agent.domain.dmarc_record import (
    describe_near_miss,
    is_nearly,
    is_record,
    parse,
    render,
    wants_enforcement,
)
from agent.domain.dmarc_terms import Destination, Policy, Record
from agent.domain.dmarc_uri import MAX_DESTINATIONS
from agent.domain.tag_list import MAX_TAGS


def read(text: str) -> Record:
    record = parse(text.encode("latin-1"))
    assert record is not None
    return record


def test_every_tag_is_read() -> None:
    record = read(
        "v=DMARC1; p=quarantine; sp=reject; np=reject; pct=50; t=y; psd=n; adkim=s; aspf=S;"
        "rua=mailto:a@contoso.com!10m, MAILTO:b%2Bc@fabrikam.com;\truf=https://x.example/r;"
        " fo=1:d:s; rf=afrf; ri=3600;"
    )
    assert record.faults == ()
    assert record.unknown == ()
    assert (record.p, record.sp, record.np) == (Policy.QUARANTINE, Policy.REJECT, Policy.REJECT)
    assert (record.pct, record.testing, record.psd) == (50, True, "n")
    assert (record.adkim, record.aspf) == ("s", "s")
    assert record.rua == (
        Destination("mailto:a@contoso.com", "mailto", "a@contoso.com", "contoso.com", 10_485_760),
        Destination("MAILTO:b%2Bc@fabrikam.com", "mailto", "b+c@fabrikam.com", "fabrikam.com"),
    )
    assert record.ruf == (Destination("https://x.example/r", "https"),)
    assert (record.fo, record.rf, record.ri) == (("1", "d", "s"), ("afrf",), 3600)
    assert record.demands(below=False) is Policy.QUARANTINE
    assert record.demands(below=True) is Policy.REJECT


def test_what_is_missing_has_its_default() -> None:
    record = read("v=DMARC1; p=none")
    assert (record.pct, record.testing, record.psd) == (100, False, "u")
    assert (record.adkim, record.aspf, record.fo, record.ri) == ("r", "r", ("0",), 86_400)
    assert record.demands(below=True) is Policy.NONE
    assert record.tag("p") == record.tags[1]
    assert record.tag("sp") is None


VERSIONS = [
    ("v=DMARC1", True),
    ("v=DMARC1;", True),
    ("V = DMARC1 ; p=none", True),
    ("v=DMARC1; p=none", True),
    ("v=dmarc1; p=none", False),
    ("v=DMARC1 p=none", False),
    ("v=DMARC10; p=none", False),
    (" v=DMARC1; p=none", False),
    ("p=none; v=DMARC1", False),
    ("", False),
]


@pytest.mark.parametrize(("text", "is_one"), VERSIONS)
def test_the_version_must_be_right_to_the_letter(text: str, *, is_one: bool) -> None:
    raw = text.encode()
    assert is_record(raw) is is_one
    assert (parse(raw) is not None) is is_one


NEAR = [
    (" v=DMARC1; p=none", "it begins with a blank"),
    ('"v=DMARC1; p=none"', "it begins with a quotation mark that is part of the text"),
    ("v=dmarc1; p=none", "`DMARC1` must be in capitals"),
    ("v=DMARC1 p=none", "no semicolon follows `v=DMARC1`"),
    ("v=DMARC1, p=none", "no semicolon follows `v=DMARC1`"),
    ("v=DMARC 1; p=none", "its version is not `DMARC1`"),
    ("DMARC1; p=none", "it does not begin with `v=DMARC1`"),
]


@pytest.mark.parametrize(("text", "why"), NEAR)
def test_a_near_miss_is_known_and_explained(text: str, why: str) -> None:
    assert is_nearly(text.encode())
    assert describe_near_miss(text.encode()) == why


def test_other_text_is_no_near_miss() -> None:
    assert not is_nearly(b"v=DMARC1; p=none")
    assert not is_nearly(b"v=spf1 include:dmarc.contoso.com -all")
    assert not is_nearly(b"google-site-verification=1")


FAULTS = [
    ("p=rejct", 10, "must be none or quarantine or reject", "Did you mean `p=reject`?", True),
    ("p=xyz", 10, "must be none or quarantine or reject", "", True),
    ("p=reject rua=mailto:a@b.com", 10, "must be", "A semicolon is missing before `rua=`.", True),
    ("p=rej\xe9ct", 10, "must be", "outside printable ASCII", True),
    (f"p={'x' * 50}", 10, "must be", "", True),
    ("p=none; sp=refuse", 18, "must be none or quarantine or reject", "", True),
    ("p=none; adkim=relaxed", 18, "must be r or s", "Did you mean `adkim=r`?", False),
    ("p=none; aspf=q", 18, "must be r or s", "", False),
    ("p=none; pct=101", 18, "must be a number from 0 to 100", "", False),
    ("p=none; pct=all", 18, "must be a number from 0 to 100", "", False),
    ("p=none; ri=4294967296", 18, "must be a number from 0 to 4294967295", "", False),
    ("p=none; t=yes", 18, "must be y or n", "Did you mean `t=y`?", False),
    ("p=none; fo=1:1", 18, "must be a list of 0, 1, d, s", "", False),
    ("p=none; rf=iodef", 18, "must be a list of afrf", "", False),
    ("p=none;; sp=none", 17, "nothing stands between two semicolons", "", False),
    ("p=none; reject", 18, "is no tag with a value", "", False),
    ("p=none; mailto:a@b.com", 18, "is no tag with a value", "Put a comma", False),
    ("p=none; a1=b", 18, "is no tag with a value", "", False),
    ("p=none; p=reject", 18, "appears twice", "Keep one of them.", True),
    ("rua=mailto:a@b.com", 0, "the record has no tag `p`", "Write `p=`", True),
    ("p=none; rua=a@b.com", 22, "without its scheme", "Write `mailto:` before", False),
    ("p=none; rua = a@b.com", 24, "without its scheme", "Write `mailto:` before", False),
    ("p=none; rua=mailto:a@b.com, c@d.com", 38, "without its scheme", "", False),
    ("p=none; rua=mailto:a@b.com,", 37, "is empty", "Remove the comma.", False),
    ("p=none; rua=contoso", 22, "is no URI", "", False),
    ("p=none; rua=mailto: a@b.com", 22, "holds a character that no URI has", "", False),
    ("p=none; rua=mailto://a@b.com", 22, "has slashes", "", False),
    ("p=none; rua=mailto:contoso.com", 22, "is no mail address", "", False),
    ("p=none; rua=mailto:a@b@c.com", 22, "is no mail address", "", False),
    ("p=none; rua=mailto:a@b", 22, "has a domain that has a single label", "", False),
    ("p=none; rua=mailto:a@b.com!10x", 22, "has a size limit", "Remove `!`", False),
    ("p=none; rua=mailto:a@b.com!", 22, "has a size limit", "Remove `!`", False),
    ("p=none; rua=https:", 22, "has nothing after the scheme", "", False),
]


@pytest.mark.parametrize(("text", "position", "problem", "hint", "voids"), FAULTS)
def test_a_fault_has_its_place_its_reason_and_a_hint(
    text: str, position: int, problem: str, hint: str, *, voids: bool
) -> None:
    record = read(f"v=DMARC1; {text}")
    (fault,) = record.faults
    assert fault.position == position
    assert problem in fault.problem
    assert hint in fault.hint
    assert fault.voids is voids
    assert record.is_void is voids


def test_a_voided_policy_demands_nothing() -> None:
    assert read("v=DMARC1; p=reject; sp=rejct").demands(below=False) is Policy.NONE


def test_a_flood_of_tags_and_addresses_is_cut() -> None:
    assert len(read("v=DMARC1; p=none" + ";x=y" * 5000).tags) == MAX_TAGS
    many = ",".join(["mailto:a@contoso.com"] * 5000)
    record = read(f"v=DMARC1; p=none; rua={many}")
    assert len(record.rua) == MAX_DESTINATIONS
    assert "lists more than" in record.faults[0].problem


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ("v=DMARC1; p=reject", True),
        ("v=dmarc1 p=quarantine", True),
        ('v=DMARC1; p="rejct"', True),
        ("v=DMARC1; sp=reject", True),
        ("v=DMARC1; p=none", False),
        ("v=DMARC1; p=none; rua=mailto:reject@contoso.com", False),
    ],
)
def test_what_the_writer_wanted_is_seen_through_faults(text: str, *, wants: bool) -> None:
    assert wants_enforcement(text.encode()) is wants


def test_every_tag_has_a_meaning_in_words() -> None:
    record = read(
        "v=DMARC1; p=reject; sp=none; np=bad; pct=5; t=n; psd=y; adkim=s; aspf=x; fo=1; rf=afrf;"
        " ri=60; rua=mailto:a@b.com!1k; ruf=mailto:a@b.com; ruaa=x"
    )
    words = {tag.name: meaning(tag, record) for tag in record.tags}
    assert words["p"] == "refuse mail that fails"
    assert words["sp"] == "for subdomains: deliver mail that fails"
    assert words["np"] == words["aspf"] == "not valid; receivers leave it out"
    assert words["rua"] == "daily reports to 1 with a size limit"
    assert words["ruf"] == "reports of single messages to 1; Microsoft sends none"
    assert words["fo"] == "report when anything does not pass"
    assert words["ruaa"] == "nobody knows this tag"
    assert len(set(words.values())) == 14
    bare = read("v=DMARC1; p=none; fo=0")
    assert "without `ruf` it has no effect" in meaning(bare.tags[2], bare)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: b"v=DMARC1;" + tail))
def test_the_parser_never_raises_and_keeps_its_tags(raw: bytes) -> None:
    record = parse(raw)
    assert (record is not None) is is_record(raw)
    is_nearly(raw)
    wants_enforcement(raw)
    assert describe_near_miss(raw)
    if record is not None:
        again = parse(render(record))
        assert again is not None
        assert again.tags == record.tags
        assert all(meaning(tag, record) for tag in record.tags)
        assert record.demands(below=True)


HOSTS = st.sampled_from(["contoso.com", "reports.fabrikam.com", "xn--bcher-kva.example"])
URIS = st.builds(
    lambda name, host, limit: f"mailto:{name}@{host}{limit}",
    st.from_regex(r"[a-z][a-z0-9.+_-]{0,20}", fullmatch=True),
    HOSTS,
    st.sampled_from(["", "!1", "!10m", "!5G"]),
)
POLICIES = st.sampled_from(["none", "quarantine", "reject"])
OPTIONAL = st.fixed_dictionaries(
    {},
    optional={
        "sp": POLICIES,
        "np": POLICIES,
        "pct": st.integers(0, 100).map(str),
        "t": st.sampled_from("yn"),
        "psd": st.sampled_from("ynu"),
        "adkim": st.sampled_from("rs"),
        "aspf": st.sampled_from("rs"),
        "rua": st.lists(URIS, min_size=1, max_size=3).map(",".join),
        "ruf": st.lists(URIS, min_size=1, max_size=3).map(" , ".join),
        "fo": st.sampled_from(["0", "1", "d:s", "1:d:s"]),
        "rf": st.just("afrf"),
        "ri": st.integers(0, 2**32 - 1).map(str),
        "unheard": st.just("of"),
    },
)


@given(POLICIES, OPTIONAL, st.sampled_from(["; ", ";", " ;\t"]), st.sampled_from(["=", " = "]))
def test_what_is_written_by_the_grammar_is_read_without_fault(
    policy: str, more: dict[str, str], separator: str, equals: str
) -> None:
    pairs = [("v", "DMARC1"), ("p", policy), *more.items()]
    record = read(separator.join(f"{name}{equals}{value}" for name, value in pairs))
    assert record.faults == ()
    assert [(tag.name, tag.value) for tag in record.tags] == pairs
    assert parse(render(record)) == record
