"""Where Outlook is sent: each rule firing and keeping quiet, and no word on silence."""

from dataclasses import dataclass

import pytest

from agent.domain import autodiscover_rules as rules
from agent.domain.autodiscover import Survey, survey
from agent.domain.autodiscover_lint import (
    Expectation,
    Verdict,
    expect,
    judge,
    judge_other,
    judge_srv,
    lint,
    publish,
    silences,
)
from agent.domain.finding import Finding, Rule
from agent.domain.knowledge.autodiscover_targets import ALL_TARGETS, OTHERS, TARGETS
from agent.domain.knowledge.clouds import CLOUDS
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.lookup import Answer, Reply, Silence, Unanswered, replay
from agent.domain.mx import NO_SUCH_LABEL
from proof import Proves, fires, named, quiet
from servers.spf_zone import zone_of

D = "contoso.com"
NAME = f"autodiscover.{D}"
OWN = f"mail.{D}"
MX = f"{D} MX 0 contoso-com.mail.protection.outlook.com\n{OWN} A 192.31.196.1\n"
GOOD = f"{NAME} CNAME autodiscover.outlook.com\n"
SRV = f"_autodiscover._tcp.{D} SRV 0 0 443"
SILENT = Unanswered(Silence.SERVFAIL)
FREE = "gone.example"
Zone = dict[tuple[str, str], Reply]


@dataclass(frozen=True)
class Case:
    """Records beside MX, what is expected, and replies that take the place of records."""

    records: str = GOOD
    topology: str = "exchange-online"
    senders: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    replies: tuple[tuple[tuple[str, str], Reply], ...] = ()
    mx: str = MX
    allow_cloud: bool = False

    def survey(self) -> Survey:
        zone = zone_of(self.mx + self.records)
        zone.update(_followed(zone))
        zone.update(self.replies)
        return replay(survey(D), zone)

    def expectation(self) -> Expectation:
        return expect(
            self.survey(),
            self.topology,
            self.senders,
            self.expected,
            allow_cloud=self.allow_cloud,
        )

    def verdict(self) -> Verdict:
        return judge(self.survey(), self.expectation())

    def findings(self) -> tuple[Finding, ...]:
        return lint(self.survey(), self.expectation())


def _followed(zone: Zone) -> Zone:
    """Answer questions for addresses at aliases, as a resolver does."""
    found: Zone = {}
    names = {name for name, _ in zone}
    for start, kind in [key for key in zone if key[1] == "CNAME"]:
        chain: list[str] = []
        end, alias = start, zone.get((start, kind))
        while isinstance(alias, Answer):
            end = str(alias.records[0])
            chain.append(end)
            alias = zone.get((end, "CNAME"))
        for wanted in ("A", "AAAA"):
            told = zone.get((end, wanted), Answer())
            records = told.records if isinstance(told, Answer) else ()
            found[start, wanted] = Answer(records, end in names, tuple(chain))
    return found


def alias(target: str, more: str = "") -> str:
    return f"{NAME} CNAME {target}\n{more}"


def silent(*keys: tuple[str, str]) -> tuple[tuple[tuple[str, str], Reply], ...]:
    return tuple((key, SILENT) for key in keys)


HYBRID = "hybrid"
LEADS_OWN = alias(OWN)
EXISTS = (((FREE, "SOA"), Answer()),)
WILD = f"{NO_SUCH_LABEL}.{D} A 192.31.196.9\n{NAME} A 192.31.196.9\n"
WILD_ALIAS = f"{NO_SUCH_LABEL}.{D} CNAME {OWN}\nmsoid.{D} CNAME {OWN}\n{GOOD}"
MSOID = f"{GOOD}msoid.{D} CNAME clientconfig.microsoftonline-p.net\n"
MSOID_SILENT = silent((f"msoid.{D}", "CNAME"))

CASES = [
    (fires, rules.MISSING, "nothing", Case("")),
    (fires, rules.MISSING, "a hybrid", Case("", HYBRID)),
    (fires, rules.MISSING, "as configured", Case("", "custom", expected=(OWN,))),
    (fires, rules.MISSING, "SRV elsewhere", Case(f"{SRV} {OWN}.\n")),
    (fires, rules.MISSING, "SRV to nobody", Case(f"{SRV} .\n", HYBRID)),
    (fires, rules.MISSING, "an SRV record that is none", Case(f"{SRV}\n", HYBRID)),
    (quiet, rules.MISSING, "there", Case()),
    (quiet, rules.MISSING, "an SRV record to the same", Case(f"{SRV} autodiscover.outlook.com.\n")),
    (quiet, rules.MISSING, "a hybrid with SRV", Case(f"{SRV} {OWN}.\n", HYBRID)),
    (quiet, rules.MISSING, "own servers need none", Case("", "on-premises")),
    (quiet, rules.MISSING, "custom", Case("", "custom")),
    (quiet, rules.MISSING, "parked", Case("", "parked")),
    (quiet, rules.MISSING, "null MX", Case("", mx=f"{D} MX 0 .\n")),
    (quiet, rules.MISSING, "no such domain", Case("", mx="")),
    (quiet, rules.MISSING, "CNAME silent", Case("", replies=silent((NAME, "CNAME")))),
    (quiet, rules.MISSING, "A silent", Case("", replies=silent((NAME, "A")))),
    (quiet, rules.MISSING, "MX silent", Case("", replies=silent((D, "MX")))),
    (fires, rules.WRONG_TARGET, "own host", Case(LEADS_OWN)),
    (fires, rules.WRONG_TARGET, "other cloud", Case(alias("autodiscover.office365.us"))),
    (fires, rules.WRONG_TARGET, "by senders", Case(senders=("gcc-high",))),
    (
        fires,
        rules.WRONG_TARGET,
        "by MX",
        Case(mx=f"{D} MX 0 x.mail.protection.partner.outlook.cn\n"),
    ),
    (fires, rules.WRONG_TARGET, "not as configured", Case(expected=("*.contoso.com",))),
    (fires, rules.WRONG_TARGET, "own address", Case(f"{NAME} A 192.31.196.2\n", expected=(OWN,))),
    (quiet, rules.WRONG_TARGET, "filter", Case(topology="third-party-filter")),
    (
        quiet,
        rules.WRONG_TARGET,
        "by way of another",
        Case(
            alias(
                "autodiscover.fabrikam.com", "autodiscover.fabrikam.com CNAME " + "x.example\n"
            ).replace("x.example", "autodiscover.outlook.com")
        ),
    ),
    (quiet, rules.WRONG_TARGET, "as configured", Case(LEADS_OWN, expected=("*.contoso.com",))),
    (
        quiet,
        rules.WRONG_TARGET,
        "own address as configured",
        Case(f"{NAME} A 192.31.196.2\n", expected=(NAME,)),
    ),
    (
        quiet,
        rules.WRONG_TARGET,
        "DoD",
        Case(alias("autodiscover-dod.office365.us"), senders=("gcc-high",)),
    ),
    (quiet, rules.WRONG_TARGET, "custom", Case(LEADS_OWN, "custom")),
    (fires, rules.ADDRESS, "A", Case(f"{NAME} A 192.31.196.2\n")),
    (
        fires,
        rules.ADDRESS,
        "AAAA of a wildcard",
        Case(WILD.replace(" A 192.31.196.9", " AAAA 2001:db8::9")),
    ),
    (quiet, rules.ADDRESS, "own servers", Case(f"{NAME} A 192.31.196.2\n", HYBRID)),
    (quiet, rules.ADDRESS, "an alias", Case(LEADS_OWN)),
    (fires, rules.SKIPS_OWN_SERVERS, "hybrid", Case(topology=HYBRID)),
    (fires, rules.SKIPS_OWN_SERVERS, "on-premises", Case(topology="on-premises")),
    (quiet, rules.SKIPS_OWN_SERVERS, "allowed", Case(topology=HYBRID, allow_cloud=True)),
    (quiet, rules.SKIPS_OWN_SERVERS, "own", Case(LEADS_OWN, HYBRID)),
    (quiet, rules.SKIPS_OWN_SERVERS, "own address", Case(f"{NAME} A 192.31.196.2\n", HYBRID)),
    (
        quiet,
        rules.SKIPS_OWN_SERVERS,
        "as configured",
        Case(topology=HYBRID, expected=("autodiscover.outlook.com",)),
    ),
    (fires, rules.DANGLING, "no such host", Case(alias(f"old.{D}"))),
    (fires, rules.DANGLING, "registered", Case(alias(f"x.{FREE}"), replies=EXISTS)),
    (fires, rules.DANGLING, "unsure", Case(alias(f"x.{FREE}"), replies=silent((FREE, "SOA")))),
    (fires, rules.DANGLING, "no address", Case(alias(f"x.{D}", f"x.{D} TXT x\n"))),
    (fires, rules.DANGLING, "SRV", Case(f"{SRV} old.{D}.\n", HYBRID)),
    (fires, rules.DANGLING, "sip", Case(f"{GOOD}sip.{D} CNAME x.{FREE}\n")),
    (fires, rules.DANGLING, "a suffix", Case(f"{GOOD}sip.{D} CNAME azurewebsites.net\n")),
    (quiet, rules.DANGLING, "sip at work", Case(f"{GOOD}sip.{D} CNAME {OWN}\n")),
    (quiet, rules.DANGLING, "A silent", Case(alias(f"old.{D}"), replies=silent((f"old.{D}", "A")))),
    (quiet, rules.DANGLING, "a host that cannot be", Case(f"{SRV} a_b!c.example.\n", HYBRID)),
    (quiet, rules.DANGLING, "Microsoft's own", Case()),
    (fires, rules.TAKEOVER, "free domain", Case(alias(f"x.{FREE}"))),
    (fires, rules.TAKEOVER, "free name", Case(alias("contoso.azurewebsites.net"), "custom")),
    (fires, rules.TAKEOVER, "SRV", Case(f"{SRV} x.{FREE}.\n", HYBRID)),
    (quiet, rules.TAKEOVER, "registered", Case(alias(f"x.{FREE}"), replies=EXISTS)),
    (quiet, rules.TAKEOVER, "another name", Case(f"{GOOD}sip.{D} CNAME x.{FREE}\n")),
    (fires, rules.SRV_COMPETES, "own", Case(f"{GOOD}{SRV} {OWN}.\n")),
    (quiet, rules.SRV_COMPETES, "hybrid", Case(f"{LEADS_OWN}{SRV} {OWN}.\n", HYBRID)),
    (quiet, rules.SRV_COMPETES, "same", Case(f"{GOOD}{SRV} autodiscover.outlook.com.\n")),
    (quiet, rules.SRV_COMPETES, "silent", Case(replies=silent((f"_autodiscover._tcp.{D}", "SRV")))),
    (fires, rules.MSOID, "left", Case(MSOID.replace("clientconfig.microsoftonline-p.net", OWN))),
    (quiet, rules.MSOID, "none", Case()),
    (quiet, rules.MSOID, "a wildcard", Case(WILD_ALIAS)),
    (quiet, rules.MSOID, "silent", Case(MSOID, replies=MSOID_SILENT)),
    (
        quiet,
        rules.MSOID,
        "21Vianet",
        Case(MSOID.replace("clientconfig.microsoftonline-p.net", OWN), senders=("21vianet",)),
    ),
    (fires, rules.PARKED, "alias", Case(topology="parked")),
    (fires, rules.PARKED, "SRV", Case(f"{SRV} {OWN}.\n", "parked")),
    (quiet, rules.PARKED, "none", Case("", "parked")),
    (quiet, rules.PARKED, "a wildcard", Case(WILD, "parked")),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_rule(proves: Proves, rule: Rule, case: Case) -> None:
    found = case.findings()
    assert all(each.detail.endswith(".") for each in found)
    proves(rule, found)


def test_a_healthy_domain_has_nothing_to_be_found() -> None:
    for case in (Case(), Case(LEADS_OWN, HYBRID), Case("", "parked"), Case("", "on-premises")):
        assert case.findings() == ()


def test_what_is_wrong_comes_with_the_record_to_publish() -> None:
    fix = f"{NAME}. 3600 IN CNAME autodiscover.outlook.com."
    missing = fires(rules.MISSING, Case("").findings())
    assert (missing.detail, missing.fix) == (f"There is no record at {NAME}.", fix)
    host = fires(rules.ADDRESS, Case(WILD).findings())
    assert host.detail == f"{NAME} leads to 192.31.196.9, and not to autodiscover.outlook.com."
    assert host.evidence == (f"A wildcard record of {D} answers, as for every other name.",)
    assert host.fix == fix
    other = fires(rules.WRONG_TARGET, Case(alias("autodiscover.office365.us")).findings())
    assert other.evidence == ("Exchange Online (GCC High and DoD) answers there.",)
    named_host = Case("", expected=("*.fabrikam.com", NAME))
    assert publish(named_host.survey(), named_host.expectation()) == ""
    free = fires(rules.TAKEOVER, Case(alias(f"x.{FREE}")).findings())
    assert free.detail == f"{NAME} leads to x.{FREE}, and {FREE} is free to be taken."
    further = f"x.{D} CNAME y.{FREE}\n"
    led = fires(rules.TAKEOVER, Case(alias(f"x.{D}", further)).findings())
    assert led.evidence == (f"by way of y.{FREE}",)
    gone = fires(rules.DANGLING, Case(alias(f"old.{D}")).findings())
    assert gone.detail == f"{NAME} leads to old.{D}, and old.{D} does not exist."


def test_a_missing_record_names_what_may_answer_where_only_the_operator_knows() -> None:
    hybrid = fires(rules.MISSING, Case("", HYBRID).findings())
    record = f"{NAME}. 3600 IN CNAME"
    assert hybrid.fix == ""
    assert hybrid.evidence == (
        f"as long as there are mailboxes on servers of your own: {record} <your Exchange server>.",
        f"once all of them are in Exchange Online: {record} autodiscover.outlook.com.",
    )
    configured = fires(rules.MISSING, Case("", "custom", expected=("*.fabrikam.com",)).findings())
    assert configured.evidence == ("expected by the configuration: *.fabrikam.com",)
    assert fires(rules.MISSING, Case("").findings()).evidence == ()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (Case("", replies=silent((NAME, "CNAME"))), ((NAME, "servfail"),)),
        (Case("", replies=silent((D, "MX"))), ((f"MX of {D}", "servfail"),)),
        (Case("", replies=silent((NAME, "AAAA"))), ((NAME, "servfail"),)),
        (Case(replies=silent((D, "MX"), (f"sip.{D}", "CNAME"))), ()),
        (Case("", mx=""), ()),
    ],
)
def test_silence_is_told_where_it_leaves_the_verdict_open(
    case: Case, said: tuple[tuple[str, str], ...]
) -> None:
    assert silences(case.survey(), case.expectation()) == said
    assert not [one for one in case.findings() if one.rule is rules.MISSING]


def test_each_name_has_a_verdict() -> None:
    case = Case(f"{MSOID}{SRV} {OWN}.\nsip.{D} CNAME {OWN}\n")
    found, expected = case.survey(), case.expectation()
    assert case.verdict() is Verdict.RIGHT
    assert [judge_srv(one, expected) for one in found.srv] == [Verdict.LEFT_OVER]
    told = {one.name: judge_other(one, expected) for one in found.others}
    assert told[f"sip.{D}"] is Verdict.UNJUDGED
    assert told[f"lyncdiscover.{D}"] is Verdict.ABSENT
    assert len(told) == len(OTHERS)
    assert Case(alias(OWN), "custom").verdict() is Verdict.UNJUDGED
    other = Case(replies=silent((f"sip.{D}", "CNAME")))
    silent_one = next(one for one in other.survey().others if one.name == f"sip.{D}")
    assert judge_other(silent_one, other.expectation()) is Verdict.UNANSWERED


def test_a_domain_as_long_as_a_name_has_no_room_below_it() -> None:
    name = ".".join(["a" * 60] * 4)
    found = replay(survey(name), {})
    assert lint(found, expect(found, "exchange-online")) == ()


def test_every_live_cloud_has_a_target_and_every_topology_an_expectation() -> None:
    assert set(TARGETS) == {name for name, cloud in CLOUDS.items() if not cloud.retired}
    assert all(name == name.lower() for name in ALL_TARGETS)
    for topology in TOPOLOGIES:
        assert expect(Case().survey(), topology).cloud == "exchange-online"
