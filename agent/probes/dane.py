"""Do senders that validate reach the exchanges, and do the TLSA records fit their certificates?

With DNSSEC a domain's records cannot be forged, and with DANE its exchanges name their certificates
there. Whoever sends with DANE, Exchange Online and many others, keeps the mail where a signature
has expired or a certificate was renewed and its TLSA record was not; all others notice nothing.

One run asks for MX, addresses and TLSA records through the resolver, which must be one that
validates and that is trusted: on this machine, or by `agent.trust_ad`. Whether it does is tested
with names of which the answer is known. What it vouches for, and what it fails to answer, is asked
for once more without validation, to see until when signatures hold and whether that is the fault.
The certificates are those that other checks have seen at the exchanges lately. A domain with
neither DNSSEC nor TLSA records is fine, unless `required` says otherwise.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

from agent.domain.dane_lint import lint
from agent.domain.dane_lint_microsoft import is_moving
from agent.domain.dane_lint_zone import bogus, is_ending
from agent.domain.dane_picture import Intent, Look, Picture, Sight
from agent.domain.dane_report import SIGNALS, draw_facts, measure
from agent.domain.dane_rules import CLOCK_IN_DOUBT, NOT_TRUSTED, RULES
from agent.domain.dane_survey import Controls, Key, Survey, survey
from agent.domain.direct import Address, Code, DirectQuery, Said
from agent.domain.finding import Finding, Outcome
from agent.domain.lookup import Type, Unanswered
from agent.domain.mta_sts_terms import Policy
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.probes.base import DNS_UNANSWERED, Check, Probe, Toolbox
from agent.settings import CheckSettings, Domain, DomainSubject, Duration, Field

if TYPE_CHECKING:
    from agent.adapters.dns_direct import Direct

_SHARE = 0.6  # of the run's deadline that looking at signatures may take
_LATELY = timedelta(days=1)  # within which another check must have seen a certificate
_MAX_LOOKS = 40
Server = tuple[Address, int]


class DaneSettings(CheckSettings):
    """Settings of a dane check."""

    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs.",
    )
    required: bool = Field(
        default=False,
        description="Whether every exchange must have DANE in force; by default none need have.",
    )
    signed_control: Domain | None = Field(
        default=None,
        description="A name in a signed zone, which shows that the resolver validates; by default"
        " the root of DNS.",
    )
    bogus_control: Domain | None = Field(
        default=None,
        description="A name that is signed wrongly on purpose, which the resolver must refuse; by"
        " default that is not tried.",
    )
    warn_before: Duration = Field(
        default=timedelta(days=3),
        description="How long before its end a signature is worth a warning; of signatures that"
        " live for less than ten times as long, a tenth of their life.",
    )
    rollover_before: Duration = Field(
        default=timedelta(days=14),
        description="How long before the certificate's end a TLSA record for the next key must be"
        " there.",
    )


DaneCheck = Check[DomainSubject, DaneSettings]


async def run(check: DaneCheck, tools: Toolbox) -> Outcome:
    """Survey the domain, look at signatures and certificates, and judge them together."""
    settings = check.settings
    controls = Controls(settings.signed_control or "", settings.bogus_control or "")
    is_believed = tools.resolver.is_believed
    found = await tools.recall.derive(
        check.identity,
        check,
        lambda: survey(check.subject, controls, is_believed=is_believed),
    )
    looks, policy = await asyncio.gather(
        _look(found, tools, _SHARE * settings.timeout), _policy(found, tools)
    )
    now = tools.clock.now()
    picture = Picture(found, now, looks, _sights(found, tools, now), policy)
    control = await _control(found, looks, tools, settings.warn_before)
    picture = replace(picture, control=control)
    intent = Intent(settings.required, settings.warn_before, settings.rollover_before)
    findings = (*lint(picture, intent), *_silences(picture))
    return Outcome(
        findings, tuple(measure(picture)), draw_facts(picture), _failure(picture, findings)
    )


def _silences(picture: Picture) -> Iterator[Finding]:
    """Tell what DNS could not say, where that is not proven to be the domain's fault."""
    wrong = bogus(picture)
    for (name, kind), reply in picture.survey.replies:
        # That an exchange has no address is told by others.
        is_told = (name, kind) in wrong or kind in ("A", "AAAA")
        if isinstance(reply, Unanswered) and not is_told:
            yield DNS_UNANSWERED.found(f"{kind} of {PeerText(name, MAX_NAME)}: {reply.reason}.")


def _failure(picture: Picture, findings: tuple[Finding, ...]) -> str:
    """Return why something could not be told."""
    rules = {each.rule for each in findings}
    if DNS_UNANSWERED in rules:
        silences = (each for _, each in picture.survey.replies if isinstance(each, Unanswered))
        return next(silences).reason.value
    if CLOCK_IN_DOUBT in rules:
        return "clock"
    return picture.survey.validation.value if NOT_TRUSTED in rules else ""


async def _look(found: Survey, tools: Toolbox, within: timedelta) -> Mapping[Key, Look]:
    """Ask the resolver, without validation, for what is signed and for what it failed to answer."""
    server, direct = _server(tools), tools.direct
    keys = (*found.failed, *found.signed)[:_MAX_LOOKS]
    if server is None or direct is None or not keys:
        return {}
    try:
        async with asyncio.timeout(within.total_seconds()):
            looks = await asyncio.gather(
                *(_ask(direct, server, key, is_failed=key in found.failed) for key in keys)
            )
    except TimeoutError:
        return {}
    return {key: look for key, look in zip(keys, looks, strict=True) if look is not None}


async def _control(
    found: Survey, looks: Mapping[Key, Look], tools: Toolbox, warn_before: timedelta
) -> Look | None:
    """Look at the control where a signature seems to end: that may be our clock's doing."""
    server, now = _server(tools), tools.clock.now()
    if server is None or tools.direct is None:
        return None
    if not any(is_ending(each, now, warn_before) for each in looks.values()):
        return None
    key = (found.control, "A" if found.control else "NS")
    return await _ask(tools.direct, server, key, is_failed=False)


async def _ask(direct: "Direct", server: Server, key: Key, *, is_failed: bool) -> Look | None:
    query = DirectQuery(
        server[0],
        key[0],
        cast("Type", key[1]),
        port=server[1],
        recursive=True,
        signed=True,
        unchecked=True,
    )
    said = await direct.ask(query, reach="any")
    if isinstance(said, Unanswered):
        return None
    if not is_failed:
        return Look(said)
    # A failure may have passed in the meantime: only one that comes back is no accident.
    again = await direct.ask(replace(query, unchecked=False), reach="any")
    return Look(said, isinstance(again, Said) and again.code is Code.SERVFAIL)


def _server(tools: Toolbox) -> Server | None:
    """Return the resolver to ask: the preferred one."""
    return next(((ip_address(host), port) for host, port in tools.resolver.servers), None)


def _sights(found: Survey, tools: Toolbox, now: datetime) -> Mapping[str, Sight]:
    """Return what other checks have seen at the exchanges lately."""
    if tools.sightings is None:
        return {}
    known = tools.sightings.certificates()
    sights = {}
    for host in found.hosts:
        seen = known.get(host.exchange)
        chains = {
            each.address: each.prints
            for each in (seen.chains if seen else ())
            if now - each.seen_at <= _LATELY
        }
        if seen is not None and chains:
            sights[host.exchange] = Sight(seen.names, seen.not_after, chains)
    return sights


async def _policy(found: Survey, tools: Toolbox) -> Policy | None:
    """Return the MTA-STS policy where it gets into the way of a move."""
    if not is_moving(found) or not found.version or tools.policies is None:
        return None
    return (await tools.policies.of(found.domain, found.version)).policy


PROBE = Probe(
    kind="dane",
    subject=DomainSubject,
    settings=DaneSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver",),
    after=("exchange",),
    example="{interval: 1h, required: false}",
    one_off=DaneSettings(),
)
