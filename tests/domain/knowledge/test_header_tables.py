import pytest

from agent.domain.knowledge.antispam_words import BCL, SCL, WORDS
from agent.domain.knowledge.compauth_reasons import CLASSES, REASONS, compauth_meaning
from agent.domain.knowledge.filter_hosts import FILTER_HOSTS, filter_title
from agent.domain.knowledge.microsoft_hosts import SUFFIXES, HostClass, host_class
from agent.domain.knowledge.providers import PROFILES


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("contoso-com.mail.protection.outlook.com", HostClass.EDGE),
        ("cy1nam02ft052.eop-nam02.prod.protection.outlook.com", HostClass.EDGE),
        ("contoso-com.a-v1.mx.microsoft", HostClass.EDGE),
        ("apc01-sg2-obe.outbound.protection.outlook.com", HostClass.OUTBOUND),
        ("slxp216mb0381.korp216.prod.outlook.com", HostClass.MAILBOX),
        ("du2pr04ca0012.outlook.office365.com", HostClass.MAILBOX),
        ("hk2pr0101ca2025.apcprd01.prod.exchangelabs.com", HostClass.MAILBOX),
        ("outlook.com", None),
        ("prod.outlook.com.evil.example", None),
        ("", None),
    ],
)
def test_a_host_of_microsoft_is_known_by_its_name(host: str, found: HostClass | None) -> None:
    assert host_class(host) is found


def test_no_name_is_below_a_name_of_another_class() -> None:
    for suffix, found in SUFFIXES.items():
        assert {SUFFIXES[each] for each in SUFFIXES if suffix.endswith(each)} == {found}


def test_every_filter_among_the_providers_is_known_by_its_hosts() -> None:
    for profile in PROFILES.values():
        for pattern in profile.exchange_patterns if profile.role == "filter" else ():
            assert filter_title(pattern.replace("*", "mx1")) == profile.title
    assert filter_title("mx.example") == ""
    assert all(pattern.startswith("*.") for pattern in FILTER_HOSTS)


def test_every_reason_of_composite_authentication_has_a_meaning() -> None:
    assert all(compauth_meaning(reason) for reason in REASONS)
    assert all(compauth_meaning(f"{digit}99") for digit in CLASSES)
    assert compauth_meaning("099") == compauth_meaning("") == ""


def test_every_level_and_every_word_has_a_meaning() -> None:
    assert set(SCL) == set(range(-1, 10))
    assert set(BCL) == set(range(10))
    assert all(meaning for words in WORDS.values() for meaning in words.values())
