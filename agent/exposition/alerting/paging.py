"""Which findings wake somebody by themselves?

A rule is critical where mail is lost, refused or exposed, or can be at any time. Such a finding
pages, unless it stands in this list: where another alert pages sooner or with a better name, or
where nothing is lost tonight that the morning could not mend. A new critical rule pages until
somebody has thought about it: a page too many is noticed, and one too few is not.
"""

from collections.abc import Mapping

from agent.domain.finding import Rule, Severity

TICKETS: Mapping[str, tuple[str, ...]] = {
    "A single message met it: whether the route is down, or misses its objective, is judged over"
    " many, and that pages.": (
        "route-bounced",
        "route-lost",
        "route-quarantined",
        "route-refused",
        "route-resting",
        "route-unreached",
    ),
    "The message has arrived: the way that it took, or what the receiver said of it, is not as it"
    " should be.": (
        "route-compauth-failed",
        "route-dkim-failed",
        "route-dmarc-failed",
        "route-not-through",
        "route-plaintext-hop",
        "route-sender-missing",
        "route-spf-failed",
        "route-through-forbidden",
    ),
    "Others can forge mail, or get past the filter; mail of the domain's own is not lost by it.": (
        "autodiscover-takeover",
        "connector-starttls-injected",
        "dkim-key-weak",
        "dkim-private-key",
        "dkim-takeover",
        "hygiene-not-locked-down",
        "inbound-certificate-not-asked",
        "mx-filter-bypass",
        "refusal-direct-send-accepted",
        "refusal-filter-bypassed",
        "spf-not-sender-passes",
        "spf-plus-all",
        "spf-stranger-passes",
        "spf-target-plus-all",
        "spf-whole-internet",
    ),
    "One MX record of several is wrong. Where no mail gets through, `mx-none-reachable` or"
    " `exchange-unreachable` pages.": (
        "mx-dangling",
        "mx-legacy",
        "mx-literal",
        "mx-not-a-host-name",
        "mx-retired-cloud",
        "mx-special-address",
    ),
    "Where it makes SPF fail for a sender, `spf-sender-refused` pages.": ("spf-wrong-cloud",),
    "It lies in wait in the tenant's configuration. What loses mail already is seen by connectors"
    " and routes, or foreseen as a loop, and that pages.": (
        "attribution-address-shared",
        "attribution-certificate-shared",
        "attribution-domain-not-accepted",
        "attribution-partner-connector-missing",
        "attribution-provider-certificate",
        "hygiene-address-of-microsoft",
        "hygiene-cmt-scoped",
        "hygiene-inbound-missing",
        "hygiene-no-loop-guard",
        "hygiene-no-smart-host",
        "hygiene-outbound-missing",
        "hygiene-relay-without-connector",
        "hygiene-restriction-without-value",
        "hygiene-rule-names-missing",
        "hygiene-rule-names-off",
        "hygiene-smart-host-is-exchange",
    ),
    "Somebody has changed it, mostly on purpose. What the change breaks has a rule of its own.": (
        "drift-connector-off",
        "drift-connector-removed",
        "drift-domain-removed",
        "drift-domain-type-changed",
        "drift-routing-rule-off",
        "drift-weakened",
    ),
    "It ends within days, and nothing is lost tonight. What has expired pages.": (
        "registration-expires-now",
    ),
    "A date has passed. What no longer works because of it has an alert of its own.": (
        "retirement-past",
        "retirement-secret-expired",
    ),
}
_NOT_PAGING = frozenset(code for codes in TICKETS.values() for code in codes)


def severity_of(rule: Rule) -> str:
    """Return the severity of the alert of a rule, as the label has it."""
    if rule.severity is Severity.CRITICAL:
        return "warning" if rule.code in _NOT_PAGING else "critical"
    return "info" if rule.severity is Severity.OK else "warning"
