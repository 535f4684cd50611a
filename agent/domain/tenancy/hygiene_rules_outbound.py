"""What can be wrong with how mail is sent out of a tenant?"""

from agent.domain.tenancy.hygiene_rules import (
    ADD_ON,
    CONDITIONAL,
    GET_OUTBOUND,
    LOOPS,
    ROUTING,
    SET_OUTBOUND,
    critical,
    unknown,
    warning,
)

NO_SMART_HOST = critical(
    "no-smart-host",
    "An outbound connector has nowhere to send to",
    "Name the servers in SmartHosts, or set UseMXRecord.",
    SET_OUTBOUND,
)
SMART_HOST_IS_EXCHANGE = critical(
    "smart-host-is-exchange",
    "An outbound connector for one's own mail leads back to Exchange Online",
    "Name the host of the servers of your own, or of the service, in SmartHosts; what is sent to"
    " Exchange Online comes back to the same connector.",
    LOOPS,
)
TLS_WEAK = warning(
    "tls-weaker-than-wished",
    "An outbound connector's TLS is weaker than wished",
    "Raise TlsSettings; DomainValidation needs the name in the servers' certificate as TlsDomain.",
    SET_OUTBOUND,
)
TLS_WITHOUT_DOMAIN = warning(
    "validation-without-domain",
    "An outbound connector validates the domain of a certificate and names none",
    "Set TlsDomain to the name in the certificate that the servers show; no other name counts.",
    SET_OUTBOUND,
)
OVERLAP = warning(
    "outbound-overlap",
    "Two outbound connectors fit the same recipients equally well",
    "Leave the recipients to one of them: which one Exchange Online takes is not documented.",
    ROUTING,
)
TRANSPORT_SECURITY_OFF = warning(
    "transport-security-off",
    "An outbound connector ignores what receivers demand of TLS",
    "Set MtaStsMode and SmtpDaneMode to Opportunistic: receivers without such a policy notice"
    " nothing.",
    SET_OUTBOUND,
)
CMT_SCOPED = critical(
    "cmt-scoped",
    "The connector of centralised mail transport is for some recipients only",
    "Give RouteAllMessagesViaOnPremises a connector of its own, for the recipient domain `*`; mail"
    " for anybody else goes in a circle.",
    LOOPS,
)
CMT_NO_CONNECTOR = critical(
    "cmt-without-connector",
    "Centralised mail transport is on without a connector to the servers of one's own",
    "Set RouteAllMessagesViaOnPremises on an outbound connector of the type OnPremises, and clear"
    " it here.",
    LOOPS,
)
RULE_NAMES_MISSING = critical(
    "rule-names-missing",
    "A rule routes by a connector that does not exist",
    "Name an existing connector in RouteMessageOutboundConnector, or switch the rule off.",
    CONDITIONAL,
)
RULE_NAMES_UNEXPORTED = unknown(
    "rule-names-unexported",
    "A rule routes by a connector that the export does not hold",
    "Get-OutboundConnector leaves out connectors that rules use: export once more, with"
    " `-IsTransportRuleScoped $true` too, and with `-IncludeTestModeConnectors $true`.",
    GET_OUTBOUND,
)
RULE_NAMES_OFF = critical(
    "rule-names-off",
    "A rule routes by a connector that is switched off",
    "Switch the connector on, once it is validated, or the rule off: mail then goes as it would"
    " without the rule. What Exchange Online does meanwhile with the mail that the rule is for is"
    " not documented; count on its not arriving.",
    CONDITIONAL,
)
RULE_NAMES_UNSCOPED = warning(
    "rule-names-unscoped",
    "A rule routes by a connector that is not made for rules",
    "Set IsTransportRuleScoped: until then the connector takes mail without the rule as well.",
    CONDITIONAL,
)
CONNECTOR_WITHOUT_RULE = warning(
    "connector-without-rule",
    "No rule uses a connector that is made for rules",
    "Switch the rule on that should use it, or remove the connector.",
    CONDITIONAL,
)
NO_LOOP_GUARD = critical(
    "no-loop-guard",
    "A rule sends mail to a service that sends it back, and nothing stops the second round",
    "Exempt messages with the header that the service writes (ExceptIfHeaderContainsMessageHeader"
    " and ExceptIfHeaderContainsWords); its set-up page names it.",
    ADD_ON,
)

RULES = (
    NO_SMART_HOST,
    SMART_HOST_IS_EXCHANGE,
    TLS_WEAK,
    TLS_WITHOUT_DOMAIN,
    OVERLAP,
    TRANSPORT_SECURITY_OFF,
    CMT_SCOPED,
    CMT_NO_CONNECTOR,
    RULE_NAMES_MISSING,
    RULE_NAMES_UNEXPORTED,
    RULE_NAMES_OFF,
    RULE_NAMES_UNSCOPED,
    CONNECTOR_WITHOUT_RULE,
    NO_LOOP_GUARD,
)
