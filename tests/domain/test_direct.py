"""A server that only sends on to others has answered nothing itself."""

import pytest

from agent.domain.direct import Code, Said


@pytest.mark.parametrize(
    ("said", "is_referral"),
    [
        pytest.param(Said(Code.NOERROR, delegation=("ns.example.com",)), True, id="sends on"),
        pytest.param(
            Said(Code.NOERROR, authoritative=True, delegation=("ns.example.com",)),
            False,
            id="speaks for itself",
        ),
        pytest.param(
            Said(Code.NOERROR, ("x",), delegation=("ns.example.com",)), False, id="answers"
        ),
        pytest.param(Said(Code.NOERROR), False, id="says nothing"),
        pytest.param(Said(Code.REFUSED, delegation=("ns.example.com",)), False, id="refuses"),
    ],
)
def test_a_referral_answers_nothing_itself(said: Said, *, is_referral: bool) -> None:
    assert said.is_referral is is_referral
