"""Who signed a message is read from the signature, whatever stands there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.dkim_signature import MAX_SIGNATURES, Signer, read_signers, selectors_for

FOLDED = (
    "v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=Contoso.com.; S=other; s=Selector1;"
    "\r\n\tbh=eA==; b=eA=="
)


SIGNED = (("contoso.com", "b"), ("contoso.onmicrosoft.com", "a"), ("contoso.com", "a"))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (FOLDED, (Signer("contoso.com", "selector1"),)),
        ("d=contoso.com;s=a.b", (Signer("contoso.com", "a.b"),)),
        ("d=contoso.com; s=one; s=two", (Signer("contoso.com", "one"),)),
        ("s=selector1", ()),
        ("d=contoso.com", ()),
        ("d=contoso.com; s=white space", ()),
        ("d=-; s=selector1", ()),
        ("", ()),
        (";" * 200 + "d=contoso.com; s=late", ()),
    ],
)
def test_domain_and_selector_are_read(value: str, found: tuple[Signer, ...]) -> None:
    assert read_signers([value]) == found


def test_each_is_told_once_and_not_without_end() -> None:
    assert read_signers(["d=contoso.com;s=a"] * 3) == (Signer("contoso.com", "a"),)
    many = [f"d=contoso.com;s=s{number}" for number in range(100)]
    assert len(read_signers(many)) == MAX_SIGNATURES


def test_only_signatures_in_the_name_of_the_domain_count() -> None:
    signers = read_signers(
        ["d=contoso.com;s=b", "d=contoso.onmicrosoft.com;s=a", "d=contoso.com;s=a"]
    )
    assert selectors_for(signers, "Contoso.com") == ("b", "a")
    assert selectors_for(signers, "fabrikam.com") == ()


@given(st.text())
def test_nothing_breaks_it(value: str) -> None:
    for one in read_signers([value]):
        assert one.domain
        assert one.selector
