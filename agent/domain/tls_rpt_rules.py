"""What can be wrong with a domain's TLS reports?

Declarations only; :mod:`agent.domain.tls_rpt` says when they are broken. No mail is lost by any of
it: the owner does not learn that mail is lost by something else.
"""

from agent.domain.finding import Rule, Severity

_RECORD = "RFC 8460 section 3"

MISSING = Rule(
    code="tls-rpt-missing",
    severity=Severity.WARNING,
    summary="MTA-STS or DANE is in use, and nobody is told when it fails",
    remedy="Publish the TXT record with an address of yours. Senders, Exchange Online among them,"
    " report once a day which deliveries did not satisfy the policy.",
    reference=_RECORD,
)
SEVERAL_RECORDS = Rule(
    code="tls-rpt-several-records",
    severity=Severity.WARNING,
    summary="The domain has more than one record for TLS reports, which counts as none",
    remedy="Put all destinations into one record, with commas between, and delete the others.",
    reference=_RECORD,
)
MALFORMED = Rule(
    code="tls-rpt-malformed",
    severity=Severity.WARNING,
    summary="The record for TLS reports cannot be read, and senders may send none",
    remedy="Publish `v=TLSRPTv1; rua=` and destinations that begin with mailto: or https:, with"
    " commas between.",
    reference=_RECORD,
)
UNTIDY = Rule(
    code="tls-rpt-untidy",
    severity=Severity.WARNING,
    summary="The record for TLS reports has a flaw that some senders do not forgive",
    remedy="Publish exactly `v=TLSRPTv1; rua=` and the destinations, with commas between.",
    reference=_RECORD,
)
MISPLACED = Rule(
    code="tls-rpt-misplaced",
    severity=Severity.WARNING,
    summary="A record for TLS reports stands at a name where nobody looks for it",
    remedy="Publish it at `_smtp._tls` below the domain, and delete it where it is. A console that"
    " adds the domain by itself wants `_smtp._tls` only.",
    reference=_RECORD,
)
DESTINATION_DEAD = Rule(
    code="tls-rpt-destination-dead",
    severity=Severity.WARNING,
    summary="A destination for TLS reports cannot take any",
    remedy="Correct the address, or remove it from the record.",
    reference="RFC 8460 section 5",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
