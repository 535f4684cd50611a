"""Each rule about DANE fires, and keeps quiet where it must."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.domain import dane_rules as rules
from agent.domain.dane_lint_zone import bogus
from agent.domain.dane_picture import Intent
from agent.domain.dane_report import EXCHANGES, SIGNATURE_EXPIRY, SIGNED, draw_facts, measure
from agent.domain.dane_survey import Controls, Validation
from agent.domain.direct import Code
from agent.domain.fact import Table
from agent.domain.finding import Finding, Rule
from agent.domain.lookup import Answer, Exchange
from agent.domain.mta_sts_terms import Mode, Policy
from proof import Proves, fires, named, quiet
from servers.dane_case import (
    ABOVE,
    AT,
    CHAIN,
    DAY,
    DNS,
    FIT,
    LEAF,
    MOVING,
    MX,
    NEW,
    NEXT,
    OF_AUTHORITY,
    OLD,
    OTHER,
    OWN,
    PLACE,
    SERVFAIL,
    SILENT,
    Case,
    D,
    look,
    sight,
    signature,
)

GOOD = Case()
RENEWED = GOOD.but(dns=f"{MX}{AT} TLSA {FIT}", sights=sight((OTHER, ABOVE)))
SECOND = f"{D} MX 20 mx2.{D}\nmx2.{D} A {PLACE}\n"
HOUR = timedelta(hours=1)
LATE = signature(-HOUR)
LONG_AGO = signature(-3 * HOUR, ttl=7200)
MX_FAILS = GOOD.but(replies={(D, "MX"): SERVFAIL})
REQUIRED = Intent(required=True)
KEY = "257 3 13 " + "A" * 86 + "=="
NEW_FIRST = f"{D} MX 0 {NEW}\n{D} MX 10 {OLD}\n{MOVING}"
OLD_FIRST = f"{D} MX 0 {OLD}\n{D} MX 20 {NEW}\n{MOVING}"
ENFORCED = Policy(Mode.ENFORCE, (OLD, NEW), 604800)
CNAME = Answer((FIT,), aliases=("tlsa.example",), authentic=True)
ALONE = sight(CHAIN, days=5)


def of_authority(**more: object) -> Case:
    return GOOD.but(dns=f"{MX}{AT} TLSA {OF_AUTHORITY}", **more)


CASES = [
    # signatures
    (
        fires,
        rules.SIGNATURE_EXPIRED,
        "a resolver refuses it",
        MX_FAILS.but(looks={(D, "MX"): look(LATE, is_refused=True)}),
    ),
    (
        fires,
        rules.SIGNATURE_EXPIRED,
        "longer than any cache keeps it",
        GOOD.but(looks={(OWN, "A"): look(LONG_AGO)}),
    ),
    (
        quiet,
        rules.SIGNATURE_EXPIRED,
        "perhaps out of a cache",
        GOOD.but(looks={(D, "MX"): look(signature(-HOUR, ttl=7200))}),
    ),
    (
        quiet,
        rules.SIGNATURE_EXPIRED,
        "another one is valid",
        GOOD.but(looks={(D, "MX"): look(LONG_AGO, signature(5 * DAY))}),
    ),
    (
        quiet,
        rules.SIGNATURE_EXPIRED,
        "by our clock the root has expired too",
        GOOD.but(looks={(D, "MX"): look(LONG_AGO)}, root=look(LATE)),
    ),
    (
        fires,
        rules.CLOCK_IN_DOUBT,
        "by our clock the root has expired too",
        GOOD.but(looks={(D, "MX"): look(LONG_AGO)}, root=look(LATE)),
    ),
    (
        fires,
        rules.CLOCK_IN_DOUBT,
        "by our clock the root is not signed yet",
        GOOD.but(looks={(D, "MX"): look(LONG_AGO)}, root=look(signature(60 * DAY))),
    ),
    (
        quiet,
        rules.SIGNATURE_ENDS,
        "by our clock the root has expired too",
        GOOD.but(looks={(D, "MX"): look(signature(DAY))}, root=look(LATE)),
    ),
    (
        quiet,
        rules.CLOCK_IN_DOUBT,
        "the root is valid",
        GOOD.but(looks={(D, "MX"): look(LONG_AGO)}, root=look(signature(9 * DAY))),
    ),
    (
        fires,
        rules.SIGNATURE_EXPIRED,
        "the root is valid",
        GOOD.but(looks={(D, "MX"): look(LONG_AGO)}, root=look(signature(9 * DAY))),
    ),
    (quiet, rules.SIGNATURE_EXPIRED, "valid", GOOD.but(looks={(D, "MX"): look(signature(DAY))})),
    (
        fires,
        rules.BOGUS,
        "signatures hold",
        MX_FAILS.but(looks={(D, "MX"): look(signature(5 * DAY), is_refused=True)}),
    ),
    (
        fires,
        rules.BOGUS,
        "the TLSA name exists for nobody who validates",
        GOOD.but(
            replies={(AT, "TLSA"): SERVFAIL},
            looks={(AT, "TLSA"): look(is_refused=True, code=Code.NXDOMAIN)},
        ),
    ),
    (
        quiet,
        rules.BOGUS,
        "the failure has passed",
        MX_FAILS.but(looks={(D, "MX"): look(signature(5 * DAY))}),
    ),
    (
        quiet,
        rules.BOGUS,
        "it fails without validation as well",
        MX_FAILS.but(looks={(D, "MX"): look(is_refused=True, code=Code.SERVFAIL)}),
    ),
    (
        quiet,
        rules.BOGUS,
        "the resolver vouches for nothing",
        MX_FAILS.but(looks={(D, "MX"): look(is_refused=True)}, control=Answer(("x",))),
    ),
    (
        fires,
        rules.SIGNATURE_ENDS,
        "within three days",
        GOOD.but(looks={(D, "MX"): look(signature(2 * DAY))}),
    ),
    (
        quiet,
        rules.SIGNATURE_ENDS,
        "a week is left",
        GOOD.but(looks={(D, "MX"): look(signature(7 * DAY))}),
    ),
    (
        quiet,
        rules.SIGNATURE_ENDS,
        "signed anew with each answer",
        GOOD.but(looks={(D, "MX"): look(signature(DAY, life=2 * DAY))}),
    ),
    (quiet, rules.SIGNATURE_ENDS, "no signature came along", GOOD.but(looks={(D, "MX"): look()})),
    # certificates
    (fires, rules.MISMATCH, "the key was renewed", RENEWED),
    (
        fires,
        rules.MISMATCH,
        "the next exchange was not seen",
        RENEWED.but(dns=f"{RENEWED.dns}\n{SECOND}_25._tcp.mx2.{D} TLSA {FIT}"),
    ),
    (
        fires,
        rules.MISMATCH,
        "DANE of a domain that is not signed",
        RENEWED.but(unsigned=(D,)).but(
            replies={
                (AT, "TLSA"): Answer((FIT,), authentic=True),
                (OWN, "A"): Answer((ip_address(PLACE),), authentic=True),
            }
        ),
    ),
    (
        fires,
        rules.MISMATCH,
        "the authority's certificate for another name",
        of_authority(sights=sight(CHAIN, names=("mail.example",))),
    ),
    (
        fires,
        rules.MISMATCH,
        "the authority's certificate without a name",
        of_authority(sights=sight(CHAIN, names=())),
    ),
    (
        fires,
        rules.MISMATCH,
        "the authority's certificate expired",
        of_authority(sights=sight(CHAIN, days=-1)),
    ),
    (fires, rules.MISMATCH, "the authority was not sent", of_authority(sights=sight((LEAF,)))),
    (quiet, rules.MISMATCH, "the authority is in the chain", of_authority()),
    (
        quiet,
        rules.MISMATCH,
        "a name of the domain is enough",
        of_authority(sights=sight(CHAIN, names=(D,))),
    ),
    (quiet, rules.MISMATCH, "fits", GOOD),
    (
        quiet,
        rules.MISMATCH,
        "neither name nor date count for the key itself",
        GOOD.but(sights=sight(CHAIN, names=(), days=-1)),
    ),
    (quiet, rules.MISMATCH, "not seen", RENEWED.but(sights={})),
    (quiet, rules.MISMATCH, "the exchange is not signed", RENEWED.but(unsigned=(D,))),
    (quiet, rules.MISMATCH, "the resolver is not trusted", RENEWED.but(is_believed=False)),
    (
        quiet,
        rules.MISMATCH,
        "another exchange takes it",
        RENEWED.but(dns=f"{RENEWED.dns}\n{SECOND}"),
    ),
    (
        fires,
        rules.PARTLY_MISMATCH,
        "another exchange takes it",
        RENEWED.but(dns=f"{RENEWED.dns}\n{SECOND}"),
    ),
    (
        fires,
        rules.PARTLY_MISMATCH,
        "at one of two addresses",
        GOOD.but(dns=f"{MX}{AT} TLSA {FIT}", sights=sight(CHAIN, (OTHER, ABOVE))),
    ),
    (
        quiet,
        rules.PARTLY_MISMATCH,
        "both keys have a record",
        GOOD.but(sights=sight(CHAIN, (OTHER,))),
    ),
    (quiet, rules.PARTLY_MISMATCH, "at all", RENEWED),
    # records
    (fires, rules.UNUSABLE, "usage 1", GOOD.but(dns=f"{MX}{AT} TLSA 1{FIT[1:]}")),
    (fires, rules.UNUSABLE, "too short", GOOD.but(dns=f"{MX}{AT} TLSA {FIT[:-2]}")),
    (quiet, rules.UNUSABLE, "one can be used", GOOD.but(dns=f"{DNS}\n{AT} TLSA 0{FIT[1:]}")),
    (fires, rules.UNUSABLE, "shorter than a record", GOOD.but(dns=f"{MX}{AT} TLSA 3 1")),
    (fires, rules.RECORD_UNUSABLE, "one that cannot be read", GOOD.but(dns=f"{DNS}\n{AT} TLSA 3")),
    (fires, rules.RECORD_UNUSABLE, "one of three", GOOD.but(dns=f"{DNS}\n{AT} TLSA 0{FIT[1:]}")),
    (quiet, rules.RECORD_UNUSABLE, "all", GOOD.but(dns=f"{MX}{AT} TLSA 1{FIT[1:]}")),
    (quiet, rules.RECORD_UNUSABLE, "none", GOOD),
    (
        fires,
        rules.ALIAS,
        "leads to no record",
        GOOD.but(replies={(AT, "TLSA"): replace(CNAME, records=())}),
    ),
    (quiet, rules.ALIAS, "leads to records", GOOD.but(replies={(AT, "TLSA"): CNAME})),
    (quiet, rules.ALIAS, "no record, and no alias", GOOD.but(dns=MX)),
    # who vouches
    (fires, rules.DOMAIN_INSECURE, "MX is not signed", GOOD.but(unsigned=(D,))),
    (quiet, rules.DOMAIN_INSECURE, "signed", GOOD),
    (quiet, rules.DOMAIN_INSECURE, "nobody wants DANE", GOOD.but(dns=MX, unsigned=(D,))),
    (
        quiet,
        rules.DOMAIN_INSECURE,
        "the resolver does not validate",
        GOOD.but(unsigned=(D,), control=Answer()),
    ),
    (fires, rules.EXCHANGE_INSECURE, "its zone", GOOD.but(unsigned=(OWN, AT))),
    (fires, rules.EXCHANGE_INSECURE, "the records alone", GOOD.but(unsigned=(AT,))),
    (
        fires,
        rules.EXCHANGE_INSECURE,
        "the zone that an alias leads to",
        GOOD.but(replies={(AT, "TLSA"): replace(CNAME, authentic=False)}),
    ),
    (
        fires,
        rules.EXCHANGE_INSECURE,
        "a provider's, of a domain without DNSSEC",
        Case(
            f"{D} MX 0 mx.p.example\nmx.p.example A {PLACE}\n_25._tcp.mx.p.example TLSA {FIT}",
            unsigned=(D, "p.example"),
        ),
    ),
    (quiet, rules.EXCHANGE_INSECURE, "told of the domain already", GOOD.but(unsigned=(D,))),
    (quiet, rules.EXCHANGE_INSECURE, "signed", GOOD),
    (quiet, rules.EXCHANGE_INSECURE, "without records", GOOD.but(dns=MX, unsigned=(OWN,))),
    (fires, rules.PARTLY, "a second exchange without", GOOD.but(dns=f"{DNS}\n{SECOND}")),
    (quiet, rules.PARTLY, "both", GOOD.but(dns=f"{DNS}\n{SECOND}_25._tcp.mx2.{D} TLSA {FIT}")),
    (quiet, rules.PARTLY, "neither", GOOD.but(dns=f"{MX}{SECOND}")),
    (
        quiet,
        rules.PARTLY,
        "the second did not answer",
        GOOD.but(dns=f"{DNS}\n{SECOND}", replies={(f"_25._tcp.mx2.{D}", "TLSA"): SILENT}),
    ),
    # renewal
    (
        fires,
        rules.ROLLOVER,
        "days before its end",
        GOOD.but(dns=f"{MX}{AT} TLSA {FIT}", sights=ALONE),
    ),
    (quiet, rules.ROLLOVER, "a second record waits", GOOD.but(sights=ALONE)),
    (quiet, rules.ROLLOVER, "weeks before", GOOD.but(dns=f"{MX}{AT} TLSA {FIT}")),
    (quiet, rules.ROLLOVER, "an authority's record stays", of_authority(sights=ALONE)),
    (quiet, rules.ROLLOVER, "it fits no longer", RENEWED),
    # intent
    (fires, rules.REQUIRED, "nothing is there", Case(MX, unsigned=(D,), intent=REQUIRED)),
    (fires, rules.REQUIRED, "no records", Case(MX, intent=REQUIRED)),
    (fires, rules.REQUIRED, "usage 0", Case(f"{MX}{AT} TLSA 0{FIT[1:]}", intent=REQUIRED)),
    (
        fires,
        rules.REQUIRED,
        "the exchange is not signed",
        GOOD.but(unsigned=(OWN, AT), intent=REQUIRED),
    ),
    (quiet, rules.REQUIRED, "not required", Case(MX)),
    (quiet, rules.REQUIRED, "in force", GOOD.but(intent=REQUIRED)),
    (quiet, rules.REQUIRED, "MX unanswered", MX_FAILS.but(intent=REQUIRED)),
    (quiet, rules.REQUIRED, "no mail", Case(f"{D} MX 0 .", intent=REQUIRED)),
    (
        quiet,
        rules.REQUIRED,
        "the resolver is not trusted",
        Case(MX, intent=REQUIRED, is_believed=False),
    ),
    (fires, rules.NOT_TRUSTED, "on another machine", GOOD.but(is_believed=False)),
    (fires, rules.NOT_TRUSTED, "does not validate", GOOD.but(control=Answer(("x",)))),
    (fires, rules.NOT_TRUSTED, "the control is silent", GOOD.but(control=SILENT)),
    (fires, rules.NOT_TRUSTED, "required", Case(MX, intent=REQUIRED, is_believed=False)),
    (quiet, rules.NOT_TRUSTED, "trusted", GOOD),
    (quiet, rules.NOT_TRUSTED, "nobody wants DANE", Case(MX, is_believed=False)),
    # the move to mx.microsoft
    (fires, rules.OLD_EXCHANGE, "the new one is preferred", Case(NEW_FIRST)),
    (quiet, rules.OLD_EXCHANGE, "the new one is not", Case(OLD_FIRST)),
    (quiet, rules.OLD_EXCHANGE, "the new one alone", Case(f"{D} MX 0 {NEW}\n{MOVING}")),
    (fires, rules.NOT_PREFERRED, "the old one is first", Case(OLD_FIRST)),
    (fires, rules.NOT_PREFERRED, "both are equal", Case(OLD_FIRST.replace("20", "0"))),
    (quiet, rules.NOT_PREFERRED, "the new one is first", Case(NEW_FIRST)),
    (fires, rules.STS_ENFORCED, "while both are there", Case(OLD_FIRST, policy=ENFORCED)),
    (
        quiet,
        rules.STS_ENFORCED,
        "in testing",
        Case(OLD_FIRST, policy=replace(ENFORCED, mode=Mode.TESTING)),
    ),
    (quiet, rules.STS_ENFORCED, "no policy", Case(OLD_FIRST)),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_a_rule(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


def found(case: Case, rule: Rule) -> Finding:
    return fires(rule, case.findings())


def test_a_sound_domain_and_one_that_wants_nothing_have_no_findings() -> None:
    assert GOOD.findings() == ()
    assert Case(MX, unsigned=(D,), sights={}).findings() == ()
    assert Case(f"{D} MX 0 {OLD}\n{OLD} A {PLACE}", unsigned=(OLD,)).findings() == ()


def test_a_mismatch_says_what_to_publish() -> None:
    finding = found(RENEWED, rules.MISMATCH)
    assert finding.detail == f"{OWN} [{PLACE}] fits none of 1 TLSA record."
    assert finding.fix == f"{AT}. 3600 IN TLSA {NEXT}"
    assert finding.evidence == (f"published: {FIT}", f"shown: {NEXT}")


def test_the_records_of_microsoft_are_not_for_the_customer_to_publish() -> None:
    seen = {NEW: sight((OTHER,))[OWN]}
    finding = found(Case(f"{D} MX 0 {NEW}\n{MOVING}", sights=seen), rules.MISMATCH)
    assert finding.fix == ""
    near = {NEW: sight(CHAIN, days=2)[OWN]}
    quiet(rules.ROLLOVER, Case(f"{D} MX 0 {NEW}\n{MOVING}", sights=near).findings())


def test_why_an_authority_is_not_enough_is_told() -> None:
    finding = found(of_authority(sights=sight(CHAIN, names=("x.example",))), rules.MISMATCH)
    assert finding.detail.endswith("fits none of 1 TLSA record; the certificate is for x.example.")


def test_the_missing_link_is_named_and_can_be_published() -> None:
    unsigned = GOOD.but(unsigned=(D,))
    assert found(unsigned, rules.DOMAIN_INSECURE).evidence == (f"{D} has no keys (DNSKEY)",)
    keys = {(D, "DNSKEY"): Answer((KEY, KEY.replace("257", "256"), "x"))}
    half = found(unsigned.but(replies=keys), rules.DOMAIN_INSECURE)
    assert half.evidence == (f"{D} has keys (DNSKEY), and its parent has no DS record for them",)
    assert half.fix.startswith(f"{D}. 3600 IN DS ")
    both = keys | {(D, "DS"): Answer(("1 13 2 AA",))}
    whole = found(unsigned.but(replies=both), rules.DOMAIN_INSECURE)
    assert whole.evidence == (f"{D} has keys (DNSKEY), and its parent has a DS record",)
    assert whole.fix == ""
    silent = {(D, "DNSKEY"): SILENT}
    assert found(unsigned.but(replies=silent), rules.DOMAIN_INSECURE).evidence == ()
    several = {(D, "DNSKEY"): Answer((KEY, KEY.replace("13 A", "13 B")))}
    assert found(unsigned.but(replies=several), rules.DOMAIN_INSECURE).fix == ""


def test_required_says_the_next_step_with_exchange_online() -> None:
    classic = Case(f"{D} MX 0 {OLD}\n{OLD} A {PLACE}", unsigned=(OLD,), intent=REQUIRED)
    assert found(classic, rules.REQUIRED).fix == f"Enable-DnssecForVerifiedDomain -DomainName {D}"
    moved = Case(f"{D} MX 0 {NEW}\n{NEW} A {PLACE}", intent=REQUIRED)
    assert found(moved, rules.REQUIRED).fix == f"Enable-SmtpDaneInbound -DomainName {D}"
    assert found(Case(MX, intent=REQUIRED), rules.REQUIRED).fix == ""


@pytest.mark.parametrize(
    ("control", "bogus_reply", "is_believed", "validation"),
    [
        (Answer(authentic=True), SERVFAIL, True, Validation.PROVEN),
        (Answer(authentic=True), Answer(), True, Validation.LENIENT),
        (Answer(authentic=True), SILENT, True, Validation.UNTOLD),
        (Answer(), SERVFAIL, True, Validation.ABSENT),
        (SILENT, SERVFAIL, True, Validation.UNTOLD),
        (Answer(authentic=True), SERVFAIL, False, Validation.NOT_BELIEVED),
    ],
)
def test_the_resolver_is_tested_with_names_whose_answer_is_known(
    control: Answer, bogus_reply: Answer, *, is_believed: bool, validation: Validation
) -> None:
    case = GOOD.but(
        controls=Controls("signed.example", "bogus.example"),
        control=control,
        replies={("bogus.example", "A"): bogus_reply},
        is_believed=is_believed,
    )
    assert case.picture().survey.validation is validation
    proves = quiet if validation is Validation.PROVEN else fires
    proves(rules.NOT_TRUSTED, case.findings())


def test_nothing_is_bogus_where_the_resolver_proves_nothing() -> None:
    case = MX_FAILS.but(looks={(D, "MX"): look(is_refused=True)})
    assert bogus(case.picture()) == {(D, "MX")}
    assert not bogus(case.but(control=SILENT).picture())


def test_signatures_are_looked_at_where_the_resolver_vouches_or_cannot() -> None:
    signed = {(D, "MX"), (OWN, "A"), (AT, "TLSA")}
    assert {*GOOD.picture().survey.signed} == signed
    assert {*GOOD.but(unsigned=(D,), control=Answer()).picture().survey.signed} == signed
    assert not Case(MX, unsigned=(D,)).picture().survey.signed
    assert MX_FAILS.picture().survey.failed == ((D, "MX"),)


def test_an_alias_is_followed_to_the_host_it_leads_to() -> None:
    address = Case().zone()[OWN, "A"]
    assert isinstance(address, Answer)
    replies = {(OWN, "A"): replace(address, aliases=("host.example",))}
    at_target = DNS.replace(AT, "_25._tcp.host.example")
    assert Case(at_target, replies=replies).picture().survey.hosts[0].name.endswith("host.example")
    assert Case(DNS, replies=replies).picture().survey.hosts[0].name == AT


def test_a_name_that_is_too_long_for_a_record_has_none() -> None:
    long = ".".join(["a" * 61] * 4)
    mx = {(D, "MX"): Answer((Exchange(0, long),), authentic=True)}
    (host,) = Case(f"{long} A {PLACE}", replies=mx).picture().survey.hosts
    assert (host.name, host.records) == ("", ())


def test_what_is_measured() -> None:
    until = signature(5 * DAY)
    case = GOOD.but(looks={(D, "MX"): look(until), (OWN, "A"): look(signature(9 * DAY))})
    told = {(each.signal, *each.labels): each.value for each in measure(case.picture())}
    assert told[SIGNED,] == 1
    assert told[SIGNATURE_EXPIRY,] == until.expiration.timestamp()
    assert {key[1] for key, value in told.items() if key[0] is EXCHANGES and value} == {"fitting"}
    unproven = [each.signal for each in measure(GOOD.but(control=Answer()).picture())]
    assert SIGNED not in unproven
    assert list(measure(MX_FAILS.picture())) == []


def table(case: Case, title: str) -> tuple[tuple[str, ...], ...]:
    fact = draw_facts(case.picture())[title]
    assert isinstance(fact, Table)
    return fact.rows


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (GOOD, ("signed", "2, signed", "fits", "ready")),
        (RENEWED, ("signed", "1, signed", "fits none", "-")),
        (
            GOOD.but(dns=f"{MX}{AT} TLSA {FIT}"),
            (
                "signed",
                "1, signed",
                "fits",
                "not prepared: publish its record before the key is used",
            ),
        ),
        (
            GOOD.but(unsigned=(D,), sights={}),
            ("not signed", "2", "not looked at: nobody vouches for the records", "-"),
        ),
        (
            GOOD.but(replies={(AT, "TLSA"): SILENT}),
            ("signed", "no answer: timeout", "not known", "-"),
        ),
        (Case(MX), ("signed", "none", "-", "-")),
    ],
)
def test_how_each_exchange_stands_is_shown(case: Case, told: tuple[str, ...]) -> None:
    assert table(case, "exchanges") == ((OWN, "10", *told),)


def test_the_meaning_and_the_judgement_of_each_record_are_shown() -> None:
    exact = f"3 0 2 {LEAF[32:96].hex()}"
    long = f"3 1 2 {LEAF[128:].hex()}"
    lines = [FIT, NEXT, exact, long, OF_AUTHORITY, f"0{FIT[1:]}"]
    case = Case(MX + "".join(f"{AT} TLSA {each}\n" for each in lines))
    judged = {row[1].partition(".")[0]: row[3] for row in table(case, "TLSA records")}
    assert list(judged.values()) == [
        "fits",
        "fits nothing seen",
        "fits; 3 1 1 would survive a renewal with the same key",
        "fits; all senders know SHA-256: 3 1 1",
        "fits",
        "usage 0 counts for nothing with SMTP",
    ]
    unseen = table(Case(sights={}), "TLSA records")
    assert [row[3] for row in unseen] == ["-", "-"]


def pairs(case: Case, title: str) -> dict[str, str]:
    return {row[0]: row[1] for row in table(case, title)}


def test_mta_sts_is_shown_beside() -> None:
    sts = f"\n_mta-sts.{D} TXT v=STSv1; id=1"
    for case, begin in (
        (GOOD, "none"),
        (Case(DNS + sts), "also announced"),
        (Case(DNS + sts, unsigned=(D,)), "announced: it alone"),
    ):
        assert pairs(case, "DNSSEC")["MTA-STS"].startswith(begin)
    assert pairs(MX_FAILS, "DNSSEC")["MX records"] == "no answer: servfail"
    signed = GOOD.but(looks={(D, "MX"): look(signature(DAY)), (OWN, "A"): look()})
    assert pairs(signed, "DNSSEC")[f"MX {D}"].startswith("signed until ")


@pytest.mark.parametrize(
    ("case", "states"),
    [
        (Case(OLD_FIRST), "done done done open open done"),
        (Case(NEW_FIRST), "done done done done open done"),
        (Case(f"{D} MX 0 {NEW}\n{MOVING}", unsigned=(D,)), "open done done done done done"),
        (Case(f"{D} MX 0 {NEW}\n{NEW} A {PLACE}"), "done done done done done open"),
    ],
)
def test_the_steps_of_microsoft_are_shown_in_their_order(case: Case, states: str) -> None:
    rows = table(case, "Microsoft's steps")
    assert [row[1] for row in rows] == states.split()
    steps = table(Case(OLD_FIRST, is_believed=False), "Microsoft's steps")
    assert steps[0][1] == "not known here"
