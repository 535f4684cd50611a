import pytest

from agent.domain.lookup import Exchange, TextRecord
from agent.lab.faults import BY_NAME, FAULTS, Behaviour, World
from agent.lab.world import WORLD, read_zone


def test_a_long_record_is_split_into_strings_that_the_wire_can_carry() -> None:
    zone = read_zone("example.com TXT " + "x" * 600)
    (record,) = zone["example.com", "TXT"]
    assert isinstance(record, TextRecord)
    assert [len(string) for string in record.strings] == [255, 255, 90]


def test_the_root_as_exchange_is_the_null_mx() -> None:
    assert read_zone("example.com MX 0 .")["example.com", "MX"] == (Exchange(0, ""),)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="HINFO is no record type"):
        read_zone("example.com HINFO pc linux")


def test_a_name_may_have_several_records_of_a_type() -> None:
    assert len(read_zone(WORLD)["wingtiptoys.com", "TXT"]) == 2


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_every_fault_changes_the_world_and_mending_it_brings_the_world_back(name: str) -> None:
    world = World()
    before = dict(world.zone)
    world.break_(name)
    fault = BY_NAME[name]
    changed = (
        world.zone != before
        or world.is_silent
        or world.is_captive
        or world.is_stalled
        or world.is_failing("contoso.com")
        or world.second_refuses("contoso.com")
        or world.second_zone != world.zone
        or any(world.behaves(behaviour) for behaviour in Behaviour)
    )
    assert changed
    assert list(world.broken) == [fault.name]
    world.mend(name)
    assert world.zone == before
    assert not world.is_silent
    assert not world.is_stalled
    assert not world.is_failing("contoso.com")
    assert not world.second_refuses("contoso.com")
    assert world.second_zone == before
    assert not world.broken


def test_faults_add_up_and_are_mended_together() -> None:
    world = World()
    world.break_("spf-missing")
    world.break_("mx-missing")
    assert ("contoso.com", "TXT") not in world.zone
    assert ("contoso.com", "MX") not in world.zone
    world.mend()
    assert world.zone == read_zone(WORLD)


def test_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        World().break_("coffee-missing")
    with pytest.raises(KeyError):
        World().mend("coffee-missing")


def test_servers_fail_for_the_domain_and_what_is_below_it_only() -> None:
    world = World()
    world.break_("dns-failing")
    assert world.is_failing("mail.contoso.com")
    assert not world.is_failing("notcontoso.com")
