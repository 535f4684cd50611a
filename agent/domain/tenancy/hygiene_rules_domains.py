"""What can be wrong with accepted domains, and with the organisation as a whole?"""

from agent.domain.tenancy.hygiene_rules import (
    DKIM,
    DOMAINS,
    LOCATIONS,
    LOOPS,
    NOT_FOUND,
    RECORDS,
    SET_INBOUND,
    SET_ORGANISATION,
    critical,
    warning,
)

RELAY_WITHOUT_CONNECTOR = critical(
    "relay-without-connector",
    "An internal relay domain has no connector to relay by",
    "Create an outbound connector for the domain; where all its mailboxes are in Exchange Online,"
    " make it Authoritative instead. As it is, mail for unknown recipients goes in a circle.",
    LOOPS,
)
EXTERNAL_RELAY = warning(
    "external-relay",
    "An accepted domain is of a type that Exchange Online does not have",
    "Make it InternalRelay where some mailboxes are elsewhere, else Authoritative.",
    DOMAINS,
)
MX_CONTRADICTS = warning(
    "mx-contradicts-topology",
    "A domain's MX does not fit its topology",
    "Correct the MX record, or say what is meant in `topology`.",
    LOCATIONS,
)
MX_NOT_ACCEPTED = critical(
    "mx-not-accepted",
    "A domain's MX leads to Exchange Online, and the tenant does not accept the domain",
    "Add the domain to the tenant, or let its MX lead to where the mailboxes are.",
    NOT_FOUND,
)
MX_STRANGE = warning(
    "mx-strange",
    "A domain's mail goes to a host that nothing in the tenant knows",
    "See whose host it is. A filter needs a restricted partner connector, servers of your own a"
    " connector of the type OnPremises; say which it is in `topology`.",
    LOCATIONS,
)
MX_NOT_OWN = critical(
    "mx-not-own",
    "A domain's MX names another endpoint of Exchange Online than Microsoft asks for",
    "Publish the MX record that is shown, which Microsoft gave to this domain. At the endpoint of"
    " another, its mail is refused or lands in another tenant.",
    RECORDS,
)
RECORD_DIFFERS = warning(
    "record-differs",
    "A record in DNS is not the one that Microsoft asks for",
    "Publish the record that is shown. Where it was changed on purpose, say so by the domain's"
    " `topology`.",
    RECORDS,
)
HEADERS_NOT_TRUSTED = warning(
    "headers-not-trusted",
    "A hybrid connector throws the headers of Exchange away",
    "Set CloudServicesMailEnabled on both hybrid connectors, or let the Hybrid Configuration"
    " Wizard do it: without it mail between your own mailboxes counts as anonymous.",
    SET_INBOUND,
)
DKIM_OFF = warning(
    "dkim-off",
    "Exchange Online does not sign with the domain",
    "Switch signing on; both CNAME records have to be there first.",
    DKIM,
)
DKIM_CNAME_MISSING = warning(
    "dkim-cname-missing",
    "The CNAME records of a domain's DKIM keys are missing",
    "Publish both records as shown, then switch signing on.",
    DKIM,
)
DKIM_KEY_SHORT = warning(
    "dkim-key-short",
    "A domain signs with a DKIM key of fewer than 2048 bits",
    "Rotate to 2048 bits; the other selector changes with the rotation after that.",
    DKIM,
)
DIRECT_SEND = warning(
    "direct-send",
    "RejectDirectSend is not as wished",
    "Set it as wished. It refuses anonymous mail with a sender of your own domains that matches no"
    " inbound connector: give devices that send so a connector first.",
    SET_ORGANISATION,
)

RULES = (
    RELAY_WITHOUT_CONNECTOR,
    EXTERNAL_RELAY,
    MX_CONTRADICTS,
    MX_NOT_ACCEPTED,
    MX_STRANGE,
    MX_NOT_OWN,
    RECORD_DIFFERS,
    HEADERS_NOT_TRUSTED,
    DKIM_OFF,
    DKIM_CNAME_MISSING,
    DKIM_KEY_SHORT,
    DIRECT_SEND,
)
