"""Each retirement says when, for whom, what instead, and where that is from; logins find theirs."""

from dataclasses import fields
from datetime import date
from urllib.parse import urlsplit

import pytest

from agent.domain.knowledge.retirements import (
    BASIC_EWS,
    BASIC_HVE,
    BASIC_IMAP,
    BASIC_SMTP,
    EWS,
    LEGACY_TLS,
    LEGACY_TLS_SMTP,
    MOERA,
    RETIREMENTS,
    Protocol,
    Retirement,
    retired_by_login,
)

ALL = [pytest.param(each, id=each.key) for each in RETIREMENTS]


@pytest.mark.parametrize("retired", ALL)
def test_an_entry_is_whole(retired: Retirement) -> None:
    for each in fields(retired):
        value = getattr(retired, each.name)
        assert value or each.name in ("since", "final", "warn_from"), each.name
    page = urlsplit(retired.page)
    assert (page.scheme, page.netloc.partition(".")[2]) == ("https", "microsoft.com")
    assert retired.read >= date(2026, 11, 1)
    assert not retired.what.endswith(".")


@pytest.mark.parametrize("retired", ALL)
def test_the_days_of_an_entry_are_in_order(retired: Retirement) -> None:
    if retired.since is None:
        assert (retired.final, retired.warned_from) == (None, None)
        return
    assert retired.warned_from is not None
    assert date(2022, 1, 1) < retired.warned_from < retired.since < date(2030, 1, 1)
    assert retired.final is None or retired.since < retired.final


def test_keys_are_unique_and_fit_for_a_label() -> None:
    keys = [each.key for each in RETIREMENTS]
    assert len(set(keys)) == len(keys)
    assert all(key.replace("-", "").isalnum() and key == key.lower() for key in keys)


def test_a_warning_begins_a_quarter_of_a_year_before_unless_it_says_more() -> None:
    assert BASIC_SMTP.warned_from == date(2026, 10, 2)
    assert MOERA.warned_from == date(2026, 3, 3)
    assert EWS.warned_from == date(2026, 6, 1)


@pytest.mark.parametrize(
    ("protocol", "host", "is_password", "found"),
    [
        pytest.param("smtp", "smtp.office365.com", True, [BASIC_SMTP], id="submission"),
        pytest.param("smtp", "smtp.office365.com", False, [], id="by a token"),
        pytest.param("smtp", "mail.contoso.com", True, [], id="at somebody else's"),
        pytest.param("smtp", "smtp-hve.office365.com", True, [BASIC_HVE], id="high volume"),
        pytest.param("smtp", "smtp-hve.office365.com", False, [], id="high volume by a token"),
        pytest.param(
            "smtp", "smtp-legacy.office365.com", True, [BASIC_SMTP, LEGACY_TLS_SMTP], id="old TLS"
        ),
        pytest.param("imap", "outlook.office365.com", True, [BASIC_IMAP], id="mailbox"),
        pytest.param("imap", "imap-legacy.office365.com", False, [LEGACY_TLS], id="old TLS, token"),
        pytest.param("pop", "pop-legacy.office365.com", True, [BASIC_IMAP, LEGACY_TLS], id="pop"),
        pytest.param("ews", "outlook.office365.com", True, [BASIC_EWS, EWS], id="EWS"),
        pytest.param("ews", "outlook.office365.com", False, [EWS], id="EWS by a token"),
    ],
)
def test_a_login_finds_what_it_uses(
    protocol: Protocol, host: str, *, is_password: bool, found: list[Retirement]
) -> None:
    assert list(retired_by_login(protocol, host, is_password=is_password)) == found
