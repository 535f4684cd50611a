from ipaddress import ip_network

import pytest

from agent.domain.estate import Estate

ESTATE = Estate.read(["Mail.contoso.com.", "*.fabrikam.com", "192.0.2.0/28", "2001:db8::/32"])


def test_words_are_sorted_into_patterns_and_networks() -> None:
    assert ESTATE.patterns == ("mail.contoso.com", "*.fabrikam.com")
    assert ESTATE.networks == (ip_network("192.0.2.0/28"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("host", "is_in"),
    [
        ("mail.contoso.com", True),
        ("a.mail.contoso.com", False),
        ("a.b.fabrikam.com", True),
        ("fabrikam.com", False),
        ("xfabrikam.com", False),
        ("", False),
    ],
)
def test_a_host_is_one_of_the_names_or_below_a_pattern(host: str, *, is_in: bool) -> None:
    assert ESTATE.has_host(host) is is_in


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("192.0.2.15", True),
        ("192.0.2.16", False),
        ("2001:db8::25", True),
        ("2001:db9::25", False),
        ("", False),
    ],
)
def test_an_address_is_in_a_network_of_its_family(address: str, *, is_in: bool) -> None:
    assert ESTATE.has_address(address) is is_in


def test_nothing_has_nobody() -> None:
    assert not Estate().has_host("mail.contoso.com")
    assert not Estate().has_address("192.0.2.1")


@pytest.mark.parametrize("word", ["", "*", "*.", "a b", "a*.example", "192.0.2.0/99", "-a"])
def test_a_word_that_is_neither_is_named(word: str) -> None:
    with pytest.raises(ValueError, match="is no host, no pattern"):
        Estate.read([word])
