"""Does each rule about DKIM fire when it should, and keep quiet when it is nearly broken?"""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import dkim_rules as rules
from agent.domain import dkim_rules_keys as keys
from agent.domain.dkim_report import state
from agent.domain.dkim_selectors import Intent, Origin, is_selector, wanted
from agent.domain.dkim_survey import survey
from agent.domain.dkim_terms import Verdict
from agent.domain.finding import Rule
from agent.domain.knowledge.dkim_targets import Target, read_target
from agent.domain.lookup import Answer, Reply, replay
from agent.domain.mx import NO_SUCH_LABEL
from agent.domain.names import MAX_NAME
from agent.domain.tenancy.objects import DkimConfig
from proof import Proves, fires, quiet
from proof import named as table
from servers.dkim_case import (
    ED,
    GOOD,
    MICROSOFT,
    NEW_ZONE,
    NEXT,
    OLD_ZONE,
    SILENT,
    Case,
    D,
    alone,
    at,
    b64,
    ed25519,
    key,
    named,
    rsa,
    spki,
    target,
    text,
)

Replies = Mapping[tuple[str, str], Reply]
PARKED = Intent(sends=False, is_parked=True, senders=())
OWN = Intent(senders=())
NOTHING = Intent(sends=False, senders=())
GOOGLE = Intent(senders=("google-workspace",))
S1, S2 = at("selector1"), at("selector2")
WILD = at(NO_SUCH_LABEL)
CONFIG = DkimConfig(
    domain=D,
    enabled=True,
    selector1_cname=target("selector1", zone=NEW_ZONE),
    selector2_cname=target("selector2", zone=NEW_ZONE),
)
EXPORTED = Intent(config=CONFIG)
FREE = "k1.sender.example"
ONE = spki().replace(bytes.fromhex("0203010001"), bytes.fromhex("0203000001"))  # an exponent
SUB = f"news.{D}"


def two(
    one: Reply, other: Reply, intent: Intent | None = None, more: Replies | None = None
) -> Case:
    return Case({S1: one, S2: other, **(more or {})}, intent or Intent())


def lead(selector: str, *records: str, to: str = "", zone: str = OLD_ZONE) -> Answer:
    return text(*records, via=to or target(selector, zone=zone), exists=bool(records))


FIRST, SECOND = lead("selector1", GOOD), lead("selector2", NEXT)
BLANK = Answer(name_exists=False)
SHOW = f"Get-DkimSigningConfig -Identity '{D}' | Format-List Selector1CNAME,Selector2CNAME"
FOREIGN = "selector2-fabrikam-com._domainkey.fabrikam.onmicrosoft.com"

PLACES: list[tuple[Proves, Rule, str, Case]] = [
    (fires, rules.TAKEOVER, "a free domain", Case({at("s1"): text(via=FREE)}, named("s1"))),
    (fires, rules.TAKEOVER, "a selector of Microsoft's", two(text(via=FREE), SECOND)),
    (
        quiet,
        rules.TAKEOVER,
        "the domain is there",
        Case({at("s1"): text(via=FREE), ("sender.example", "SOA"): text()}, named("s1")),
    ),
    (
        quiet,
        rules.TAKEOVER,
        "no answer",
        Case({at("s1"): text(via=FREE), ("sender.example", "SOA"): SILENT}, named("s1")),
    ),
    (quiet, rules.TAKEOVER, "a tenant", two(lead("selector1"), lead("selector2"))),
    (quiet, rules.TAKEOVER, "at home", Case({at("s1"): text(via=f"x.{D}")}, named("s1"))),
    (quiet, rules.TAKEOVER, "a key is there", Case({at("s1"): text(GOOD, via=FREE)}, named("s1"))),
    (fires, rules.MISSING, "nothing", Case({})),
    (fires, rules.MISSING, "by the export", Case({}, EXPORTED)),
    (
        fires,
        rules.MISSING,
        "a wildcard is no selector",
        two(text("v=DKIM1; p="), text("v=DKIM1; p="), more={WILD: text("v=DKIM1; p=")}),
    ),
    (quiet, rules.MISSING, "both", Case()),
    (quiet, rules.MISSING, "one did not answer", two(SILENT, BLANK)),
    (quiet, rules.MISSING, "other selectors are named", Case({}, Intent(selectors=("s1",)))),
    (quiet, rules.MISSING, "not by Exchange Online", Case({}, OWN)),
    (fires, rules.CNAME_MISSING, "one of two", two(FIRST, BLANK)),
    (quiet, rules.CNAME_MISSING, "both", Case()),
    (quiet, rules.CNAME_MISSING, "no answer", two(FIRST, SILENT)),
    (fires, rules.CNAME_COPIED, "a copy", two(text(GOOD), SECOND)),
    (quiet, rules.CNAME_COPIED, "aliases", two(FIRST, SECOND)),
    (quiet, rules.CNAME_COPIED, "other servers", Case({S1: text(GOOD)}, named("selector1"))),
    (
        fires,
        rules.CNAME_WRONG,
        "no name of Microsoft's",
        two(text(via="x.example", exists=False), SECOND, more={("x.example", "SOA"): text()}),
    ),
    (fires, rules.CNAME_WRONG, "swapped", two(lead("selector2", GOOD), lead("selector1", NEXT))),
    (
        fires,
        rules.CNAME_WRONG,
        "the zone was added",
        two(FIRST, text(via=f"{target('selector2')}.{D}")),
    ),
    (
        fires,
        rules.CNAME_WRONG,
        "not as exported",
        two(lead("selector1"), lead("selector2"), EXPORTED),
    ),
    (quiet, rules.CNAME_WRONG, "old form", two(FIRST, SECOND)),
    (
        quiet,
        rules.CNAME_WRONG,
        "form of 2025",
        two(lead("selector1", GOOD, zone=NEW_ZONE), lead("selector2", zone=NEW_ZONE)),
    ),
    (
        quiet,
        rules.CNAME_WRONG,
        "as exported",
        two(lead("selector1", zone=NEW_ZONE), lead("selector2", zone=NEW_ZONE), EXPORTED),
    ),
    (quiet, rules.CNAME_WRONG, "another form that works", two(FIRST, SECOND, EXPORTED)),
    (
        quiet,
        rules.CNAME_WRONG,
        "by a name of one's own",
        two(text(GOOD, via=f"d.{D} {target('selector1')}"), SECOND),
    ),
    (
        fires,
        rules.CNAME_FOREIGN,
        "another domain",
        two(lead("selector1", GOOD, to=target("selector1", "fabrikam.com")), SECOND),
    ),
    (
        quiet,
        rules.CNAME_FOREIGN,
        "a longer token",
        two(lead("selector1", GOOD, to=target("selector1", "contoso.com0i")), SECOND),
    ),
    (
        quiet,
        rules.CNAME_FOREIGN,
        "as exported",
        Case(
            {S1: lead("selector1", GOOD, to=target("selector1", "other"))},
            Intent(config=replace(CONFIG, selector1_cname=target("selector1", "other"))),
        ),
    ),
    (fires, rules.SAME_KEY, "one target", two(FIRST, lead("selector1", GOOD))),
    (fires, rules.SAME_KEY, "one target without a key", two(lead("selector1"), lead("selector1"))),
    (
        fires,
        rules.SAME_KEY,
        "one key",
        Case({at("a"): text(GOOD), at("b"): text(GOOD)}, named("a", "b")),
    ),
    (quiet, rules.SAME_KEY, "two keys", two(FIRST, SECOND)),
    (
        quiet,
        rules.SAME_KEY,
        "a wildcard",
        Case({at("a"): text(GOOD), at("b"): text(GOOD), WILD: text(GOOD)}, named("a", "b")),
    ),
    (fires, rules.KEY_MISSING, "a named selector", Case({}, named("s1"))),
    (fires, rules.KEY_MISSING, "a name without text", Case({at("s1"): Answer()}, named("s1"))),
    (fires, rules.KEY_MISSING, "other text", alone("hello")),
    (
        fires,
        rules.KEY_MISSING,
        "an alias to nothing",
        Case({at("s1"): text(via=FREE), ("sender.example", "SOA"): text()}, named("s1")),
    ),
    (
        fires,
        rules.KEY_MISSING,
        "signing was never turned on",
        two(lead("selector1"), lead("selector2")),
    ),
    (
        fires,
        rules.KEY_MISSING,
        "by the export",
        two(lead("selector1", zone=NEW_ZONE), lead("selector2", zone=NEW_ZONE), EXPORTED),
    ),
    (fires, rules.KEY_MISSING, "both revoked", two(lead("selector1", "p="), lead("selector2"))),
    (quiet, rules.KEY_MISSING, "the other one signs", Case()),
    (quiet, rules.KEY_MISSING, "one did not answer", two(lead("selector1"), SILENT)),
    (quiet, rules.KEY_MISSING, "a free domain", Case({at("s1"): text(via=FREE)}, named("s1"))),
    (quiet, rules.KEY_MISSING, "a sender may sign elsewhere", Case({}, GOOGLE)),
    (
        fires,
        rules.MISPLACED,
        "the zone was added",
        Case({at("s1", f"{D}.{D}"): text(GOOD)}, named("s1")),
    ),
    (
        fires,
        rules.MISPLACED,
        "no underscore",
        Case({(f"s1.domainkey.{D}", "TXT"): text(GOOD)}, named("s1")),
    ),
    (fires, rules.MISPLACED, "both of Microsoft's", Case({at("selector1", f"{D}.{D}"): FIRST})),
    (
        fires,
        rules.MISPLACED,
        "one of Microsoft's",
        Case({S1: FIRST, at("selector2", f"{D}.{D}"): lead("selector2")}),
    ),
    (
        quiet,
        rules.MISPLACED,
        "other text",
        Case({(f"s1.{D}", "TXT"): text("v=spf1 -all"), at("s1", f"{D}.{D}"): SILENT}, named("s1")),
    ),
    (fires, rules.SELECTORS_UNKNOWN, "servers of one's own", Case({}, OWN)),
    (fires, rules.SELECTORS_UNKNOWN, "a sender", Case({}, GOOGLE)),
    (quiet, rules.SELECTORS_UNKNOWN, "a common name", Case({at("default"): text(GOOD)}, OWN)),
    (quiet, rules.SELECTORS_UNKNOWN, "nothing is assumed", Case({}, NOTHING)),
    (quiet, rules.SELECTORS_UNKNOWN, "no answer", Case({at("google"): SILENT}, GOOGLE)),
    (fires, rules.PARKED, "a key", Case({at("mail"): text(GOOD)}, PARKED)),
    (
        quiet,
        rules.PARKED,
        "revoked",
        Case({at("mail"): text("p="), WILD: text("v=DKIM1; p=")}, PARKED),
    ),
    (quiet, rules.PARKED, "it sends", Case()),
    (fires, rules.WILDCARD, "SPF", Case({**MICROSOFT, WILD: text("v=spf1 -all")})),
    (fires, rules.WILDCARD, "a key", Case({at("s1"): text(GOOD), WILD: text(GOOD)}, named("s1"))),
    (quiet, rules.WILDCARD, "revoked", Case({**MICROSOFT, WILD: text("v=DKIM1; k=rsa; p=;")})),
    (quiet, rules.WILDCARD, "none", Case()),
    (quiet, rules.WILDCARD, "no answer", Case({**MICROSOFT, WILD: SILENT})),
]

RECORDS: list[tuple[Proves, Rule, str, Case]] = [
    (fires, keys.PRIVATE_KEY, "PEM", alone("p=-----BEGIN PRIVATE KEY-----MIIE")),
    (fires, keys.PRIVATE_KEY, "beside a key", alone(GOOD, "p=-----BEGIN RSA PRIVATE KEY-----MIIE")),
    (quiet, keys.PRIVATE_KEY, "a public key", alone("p=-----BEGIN PUBLIC KEY-----MIIE")),
    (fires, keys.WEAK, "1023 bits", alone(key(1023))),
    (fires, keys.WEAK, "exponent 1", alone(f"p={b64(ONE)}")),
    (fires, keys.WEAK, "at Microsoft", two(lead("selector1", key(512)), SECOND)),
    (quiet, keys.WEAK, "1024 bits", alone(key(1024))),
    (fires, keys.SHORT, "2047 bits", alone(key(2047))),
    (fires, keys.SHORT, "at Microsoft", two(lead("selector1", key(1024)), SECOND)),
    (quiet, keys.SHORT, "2048 bits", alone(GOOD)),
    (quiet, keys.SHORT, "weak", alone(key(1023))),
    (quiet, keys.SHORT, "Ed25519", alone(ED)),
    (fires, keys.LONG, "4097 bits", alone(key(4097))),
    (quiet, keys.LONG, "4096 bits", alone(key(4096))),
    (fires, keys.EXPONENT, "34 bits", alone(f"p={rsa(exponent=2**33 + 1)}")),
    (quiet, keys.EXPONENT, "33 bits", alone(f"p={rsa(exponent=2**32 + 1)}")),
    (fires, keys.ED25519_ONLY, "alone", alone(ED)),
    (
        quiet,
        keys.ED25519_ONLY,
        "and RSA",
        Case({at("a"): text(ED), at("b"): text(GOOD)}, named("a", "b")),
    ),
    (
        quiet,
        keys.ED25519_ONLY,
        "no answer",
        Case({at("a"): text(ED), at("b"): SILENT}, named("a", "b")),
    ),
    (fires, keys.ARMOUR, "PEM", alone(f"v=DKIM1; p=-----BEGIN PUBLIC KEY-----{rsa()}-----END")),
    (quiet, keys.ARMOUR, "none", alone(GOOD)),
    (fires, keys.QUOTES, "around", alone(f'"{GOOD}"')),
    (quiet, keys.QUOTES, "in a note", alone(key(more='n=a "key"; '))),
    (fires, keys.ESCAPES, "semicolons", alone(GOOD.replace(";", "\\;"))),
    (quiet, keys.ESCAPES, "in a note", alone(key(more="n=a\\b; "))),
    (fires, keys.SYNTAX, "a version", alone(GOOD.replace("DKIM1", "DKIM2"))),
    (fires, keys.SYNTAX, "two semicolons", alone(GOOD.replace(";", ";;", 1))),
    (fires, keys.SYNTAX, "no key", alone("v=DKIM1; k=rsa")),
    (quiet, keys.SYNTAX, "pasted", alone(f'"{GOOD}"')),
    (quiet, keys.SYNTAX, "all right", alone(GOOD)),
    (fires, keys.UNREADABLE, "cut off", alone(GOOD[:255])),
    (fires, keys.UNREADABLE, "another type", alone(GOOD.replace("rsa", "RSA"))),
    (fires, keys.UNREADABLE, "Ed25519 in a wrapping", alone(f"k=ed25519; p={b64(ed25519())}")),
    (quiet, keys.UNREADABLE, "revoked", alone("p=")),
    (quiet, keys.UNREADABLE, "void", alone("v=DKIM2; p=MIIB")),
    (fires, keys.UNKNOWN_TAG, "misspelt", alone(key(more="S=email; "))),
    (fires, keys.UNKNOWN_TAG, "unheard of", alone(key(more="key=1; "))),
    (quiet, keys.UNKNOWN_TAG, "of RFC 4871", alone(key(more="g=*; "))),
    (fires, keys.SEVERAL, "two keys", alone(GOOD, NEXT)),
    (fires, keys.SEVERAL, "a key in halves", alone(GOOD[:255], GOOD[255:])),
    (fires, keys.SEVERAL, "other text", alone(GOOD, "hello")),
    (fires, keys.SEVERAL, "part of a key and other text", alone(GOOD[:255], "hello")),
    (quiet, keys.SEVERAL, "twice the same", alone(GOOD, GOOD)),
    (
        quiet,
        keys.SEVERAL,
        "a wildcard",
        Case({at("s1"): text(GOOD, "hello"), WILD: text(GOOD, "hello")}, named("s1")),
    ),
    (fires, keys.REVOKED, "a named selector", alone("v=DKIM1; p=")),
    (
        quiet,
        keys.REVOKED,
        "the one that does not sign",
        two(FIRST, lead("selector2", "v=DKIM1; p=")),
    ),
    (fires, keys.TESTING, "t=y", alone(key(more="t=y; "))),
    (quiet, keys.TESTING, "t=s", alone(key(more="t=s; "))),
    (quiet, keys.TESTING, "revoked", alone("t=y; p=")),
    (fires, keys.HASH, "SHA-1", alone(key(more="h=sha1; "))),
    (quiet, keys.HASH, "both", alone(key(more="h=sha1:sha256; "))),
    (fires, keys.SERVICE, "TLS reports", alone(key(more="s=tlsrpt; "))),
    (quiet, keys.SERVICE, "mail as well", alone(key(more="s=tlsrpt:email; "))),
]


@pytest.mark.parametrize(("proves", "rule", "case"), table(PLACES))
def test_where_keys_stand(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


@pytest.mark.parametrize(("proves", "rule", "case"), table(RECORDS))
def test_what_keys_are(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(), id="one signs"),
        pytest.param(two(FIRST, SECOND), id="two keys"),
        pytest.param(
            two(lead("selector1", GOOD, zone=NEW_ZONE), lead("selector2", zone=NEW_ZONE), EXPORTED),
            id="form of 2025",
        ),
        pytest.param(two(FIRST, lead("selector2", "v=DKIM1; p=")), id="the other is revoked"),
        pytest.param(alone(GOOD), id="servers of one's own"),
        pytest.param(Case({at("google"): text(GOOD)}, GOOGLE), id="Google"),
        pytest.param(
            Case(
                {
                    WILD: text("v=DKIM1; p="),
                    **{at(name): text("v=DKIM1; p=") for name in ("default", "s1")},
                },
                PARKED,
            ),
            id="parked",
        ),
        pytest.param(Case({}, PARKED), id="parked without a word"),
        pytest.param(
            Case({at("selector1-contoso-onmicrosoft-com", OLD_ZONE): text(GOOD)}, domain=OLD_ZONE),
            id="initial domain",
        ),
        pytest.param(
            Case(
                {**MICROSOFT, at("s1"): text(NEXT)},
                Intent(selectors=("selector1", "selector2", "s1")),
            ),
            id="named",
        ),
    ],
)
def test_a_healthy_domain_has_no_findings(case: Case) -> None:
    assert case.findings() == ()


@pytest.mark.parametrize(
    ("rule", "case", "fix"),
    [
        (
            rules.CNAME_MISSING,
            two(FIRST, BLANK),
            f"selector2._domainkey.{D}. 3600 IN CNAME {target('selector2')}.",
        ),
        (
            rules.CNAME_MISSING,
            two(lead("selector1", GOOD, zone=NEW_ZONE), BLANK),
            f"selector2._domainkey.{D}. 3600 IN CNAME {target('selector2', zone=NEW_ZONE)}.",
        ),
        (
            rules.CNAME_COPIED,
            two(text(GOOD), SECOND),
            f"selector1._domainkey.{D}. 3600 IN CNAME {target('selector1')}.",
        ),
        (
            rules.MISSING,
            Case({}, EXPORTED),
            f"selector1._domainkey.{D}. 3600 IN CNAME {target('selector1', zone=NEW_ZONE)}.",
        ),
        (rules.MISSING, Case({}), f"New-DkimSigningConfig -DomainName '{D}' -Enabled $false"),
        (rules.MISSING, Case({}, Intent(config=DkimConfig(domain=D))), SHOW),
        (rules.CNAME_MISSING, two(text(GOOD), BLANK), SHOW),
        (rules.CNAME_COPIED, two(text(GOOD), text(NEXT)), SHOW),
        (rules.CNAME_WRONG, two(FIRST, text(NEXT, via="dkim.fabrikam.com")), SHOW),
        (rules.CNAME_FOREIGN, two(FIRST, lead("selector2", NEXT, to=FOREIGN)), SHOW),
        (
            rules.CNAME_WRONG,
            two(FIRST, text(via=f"{target('selector2')}.{D}")),
            f"selector2._domainkey.{D}. 3600 IN CNAME {target('selector2')}.",
        ),
        (
            rules.CNAME_WRONG,
            two(lead("selector1"), lead("selector2"), EXPORTED),
            f"selector1._domainkey.{D}. 3600 IN CNAME {target('selector1', zone=NEW_ZONE)}.",
        ),
        (
            rules.KEY_MISSING,
            two(lead("selector1"), lead("selector2")),
            f"Set-DkimSigningConfig -Identity '{D}' -Enabled $true",
        ),
        (
            keys.SHORT,
            two(lead("selector1", key(1024)), SECOND),
            f"Rotate-DkimSigningConfig -Identity '{D}' -KeySize '2048'",
        ),
        (keys.ESCAPES, alone(ED.replace(";", "\\;")), f's1._domainkey.{D}. 3600 IN TXT "{ED}"'),
        (
            keys.QUOTES,
            alone(f'"{GOOD}"'),
            f's1._domainkey.{D}. 3600 IN TXT "{GOOD[:255]}" "{GOOD[255:]}"',
        ),
        (
            keys.SEVERAL,
            alone(GOOD[:255], GOOD[255:]),
            f's1._domainkey.{D}. 3600 IN TXT "{GOOD[:255]}" "{GOOD[255:]}"',
        ),
        (
            keys.UNREADABLE,
            alone(f"p={b64(ed25519()[-32:])}"),
            f's1._domainkey.{D}. 3600 IN TXT "{ED}"',
        ),
        (
            keys.UNREADABLE,
            alone(f"k=ed25519; p={b64(ed25519())}"),
            f's1._domainkey.{D}. 3600 IN TXT "{ED}"',
        ),
        (keys.UNREADABLE, alone(GOOD[:255]), ""),
    ],
)
def test_a_fix_is_what_to_publish_or_type(rule: Rule, case: Case, fix: str) -> None:
    assert fires(rule, case.findings()).fix == fix


def test_all_steps_that_set_dkim_up_are_listed_in_their_order() -> None:
    sign = f"Set-DkimSigningConfig -Identity '{D}' -Enabled $true (when both records can be"
    new, show, records, last = fires(rules.MISSING, Case({}).findings()).evidence
    assert new.startswith(f"step 1: New-DkimSigningConfig -DomainName '{D}' -Enabled $false (not")
    assert show == f"step 2: {SHOW}"
    names = f"selector1._domainkey.{D} and selector2._domainkey.{D}"
    assert records == f"step 3: publish the CNAME records of {names} that it shows"
    assert last.startswith(f"step 4: {sign}")
    off = Intent(config=replace(CONFIG, enabled=False))
    _, one, other, third = fires(rules.MISSING, Case({}, off).findings()).evidence
    assert one.startswith(f"step 1: publish selector1._domainkey.{D}. 3600 IN CNAME ")
    assert other.startswith(f"step 2: publish selector2._domainkey.{D}. 3600 IN CNAME ")
    assert third.startswith(f"step 3: {sign}")
    assert len(fires(rules.MISSING, Case({}, EXPORTED).findings()).evidence) == 2


def test_a_private_key_is_told_alone_and_shown_nowhere() -> None:
    secret = "MIIEvSECRET"
    case = alone(f"v=DKIM1; t=y; p=-----BEGIN PRIVATE KEY-----{secret}")
    findings = case.findings()
    assert [finding.rule for finding in findings] == [keys.PRIVATE_KEY]
    assert secret not in str(findings)


def test_the_domain_above_may_sign() -> None:
    case = Case({at("selector1"): FIRST}, domain=SUB)
    finding = fires(rules.MISSING, case.findings())
    assert finding.evidence[0] == "selector1 has a key at the domain above, which may sign for it"


def test_an_export_that_says_off_is_told() -> None:
    config = replace(CONFIG, enabled=False)
    finding = fires(rules.MISSING, Case({}, Intent(config=config)).findings())
    assert finding.evidence[0] == "the tenant's export says that signing is off"


def test_an_initial_domain_without_a_key_is_told() -> None:
    fires(rules.KEY_MISSING, Case({}, domain=OLD_ZONE).findings())


@pytest.mark.parametrize(
    ("intent", "origins"),
    [
        (Intent(), {"selector1": Origin.TOPOLOGY, "selector2": Origin.TOPOLOGY}),
        (EXPORTED, {"selector1": Origin.TENANT, "selector2": Origin.TENANT}),
        (
            replace(GOOGLE, seen=("own", "google")),
            {"own": Origin.MESSAGE, "google": Origin.MESSAGE},
        ),
        (named("s1"), {"s1": Origin.CONFIGURATION}),
        (GOOGLE, {"google": Origin.SENDER}),
        (
            Intent(selectors=("s1",)),
            {
                "s1": Origin.CONFIGURATION,
                "selector1": Origin.TOPOLOGY,
                "selector2": Origin.TOPOLOGY,
            },
        ),
    ],
)
def test_selectors_come_from_where_they_are_named(intent: Intent, origins: object) -> None:
    assert {one.selector: one.origin for one in wanted(D, intent)} == origins


def test_a_domain_too_long_for_a_selector_is_asked_what_fits() -> None:
    long = f"{'a' * 60}." * 3 + "a" * 51 + ".com"
    assert len(f"s1._domainkey.{long}") <= MAX_NAME < len(f"selector1._domainkey.{long}")
    assert wanted(long, Intent()) == ()
    found = replay(survey(long, Intent(selectors=("s1",))), {})
    assert [one.verdict for one in found.selectors] == [Verdict.MISSING]


@given(st.text(max_size=80))
def test_what_may_be_a_selector_fits_into_dns(name: str) -> None:
    if is_selector(name):
        assert all(1 <= len(label) <= 63 for label in name.split("."))
        assert name.isascii()


@given(
    st.sampled_from(["selector1", "selector2"]),
    st.from_regex(r"[a-z0-9-]{1,20}\.(com|co\.uk)", fullmatch=True),
    st.sampled_from([OLD_ZONE, NEW_ZONE]),
)
def test_a_target_is_read_back(selector: str, domain: str, zone: str) -> None:
    found = read_target(target(selector, domain, zone))
    assert isinstance(found, Target)
    assert found.of(selector) == target(selector, domain, zone)
    assert found.is_for(domain)
    assert found.form == ("old form" if zone == OLD_ZONE else "form of 2025")
    assert not found.is_for(f"x{domain}")


ANSWERS = st.sampled_from(
    [
        BLANK,
        SILENT,
        FIRST,
        SECOND,
        lead("selector1"),
        lead("selector2"),
        text(GOOD),
        text("p="),
        text("hello"),
        text(via=FREE),
    ]
)


@given(
    ANSWERS,
    ANSWERS,
    ANSWERS,
    st.sampled_from([Intent(), EXPORTED, named("selector1"), OWN, PARKED]),
)
def test_silence_accuses_nobody(one: Reply, other: Reply, wild: Reply, intent: Intent) -> None:
    case = Case({S1: one, S2: other, WILD: wild}, intent)
    case.findings()
    silent = replace(
        case,
        replies=dict.fromkeys(
            [S1, S2, WILD, *(at(each.selector) for each in wanted(D, intent))], SILENT
        ),
    )
    assert silent.findings() == ()
    found = silent.survey()
    assert len(found.silences) == len(found.selectors)


def test_names_are_compared_whole_and_proposed_whole() -> None:
    deep = ".".join(["x" * 60] * 3)
    wanted_name = f"{deep}.one.{'y' * 20}.contoso.onmicrosoft.com"
    assert 200 < len(wanted_name) <= MAX_NAME
    config = replace(CONFIG, selector1_cname=wanted_name)
    finding = fires(rules.MISSING, Case({}, Intent(config=config)).findings())
    assert finding.fix == f"selector1._domainkey.{D}. 3600 IN CNAME {wanted_name}."
    ends = [two(text(via=f"{deep}.{'y' * 20}.{end}.example"), BLANK).survey() for end in "ab"]
    one, other = (state(each.selectors[0]) for each in ends)
    assert one != other
