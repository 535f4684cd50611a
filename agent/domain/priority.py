"""What would an expert mend first?

All findings about a domain become one list. Within a severity, what loses mail stands before what
lets others in, and both before hygiene; then the kinds of probes decide, what costs mail first. A
finding that only follows from another one is put under it. A consequence is never hidden behind
something less grave.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from agent.domain.finding import Finding, Rule, Severity

_KINDS = (  # a later probe that is missing here comes last
    "registration",
    "nameservers",
    "mx",
    "exchange",
    "spf",
    "dmarc",
    "mta-sts",
    "dane",
    "dkim",
    "reverse",
    "reputation",
    "refusal",
    "autodiscover",
    "tls-rpt",
)
"""Where mail is lost first: without the name nothing is found, without an exchange nothing
arrives, and what a sender publishes of itself matters after that."""

WARNINGS = (
    "nameservers-most-bad",  # mail is lost, or soon will be
    "mx-implicit",
    "registration-transfer-pending",
    "registration-expires-soon",
    "mx-alias",
    "mx-no-address",
    "mx-ipv6-only",
    "nameservers-mx-differs",
    "nameservers-no-address",
    "mx-single-label",
    "dane-signature-expires",
    "dane-rollover-unprepared",
    "dane-partly-mismatching",
    "mta-sts-exchange-would-be-uncovered",
    "mta-sts-exchange-certificate-would-fail",
    "spf-near-lookup-limit",
    "spf-near-void-limit",
    "spf-split",
    "spf-string-cut",
    "reputation-domain-listed",
    "reputation-listed",
    "nameservers-spf-differs",
    "nameservers-dkim-differs",
    "dkim-key-missing",
    "dkim-key-unreadable",
    "dkim-revoked",
    "dkim-cname-wrong",
    "dkim-cname-foreign",
    "dmarc-sender-unproven",
    "nameservers-tcp",
    "nameservers-lame",
    "nameservers-silent",
    "nameservers-serials-differ",
    "mx-parked-accepts",  # forgeries are delivered
    "spf-parked",
    "spf-no-all",
    "spf-neutral-all",
    "dkim-missing",
    "dmarc-several-records",
    "dmarc-unreadable",
    "dmarc-misplaced",
    "dmarc-missing",
    "dmarc-parked",
    "dkim-parked",
    "dmarc-sender-would-fail",  # before the policy, because whoever enforces it loses that mail
    "dmarc-none",
    "dmarc-testing",
    "dmarc-percent",
    "dmarc-subdomains-weaker",
    "nameservers-dmarc-differs",
    "mta-sts-policy-unfetched",  # a protection is not what its owner believes
    "mta-sts-policy-invalid",
    "mta-sts-host-missing",
    "mta-sts-host-certificate",
    "mta-sts-record-malformed",
    "mta-sts-several-records",
    "mta-sts-removed-early",
    "dane-microsoft-sts-enforced",  # before the exchange is exchanged
    "dane-domain-insecure",
    "dane-unusable",
    "dane-exchange-insecure",
    "dane-alias-dangling",
    "dane-microsoft-not-preferred",
    "dane-microsoft-old-exchange",
    "dane-partly-covered",
    "dane-required",
    "dkim-cname-missing",
    "mx-preference",
    "mx-expected-incomplete",
    "dmarc-sender-spf-only",
    "mta-sts-testing-for-long",
    "tls-rpt-missing",
    "dmarc-no-reports",
)
"""Warnings in the order to mend them: those not named here are hygiene, and come after them."""

OURS = frozenset({"nameservers-out-of-reach", "nameservers-intercepted"})
"""Rules that tell of the place where the agent runs, and nothing of the domain: they come last."""

FORGED = frozenset(
    {
        "mx-filter-bypass",
        "spf-plus-all",
        "spf-stranger-passes",
        "spf-not-sender-passes",
        "spf-whole-internet",
        "spf-target-plus-all",
        "dkim-takeover",
        "autodiscover-takeover",
        "dkim-private-key",
        "dkim-key-weak",
        "refusal-filter-bypassed",
        "refusal-direct-send-accepted",
        "refusal-own-domain-relayed",
    }
)
"""Critical rules by which strangers get in, and no mail is lost."""

_NOT_REGISTERED = (
    "registration-unknown-domain",
    "registration-being-deleted",
    "registration-on-hold",
    "registration-expired",
)
_PERMERROR = (
    "spf-several-records",
    "spf-syntax",
    "spf-typographic",
    "spf-target-missing",
    "spf-target-broken",
    "spf-loop",
    "spf-too-many-lookups",
    "spf-too-many-voids",
    "spf-many-exchanges",
)
_SHUT_OUT = ("exchange-unreachable", "mta-sts-exchange-uncovered", "mta-sts-exchange-certificate")
_EVERYBODY = ("spf-stranger-passes", "spf-not-sender-passes")
_UNPROVEN = ("dmarc-sender-fails", "dmarc-sender-would-fail")
_REFUSED = ("spf-sender-refused", "spf-verdict-differs", *_UNPROVEN)

_STALE = (
    "nameservers-mx-differs",
    "nameservers-spf-differs",
    "nameservers-dkim-differs",
    "nameservers-dmarc-differs",
    "nameservers-ns-differs",
)
_MOVING = ("dane-partly-covered", "dane-required", "mx-preference", "mx-both-endpoints")

EXPLAINS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_NOT_REGISTERED, ("mx-domain-missing",)),
    "nameservers-all-lame": ("mx-domain-missing", "nameservers-delegation-differs"),
    "nameservers-unexpected": ("nameservers-delegation-differs",),
    "nameservers-mx-lacking": ("nameservers-serials-differ", *_STALE),
    "nameservers-mx-elsewhere": ("nameservers-serials-differ", *_STALE),
    "nameservers-most-bad": ("nameservers-lame", "nameservers-silent"),
    "nameservers-serials-differ": _STALE,
    "nameservers-one-server": ("nameservers-one-network",),
    "mx-wildcard": ("nameservers-wildcard-mx",),
    "mx-missing": ("mx-expected-missing",),
    "mx-null": ("mx-expected-missing",),
    "mx-literal": ("mx-none-reachable", "mx-expected-missing"),
    "mx-legacy": ("mx-expected-missing", "mx-unexpected"),
    "mx-retired-cloud": ("mx-expected-missing", "mx-unexpected"),
    "mx-expected-missing": ("mx-unexpected", *_SHUT_OUT),
    "mx-none-reachable": (
        "mx-dangling",
        "mx-no-address",
        "mx-special-address",
        "mx-expected-missing",
        "mx-unexpected",
    ),
    "mx-unexpected": ("mx-preference", "mx-expected-incomplete", *_SHUT_OUT[1:]),
    "mx-filter-bypass": ("mx-preference",),
    "spf-missing": (
        *_REFUSED,
        "spf-cloud-include-missing",
        "spf-cloud-mx-without-include",
        "spf-only-at-parent",
        "spf-parked",
    ),
    **dict.fromkeys(_PERMERROR, _REFUSED),
    "spf-loop": (*_REFUSED, "spf-target-broken", "spf-too-many-lookups"),
    "spf-plus-all": (*_EVERYBODY, "spf-verdict-differs", "spf-parked"),
    "spf-whole-internet": _EVERYBODY,
    "spf-target-plus-all": _EVERYBODY,
    "spf-cloud-include-missing": (
        "spf-cloud-mx-without-include",
        "spf-sender-refused",
        *_UNPROVEN,
    ),
    "spf-wrong-cloud": ("spf-cloud-include-missing", "spf-sender-refused"),
    "spf-sender-refused": _UNPROVEN,
    "spf-too-many-lookups": (*_REFUSED, "spf-near-void-limit"),
    "dane-bogus": ("dns-unanswered",),
    "dane-signature-expired": ("dane-bogus", "dns-unanswered"),
    "dane-domain-insecure": ("dane-required",),
    "dane-microsoft-not-preferred": _MOVING,
    "dane-microsoft-old-exchange": _MOVING,
    "dkim-missing": ("dkim-cname-missing", "dkim-selectors-unknown"),
    "dmarc-missing": ("dmarc-parked", "dmarc-none"),
    "dmarc-several-records": ("dmarc-verdicts-differ",),
    "dmarc-unreadable": ("dmarc-verdicts-differ",),
    "dmarc-parked": ("dmarc-none", "dmarc-no-reports", "dmarc-subdomains-weaker"),
    "reverse-missing": ("exchange-no-reverse-name",),
    "reverse-missing-ipv6": ("exchange-no-reverse-name",),
    "reverse-unconfirmed": ("exchange-reverse-name-unconfirmed",),
}
"""Rules by which others are explained: mending the first mends these."""

EXPLAINS_ALL = frozenset({"mx-domain-missing", "mx-name-missing"})
"""Rules beside which nothing else about the domain means anything."""

_LAST = len(_KINDS)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to mend: a rule, every finding of it, and what is mended with it."""

    kind: str
    findings: tuple[Finding, ...]
    explains: tuple["Item", ...] = field(default=())

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return self.findings[0].rule


def prioritise(found: Mapping[str, Iterable[Finding]]) -> tuple[Item, ...]:
    """Put the findings of all probes, by kind, into the order in which they are to be mended."""
    items = sorted(_by_rule(found), key=_rank)
    causes = {item.rule.code: _cause(item, items) for item in items}
    return tuple(
        Item(item.kind, item.findings, tuple(_below(item, items, causes)))
        for item in items
        if not causes[item.rule.code]
    )


def _by_rule(found: Mapping[str, Iterable[Finding]]) -> list[Item]:
    """Put findings of one rule together; a rule that every probe has is one thing for all."""
    alike: dict[Rule, tuple[str, list[Finding]]] = {}
    for kind in sorted(found, key=_place):
        for finding in found[kind]:
            alike.setdefault(finding.rule, (kind, []))[1].append(finding)
    return [Item(kind, tuple(dict.fromkeys(findings))) for kind, findings in alike.values()]


def _rank(item: Item) -> tuple[int, int, int]:
    """Return the place of an item; what cannot be told apart stays in the order of its probe."""
    code, kind = item.rule.code, _place(item.kind)
    severity = 1 if code in OURS else -item.rule.severity
    if item.rule.severity is Severity.CRITICAL:
        return severity, int(code in FORGED), kind
    place = WARNINGS.index(code) if code in WARNINGS else len(WARNINGS)
    return severity, place, kind


def _place(kind: str) -> int:
    return _KINDS.index(kind) if kind in _KINDS else _LAST


def _cause(item: Item, items: list[Item]) -> str:
    """Return the code of the rule, broken as well, that explains *item*; empty without one."""
    for other in items:
        code = other.rule.code
        explained = EXPLAINS.get(item.rule.code, ())
        is_wide = code in EXPLAINS_ALL and other is not item and code not in explained
        is_grave = other.rule.severity >= item.rule.severity
        if is_grave and (is_wide or item.rule.code in EXPLAINS.get(code, ())):
            return code
    return ""


def _below(cause: Item, items: list[Item], causes: Mapping[str, str]) -> Iterator[Item]:
    """Yield what *cause* explains, be it by way of another one."""
    for item in items:
        code = causes[item.rule.code]
        while code and code != cause.rule.code:
            code = causes.get(code, "")
        if code:
            yield item
