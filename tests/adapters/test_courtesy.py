"""Who asks us to slow down is left alone, and nobody is knocked up twice at once."""

from datetime import timedelta
from ipaddress import ip_address

from agent.adapters.courtesy import FIRST_PAUSE, LONGEST_PAUSE, Courtesy
from servers.standings import HandClock

ONE, TWO = ip_address("192.31.196.1"), ip_address("192.31.196.2")
NOW = timedelta()


def test_turns_at_one_address_keep_their_distance() -> None:
    clock = HandClock()
    courtesy = Courtesy(clock, timedelta(seconds=2))
    assert [courtesy.wait_for(ONE) for _ in range(3)] == [0, 2, 4]
    assert courtesy.wait_for(TWO) == 0
    clock.advance(timedelta(seconds=5))
    assert courtesy.wait_for(ONE) == 1
    assert Courtesy(clock).wait_for(ONE) == 0


def test_what_is_over_is_forgotten() -> None:
    clock = HandClock()
    courtesy = Courtesy(clock, timedelta(seconds=1))
    for number in range(5000):
        courtesy.wait_for(ip_address(number + 2**24))
        clock.advance(timedelta(milliseconds=10))
    assert len(courtesy._free_from) < 4200


def test_a_pause_grows_until_the_server_is_content() -> None:
    clock = HandClock()
    courtesy = Courtesy(clock)
    assert courtesy.held(ONE) is None
    assert courtesy.note(ONE, throttled=True) == NOW
    assert courtesy.held(ONE) == (NOW, FIRST_PAUSE)
    assert courtesy.held(TWO) is None
    began, pause = clock.monotonic(), FIRST_PAUSE
    for _ in range(8):
        clock.advance(pause)
        assert courtesy.held(ONE) is None  # the next session may find out
        lasting = courtesy.note(ONE, throttled=True)
        assert lasting == timedelta(seconds=clock.monotonic() - began)
        pause = min(2 * pause, LONGEST_PAUSE)
        assert courtesy.held(ONE) == (lasting, pause)
    assert pause == LONGEST_PAUSE
    assert courtesy.note(ONE, throttled=False) is None
    assert courtesy.held(ONE) is None
    assert courtesy.note(ONE, throttled=True) == NOW


def test_no_number_of_servers_fills_the_memory() -> None:
    courtesy = Courtesy(HandClock())
    for number in range(5000):
        courtesy.note(ip_address(number + 2**24), throttled=True)
    assert len(courtesy._holds) < 4200
