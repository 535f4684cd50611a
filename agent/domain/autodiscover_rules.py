"""What can be wrong with the names by which Outlook finds a domain's mailboxes?

Declarations only; :mod:`agent.domain.autodiscover_lint` says when they are broken. Mail itself
flows whatever stands here: what fails is setting up Outlook and phones, and what is at risk are the
passwords that they send to whoever answers.
"""

from agent.domain.finding import Rule, Severity

_RECORDS = (
    "https://learn.microsoft.com/microsoft-365/enterprise/external-domain-name-system-records"
)
_SEARCH = "https://learn.microsoft.com/exchange/architecture/client-access/autodiscover"
_DANGLING = "https://learn.microsoft.com/azure/security/fundamentals/subdomain-takeover"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"autodiscover-{code}", severity, summary, remedy, reference)


TAKEOVER = _rule(
    "takeover",
    Severity.CRITICAL,
    "Anybody can take the name that Outlook asks for the domain's mailboxes",
    "Delete the CNAME record now, or have it lead where the mailboxes are. Whoever takes the free"
    " name is asked by every Outlook of the domain, and may be sent its users' passwords.",
    _DANGLING,
)
DANGLING = _rule(
    "dangling",
    Severity.WARNING,
    "A record leads to a host that does not exist any more",
    "Delete the record, or have it lead to the host that does the work now. A name that nobody"
    " holds may one day be taken by somebody else.",
    _DANGLING,
)
WRONG_TARGET = _rule(
    "wrong-target",
    Severity.WARNING,
    "Outlook is sent elsewhere than to where the mailboxes are",
    "Correct the CNAME record. If the other host is meant, because it passes Outlook on, name it in"
    " the check's `expected`.",
    _RECORDS,
)
ADDRESS = _rule(
    "address",
    Severity.WARNING,
    "A host of its own answers where Outlook should be sent to Exchange Online",
    "Delete the address records of `autodiscover` and publish the CNAME record. A web server there"
    " makes Outlook show warnings about its certificate, or ask for the password again and again."
    " If the host is meant, name it in the check's `expected`.",
    _RECORDS,
)
MISSING = _rule(
    "missing",
    Severity.WARNING,
    "Outlook cannot find the domain's mailboxes by itself",
    "Publish the CNAME record. Mail flows without, but setting up Outlook and phones takes long or"
    " fails.",
    _RECORDS,
)
SKIPS_OWN_SERVERS = _rule(
    "skips-own-servers",
    Severity.WARNING,
    "Outlook is sent to Exchange Online, past the servers of your own",
    "As long as there are mailboxes on them, have `autodiscover` lead to your Exchange servers:"
    " they know all mailboxes and send Outlook on, and Exchange Online does not. If no mailbox is"
    " left there, set `allow_cloud` of the check.",
    _SEARCH,
)
SRV_COMPETES = _rule(
    "srv-competes",
    Severity.WARNING,
    "A second record sends Outlook elsewhere than the first",
    "Delete the SRV record: it is left from servers that were in use before, and some programs ask"
    " it when the alias is slow.",
    _SEARCH,
)
MSOID = _rule(
    "msoid",
    Severity.WARNING,
    "A record for old Office programs keeps Microsoft 365 Apps from activating",
    "Delete the CNAME record `msoid`. Only tenants in the cloud of 21Vianet need it.",
    _RECORDS,
)
PARKED = _rule(
    "parked",
    Severity.WARNING,
    "A domain without mail sends Outlook somewhere",
    "Delete the record: there is no mailbox to be found, and nobody looks after the host that it"
    " names. If the domain has mailboxes, correct its `topology`.",
    _RECORDS,
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
