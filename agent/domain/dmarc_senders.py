"""Can the senders of a domain align, by what DNS says of SPF and of DKIM keys?

Puts what SPF says of samples of every declared sender beside which of their selectors have a key
that receivers take, at the domain itself and, where alignment is relaxed, at its organisational
domain.
"""

from dataclasses import dataclass

from agent.domain.dkim_survey import verdict_of
from agent.domain.dkim_terms import Verdict
from agent.domain.dmarc_discovery import Discovery
from agent.domain.lookup import Plan, Query, Reply, Silence, Unanswered, ask_all
from agent.domain.sender_matrix import Key, Row, candidates, matrix
from agent.domain.spf_senders import Evaluated

MOST_SELECTORS = 40  # that are asked for; each is one question at each domain


@dataclass(frozen=True, slots=True)
class Senders:
    """The matrix, and the silence that keeps a row of it unknown; None where there is none."""

    rows: tuple[Row, ...] = ()
    silence: Silence | None = None


def look(
    discovery: Discovery,
    senders: tuple[str, ...],
    declared: tuple[str, ...],
    evaluation: Plan[Evaluated],
) -> Plan[Senders]:
    """Return the matrix of *senders*; *declared* are the selectors that the operator names.

    *evaluation* is what evaluates SPF for them; without senders it is not run.
    """
    if not senders:
        return Senders()
    spf = yield from evaluation
    known = dict(spf.replies)
    wanted = [name for one in senders for name in candidates(one, senders, declared).selectors]
    selectors = tuple(dict.fromkeys(wanted))[:MOST_SELECTORS]
    places = _places(discovery)
    queries = {
        name: tuple(Query(f"{name}._domainkey.{place}".lower(), "TXT") for place in places)
        for name in selectors
    }
    missing = tuple(query for batch in queries.values() for query in batch if query not in known)
    known.update(zip(missing, (yield from ask_all(missing)), strict=True))
    keys = {
        name: _state([known[query] for query in batch], tuple(places.values()))
        for name, batch in queries.items()
    }
    rows = matrix(spf.verdicts, keys, declared)
    silences = [reply.reason for reply in known.values() if isinstance(reply, Unanswered)]
    is_silent = any(row.is_silent for row in rows) and bool(silences)
    return Senders(rows, silences[0] if is_silent else None)


def _places(discovery: Discovery) -> dict[str, Key]:
    """Return the domains whose signatures align, and what a key there is worth."""
    record = discovery.verdict.record
    places = {discovery.domain: Key.PUBLISHED}
    if record is not None and record.adkim == "s":
        return places
    organisations = (discovery.listed.organisation, discovery.walked.organisation)
    is_agreed = organisations[0] == organisations[1]
    for name in organisations:
        places.setdefault(name, Key.PUBLISHED if is_agreed else Key.DOUBTFUL)
    return places


def _state(replies: list[Reply], worth: tuple[Key, ...]) -> Key:
    """Say whether a key that receivers take stands where a signature would align."""
    verdicts = [verdict_of(reply) for reply in replies]
    # RFC 8301 section 3.2: a signature by a key below 1024 bits is not valid.
    found = {key for verdict, key in zip(verdicts, worth, strict=True) if verdict is Verdict.VALID}
    if Key.PUBLISHED in found:
        return Key.PUBLISHED
    if Verdict.UNKNOWN in verdicts:
        return Key.SILENT
    if found:
        return Key.DOUBTFUL
    return Key.ABSENT if set(verdicts) == {Verdict.MISSING} else Key.USELESS
