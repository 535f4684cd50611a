"""Does DNS have the records that Microsoft asks for?

An export may hold what Microsoft wants published for each domain. That is compared with DNS, as far
as mail needs it and the tenant's own way of mail does not call for something else: an MX that leads
to a filter is meant, and so is Autodiscover at servers of one's own.
"""

from collections.abc import Iterator

from agent.domain.finding import Finding
from agent.domain.names import MAX_NAME
from agent.domain.peer_text import PeerText
from agent.domain.spf_record import is_record
from agent.domain.tenancy import hygiene_rules_domains as rules
from agent.domain.tenancy.hosts import is_endpoint
from agent.domain.tenancy.hygiene_domains import is_hybrid
from agent.domain.tenancy.hygiene_view import View, few
from agent.domain.tenancy.objects import MICROSOFT_DOMAINS, DnsRecord

_AT_HOME = frozenset({"hybrid", "on-premises", "parked"})  # topologies with Outlook elsewhere
_ELSEWHERE = ("include:", "redirect=", "exists:")  # what may name somebody by way of another


def records(view: View) -> Iterator[Finding]:
    """Yield the records that DNS has otherwise; nothing of what it was not asked."""
    is_own = is_hybrid(view)
    for record in view.export.records or ():
        kind = record.record_type.lower()
        # Below Microsoft's own domains it is Microsoft that publishes them.
        if not record.is_for_mail or record.name.endswith(MICROSOFT_DOMAINS):
            continue
        if kind == "mx" and record.target:
            yield from _exchange(record, view)
        elif kind == "cname" and record.target and not is_own:
            yield from _alias(record, view)
        elif kind == "txt":
            yield from _sender_policy(record, view)


def _exchange(record: DnsRecord, view: View) -> Iterator[Finding]:
    """Compare the endpoints: a domain keeps its token under each name of Exchange Online."""
    known = view.surroundings.exchanges.get(record.name)
    hosts = [host for host in known.hosts if is_endpoint(host)] if known is not None else []
    if hosts and not any(_token(host) == _token(record.target) for host in hosts):
        fix = f"{_shown(record.name)}. 3600 IN MX {record.preference or 0} {_shown(record.target)}."
        detail = f"The MX of {_shown(record.name)} leads to {few(hosts)}."
        yield rules.MX_NOT_OWN.found(detail, fix=fix)


def _alias(record: DnsRecord, view: View) -> Iterator[Finding]:
    steps = view.surroundings.aliases.get(record.name)
    parent = record.name.partition(".")[2]
    if steps is None or record.target in steps or view.tenancy.topologies.get(parent) in _AT_HOME:
        return
    said = f"leads to {_shown(steps[-1])}" if steps else "is no alias"
    fix = f"{_shown(record.name)}. 3600 IN CNAME {_shown(record.target)}."
    yield rules.RECORD_DIFFERS.found(f"{_shown(record.name)} {said}.", fix=fix)


def _sender_policy(record: DnsRecord, view: View) -> Iterator[Finding]:
    """Look for the include that Microsoft asks for, where nothing else could stand for it."""
    texts = view.surroundings.texts.get(record.name)
    # Microsoft's own sample has a blank after the colon.
    wanted = record.text.lower().replace("include: ", "include:").split()
    includes = [term for term in wanted[1:] if term.startswith("include:")]
    if texts is None or wanted[:1] != ["v=spf1"] or not includes:
        return
    if view.tenancy.topologies.get(record.name) == "parked":
        return
    published = [text.decode("latin-1").lower().split() for text in texts if is_record(text)]
    terms = [term.lstrip("+") for words in published for term in words]
    if includes[0] in terms or any(term.startswith(_ELSEWHERE) for term in terms):
        return
    said = "has no SPF record" if not published else "has an SPF record without it"
    detail = f"{_shown(record.name)} {said}: {_shown(includes[0])}."
    line = f'{_shown(record.name)}. 3600 IN TXT "{" ".join(wanted)}"'
    yield rules.RECORD_DIFFERS.found(detail, fix="" if published else line)


def _token(host: str) -> str:
    return host.partition(".")[0]


def _shown(name: str) -> PeerText:
    return PeerText(name, MAX_NAME)
