"""The zone of a domain is found, also where its own servers are of no help."""

from ipaddress import ip_address

import pytest

from agent.domain.direct import Code, DirectQuery, Said
from agent.domain.fact import Text
from agent.domain.lookup import Answer, Query, Silence, Unanswered
from agent.domain.nameservers_report import draw
from agent.domain.nameservers_soa import ahead, newest, read_soa
from agent.domain.nameservers_zone import Zone, find_zone
from servers.nameservers_case import (
    ABOVE,
    FIRST,
    REFUSED,
    SECOND,
    Net,
    answer,
    net,
    referral,
    resolver,
    said,
    text,
)

SERVFAIL = Unanswered(Silence.SERVFAIL)
SERVERS = ("ns1.dns.example", "ns2.dns.example")


def zone_of(made: Net, domain: str = "contoso.com") -> Zone | Unanswered | None:
    return made.run(find_zone(domain))


def test_the_delegation_comes_from_the_zone_above() -> None:
    glue = (ip_address(FIRST),)
    made = net()
    made.servers[ABOVE]["contoso.com", "NS"] = referral(
        "contoso.com", "ns.contoso.com", ns_contoso_com=glue
    )
    found = zone_of(made)
    assert isinstance(found, Zone)
    assert (found.name, found.parent) == ("contoso.com", "com")
    assert (found.own, found.delegation) == (SERVERS, ("ns.contoso.com",))
    assert found.glue == {"ns.contoso.com": glue}
    assert found.names == ("ns.contoso.com", *SERVERS)


def test_a_domain_that_is_no_zone_lies_in_the_one_above() -> None:
    made = net(resolver("mail.contoso.com", "MX", answer()))
    found = zone_of(made, "mail.contoso.com")
    assert isinstance(found, Zone)
    assert (found.name, found.parent) == ("contoso.com", "com")
    made.domain = "mail.contoso.com"
    survey = made.survey()
    asked = {(each.name, each.type) for each in made.asked if isinstance(each, DirectQuery)}
    assert {("contoso.com", "SOA"), ("contoso.com", "NS"), ("mail.contoso.com", "MX")} <= asked
    shown = draw(survey)["zone"]
    assert isinstance(shown, Text)
    assert "mail.contoso.com is no zone of its own" in shown.text


def test_an_alias_is_no_zone_of_its_own() -> None:
    made = net(resolver("x.contoso.com", "NS", Answer(("ns.other",), aliases=("other",))))
    found = zone_of(made, "x.contoso.com")
    assert isinstance(found, Zone)
    assert found.name == "contoso.com"


def test_a_server_above_that_has_the_zone_itself_tells_of_no_delegation() -> None:
    made = net()
    made.servers[ABOVE]["contoso.com", "NS"] = said(*SERVERS)
    found = zone_of(made)
    assert isinstance(found, Zone)
    assert (found.delegation, found.names) == ((), SERVERS)


def test_a_referral_of_another_zone_is_not_believed() -> None:
    made = net()
    made.servers[ABOVE]["contoso.com", "NS"] = referral("com", "ns.stranger.example")
    found = zone_of(made)
    assert isinstance(found, Zone)
    assert found.delegation == ()


def test_the_zone_above_tells_what_the_resolver_cannot() -> None:
    made = net(resolver("contoso.com", "NS", SERVFAIL))
    found = zone_of(made)
    assert isinstance(found, Zone)
    assert (found.name, found.own, found.delegation) == ("contoso.com", (), SERVERS)
    below = zone_of(net(resolver("a.b.contoso.com", "NS", SERVFAIL)), "a.b.contoso.com")
    # The servers of contoso.com say that nothing is delegated there.
    assert isinstance(below, Zone)
    assert below.name == "contoso.com"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(REFUSED, id="refuses"),
        pytest.param(Unanswered(Silence.TIMEOUT), id="silent"),
        pytest.param(said(*SERVERS), id="has it itself"),
        pytest.param(Said(Code.SERVFAIL, authoritative=True), id="fails with authority"),
    ],
)
def test_what_nobody_tells_is_not_known(told: Said | Unanswered) -> None:
    made = net(resolver("contoso.com", "NS", SERVFAIL))
    made.servers[ABOVE]["contoso.com", "NS"] = told
    assert zone_of(made) == SERVFAIL


def test_a_resolver_that_answers_nothing_is_silence_and_not_absence() -> None:
    made = net(resolver("contoso.com", "NS", SERVFAIL), resolver("com", "NS", SERVFAIL))
    assert zone_of(made) == SERVFAIL
    assert made.survey().silence == SERVFAIL


def test_where_no_zone_is_known_there_is_none() -> None:
    made = net()
    made.resolver = {("contoso.com", "MX"): answer()}
    assert zone_of(made) is None


def test_a_zone_above_whose_servers_have_no_address_is_not_asked() -> None:
    made = net(resolver("a.registry.example", "A", Answer()))
    found = zone_of(made)
    assert isinstance(found, Zone)
    assert found.above == ()
    alone = net()
    del alone.resolver["com", "NS"]
    found = zone_of(alone)
    assert isinstance(found, Zone)
    assert (found.parent, found.above) == ("", ())


def test_a_deep_name_asks_a_bounded_number_of_questions() -> None:
    made = net()
    made.resolver = {}
    zone_of(made, ".".join(["a"] * 100) + ".contoso.com")
    assert len(made.asked) == 13


def test_a_thousand_servers_cost_no_more_than_a_few() -> None:
    names = tuple(f"ns{number}.dns.example" for number in range(1000))
    made = net(resolver("contoso.com", "NS", answer(*names)))
    made.servers[ABOVE]["contoso.com", "NS"] = referral("contoso.com", *names)
    for at, name in enumerate(names):
        made.resolver[name, "A"] = answer(*(ip_address(f"192.31.{at % 250}.{n}") for n in range(9)))
    found = made.survey()
    assert (len(found.hosts), found.left_out) == (16, 984)
    assert len(found.voices) <= 24
    assert {voice.name for voice in found.voices} == {host.name for host in found.hosts}
    assert len(made.asked) < 150


def test_nobody_is_asked_again_where_nobody_answers() -> None:
    made = net()
    made.servers = {}
    made.survey()
    assert sum(isinstance(each, DirectQuery) for each in made.asked) == 3
    made = net()
    made.servers.pop(SECOND)
    made.survey()
    soa = [each for each in made.asked if isinstance(each, DirectQuery) and each.type == "SOA"]
    assert [str(each.server) for each in soa] == [FIRST, SECOND, SECOND]


def test_a_server_at_this_very_host_is_never_asked() -> None:
    made = net(resolver("ns2.dns.example", "A", answer(ip_address("127.0.0.1"))))
    assert [str(voice.address) for voice in made.survey().voices] == [FIRST]
    made.resolver["ns1.dns.example", "A"] = answer()
    found = made.survey()
    assert found.voices == ()
    assert list(draw(found)) == ["zone"]
    assert {each.rule.code for each in made.findings()} == {
        "nameservers-special-address",
        "nameservers-no-address",
        "nameservers-one-server",
    }


def test_names_too_long_for_dns_are_left_out() -> None:
    long = ".".join(["a" * 60] * 4)
    made = net(resolver(long, "MX", answer()), resolver(long, "NS", answer(*SERVERS)))
    made.domain = long
    for address in (FIRST, SECOND):
        made.servers[address][long, "SOA"] = made.servers[address]["contoso.com", "SOA"]
    found = made.survey()
    assert {topic.title for topic in found.topics} == {"NS", "MX", "SPF", "DMARC"}
    assert found.wildcards == {}
    assert max(len(each.name) for each in made.asked if isinstance(each, Query)) <= 253


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [(7, 6, 1), (6, 7, -1), (7, 7, 0), (5, 4294967290, 11), (4294967290, 5, -11)],
)
def test_serials_go_round(one: int, other: int, distance: int) -> None:
    assert ahead(one, other) == distance
    assert newest((one, other)) == (one if distance >= 0 else other)


@pytest.mark.parametrize(
    "told",
    [
        REFUSED,
        Unanswered(Silence.TIMEOUT),
        Said(Code.NOERROR, (text("x"),)),
        said("ns. host. 1 2 3 4"),
        said("ns. host. 1 2 3 4 x"),
    ],
)
def test_what_is_no_soa_is_none(told: Said | Unanswered) -> None:
    assert read_soa(told) is None
