"""The own server shows the certificate of the operator, and a renewed one after a reload."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.adapters.ledger import SINK
from agent.adapters.x509_making import self_signed
from agent.exposition.server import ListenError
from servers.mailroom import Office, office

NAME = "sink.contoso.com"
WAY = {
    "name": "way",
    "send": {
        "smtp": {"host": "127.0.0.1"},
        "mail_from": "from@contoso.com",
        "rcpt_to": "to@contoso.com",
    },
    "receive": {"sink": {}},
}


def renew(it: Office, name: str) -> None:
    """Write a certificate of *name* where the configuration says that it lies."""
    now, day = it.room._own_server._clock.now(), timedelta(days=1)
    pair = self_signed(name, not_before=now - day, not_after=now + 90 * day)
    (it.folder / "chain.pem").write_bytes(pair.certificates)
    (it.folder / "key.pem").write_bytes(pair.key)


def own(it: Office) -> None:
    it.credentials["own"] = {
        "kind": "client-certificate",
        "certificate_file": "chain.pem",
        "private_key_file": "key.pem",
    }


async def shown(it: Office) -> str:
    """Return the name in the certificate that STARTTLS is answered with."""
    sink = it.room._own_server._sink
    assert sink is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
    for said in (b"EHLO a.example\r\n", b"STARTTLS\r\n"):
        await reader.readuntil(b"\r\n")
        writer.write(said)
    while not (await reader.readuntil(b"\r\n")).startswith(b"220"):
        pass
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    await writer.start_tls(context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    alternative = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    (name,) = alternative.value.get_values_for_type(x509.DNSName)
    return name


async def test_a_certificate_is_shown_and_read_anew(tmp_path: Path) -> None:
    async with office(tmp_path, sink=("127.0.0.1", 0)) as it:
        own(it)
        renew(it, NAME)
        config = it.config(WAY, sink={"certificate": "own"})
        await it.room.open_sink(config)
        assert await shown(it) == NAME
        renew(it, "renewed.contoso.com")
        await it.room.open_sink(config)
        assert await shown(it) == "renewed.contoso.com"


async def test_it_says_that_it_is_open_until_it_is_closed(tmp_path: Path) -> None:
    async with office(tmp_path, sink=("127.0.0.1", 0)) as it:
        await it.room.open_sink(it.config(WAY))
        living = it.room._own_server._living
        assert living is not None
        await asyncio.sleep(0)
        assert SINK in it.room._tools.ledger._desk.looks
        assert not living.done()
    assert living.cancelled()


async def test_without_one_it_shows_its_own(tmp_path: Path) -> None:
    async with office(tmp_path, sink=("127.0.0.1", 0)) as it:
        await it.room.open_sink(it.config(WAY, sink={"hostname": NAME}))
        assert await shown(it) == NAME


async def test_one_that_cannot_be_shown_is_told(tmp_path: Path) -> None:
    async with office(tmp_path, sink=("127.0.0.1", 0)) as it:
        own(it)
        renew(it, NAME)
        (it.folder / "key.pem").write_text("not a key")
        config = it.config(WAY, sink={"certificate": "own"})
        with pytest.raises(ListenError, match=r"sink\.certificate own cannot be shown: "):
            await it.room.open_sink(config)
