"""Each cloud has its own endpoints, and Microsoft's mail hosts are told from others."""

from typing import get_args
from urllib.parse import urlsplit

import pytest

from agent.config.credentials import Cloud
from agent.domain.knowledge.microsoft_endpoints import (
    ENDPOINTS,
    Endpoints,
    is_microsofts,
)

ALL = [pytest.param(each, id=name) for name, each in ENDPOINTS.items()]


@pytest.mark.parametrize("endpoints", ALL)
def test_an_endpoint_is_a_host_under_tls_and_a_scope_is_one_of_it(endpoints: Endpoints) -> None:
    for base in (endpoints.authority, endpoints.graph):
        parts = urlsplit(base)
        assert (parts.scheme, parts.path, parts.query, parts.port) == ("https", "", "", None)
    scope = urlsplit(endpoints.mail_scope)
    assert (scope.scheme, scope.path) == ("https", "/.default")
    assert is_microsofts(scope.hostname or "")


def test_no_two_clouds_share_an_endpoint() -> None:
    for name in ("graph", "mail_scope"):  # the two American ones share the identity provider
        assert len({getattr(each, name) for each in ENDPOINTS.values()}) == len(ENDPOINTS)
    assert len({each.authority for each in ENDPOINTS.values()}) == len(ENDPOINTS) - 1


def test_the_clouds_are_those_of_the_configuration() -> None:
    assert set(ENDPOINTS) == set(get_args(Cloud))


@pytest.mark.parametrize(
    "host",
    [
        "outlook.office365.com",
        "smtp.office365.com",
        "outlook.office.com",
        "smtp-mail.outlook.com",
        "outlook.office365.us",
        "smtp.partner.outlook.cn",
        "partner.outlook.cn",
    ],
)
def test_microsofts_hosts_are_known(host: str) -> None:
    assert is_microsofts(host)


@pytest.mark.parametrize(
    "host",
    ["mail.contoso.com", "notoffice365.com", "office365.com.contoso.com", "outlook.com.example"],
)
def test_hosts_of_others_are_not_microsofts(host: str) -> None:
    assert not is_microsofts(host)
