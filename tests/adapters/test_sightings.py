"""The certificate last seen at a host is known, of so many hosts and no more."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.adapters.sightings import (
    MAX_CHAINS,
    MAX_HOSTS,
    MAX_NAMES,
    MAX_PRINTS,
    Chain,
    Seen,
    Sightings,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
END = NOON + timedelta(days=60)


def test_the_last_certificate_of_a_host_counts() -> None:
    sightings = Sightings()
    sightings.note_certificate("MX.contoso.com.", ("mx.contoso.com",), NOON, NOON)
    sightings.note_certificate("mx.contoso.com", ("*.contoso.com",), END, NOON)
    assert dict(sightings.certificates()) == {"mx.contoso.com": Seen(("*.contoso.com",), END, NOON)}


def test_what_is_known_cannot_be_changed_from_outside() -> None:
    with pytest.raises(TypeError):
        Sightings().certificates()["a"] = Seen((), END, NOON)  # type: ignore[index]


def test_who_was_seen_longest_ago_goes_first() -> None:
    sightings = Sightings()
    for n in range(MAX_HOSTS):
        sightings.note_certificate(f"mx{n}.example", (), END, NOON)
    sightings.note_certificate("mx0.example", (), END, NOON)
    sightings.note_certificate("new.example", (), END, NOON)
    known = sightings.certificates()
    assert len(known) == MAX_HOSTS
    assert "mx0.example" in known
    assert "mx1.example" not in known


def test_names_are_bounded() -> None:
    sightings = Sightings()
    sightings.note_certificate("a", tuple(map(str, range(1000))), END, NOON)
    assert len(sightings.certificates()["a"].names) == MAX_NAMES


def test_what_nobody_saw_since_is_forgotten() -> None:
    sightings = Sightings()
    sightings.note_certificate("old", (), END, NOON)
    sightings.note_certificate("new", (), END, NOON + timedelta(days=1))
    sightings.forget(NOON + timedelta(hours=1))
    assert list(sightings.certificates()) == ["new"]
    sightings.forget(END)
    assert not sightings.certificates()


def test_the_tenants_of_the_last_message_to_a_domain_are_kept() -> None:
    sightings = Sightings()
    sightings.note_tenants("Contoso.com", ("a", "b"))
    sightings.note_tenants("contoso.com", ())
    sightings.note_tenants("fabrikam.com", ("b",))
    assert sightings.tenants(("contoso.com", "fabrikam.com", "litware.com")) == ("a", "b")


def test_only_other_names_count_as_a_change() -> None:
    sightings = Sightings()
    sightings.note_certificate("mx.example", ("a.example",), END, NOON)
    sightings.note_certificate("MX.example", ("a.example",), END + timedelta(days=1), END)
    assert sightings.changed == 1
    sightings.note_certificate("mx.example", ("b.example",), END, NOON)
    sightings.forget(END + timedelta(days=2))
    assert sightings.changed == 3


def test_the_selectors_of_the_last_message_by_each_route_are_kept() -> None:
    sightings = Sightings()
    sightings.note_selectors("Contoso.com", "one", ("s2",))
    sightings.note_selectors("contoso.com", "other", ("s1", "s2"))
    known = sightings.selectors("contoso.COM")
    assert known == ("s1", "s2")
    sightings.note_selectors("contoso.com", "one", ("s2",))
    assert sightings.selectors("contoso.com") is known
    sightings.note_selectors("contoso.com", "other", ("s3",))
    assert sightings.selectors("contoso.com") == ("s2", "s3")
    assert sightings.selectors("fabrikam.com") == ()


def test_the_chains_of_a_hosts_addresses_stand_side_by_side_for_a_day() -> None:
    sightings = Sightings()

    def note(address: str, *prints: bytes, later: timedelta = timedelta()) -> tuple[Chain, ...]:
        chain = Chain(address, prints, NOON + later)
        sightings.note_certificate("mx.example", (), END, NOON + later, chain=chain)
        return sightings.certificates()["mx.example"].chains

    note("192.0.2.1", b"old")
    (one, other) = note("192.0.2.2", b"a", b"b")
    assert (one.prints, other.prints) == ((b"old",), (b"a", b"b"))
    assert {each.address: each.prints for each in note("192.0.2.1", b"a", b"b")} == {
        "192.0.2.1": other.prints,
        "192.0.2.2": other.prints,
    }
    same = sightings.certificates()["mx.example"].chains
    assert same[0].prints is same[1].prints  # kept once
    sightings.note_certificate("mx.example", ("a",), END, NOON + timedelta(hours=1))
    assert sightings.certificates()["mx.example"].chains == same
    assert len(note("192.0.2.3", b"c", later=timedelta(days=2))) == 1
    for n in range(MAX_CHAINS * 2):
        found = note(f"2001:db8::{n}", *(b"x",) * 9, later=timedelta(days=2))
    assert len(found) == MAX_CHAINS
    assert len(found[-1].prints) == MAX_PRINTS
