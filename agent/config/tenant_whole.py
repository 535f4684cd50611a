"""What of a tenant as a whole do checks look at, besides its exports?

Where the exports lie, which topology its domains have by the configuration, and what its routes log
in with: all that comes to an end some day is told in one place.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.errors import Path
from agent.config.tenant_model import imported
from agent.domain.knowledge.retirements import Protocol
from agent.settings import LoginUse, SecretUse, TenantSubject


def subject_of(tenant: Any, credentials: Mapping[str, Any]) -> TenantSubject:
    """Return *tenant* as a whole, as checks look at it; *credentials* are all of the file."""
    exports = imported(tenant)
    gateways = tenant.gateways
    return TenantSubject(
        name=tenant.name,
        imports=exports.files if exports else (),
        max_age=exports.max_age if exports else TenantSubject.model_fields["max_age"].default,
        tenant_id=tenant.tenant_id or "",
        gateways=gateways.hosts if gateways else (),
        presents=gateways.presents if gateways else (),
        logins=tuple(_logins(tenant, credentials)),
        senders=tuple(dict.fromkeys(each.send.mail_from for each in tenant.routes)),
        secrets=tuple(_secrets(tenant, credentials)),
        topologies=tuple((each.name, each.topology) for each in tenant.domains),
    )


def _logins(tenant: Any, credentials: Mapping[str, Any]) -> Iterator[LoginUse]:
    """Yield the logins of the tenant's routes, where they show a credential."""
    for route in tenant.routes:
        for _, end, protocol in logins(route):
            credential = credentials.get(end.credential)
            if credential is not None:
                yield LoginUse(
                    protocol=protocol,
                    host=end.host,
                    is_password=credential.kind == "password",
                    whose=f"route {route.name}",
                )


def _secrets(tenant: Any, credentials: Mapping[str, Any]) -> Iterator[SecretUse]:
    """Yield the secrets with a known end that the tenant's routes log in with."""
    used = {end.credential for route in tenant.routes for _, end, _ in logins(route)}
    used |= {each.graph.credential for route in tenant.routes for each in _graphs(route)}
    for name in sorted(filter(None, used)):
        expires = getattr(credentials.get(name), "expires", None)
        if expires is not None:
            yield SecretUse(whose=name, expires=expires)


def _graphs(route: Any) -> Iterator[Any]:
    """Yield the ends of a route that use Graph."""
    ends = (route.send, route.receive, route.returns)
    return (each for each in ends if each is not None and each.graph is not None)


def logins(route: Any) -> Iterator[tuple[Path, Any, Protocol]]:
    """Yield the ends of a route that may log in: the path in it, the end, and the protocol."""
    if route.send.smtp is not None:
        yield ("send", "smtp"), route.send.smtp, "smtp"
    for name in ("receive", "returns"):
        receive = getattr(route, name)
        if receive is not None and receive.imap is not None:
            yield (name, "imap"), receive.imap, "imap"
