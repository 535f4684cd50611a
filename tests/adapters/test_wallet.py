"""Client certificates are read when they are used."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.adapters.wallet import Wallet, WalletError
from agent.adapters.x509_making import Authority, KeyPair
from agent.app.options import pairs
from agent.config import load

NOW = datetime.now(UTC)
ROOT = Authority("Root", at=NOW)
FILE = """
credentials:
  mine: {kind: client-certificate, certificate_file: mine.pem, private_key_file: mine.key}
  other: {kind: password, username: a, password_file: mine.key}
"""


def write(folder: Path, pair: KeyPair) -> None:
    (folder / "mine.pem").write_bytes(pair.certificates)
    (folder / "mine.key").write_bytes(pair.key)
    (folder / "mine.key").chmod(0o600)


def issued() -> KeyPair:
    return ROOT.issue("mail.contoso.com", not_before=NOW, not_after=NOW + timedelta(days=9))


async def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    first, second = issued(), issued()
    write(tmp_path, first)
    (tmp_path / "config.yaml").write_text(FILE)
    wallet = Wallet()
    wallet.replace(pairs(load(tmp_path / "config.yaml")))
    assert (await wallet.pair("mine")).key.strip() == first.key.strip()
    write(tmp_path, second)
    assert (await wallet.pair("mine")).key.strip() == second.key.strip()


async def test_a_half_renewed_pair_is_not_shown(tmp_path: Path) -> None:
    write(tmp_path, issued())
    (tmp_path / "config.yaml").write_text(FILE)
    wallet = Wallet(pairs(load(tmp_path / "config.yaml")))
    (tmp_path / "mine.key").write_bytes(issued().key)
    with pytest.raises(WalletError, match=r"credential mine: .* do not fit"):
        await wallet.pair("mine")
    (tmp_path / "mine.key").unlink()
    with pytest.raises(WalletError, match="does not exist"):
        await wallet.pair("mine")
    with pytest.raises(WalletError, match="there is no credential other"):
        await wallet.pair("other")
