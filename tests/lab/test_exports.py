"""Do the tenants' exports say what the lab's Exchange Online does, and change with the faults?"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.lab.control import order
from agent.lab.exchange_stamps import TENANT
from agent.lab.export_folder import NAME, ExportFolder
from agent.lab.faults import BY_NAME, FAULTS, World
from agent.lab.lab import Lab
from agent.lab.mail import FILTERED, OWN_DOMAINS
from agent.lab.tenants import NAMES, export_of, id_of, tenants
from agent.lab.world import WORLD, read_zone
from servers.running import eventually

START = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Folder:
    """A folder of exports, and the world that they are of."""

    def __init__(self, path: Path) -> None:
        self.world = World()
        self.clock = Hands()
        self.path = path
        self._exports = ExportFolder(path, self.world, self.clock)
        self._exports.write()

    def after(self, minutes: int, *, hourly: bool = False) -> None:
        self.clock.at += timedelta(minutes=minutes)
        self._exports.write(only_changed=not hourly)

    def read(self, tenant: str) -> dict[str, Any]:
        return dict(json.loads((self.path / NAME / f"{tenant}.json").read_bytes()))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_there_is_a_whole_file_for_each_tenant_and_nothing_else(folder: Folder) -> None:
    names = {each.name for each in (folder.path / NAME).iterdir()}
    assert names == {"contoso.json", "fabrikam.json", "relecloud.json"}
    for tenant in NAMES:
        found = folder.read(tenant)
        assert found["schema"] == "mailflow-export/1"
        assert found["exportedUtc"] == "2026-11-28T09:30:00.0000000Z"
        assert found["org"]["ExternalDirectoryOrganizationId"] == id_of(tenant)
    assert folder.read("fabrikam")["org"]["ExternalDirectoryOrganizationId"] == TENANT


def test_every_accepted_domain_is_in_the_world_with_mx_and_spf() -> None:
    zone = read_zone(WORLD)
    for tenant in tenants(World()):
        for domain in tenant.accepted_domains:
            assert {(domain, "MX"), (domain, "TXT")} <= zone.keys()


def test_the_front_door_knows_the_domains_that_its_neighbours_know() -> None:
    contoso, fabrikam, relecloud = tenants(World())
    assert set(OWN_DOMAINS) <= set(contoso.accepted_domains)
    assert FILTERED in fabrikam.accepted_domains
    assert "filter.example" in relecloud.accepted_domains


@pytest.mark.parametrize(
    ("fault", "tenant", "what"),
    [
        pytest.param("provider-certificate-shared", "relecloud", "TlsSenderCertificateName"),
        pytest.param("filter-bypassed", "fabrikam", "RestrictDomainsToCertificate"),
        pytest.param("exchange-forgets-connector", "contoso", None),
    ],
)
def test_a_fault_changes_one_thing_of_one_tenant(
    folder: Folder, fault: str, tenant: str, what: str | None
) -> None:
    before = {each: folder.read(each) for each in NAMES}
    folder.world.break_(fault)
    folder.after(5)
    changed = [each for each in NAMES if folder.read(each) != before[each]]
    assert changed == [tenant]
    old, new = before[tenant].pop("inbound"), (now := folder.read(tenant)).pop("inbound")
    assert now.pop("exportedUtc") == "2026-11-28T09:35:00.0000000Z"
    before[tenant].pop("exportedUtc")
    assert now == before[tenant]
    if what is None:
        assert (len(old), new) == (1, [])
    else:
        assert {key for key in old[0] if old[0][key] != new[0][key]} == {what, "WhenChangedUTC"}
        assert new[0]["WhenChangedUTC"] == "2026-11-28T09:35:00.0000000Z"


def test_the_provider_takes_the_certificate_that_its_gateways_show(folder: Folder) -> None:
    (healthy,) = folder.read("relecloud")["inbound"]
    assert healthy["TlsSenderCertificateName"] == "*.relecloud.com"
    folder.world.break_("provider-certificate-shared")
    folder.after(1)
    (shared,) = folder.read("relecloud")["inbound"]
    (customers,) = folder.read("fabrikam")["inbound"]
    assert shared["ConnectorType"] == "OnPremises"
    assert shared["TlsSenderCertificateName"] == customers["TlsSenderCertificateName"]


def test_an_object_keeps_the_time_of_its_change_until_it_changes_again(folder: Folder) -> None:
    def changed() -> str:
        return str(folder.read("relecloud")["inbound"][0]["WhenChangedUTC"])

    assert changed() == "2025-11-11T11:03:00.0000000Z"
    folder.world.break_("provider-certificate-shared")
    folder.after(5)
    folder.after(60, hourly=True)
    assert folder.read("relecloud")["exportedUtc"] == "2026-11-28T10:35:00.0000000Z"
    assert changed() == "2026-11-28T09:35:00.0000000Z"
    folder.world.mend()
    folder.after(5)
    assert changed() == "2026-11-28T10:40:00.0000000Z"


def test_a_connector_is_validated_every_month(folder: Folder) -> None:
    def validated() -> str:
        return str(folder.read("contoso")["outbound"][0]["LastValidationTimestamp"])

    assert validated() == "2026-11-01T00:00:00.0000000"
    folder.after(60 * 24 * 4, hourly=True)
    assert validated() == "2026-12-01T00:00:00.0000000"


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_what_is_exported_of_a_tenant_is_how_it_decides(name: str) -> None:
    world = World()
    world.break_(name)
    assert BY_NAME[name].name in world.broken
    for tenant in tenants(world):
        found = export_of(world, tenant.name)
        shown = [each["TlsSenderCertificateName"] for each in found["inbound"]]
        assert [each.tls_sender_certificate_name for each in tenant.connectors] == shown


async def test_the_running_lab_lays_them_down_and_swaps_them(tmp_path: Path) -> None:
    async def certificate() -> str:
        path = tmp_path / NAME / "relecloud.json"
        found = json.loads(await asyncio.to_thread(path.read_bytes))
        return str(found["inbound"][0]["TlsSenderCertificateName"])

    async with Lab(tmp_path) as lab:
        assert await certificate() == "*.relecloud.com"
        lab.world.break_("provider-certificate-shared")
        await eventually(certificate, lambda name: name == "*.filter.example")
        lab.world.mend()
        await eventually(certificate, lambda name: name == "*.relecloud.com")


async def test_a_second_lab_does_not_touch_the_exports_of_the_first(tmp_path: Path) -> None:
    async with Lab(tmp_path):
        path = tmp_path / NAME / "contoso.json"
        before = await asyncio.to_thread(path.read_bytes)
        with pytest.raises(OSError, match="another lab"):
            await Lab(tmp_path).__aenter__()
        await asyncio.to_thread(order, tmp_path, "broken")  # the first is still there
        assert await asyncio.to_thread(path.read_bytes) == before
