"""Does the domain still belong to its owner, and for how long?

A registration that runs out takes everything with it: web, mail, and in the end the name. Bills go
to people who have left, and cards end. The registry tells by RDAP when a domain expires and in
which state it is.

It is off unless `enabled` is set, because it asks a third party about the domain, over HTTPS. A
registry is asked about a domain once a day at most, over restarts, reloads and crashes as well; a
run in between judges what was told last. Asked is about the part of the name that was registered,
by the public suffix list. A server that asks for rest gets it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.adapters.registries import Told, Untold
from agent.domain.finding import Outcome
from agent.domain.lookup import Query
from agent.domain.public_suffix import zone_of
from agent.domain.registration_book import Book, read_book, write_last, write_state
from agent.domain.registration_lint import Intent, Picture, lint
from agent.domain.registration_report import SIGNALS, draw_facts, measure
from agent.domain.registration_rules import NO_RDAP, NOT_TOLD, RULES
from agent.probes.base import Check, Probe, Toolbox
from agent.settings import CheckSettings, DomainSubject, Duration, Field, write_duration

_SHARE = 0.8  # of the run's deadline that asking may take
_NOT_WRITTEN = "not asked, because the store cannot keep when that was"


class RegistrationSettings(CheckSettings):
    """Settings of a registration check."""

    enabled: bool = Field(
        default=False,
        description="Whether registries are asked at all: about each domain once a day at most.",
    )
    interval: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(seconds=1),
        description="Time between the starts of two runs, most of which ask nobody.",
    )
    autorenew: bool = Field(
        default=False,
        description="Whether the registrar renews the domain by itself; then only an end that is"
        " within `alarm_before` is worth a warning.",
    )
    warn_before: Duration = Field(
        default=timedelta(days=60),
        description="How long before its end a registration is worth a warning.",
    )
    alarm_before: Duration = Field(
        default=timedelta(days=14),
        description="How long before its end a registration is critical.",
    )

    def clash(self) -> str:
        """Return why the settings cannot work together; nobody is warned after the alarm."""
        if self.alarm_before > self.warn_before:
            alarm, warn = write_duration(self.alarm_before), write_duration(self.warn_before)
            return f"alarm_before ({alarm}) is longer than warn_before; make it {warn} at most"
        return super().clash()


RegistrationCheck = Check[DomainSubject, RegistrationSettings]


async def run(check: RegistrationCheck, tools: Toolbox) -> Outcome:
    """Ask the registry where that is due, and judge what is known."""
    domain = zone_of(check.subject) or check.subject
    delegation = await tools.resolver.resolve(Query(domain, "NS", lasting=True))
    now = tools.clock.now()
    picture = Picture(domain, now, delegation, _read(check, tools))
    picture = await _renew(check, tools, picture)
    settings = check.settings
    intent = Intent(settings.autorenew, settings.warn_before, settings.alarm_before)
    findings = lint(picture, intent)
    is_unknown = any(each.rule in (NO_RDAP, NOT_TOLD) for each in findings)
    why = "registry-untold" if is_unknown else ""
    return Outcome(findings, measure(picture), draw_facts(picture), why)


async def _renew(check: RegistrationCheck, tools: Toolbox, picture: Picture) -> Picture:
    """Return the picture with what the registry says now, where it may be asked."""
    registries, domain, now = tools.registries, picture.domain, picture.now
    if registries is None:
        return replace(picture, resting="registries are not asked here")
    async with registries.turn(domain):
        if not picture.book.is_due(now):
            return picture
        told = registries.known(domain)
        if told is not None:  # by the check of another name below the same domain
            return replace(picture, book=_keep(check, tools, _entered(picture.book, told)))
        server = await registries.server_of(domain)
        if not isinstance(server, str):
            return replace(picture, has_no_rdap=server.has_no_server, resting=server.trouble)
        # Written down first: whoever crashes in between has asked all the same.
        asking = picture.book.asking(now)
        if not await tools.history.note_durably(
            f"{check.identity}#asked", write_state(asking), now
        ):
            return replace(picture, resting=_NOT_WRITTEN)
        found = await registries.ask(server, domain, _SHARE * check.settings.timeout)
        book = _keep(check, tools, _after(picture.book, asking, found))
        return replace(picture, book=book)


def _after(before: Book, asking: Book, found: Told | Untold) -> Book:
    """Return the book after a request; one that no server got is as good as none."""
    if isinstance(found, Untold):
        return (asking if found.was_sent else before).failed(found.trouble)
    return _entered(asking, found)


def _entered(book: Book, told: Told) -> Book:
    if told.registration is None:
        return book.missing(told.at)
    return book.told(told.at, told.registration)


def _read(check: RegistrationCheck, tools: Toolbox) -> Book:
    last = tools.history.last
    return read_book(last(f"{check.identity}#asked"), last(f"{check.identity}#registration"))


def _keep(check: RegistrationCheck, tools: Toolbox, book: Book) -> Book:
    now: datetime = tools.clock.now()
    tools.history.note(f"{check.identity}#asked", write_state(book), now)
    tools.history.note(f"{check.identity}#registration", write_last(book), now)
    return book


PROBE = Probe(
    kind="registration",
    subject=DomainSubject,
    settings=RegistrationSettings,
    run=run,
    rules=RULES,
    signals=SIGNALS,
    depends_on=("resolver", "uplink"),
    is_idle=lambda settings: not settings.enabled,
    example="{enabled: true, autorenew: true}",
)
