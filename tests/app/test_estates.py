"""Which checks follow from files that change while the agent runs?"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.adapters.store import Store
from agent.adapters.tenancies import Known
from agent.app.estates import Estates
from agent.config import Config, load
from servers.exports import HOSTED, combined, domain, inbound, initial, org, outbound
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
        self.store: Store = None  # type: ignore[assignment] # opened by the fixture
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

    def known(self, tenant: str = "contoso") -> Known:
        return self.estates.tenancies[tenant]

    def changes(self) -> set[str]:
        found = self.estates.tenancies.changes("contoso", self.clock.now(), timedelta(days=1))
        return {change.what for change in found}

    async def restart(self) -> None:
        """Start again on what the store has."""
        await self.store.close()
        self.store = Store(self.folder / "state")
        await self.store.open()
        self.estates = await Estates.open(self.store, self.clock)

    def identities(self) -> set[str]:
        return {check.identity for check in self.estates.checks}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    found = Place(tmp_path)
    store = found.store = Store(tmp_path / "state")
    await store.open()
    found.estates = await Estates.open(store, found.clock)
    yield found
    await found.store.close()


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
    before = place.estates.tenancies.landscape["contoso"]
    place.estates.tenancies.tell("contoso", replace(known, trouble="it is broken"))
    assert place.estates.tenancies.landscape["contoso"] is before


OTHER_ID = "11111111-86f1-41af-91ab-2d7cd011db47"
OTHER = {
    "domains": [domain(DomainName="x.example"), initial(DomainName="x.onmicrosoft.com")],
    "org": org(Guid=OTHER_ID, OrganizationId=HOSTED.format("x"), Name="x.onmicrosoft.com"),
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"outbound": None}, "no longer hold outbound connectors", id="null"),
        pytest.param({"domains": None}, "no longer hold accepted domains", id="no domains"),
        pytest.param({"inbound": [], **OTHER}, "is of another tenant", id="another tenant"),
        pytest.param(
            {"inbound": [], "exportedUtc": "2026-01-24T06:00:00Z"}, "is older", id="an older one"
        ),
        pytest.param(
            {
                "inbound": [
                    {
                        key: value
                        for key, value in inbound().items()
                        if key not in ("TlsSenderCertificateName", "SenderDomains")
                    }
                ]
            },
            "TlsSenderCertificateName of inbound connectors",
            id="properties",
        ),
    ],
)
async def test_a_job_that_fails_is_told_and_changes_nothing(
    place: Place, changes: dict[str, Any], said: str
) -> None:
    place.export()
    await place.read()
    before, export = place.identities(), place.known().tenancy
    place.export(**changes)
    assert await place.read()
    known = place.known()
    assert said in known.trouble
    assert known.broken_since == place.clock.now()
    assert known.tenancy is not None
    assert export is not None
    assert known.tenancy.export.domain_names == export.export.domain_names
    assert place.identities() == before
    assert place.changes() == set()
    place.export()
    await place.read()
    assert place.known().trouble == ""
    assert place.changes() == set()


async def test_what_stays_away_for_as_long_as_an_export_may_be_old_is_gone(place: Place) -> None:
    place.export()
    await place.read()
    place.export(outbound=None)
    await place.read()
    place.clock.advance(timedelta(hours=27))
    assert await place.read()
    known = place.known()
    assert known.trouble == ""
    assert known.tenancy is not None
    assert known.tenancy.export.outbound is None
    assert not await place.read()
    assert place.changes() == set()


async def test_a_file_of_a_folder_that_vanishes_takes_no_connector_along(place: Place) -> None:
    place.write_config(FILE.replace("export/contoso.json", "export"))
    place.export()
    more = place.folder / "export/more.json"
    more.write_text(json.dumps([outbound(Name="To partner", Guid=OTHER_ID)]))
    await place.read()
    before = place.identities()
    more.unlink()
    await place.read()
    assert "more.json is gone" in place.known().trouble
    assert place.identities() == before
    assert place.changes() == set()
    place.clock.advance(timedelta(hours=27))
    await place.read()
    assert place.known().trouble == ""
    assert place.changes() == {"removed"}
    more.write_text(json.dumps([outbound(Name="To partner", Guid=OTHER_ID)]))
    await place.read()
    assert place.known().trouble == ""


async def test_after_a_restart_what_was_known_is_believed_until_the_file_is_mended(
    place: Place,
) -> None:
    place.export()
    await place.read()
    before = place.identities()
    place.export(inbound=[])
    await place.read()
    place.write("{")
    await place.restart()
    await place.read()
    known = place.known()
    assert known.trouble
    assert known.tenancy is not None
    assert known.tenancy.export.inbound == ()
    assert known.tenancy.export.exported_at is not None
    assert place.identities() == before
    assert place.changes() == {"removed"}
    place.export(inbound=[])
    await place.read()
    assert place.known().trouble == ""


async def test_two_tenants_with_one_export_are_told_and_not_compared(place: Place) -> None:
    both = FILE.replace("- name: fabrikam", "- name: fabrikam\n    connectors: {import: export}")
    place.write_config(both)
    place.export()
    await place.read()
    assert place.known("fabrikam").tenancy is None
    assert "imported by the tenant 'contoso' as well" in place.known("fabrikam").trouble
    assert place.known().trouble == ""
    place.write_config(both.replace("import: export/contoso.json", "import: export/none.json"))
    await place.read()
    assert place.known().tenancy is not None  # what was last known of it
    place.write_config(both.replace("name: contoso", "name: other").replace("/contoso.json", "/n"))
    await place.read()
    await place.read()
    assert place.known("fabrikam").trouble == ""


async def test_the_id_of_the_configuration_decides_whose_export_it_is(place: Place) -> None:
    place.export()
    await place.read()
    place.write_config(
        FILE.replace("- name: contoso", f"- name: contoso\n    tenant_id: {OTHER_ID}")
    )
    await place.read()
    assert place.known().tenancy is None
    assert "`tenant_id` of the configuration" in place.known().trouble
    place.export(inbound=[], **OTHER)
    await place.read()
    assert place.known().trouble == ""
    assert place.known().tenancy is not None
    assert place.changes() == set()


async def test_a_change_is_known_before_other_checks_follow(place: Place) -> None:
    place.export()
    await place.read()
    assert place.estates.drifted == frozenset()
    place.export(outbound=[])
    await place.read()
    assert place.estates.drifted == {"contoso"}
    await place.read()
    assert place.estates.drifted == frozenset()


async def test_a_file_system_that_does_not_answer_is_told_and_stops_nothing(place: Place) -> None:
    place.export()
    await place.read()
    watch = place.estates._watch
    assert watch is not None
    place.export(outbound=[])
    with watch._lock:
        waiting = asyncio.create_task(place.read())
        while not watch.busy[1]:
            await asyncio.sleep(0)
            place.clock.advance(timedelta(seconds=31))
        assert not await waiting
        assert place.estates.is_looking
        assert "has not answered for 30 s" in place.known().trouble
        assert not await place.read()
        assert place.identities()
    looking = place.estates._looking
    assert looking is not None
    await looking
    assert await place.read()
    assert place.known().trouble == ""
    assert place.changes() == {"removed"}


async def test_a_mistake_of_ours_costs_one_tenant_its_news(place: Place) -> None:
    place.export()
    await place.read()
    before = place.identities()
    # No file of a configuration is like this: whoever makes checks of it fails.
    place.config = replace(place.config, file=place.config.file.model_copy(update={"checks": 0}))
    place.export(inbound=[])
    assert await place.read()
    assert "a fault of the agent's" in place.known().trouble
    assert place.identities() == before
