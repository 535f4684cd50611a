"""Which subjects follow from what a tenant exported?

Each accepted domain is looked at like one of the file, each connector that is on like one described
there. What the file says of a domain or connector of that name goes over what is exported.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agent.config.expand import Choices
from agent.config.model import Probes
from agent.config.tenant_model import imported
from agent.domain.peer_text import PeerText
from agent.domain.tenancy.evidence import evident_topology
from agent.domain.tenancy.objects import Export, Inbound, Outbound
from agent.probes.base import Check
from agent.probes.export import UNUSED_OVERRIDE
from agent.settings import ConnectorSubject, DomainSubject, Subject
from agent.settings.tenancy import LONGEST, label_of

_NAMELESS = "has no label of its own, and no Guid to make one of"
_BY_RULE_OR_MX = "has neither smart hosts nor a domain to find exchanges of"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An object that is not checked by itself, and why."""

    name: str
    why: str


def checks_of(
    file: Any, tenant: Any, export: Export, probes: Probes
) -> tuple[tuple[Check[Any, Any], ...], tuple[Skipped, ...]]:
    """Return the checks of what *tenant*, one of *file*, has exported, and what is left out."""
    choices = Choices(file, probes)
    skipped: list[Skipped] = []
    checks: list[Check[Any, Any]] = []
    overrides = {_gated(each.name): each for each in getattr(imported(tenant), "overrides", ())}
    unused = dict.fromkeys(overrides)
    listed = {each.name for each in tenant.domains}
    for subject in _domains(export, listed):
        checks += _sound(choices.checks(tenant.name, subject))
    labelled, nameless = _labelled(export)
    skipped += (Skipped(each.name, _NAMELESS) for each in nameless)
    for each in _connectors(export):
        unused.pop(each.name, None)
    for name, connector in labelled:
        unused.pop(name, None)
        if not connector.is_on:
            continue
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
    skipped += (Skipped(name, UNUSED_OVERRIDE) for name in unused)
    return tuple(checks), tuple(skipped)


def _gated(name: str) -> str:
    """Return a name as the reader of exports would have it."""
    return PeerText(name.strip())


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

    Exchange lets names have blanks and capitals, and several connectors may come to one name: then
    a part of the Guid is in the name of each, so that it stays when another one is switched off.
    """
    labelled, _ = _labelled(export)
    return ((name, each) for name, each in labelled if each.is_on)


def _labelled(
    export: Export,
) -> tuple[list[tuple[str, Inbound | Outbound]], list[Inbound | Outbound]]:
    """Return the connectors with their labels, on or off, and those that are on and get none."""
    connectors = _connectors(export)
    plain = Counter(label_of(each.name) for each in connectors)
    short = Counter(_with_guid(each, each.guid[:8]) for each in connectors)
    taken: dict[str, Inbound | Outbound] = {}
    nameless = []
    for each in connectors:
        name = label_of(each.name)
        if not name or plain[name] > 1:
            name = _with_guid(each, each.guid[:8]) if each.guid else ""
            if short[name] > 1:
                name = _with_guid(each, each.guid)
        if name and name not in taken:
            taken[name] = each
        elif each.is_on:
            nameless.append(each)
    return list(taken.items()), nameless


def _with_guid(connector: Inbound | Outbound, part: str) -> str:
    """Return the label of a connector with a part of its Guid."""
    return f"{label_of(connector.name)[: LONGEST - 1 - len(part)]}-{part.lower()}".strip("-.")


def _connectors(export: Export) -> tuple[Inbound | Outbound, ...]:
    return (*(export.outbound or ()), *(export.inbound or ()))


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
