"""What can be wrong with the name servers of a domain?

Declarations only; :mod:`agent.domain.nameservers_lint` and its neighbours say when they are broken.
Critical is what loses or misdirects mail, or takes the domain out of its owner's hands. A resolver
tries another server where one fails: that costs time, and no mail.
"""

from agent.domain.finding import Rule, Severity

_HOST = "at the DNS host of the domain"

ALL_LAME = Rule(
    code="nameservers-all-lame",
    severity=Severity.CRITICAL,
    summary="No name server that the domain is delegated to speaks for its zone",
    remedy="Set the name servers at the registrar to those that the DNS host names for this"
    " very zone, or create the zone there. What resolvers still know ends with its time to live.",
    reference="RFC 1034 section 4.2.2; RFC 1912 section 2.8",
)
ALL_SILENT = Rule(
    code="nameservers-all-silent",
    severity=Severity.CRITICAL,
    summary="No name server of the domain answers, neither us nor the resolver",
    remedy="See whether the servers run and whether port 53 is open for UDP and TCP; otherwise move"
    " the zone to servers that answer. Mail to the domain is deferred, and bounces within days.",
    reference="RFC 2182 section 3",
)
CHANGED = Rule(
    code="nameservers-delegation-changed",
    severity=Severity.CRITICAL,
    summary="The domain is delegated to other name servers than before",
    remedy="Ask whoever holds the domain at the registrar whether it was meant. If not, lock the"
    " account, put the old servers back and have the domain locked: whoever runs the new ones"
    " decides where its mail goes. This ends by itself after `report_changes_for`.",
    reference="docs/architecture.md",
)
UNEXPECTED = Rule(
    code="nameservers-unexpected",
    severity=Severity.CRITICAL,
    summary="The domain is delegated to a name server that is not expected",
    remedy="Remove it at the registrar if it is not yours; otherwise add it to `expected`.",
    reference="docs/architecture.md",
)
MX_LACKING = Rule(
    code="nameservers-mx-lacking",
    severity=Severity.CRITICAL,
    summary="Some name servers know no MX record of the domain, and others do",
    remedy="Have the servers that lack it transfer the zone anew, or take them out of the"
    " delegation: a part of the senders finds no exchange.",
    reference="RFC 1034 section 4.3.5; RFC 5321 section 5.1",
)
MX_ELSEWHERE = Rule(
    code="nameservers-mx-elsewhere",
    severity=Severity.CRITICAL,
    summary="Name servers name different exchanges, so that a part of the mail goes elsewhere",
    remedy="Find out which servers have the old zone. Have them transfer it anew, or take them out"
    " of the delegation.",
    reference="RFC 1034 section 4.3.5",
)
MX_DIFFERS = Rule(
    code="nameservers-mx-differs",
    severity=Severity.WARNING,
    summary="Name servers have different MX records, some of which they share",
    remedy="Have the servers with the old zone transfer it anew.",
    reference="RFC 1034 section 4.3.5",
)
SPF_DIFFERS = Rule(
    code="nameservers-spf-differs",
    severity=Severity.WARNING,
    summary="Name servers have different SPF records: a part of the receivers judges by another",
    remedy="Have the servers with the old zone transfer it anew.",
    reference="RFC 1034 section 4.3.5; RFC 7208 section 3",
)
DKIM_DIFFERS = Rule(
    code="nameservers-dkim-differs",
    severity=Severity.WARNING,
    summary="Name servers have different DKIM keys: signatures fail for a part of the receivers",
    remedy="Have the servers with the old zone transfer it anew.",
    reference="RFC 1034 section 4.3.5; RFC 6376 section 3.6.2",
)
DMARC_DIFFERS = Rule(
    code="nameservers-dmarc-differs",
    severity=Severity.WARNING,
    summary="Name servers have different DMARC policies: a part of the receivers applies another",
    remedy="Have the servers with the old zone transfer it anew.",
    reference="RFC 1034 section 4.3.5; RFC 7489 section 6.6.3",
)
NS_DIFFERS = Rule(
    code="nameservers-ns-differs",
    severity=Severity.WARNING,
    summary="Name servers have different NS records",
    remedy="Have the servers with the old zone transfer it anew; with two providers, enter the"
    " servers of both with each.",
    reference="RFC 1034 section 4.2.2",
)
MOST_BAD = Rule(
    code="nameservers-most-bad",
    severity=Severity.WARNING,
    summary="More than half of the name servers are lame or silent, which delays mail",
    remedy="Take the servers that do not serve the zone out of the delegation at the registrar, or"
    f" create the zone on them {_HOST}.",
    reference="RFC 1912 section 2.8",
)
LAME = Rule(
    code="nameservers-lame",
    severity=Severity.WARNING,
    summary="A name server does not speak for the zone that it is named for",
    remedy="Create the zone on it, or take it out of the delegation and out of the NS records."
    " Resolvers try another one, which costs time.",
    reference="RFC 1912 section 2.8",
)
SILENT = Rule(
    code="nameservers-silent",
    severity=Severity.WARNING,
    summary="A name server does not answer from here, while others do",
    remedy="See whether it runs and whether port 53 is open for UDP and TCP; if it is gone, take it"
    " out of the delegation.",
    reference="RFC 2182 section 3",
)
TCP = Rule(
    code="nameservers-tcp",
    severity=Severity.WARNING,
    summary="A name server cuts an answer, and does not give the whole of it over TCP",
    remedy="Open TCP port 53 of the server. Long SPF and DKIM records do not fit into a datagram.",
    reference="RFC 7766 section 5",
)
SERIALS_DIFFER = Rule(
    code="nameservers-serials-differ",
    severity=Severity.WARNING,
    summary="A name server has an older version of the zone than others, and keeps it",
    remedy="See in its log why it does not transfer the zone: access, TSIG or NOTIFY.",
    reference="RFC 1034 section 4.3.5",
)
DELEGATION_DIFFERS = Rule(
    code="nameservers-delegation-differs",
    severity=Severity.WARNING,
    summary="The zone above delegates to other servers than the zone's own NS records name",
    remedy="Make the two the same: at the registrar, and in the zone.",
    reference="RFC 1034 section 4.2.2",
)
GLUE_MISSING = Rule(
    code="nameservers-glue-missing",
    severity=Severity.WARNING,
    summary="A name server inside the zone has no address in the delegation",
    remedy="Enter its address at the registrar (glue, or host object): nobody can ask a server for"
    " its own address.",
    reference="RFC 1034 section 4.2.1",
)
GLUE_DIFFERS = Rule(
    code="nameservers-glue-differs",
    severity=Severity.WARNING,
    summary="The delegation has other addresses of a name server than the zone",
    remedy="Correct the glue (host object) at the registrar, or the address in the zone.",
    reference="RFC 1912 section 2.3",
)
ALIAS = Rule(
    code="nameservers-alias",
    severity=Severity.WARNING,
    summary="A name server is an alias (CNAME)",
    remedy="Name the alias's target in the NS records and in the delegation.",
    reference="RFC 2181 section 10.3",
)
NO_ADDRESS = Rule(
    code="nameservers-no-address",
    severity=Severity.WARNING,
    summary="A name server has no address",
    remedy="Give the host its address, or take it out of the NS records. If its name can be"
    " registered, whoever does so answers for the domain.",
    reference="RFC 1912 section 2.3",
)
SPECIAL_ADDRESS = Rule(
    code="nameservers-special-address",
    severity=Severity.WARNING,
    summary="A name server has an address that is not reachable on the Internet",
    remedy="Give it its public address; inside names belong in a zone of their own. Where the"
    " zone is meant for the inside, set `reach: private`.",
    reference="RFC 6890 section 2.2.2",
)
ONE_SERVER = Rule(
    code="nameservers-one-server",
    severity=Severity.WARNING,
    summary="The domain hangs on a single name server",
    remedy="Add a second one elsewhere: while it is down, nobody finds the domain's exchanges.",
    reference="RFC 2182 section 5",
)
ONE_NETWORK = Rule(
    code="nameservers-one-network",
    severity=Severity.WARNING,
    summary="All name servers are in one network",
    remedy="Put one of them into another network, at another place.",
    reference="RFC 2182 section 3.1",
)
TOO_MANY = Rule(
    code="nameservers-too-many",
    severity=Severity.WARNING,
    summary="The domain has more name servers than anybody asks",
    remedy="Keep three to seven of them.",
    reference="RFC 2182 section 5",
)
TTL_LOW = Rule(
    code="nameservers-ttl-low",
    severity=Severity.WARNING,
    summary="Records that mail needs expire quickly, so that a short DNS failure is felt",
    remedy="Raise the TTL to 3600 seconds, and that of NS to a day, unless a move is under way.",
    reference="RFC 1912 section 2.2",
)
TTL_HIGH = Rule(
    code="nameservers-ttl-high",
    severity=Severity.WARNING,
    summary="Records that mail needs are kept for so long that a mistake cannot be mended in time",
    remedy="Lower the TTL to 3600 seconds, and that of NS to a day.",
    reference="RFC 1912 section 2.2",
)
NEGATIVE_TTL = Rule(
    code="nameservers-negative-ttl",
    severity=Severity.WARNING,
    summary="That a record is missing is remembered for more than a day",
    remedy="Set the last field of the SOA record (minimum) to one to three hours.",
    reference="RFC 2308 section 5",
)
SOA_TIMERS = Rule(
    code="nameservers-soa-timers",
    severity=Severity.WARNING,
    summary="Secondary servers give the zone up before a failure of the primary can be mended",
    remedy="Set `expire` of the SOA record to two to four weeks.",
    reference="RFC 1912 section 2.2",
)
WILDCARD_MX = Rule(
    code="nameservers-wildcard-mx",
    severity=Severity.WARNING,
    summary="A wildcard MX takes mail for names below the domain that nobody created",
    remedy="Remove the wildcard, or let the accepted domain match subdomains in Exchange Online.",
    reference="RFC 4592 section 2.2",
)
WILDCARD_TXT = Rule(
    code="nameservers-wildcard-txt",
    severity=Severity.WARNING,
    summary="A wildcard TXT answers for names that nobody created, policies and keys among them",
    remedy="Remove the wildcard, or keep to `v=spf1 -all` below the domain and `v=DKIM1; p=` below"
    " `_domainkey`: whoever looks for a policy or a key there finds this text.",
    reference="RFC 4592 section 2.2",
)
RESOLVER_DIFFERS = Rule(
    code="nameservers-resolver-differs",
    severity=Severity.WARNING,
    summary="A resolver of the configuration answers otherwise than the domain's name servers",
    remedy="Where that resolver has a zone of its own for the inside (split horizon), have the"
    " agent ask one that sees what the world sees; otherwise flush its cache, and see where it"
    " forwards to.",
    reference="RFC 8499 section 6",
)
OUT_OF_REACH = Rule(
    code="nameservers-out-of-reach",
    severity=Severity.UNKNOWN,
    summary="No name server can be asked from here, or none over TCP",
    remedy="Nothing is known to be wrong with the domain. Let the agent's host send to port 53 of"
    " any address, over UDP and TCP, or switch this check off.",
    reference="docs/architecture.md",
)
INTERCEPTED = Rule(
    code="nameservers-intercepted",
    severity=Severity.UNKNOWN,
    summary="Something on the way answers in place of the name servers",
    remedy="Nothing is known to be wrong with the domain. A firewall or provider takes every"
    " question to port 53 for itself: except the agent's host, or switch this check off.",
    reference="RFC 8499 section 6",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
