"""The subjects of the configuration, as their sections read."""

from typing import Any

import pytest
from pydantic import ValidationError

from agent.settings import ConnectorSubject, DomainSubject, Expect, RouteSubject


def connector(**fields: Any) -> ConnectorSubject:
    return ConnectorSubject.model_validate(
        {"name": "to-datacentre", "smart_hosts": ("mail.contoso.com",), **fields}
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("EncryptionOnly", "encryption-only", id="Exchange's spelling"),
        pytest.param("certificate-validation", "certificate-validation", id="ours"),
        pytest.param(None, "none", id="Exchange's null"),
    ],
)
def test_tls_settings_are_read_in_both_spellings(written: str | None, meant: str) -> None:
    assert connector(tls_settings=written).tls_settings == meant


def test_domain_validation_has_a_domain_and_nothing_else_has() -> None:
    with_domain = connector(tls_settings="DomainValidation", tls_domain="*.contoso.com")
    assert with_domain.tls_domain == "*.contoso.com"
    with pytest.raises(ValidationError, match="needs a tls_domain"):
        connector(tls_settings="domain-validation")
    with pytest.raises(ValidationError, match="is only used with"):
        connector(tls_settings="encryption-only", tls_domain="contoso.com")
    with pytest.raises(ValidationError, match="Input should be"):
        connector(tls_settings=1)


def test_a_message_is_late_before_it_is_lost() -> None:
    assert Expect().within < Expect().lost_after
    with pytest.raises(ValidationError, match="longer than within"):
        Expect.model_validate({"within": "5m", "lost_after": "5m"})


def test_a_route_has_defaults_for_all_but_how_it_sends() -> None:
    route = RouteSubject.model_validate(
        {
            "name": "in",
            "send": {
                "smtp": {"host": "mail.contoso.com"},
                "mail_from": "<>",
                "rcpt_to": "in@contoso.com",
            },
        }
    )
    assert route.send.smtp is not None
    assert (route.send.smtp.port, route.send.smtp.tls) == (25, "opportunistic")
    assert route.send.mail_from == ""


def test_every_field_of_a_subject_has_a_description() -> None:
    for model in (DomainSubject, ConnectorSubject, RouteSubject):
        assert all(field.description for field in model.model_fields.values())
