"""What is read of whole documents: every shape, several files, and what is no export."""

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.tenancy.export_kinds import CMDLETS, writer_of
from agent.domain.tenancy.export_objects import properties_of
from agent.domain.tenancy.export_reader import (
    Document,
    ExportError,
    ExportReading,
    read_documents,
)
from agent.domain.tenancy.objects import Export, Organisation
from agent.domain.tenancy.rule_conditions import CONDITIONS, EXCEPTIONS, GUARDS
from servers.exports import (
    GUID,
    HOSTED,
    TENANT_ID,
    combined,
    dkim,
    domain,
    inbound,
    initial,
    org,
    outbound,
    rule,
    transport,
)

WRITTEN = datetime(2026, 2, 1, 7, 0, tzinfo=UTC)
ASKED = datetime(2026, 2, 1, 6, 0, tzinfo=UTC)


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def read(*data: Any) -> ExportReading:
    names = "abcdefgh"
    return read_documents(
        [Document(f"{names[index]}.json", each, WRITTEN) for index, each in enumerate(data)]
    )


def export(*data: Any) -> Export:
    """Return what is read, without a remark."""
    reading = read(*data)
    assert list(map(str, reading.remarks)) == []
    return reading.export


def remarks(*data: Any) -> list[str]:
    return [str(each) for each in read(*data).remarks]


def mistakes(*data: Any) -> list[str]:
    with pytest.raises(ExportError) as error:
        read(*data)
    return [str(each) for each in error.value.mistakes]


def test_the_combined_file_is_read_whole() -> None:
    found = export(combined())
    assert (found.inbound, found.outbound) != (None, None)
    (connector,) = found.inbound or ()
    assert connector.name == "From own servers"
    assert connector.guid == GUID.format(1)
    assert connector.connector_type == "on-premises"
    assert connector.sender_domains == ("*",)
    assert connector.tls_sender_certificate_name == "*.contoso.com"
    assert (connector.created_at, connector.changed_at) == (at(1), at(2))
    (outward,) = found.outbound or ()
    assert outward.smart_hosts == ("mail.contoso.com",)
    assert outward.tls_settings == "certificate-validation"
    assert (outward.tls_domain, outward.last_validated_at) == ("", at(3))
    assert (outward.mta_sts_mode, outward.use_mx_record) == ("Opportunistic", False)
    assert found.domain_names == ("contoso.com", "contoso.onmicrosoft.com")
    (mail_rule,) = found.rules or ()
    assert mail_rule.exception_headers == ("X-Signed",)
    assert mail_rule.conditions == (("SenderDomainIs", "contoso.com, example.com"),)
    assert (mail_rule.enabled, mail_rule.changed_at) == (True, at(2))
    (signing,) = found.dkim or ()
    assert (signing.domain, signing.selector1_key_size) == ("contoso.com", 2048)
    assert found.organisation == Organisation(
        name="contoso.onmicrosoft.com",
        tenant_id=TENANT_ID,
        reject_direct_send=True,
        smtp_client_authentication_disabled=True,
        message_expiration="1.00:00:00",
    )
    assert found.exported_at == ASKED


SHAPES = [
    pytest.param(inbound(), id="a single object"),
    pytest.param([inbound()], id="a list"),
    pytest.param([None, inbound()], id="a list with null in it"),
    pytest.param({"value": [inbound()]}, id="an answer of REST"),
    pytest.param({"value": [inbound()], "Count": 1}, id="a list of Windows PowerShell"),
    pytest.param({"@odata.context": "x", "value": [inbound()]}, id="with annotations"),
    pytest.param({"inbound": [inbound()], "dkim": []}, id="a combined file without a schema"),
    pytest.param({"schema": "mailflow-export/1", "inbound": inbound()}, id="one in a section"),
    pytest.param(
        {"schema": "mailflow-export/1", "Inbound": {"value": [inbound()], "Count": 1}},
        id="a section of Windows PowerShell",
    ),
    pytest.param({key.lower(): each for key, each in inbound().items()}, id="lower case"),
    pytest.param(
        inbound() | {"Enabled@data.type": "System.Boolean", "RunspaceId": "1"}, id="noise"
    ),
    pytest.param(inbound(ConnectorType=1), id="an enumeration by number"),
    pytest.param(inbound(ConnectorType={"value": 1, "Value": "OnPremises"}), id="and by both"),
    pytest.param(inbound(SenderDomains="smtp:*;1"), id="a list of one as a text"),
    pytest.param(inbound(SenderDomains={"value": ["*"], "Count": 1}), id="a list in an object"),
    pytest.param(inbound(WhenChangedUTC="/Date(1767312000000)/"), id="a date of 5.1"),
    pytest.param(
        inbound(WhenChangedUTC={"value": "/Date(1767312000000)/", "DateTime": "x"}),
        id="a date with a DateTime",
    ),
    pytest.param(inbound(Enabled="True", RequireTls="True"), id="booleans as text"),
]


@pytest.mark.parametrize("data", SHAPES)
def test_every_shape_says_the_same(data: Any) -> None:
    assert export(data).inbound == export(inbound()).inbound


def test_what_a_file_does_not_hold_is_not_known_and_an_empty_list_is_none() -> None:
    found = export({"schema": "mailflow-export/1", "inbound": [], "domains": [domain()]})
    assert (found.inbound, found.outbound, found.rules, found.organisation) == (
        (),
        None,
        None,
        None,
    )


def test_what_an_object_does_not_say_is_not_false() -> None:
    (found,) = export({"Name": "x", "SenderDomains": "*"}).inbound or ()
    assert (found.enabled, found.require_tls, found.ef_skip_last_ip) == (None, None, None)
    (outward,) = export({"Name": "x", "SmartHosts": "a.example"}).outbound or ()
    assert outward.tls_settings is None
    (opportunistic,) = export({"Name": "x", "TlsSettings": None, "TestMode": False}).outbound or ()
    assert opportunistic.tls_settings == "none"


def test_each_cmdlet_in_a_file_of_its_own() -> None:
    single = [inbound(), outbound(), [domain(), initial()], rule(), dkim(), org(), transport()]
    found = export(*single)
    whole = export(combined())
    assert found.exported_at == WRITTEN
    kinds = ("inbound", "outbound", "domains", "rules", "dkim", "organisation")
    assert [getattr(found, kind) for kind in kinds] == [getattr(whole, kind) for kind in kinds]


def test_the_objects_of_several_cmdlets_may_be_in_one_list() -> None:
    found = export([inbound(), outbound(), domain()])
    assert [len(each or ()) for each in (found.inbound, found.outbound, found.domains)] == [1, 1, 1]


def wanted_record(kind: str, label: str = "contoso.com", **more: object) -> dict[str, object]:
    """Write a record as Graph does."""
    return {
        "@odata.type": f"#microsoft.graph.domainDns{kind}Record",
        "id": GUID.format(3),
        "isOptional": False,
        "label": label,
        "recordType": kind,
        "supportedService": "Email",
        "ttl": 3600,
        **more,
    }


def test_what_graph_says_should_be_in_dns_is_read_as_it_writes_it() -> None:
    endpoint = "contoso-com.mail.protection.outlook.com"
    mx = wanted_record("Mx", mailExchange=endpoint, preference=0)
    spf = wanted_record("Txt", text="v=spf1 include: spf.protection.outlook.com ~all")
    alias = wanted_record(
        "CName", "autodiscover.contoso.com", canonicalName="autodiscover.outlook.com"
    )
    place = {"nameTarget": "sipdir.online.lync.com", "port": 443, "priority": 100, "weight": 1}
    service = wanted_record("Srv", "_sip._tls.contoso.com", isOptional=True, **place)
    found = export({"@odata.context": "c", "value": [mx, spf, alias, service]}, [mx])
    said = {each.record_type: each for each in found.records or ()}
    assert list(said) == ["Srv", "CName", "Mx", "Txt"]
    assert said["Mx"].target == endpoint
    assert (said["Mx"].name, said["Mx"].preference) == ("contoso.com", 0)
    assert said["Txt"].text == "v=spf1 include: spf.protection.outlook.com ~all"
    assert said["CName"].target == "autodiscover.outlook.com"
    assert said["Srv"].target == "sipdir.online.lync.com"
    assert [each.record_type for each in found.records or () if each.is_for_mail] == [
        "CName",
        "Mx",
        "Txt",
    ]
    assert export(combined(records=[mx])).records == (said["Mx"],)
    assert export(combined()).records is None
    with pytest.raises(ExportError, match="has no name"):
        read([wanted_record("Mx", "")])


def test_four_answers_of_outbound_connectors_are_put_together_by_guid() -> None:
    two = outbound(Name="Scoped", Guid=GUID.format(7), IsTransportRuleScoped=True)
    found = export([outbound(), two], [outbound()], [two])
    assert [each.name for each in found.outbound or ()] == ["Scoped", "To own servers"]


def test_one_without_a_guid_is_put_together_by_name() -> None:
    bare = outbound()
    del bare["Guid"]
    assert len(export([bare], [bare]).outbound or ()) == 1
    reading = read([outbound(Enabled=False)], [bare])
    assert len(reading.export.outbound or ()) == 1
    assert len(reading.remarks) == 1


def test_two_connectors_of_one_name_stay_two() -> None:
    other = inbound(Guid=GUID.format(8))
    assert len(export([inbound(), other]).inbound or ()) == 2


def test_two_long_names_that_differ_late_stay_two() -> None:
    long = [inbound(Name="n" * 300 + end, Guid=None) for end in "ab"]
    reading = read(long)
    assert len(reading.export.inbound or ()) == 2
    assert "a name of more than 64 characters" in str(reading.remarks[0])


def test_the_newer_of_two_that_differ_counts() -> None:
    old = combined(exportedUtc="2026-01-05T06:00:00Z", outbound=[outbound(Enabled=False)])
    reading = read(old, combined())
    assert (reading.export.outbound or ())[0].enabled is True
    said = list(map(str, reading.remarks))
    assert any("648 h older than that in b.json" in each for each in said)
    assert any("outbound[0] is not as in b.json: outbound[0], which counts" in e for e in said)
    assert reading.export.exported_at == datetime(2026, 1, 5, 6, tzinfo=UTC)


@given(st.randoms(use_true_random=False))
def test_the_order_of_files_and_objects_does_not_matter(chance: random.Random) -> None:
    data: list[Any] = [
        [inbound(), inbound(Name="B", Guid=GUID.format(9)), inbound(Enabled=False)],
        [outbound(), outbound(Name="A", Guid=GUID.format(6))],
        [domain(), initial()],
        [org(), transport()],
    ]
    documents = [Document(f"{index}.json", each, WRITTEN) for index, each in enumerate(data)]
    expected = read_documents(documents).export
    for each in data:
        chance.shuffle(each)
    chance.shuffle(documents)
    assert read_documents(documents).export == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(
            {"RecipientTypeDetails": "UserMailbox", "ProhibitSendQuota": "1", "Name": "x"},
            "a.json is the output of Get-Mailbox; what is read is the output of Get-InboundConn",
            id="mailboxes",
        ),
        pytest.param([{"DomainName": "*", "TNEFEnabled": 1, "AutoReplyEnabled": 1}],
            "a.json: [0] is the output of Get-RemoteDomain", id="remote domains"),
        pytest.param({"Color": 1, "Size": 2}, "an object with the properties Color, Size", id="x"),
        pytest.param([{}], "a.json: [0] is an object with nothing in it", id="nothing in it"),
        pytest.param("text", "a.json is 'text', and no object of Exchange", id="a text"),
        pytest.param(None, "a.json is null", id="null"),
        pytest.param([1], "a.json: [0] is 1, and no object", id="a number in a list"),
        pytest.param([[inbound()]], "a.json: [0] is a list", id="a list in a list"),
        pytest.param(combined(inbound=["@{Name=From own servers}"]),
            "inbound[0] is cut off: '@{Name=From own servers}'", id="a connector too deep"),
        pytest.param([None] * 20_001, "has 20001 objects, and no tenant has", id="many objects"),
        pytest.param(combined(inbound="System.Object[]"), "inbound is cut off", id="all too deep"),
        pytest.param(combined(schema="mailflow-export/2"),
            "schema is 'mailflow-export/2'; what is read is 'mailflow-export/1'", id="schema"),
        pytest.param(combined(inbound=[outbound()]),
            "inbound[0] is the output of Get-OutboundConnector; this section is", id="swapped"),
        pytest.param(combined(inbound=[inbound(Name=None, Identity="", Guid=None)]),
            "inbound[0] has no name; every object of Get-InboundConnector has Name", id="no name"),
        pytest.param(combined(domains=[domain(), domain(DomainName="fabrikam.com")]),
            "domains[1] is of another tenant: the default domain is fabrikam.com, and"
            " contoso.com in domains[0]", id="two default domains"),
        pytest.param(combined(domains=[initial(), initial(DomainName="fabrikam.onmicrosoft.com")]),
            "the initial domain is fabrikam.onmicrosoft.com", id="two initial domains"),
        pytest.param([org(), org(Guid=GUID.format(5), OrganizationId=None)],
            f"its id is {GUID.format(5)}", id="two organisations"),
        pytest.param([org(), inbound(OrganizationId=HOSTED.format("fabrikam"))],
            "its OrganizationId is fabrikam.onmicrosoft.com, and contoso.onmicrosoft.com in [0]",
            id="objects of two organisations"),
        pytest.param([inbound(OrganizationId="a"), inbound(OrganizationId="b")],
            "its OrganizationId is b", id="of an unknown form"),
        pytest.param([], "a.json holds no export", id="no kind at all"),
        pytest.param({"value": []}, "a.json holds no export", id="an empty answer"),
        pytest.param({"schema": "mailflow-export/1"}, "a.json holds no export", id="no section"),
    ],
)  # fmt: skip
def test_what_is_no_export_of_one_tenant_is_a_mistake(data: Any, said: str) -> None:
    assert any(said in each for each in mistakes(data))


def test_no_file_is_no_export() -> None:
    assert mistakes() == [mistakes()[0]]


def test_the_tenants_of_two_files_are_told_by_their_files() -> None:
    other = combined(
        org=org(Guid=GUID.format(5), OrganizationId=HOSTED.format("fabrikam")),
        domains=[domain(DomainName="fabrikam.com")],
    )
    said = mistakes(combined(), other)
    assert len(said) == 3
    assert any("b.json: domains[0]" in each and "in a.json: domains[0]" in each for each in said)


def test_servers_that_differ_in_an_organization_id_are_no_matter() -> None:
    moved = HOSTED.format("contoso").replace("EURPR01", "EURPR07")
    assert export([org(), inbound(OrganizationId=moved)])


def test_mail_coexistence_domains_are_no_other_tenant() -> None:
    hybrid = initial(DomainName="contoso.mail.onmicrosoft.com", InitialDomain=False)
    assert len(export([domain(), initial(), hybrid]).domains or ()) == 3


REMARKED: list[Any] = [
    (combined(inbound=None), "inbound is null, which may be none or a failure; write none as []"),
    (combined(inbound=[None]), "inbound is null"),
    (combined(remotedomains=[]), "remotedomains is no section of an export; there are inbound"),
    (combined(exportedUtc="yesterday"), "exportedUtc is 'yesterday'"),
    (combined(exportedUtc="2026-02-01T09:00:00Z"), "after the file was written"),
    (combined(inbound=[inbound(SenderIPAddresses="System.Object[]")]),
     "inbound[0].SenderIPAddresses is cut off: 'System.Object[]'; export again with"),
    (combined(inbound=[inbound(SenderIPAddresses=["192.0.2.1", "relay"])]),
     "inbound[0].SenderIPAddresses[1] is 'relay'; expected is an address"),
    (combined(rules=[rule(Mode=2)]), "rules[0].Mode is 2"),
    (combined(domains=[domain(DomainName="contoso")]), "which has a single label"),
    (combined(inbound=[inbound(ConnectorType=3)]), "nobody can be certain what that means"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), REMARKED)
def test_what_is_not_understood_is_remarked_and_the_rest_is_read(data: Any, said: str) -> None:
    reading = read(data)
    assert [str(each) for each in reading.remarks if said in str(each)]
    assert reading.export.outbound


def test_an_empty_list_beside_other_files_is_remarked() -> None:
    assert "holds no objects, and does not say of which kind" in remarks([], combined())[0]


def test_an_export_from_the_future_is_as_old_as_its_file() -> None:
    assert read(combined(exportedUtc="2026-02-01T09:00:00Z")).export.exported_at == WRITTEN
    soon = combined(exportedUtc="2026-02-01T07:30:00Z")
    assert export(soon).exported_at == WRITTEN + timedelta(minutes=30)


def test_a_null_section_is_not_known() -> None:
    assert read(combined(inbound=None)).export.inbound is None


@pytest.mark.parametrize(
    ("properties", "tenant_id"),
    [
        pytest.param({"Guid": TENANT_ID.upper()}, TENANT_ID, id="Guid"),
        pytest.param(
            {"Guid": GUID.format(1), "ExternalDirectoryOrganizationId": TENANT_ID},
            TENANT_ID,
            id="its own property goes first",
        ),
        pytest.param(
            {"OrganizationId": f"x/{TENANT_ID} - y/{TENANT_ID}"}, TENANT_ID, id="OrganizationId"
        ),
        pytest.param({"OrganizationId": HOSTED.format("contoso")}, "", id="none in it"),
        pytest.param({"Guid": "00000000-0000-0000-0000-000000000000"}, "", id="all zeros"),
    ],
)
def test_the_id_of_the_tenant(properties: Mapping[str, Any], tenant_id: str) -> None:
    found = export({"RejectDirectSend": False, **properties}).organisation
    assert found is not None
    assert (found.tenant_id, found.name) == (tenant_id, "")


def test_two_organisation_files_are_put_together_and_the_newer_counts() -> None:
    found = export(
        {"schema": "mailflow-export/1", "exportedUtc": "2026-02-01T06:30:00Z",
         "org": {"RejectDirectSend": False}, "dkim": []},
        {"schema": "mailflow-export/1", "exportedUtc": "2026-02-01T06:00:00Z", "org": org(),
         "domains": []},
    ).organisation  # fmt: skip
    assert found is not None
    assert (found.reject_direct_send, found.name) == (False, "contoso.onmicrosoft.com")


@pytest.mark.parametrize(
    ("properties", "conditions"),
    [
        pytest.param({"SCLOver": 0}, (("SCLOver", "0"),), id="a number that is nought"),
        pytest.param({"HasSenderOverride": True}, (("HasSenderOverride", "True"),), id="a flag"),
        pytest.param({"HasSenderOverride": False, "From": [], "SentTo": ""}, (), id="not set"),
        pytest.param(
            {"MessageContainsDataClassifications": [{"name": "IBAN"}]},
            (("MessageContainsDataClassifications", "something"),),
            id="an object",
        ),
        pytest.param(
            {"ExceptIfSentTo": ["b@contoso.com"], "ExceptIfFromScope": "InOrganization"},
            (("ExceptIfFromScope", "InOrganization"), ("ExceptIfSentTo", "b@contoso.com")),
            id="exceptions",
        ),
        pytest.param({"FromScope": "InOrganization", "RecipientAddressType": "Resolved"}, (),
            id="read by itself, or always set"),
    ],
)  # fmt: skip
def test_the_conditions_of_a_rule(properties: Mapping[str, Any], conditions: Any) -> None:
    data = {"Name": "r", "RuleVersion": "1", "State": "Disabled", **properties}
    (found,) = export(data).rules or ()
    assert found.conditions == conditions
    assert found.enabled is False


def test_a_rule_that_says_enabled_without_a_state() -> None:
    (found,) = export({"Name": "r", "RuleVersion": "1", "Enabled": False}).rules or ()
    assert found.enabled is False


def test_names_are_safe_to_show() -> None:
    (found,) = export(inbound(Name="\x1b]0;x\x07\ud800", Identity=None)).inbound or ()
    assert found.name == r"\x1b]0;x\x07\ud800"


def test_an_object_without_a_name_is_called_by_its_guid() -> None:
    (found,) = export(inbound(Name=None, Identity=None)).inbound or ()
    assert found.name == GUID.format(1)


def test_networks_of_addresses_can_be_used() -> None:
    (found,) = export(inbound(SenderIPAddresses="192.0.2.0/24 192.0.2.7")).inbound or ()
    assert found.networks == (ip_network("192.0.2.0/24"), ip_network("192.0.2.7/32"))


@pytest.mark.parametrize(
    ("keys", "cmdlet"),
    [
        pytest.param("Name SmartHosts TlsDomain", "Get-OutboundConnector", id="read before others"),
        pytest.param("AddressSpaces SmartHosts", "Get-SendConnector", id="of a server"),
        pytest.param("SmtpClientAuthenticationDisabled", "Get-TransportConfig", id="one property"),
        pytest.param(
            "SmtpClientAuthenticationDisabled PopEnabled", "Get-CASMailbox", id="of a mailbox"
        ),
        pytest.param("SenderDomains RecipientDomains", "", id="of two"),
        pytest.param("Name", "", id="of anything"),
    ],
)
def test_the_cmdlet_is_told_by_the_properties(keys: str, cmdlet: str) -> None:
    assert writer_of(dict.fromkeys(keys.split())) == cmdlet


SCRIPT = (Path(__file__).parents[3] / "deploy/export-tenant.ps1").read_text(encoding="utf-8")


def _listed(start: str) -> list[str]:
    match = re.search(re.escape(start) + r" = @\(\n(.*?)\n *\)\n", SCRIPT, re.DOTALL)
    assert match is not None, start
    return re.findall(r"'(\w+)'", match[1])


@pytest.mark.parametrize("kind", list(CMDLETS))
def test_our_script_exports_just_what_is_read(kind: Any) -> None:
    selected = _listed(f"    {kind}")
    if kind == "rules":
        conditions = _listed("$Conditions")
        assert tuple(conditions) == CONDITIONS
        selected += conditions
        selected += [f"ExceptIf{each}" for each in (*conditions, "FromScope", "SentToScope")]
        assert set(selected) >= {*GUARDS, *EXCEPTIONS}
    assert sorted(selected) == sorted(properties_of(kind))


def test_our_script_asks_every_cmdlet_and_writes_every_section() -> None:
    for kind, cmdlet in CMDLETS.items():
        assert f"Get-All {cmdlet}" in SCRIPT
        assert re.search(rf"^ +{kind} += .*$", SCRIPT, re.MULTILINE)
    assert "schema      = 'mailflow-export/1'" in SCRIPT
    assert "IncludeTestModeConnectors" in SCRIPT


def test_braces_and_brackets_of_our_script_are_in_pairs() -> None:
    code = re.sub(r"<#.*?#>|'[^'\n]*'|\"[^\"\n]*\"|#.*", "", SCRIPT, flags=re.DOTALL | re.MULTILINE)
    code = "".join(re.findall(r"[][(){}]", code))
    while code != (shorter := re.sub(r"\(\)|\[\]|\{\}", "", code)):
        code = shorter
    assert code == ""
