"""Does each rule about the records that Microsoft asks for fire where it should, and only there?"""

from dataclasses import replace

import pytest

from agent.domain.finding import Rule
from agent.domain.tenancy import hygiene_rules_domains as rules
from agent.domain.tenancy.objects import DnsRecord
from proof import Proves, fires, named, quiet
from servers.hygiene_case import AT_FILTER, CONTOSO, FROM_HOME, TO_HOME, Case

TOKEN = "contoso-example"
MX = DnsRecord(
    name=CONTOSO, record_type="Mx", target=f"{TOKEN}.mail.protection.outlook.com", preference=0,
    service="Email",
)  # fmt: skip
NAME = f"autodiscover.{CONTOSO}"
STRANGE = "x.mail.protection.outlook.com"
OUTLOOK = "autodiscover.outlook.com"
ALIAS = DnsRecord(name=NAME, record_type="CName", target=OUTLOOK, service="Email")
INCLUDE = "include:spf.protection.outlook.com"
SPF = DnsRecord(
    name=CONTOSO, record_type="Txt", text="v=spf1 include: spf.protection.outlook.com ~all",
    service="Email",
)  # fmt: skip
OPTIONAL = replace(ALIAS, is_optional=True)
PHONE = replace(ALIAS, name=f"sip.{CONTOSO}", service="OfficeCommunicationsOnline")


def at(*hosts: str, record: DnsRecord = MX) -> Case:
    return Case(records=(record,), mx={CONTOSO: " ".join(hosts)})


def aliased(steps: str | None, record: DnsRecord = ALIAS, topology: str = "custom") -> Case:
    aliases = {} if steps is None else {record.name: steps}
    return Case(records=(record,), aliases=aliases, topologies={CONTOSO: topology})


def saying(text: str | None, topology: str = "custom") -> Case:
    texts = {} if text is None else {CONTOSO: text}
    return Case(records=(SPF,), texts=texts, topologies={CONTOSO: topology})


def wanting(text: str) -> Case:
    return replace(saying(""), records=(replace(SPF, text=text),))


AT_HOME = replace(aliased(""), inbound=(FROM_HOME,), outbound=(TO_HOME,))
INITIAL = Case(
    records=(replace(MX, name="contoso.onmicrosoft.com"),),
    mx={"contoso.onmicrosoft.com": "contoso.mail.protection.outlook.com"},
)
CASES = [
    (fires, rules.MX_NOT_OWN, "of another", at("fabrikam-com.mail.protection.outlook.com")),
    (fires, rules.MX_NOT_OWN, "of another, new", at("fabrikam-com.e-v1.mx.microsoft")),
    (quiet, rules.MX_NOT_OWN, "its own", at(MX.target)),
    (quiet, rules.MX_NOT_OWN, "its own, new", at(f"{TOKEN}.e-v1.mx.microsoft")),
    (quiet, rules.MX_NOT_OWN, "its own beside another", at(STRANGE, MX.target)),
    (quiet, rules.MX_NOT_OWN, "a filter", at(AT_FILTER)),
    (quiet, rules.MX_NOT_OWN, "not the tenant's to publish", INITIAL),
    (quiet, rules.MX_NOT_OWN, "no answer", Case(records=(MX,))),
    (quiet, rules.MX_NOT_OWN, "no target", at(STRANGE, record=replace(MX, target=""))),
    (fires, rules.RECORD_DIFFERS, "elsewhere", aliased("mail.fabrikam.com")),
    (fires, rules.RECORD_DIFFERS, "no alias", aliased("")),
    (quiet, rules.RECORD_DIFFERS, "there", aliased(OUTLOOK)),
    (quiet, rules.RECORD_DIFFERS, "by way of another", aliased(f"a.{CONTOSO} {OUTLOOK}")),
    (quiet, rules.RECORD_DIFFERS, "no answer for it", aliased(None)),
    (quiet, rules.RECORD_DIFFERS, "optional", aliased("", OPTIONAL)),
    (quiet, rules.RECORD_DIFFERS, "not for mail", aliased("", PHONE)),
    (quiet, rules.RECORD_DIFFERS, "own servers", aliased("", topology="on-premises")),
    (quiet, rules.RECORD_DIFFERS, "hybrid", AT_HOME),
    (quiet, rules.RECORD_DIFFERS, "another type", aliased("", replace(ALIAS, record_type="Srv"))),
    (fires, rules.RECORD_DIFFERS, "no SPF", saying("")),
    (fires, rules.RECORD_DIFFERS, "SPF without it", saying("v=spf1 ip4:192.31.196.1 -all")),
    (quiet, rules.RECORD_DIFFERS, "SPF with it", saying(f"v=spf1 mx +{INCLUDE} -all")),
    (quiet, rules.RECORD_DIFFERS, "SPF by another", saying("v=spf1 include:spf.fabrikam.com -all")),
    (quiet, rules.RECORD_DIFFERS, "SPF by macros", saying("v=spf1 exists:%{i}.spf.example -all")),
    (quiet, rules.RECORD_DIFFERS, "SPF handed over", saying("v=spf1 redirect=fabrikam.com")),
    (quiet, rules.RECORD_DIFFERS, "parked", saying("v=spf1 -all", "parked")),
    (quiet, rules.RECORD_DIFFERS, "no answer for TXT", saying(None)),
    (quiet, rules.RECORD_DIFFERS, "a token", wanting("MS=ms1")),
    (quiet, rules.RECORD_DIFFERS, "nothing to include", wanting("v=spf1 -all")),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_the_rule_is_told_from_what_is_near(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.seen())


def test_the_record_to_publish_is_shown() -> None:
    mx = fires(rules.MX_NOT_OWN, at(STRANGE).seen())
    assert mx.fix == f"{CONTOSO}. 3600 IN MX 0 {MX.target}."
    assert mx.detail == f"The MX of {CONTOSO} leads to {STRANGE}."
    alias = fires(rules.RECORD_DIFFERS, aliased("mail.fabrikam.com").seen())
    assert alias.fix == f"{NAME}. 3600 IN CNAME {OUTLOOK}."
    assert alias.detail == f"{NAME} leads to mail.fabrikam.com."
    assert fires(rules.RECORD_DIFFERS, aliased("").seen()).detail == f"{NAME} is no alias."
    policy = fires(rules.RECORD_DIFFERS, saying("").seen())
    assert policy.fix == f'{CONTOSO}. 3600 IN TXT "v=spf1 {INCLUDE} ~all"'
    without = fires(rules.RECORD_DIFFERS, saying("v=spf1 mx -all").seen())
    assert without.detail == f"{CONTOSO} has an SPF record without it: {INCLUDE}."
    assert without.fix == ""
