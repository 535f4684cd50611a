"""Which DMARC record counts for a domain, and how far does what aligns with it reach?

Receivers answer both questions in two ways. RFC 7489 section 6.6.3 looks at the domain, and then at
the organisational domain by a list of public suffixes. RFC 9989 section 4.10 walks from the domain
towards the root, eight questions at most, and reads from the records themselves where an
organisation begins. Both kinds of receivers are out there, so both verdicts are formed.
"""

from dataclasses import dataclass

from agent.domain.dmarc_record import is_record, parse
from agent.domain.dmarc_terms import Policy, Record
from agent.domain.lookup import Answer, Plan, Query, Reply, TextRecord, Unanswered, ask_all
from agent.domain.public_suffix import zone_of

MOST_QUERIES = 8  # RFC 9989 section 4.10
_DECIDE = frozenset({"y", "n"})


@dataclass(frozen=True, slots=True)
class Place:
    """What DNS says of DMARC at one domain: the records, and other text that stands there."""

    domain: str
    reply: Reply
    records: tuple[bytes, ...] = ()
    others: tuple[bytes, ...] = ()

    @property
    def name(self) -> str:
        """The name that is asked for."""
        return f"_dmarc.{self.domain}".removesuffix(".")

    @property
    def record(self) -> Record | None:
        """The one record; None where there is none, or more than one."""
        return parse(self.records[0]) if len(self.records) == 1 else None

    @property
    def is_silent(self) -> bool:
        """Whether DNS could not say."""
        return isinstance(self.reply, Unanswered)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one kind of receiver finds: the record that counts, where, and the organisation.

    ``place`` is None where no record counts. With ``unsure``, a name that did not answer may change
    the verdict; ``why`` says in words how it came about.
    """

    place: Place | None
    organisation: str
    why: str
    unsure: Unanswered | None = None
    record: Record | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """Every place that was looked at, from the domain towards the root, and both verdicts."""

    domain: str
    places: tuple[Place, ...]
    listed: Verdict
    walked: Verdict

    @property
    def own(self) -> Place:
        """The place of the domain itself."""
        return self.places[0]

    @property
    def verdict(self) -> Verdict:
        """The verdict by which the domain is judged: the list's, or the walk's without one."""
        return self.listed if self.listed.place is not None else self.walked

    @property
    def enforced(self) -> Policy:
        """The stricter policy of both kinds of receivers: mail is lost if either loses it."""
        both = (self.listed.policy or Policy.NONE, self.walked.policy or Policy.NONE)
        return max(both, key=lambda policy: policy.rank)

    @property
    def differs(self) -> bool:
        """Whether receivers of the two kinds do not do the same."""
        if self.listed.unsure or self.walked.unsure:
            return False
        return (self.listed.place, self.listed.policy) != (self.walked.place, self.walked.policy)


def walk_of(domain: str) -> tuple[str, ...]:
    """Return the domains that the tree walk looks at, in its order."""
    labels = domain.split(".")
    # From more than eight labels it jumps to the last seven (RFC 9989 section 4.10 step 4).
    start = 1 if len(labels) <= MOST_QUERIES else len(labels) - MOST_QUERIES + 1
    return (domain, *(".".join(labels[number:]) for number in range(start, len(labels))))


def discover(domain: str) -> Plan[Discovery]:
    """Ask for every record that may count for *domain*; only its own is asked afresh."""
    names = walk_of(domain)
    organisation = zone_of(domain) or domain  # no public suffix is so long that the walk misses it
    queries = tuple(
        Query(f"_dmarc.{name}", "TXT", fresh=name == domain, lasting="." not in name)
        for name in names
    )
    replies = yield from ask_all(queries)
    places = {name: _place(name, reply) for name, reply in zip(names, replies, strict=True)}
    path = tuple(places.values())
    listed = _by_list(places[domain], places[organisation])
    return Discovery(domain, path, listed, _by_walk(path, organisation))


def _place(domain: str, reply: Reply) -> Place:
    records = reply.records if isinstance(reply, Answer) else ()
    texts = [record.joined for record in records if isinstance(record, TextRecord)]
    return Place(
        domain,
        reply,
        tuple(text for text in texts if is_record(text)),
        tuple(text for text in texts if not is_record(text)),
    )


def _by_list(own: Place, above: Place) -> Verdict:
    """RFC 7489 section 6.6.3: the domain, then the organisational domain; several end it."""
    for place in (own, above):
        if isinstance(place.reply, Unanswered):
            why = f"{place.name} did not answer"
            return Verdict(None, above.domain, why, place.reply)
        if len(place.records) > 1:
            why = f"{len(place.records)} records at {place.name}: none is applied"
            return Verdict(None, above.domain, why)
        if place.records:
            return _found(place, own, above.domain, f"the record at {place.name}")
    names = dict.fromkeys(place.name for place in (own, above))  # one, where it is its own
    return Verdict(None, above.domain, f"no record at {' or '.join(names)}")


def _found(place: Place, own: Place, organisation: str, why: str) -> Verdict:
    record = place.record
    policy = record.demands(below=place is not own) if record is not None else None
    return Verdict(place, organisation, why, None, record, policy)


def _by_walk(path: tuple[Place, ...], listed: str) -> Verdict:
    """RFC 9989 section 4.10: the domain's own record, or that of its organisational domain."""
    own = path[0]
    seen, silent = _climb(path)
    organisation = _organisation(seen, own.domain)
    if own.record is not None:
        # A silent name above changes only how far alignment reaches; then the list has it.
        reach = listed if silent is not None else organisation
        return _found(own, own, reach, f"the record at {own.name}")
    if silent is not None:
        return Verdict(None, organisation, f"{silent.name} did not answer", _silence(silent))
    at = {place.domain: place for place in seen}
    place = at.get(organisation) or next((one for one in seen if _psd(one) == "y"), None)
    if place is None:
        return Verdict(None, organisation, f"no record from {own.name} to the root")
    return _found(place, own, organisation, f"the record at {place.name}")


def _climb(path: tuple[Place, ...]) -> tuple[list[Place], Place | None]:
    """Return the places with one record each, up to one that decides, and the first silent one."""
    seen: list[Place] = []
    silent: Place | None = None
    for place in path:
        silent = silent or (place if place.is_silent else None)
        if place.record is not None:
            seen.append(place)
            if _psd(place) in _DECIDE:
                break
    return seen, silent


def _silence(place: Place) -> Unanswered | None:
    return place.reply if isinstance(place.reply, Unanswered) else None


def _organisation(seen: list[Place], domain: str) -> str:
    """Choose the organisational domain (RFC 9989 section 4.10.2)."""
    if not seen:
        return domain
    last = seen[-1]
    if _psd(last) == "y" and last.domain != domain:
        below = len(last.domain.split(".")) + 1
        return ".".join(domain.split(".")[-below:])
    return last.domain  # psd=n ended the walk here, or no record has fewer labels


def _psd(place: Place) -> str:
    return place.record.psd if place.record is not None else "u"
