"""An export comes back as it was, whatever it says; what nobody wrote does not come back at all."""

import base64
import json
import zlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.domain.tenancy import export_codec
from agent.domain.tenancy.drift import Change
from agent.domain.tenancy.export_codec import decode, decode_changes, encode, encode_changes
from agent.domain.tenancy.objects import (
    AcceptedDomain,
    DkimConfig,
    Export,
    Inbound,
    Organisation,
    Outbound,
    TransportRule,
)

TIMES = st.datetimes(timezones=st.just(UTC))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def made(kind: type) -> st.SearchStrategy[Any]:
    """Make objects of *kind* with any value in any field."""
    hints = get_type_hints(kind)
    return st.builds(
        kind,
        **{
            name: TIMES | st.none() if "datetime" in str(hint) else st.from_type(hint)
            for name, hint in hints.items()
        },
    )


def several(kind: type) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(made(kind), max_size=3).map(tuple)


EXPORTS = st.builds(
    Export,
    inbound=several(Inbound),
    outbound=several(Outbound),
    domains=several(AcceptedDomain),
    rules=several(TransportRule),
    dkim=several(DkimConfig),
    organisation=st.none() | made(Organisation),
    exported_at=TIMES | st.none(),
)


@given(EXPORTS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_an_export_comes_back_as_it_was(export: Export) -> None:
    text = encode(export)
    assert text.isascii()
    assert decode(text) == export
    assert encode(decode(text)) == text


@given(st.lists(made(Change), max_size=5).map(tuple))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_changes_come_back_as_they_were(changes: tuple[Change, ...]) -> None:
    assert decode_changes(encode_changes(changes)) == changes


def test_what_is_not_said_stays_unsaid() -> None:
    assert decode(encode(Export())) == Export()
    assert decode(encode(Export(inbound=()))).inbound == ()
    connector = Inbound(name="a", enabled=False)
    assert decode(encode(Export(inbound=(connector,)))).inbound == (connector,)


def test_a_usual_tenant_is_small() -> None:
    domains = tuple(
        AcceptedDomain(
            name=f"brand{n}.contoso.com",
            domain_type="authoritative",
            is_default=n == 0,
            is_initial=False,
            match_subdomains=False,
            outbound_only=False,
            sending_from_disabled=False,
            sending_to_disabled=False,
            authentication_type="Managed",
            changed_at=at_minute(n),
        )
        for n in range(10)
    )
    connectors = tuple(
        Inbound(
            name=f"From gateway {n}",
            guid=f"8f0c2e1{n}-4a5b-4c6d-8e9f-0a1b2c3d4e{n}f",
            enabled=True,
            connector_type="partner",
            connector_source="AdminUI",
            sender_domains=("*",),
            sender_ip_addresses=tuple(f"203.0.113.{16 * n + m}" for m in range(8)),
            tls_sender_certificate_name=f"*.gateway{n}.fabrikam.com",
            require_tls=True,
            restrict_domains_to_certificate=True,
            restrict_domains_to_ip_addresses=False,
            cloud_services_mail_enabled=False,
            treat_messages_as_internal=False,
            ef_skip_last_ip=True,
            created_at=NOON,
            changed_at=at_minute(n),
        )
        for n in range(5)
    )
    assert len(encode(Export(domains=domains, inbound=connectors))) < 2000


def at_minute(minute: int) -> datetime:
    return NOON.replace(minute=minute)


def packed(value: Any) -> str:
    return base64.b85encode(zlib.compress(json.dumps(value).encode())).decode()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "cut off", id="empty"),
        pytest.param("{}", "cut off", id="plain JSON"),
        pytest.param("\x00", "bad base85", id="no text of ours"),
        pytest.param(packed({})[:-5], "cut off", id="its end is missing"),
        pytest.param(base64.b85encode(b"no zlib").decode(), "not packed", id="another packing"),
        pytest.param(
            base64.b85encode(zlib.compress(b"{}") + b"more").decode(), "more follows", id="more"
        ),
        pytest.param(base64.b85encode(zlib.compress(b"{")).decode(), "Expecting", id="no JSON"),
        pytest.param(
            base64.b85encode(zlib.compress(b"[" * 200_000)).decode(), "too deeply", id="nested"
        ),
        pytest.param(packed([]), "not an object", id="a list"),
        pytest.param(packed({"colour": 1}), "properties of Export", id="an unknown kind"),
        pytest.param(packed({"inbound": {}}), "not a list", id="an object for a list"),
        pytest.param(packed({"inbound": [{}]}), "properties of Inbound", id="no name"),
        pytest.param(packed({"inbound": [{"name": 1}]}), "not str", id="a number for a text"),
        pytest.param(
            packed({"inbound": [{"name": "a", "enabled": 1}]}),
            "not bool",
            id="a number for a truth",
        ),
        pytest.param(
            packed({"rules": [{"name": "a", "priority": True}]}),
            "not int",
            id="a truth for a number",
        ),
        pytest.param(
            packed({"inbound": [{"name": "a", "connector_type": "hybrid"}]}),
            "not one of on-premises, partner",
            id="an unknown word",
        ),
        pytest.param(
            packed({"rules": [{"name": "a", "conditions": [["x"]]}]}),
            "not 2 values",
            id="one of two",
        ),
        pytest.param(packed({"exported_at": 5}), "not a time", id="a number for a time"),
        pytest.param(packed({"exported_at": "soon"}), "Invalid isoformat", id="no time"),
        pytest.param(
            packed({"exported_at": "2026-11-23T12:00:00"}),
            "a time with its zone",
            id="no time zone",
        ),
    ],
)
def test_what_nobody_wrote_is_an_error(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        decode(text)


def test_a_text_that_unpacks_to_more_than_any_export_is_an_error() -> None:
    bomb = zlib.compress(b"[" + b" " * (export_codec.MAX_TEXT + 1), 9)
    with pytest.raises(ValueError, match="longer than any export"):
        decode(base64.b85encode(bomb).decode())


def test_a_time_of_another_zone_is_the_same_time() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=2)))
    assert decode(encode(Export(exported_at=there))).exported_at == NOON
