"""What differs between two exports is said in Exchange's words, with the line that undoes it."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.domain.tenancy.drift import Change, differences
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    Export,
    Inbound,
    Organisation,
    Outbound,
    TransportRule,
)
from agent.domain.tenancy.succession import Together, together

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
GUID = "8f0c2e14-4a5b-4c6d-8e9f-0a1b2c3d4e5f"
OWN = Inbound(
    name="From own servers",
    guid=GUID,
    enabled=True,
    connector_type="on-premises",
    sender_domains=("*",),
    sender_ip_addresses=("192.0.2.0/28", "198.51.100.7"),
    tls_sender_certificate_name="mail.contoso.com",
    require_tls=False,
    cloud_services_mail_enabled=True,
    changed_at=NOON,
)
FILTER = Inbound(
    name="From the filter",
    enabled=True,
    connector_type="partner",
    sender_domains=("*",),
    tls_sender_certificate_name="mx.filter.example",
    require_tls=True,
    restrict_domains_to_certificate=True,
)
BACK = Outbound(
    name="To own servers",
    enabled=True,
    connector_type="on-premises",
    recipient_domains=("contoso.com", "fabrikam.com"),
    use_mx_record=False,
    smart_hosts=("mail.contoso.com",),
    tls_settings="domain-validation",
    tls_domain="mail.contoso.com",
)
DOMAIN = AcceptedDomain(name="contoso.com", domain_type="authoritative", match_subdomains=False)
ROUTING = TransportRule(
    name="Through the archive",
    enabled=True,
    mode="Enforce",
    priority=0,
    route_message_outbound_connector="To the archive",
    conditions=(("FromScope", "InOrganization"),),
)
SIGNING = DkimConfig(domain="contoso.com", enabled=True, status="Valid")
CONTOSO = Organisation(name="contoso", reject_direct_send=True, message_expiration="1.00:00:00")


SET_INBOUND = "Set-InboundConnector -Identity 'From own servers'"
SET_OUTBOUND = "Set-OutboundConnector -Identity 'To own servers'"


def of(*things: Any, **more: Any) -> Export:
    """Put each object where it belongs; a kind without one is not held."""
    kinds = {
        "inbound": Inbound,
        "outbound": Outbound,
        "domains": AcceptedDomain,
        "rules": TransportRule,
        "dkim": DkimConfig,
    }
    found: dict[str, Any] = {
        name: tuple(each for each in things if isinstance(each, kind)) or None
        for name, kind in kinds.items()
    }
    organisations = [each for each in things if isinstance(each, Organisation)]
    return Export(**{**found, "organisation": next(iter(organisations), None), **more})


def one(before: Export, after: Export) -> Change:
    (change,) = differences(before, after)
    return change


@pytest.mark.parametrize(
    ("thing", "field", "value", "said"),
    [
        pytest.param(OWN, "enabled", False, ("Enabled", "True", "False"), id="switched off"),
        pytest.param(
            OWN,
            "connector_type",
            "partner",
            ("ConnectorType", "OnPremises", "Partner"),
            id="type",
        ),
        pytest.param(
            OWN,
            "tls_sender_certificate_name",
            "",
            ("TlsSenderCertificateName", "mail.contoso.com", ""),
            id="a name that is gone",
        ),
        pytest.param(
            BACK,
            "tls_settings",
            "encryption-only",
            ("TlsSettings", "DomainValidation", "EncryptionOnly"),
            id="TLS",
        ),
        pytest.param(
            BACK,
            "recipient_domains",
            ("contoso.com",),
            ("RecipientDomains", "contoso.com, fabrikam.com", "contoso.com"),
            id="a list",
        ),
        pytest.param(
            DOMAIN,
            "domain_type",
            "internal-relay",
            ("DomainType", "Authoritative", "InternalRelay"),
            id="domain type",
        ),
        pytest.param(ROUTING, "enabled", False, ("State", "Enabled", "Disabled"), id="rule off"),
        pytest.param(ROUTING, "set_scl", 5, ("SetSCL", "", "5"), id="set where nothing was"),
        pytest.param(ROUTING, "priority", 3, None, id="the only rule has no other place"),
        pytest.param(ROUTING, "mode", "Audit", ("Mode", "Enforce", "Audit"), id="rule in test"),
        pytest.param(
            SIGNING, "status", "CnameMissing", ("Status", "Valid", "CnameMissing"), id="dkim"
        ),
        pytest.param(
            CONTOSO, "reject_direct_send", False, ("RejectDirectSend", "True", "False"), id="all"
        ),
        pytest.param(OWN, "enabled", None, None, id="no longer said"),
        pytest.param(OWN, "require_tls", None, None, id="no longer said, false before"),
        pytest.param(OWN, "treat_messages_as_internal", True, None, id="said for the first time"),
        pytest.param(SIGNING, "status", "", None, id="a word that is always there is not said"),
        pytest.param(OWN, "changed_at", LATER, None, id="only touched"),
        pytest.param(OWN, "created_at", LATER, None, id="a day of birth"),
        pytest.param(BACK, "last_validated_at", LATER, None, id="validated again"),
        pytest.param(BACK, "is_validated", True, None, id="validated"),
        pytest.param(BACK, "validation_recipients", ("a@contoso.com",), None, id="for whom"),
        pytest.param(SIGNING, "rotate_on_date", LATER, None, id="the key will rotate"),
        pytest.param(
            OWN,
            "sender_ip_addresses",
            ("198.51.100.7", "192.0.2.0/28"),
            None,
            id="the same addresses in another order",
        ),
        pytest.param(
            BACK,
            "recipient_domains",
            ("fabrikam.com", "contoso.com"),
            None,
            id="the same domains in another order",
        ),
    ],
)
def test_one_property_changes(
    thing: Any, field: str, value: object, said: tuple[str, str, str] | None
) -> None:
    found = differences(of(thing), of(replace(thing, **{field: value})))
    assert [(each.property, each.before, each.after) for each in found] == ([said] if said else [])
    assert all(each.what == "changed" for each in found)


def test_a_connector_with_a_new_name_has_changed_its_name() -> None:
    change = one(of(OWN), of(replace(OWN, name="From Seattle", guid=GUID.upper())))
    assert (change.name, change.property) == ("From Seattle", "Name")
    assert (change.before, change.after) == ("From own servers", "From Seattle")
    assert change.fix == "Set-InboundConnector -Identity 'From Seattle' -Name 'From own servers'"


def test_a_connector_that_was_made_again_is_the_same_by_its_name() -> None:
    again = replace(OWN, guid=GUID.replace("8", "9"), name="FROM OWN SERVERS")
    found = differences(of(OWN), of(again))
    assert [each.property for each in found] == ["Name", "Guid"]
    assert found[1].fix == ""


def test_an_address_written_otherwise_is_the_same() -> None:
    same = replace(OWN, sender_ip_addresses=("198.51.100.7/32", "192.0.2.0/28"))
    assert differences(of(OWN), of(same)) == ()
    odd = replace(OWN, sender_ip_addresses=("somewhere",))
    assert len(differences(of(odd), of(OWN))) == 1


UNSAID = replace(
    OWN,
    tls_sender_certificate_name="",
    sender_ip_addresses=(),
    require_tls=None,
    unsaid=("require_tls", "sender_ip_addresses", "tls_sender_certificate_name"),
)


def test_what_a_file_has_no_property_for_has_not_gone_to_nothing() -> None:
    assert differences(of(OWN), of(UNSAID)) == differences(of(UNSAID), of(OWN)) == ()
    bare = replace(ROUTING, conditions=(), unsaid=("conditions",))
    assert differences(of(ROUTING), of(bare)) == ()
    assert differences(of(CONTOSO), of(Organisation(name="contoso"))) == ()


def test_objects_that_came_and_went() -> None:
    new = replace(FILTER, changed_at=LATER)
    removed, added = differences(of(OWN), of(new))
    assert (removed.what, removed.name, removed.at) == ("removed", "From own servers", None)
    assert removed.traits == ("on", "on-premises")
    assert (added.what, added.name, added.at) == ("added", "From the filter", LATER)
    assert added.traits == ("on", "restricted")
    assert added.fix == "Set-InboundConnector -Identity 'From the filter' -Enabled $false"


def test_a_kind_that_one_export_does_not_hold_says_nothing() -> None:
    whole = of(OWN, BACK, DOMAIN, ROUTING, SIGNING, CONTOSO)
    assert differences(whole, Export()) == ()
    assert differences(Export(), whole) == ()
    assert {each.what for each in differences(whole, Export(inbound=()))} == {"removed"}


def test_an_object_says_when_it_last_changed() -> None:
    off = replace(OWN, enabled=False)
    assert one(of(OWN), of(replace(off, changed_at=LATER))).at == LATER
    # It had that time already when it was as before: nobody knows when this happened.
    assert one(of(OWN), of(off)).at is None
    assert one(of(OWN), of(replace(off, changed_at=None))).at is None


def test_an_organisation_is_the_same_under_another_name() -> None:
    change = one(of(CONTOSO), of(replace(CONTOSO, name="fabrikam")))
    assert (change.kind, change.name, change.property) == ("organisation", "fabrikam", "Name")
    assert change.fix == ""


def test_conditions_of_a_rule_change_one_by_one() -> None:
    now = replace(ROUTING, conditions=(("FromScope", "InOrganization"), ("SentTo", "x" * 500)))
    change = one(of(ROUTING), of(now))
    assert (change.property, change.before) == ("SentTo", "")
    assert len(change.after) == 200
    (gone,) = differences(of(now), of(ROUTING))
    assert (gone.property, gone.after) == ("SentTo", "")


def rules(names: str) -> Export:
    """Rules in the order of their letters in *names*."""
    return of(*(TransportRule(name=name, priority=place) for place, name in enumerate(names)))


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        pytest.param("abcd", "abcd", [], id="as they were"),
        pytest.param("abcd", "Xabcd", [], id="one that was added moves nobody"),
        pytest.param("abcd", "acd", [], id="nor one that is gone"),
        pytest.param("abcd", "bcda", ["a: 0 to 3"], id="first to last"),
        pytest.param("abcd", "dabc", ["d: 3 to 0"], id="last to first"),
        pytest.param("abcd", "acbd", ["b: 1 to 2"], id="two change places"),
    ],
)
def test_a_rule_that_moved_is_told_from_those_that_made_room(
    before: str, after: str, moved: list[str]
) -> None:
    found = differences(rules(before), rules(after))
    places = [each for each in found if each.property == "Priority"]
    assert [f"{each.name}: {each.before} to {each.after}" for each in places] == moved


def test_rules_without_a_priority_are_in_no_order() -> None:
    plain = of(TransportRule(name="a"), TransportRule(name="b"))
    assert differences(rules("ba"), plain) == ()


def test_a_long_list_shows_what_differs() -> None:
    many = tuple(f"192.0.2.{n}" for n in range(60))
    start = of(replace(OWN, sender_ip_addresses=many))
    change = one(start, of(replace(OWN, sender_ip_addresses=(*many[1:], "203.0.113.1"))))
    assert change.before == "192.0.2.0 and 59 that stay"
    assert change.after == "203.0.113.1 and 59 that stay"
    fewer = one(start, of(replace(OWN, sender_ip_addresses=many[5:])))
    assert fewer.after == "55 that stay"
    others = tuple(f"198.51.100.{n}" for n in range(60))
    replaced = one(start, of(replace(OWN, sender_ip_addresses=others)))
    assert replaced.after.startswith("198.51.100.0, ")
    assert len(replaced.after) == 200


@pytest.mark.parametrize(
    ("thing", "changes", "fixes"),
    [
        pytest.param(
            OWN,
            {"tls_sender_certificate_name": "*.contoso.com"},
            [f"{SET_INBOUND} -TlsSenderCertificateName 'mail.contoso.com'"],
            id="a text",
        ),
        pytest.param(
            replace(OWN, sender_ip_addresses=()),
            {"sender_ip_addresses": ("192.0.2.1",)},
            [f"{SET_INBOUND} -SenderIPAddresses $null"],
            id="an empty list",
        ),
        pytest.param(
            BACK,
            {"use_mx_record": True, "smart_hosts": ()},
            [
                f"{SET_OUTBOUND} -UseMXRecord $false -SmartHosts 'mail.contoso.com'",
                f"{SET_OUTBOUND} -SmartHosts 'mail.contoso.com' -UseMXRecord $false",
            ],
            id="two that are only taken together",
        ),
        pytest.param(
            replace(BACK, tls_settings="none", tls_domain=""),
            {"tls_settings": "encryption-only"},
            [f"{SET_OUTBOUND} -TlsSettings $null"],
            id="opportunistic TLS",
        ),
        pytest.param(
            DOMAIN,
            {"domain_type": "internal-relay"},
            ["Set-AcceptedDomain -Identity 'contoso.com' -DomainType 'Authoritative'"],
            id="the type of a domain",
        ),
        pytest.param(replace(DOMAIN, is_default=True), {"is_default": False}, [""], id="no cmdlet"),
        pytest.param(
            ROUTING,
            {"enabled": False},
            ["Enable-TransportRule -Identity 'Through the archive'"],
            id="rule off",
        ),
        pytest.param(
            replace(ROUTING, enabled=False),
            {"enabled": True},
            ["Disable-TransportRule -Identity 'Through the archive'"],
            id="rule on",
        ),
        pytest.param(
            ROUTING,
            {"set_scl": -1},
            ["Set-TransportRule -Identity 'Through the archive' -SetSCL $null"],
            id="nothing was set",
        ),
        pytest.param(
            SIGNING,
            {"enabled": False},
            ["Set-DkimSigningConfig -Identity 'contoso.com' -Enabled $true"],
            id="signing",
        ),
        pytest.param(
            CONTOSO,
            {"reject_direct_send": False},
            ["Set-OrganizationConfig -RejectDirectSend $true"],
            id="organisation",
        ),
        pytest.param(
            CONTOSO,
            {"message_expiration": "12:00:00"},
            ["Set-TransportConfig -MessageExpiration '1.00:00:00'"],
            id="transport",
        ),
        pytest.param(
            replace(OWN, tls_sender_certificate_name="m\\xfcnchen.example"),
            {"tls_sender_certificate_name": ""},
            [""],
            id="a value that the gate changed",
        ),
        pytest.param(
            replace(ROUTING, name="Caf\\xe9"), {"enabled": False}, [""], id="a name it changed"
        ),
        pytest.param(
            replace(OWN, name="M\\xfcnchen"),
            {"enabled": False},
            [f"Set-InboundConnector -Identity '{GUID}' -Enabled $true"],
            id="a name it changed, and a Guid",
        ),
    ],
)
def test_a_change_is_undone_by_one_line(
    thing: Any, changes: dict[str, object], fixes: list[str]
) -> None:
    found = differences(of(thing), of(replace(thing, **changes)))
    assert [each.fix for each in found] == fixes


@pytest.mark.parametrize(
    ("thing", "fix"),
    [
        pytest.param(
            OWN,
            "New-InboundConnector -Name 'From own servers' -ConnectorType 'OnPremises'"
            " -CloudServicesMailEnabled $true -SenderDomains '*'"
            " -SenderIPAddresses '192.0.2.0/28','198.51.100.7'"
            " -TlsSenderCertificateName 'mail.contoso.com' -RequireTls $false",
            id="inbound connector",
        ),
        pytest.param(replace(OWN, sender_domains=()), "", id="one that is not known well enough"),
        pytest.param(replace(OWN, name="M\\xfcnchen"), "", id="one with another name"),
        pytest.param(
            BACK,
            "New-OutboundConnector -Name 'To own servers' -ConnectorType 'OnPremises'"
            " -RecipientDomains 'contoso.com','fabrikam.com' -UseMXRecord $false"
            " -SmartHosts 'mail.contoso.com' -TlsSettings 'DomainValidation'"
            " -TlsDomain 'mail.contoso.com'",
            id="outbound connector",
        ),
        pytest.param(
            SIGNING,
            "New-DkimSigningConfig -DomainName 'contoso.com' -Enabled $true",
            id="signing",
        ),
        pytest.param(DOMAIN, "", id="a domain is added in the admin centre"),
        pytest.param(ROUTING, "", id="a rule is not known well enough"),
    ],
)
def test_what_was_removed_is_made_again(thing: Any, fix: str) -> None:
    change = one(of(thing), none_like(thing))
    assert (change.what, change.fix) == ("removed", fix)


def none_like(thing: Any) -> Export:
    """An export that holds no object, of the kind of *thing*."""
    held = of(thing)
    (name,) = (each.name for each in fields(Export) if getattr(held, each.name) is not None)
    empty: dict[str, Any] = {name: ()}
    return Export(**empty)


@pytest.mark.parametrize(
    ("thing", "fix"),
    [
        pytest.param(
            BACK, "Set-OutboundConnector -Identity 'To own servers' -Enabled $false", id="connector"
        ),
        pytest.param(replace(OWN, enabled=False), "", id="a connector that is off"),
        pytest.param(replace(FILTER, name="M\\xfcnchen"), "", id="a connector of another name"),
        pytest.param(ROUTING, "Disable-TransportRule -Identity 'Through the archive'", id="rule"),
        pytest.param(replace(ROUTING, enabled=False), "", id="a rule that is off"),
        pytest.param(DOMAIN, "", id="domain"),
    ],
)
def test_what_was_added_is_switched_off(thing: Any, fix: str) -> None:
    change = one(none_like(thing), of(thing))
    assert (change.what, change.fix) == ("added", fix)


@pytest.mark.parametrize(
    ("thing", "field", "value", "is_weaker"),
    [
        pytest.param(FILTER, "restrict_domains_to_certificate", False, True, id="no restriction"),
        pytest.param(FILTER, "require_tls", False, True, id="no TLS"),
        pytest.param(FILTER, "enabled", False, False, id="off is another matter"),
        pytest.param(OWN, "tls_sender_certificate_name", "*.contoso.com", True, id="a wildcard"),
        pytest.param(OWN, "tls_sender_certificate_name", "*.com", True, id="a wider one"),
        pytest.param(OWN, "tls_sender_certificate_name", "", True, id="no name"),
        pytest.param(OWN, "tls_sender_certificate_name", "mx.contoso.com", False, id="another"),
        pytest.param(OWN, "tls_sender_certificate_name", "*.fabrikam.com", False, id="of another"),
        pytest.param(
            replace(OWN, tls_sender_certificate_name=""),
            "tls_sender_certificate_name",
            "*.contoso.com",
            False,
            id="a first name",
        ),
        pytest.param(OWN, "sender_ip_addresses", ("192.0.2.0/24",), True, id="a wider network"),
        pytest.param(OWN, "sender_ip_addresses", ("192.0.2.1",), False, id="a narrower one"),
        pytest.param(OWN, "sender_ip_addresses", ("2001:db8::1",), True, id="another family"),
        pytest.param(OWN, "sender_ip_addresses", (), False, id="no address"),
        pytest.param(
            replace(OWN, sender_ip_addresses=("2001:db8::/32",)),
            "sender_ip_addresses",
            ("2001:db8::1",),
            False,
            id="within the other family",
        ),
        pytest.param(BACK, "tls_settings", "certificate-validation", True, id="laxer TLS"),
        pytest.param(
            replace(BACK, tls_settings="none"),
            "tls_settings",
            "encryption-only",
            False,
            id="stricter",
        ),
        pytest.param(ROUTING, "set_scl", -1, True, id="past the filters"),
        pytest.param(ROUTING, "set_scl", 5, False, id="to the junk folder"),
        pytest.param(
            replace(OWN, treat_messages_as_internal=False),
            "treat_messages_as_internal",
            True,
            True,
            id="trusted",
        ),
        pytest.param(CONTOSO, "reject_direct_send", False, True, id="direct send"),
    ],
)
def test_what_holds_back_less_is_told(
    thing: Any, field: str, value: object, *, is_weaker: bool
) -> None:
    assert one(of(thing), of(replace(thing, **{field: value}))).is_weaker is is_weaker


def test_what_is_no_longer_exported_is_taken_from_before() -> None:
    whole = of(OWN, BACK, DOMAIN, ROUTING, SIGNING, CONTOSO)
    found = together(whole, Export(exported_at=LATER))
    assert found.export == replace(whole, exported_at=LATER)
    assert found.taken_over[0] == "inbound connectors"
    assert together(Export(), whole) == Together(whole)
    assert together(of(OWN), of(FILTER)).export.inbound == (FILTER,)


THINGS = st.lists(
    st.sampled_from(
        [
            *(replace(OWN, name=f"in {n}", guid=f"g{n}", enabled=n % 2 == 0) for n in range(3)),
            *(replace(BACK, name=f"out {n}", smart_hosts=(f"h{n}.example",)) for n in range(3)),
            *(replace(DOMAIN, name=f"d{n}.example") for n in range(3)),
            *(replace(ROUTING, name=f"rule {n}", priority=n) for n in range(4)),
            *(replace(ROUTING, name=f"rule {n}", priority=3 - n) for n in range(4)),
            SIGNING,
            CONTOSO,
        ]
    ),
    unique_by=lambda thing: (type(thing), getattr(thing, "name", "")),
    max_size=12,
)


@given(THINGS, THINGS, st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_order_of_objects_makes_no_difference(
    before: list[Any], after: list[Any], random: Any
) -> None:
    found = differences(of(*before), of(*after))
    random.shuffle(before)
    random.shuffle(after)
    assert differences(of(*before), of(*after)) == found


@given(THINGS, THINGS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_came_one_way_goes_the_other(before: list[Any], after: list[Any]) -> None:
    there, back = differences(of(*before), of(*after)), differences(of(*after), of(*before))
    assert differences(of(*before), of(*before)) == ()

    def names(changes: tuple[Change, ...], what: str) -> list[tuple[str, str]]:
        return sorted((each.kind, each.name) for each in changes if each.what == what)

    assert names(there, "added") == names(back, "removed")
    assert names(there, "removed") == names(back, "added")
