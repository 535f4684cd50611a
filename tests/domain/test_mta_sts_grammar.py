"""Where records and policies of MTA-STS do not follow the grammar, and what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import mta_sts_record as record
from agent.domain.mta_sts_fields import MAX_FIELDS
from agent.domain.mta_sts_policy import MAX_LINES, MAX_PATTERNS, parse, read_policy
from agent.domain.mta_sts_terms import MAX_AGE, Mode, Policy, describe

GOOD = "version: STSv1\nmode: enforce\nmx: mail.contoso.com\nmax_age: 604800\n"


@pytest.mark.parametrize(
    ("text", "found", "said"),
    [
        ("v=STSv1; id=20261101T000000;", "20261101T000000", ()),
        ("v=STSv1;id=1", "1", ()),
        ("v=STSv1; id=1; a.b-c=~x;", "1", ()),
        ("v=STSv1\t;\tid=1 ; ", "1", ("character 8 a blank follows v=STSv1",)),
        ("v=STSv1;; id=1", "1", ("character 9 nothing stands between",)),
        ("v=STSv1; id=1; id=2", "1", ("character 16 (id=2) appears twice",)),
        ("v=STSv1; ID=1; id=2", "2", ("character 10 (ID=1) is passed over",)),
        ("v=STSv1; id=1; v=STSv1", "1", ("character 16 (v=STSv1) is passed over",)),
        ("v=STSv1", "", ("it has no `id`",)),
        ("v=STSv1; id=", "", ("character 10 (id=) must have 1 to 32",)),
        ("v=STSv1; id=2026-11-01", "", ("character 10 (id=2026-11-01) must have",)),
        ("v=STSv1; id=" + "1" * 33, "", ("character 10",)),
        ("v=STSv1; id =1", "", ("character 10 (id =1) is no field",)),
        ("v=STSv1; id", "", ("character 10 (id) is no field",)),
        ("v=STSv1; id=1; x=a b", "", ("character 16 (x=a b) has a value",)),
        ("v=STSv1; x", "", ("character 10 (x) is no field",)),
        ("v=STSv1" + "; a=b" * (MAX_FIELDS + 1), "", (f"it has more than {MAX_FIELDS} fields",)),
    ],
)
def test_a_record_is_read_and_its_faults_have_a_place(
    text: str, found: str, said: tuple[str, ...]
) -> None:
    assert record.is_record(text.encode())
    read = record.parse(text.encode())
    assert read.id == found
    told = [describe(each, "character") for each in read.faults]
    assert len(told) == len(said)
    assert all(one.startswith(other) for one, other in zip(told, said, strict=True))
    assert bool(found) is (read.flaw is None)


@pytest.mark.parametrize(
    ("text", "is_record", "is_nearly"),
    [
        (b"v=STSv1; id=1", True, False),
        (b"v=STSv1", True, False),
        (b"v=STSv10; id=1", False, False),
        (b"v=stsv1; id=1", False, True),
        (b"v = STSv1; id=1", False, True),
        (b'"v=STSv1; id=1"', False, True),
        (b"STSv1; id=1", False, True),
        (b"v=STS1; id=1", False, True),
        (b"v:STSv1 id=1", False, True),
        (b"v=spf1 -all", False, False),
        (b"", False, False),
    ],
)
def test_what_is_a_record_and_what_was_meant_to_be(
    text: bytes, *, is_record: bool, is_nearly: bool
) -> None:
    assert record.is_record(text) is is_record
    assert record.is_nearly(text) is is_nearly


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (f"\ufeff{GOOD}", "line 1 begins with a byte order mark", "UTF-8"),
        (GOOD.replace("mode: ", "mode="), "line 2 (mode=enforce) is no field", "colon"),
        (GOOD.replace("enforce", "Enforce"), "line 2 (mode: Enforce) has a mode", "mode: enforce"),
        (GOOD.replace("enforce", "report"), "line 2 (mode: report) has a mode", ""),
        (GOOD.replace("604800", "7d"), "line 4 (max_age: 7d) has a max_age", "digits"),
        (GOOD.replace("mail.contoso.com", "*"), "line 3 (mx: *) is no host", "first label"),
        (GOOD.replace("mail.", "*."), "", ""),
        (GOOD.replace("mail.", "mail.*."), "line 3 (mx: mail.*.contoso.com)", "first label"),
        (GOOD.replace("mail.", "*mail."), "line 3 (mx: *mail.contoso.com)", "first label"),
        (GOOD.replace("mail.", "*.*."), "line 3 (mx: *.*.contoso.com)", "first label"),
        (GOOD.replace("contoso.com", "contoso.com."), "line 3", "without the dot"),
        (GOOD.replace("mail.", "a.com, "), "line 3", "a line of its own"),
        (GOOD.replace("mail", "mäil"), "line 3", "xn--"),
        (GOOD.replace("mail.", "[1"), "line 3", ""),
        (GOOD.replace("mail", "a" * 254), "line 3", ""),
        (GOOD.replace("version: STSv1\n", ""), "it has no version", ""),
        (GOOD.replace("mode: enforce\n", ""), "it has no mode", ""),
        (GOOD.replace("max_age: 604800\n", ""), "it has no max_age", ""),
        (GOOD.replace("mx: mail.contoso.com\n", ""), "it names no mx", "for each exchange"),
        ("\n<!doctype html>\n<p>", "line 1 (<!doctype html>) is no field: the file is a web", ""),
        ("", "line 1 is no field", ""),
        ("\r\n", "line 1 is no field", ""),
        (GOOD.replace("\n", "\r"), "line 1", ""),
        (f"{GOOD}x\x00: y", "line 5 (x\\x00: y) is no field", ""),
        (GOOD + "a: b\n" * MAX_LINES, f"line {MAX_LINES + 1} is beyond", ""),
        (GOOD + "".join(f"mx: a{n}.b\n" for n in range(MAX_PATTERNS)), "its names of hosts", ""),
    ],
)
def test_a_fault_that_voids_the_policy_has_its_line_and_a_hint(
    text: str, said: str, hint: str
) -> None:
    document = parse(text.encode())
    fault = document.flaw
    assert (document.policy is None) is bool(said)
    assert (fault is None) is (not said)
    if fault is not None:
        assert describe(fault, "line").startswith(said)
        assert hint in fault.hint
        assert bool(hint) is bool(fault.hint)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("\n", "\r\n"), ()),
        (GOOD.removesuffix("\n"), ()),
        (GOOD + "x.y-z: any text, ä", ()),
        (GOOD.replace("enforce", "enforce \t"), ()),
        (GOOD.replace("mode:", " mode :"), ("line 2 ( mode : enforce) has a blank",)),
        (GOOD.replace("mx", "\nmx"), ("line 3 is empty",)),
        (f"{GOOD}\n", ("line 5 is empty",)),
        (GOOD + "mode: none", ("line 5 (mode: none) is a second one",)),
        (GOOD + "mx: MAIL.contoso.com", ("line 5 (mx: MAIL.contoso.com) is there twice",)),
        (GOOD + "max-age: 1", ("line 5 (max-age: 1) is passed over",)),
        (GOOD + "x:", ("line 5 (x:) has no value",)),
        (
            "mode: enforce\nversion: STSv1\nmx: mail.contoso.com\nmax_age: 604800",
            ("line 2 (version: STSv1) is not the first",),
        ),
    ],
)
def test_a_policy_with_flaws_that_some_forgive_is_read(text: str, said: tuple[str, ...]) -> None:
    document = parse(text.encode())
    assert document.policy == Policy(Mode.ENFORCE, ("mail.contoso.com",), 604800)
    told = [describe(each, "line") for each in document.faults]
    assert len(told) == len(said)
    assert all(one.startswith(other) for one, other in zip(told, said, strict=True))


@pytest.mark.parametrize(
    ("age", "read", "faults"),
    [
        ("0", 0, 0),
        (str(MAX_AGE), MAX_AGE, 0),
        (str(MAX_AGE + 1), MAX_AGE, 1),
        ("9" * 10, MAX_AGE, 1),
    ],
)
def test_the_bounds_of_max_age(age: str, read: int, faults: int) -> None:
    document = parse(GOOD.replace("604800", age).encode())
    assert document.policy is not None
    assert document.policy.max_age == read
    assert len(document.faults) == faults


def test_a_policy_is_bounded_in_what_is_kept_of_its_faults() -> None:
    document = parse(b"x\n" * 5000)
    assert len(document.faults) == 20
    assert len(document.lines) == MAX_LINES


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        ("*.mx.microsoft", "contoso-com.e-v1.mx.microsoft", False),
        ("*.e-v1.mx.microsoft", "contoso-com.e-v1.mx.microsoft", True),
        ("*.mail.protection.outlook.com", "Contoso-com.mail.protection.outlook.com.", True),
        ("*.contoso.com", "contoso.com", False),
        ("*.com", "com", False),
        ("localhost", "localhost", True),
    ],
)
def test_a_wildcard_covers_one_label(pattern: str, host: str, *, fits: bool) -> None:
    policy = Policy(Mode.ENFORCE, (pattern,), 1)
    assert policy.covers(host) is fits
    assert policy.pattern_for(host) == (pattern if fits else "")


words = st.sampled_from(
    [
        "version",
        "mode",
        "mx",
        "max_age",
        ":",
        " ",
        "\n",
        "\r\n",
        "STSv1",
        "enforce",
        "a.b",
        "9",
        "ä",
    ]
)


@given(st.lists(words, max_size=30).map("".join))
def test_what_is_read_as_a_policy_is_the_same_for_connectors(text: str) -> None:
    document = parse(text.encode())
    assert (document.policy is None) is (document.flaw is not None)
    if document.policy is not None:
        assert read_policy(text.encode()) == document.policy


@given(st.binary(max_size=200))
def test_a_record_of_any_octets_is_read_without_raising(text: bytes) -> None:
    read = record.parse(b"v=STSv1;" + text)
    assert bool(read.id) is (read.flaw is None)
    for each in read.faults:
        assert 0 <= each.at <= len(text) + 9
        assert describe(each, "character").isprintable()
