"""How are the rules of hygiene declared, and what can be wrong with any connector?"""

from agent.domain.finding import Rule, Severity

_FLOW = "https://learn.microsoft.com/exchange/mail-flow-best-practices"
CONNECTORS = f"{_FLOW}/use-connectors-to-configure-mail-flow/use-connectors-to-configure-mail-flow"
ROUTING = f"{_FLOW}/use-connectors-to-configure-mail-flow/set-up-connectors-to-route-mail"
VALIDATION = f"{_FLOW}/use-connectors-to-configure-mail-flow/validate-connectors"
PARTNERS = (
    f"{_FLOW}/use-connectors-to-configure-mail-flow/"
    "set-up-connectors-for-secure-mail-flow-with-a-partner"
)
ENHANCED = f"{_FLOW}/use-connectors-to-configure-mail-flow/enhanced-filtering-for-connectors"
ADD_ON = (
    f"{_FLOW}/use-connectors-to-configure-mail-flow/"
    "integrate-office-365-with-an-email-add-on-service"
)
CONDITIONAL = f"{_FLOW}/use-connectors-to-configure-mail-flow/conditional-mail-routing"
THIRD_PARTY = f"{_FLOW}/manage-mail-flow-using-third-party-cloud"
LOCATIONS = f"{_FLOW}/manage-mail-flow-for-multiple-locations"
DOMAINS = f"{_FLOW}/manage-accepted-domains/manage-accepted-domains"
_CMDLETS = "https://learn.microsoft.com/powershell/module/exchangepowershell"
SET_INBOUND = f"{_CMDLETS}/set-inboundconnector"
SET_OUTBOUND = f"{_CMDLETS}/set-outboundconnector"
GET_OUTBOUND = f"{_CMDLETS}/get-outboundconnector"
SET_ORGANISATION = f"{_CMDLETS}/set-organizationconfig"
LOOPS = (
    "https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr/"
    "fix-error-code-5-4-6-through-5-4-20-in-exchange-online"
)
NOT_FOUND = (
    "https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr/"
    "fix-error-code-550-5-4-1-in-exchange-online"
)
_DEFENDER = "https://learn.microsoft.com/defender-office-365"
RECORDS = "https://learn.microsoft.com/graph/api/domain-list-serviceconfigurationrecords"
DKIM = f"{_DEFENDER}/email-authentication-dkim-configure"
SAFE_SENDERS = f"{_DEFENDER}/create-safe-sender-lists-in-office-365"


def warning(code: str, summary: str, remedy: str, reference: str = CONNECTORS) -> Rule:
    """Declare what is untidy, or will hurt one day."""
    return Rule(f"hygiene-{code}", Severity.WARNING, summary, remedy, reference)


def critical(code: str, summary: str, remedy: str, reference: str = CONNECTORS) -> Rule:
    """Declare by what mail is lost, goes in a circle, or gets by a guard."""
    return Rule(f"hygiene-{code}", Severity.CRITICAL, summary, remedy, reference)


def unknown(code: str, summary: str, remedy: str, reference: str = CONNECTORS) -> Rule:
    """Declare what an export does not let anybody tell."""
    return Rule(f"hygiene-{code}", Severity.UNKNOWN, summary, remedy, reference)


INBOUND_MISSING = critical(
    "inbound-missing",
    "Servers of one's own have no inbound connector to come in by",
    "Create an inbound connector of the type OnPremises that knows the servers by their"
    " certificate; in a hybrid deployment let the Hybrid Configuration Wizard do it.",
)
INBOUND_NONE = warning(
    "no-way-back",
    "A connector leads to servers of one's own, and none lets their mail in",
    "Create an inbound connector of the type OnPremises that knows the servers by their"
    " certificate, if they send mail by Exchange Online: without it what they relay is refused"
    " (5.7.64), and their mail to your own mailboxes counts as anybody's.",
)
OUTBOUND_MISSING = critical(
    "outbound-missing",
    "No outbound connector leads to the servers of one's own",
    "Create an outbound connector of the type OnPremises with the servers as smart hosts; in a"
    " hybrid deployment let the Hybrid Configuration Wizard do it.",
)
NEEDED_BUT_OFF = critical(
    "needed-but-off",
    "A connector that mail needs is switched off",
    "Switch it on, or take away what needs it. A connector has to be validated and turned on.",
    VALIDATION,
)
LEFTOVER = warning(
    "leftover",
    "A connector has been switched off for long, and nothing needs it",
    "Remove it, so that nobody switches it on by mistake; the line that made it can be kept.",
)
TEST_MODE = warning(
    "test-mode",
    "An outbound connector was left in test mode",
    "End the test mode, or remove the connector; until then it is no way for ordinary mail.",
    SET_OUTBOUND,
)
NEVER_VALIDATED = warning(
    "never-validated",
    "An outbound connector is in use that no validation has passed",
    "Validate it with the address of a mailbox behind it, in the admin centre or by"
    " Validate-OutboundConnector; the cmdlet does not keep the result, so that IsValidated and"
    " LastValidationTimestamp are set by Set-OutboundConnector afterwards.",
    VALIDATION,
)
VALIDATED_LONG_AGO = warning(
    "validated-long-ago",
    "The last validation of an outbound connector is long ago",
    "Validate it again: servers, certificates and firewalls change without the connector.",
    VALIDATION,
)
CHANGED_SINCE = warning(
    "changed-since-validation",
    "An outbound connector was changed after its last validation",
    "Validate it again: the last result is about other settings.",
    VALIDATION,
)
INEFFECTIVE = warning(
    "ineffective-property",
    "A property is set that does nothing on this connector",
    "Clear it, or make the connector of the type on which it acts: somebody may rely on it.",
)
PARTNER_TWICE = warning(
    "partner-twice",
    "Two partner connectors serve one partner",
    "Keep one: several connectors for one partner cause errors and mail that is not delivered.",
    PARTNERS,
)

RULES = (
    INBOUND_MISSING,
    INBOUND_NONE,
    OUTBOUND_MISSING,
    NEEDED_BUT_OFF,
    LEFTOVER,
    TEST_MODE,
    NEVER_VALIDATED,
    VALIDATED_LONG_AGO,
    CHANGED_SINCE,
    INEFFECTIVE,
    PARTNER_TWICE,
)
