"""Do the tables hold together, and with what the configuration offers?"""

from typing import get_args

import pytest

from agent.domain.knowledge.clouds import CLOUDS, LEGACY_EXCHANGES, UNNEEDED_INCLUDES
from agent.domain.knowledge.providers import PROFILES, Profile
from agent.domain.knowledge.topologies import TOPOLOGIES
from agent.domain.names import DomainName
from agent.settings import Topology

PATTERNS = [
    *(pattern for profile in PROFILES.values() for pattern in profile.exchange_patterns),
    *(pattern for cloud in CLOUDS.values() for pattern in cloud.exchange_patterns),
    *LEGACY_EXCHANGES,
]
INCLUDES = [
    *(name for profile in PROFILES.values() for name in profile.spf_includes),
    *(cloud.spf_include for cloud in CLOUDS.values()),
    *UNNEEDED_INCLUDES,
]


def test_topologies_are_those_of_the_configuration() -> None:
    assert set(TOPOLOGIES) == set(get_args(Topology))


def test_senders_of_a_topology_are_profiles() -> None:
    for topology in TOPOLOGIES.values():
        assert set(topology.senders) <= set(PROFILES)


def test_a_topology_that_sends_nothing_has_no_senders_and_says_so() -> None:
    parked = TOPOLOGIES["parked"]
    assert not parked.sends
    assert parked.senders == ()
    assert parked.expected_spf == "v=spf1 -all"


def test_clouds_that_exist_are_profiles_and_closed_ones_are_not() -> None:
    for cloud in CLOUDS.values():
        assert (cloud.name in PROFILES) is not bool(cloud.retired)
        if not cloud.retired:
            assert PROFILES[cloud.name].exchange_patterns == cloud.exchange_patterns
            assert PROFILES[cloud.name].spf_includes == (cloud.spf_include,)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_a_host_name_with_at_most_one_leading_asterisk(pattern: str) -> None:
    name = pattern.removeprefix("*.")
    assert DomainName.parse(name).ascii == name


@pytest.mark.parametrize("name", INCLUDES)
def test_an_include_is_a_name_in_its_only_form(name: str) -> None:
    assert DomainName.parse(name).ascii == name


def test_no_two_profiles_claim_the_same_host_or_include() -> None:
    hosts = [pattern for one in PROFILES.values() for pattern in one.exchange_patterns]
    includes = [name for one in PROFILES.values() for name in one.spf_includes]
    assert len(set(hosts)) == len(hosts)
    assert len(set(includes)) == len(includes)


def test_a_profile_is_found_by_its_own_name() -> None:
    assert all(profile.name == name for name, profile in PROFILES.items())
    assert all(cloud.name == name for name, cloud in CLOUDS.items())


def test_a_filter_has_hosts_and_a_sender_an_include() -> None:
    for profile in PROFILES.values():
        wanted = profile.exchange_patterns if profile.role == "filter" else profile.spf_includes
        assert wanted, profile.name


def test_a_provider_without_a_name_to_include_has_none() -> None:
    assert Profile("x", "X").spf_includes == ()
