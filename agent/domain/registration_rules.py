"""What can be wrong with a domain's registration?

Declarations only; :mod:`agent.domain.registration_lint` says when they are broken. A domain that
expired, is on hold or is being deleted leaves DNS, and everything with it: critical.
"""

from agent.domain.finding import Rule, Severity

_EVENTS = "RFC 9083 section 4.5"
_STATUSES = "RFC 5731 section 2.3"
_DELETED = "RFC 3915 section 3.1"

UNKNOWN_DOMAIN = Rule(
    code="registration-unknown-domain",
    severity=Severity.CRITICAL,
    summary="Neither the registry nor DNS knows the domain any more",
    remedy="Ask the registrar at once what became of it. If it was deleted, register it again"
    " before somebody else does.",
    reference="RFC 9082 section 3.1.3",
)
BEING_DELETED = Rule(
    code="registration-being-deleted",
    severity=Severity.CRITICAL,
    summary="The domain is being deleted",
    remedy="Have the registrar restore it now: that works in the redemption period, which lasts"
    " 30 days in most registries, and no longer once its status is pendingDelete.",
    reference=_DELETED,
)
ON_HOLD = Rule(
    code="registration-on-hold",
    severity=Severity.CRITICAL,
    summary="The domain is on hold, and not in DNS",
    remedy="Ask whoever set it what is missing: clientHold is the registrar's (an unpaid bill, an"
    " address of the owner that was not confirmed), serverHold the registry's (a dispute, abuse).",
    reference=_STATUSES,
)
EXPIRED = Rule(
    code="registration-expired",
    severity=Severity.CRITICAL,
    summary="The registration of the domain has expired",
    remedy="Renew it with the registrar now. Until it is deleted the former owner can do so.",
    reference=_EVENTS,
)
EXPIRES_NOW = Rule(
    code="registration-expires-now",
    severity=Severity.CRITICAL,
    summary="The registration of the domain expires within days",
    remedy="Renew it with the registrar today, and see why it was not renewed: a card that ended,"
    " a bill to somebody who left. If the registrar renews by itself, set `autorenew`.",
    reference=_EVENTS,
)
EXPIRES_SOON = Rule(
    code="registration-expires-soon",
    severity=Severity.WARNING,
    summary="The registration of the domain expires soon",
    remedy="Renew it with the registrar. If the registrar renews by itself, set `autorenew`, and"
    " see that its means of payment is good.",
    reference=_EVENTS,
)
TRANSFER = Rule(
    code="registration-transfer-pending",
    severity=Severity.WARNING,
    summary="The domain is being moved to another registrar",
    remedy="If nobody of yours asked for that, refuse it with the registrar now: after some days it"
    " is done by itself.",
    reference=_STATUSES,
)
UNLOCKED = Rule(
    code="registration-unlocked",
    severity=Severity.WARNING,
    summary="The domain has no lock against transfers",
    remedy="Switch on the transfer lock (clientTransferProhibited) with the registrar. Whoever gets"
    " hold of the authorisation code moves the domain away otherwise.",
    reference=_STATUSES,
)
NO_RDAP = Rule(
    code="registration-no-rdap",
    severity=Severity.UNKNOWN,
    summary="The registry of the domain offers no RDAP",
    remedy="Nothing can be learnt from here. Watch the date in the registrar's console, and set"
    " `checks: {registration: off}` for this domain.",
    reference="RFC 9224 section 4",
)
NOT_TOLD = Rule(
    code="registration-not-told",
    severity=Severity.UNKNOWN,
    summary="The registry did not say how the domain stands",
    remedy="Nothing is known to be wrong. See whether this machine may connect to port 443 outside;"
    " the registry is asked again a day after the last time.",
    reference="RFC 9083 section 6",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
