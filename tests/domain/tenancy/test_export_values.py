"""Every way in which PowerShell writes one value, and what it is taken for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.tenancy import export_hosts as hosts
from agent.domain.tenancy import export_values as values
from agent.domain.tenancy.export_trouble import (
    MAX_NOTES,
    MAX_VALUES,
    ExportError,
    Notes,
    Place,
    Remark,
    shown,
)
from agent.domain.tenancy.export_values import Cell, Reader, word

PLACE = Place("contoso.json").key("inbound").item(2).key("X")
TYPES: Mapping[str | int, str] = {"OnPremises": "on-premises", "Partner": "partner", 2: "partner"}
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def read(reader: Reader, value: Any) -> tuple[Any, list[str]]:
    """Return what a value is taken for, and what is said of it."""
    notes = Notes()
    found = reader(Cell(value, PLACE, notes))
    assert all((each.file, each.path) == ("contoso.json", "inbound[2].X") for each in notes.remarks)
    return found, [each.what for each in notes.remarks]


GOOD: list[Any] = [
    (values.flag, True, True),
    (values.flag, "True", True),
    (values.flag, "$false", False),
    (values.flag, {"value": "false"}, False),
    (values.flag, None, None),
    (values.flag, "", None),
    (values.text, "  Contoso ", "Contoso"),
    (values.text, ["only"], "only"),
    (values.text, 7, "7"),
    (values.text, None, ""),
    (values.label, "@{odd}", "@{odd}"),
    (values.label, "\x1b[31mred", r"\x1b[31mred"),
    (word(TYPES), "onpremises", "on-premises"),
    (word(TYPES), 2, "partner"),
    (word(TYPES), "2", "partner"),
    (word(TYPES), {"value": 1, "Value": "Partner"}, "partner"),
    (word(TYPES), None, None),
    (word(TYPES, nothing="none"), "", "none"),
    (values.name_of_word, "AdminUI", "AdminUI"),
    (values.name_of_word, None, ""),
    (values.hint_of_word, "HybridWizard", "HybridWizard"),
    (values.hint_of_word, 2, ""),
    (values.number, 2048, 2048),
    (values.number, " -1 ", -1),
    (values.number, None, None),
    (values.guid, "{72F988BF-86F1-41AF-91AB-2D7CD011DB47}", "72f988bf-86f1-41af-91ab-2d7cd011db47"),
    (values.guid, "", ""),
    (values.moment, "2026-01-01T00:00:00.0000000Z", NEW_YEAR),
    (values.moment, "2026-01-01T00:00:00.0000000", NEW_YEAR),
    (values.moment, "2026-01-01 00:00:00", NEW_YEAR),
    (values.moment, "2026-01-01T01:30:00.1230000+01:30", NEW_YEAR.replace(microsecond=123000)),
    (values.moment, "2025-12-31T19:00:00-05:00", NEW_YEAR),
    (values.moment, "/Date(1767225600000)/", NEW_YEAR),
    (values.moment, "\\/Date(1767225600000+0200)\\/", NEW_YEAR),
    (
        values.moment,
        {"value": "/Date(1767225600000)/", "DisplayHint": 2, "DateTime": "Thursday"},
        NEW_YEAR,
    ),
    (values.moment, "0001-01-01T00:00:00.0000000", None),
    (values.moment, "/Date(-62135596800000)/", None),
    (values.moment, None, None),
    (values.moment, "", None),
    (values.zoned_moment, "2026-01-01T01:00:00+01:00", NEW_YEAR),
    (values.zoned_moment, "2026-01-01T01:00:00", None),
    (values.zoned_moment, "1.1.2026 01:00", None),
    (values.span, "1.00:00:00", "1.00:00:00"),
    (values.span, {"Ticks": 864_000_000_000, "Days": 1}, "1.00:00:00"),
    (values.span, {"Ticks": 36_610_000_000}, "0.01:01:01"),
    (values.texts, "a@contoso.com b@contoso.com,c@contoso.com", ("a@contoso.com",
     "b@contoso.com", "c@contoso.com")),
    (values.texts, ["a", None, "a"], ("a",)),
    (values.texts, {"value": ["a", "b"], "Count": 2}, ("a", "b")),
    (values.texts, None, ()),
    (values.texts, "", ()),
    (values.names, ["Fabrikam Inc; Seattle", " "], ("Fabrikam Inc; Seattle",)),
    (hosts.address_spaces, ["smtp:*;1"], ("*",)),
    (hosts.address_spaces, "*", ("*",)),
    (hosts.address_spaces, ["SMTP:Contoso.COM;1", "*.contoso.com"], ("contoso.com",
     "*.contoso.com")),
    (hosts.address_spaces, "smtp:contoso.com;1 smtp:fabrikam.com;2", ("contoso.com",
     "fabrikam.com")),
    (hosts.address_spaces, ["b\u00fccher.example"], ("xn--bcher-kva.example",)),
    (hosts.address_spaces, [{"SmtpDomain": {}, "Address": "*.contoso.com"}], ("*.contoso.com",)),
    (hosts.domain, "Mail.Contoso.com.", "mail.contoso.com"),
    (hosts.domain, {"Domain": "contoso.com"}, "contoso.com"),
    (hosts.domain, None, ""),
    (hosts.certificate_name, "*.contoso.com", "*.contoso.com"),
    (hosts.certificate_name, "<I>CN=Some CA, O=CA<S>CN=mail.contoso.com, O=Contoso",
     "mail.contoso.com"),
    (hosts.certificate_name, None, ""),
    (hosts.smart_hosts, ["[192.0.2.1]", "192.0.2.2", "Mail.Contoso.com"], ("192.0.2.1",
     "192.0.2.2", "mail.contoso.com")),
    (hosts.smart_hosts, "[2001:DB8::1]", ("2001:db8::1",)),
    (hosts.addresses, ["192.0.2.1", "192.0.2.0/24"], ("192.0.2.1", "192.0.2.0/24")),
    (hosts.addresses, "192.0.2.1;192.0.2.2", ("192.0.2.1", "192.0.2.2")),
    (hosts.addresses, "192.0.2.1-192.0.2.9", ("192.0.2.1-192.0.2.9",)),
    (hosts.addresses, [{"Address": 1, "IPAddressToString": "192.0.2.1"}], ("192.0.2.1",)),
    (hosts.addresses, [{"Expression": "192.0.2.0/24", "LowerBound": {}}], ("192.0.2.0/24",)),
    (hosts.mail_domain_text, "Selector1-X._domainkey.y.", "selector1-x._domainkey.y"),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "value", "found"), GOOD)
def test_a_value_is_read_in_every_way_it_is_written(reader: Reader, value: Any, found: Any) -> None:
    assert read(reader, value) == (found, [])


UNSURE = "and nobody can be certain what that means"
BAD: list[Any] = [
    (values.flag, 1, None, "is 1"),
    (values.flag, "maybe", None, "is 'maybe'"),
    (values.text, "@{Name=x; Value=y}", "", "is cut off: '@{Name=x; Value=y}'"),
    (values.text, "System.Object[]", "", "is cut off: 'System.Object[]'"),
    (values.text, "Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]", "", "is cut off"),
    (values.text, True, "", "is true"),
    (values.label, {"a": 1}, "", "is an object"),
    (values.label, ["a", "b"], "", "is a list"),
    (word(TYPES), 1, None, f"is 1, {UNSURE}"),
    (word(TYPES), "9", None, f"is 9, {UNSURE}"),
    (word(TYPES), "Other", None, "is 'Other'"),
    (word(TYPES), True, None, "is true"),
    (word(TYPES), [1, 2], None, "is a list"),
    (values.name_of_word, 3, "", f"is 3, {UNSURE}"),
    (values.name_of_word, "3", "", f"is '3', {UNSURE}"),
    (values.number, 2**31, None, "is 2147483648"),
    (values.number, 1.5, None, "is 1.5"),
    (values.number, False, None, "is false"),
    (values.number, "many", None, "is 'many'"),
    (values.guid, "1234", "", "is '1234'"),
    (values.moment, "1/2/2026 6:00:00 AM", None, "is '1/2/2026 6:00:00 AM'"),
    (values.moment, "2026-02-30T00:00:00Z", None, "is '2026-02-30T00:00:00Z'"),
    (values.moment, "/Date(999999999999999)/", None, "is '/Date(999999999999999)/'"),
    (values.moment, "9999-12-31T23:59:59-23:59", None, "is '9999-12-31T23:59:59-23:59'"),
    (values.moment, 1767225600, None, "is 1767225600"),
    (values.span, {"Ticks": True}, "", "is an object"),
    (values.span, {"Ticks": 2**80}, "", "is an object"),
    (values.texts, "@{a=b}", (), "is cut off"),
    (values.texts, {"a": {}}, (), "is an object"),
    (values.texts, 5, (), "is 5"),
    (hosts.address_spaces, ["con_toso"], ("con_toso",), "which has a single label"),
    (hosts.address_spaces, ["x400:c=us;a=b;5"], ("x400:c=us", "a=b"), "which has the label"),
    (hosts.address_spaces, "a.*.com", ("a.*.com",), "has the label '*'"),
    (hosts.domain, "a" * 2000 + ".com", "a" * 252 + "...", "is longer than 253 characters"),
    (hosts.smart_hosts, "mail server", ("mail", "server"), "which has a single label"),
    (hosts.smart_hosts, "192.0.2.999", ("192.0.2.999",), "which ends in a number"),
    (hosts.addresses, "mail.contoso.com", ("mail.contoso.com",), "is 'mail.contoso.com'"),
    (hosts.addresses, "192.0.2.1-2001:db8::1", ("192.0.2.1-2001:db8::1",), "is '192.0.2.1-2001"),
    (hosts.mail_domain_text, {}, "", "is an object"),
]


@pytest.mark.parametrize(("reader", "value", "found", "said"), BAD)
def test_a_value_that_is_not_understood_is_remarked(
    reader: Reader, value: Any, found: Any, said: str
) -> None:
    got, remarks = read(lambda cell: reader(Cell(cell.value, PLACE, cell.notes)), _alone(value))
    assert got == found
    assert said in remarks[0]


def _alone(value: Any) -> Any:
    """Return the only item of a list, so that its place is that of the property."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


READERS = list(dict.fromkeys(case[0] for case in GOOD))


@given(JSON, st.sampled_from(READERS))
def test_nothing_that_json_can_say_makes_a_reader_fail(value: Any, reader: Reader) -> None:
    notes = Notes()
    found = reader(Cell(value, PLACE, notes))
    texts = found if isinstance(found, tuple) else (found,)
    assert all(each.isprintable() and each.isascii() for each in texts if isinstance(each, str))
    assert all(str(each).isprintable() for each in notes.remarks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "null"),
        pytest.param(True, "true"),
        pytest.param(1, "1"),
        pytest.param([], "a list"),
        pytest.param({}, "an object"),
        pytest.param("\x07" * 100, "'" + r"\x07" * 14 + r"\..." + "'"),
    ],
)
def test_a_value_is_shown_in_few_characters_that_are_safe(value: Any, text: str) -> None:
    assert shown(value) == text


def test_the_number_of_notes_is_bounded_and_the_rest_is_counted() -> None:
    notes = Notes()
    for index in range(MAX_NOTES + 5):
        notes.remark(Place("a.json").item(index), "is odd")
    kept = notes.closed()
    assert len(kept) == MAX_NOTES + 1
    assert kept[-1].what == "and 5 more like these"


def test_an_error_says_the_first_mistake_and_how_many_more() -> None:
    notes = Notes()
    notes.mistake(Place("a.json"), "is odd", "make it even")
    with pytest.raises(ExportError) as one:
        notes.closed()
    assert one.value.sentence == str(one.value) == "a.json is odd; make it even"
    notes.mistake(Place("b.json").key("x"), "is odd")
    with pytest.raises(ExportError) as two:
        notes.closed()
    assert two.value.sentence == "a.json is odd; make it even (and 1 more)"
    assert two.value.mistakes == (
        Remark("a.json", "", "is odd", "make it even"),
        Remark("b.json", "x", "is odd"),
    )


def test_the_number_of_values_is_bounded() -> None:
    notes = Notes()
    cell = Cell("a," * (MAX_VALUES + 10), PLACE, notes)
    assert sum(1 for _ in values.items(cell)) == MAX_VALUES
    assert list(values.items(cell)) == []
    assert [each.what for each in notes.mistakes] == [
        "is beyond the 100000 values that any tenant has"
    ]
