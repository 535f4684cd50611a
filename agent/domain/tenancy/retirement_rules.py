"""What can be wrong with something that comes to an end, and is in use?"""

from agent.domain.finding import Rule, Severity

_BASIC = "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online"
_SECRETS = "https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"retirement-{code}", severity, summary, remedy, reference)


DUE_SOON = _rule(
    "due-soon",
    Severity.WARNING,
    "Something in use will soon be switched off by Microsoft",
    "Move to what the evidence names before the day; try it beside the old one first.",
    _BASIC,
)
PAST = _rule(
    "past",
    Severity.CRITICAL,
    "Something in use has been switched off by Microsoft",
    "Move to what the evidence names now: what still works of it works by chance.",
    _BASIC,
)
OFF_BY_DEFAULT = _rule(
    "off-by-default",
    Severity.WARNING,
    "Something in use works only for as long as an administrator allows it",
    "Move to what the evidence names; to allow it again only buys time.",
    _BASIC,
)
LIMITED = _rule(
    "limited",
    Severity.WARNING,
    "Something in use is limited by Microsoft",
    "Move to what the evidence names before the limit is met.",
    "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits",
)
SECRET_SOON = _rule(
    "secret-expires-soon",
    Severity.WARNING,
    "A secret or certificate of a credential expires soon",
    "Add a new one to the application in Entra now, put it where the credential names it, and"
    " remove the old one afterwards: both are taken until then.",
    _SECRETS,
)
SECRET_EXPIRED = _rule(
    "secret-expired",
    Severity.CRITICAL,
    "A secret or certificate of a credential has expired",
    "Add a new one to the application in Entra and put it where the credential names it; until then"
    " nothing that uses it can log in.",
    _SECRETS,
)
RULES = (DUE_SOON, PAST, OFF_BY_DEFAULT, LIMITED, SECRET_SOON, SECRET_EXPIRED)
