"""Which subjects follow from what a tenant exported?

Each accepted domain is looked at like one of the file, each connector that is on like one described
there. What the file says of a domain or connector of that name goes over what is exported.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agent.config.expand import Choices
from agent.config.model import Probes
from agent.config.tenant_model import imported
from agent.domain.tenancy.evidence import evident_topology
from agent.domain.tenancy.landscape import Tenancy
from agent.domain.tenancy.objects import Export, Inbound, Outbound
from agent.probes.base import Check
from agent.settings import ConnectorSubject, DomainSubject, Subject, TenantSubject

_UNFIT = re.compile(r"[^a-z0-9.-]+")
_LONGEST = 64
_BY_RULE_OR_MX = "has neither smart hosts nor a domain to find exchanges of"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An object that is not checked by itself, and why."""

    name: str
    why: str


def tenancy_of(subject: TenantSubject, export: Export) -> Tenancy:
    """Return a tenant as its *export* and the configuration have it."""
    stated = export.organisation.tenant_id if export.organisation else ""
    return Tenancy(
        name=subject.name,
        export=export,
        topologies=dict(subject.topologies),
        gateways=subject.gateways,
        presents=subject.presents,
        tenant_id=subject.tenant_id or stated,
    )


def checks_of(
    file: Any, tenant: Any, export: Export, probes: Probes
) -> tuple[tuple[Check[Any, Any], ...], tuple[Skipped, ...]]:
    """Return the checks of what *tenant*, one of *file*, has exported, and what is left out."""
    choices = Choices(file, probes)
    skipped: list[Skipped] = []
    checks: list[Check[Any, Any]] = []
    overrides = {each.name: each for each in getattr(imported(tenant), "overrides", ())}
    listed = {each.name for each in tenant.domains}
    for subject in _domains(export, listed):
        checks += _sound(choices.checks(tenant.name, subject))
    for name, connector in named(export):
        override = overrides.get(connector.name) or overrides.get(name)
        try:
            made = _connector(name, connector, override, export)
        except ValidationError as error:
            skipped.append(Skipped(connector.name, _reason(error)))
            continue
        if isinstance(made, Skipped):
            skipped.append(made)
        else:
            checks += _sound(choices.checks(tenant.name, made, getattr(override, "checks", None)))
    return tuple(checks), tuple(skipped)


def _sound(found: Iterator[Any]) -> Iterator[Check[Any, Any]]:
    return (each for each in found if isinstance(each, Check))


def _domains(export: Export, listed: set[str]) -> Iterator[DomainSubject]:
    """Yield the accepted domains that the file says nothing of; Microsoft looks after its own."""
    for domain in export.domains or ():
        if domain.name in listed or domain.is_of_microsoft:
            continue
        try:
            yield DomainSubject(
                name=domain.name,
                topology=evident_topology(export, domain),  # type: ignore[arg-type] # one of them
            )
        except ValidationError:
            continue  # no mail domain; the reader of the export has said so


def named(export: Export) -> Iterator[tuple[str, Inbound | Outbound]]:
    """Yield each connector that is on, under the name that the ``subject`` label has.

    Exchange lets names have blanks and capitals, and two connectors may come to one name: then a
    part of the Guid tells them apart.
    """
    taken: set[str] = set()
    connectors: tuple[Inbound | Outbound, ...] = (*(export.outbound or ()), *(export.inbound or ()))
    for connector in connectors:
        if not connector.is_on:
            continue
        name = label_of(connector.name)
        if not name or name in taken:
            name = f"{name[: _LONGEST - 9]}-{connector.guid[:8].lower()}".strip("-.")
        if name and name not in taken:
            taken.add(name)
            yield name, connector


def label_of(name: str) -> str:
    """Return *name* as a name of the configuration; empty where nothing of it can stand there."""
    return _UNFIT.sub("-", name.lower())[:_LONGEST].strip("-.")


def _connector(
    name: str, connector: Inbound | Outbound, override: Any, export: Export
) -> Subject | Skipped:
    if isinstance(connector, Outbound):
        return _outbound(name, connector, override)
    if override is None or override.endpoint is None:
        why = "to be proven it needs an endpoint, and a credential to show, in overrides"
        return Skipped(connector.name, why)
    return ConnectorSubject(
        name=name,
        direction="inbound",
        endpoint=override.endpoint,
        credential=override.credential,
        recipient=override.recipient,
        relays=override.relays,
        connector_type=connector.connector_type or "partner",
        tls_sender_certificate_name=connector.tls_sender_certificate_name or None,
        sender_ip_addresses=connector.networks,
        accepted_domains=export.domain_names,
    )


def _outbound(name: str, connector: Outbound, override: Any) -> Subject | Skipped:
    recipients = getattr(override, "validation_recipients", ()) or connector.validation_recipients
    settings = connector.tls_settings or "none"
    by_mx = connector.use_mx_record is True or not connector.smart_hosts
    if by_mx and not recipients and all("*" in each for each in connector.recipient_domains):
        return Skipped(connector.name, _BY_RULE_OR_MX)
    return ConnectorSubject(
        name=name,
        direction="outbound",
        smart_hosts=() if by_mx else connector.smart_hosts,  # type: ignore[arg-type] # are read
        use_mx_record=by_mx,
        recipient_domains=connector.recipient_domains,
        tls_settings=settings,
        tls_domain=connector.tls_domain or None if settings == "domain-validation" else None,
        validation_recipients=recipients,
        mta_sts_mode=connector.mta_sts_mode or "opportunistic",  # type: ignore[arg-type]
        smtp_dane_mode=connector.smtp_dane_mode or "opportunistic",  # type: ignore[arg-type]
    )


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
    return f"{where}: {first.get('ctx', {}).get('error', first['msg'])}".removeprefix(": ")
