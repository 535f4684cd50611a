"""Which checks follow from files that change while the agent runs?"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.adapters.store import Store
from agent.app.estates import Estates
from agent.config import Config, load
from servers.exports import combined
from servers.standings import HandClock

FILE = """
tenants:
  - name: contoso
    connectors: {import: export/contoso.json}
  - name: fabrikam
    domains: [{name: fabrikam.com}]
"""


class Place:
    """A configuration and its exports in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.estates: Estates = None  # type: ignore[assignment] # opened by the fixture
        (folder / "export").mkdir()
        self.write_config(FILE)

    def write_config(self, text: str) -> None:
        (self.folder / "c.yaml").write_text(text)
        self.config: Config = load(self.folder / "c.yaml")

    def export(self, **changes: Any) -> None:
        self.write(json.dumps(combined(**changes)))

    def write(self, text: str) -> None:
        (self.folder / "export/contoso.json").write_text(text)

    async def read(self) -> bool:
        return await self.estates.read(self.config)

    def identities(self) -> set[str]:
        return {check.identity for check in self.estates.checks}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    found = Place(tmp_path)
    store = Store(tmp_path / "state")
    await store.open()
    found.estates = await Estates.open(store, found.clock)
    yield found
    await store.close()


async def test_what_is_exported_is_checked(place: Place) -> None:
    place.export()
    assert await place.read()
    assert "contoso/domain/contoso.com/spf" in place.identities()
    assert place.estates.tenancies["contoso"].tenancy is not None
    assert not await place.read()


async def test_a_file_that_is_not_there_is_said_and_read_when_it_comes(place: Place) -> None:
    await place.read()
    known = place.estates.tenancies["contoso"]
    assert known.tenancy is None
    assert "contoso.json" in known.trouble
    assert place.identities() == set()
    place.export()
    assert await place.read()
    assert place.identities()


async def test_a_broken_file_changes_nothing_but_what_is_said(place: Place) -> None:
    place.export()
    await place.read()
    before = place.identities()
    place.write("{")
    assert await place.read()
    known = place.estates.tenancies["contoso"]
    assert known.trouble
    assert known.broken_since == place.clock.now()
    assert known.tenancy is not None
    assert place.identities() == before


async def test_a_change_is_noted(place: Place) -> None:
    place.export()
    await place.read()
    place.export(inbound=[])
    await place.read()
    changes = place.estates.tenancies.changes("contoso", place.clock.now(), timedelta(days=1))
    assert {change.what for change in changes} == {"removed"}


async def test_a_changed_configuration_takes_everything_in_anew(place: Place) -> None:
    place.export()
    await place.read()
    place.write_config(
        FILE.replace("connectors:", "domains: [{name: contoso.com}]\n    connectors:")
    )
    assert await place.read()
    assert "contoso/domain/contoso.com/spf" not in place.identities()
    place.write_config("tenants: [{name: fabrikam}]")
    assert await place.read()
    assert place.identities() == set()
    assert "contoso" not in place.estates.tenancies.landscape
    assert place.estates.tenancies["contoso"].tenancy is None


async def test_hosts_that_nobody_meets_any_more_are_forgotten(place: Place) -> None:
    place.export()
    await place.read()
    now = place.clock.now()
    place.estates.sightings.note_certificate("mx.contoso.com", ("mx.contoso.com",), now, now)
    place.clock.advance(timedelta(days=8))
    await place.read()
    assert not place.estates.sightings.certificates()


async def test_a_tenancy_that_is_the_same_stays_the_same(place: Place) -> None:
    place.export()
    await place.read()
    known = place.estates.tenancies["contoso"]
    assert place.estates.tenancies.tell("contoso", replace(known, trouble="it is broken")) == {
        "contoso"
    }
