"""Do the ends of a route refer to credentials that can do what is asked of them?"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from agent.config.credentials import ENTRA_KINDS
from agent.config.errors import Path
from agent.config.tenant_whole import logins
from agent.config.words import did_you_mean
from agent.domain.knowledge.retirements import Retirement, retired_by_login

_LOGIN = ("password", *ENTRA_KINDS)
Mistake = tuple[Path, str]
Kinds = dict[str, str]


def references(path: Path, route: Any, kinds: Kinds) -> Iterator[Mistake]:
    """Yield what is wrong with the credentials of a route; *kinds* are those declared, by name."""
    yield from _sending((*path, "send"), route.send, kinds)
    yield from _receiving((*path, "receive"), route.receive, kinds)
    if route.returns is not None:
        yield from _receiving((*path, "returns"), route.returns, kinds)
        if route.returns.reflector:
            yield (*path, "returns", "reflector"), "is only for receive"
    if route.trace is not None:
        yield from named((*path, "trace", "credential"), route.trace.credential, kinds, ENTRA_KINDS)


def retirements(file: Any, kinds: Kinds, today: date) -> Iterator[Mistake]:
    """Yield where a password is used at Microsoft, whose days are counted there, or over."""
    passwords = {name for name, kind in kinds.items() if kind == "password"}
    for number, tenant in enumerate(file.tenants):
        for index, route in enumerate(tenant.routes):
            path: Path = ("tenants", number, "routes", index)
            for place, end, protocol in logins(route):
                if end.credential not in passwords:
                    continue
                retirement = next(retired_by_login(protocol, end.host, is_password=True), None)
                if retirement is not None and (retirement.warned_from or today) <= today:
                    yield (*path, *place, "credential"), _retired(retirement, today)


def _retired(retirement: Retirement, today: date) -> str:
    day = retirement.since or today
    when = f"Microsoft ends {retirement.what} on {day}"
    if day <= today:
        when = f"Microsoft ended {retirement.what} on {day}: this login will fail"
        if retirement.effect == "off-by-default":
            when += " unless an administrator allows it again"
    return f"is a password, and {when}; use {retirement.instead} ({retirement.source})"


def _sending(path: Path, send: Any, kinds: Kinds) -> Iterator[Mistake]:
    if send.smtp is not None:
        yield from _submission((*path, "smtp"), send.smtp, kinds)
    if send.graph is not None:
        yield from named((*path, "graph", "credential"), send.graph.credential, kinds, ENTRA_KINDS)
    if send.dkim is not None:
        yield from named((*path, "dkim"), send.dkim, kinds, ("dkim-key",))


def _submission(path: Path, smtp: Any, kinds: Kinds) -> Iterator[Mistake]:
    shown = smtp.client_certificate
    if shown is not None:
        yield from named((*path, "client_certificate"), shown, kinds, ("client-certificate",))
    if smtp.credential is None and shown is None:
        return
    if smtp.credential is None and smtp.tls in {"never", "opportunistic"}:
        yield (*path, "tls"), "must be required, verified or implicit to show a certificate"
    if smtp.credential is not None:
        if smtp.tls not in {"verified", "implicit"}:
            yield (*path, "tls"), "must be verified or implicit where there is a credential"
        yield from named((*path, "credential"), smtp.credential, kinds, _LOGIN)
        yield from _whose(path, smtp, kinds)


def _receiving(path: Path, receive: Any, kinds: Kinds) -> Iterator[Mistake]:
    if receive.imap is not None:
        place = (*path, "imap")
        yield from named((*place, "credential"), receive.imap.credential, kinds, _LOGIN)
        yield from _whose(place, receive.imap, kinds)
        if receive.imap.tls == "never" and receive.imap.host not in {
            "localhost",
            "127.0.0.1",
            "::1",
        }:
            yield (*place, "tls"), "must be implicit or starttls: a password would go in the clear"
    if receive.graph is not None:
        place = (*path, "graph", "credential")
        yield from named(place, receive.graph.credential, kinds, ENTRA_KINDS)


def _whose(path: Path, end: Any, kinds: Kinds) -> Iterator[Mistake]:
    """Yield that the mailbox must be named; an application is none, as a person is."""
    if kinds.get(end.credential) in ENTRA_KINDS and end.mailbox is None:
        yield path, "needs mailbox: whose it is, because the credential is an application's"


def named(path: Path, name: str, kinds: Kinds, fitting: tuple[str, ...]) -> Iterator[Mistake]:
    """Yield why the credential *name* cannot be used there; nothing where it can."""
    if name not in kinds:
        known = f"there is: {', '.join(kinds)}" if kinds else "none is declared"
        nearest = did_you_mean(name, tuple(kinds)) or f"; {known}"
        yield path, f"is not in the section credentials{nearest}"
    elif kinds[name] and kinds[name] not in fitting:
        yield path, f"is a credential of kind {kinds[name]}; needed here: {' or '.join(fitting)}"
