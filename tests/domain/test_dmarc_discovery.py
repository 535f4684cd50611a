"""Is the record found that receivers find, by the list and by the walk up the tree?"""

from dataclasses import dataclass

import pytest

from agent.domain.dmarc_discovery import Discovery, discover, walk_of
from agent.domain.dmarc_terms import Policy
from agent.domain.lookup import Reply, replay
from servers.dmarc_case import SILENT, text

REJECT = "v=DMARC1; p=reject; sp=quarantine"
NONE = "v=DMARC1; p=none"


def find(domain: str, **records: str | Reply) -> Discovery:
    """Look for *domain*; the names of the keywords have ``__`` for dots."""
    zone: dict[tuple[str, str], Reply] = {}
    for name, content in records.items():
        place = name.replace("__", ".").replace("root", "")
        reply = text(*content.split("|")) if isinstance(content, str) else content
        zone[f"_dmarc.{place}", "TXT"] = reply
    return replay(discover(domain), zone)


@dataclass(frozen=True)
class Expected:
    """Where either kind finds a record, the policy it applies, and the organisation."""

    listed: tuple[str, Policy | None, str]
    walked: tuple[str, Policy | None, str]


def said(found: Discovery) -> Expected:
    listed, walked = (
        (one.place.domain if one.place else "", one.policy, one.organisation)
        for one in (found.listed, found.walked)
    )
    return Expected(listed, walked)


SUB = "news.contoso.com"
BOTH: list[tuple[str, str, dict[str, str | Reply], Expected]] = [
    (
        "own record",
        "contoso.com",
        {"contoso__com": REJECT},
        Expected(
            ("contoso.com", Policy.REJECT, "contoso.com"),
            ("contoso.com", Policy.REJECT, "contoso.com"),
        ),
    ),
    (
        "inherited from the organisation, with sp",
        SUB,
        {"contoso__com": REJECT},
        Expected(
            ("contoso.com", Policy.QUARANTINE, "contoso.com"),
            ("contoso.com", Policy.QUARANTINE, "contoso.com"),
        ),
    ),
    (
        "own record of a subdomain",
        SUB,
        {"news__contoso__com": NONE, "contoso__com": REJECT},
        Expected((SUB, Policy.NONE, "contoso.com"), (SUB, Policy.NONE, "contoso.com")),
    ),
    (
        "own record of a subdomain, and none above: the walk ends here",
        SUB,
        {"news__contoso__com": NONE},
        Expected((SUB, Policy.NONE, "contoso.com"), (SUB, Policy.NONE, SUB)),
    ),
    (
        "psd=n ends the walk below the list's organisation",
        "a.news.contoso.com",
        {"news__contoso__com": f"{NONE}; psd=n", "contoso__com": REJECT},
        Expected(("contoso.com", Policy.QUARANTINE, "contoso.com"), (SUB, Policy.NONE, SUB)),
    ),
    (
        "a registry's own record applies where the organisation has none",
        "contoso.bank",
        {"bank": f"{REJECT}; psd=y"},
        Expected(("", None, "contoso.bank"), ("bank", Policy.QUARANTINE, "contoso.bank")),
    ),
    (
        "a registry's record gives way to that of the organisation",
        "news.contoso.bank",
        {"contoso__bank": NONE, "bank": f"{REJECT}; psd=y"},
        Expected(
            ("contoso.bank", Policy.NONE, "contoso.bank"),
            ("contoso.bank", Policy.NONE, "contoso.bank"),
        ),
    ),
    (
        "the registry itself",
        "bank",
        {"bank": f"{REJECT}; psd=y"},
        Expected(("bank", Policy.REJECT, "bank"), ("bank", Policy.REJECT, "bank")),
    ),
    (
        "several records end the list's search, and not the walk",
        SUB,
        {"news__contoso__com": f"{NONE}|{REJECT}", "contoso__com": REJECT},
        Expected(("", None, "contoso.com"), ("contoso.com", Policy.QUARANTINE, "contoso.com")),
    ),
    (
        "none anywhere",
        SUB,
        {},
        Expected(("", None, "contoso.com"), ("", None, SUB)),
    ),
    (
        "a silent registry changes nothing of an own record",
        "contoso.com",
        {"contoso__com": REJECT, "com": SILENT},
        Expected(
            ("contoso.com", Policy.REJECT, "contoso.com"),
            ("contoso.com", Policy.REJECT, "contoso.com"),
        ),
    ),
]


@pytest.mark.parametrize(
    ("domain", "records", "expected"),
    [pytest.param(domain, records, expected, id=name) for name, domain, records, expected in BOTH],
)
def test_both_verdicts(domain: str, records: dict[str, str | Reply], expected: Expected) -> None:
    found = find(domain, **records)
    assert said(found) == expected
    assert found.differs is (
        (expected.listed[0], expected.listed[1]) != (expected.walked[0], expected.walked[1])
    )


def test_the_stricter_policy_is_the_one_that_costs_mail() -> None:
    found = find("a.news.contoso.com", news__contoso__com=f"{NONE}; psd=n", contoso__com=REJECT)
    assert found.enforced is Policy.QUARANTINE
    assert found.verdict is found.listed
    registry = find("contoso.bank", bank=f"{REJECT}; psd=y")
    assert registry.verdict is registry.walked


@pytest.mark.parametrize(
    ("domain", "records"),
    [
        pytest.param("contoso.com", {"contoso__com": SILENT}, id="own name"),
        pytest.param(SUB, {"contoso__com": SILENT}, id="the organisation"),
    ],
)
def test_silence_is_no_verdict(domain: str, records: dict[str, Reply]) -> None:
    found = find(domain, **records)
    assert found.verdict.place is None
    assert found.listed.unsure is found.walked.unsure is SILENT
    assert not found.differs


def test_a_silent_registry_leaves_only_the_walk_unsure() -> None:
    found = find("contoso.com", com=SILENT)
    assert found.listed.unsure is None
    assert found.walked.unsure is SILENT


def test_the_walk_asks_eight_times_at_most() -> None:
    assert walk_of("contoso.com") == ("contoso.com", "com")
    eight = "a.b.c.d.e.f.g.com"
    assert len(walk_of(eight)) == 8
    nine = f"x.{eight}"
    assert walk_of(nine)[1] == "b.c.d.e.f.g.com"
    assert len(walk_of(nine)) == 8
    assert len(walk_of(".".join("abcdefghijklmnopqrstuvwxyz"))) == 8


def test_the_walk_passes_the_organisation_however_long_the_name_is() -> None:
    # Everything directly below is a public suffix of its own.
    found = find("a.b.c.d.e.f.contoso.x.kobe.jp", contoso__x__kobe__jp=REJECT)
    assert found.listed.organisation == "contoso.x.kobe.jp"
    assert found.listed.policy is found.walked.policy is Policy.QUARANTINE
