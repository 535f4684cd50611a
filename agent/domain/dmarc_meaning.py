"""What does a tag of a DMARC record mean, in words?"""

from agent.domain.dmarc_terms import Destination, Record, Tag

_POLICIES = {
    "none": "deliver mail that fails",
    "quarantine": "put mail that fails in the junk folder",
    "reject": "refuse mail that fails",
}
_OF_POLICY = {
    "p": "",
    "sp": "for subdomains: ",
    "np": "for subdomains that do not exist: ",
}
_MODES = {
    "r": "a subdomain of the same organisation aligns, too",
    "s": "only the very same domain aligns",
}
_PSD = {
    "y": "registrations happen below this name",
    "n": "an organisation begins here",
    "u": "the tree walk decides",
}
_TESTING = {"y": "a test: do not apply the policy yet", "n": "apply the policy"}
_OF_WORDS = {"adkim": _MODES, "aspf": _MODES, "psd": _PSD, "t": _TESTING}
_OPTIONS = {
    "0": "when nothing passes",
    "1": "when anything does not pass",
    "d": "when a signature fails",
    "s": "when SPF fails",
}
_GONE = "; RFC 9989 does not know it any more"
_NOT_READ = "not valid; receivers leave it out"


def meaning(tag: Tag, record: Record) -> str:
    """Say what receivers read out of *tag*, one of *record*."""
    if tag in record.unknown:
        return "nobody knows this tag"
    value = tag.value.lower()
    if tag.name in _OF_WORDS:
        return _OF_WORDS[tag.name].get(value, _NOT_READ)
    if tag.name in _OF_POLICY:
        known = _POLICIES.get(value)
        return f"{_OF_POLICY[tag.name]}{known}" if known else _NOT_READ
    return _reports(tag, record) if tag.name in {"rua", "ruf"} else _other(tag.name, record)


def _reports(tag: Tag, record: Record) -> str:
    destinations: tuple[Destination, ...] = record.rua if tag.name == "rua" else record.ruf
    limits = " with a size limit" if any(one.limit is not None for one in destinations) else ""
    if tag.name == "rua":
        return f"daily reports to {len(destinations)}{limits}"
    return f"reports of single messages to {len(destinations)}{limits}; Microsoft sends none"


def _other(name: str, record: Record) -> str:
    match name:
        case "v":
            return "this is a DMARC record"
        case "pct":
            return f"ask for the policy on {record.pct} % of the mail{_GONE}"
        case "fo":
            without = "" if record.ruf else "; without `ruf` it has no effect"
            return f"report {', '.join(_OPTIONS[one] for one in record.fo)}{without}"
        case "rf":
            return f"reports of single messages in the format {':'.join(record.rf)}{_GONE}"
        case _:
            return f"a report every {record.ri} s{_GONE}"
