"""What does DNS say of the places that a landscape's mail goes through?

Two rounds: the MX of accepted domains and smart hosts, then the addresses of what they name. What
DNS cannot answer is left out, is then not known to whoever asks, and is told by its name.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

from agent.domain.lookup import (
    Answer,
    Exchange,
    Plan,
    Query,
    Reply,
    Silence,
    TextRecord,
    ask_all,
)
from agent.domain.lookup import Type as RecordType
from agent.domain.mx import can_be_host
from agent.domain.tenancy.landscape import Address, Exchanges, Surroundings, Tenancy

MAX_HOSTS = 10  # of one domain or smart host, that are followed
MAX_RECORDS = 2000  # of one tenant, that Microsoft asks for


def look(tenancies: Iterable[Tenancy], further: Iterable[str] = ()) -> Plan[Surroundings]:
    """Ask for the exchanges of all accepted domains, of smart hosts and of *further* domains.

    A smart host may have MX records, which then count more than its own address. Where there is no
    MX, the addresses are those of the name itself (RFC 5321 section 5.1).
    """
    tenancies = tuple(tenancies)
    names = sorted({name for name in (*_named(tenancies), *further) if can_be_host(name)})
    asked = sorted({each for tenancy in tenancies for each in _asked(tenancy)})
    replies = yield from ask_all(
        (
            *(Query(name, "MX", lasting=True) for name in names),
            *(Query(name, kind, lasting=True) for name, kind in asked),
        )
    )
    seen = Surroundings()
    _note(seen, asked, replies[len(names) :])
    for name, reply in zip(names, replies, strict=False):
        if isinstance(reply, Answer):
            seen.exchanges[name] = _exchanges(reply)
        else:
            seen.unanswered[name] = reply.reason
    hosts = sorted(set(_hosts(seen)))
    found = yield from ask_all(
        tuple(Query(host, kind, lasting=True) for host in hosts for kind in ("A", "AAAA"))
    )
    for place, host in enumerate(hosts):
        answers = found[2 * place : 2 * place + 2]
        addresses = _addresses(answers)
        if addresses is not None:
            seen.addresses[host] = addresses
        else:
            silent = (each.reason for each in answers if not isinstance(each, Answer))
            seen.unanswered[host] = next(silent)
    return seen


def unanswered(tenancy: Tenancy, seen: Surroundings) -> dict[str, Silence]:
    """Return the names of a tenant's mail that DNS did not speak of, and why not, in order.

    They are its domains, its smart hosts and the exchanges of both; *seen* may be of many tenants.
    """
    named = dict.fromkeys(_named((tenancy,)))
    named |= dict.fromkeys(_written(*each) for each in _asked(tenancy))
    for name in tuple(named):
        for host in seen.exchanges.get(name, Exchanges()).hosts[:MAX_HOSTS]:
            named[host] = None
    return {name: seen.unanswered[name] for name in named if name in seen.unanswered}


def _named(tenancies: Iterable[Tenancy]) -> Iterator[str]:
    """Yield the names that a tenant's mail is sent to: domains and smart hosts."""
    for tenancy in tenancies:
        yield from tenancy.export.domain_names
        for connector in tenancy.export.outbound or ():
            yield from (host.lower() for host in connector.smart_hosts)


def _asked(tenancy: Tenancy) -> Iterator[tuple[str, RecordType]]:
    """Yield what is asked because the export says what should be there; MX is asked anyway."""
    for record in (tenancy.export.records or ())[:MAX_RECORDS]:
        if not record.is_for_mail or not can_be_host(record.name):
            continue
        if record.record_type.lower() == "cname":
            yield record.name, "A"
        elif record.record_type.lower() == "txt":
            yield record.name, "TXT"


def _note(
    seen: Surroundings, asked: list[tuple[str, RecordType]], replies: tuple[Reply, ...]
) -> None:
    for (name, kind), reply in zip(asked, replies, strict=True):
        if not isinstance(reply, Answer):
            seen.unanswered[_written(name, kind)] = reply.reason
        elif kind == "A":
            seen.aliases[name] = tuple(alias.lower() for alias in reply.aliases)
        else:
            found = (each.joined for each in reply.records if isinstance(each, TextRecord))
            seen.texts[name] = tuple(found)


def _written(name: str, kind: RecordType) -> str:
    return f"{name} {kind}"


def _exchanges(answer: Answer) -> Exchanges:
    records = sorted(each for each in answer.records if isinstance(each, Exchange))
    hosts = tuple(dict.fromkeys(each.exchange.lower() for each in records if each.exchange))
    return Exchanges(hosts, is_null=bool(records) and not hosts)


def _hosts(seen: Surroundings) -> Iterator[str]:
    """Yield whose addresses matter: the exchanges, or the name itself where there are none."""
    for name, exchanges in seen.exchanges.items():
        if not exchanges.is_null:
            hosts = exchanges.hosts[:MAX_HOSTS] or (name,)
            yield from (host for host in hosts if can_be_host(host))


def _addresses(replies: tuple[Reply, ...]) -> tuple[Address, ...] | None:
    """Return the addresses; None where there may be some that DNS did not tell."""
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    found = {
        record
        for answer in answers
        for record in answer.records
        if isinstance(record, IPv4Address | IPv6Address)
    }
    if not found and len(answers) < len(replies):
        return None
    return tuple(sorted(found, key=lambda each: (each.version, int(each))))
