"""TLSA records against the certificates that servers show."""

import hashlib

import pytest

from agent.domain.dane import Shown, agrees
from agent.domain.tlsa import Tlsa, read_tlsa

LEAF, ABOVE = Shown(b"leaf", b"leaf's key"), Shown(b"above", b"above's key")
CHAIN = (LEAF, ABOVE)


def sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


@pytest.mark.parametrize(
    ("record", "fits"),
    [
        pytest.param(Tlsa(3, 1, 1, sha256(LEAF.key)), True, id="3 1 1"),
        pytest.param(Tlsa(3, 0, 1, sha256(LEAF.certificate)), True, id="3 0 1"),
        pytest.param(Tlsa(3, 1, 2, hashlib.sha512(LEAF.key).digest()), True, id="3 1 2"),
        pytest.param(Tlsa(3, 1, 0, LEAF.key), True, id="3 1 0"),
        pytest.param(Tlsa(3, 1, 1, sha256(ABOVE.key)), False, id="3 1 1 of the authority"),
        pytest.param(Tlsa(2, 1, 1, sha256(ABOVE.key)), True, id="2 1 1"),
        pytest.param(Tlsa(2, 0, 1, sha256(b"another")), False, id="2 0 1 of another"),
        pytest.param(Tlsa(1, 1, 1, sha256(LEAF.key)), None, id="usage 1"),
        pytest.param(Tlsa(3, 2, 1, sha256(LEAF.key)), None, id="unknown selector"),
        pytest.param(Tlsa(3, 1, 9, sha256(LEAF.key)), None, id="unknown matching"),
        pytest.param(Tlsa(3, 1, 0, b""), None, id="empty"),
    ],
)
def test_a_record_and_a_chain(record: Tlsa, *, fits: bool | None) -> None:
    assert agrees((record,), CHAIN) is fits


def test_one_of_several_is_enough_while_a_key_is_renewed() -> None:
    old, new = Tlsa(3, 1, 1, sha256(b"old")), Tlsa(3, 1, 1, sha256(LEAF.key))
    assert agrees((old, new), CHAIN)
    assert agrees((old, Tlsa(1, 1, 1, sha256(LEAF.key))), CHAIN) is False


def test_records_are_read_as_the_resolver_writes_them() -> None:
    text = "3 1 1 " + "ab" * 16 + " " + "cd" * 16
    assert read_tlsa((text, "3 1", "x y z w", "3 1 1 xy")) == (
        Tlsa(3, 1, 1, bytes.fromhex("ab" * 16 + "cd" * 16)),
    )
    assert str(read_tlsa((text,))[0]).startswith("3 1 1 abab")
