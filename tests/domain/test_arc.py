import pytest

from agent.domain.arc import ArcSet, read_sets
from agent.domain.authentication_results import AuthResult, Statement


def test_sets_are_joined_by_their_instance_the_oldest_first() -> None:
    sets = read_sets(
        (
            "i=2; a=rsa-sha256; t=1; cv=pass; d=Example.com; s=s; b=x",
            "i=1; a=rsa-sha256; s=arcselector10001; d=microsoft.com; cv=none; b=y",
        ),
        ("i=1; mx.microsoft.com 1; spf=pass smtp.mailfrom=a.example; arc=none",),
    )
    assert sets == (
        ArcSet(
            1,
            AuthResult.NONE,
            "microsoft.com",
            Statement(
                authserv_id="mx.microsoft.com",
                spf=AuthResult.PASS,
                mail_from="a.example",
                arc=AuthResult.NONE,
            ),
        ),
        ArcSet(2, AuthResult.PASS, "example.com"),
    )


def test_a_set_without_a_seal_is_worth_nothing() -> None:
    assert read_sets((), ("i=1; a; spf=pass",))[0].validation is None


@pytest.mark.parametrize("seal", ["", "cv=pass", "i=0; cv=pass", "i=51; cv=pass", "i=x"])
def test_a_seal_without_an_instance_is_left_out(seal: str) -> None:
    assert read_sets((seal,), ()) == ()


def test_of_two_with_one_number_the_upper_counts() -> None:
    assert read_sets(("i=1; cv=fail", "i=1; cv=none"), ())[0].validation is AuthResult.FAIL
