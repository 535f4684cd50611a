"""What does DNS say about a domain's MTA-STS, and around it?

The record that announces a policy, the host that serves it, and the exchanges that it must cover.
Only the record is asked afresh. Nothing is judged here.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeGuard

from agent.domain.lookup import (
    Answer,
    Exchange,
    Plan,
    Query,
    Reply,
    Silence,
    Unanswered,
    ask_all,
)
from agent.domain.mta_sts_fields import texts_of
from agent.domain.mta_sts_record import Record, is_nearly, is_record, parse
from agent.domain.mx import NO_SUCH_LABEL, Address


@dataclass(frozen=True, slots=True)
class Host:
    """The host that serves the policy. ``silence`` is why its addresses could not be learnt.

    ``is_wildcard`` where any name below the domain has these addresses.
    """

    name: str
    addresses: tuple[Address, ...] = ()
    aliases: tuple[str, ...] = ()
    silence: Silence | None = None
    is_wildcard: bool = False

    @property
    def is_public(self) -> bool:
        """Whether senders can connect to it, as far as its addresses tell."""
        return any(each.is_global for each in self.addresses)


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says.

    ``reply`` is the answer to the question for the record, ``texts`` the records in it, ``near``
    texts that were meant to be one, ``misplaced`` records at other names. ``exchanges`` are names
    in lower case; ``mx`` is the answer that they come from. A null MX leaves none.
    """

    domain: str
    reply: Reply
    mx: Reply
    host: Host
    texts: tuple[bytes, ...] = ()
    near: tuple[bytes, ...] = ()
    misplaced: tuple[tuple[str, bytes], ...] = ()
    exchanges: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"_mta-sts.{self.domain}"

    @property
    def record(self) -> Record | None:
        """The one record; None where there is none, or more than one."""
        return parse(self.texts[0]) if len(self.texts) == 1 else None

    @property
    def version(self) -> str:
        """The id under which a policy is announced; empty where none is."""
        record = self.record
        return record.id if record else ""


def survey(domain: str) -> Plan[Survey]:
    """Look up the record, the policy's host and the exchanges."""
    host = f"mta-sts.{domain}"
    reply, mx, *addresses = yield (
        Query(f"_mta-sts.{domain}", "TXT", fresh=True),
        Query(domain, "MX"),
        Query(host, "A"),
        Query(host, "AAAA"),
    )
    found = _host(host, tuple(addresses))
    texts = texts_of(reply)
    records = tuple(text for text in texts if is_record(text))
    near = tuple(text for text in texts if is_nearly(text))
    misplaced: tuple[tuple[str, bytes], ...] = ()
    if isinstance(reply, Answer) and not records:
        found, misplaced = yield from _around(domain, found)
    return Survey(domain, reply, mx, found, records, near, misplaced, _exchanges(domain, mx))


def _host(name: str, replies: tuple[Reply, ...]) -> Host:
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    silences = [reply.reason for reply in replies if isinstance(reply, Unanswered)]
    found = {each for answer in answers for each in answer.records if _is_address(each)}
    return Host(
        name,
        tuple(sorted(found, key=lambda each: (each.version, int(each)))),
        max((answer.aliases for answer in answers), key=len, default=()),
        silences[0] if silences and not found else None,
    )


def _is_address(record: object) -> TypeGuard[Address]:
    return isinstance(record, IPv4Address | IPv6Address)


def _around(domain: str, host: Host) -> Plan[tuple[Host, tuple[tuple[str, bytes], ...]]]:
    """Look where a record ends up by mistake, and whether the host is but a wildcard."""
    names = (domain, f"_mta-sts.{domain}.{domain}", f"mta-sts.{domain}")
    wild = f"{NO_SUCH_LABEL}.{domain}"
    queries = [Query(name, "TXT", lasting=name != domain) for name in names]
    if host.addresses:
        queries += [Query(wild, "A", lasting=True), Query(wild, "AAAA", lasting=True)]
    replies = yield from ask_all(tuple(queries))
    misplaced = tuple(
        (query.name, text)
        for query, reply in zip(queries[: len(names)], replies, strict=False)
        for text in texts_of(reply)
        if is_record(text)
    )
    anybody = _host(wild, replies[len(names) :])
    is_wildcard = anybody.silence is not None or bool(
        anybody.addresses and {*anybody.addresses} & {*host.addresses}
    )
    seen = Host(host.name, host.addresses, host.aliases, host.silence, is_wildcard=is_wildcard)
    return seen, misplaced


def _exchanges(domain: str, mx: Reply) -> tuple[str, ...]:
    """Return whom senders deliver to; without a record it is the domain itself."""
    if isinstance(mx, Unanswered):
        return ()
    found = sorted(each for each in mx.records if isinstance(each, Exchange))
    if not found:
        return (domain,) if mx.name_exists else ()  # RFC 5321 section 5.1
    return tuple(dict.fromkeys(each.exchange.lower() for each in found if each.exchange))
