"""Whose certificate has a name."""

import pytest

from agent.domain.knowledge.certificate_names import filter_of, signature_service_of


@pytest.mark.parametrize(
    ("name", "service"),
    [
        pytest.param("*.crossware.co.nz", "Crossware Mail Signature", id="for everybody"),
        pytest.param("c1.smtp.excl.cloud", "Exclaimer Cloud", id="for one customer"),
        pytest.param("exclaimer.net", "Exclaimer Cloud", id="the domain itself"),
        pytest.param("notexclaimer.net", "", id="another domain"),
    ],
)
def test_signature_services(name: str, service: str) -> None:
    assert signature_service_of(name) == service


@pytest.mark.parametrize(
    ("name", "title"),
    [
        pytest.param("*.pphosted.com", "Proofpoint", id="with a star"),
        pytest.param("pphosted.com", "Proofpoint", id="the domain itself"),
        pytest.param("eu.mimecast.com", "Mimecast", id="a host"),
        pytest.param("contoso.com", "", id="nobody's"),
    ],
)
def test_filters(name: str, title: str) -> None:
    assert filter_of(name) == title
