"""Every rule about name servers fires where it should, and is quiet where it nearly would."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from agent.domain import nameservers_rules as rules
from agent.domain.direct import Code, Said
from agent.domain.fact import Table
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Exchange, Silence, Unanswered
from agent.domain.nameservers_report import draw
from proof import fires, quiet
from servers.nameservers_case import (
    ABOVE,
    BELOW,
    DKIM,
    FIRST,
    KEY_BELOW,
    REFUSED,
    SECOND,
    SOA,
    Change,
    Net,
    all_say,
    as_is,
    asking,
    both,
    delegated,
    gone,
    named,
    net,
    only,
    referral,
    resolver,
    said,
    says,
    text,
)

SERVFAIL = Unanswered(Silence.SERVFAIL)
FAILS = both(resolver("contoso.com", "NS", SERVFAIL), resolver("contoso.com", "SOA", SERVFAIL))
OLDER = SOA.replace(" 7 ", " 6 ")
OTHERS = OLDER.replace("ns1.dns", "ns1.other")
THIRD = "192.52.193.54"
SIX = "2a01:111:f403::53"
INSIDE = delegated("ns1.contoso.com", "ns2.contoso.com", ns1_contoso_com=(ip_address(FIRST),))
AT_HOME = both(named("ns1.contoso.com", FIRST), named("ns2.contoso.com", SECOND))
GLUED = delegated(
    "ns1.contoso.com",
    "ns2.contoso.com",
    ns1_contoso_com=(ip_address(FIRST),),
    ns2_contoso_com=(ip_address(SECOND),),
)
MANY = tuple(f"ns{number}.dns.example" for number in range(1, 18))
FORGED = Said(Code.NOERROR, (SOA,), recursion=True)
NULL = Said(Code.NXDOMAIN, authoritative=True)


def soa(expire: int = 1209600, minimum: int = 3600, ttl: int = 86401) -> Change:
    words = f"ns1.dns.example. host.dns.example. 7 3600 600 {expire} {minimum}"
    return all_say("contoso.com", "SOA", said(words, ttl=ttl))


def three(third: Change) -> Change:
    servers = ("ns1.dns.example", "ns2.dns.example", "ns3.dns.example")
    return both(delegated(*servers), named("ns3.dns.example", THIRD), third)


TABLE: list[tuple[Rule, Change, Change]] = [
    (
        rules.ALL_LAME,
        both(FAILS, only(FIRST, REFUSED), only(SECOND, Said(Code.SERVFAIL))),
        only(FIRST, REFUSED),
    ),
    (rules.ALL_LAME, both(only(FIRST, REFUSED), only(SECOND, REFUSED)), gone(FIRST, SECOND)),
    (
        rules.ALL_LAME,
        both(FAILS, only(FIRST, REFUSED), gone(SECOND)),
        both(only(FIRST, REFUSED), gone(SECOND)),
    ),
    (rules.ALL_SILENT, both(FAILS, gone(FIRST, SECOND)), gone(FIRST, SECOND)),
    (
        rules.MX_LACKING,
        says(SECOND, "contoso.com", "MX", said()),
        says(SECOND, "contoso.com", "MX", REFUSED),
    ),
    (
        rules.MX_ELSEWHERE,
        says(SECOND, "contoso.com", "MX", said(Exchange(0, "mx.old.example"))),
        says(
            SECOND,
            "contoso.com",
            "MX",
            said(Exchange(0, "mx.old.example"), Exchange(5, "mx.contoso.com")),
        ),
    ),
    (
        rules.MX_DIFFERS,
        says(SECOND, "contoso.com", "MX", said(Exchange(10, "MX.contoso.com"))),
        says(SECOND, "contoso.com", "MX", said(Exchange(0, "mx.contoso.com"), ttl=60)),
    ),
    (
        rules.SPF_DIFFERS,
        says(SECOND, "contoso.com", "TXT", said(text("v=spf1 ~all"))),
        says(SECOND, "contoso.com", "TXT", said(text("v=spf1 -all"), text("other"))),
    ),
    (
        rules.DKIM_DIFFERS,
        says(SECOND, DKIM, "TXT", said()),
        all_say(DKIM, "TXT", Said(Code.NOERROR, aliases=("a.example",), authoritative=True)),
    ),
    (
        rules.DMARC_DIFFERS,
        says(SECOND, "_dmarc.contoso.com", "TXT", said()),
        all_say("_dmarc.contoso.com", "TXT", referral("_dmarc.contoso.com", "ns.vendor.example")),
    ),
    (
        rules.NS_DIFFERS,
        says(SECOND, "contoso.com", "NS", said("ns2.dns.example")),
        all_say("contoso.com", "NS", said("ns2.dns.example")),
    ),
    (rules.MOST_BAD, three(only(SECOND, REFUSED)), three(only(THIRD, REFUSED))),
    (rules.LAME, only(SECOND, REFUSED), as_is),
    (rules.LAME, only(SECOND, Unanswered(Silence.MALFORMED)), gone(SECOND)),
    (rules.SILENT, gone(SECOND), named("ns2.dns.example", SECOND, SIX)),
    (
        rules.SILENT,
        only(SECOND, Unanswered(Silence.UNREACHABLE)),
        only(SECOND, Unanswered(Silence.UNREACHABLE, is_ours=True)),
    ),
    (
        rules.TCP,
        says(SECOND, "contoso.com", "TXT", Unanswered(Silence.TRUNCATED)),
        says(SECOND, "contoso.com", "TXT", Unanswered(Silence.TIMEOUT)),
    ),
    (
        rules.TCP,
        both(
            says(FIRST, "contoso.com", "TXT", replace(said(text("v=spf1 -all")), by_tcp=True)),
            says(SECOND, "contoso.com", "TXT", Unanswered(Silence.TRUNCATED)),
        ),
        says(SECOND, "contoso.com", "TXT", replace(said(text("v=spf1 -all")), by_tcp=True)),
    ),
    (
        rules.SERIALS_DIFFER,
        says(SECOND, "contoso.com", "SOA", said(OLDER)),
        says(SECOND, "contoso.com", "SOA", said(OTHERS)),
    ),
    (
        rules.DELEGATION_DIFFERS,
        says(ABOVE, "contoso.com", "NS", referral("contoso.com", "ns1.dns.example", "ns9.example")),
        says(ABOVE, "contoso.com", "NS", said("ns9.example")),
    ),
    (rules.GLUE_MISSING, both(INSIDE, AT_HOME), both(GLUED, AT_HOME)),
    (
        rules.GLUE_DIFFERS,
        both(GLUED, AT_HOME, named("ns2.contoso.com", THIRD)),
        both(GLUED, AT_HOME, named("ns2.contoso.com", SECOND, SIX)),
    ),
    (
        rules.ALIAS,
        resolver(
            "ns2.dns.example", "A", Answer((ip_address(SECOND),), aliases=("host.dns.example",))
        ),
        as_is,
    ),
    (
        rules.NO_ADDRESS,
        resolver("ns2.dns.example", "A", Answer()),
        resolver("ns2.dns.example", "A", SERVFAIL),
    ),
    (rules.SPECIAL_ADDRESS, named("ns2.dns.example", "10.1.2.3"), as_is),
    (rules.ONE_SERVER, delegated("ns1.dns.example"), as_is),
    (rules.ONE_SERVER, named("ns2.dns.example", FIRST), as_is),
    (
        rules.ONE_NETWORK,
        named("ns2.dns.example", "192.31.196.54"),
        named("ns2.dns.example", "192.31.197.54"),
    ),
    (
        rules.ONE_NETWORK,
        both(
            named("ns1.dns.example", FIRST, SIX),
            named("ns2.dns.example", "192.31.196.54", "2a01:111:f403::54"),
        ),
        both(
            named("ns1.dns.example", FIRST, SIX),
            named("ns2.dns.example", "192.31.196.54", "2a01:111:f404::54"),
        ),
    ),
    (rules.TOO_MANY, delegated(*MANY), delegated(*MANY[:16])),
    (
        rules.TTL_LOW,
        all_say("_dmarc.contoso.com", "TXT", said(text("v=DMARC1; p=none"), ttl=299)),
        all_say("contoso.com", "MX", said(Exchange(0, "mx.contoso.com"), ttl=60)),
    ),
    (
        rules.TTL_HIGH,
        all_say("contoso.com", "NS", said("ns1.dns.example", "ns2.dns.example", ttl=604_801)),
        all_say("contoso.com", "NS", said("ns1.dns.example", "ns2.dns.example", ttl=604_800)),
    ),
    (rules.NEGATIVE_TTL, soa(minimum=86401), soa(minimum=86401, ttl=86400)),
    (rules.SOA_TIMERS, soa(expire=86399), soa(expire=86400)),
    (
        rules.WILDCARD_MX,
        all_say(BELOW, "MX", said(Exchange(0, "mx.contoso.com"))),
        all_say(BELOW, "MX", said(Exchange(0, ""))),
    ),
    (
        rules.WILDCARD_TXT,
        all_say(BELOW, "TXT", said(text("MS=ms1"))),
        all_say(BELOW, "TXT", said(text("v=spf1 -all"))),
    ),
    (
        rules.WILDCARD_TXT,
        all_say(KEY_BELOW, "TXT", said(text("v=spf1 -all"))),
        all_say(KEY_BELOW, "TXT", said(text("v=DKIM1; p="))),
    ),
    (
        rules.RESOLVER_DIFFERS,
        asking(MX=said(Exchange(0, "mail.inside.example"))),
        both(
            says(SECOND, "contoso.com", "MX", said(Exchange(0, "mail.inside.example"))),
            asking(MX=said(Exchange(0, "mail.inside.example"))),
        ),
    ),
    (rules.RESOLVER_DIFFERS, asking(MX=NULL), asking(MX=Said(Code.SERVFAIL))),
    (rules.OUT_OF_REACH, gone(ABOVE, FIRST, SECOND), gone(FIRST)),
    (rules.OUT_OF_REACH, gone(FIRST, SECOND), gone(ABOVE)),
    (
        rules.INTERCEPTED,
        both(only(ABOVE, FORGED), only(FIRST, FORGED), only(SECOND, FORGED)),
        both(only(FIRST, FORGED), only(SECOND, FORGED)),
    ),
]


@pytest.mark.parametrize(
    ("rule", "broken", "whole"),
    [pytest.param(*row, id=f"{row[0].code}-{at}") for at, row in enumerate(TABLE)],
)
def test_a_rule_fires_and_is_quiet(rule: Rule, broken: Change, whole: Change) -> None:
    fires(rule, net(broken).findings())
    quiet(rule, net(whole).findings())


def test_a_healthy_domain_has_no_findings() -> None:
    assert net().findings() == ()
    assert net(asking()).findings() == ()


def codes(found: tuple[Finding, ...]) -> set[str]:
    return {each.rule.code.removeprefix("nameservers-") for each in found}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(gone(ABOVE, FIRST, SECOND), {"out-of-reach"}, id="port 53 is filtered"),
        pytest.param(
            both(gone(ABOVE, FIRST, SECOND), resolver("com", "NS", SERVFAIL)),
            {"out-of-reach"},
            id="and the zone above is not known",
        ),
        pytest.param(
            both(only(ABOVE, FORGED), only(FIRST, FORGED), only(SECOND, FORGED)),
            {"intercepted"},
            id="something answers in their place",
        ),
        pytest.param(named("ns2.dns.example", SECOND, SIX), set(), id="no IPv6 from here"),
        pytest.param(
            all_say("contoso.com", "MX", Unanswered(Silence.TIMEOUT)), set(), id="all silent on MX"
        ),
        pytest.param(resolver("contoso.com", "NS", Answer(name_exists=False)), set(), id="gone"),
        pytest.param(FAILS, set(), id="only the resolver fails"),
        pytest.param(resolver("ns1.dns.example", "A", SERVFAIL), set(), id="address unanswered"),
    ],
)
def test_nobody_is_accused_of_what_may_be_ours(change: Change, expected: set[str]) -> None:
    assert codes(net(change).findings()) == expected


def test_a_server_inside_is_fine_where_the_operator_says_so() -> None:
    inside = net(named("ns2.dns.example", "10.1.2.3"))
    inside.servers["10.1.2.3"] = inside.servers[SECOND]
    quiet(rules.SPECIAL_ADDRESS, inside.findings(reach="private"))
    assert "10.1.2.3" in {str(voice.address) for voice in inside.survey().voices}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (REFUSED, "answers REFUSED"),
        (Said(Code.NOERROR, (SOA,)), "answers without authority"),
        (Said(Code.NOERROR, authoritative=True), "has no SOA record of the zone"),
        (referral("", "a.root.example"), "sends on to the root and answers nothing itself"),
        (referral("com", "a.registry.example"), "sends on to com and answers nothing itself"),
        (Unanswered(Silence.MALFORMED), "sends a reply that cannot be read"),
        (Unanswered(Silence.ALIAS_LOOP), "answers with aliases in a circle"),
        (Unanswered(Silence.UNREACHABLE), "cannot be reached"),
        (Unanswered(Silence.TRUNCATED), "cuts its answer, and gives none over TCP"),
        (Unanswered(Silence.TIMEOUT), "does not answer"),
    ],
)
def test_a_finding_says_what_the_server_does(told: Said | Unanswered, words: str) -> None:
    found = net(only(SECOND, told)).findings()
    assert [each.detail for each in found if each.rule in (rules.LAME, rules.SILENT)] == [
        f"ns2.dns.example ({SECOND}) {words}."
    ]


def test_the_parts_of_a_difference_are_shown_with_who_gives_them() -> None:
    found = fires(
        rules.MX_ELSEWHERE,
        net(says(SECOND, "contoso.com", "MX", said(Exchange(0, "mx.old.example")))).findings(),
    )
    assert found.detail == "MX of contoso.com: 2 answers."
    assert found.evidence == (
        f"ns1.dns.example ({FIRST}): 0 mx.contoso.com",
        f"ns2.dns.example ({SECOND}): 0 mx.old.example",
    )


def test_resolvers_are_compared_with_one_another_where_no_server_is_heard() -> None:
    quiet(rules.RESOLVER_DIFFERS, net(gone(ABOVE, FIRST, SECOND), asking()).findings())


def test_a_server_that_tells_no_ns_records_is_not_held_against_the_delegation() -> None:
    silent = says(SECOND, "contoso.com", "NS", Unanswered(Silence.TIMEOUT))
    assert net(silent).findings() == ()


def test_a_name_that_is_delegated_further_is_not_compared_with_a_resolver() -> None:
    further = all_say("_dmarc.contoso.com", "TXT", referral("_dmarc.contoso.com", "ns.v.example"))
    quiet(rules.RESOLVER_DIFFERS, net(further, asking()).findings())


def test_an_answer_of_nine_servers_names_five() -> None:
    names = MANY[:9]
    made = net(delegated(*names))
    for number, name in enumerate(names):
        address = f"192.31.{196 + number % 2}.{100 + number}"
        named(name, address)(made)
        made.servers[address] = dict(made.servers[FIRST])
    made.servers["192.31.196.100"]["contoso.com", "MX"] = said(Exchange(0, "mx.old.example"))
    found = fires(rules.MX_ELSEWHERE, made.findings())
    assert "and 3 more: 0 mx.contoso.com" in found.evidence[-1] + found.evidence[0]


def shown(made: Net, title: str) -> tuple[tuple[str, ...], ...]:
    fact = draw(made.survey())[title]
    return (
        fact.rows if isinstance(fact, Table) else tuple((line,) for line in str(fact).split("\\n"))
    )


def test_the_facts_show_every_server_and_every_answer() -> None:
    made = net(
        GLUED,
        AT_HOME,
        asking(),
        says(SECOND, "contoso.com", "MX", Said(Code.NOERROR, authoritative=True)),
        says(SECOND, "contoso.com", "TXT", REFUSED),
        all_say(BELOW, "TXT", said(text("v=spf1 -all"))),
    )
    rows = shown(made, "name servers")
    assert [row[4:7] for row in rows] == [
        ("same", "same", "same"),
        ("lacks it", "no answer", "same"),
    ]
    assert shown(made, "glue") == (
        ("ns1.contoso.com", FIRST, FIRST),
        ("ns2.contoso.com", SECOND, SECOND),
    )
    answers = shown(made, "answers")
    assert ("MX", "contoso.com", "1 of 2", "0 mx.contoso.com", "3600 s") in answers
    assert ("MX", "contoso.com", "1 of 2", "nothing", "-") in answers
    assert ("MX", "contoso.com", "resolver 192.52.193.9", "0 mx.contoso.com", "-") in answers
    assert any("wildcard TXT: v=spf1 -all" in line for (line,) in shown(made, "zone"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (gone(ABOVE), "delegated by com, whose servers do not answer us"),
        (only(ABOVE, REFUSED), "have the zone themselves, or do not tell"),
        (resolver("com", "NS", Answer()), "delegated by unknown, whose servers are not known"),
        (delegated(*MANY), "and 1 that were not asked"),
    ],
)
def test_the_facts_say_how_the_delegation_is_known(change: Change, words: str) -> None:
    assert words in str(draw(net(change).survey())["zone"])


def test_nothing_is_judged_without_a_zone() -> None:
    made = net()
    made.resolver = {}
    assert made.survey().zone is None
    assert made.findings() == ()
    assert list(draw(made.survey())) == ["zone"]
