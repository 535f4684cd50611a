"""Is a healthy tenant left in peace, and is the order of an export no matter?"""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.finding import Severity
from agent.domain.tenancy.hygiene import RULES, Wishes
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    Inbound,
    Outbound,
    TransportRule,
)
from servers.hygiene_case import (
    ADD_ON,
    AT_EXCHANGE,
    AT_FILTER,
    AT_HOME,
    CENTRAL,
    CLOUD,
    CONTOSO,
    DEVICES,
    FILTERED,
    FROM_HOME,
    FROM_PARTNER,
    FROM_SERVICE,
    HYBRID,
    LOCK,
    NOW,
    RELAY,
    SIGNED,
    TO_HOME,
    TO_PARTNER,
    TO_SERVICE,
    TO_SIGN,
    Case,
)

T = TypeVar("T")
STRICT = Wishes(reject_direct_send=False)
ON_PREMISES_LOCK = replace(
    LOCK,
    name="Only from our servers",
    tls_sender_certificate_name="",
    restrict_domains_to_certificate=False,
    restrict_domains_to_ip_addresses=True,
    sender_ip_addresses=("203.0.113.9",),
    ef_skip_last_ip=False,
)
EVERYTHING_OUT = replace(
    TO_PARTNER,
    name="Out by the filter",
    recipient_domains=("*",),
    use_mx_record=False,
    smart_hosts=("mx0.contoso.example.pphosted.com",),
)
NOT_EXCHANGE = replace(
    FROM_HOME, connector_source="AdminUI", cloud_services_mail_enabled=False, require_tls=True
)
TO_NOT_EXCHANGE = replace(
    TO_HOME,
    connector_source="AdminUI",
    cloud_services_mail_enabled=False,
    recipient_domains=(),
    all_accepted_domains=True,
)


def declared(case: Case, topology: str) -> Case:
    return replace(case, topologies={CONTOSO: topology})


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(), id="an export with nothing in it"),
        pytest.param(
            Case(inbound=None, outbound=None, domains=None, rules=None), id="no export at all"
        ),
        pytest.param(declared(replace(CLOUD, dkim=(SIGNED,)), "exchange-online"), id="cloud"),
        pytest.param(
            replace(CLOUD, inbound=(FROM_PARTNER,), outbound=(TO_PARTNER,)), id="a partner"
        ),
        pytest.param(replace(CLOUD, inbound=(DEVICES,)), id="devices"),
        pytest.param(declared(FILTERED, "third-party-filter"), id="a filter"),
        pytest.param(FILTERED, id="a filter that nobody declared"),
        pytest.param(
            replace(FILTERED, outbound=(EVERYTHING_OUT,)), id="a filter in both directions"
        ),
        pytest.param(declared(HYBRID, "hybrid"), id="hybrid, MX at Exchange Online"),
        pytest.param(
            declared(replace(HYBRID, outbound=(CENTRAL,)), "hybrid"), id="hybrid, centralised"
        ),
        pytest.param(
            declared(
                replace(
                    HYBRID,
                    inbound=(FROM_HOME, ON_PREMISES_LOCK),
                    mx={CONTOSO: "mail.contoso.example"},
                ),
                "hybrid",
            ),
            id="hybrid, MX on premises, locked",
        ),
        pytest.param(
            declared(
                replace(
                    HYBRID,
                    inbound=(replace(FROM_HOME, ef_skip_last_ip=True),),
                    mx={CONTOSO: AT_HOME},
                ),
                "hybrid",
            ),
            id="hybrid, MX on premises, enhanced filtering",
        ),
        pytest.param(
            declared(replace(HYBRID, inbound=(FROM_HOME, LOCK), mx={CONTOSO: AT_FILTER}), "hybrid"),
            id="a filter and servers of one's own",
        ),
        pytest.param(
            declared(
                replace(HYBRID, inbound=(NOT_EXCHANGE,), outbound=(TO_NOT_EXCHANGE,)), "on-premises"
            ),
            id="Exchange Online in front of other mailboxes",
        ),
        pytest.param(
            replace(
                HYBRID,
                inbound=(NOT_EXCHANGE,),
                outbound=(TO_NOT_EXCHANGE,),
                domains=(RELAY,),
            ),
            id="an internal relay",
        ),
        pytest.param(ADD_ON, id="an add-on service"),
        pytest.param(
            declared(
                replace(ADD_ON, inbound=(FROM_HOME, FROM_SERVICE), outbound=(TO_HOME, TO_SERVICE)),
                "hybrid",
            ),
            id="an add-on service in a hybrid",
        ),
        pytest.param(
            replace(
                HYBRID,
                outbound=(
                    TO_HOME,
                    replace(TO_SERVICE, name="To the branch", guid="20", smart_hosts=(AT_HOME,)),
                ),
                rules=(
                    replace(
                        TO_SIGN,
                        exception_headers=(),
                        route_message_outbound_connector="To the branch",
                    ),
                ),
            ),
            id="conditional routing to servers of one's own",
        ),
        pytest.param(declared(replace(CLOUD, mx={}, null_mx=(CONTOSO,)), "parked"), id="parked"),
    ],
)
def test_a_healthy_tenant_is_left_in_peace(case: Case) -> None:
    assert [(each.rule.code, each.detail) for each in case.seen()] == []


def test_every_rule_is_declared_once_and_well() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.code.startswith("hygiene-")
        assert rule.severity is not Severity.OK
        assert rule.reference.startswith("https://learn.microsoft.com/")
        assert not rule.summary.endswith(".")
        assert rule.remedy.endswith(".")


BOOLS = st.sampled_from([None, True, False])
NAMES = st.sampled_from([CONTOSO, "fabrikam.example", "*", "*.example", "*.fabrikam.example"])
HOSTS = st.sampled_from([AT_EXCHANGE, AT_FILTER, AT_HOME, "mx1.stranger.test", "203.0.113.9", "x"])
ADDRESSES = st.sampled_from(
    ["203.0.113.7", "203.0.112.0/23", "0.0.0.0/0", "10.0.0.1", "40.107.1.0/24", "2600::1", "?", ""]
)
WORDS = st.sampled_from(["", "A", "a", "B", "\\", "None", "InOrganization", "HybridWizard"])
TIMES = st.sampled_from([None, NOW, NOW - timedelta(days=40), NOW - timedelta(days=400)])


def several(texts: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(texts, max_size=3).map(tuple)


INBOUND = st.builds(
    Inbound,
    name=WORDS,
    guid=WORDS,
    enabled=BOOLS,
    connector_type=st.sampled_from([None, "on-premises", "partner"]),
    connector_source=WORDS,
    sender_domains=several(NAMES),
    sender_ip_addresses=several(ADDRESSES),
    tls_sender_certificate_name=NAMES | st.just("") | HOSTS,
    require_tls=BOOLS,
    restrict_domains_to_certificate=BOOLS,
    restrict_domains_to_ip_addresses=BOOLS,
    cloud_services_mail_enabled=BOOLS,
    treat_messages_as_internal=BOOLS,
    associated_accepted_domains=several(NAMES),
    ef_skip_last_ip=BOOLS,
    ef_skip_ips=several(ADDRESSES),
    ef_users=several(WORDS),
    changed_at=TIMES,
)
OUTBOUND = st.builds(
    Outbound,
    name=WORDS,
    guid=WORDS,
    enabled=BOOLS,
    connector_type=st.sampled_from([None, "on-premises", "partner"]),
    connector_source=WORDS,
    recipient_domains=several(NAMES),
    all_accepted_domains=BOOLS,
    is_transport_rule_scoped=BOOLS,
    use_mx_record=BOOLS,
    smart_hosts=several(HOSTS),
    tls_settings=st.sampled_from([None, "none", "certificate-validation", "domain-validation"]),
    tls_domain=NAMES | st.just(""),
    cloud_services_mail_enabled=BOOLS,
    route_all_messages_via_on_premises=BOOLS,
    mta_sts_mode=WORDS,
    test_mode=BOOLS,
    is_validated=BOOLS,
    last_validated_at=TIMES,
    changed_at=TIMES,
)
RULE = st.builds(
    TransportRule,
    name=WORDS,
    guid=WORDS,
    enabled=BOOLS,
    from_scope=WORDS,
    route_message_outbound_connector=WORDS,
    set_scl=st.sampled_from([None, -1, 5]),
    exception_headers=several(WORDS),
    conditions=st.lists(
        st.tuples(st.sampled_from(["SenderDomainIs", "SenderIpRanges", "SentTo"]), NAMES),
        max_size=2,
    ).map(tuple),
)
DOMAINS = st.lists(
    st.builds(
        AcceptedDomain,
        name=st.sampled_from([CONTOSO, "fabrikam.example", "contoso.onmicrosoft.com"]),
        domain_type=st.sampled_from([None, "authoritative", "internal-relay", "external-relay"]),
        match_subdomains=BOOLS,
        is_default=BOOLS,
    ),
    max_size=3,
    unique_by=lambda each: each.name,
)
SIGNING = st.lists(
    st.builds(
        DkimConfig,
        domain=st.sampled_from([CONTOSO, "fabrikam.example"]),
        enabled=BOOLS,
        status=st.sampled_from(["", "Valid", "CnameMissing"]),
        selector1_key_size=st.sampled_from([None, 1024, 2048]),
    ),
    max_size=2,
    unique_by=lambda each: each.domain,
)
OWN_DOMAINS = st.sampled_from([CONTOSO, "fabrikam.example", "fourth.example"])
CASES = st.builds(
    Case,
    inbound=st.none() | st.lists(INBOUND, max_size=4).map(tuple),
    outbound=st.none() | st.lists(OUTBOUND, max_size=4).map(tuple),
    rules=st.none() | st.lists(RULE, max_size=3).map(tuple),
    domains=st.none() | DOMAINS.map(tuple),
    dkim=st.none() | SIGNING.map(tuple),
    topologies=st.dictionaries(
        OWN_DOMAINS,
        st.sampled_from(
            ["exchange-online", "third-party-filter", "hybrid", "on-premises", "parked", "custom"]
        ),
    ),
    mx=st.dictionaries(OWN_DOMAINS, st.lists(HOSTS, max_size=3).map(" ".join)),
    addresses=st.dictionaries(HOSTS, st.sampled_from(["203.0.113.7", "40.107.1.2", "2600::1", ""])),
    wishes=st.sampled_from([Wishes(), STRICT, Wishes(tls="domain-validation")]),
)


def shuffled(objects: tuple[T, ...] | None, random: Random) -> tuple[T, ...] | None:
    return None if objects is None else tuple(random.sample(objects, len(objects)))


@given(CASES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_objects_is_no_matter(case: Case, random: Random) -> None:
    other = replace(
        case,
        inbound=shuffled(case.inbound, random),
        outbound=shuffled(case.outbound, random),
        rules=shuffled(case.rules, random),
        domains=shuffled(case.domains, random),
        dkim=shuffled(case.dkim, random),
    )
    findings = case.seen()
    assert set(findings) == set(other.seen())
    assert {finding.rule for finding in findings} <= set(RULES)
    for finding in findings:
        assert finding.detail.endswith(".")
        assert "\n" not in f"{finding.detail}{finding.fix}"
