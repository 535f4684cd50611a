"""How long does it take to know what is wrong with a thousand tenants, and then with one of them?

And how long with one that has as much as Exchange Online allows?

A thousand exports lie on disk as `deploy/export-tenant.ps1` writes them, with ten accepted domains
and five connectors each; most tenants are behind one of forty filters, twenty of those are tenants
too, some of them with the customers' certificate; some tenants share a certificate or an address.
"full" reads all files, links the tenants and analyses each: hygiene, attribution, loops.
"incremental" does that first, without being measured, and then takes in one file after the other
that has changed and analyses whom it touches. "large" analyses, and draws, one tenant alone that
has 500 connectors, 2,000 accepted domains and 500 mail flow rules, with an MX host of its own, and
an address, for each domain.

`python bench/p21_thousand_tenants.py`
"""

import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from harness import Goal, Variant, compare, conclude, measure

TENANTS = 1000
FILTERS = 40
PROVIDERS = 20  # filters that are tenants themselves
CHANGES = 50
CONNECTORS, DOMAINS, RULES = 500, 2000, 500  # of the large tenant
NOW = datetime(2026, 11, 28, tzinfo=UTC)
MIB = 2**20


def write(folder: Path, seed: int = 21) -> None:
    """Write the exports, and beside them what DNS would say."""
    chance = random.Random(seed)
    seen: dict[str, dict[str, list[str]]] = {"exchanges": {}, "addresses": {}}
    for number in range(FILTERS):
        for host in (1, 2):
            seen["addresses"][f"mx{host}.filter{number}.example"] = [f"198.18.{number}.{host}"]
    for number in range(TENANTS):
        export = one(number, chance)
        (folder / f"t{number:04}.json").write_text(json.dumps(export, indent=2), encoding="utf-8")
        served = number % FILTERS
        for domain in export["domains"]:
            name = domain["DomainName"]
            token = f"{name.replace('.', '-')}.mail.protection.outlook.com"
            behind = [f"mx{host}.filter{served}.example" for host in (1, 2)]
            seen["exchanges"][name] = behind if number % 10 >= 4 else [token]
    (folder / "seen").write_text(json.dumps(seen), encoding="utf-8")


def one(number: int, chance: random.Random) -> dict[str, Any]:
    """Return the export of one tenant."""
    name = f"tenant{number}"
    domains = [f"{name}.onmicrosoft.com", *(f"{name}-{each}.example" for each in range(9))]
    own = f"mail.{domains[1]}"
    provider = f"filter{number}.example"
    if number < PROVIDERS:
        domains[-1] = provider
        # Every fourth provider has the certificate of its gateways in its own connector.
        own = f"gw.{provider}" if number % 4 == 0 else f"own.{provider}"
    elif chance.random() < 0.03:
        own = f"mail.tenant{number - 1}-0.example"
    place = f"203.{number // 250}.{number % 250}"
    if chance.random() < 0.02:
        place = f"203.{(number - 1) // 250}.{(number - 1) % 250}"
    served = number % FILTERS
    return {
        "schema": "mailflow-export/1",
        "exportedUtc": "2026-11-28T00:00:00.0000000Z",
        "inbound": [
            inbound(number, 1, "OnPremises", TlsSenderCertificateName=own),
            inbound(number, 2, "OnPremises", SenderIPAddresses=[f"{place}.0/28"]),
            inbound(
                number,
                3,
                "Partner",
                TlsSenderCertificateName=f"gw.filter{served}.example",
                RestrictDomainsToCertificate=True,
                EFSkipLastIP=True,
            ),
        ],
        "outbound": [outbound(number, 4, domains[2], own), outbound(number, 5, "*", own)],
        "domains": [accepted(each, place=at) for at, each in enumerate(domains)],
        "rules": [],
        "dkim": [],
        "org": {"Name": name, "Guid": guid(number, 99), "RejectDirectSend": False},
    }


def guid(number: int, part: int) -> str:
    return f"{number:08x}-0000-4000-8000-{part:012x}"


def inbound(number: int, part: int, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "Enabled": True,
        "ConnectorType": kind,
        "ConnectorSource": "AdminUI",
        "Comment": "",
        "SenderIPAddresses": [],
        "SenderDomains": ["smtp:*;1"],
        "TrustedOrganizations": [],
        "ClientHostNames": [],
        "AssociatedAcceptedDomains": [],
        "RequireTls": True,
        "RestrictDomainsToIPAddresses": False,
        "RestrictDomainsToCertificate": False,
        "CloudServicesMailEnabled": False,
        "TreatMessagesAsInternal": False,
        "TlsSenderCertificateName": None,
        "EFSkipLastIP": False,
        "EFSkipIPs": [],
        "EFUsers": [],
        **named(number, part),
        **more,
    }


def outbound(number: int, part: int, to: str, host: str) -> dict[str, Any]:
    return {
        "Enabled": True,
        "UseMXRecord": False,
        "Comment": "",
        "ConnectorType": "OnPremises",
        "ConnectorSource": "AdminUI",
        "RecipientDomains": [to],
        "SmartHosts": [host],
        "TlsDomain": host,
        "TlsSettings": "DomainValidation",
        "IsTransportRuleScoped": False,
        "RouteAllMessagesViaOnPremises": False,
        "CloudServicesMailEnabled": False,
        "AllAcceptedDomains": False,
        "SenderRewritingEnabled": False,
        "TestMode": False,
        "ValidationRecipients": [f"probe@{to}" if to != "*" else "probe@elsewhere.example"],
        "IsValidated": True,
        "LastValidationTimestamp": "2026-11-01T00:00:00.0000000",
        **named(number, part),
    }


def named(number: int, part: int) -> dict[str, Any]:
    return {
        "Name": f"connector {part}",
        "Identity": f"connector {part}",
        "Guid": guid(number, part),
        "WhenCreatedUTC": "2025-01-01T00:00:00.0000000Z",
        "WhenChangedUTC": "2025-06-01T00:00:00.0000000Z",
        "IsValid": True,
    }


def accepted(name: str, *, place: int) -> dict[str, Any]:
    return {
        "DomainName": name,
        "DomainType": "InternalRelay" if place == 2 else "Authoritative",
        "Default": place == 1,
        "InitialDomain": place == 0,
        "MatchSubDomains": False,
        "AuthenticationType": "Managed",
        "OutboundOnly": False,
        "Name": name,
        "WhenChangedUTC": "2025-06-01T00:00:00.0000000Z",
    }


def world(folder: Path) -> Any:
    """Return a landscape without tenants, and with what DNS says."""
    from agent.domain.tenancy.landscape import Exchanges, Landscape, Surroundings

    found = json.loads((folder / "seen").read_text(encoding="utf-8"))
    return Landscape(
        Surroundings(
            exchanges={name: Exchanges(tuple(on)) for name, on in found["exchanges"].items()},
            addresses={host: tuple(map(ip_address, on)) for host, on in found["addresses"].items()},
        )
    )


def read(path: Path, name: str) -> Any:
    from agent.adapters.export_files import read_tenant
    from agent.domain.tenancy.landscape import Tenancy

    return Tenancy(name=name, export=read_tenant([path]).export)


def analyse(landscape: Any, names: Iterable[str], known: Any = None) -> dict[str, float]:
    """Analyse tenants with all that there is; return findings, and CPU seconds of each part."""
    from agent.domain.tenancy.attribution_lint import claims
    from agent.domain.tenancy.hygiene import hygiene
    from agent.domain.tenancy.loops import loops
    from agent.domain.tenancy.ways import Ways

    tenancies = [landscape[name] for name in names]
    took: dict[str, float] = {"findings": 0}
    ways = known or Ways(landscape)
    parts: dict[str, Callable[[Any], Iterable[object]]] = {
        "hygiene s": lambda one: hygiene(one, landscape.surroundings, NOW),
        "attribution s": lambda one: claims(one, landscape),
        "loop s": lambda one: loops(one, landscape, ways),
    }
    for part, find in parts.items():
        start = time.process_time()
        took["findings"] += sum(1 for tenancy in tenancies for _ in find(tenancy))
        took[part] = time.process_time() - start
    return took


def full(place: str) -> None:
    folder = Path(place)
    landscape = world(folder)
    with measure(1) as extra:
        start = time.process_time()
        tenancies = [read(path, path.stem) for path in sorted(folder.glob("*.json"))]
        extra["load s"] = time.process_time() - start
        start = time.process_time()
        for tenancy in tenancies:
            landscape.put(tenancy)
        extra["link s"] = time.process_time() - start
        extra.update(analyse(landscape, [each.name for each in landscape]))


def incremental(place: str) -> None:
    folder = Path(place)
    landscape = world(folder)
    for path in sorted(folder.glob("*.json")):
        landscape.put(read(path, path.stem))
    analyse(landscape, [each.name for each in landscape])
    chance = random.Random(7)
    taken: list[float] = []
    touched: list[int] = []
    gc.collect()
    with measure(CHANGES) as extra:
        for number in [*range(5), *(chance.randrange(TENANTS) for _ in range(CHANGES - 5))]:
            export = one(number, chance)
            export["inbound"][0]["TlsSenderCertificateName"] = f"new.filter{number}.example"
            path = folder / f"t{number:04}.json"
            before = path.read_bytes()
            path.write_text(json.dumps(export, indent=2), encoding="utf-8")
            start = time.process_time()
            names = landscape.put(read(path, path.stem))
            analyse(landscape, names)
            taken.append(time.process_time() - start)
            touched.append(len(names))
            path.write_bytes(before)
        extra["median s"] = statistics.median(taken)
        extra["longest s"] = max(taken)
        extra["touched"] = max(touched)


def large_export() -> dict[str, Any]:
    """Return an export in which every domain goes its own way."""
    half = CONNECTORS // 2
    domains = [f"d{each}.large.example" for each in range(DOMAINS)]
    return {
        "schema": "mailflow-export/1",
        "exportedUtc": "2026-11-28T00:00:00.0000000Z",
        "inbound": [
            inbound(
                TENANTS,
                each,
                "OnPremises" if each % 2 else "Partner",
                TlsSenderCertificateName=f"mail{each}.{domains[each]}",
                SenderIPAddresses=[f"203.{each % 200}.{each // 200}.{last}" for last in range(10)],
                SenderDomains=[f"smtp:{domains[each]};1"],
            )
            for each in range(half)
        ],
        "outbound": [
            {
                **outbound(TENANTS, half + each, domains[each], f"mail{each}.{domains[each]}"),
                "IsTransportRuleScoped": each % 3 == 0,
            }
            for each in range(half)
        ],
        "domains": [accepted(each, place=3 - at % 2) for at, each in enumerate(domains)],
        "rules": [
            {
                "Name": f"rule {each}",
                "Guid": guid(TENANTS, CONNECTORS + each),
                "State": "Enabled",
                "Mode": "Enforce",
                "Priority": each,
                "RouteMessageOutboundConnector": f"connector {half + each % half}",
                "RecipientDomainIs": [domains[each]],
            }
            for each in range(RULES)
        ],
        "dkim": [],
        "org": {"Name": "large", "Guid": guid(TENANTS, 0), "RejectDirectSend": False},
    }


def large(place: str) -> None:
    from agent.domain.tenancy.landscape import Exchanges, Landscape, Surroundings
    from agent.domain.tenancy.picture import routing_picture
    from agent.domain.tenancy.ways import Ways

    path = Path(place) / "large"
    path.write_text(json.dumps(large_export(), indent=2), encoding="utf-8")
    tenancy = read(path, "large")
    around = Surroundings()
    for at, name in enumerate(tenancy.export.domain_names):
        around.exchanges[name] = Exchanges((f"mx.{name}",))
        around.addresses[f"mx.{name}"] = (ip_address(f"198.18.{at // 250}.{at % 250}"),)
    landscape = Landscape(around)
    with measure(1) as extra:
        start = time.process_time()
        landscape.put(tenancy)
        extra["link s"] = time.process_time() - start
        ways = Ways(landscape)
        extra.update(analyse(landscape, ["large"], ways))
        start = time.process_time()
        routing_picture(tenancy, landscape, ways)
        extra["picture s"] = time.process_time() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        write(Path(place))
        results = compare(
            [
                Variant("full", "p21_thousand_tenants:full", (place,)),
                Variant("incremental", "p21_thousand_tenants:incremental", (place,)),
                Variant("large", "p21_thousand_tenants:large", (place,)),
            ]
        )
    conclude(
        results,
        Goal("full", "", "cpu", 10, 5),
        Goal("full", "", "memory", 400 * MIB, 200 * MIB),
        Goal("incremental", "", "longest s", 0.2, 0.05),
        Goal("large", "", "cpu", 10, 2),
    )


if __name__ == "__main__":
    sys.exit(main())
