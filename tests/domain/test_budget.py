"""An allowance holds in every span of its time, whatever the clock does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.budget import Allowance, Bucket, Budget, Load, excesses

START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@given(
    limit=st.integers(1, 30),
    gaps=st.lists(st.floats(0, 40, allow_nan=False), min_size=1, max_size=200),
)
def test_no_span_of_time_sees_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    bucket = Bucket.full(Allowance(limit, MINUTE), START)
    now = START
    sent: list[datetime] = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        after = bucket.spend(now)
        if after is not None:
            bucket = after
            sent.append(now)
    for place, at in enumerate(sent):
        assert sum(other - at < MINUTE - SECOND / 1000 for other in sent[place:]) <= limit


def test_an_empty_bucket_says_how_long_to_wait_and_keeps_its_word() -> None:
    bucket = Bucket.full(Allowance(2, MINUTE), START).spend(START)
    assert bucket is not None
    assert bucket.spend(START + SECOND) is None
    assert bucket.wait(START) == timedelta(seconds=30)
    assert bucket.spend(START + bucket.wait(START)) is not None


def test_a_clock_that_is_set_back_neither_gives_nor_takes() -> None:
    bucket = Bucket.full(Allowance(2, MINUTE), START).spend(START)
    assert bucket is not None
    back = bucket.refilled(START - timedelta(days=1))
    assert back.level == bucket.level
    assert back.spend(START - timedelta(days=1)) is None


def test_a_clock_that_leaps_ahead_gives_one_burst() -> None:
    allowance = Allowance(8, MINUTE)
    bucket = Bucket.full(allowance, START).refilled(START + timedelta(days=365))
    assert bucket.level == allowance.burst == 2


def test_an_allowance_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Allowance(0, MINUTE)


def load(route: str, seconds: float, mail_from: str = "p@contoso.com") -> Load:
    return Load(
        route=route,
        interval=timedelta(seconds=seconds),
        mail_from=mail_from,
        rcpt_to=f"{route}@fabrikam.com",
    )


def test_what_fits_has_no_excess() -> None:
    assert excesses((load("a", 300), load("b", 300)), Budget()) == ()


WIDE = Budget(
    route=Allowance(100, MINUTE),
    minute=Allowance(10_000, MINUTE),
    day=Allowance(10_000_000, timedelta(days=1)),
)


def test_a_rate_of_its_own_counts_instead_of_the_budget_for_each_route() -> None:
    fast = replace(load("a", 20), allowance=Allowance(4, MINUTE))
    assert excesses((fast,), Budget(day=Allowance(10_000, timedelta(days=1)))) == ()


@pytest.mark.parametrize(
    ("loads", "budget", "says"),
    [
        pytest.param(
            (load("a", 30),),
            Budget(),
            "a message every 30s is more often than the budget of the route allows: 2 in 1m,"
            " evenly spread one every 30s",
            id="a route above its own budget",
        ),
        pytest.param(
            (replace(load("a", 20), allowance=Allowance(2, MINUTE)),),
            WIDE,
            "its interval of 20s is shorter than its messages_per_minute allows: 2 in 1m, evenly"
            " spread one every 30s",
            id="a route above a rate of its own",
        ),
        pytest.param(
            tuple(load(f"r{n}", 60) for n in range(11)),
            Budget(day=Allowance(100_000, timedelta(days=1))),
            "11 routes send 11 messages in 1m, and the budget of the agent is 10",
            id="all routes together in a minute",
        ),
        pytest.param(
            (load("a", 40),),
            Budget(),
            "1 routes send 2,160 messages in 1d, and the budget of the agent is 2,000",
            id="all routes together in a day",
        ),
        pytest.param(
            tuple(load(f"r{n}", 1.9) for n in range(1)),
            WIDE,
            "Exchange Online's limit of messages per minute and mailbox (4.3.2) is 30",
            id="a mailbox sends too often",
        ),
        pytest.param(
            (load("a", 2.5),),
            WIDE,
            "Exchange Online's limit of messages per hour from one sender to one mailbox (5.2.121)"
            " is 1,188",
            id="a mailbox receives too much from one",
        ),
        pytest.param(
            (load("a", 600, "p@contoso.onmicrosoft.com"),),
            WIDE,
            "1 routes send 144 messages in 1d, and Exchange Online's limit of external recipients"
            " per day from onmicrosoft.com (5.7.236) is 100",
            id="the tenant's first domain sends to the outside",
        ),
    ],
)
def test_what_cannot_fit_is_said_with_the_arithmetic(
    loads: tuple[Load, ...], budget: Budget, says: str
) -> None:
    found = excesses(loads, budget)
    assert any(says in excess.arithmetic for excess in found), found
