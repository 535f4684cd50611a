"""Who takes a domain's mail, and is a change held against who takes it now?"""

import pytest

from agent.domain.guess import Guess, guess
from agent.domain.lookup import Answer, Exchange, Reply, Silence, TextRecord, Unanswered, replay
from agent.domain.mx import matches_any
from agent.domain.takers import Standard, Takers, standard, takers
from servers.spf_zone import zone_of

D = "contoso.com"
EXO = "contoso-com.mail.protection.outlook.com"
EXO_SPF = "v=spf1 include:spf.protection.outlook.com -all"
GOOGLE = ("aspmx.l.google.com", "alt1.aspmx.l.google.com")
SILENT = Unanswered(Silence.TIMEOUT)


def zone(mx: tuple[str, ...], spf: str = "") -> dict[tuple[str, str], Reply]:
    found: dict[tuple[str, str], Reply] = {
        (D, "TXT"): Answer((TextRecord((spf.encode(),)),)) if spf else Answer()
    }
    if mx:
        found[D, "MX"] = Answer(tuple(Exchange(place, host) for place, host in enumerate(mx)))
    return found


def judged(
    was: tuple[str, ...], becomes: tuple[str, ...], spf: tuple[str, str] = ("", ""), meant: str = ""
) -> Standard:
    now, then = zone(was, spf[0]), zone(becomes, spf[1])
    return standard(
        replay(guess(D), now),
        replay(guess(D), then),
        replay(takers(D), now),
        replay(takers(D), then),
        meant,
    )


OWN = ("mail.contoso.com",)
CASES = (
    # what takes mail now, what would, and the sentence that is said of it; empty for none
    ((EXO,), ("",), EXO_SPF, "by nobody instead of Exchange Online.", "parked"),
    (
        (EXO,),
        ("mx.stranger.example",),
        EXO_SPF,
        "by hosts of stranger.example instead of Exchange Online.",
        "third-party-filter",
    ),
    ((EXO,), GOOGLE, EXO_SPF, "by Google Workspace instead of Exchange Online.", "custom"),
    (
        ("mx1.f.example",),
        ("mx.g.example", "mx1.f.example"),
        "",
        "by hosts of g.example and hosts of f.example instead of hosts of f.example.",
        "custom",
    ),
    (OWN, ("mx2.contoso.com",), "", "", ""),
    (("mx1.f.example",), ("mx2.f.example",), "", "", ""),
    (GOOGLE, ("smtp.google.com",), "", "", ""),
    (("",), (EXO,), "", "by Exchange Online instead of nobody.", "exchange-online"),
    ((), (EXO,), "", "", ""),  # nobody takes its mail yet
)


@pytest.mark.parametrize(("was", "becomes", "spf", "said", "way_out"), CASES)
def test_who_would_take_the_mail_instead_is_said(
    was: tuple[str, ...], becomes: tuple[str, ...], spf: str, said: str, way_out: str
) -> None:
    found = judged(was, becomes, (spf, spf))
    sentence = f"Mail for {D} would be taken {said}" if said else ""
    assert (found.notice, found.way_out, found.is_handover) == (sentence, way_out, bool(said))


@pytest.mark.parametrize(
    ("was", "becomes", "spf", "expected", "strange"),
    [
        pytest.param(
            OWN,
            ("mx2.contoso.com", "mx.evil.example"),
            "",
            ("mx2.contoso.com",),
            ("mx.evil.example",),
            id="own zone",
        ),
        pytest.param(("contoso.com",), OWN, "", OWN, ("mx.evil.example",), id="the domain itself"),
        pytest.param(GOOGLE, ("smtp.google.com",), "", ("smtp.google.com",), (EXO,), id="Google"),
        pytest.param(
            (*GOOGLE, "mx.old.example"),
            ("smtp.google.com",),
            "",
            ("smtp.google.com",),
            ("mx.old.example",),
            id="what is strange now stays so",
        ),
        pytest.param(
            ("eu-smtp-inbound-1.mimecast.com", EXO),
            ("de-1.mimecast.com",),
            EXO_SPF,
            ("de-1.mimecast.com",),
            (EXO,),
            id="a filter, and the way past it",
        ),
        pytest.param(OWN, (EXO,), EXO_SPF, (EXO, *OWN), GOOGLE, id="hybrid"),
        pytest.param(
            ("mx.f.example", "mail.global.frontbridge.com"),
            ("a.f.example",),
            "",
            ("a.f.example",),
            (EXO,),
            id="a forerunner beside",
        ),
    ],
)
def test_whoever_takes_mail_now_is_expected(
    was: tuple[str, ...],
    becomes: tuple[str, ...],
    spf: str,
    expected: tuple[str, ...],
    strange: tuple[str, ...],
) -> None:
    found = judged(was, becomes, (spf, spf)).expected.exchanges
    assert all(matches_any(found, host) for host in expected), found
    assert not any(matches_any(found, host) for host in strange), found


def test_the_patterns_of_a_topology_need_no_help() -> None:
    for mx in ((EXO,), ("",)):
        assert judged(mx, ("mx.stranger.example",), (EXO_SPF, EXO_SPF)).expected.exchanges == ()


def test_an_exact_name_that_alone_is_known_is_expected_still() -> None:
    was = ("mail.global.frontbridge.com",)
    now = Guess("custom", "a forerunner", was)
    found = standard(now, now, Takers(D, was), Takers(D, (EXO,)))
    assert found.expected.exchanges == was


def test_a_move_that_is_meant_is_held_against_what_is_meant() -> None:
    found = judged((EXO,), GOOGLE, (EXO_SPF, ""), "custom")
    assert (found.notice, found.expected.topology) == ("", "custom")
    assert found.expected.exchanges == ("aspmx.l.google.com", "*.aspmx.l.google.com")
    found = judged(OWN, (EXO,), ("", EXO_SPF), "third-party-filter")
    assert (found.expected.topology, found.expected.exchanges) == ("third-party-filter", ())


def test_what_only_looks_different_is_said_too() -> None:
    found = judged(OWN, OWN, (EXO_SPF, "v=spf1 mx -all"))
    assert found.notice == (
        f"{D} would look like servers of its own, and not like Exchange Online behind servers of"
        " its own any more."
    )
    assert (found.way_out, found.expected.topology) == ("on-premises", "hybrid")
    assert not found.is_handover


def test_what_dns_did_not_say_is_no_absence() -> None:
    now, then = {**zone(()), (D, "MX"): SILENT}, zone((EXO,))
    was, becomes = replay(takers(D), now), replay(takers(D), then)
    found = standard(replay(guess(D), now), replay(guess(D), then), was, becomes)
    assert found.is_unsure
    assert "now (timeout), and so not whether others would." in found.notice
    again = standard(replay(guess(D), now), replay(guess(D), now), was, was)
    assert not again.is_unsure


@pytest.mark.parametrize(
    ("lines", "silent", "hosts", "silence"),
    [
        pytest.param("contoso.com A 192.0.2.1", (), (D,), None, id="its own address"),
        pytest.param("contoso.com TXT x", (), (), None, id="no address"),
        pytest.param("a.example A 192.0.2.1", (), (), None, id="no such name"),
        pytest.param("contoso.com TXT x", ("A",), (), Silence.TIMEOUT, id="silence"),
    ],
)
def test_without_mx_it_is_the_domain_itself(
    lines: str, silent: tuple[str, ...], hosts: tuple[str, ...], silence: Silence | None
) -> None:
    said = {**zone_of(lines), **{(D, kind): SILENT for kind in silent}}
    assert replay(takers(D), said) == Takers(D, hosts, silence, is_implicit=bool(hosts))


WEBSITE = zone_of("contoso.com A 192.0.2.80")


@pytest.mark.parametrize(
    ("spf", "mx", "said", "topology"),
    [
        pytest.param(
            "",
            EXO,
            "taken by Exchange Online instead of the host at its own address.",
            "exchange-online",
            id="a site that gets mail",
        ),
        pytest.param(
            "",
            "",
            "taken by nobody instead of the host at its own address.",
            "parked",
            id="a site without mail",
        ),
        pytest.param("v=spf1 -all", "", "", "parked", id="parked in another way"),
        pytest.param(
            "v=spf1 -all", EXO, "taken by Exchange Online instead of nobody.", "parked", id="parked"
        ),
    ],
)
def test_a_web_server_may_take_no_mail_at_all(spf: str, mx: str, said: str, topology: str) -> None:
    now, then = {**zone((), spf), **WEBSITE}, {**zone((mx,), spf), **WEBSITE}
    found = standard(
        replay(guess(D), now),
        replay(guess(D), then),
        replay(takers(D), now),
        replay(takers(D), then),
    )
    assert found.notice == (f"Mail for {D} would be {said}" if said else "")
    assert found.expected.topology == topology


def test_a_crowd_is_counted() -> None:
    hosts = tuple(f"mx.{letter}.example" for letter in "abcdefg")
    assert Takers(D, hosts).words.endswith("hosts of e.example and 2 more")
    assert Takers(D).words == "nobody"
