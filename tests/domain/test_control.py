"""Which word on the control names is that of a resolver, and which that of a gate?"""

from ipaddress import IPv4Address

import pytest

from agent.domain.control import NOWHERE, Sight, control, known
from agent.domain.lookup import Answer, Exchange, Query, Reply, Silence, Unanswered, replay

SERVERS = ("192.0.2.53:53", "192.0.2.54:53")
SOA, MX = Answer(("ns.example",)), Answer((Exchange(0, "mx.example"),))
PAGE = Answer((IPv4Address("198.18.0.1"),))
SILENT, REFUSED = Unanswered(Silence.TIMEOUT), Unanswered(Silence.REFUSED)
ASKED = "192.0.2.53:53 or 192.0.2.54:53"
Zone = dict[tuple[str, str], Reply]


def see(zone: Zone, *names: str) -> Sight:
    return replay(control(names or ("com", "org")), zone)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        pytest.param({("com", "SOA"): SOA}, ("answers", "does not exist"), id="an apex"),
        pytest.param(
            {("com", "SOA"): SILENT, ("org", "MX"): MX},
            ("timeout", "no SOA record, but MX or TXT"),
            id="a name within a zone",
        ),
    ],
)
def test_one_name_that_is_known_is_enough(zone: Zone, words: tuple[str, ...]) -> None:
    sight = see(zone)
    assert sight.is_clear
    assert tuple(sight.words.values()) == words
    assert list(sight.findings(SERVERS)) == []


@pytest.mark.parametrize(
    ("zone", "sentence", "evidence"),
    [
        pytest.param(
            {("com", "SOA"): SILENT, ("org", "SOA"): REFUSED},
            f"None of 2 control names was answered by {ASKED} (refused, timeout).",
            ("com SOA: timeout", "org SOA: refused"),
            id="silence",
        ),
        pytest.param(
            {("com", "A"): PAGE, ("org", "SOA"): REFUSED, (NOWHERE, "A"): PAGE},
            f"{ASKED} has no record of com or org, but an address for a name that cannot exist, as"
            " the gate of a guest network has.",
            ("com SOA: no record", "org SOA: refused", f"{NOWHERE} A: 198.18.0.1"),
            id="an address",
        ),
        pytest.param(
            {("com", "SOA"): Answer()},
            f"{ASKED} has no record of com or org, as the gate of a guest network has none.",
            ("com SOA: no record", "org SOA: does not exist"),
            id="nothing",
        ),
    ],
)
def test_a_gate_is_told_with_what_it_says(
    zone: Zone, sentence: str, evidence: tuple[str, ...]
) -> None:
    (finding,) = see(zone).findings(SERVERS)
    assert finding.rule.code == "self-resolver-down"
    assert (finding.detail, finding.evidence) == (sentence, evidence)


def test_many_names_are_counted() -> None:
    assert "any of 4 control names" in see({}, "a", "b", "c", "d").trouble(SERVERS)


def test_invented_addresses_are_a_warning_where_all_else_is_true() -> None:
    (finding,) = see({("com", "SOA"): SOA, (NOWHERE, "A"): PAGE}).findings(SERVERS)
    assert finding.rule.code == "self-resolver-invents"
    assert finding.detail == f"{ASKED} gives 198.18.0.1 for {NOWHERE}."


def test_without_names_nothing_is_asked() -> None:
    assert replay(control(()), {}).is_clear


def test_more_is_asked_only_of_names_that_were_answered_without_an_soa() -> None:
    plan = control(("com", "org"))
    asked = next(plan)
    assert [query.type for query in asked] == ["SOA", "SOA", "A"]
    assert plan.send((Answer(), SILENT, SILENT)) == (Query("com", "MX"), Query("com", "TXT"))


@pytest.mark.parametrize(
    ("zone", "is_known"),
    [
        ({("com", "SOA"): SOA}, True),
        ({("com", "MX"): MX, ("com", "SOA"): Answer()}, True),
        ({("com", "A"): PAGE}, False),
        ({("com", "SOA"): SILENT, ("com", "MX"): MX}, False),
    ],
)
def test_one_name_may_be_looked_at_alone(zone: Zone, *, is_known: bool) -> None:
    assert replay(known("com"), zone) is is_known
