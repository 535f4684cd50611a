"""Which domains, hosts and records does the lab's world have?

A world is a mapping from name and type to records, written as people write zone files. Its hosts
have addresses out of two special-purpose networks that count as public and carry nobody's mail
(192.31.196.0/24 and 192.52.193.0/24), so that a healthy domain is healthy for every lint. No packet
goes there: the agent's dialer is told where on loopback each of them really listens.
"""

from ipaddress import ip_address
from typing import Final

from agent.domain.lookup import Exchange, Record, TextRecord

Zone = dict[tuple[str, str], tuple[Record, ...]]

SMART_HOST: Final = "192.31.196.25"
SINK: Final = "192.31.196.99"
EXCHANGE_ONLINE: Final = "192.52.193.11"
CONTOSO_ENDPOINT: Final = "192.52.193.12"  # where the agent counts as Contoso's data centre
EXCHANGE_NAME: Final = "DB5PEPF00014B8A.mail.protection.outlook.com"
FILTERS: Final = ("192.52.193.21", "192.52.193.22")
OUTBOUND: Final = "40.107.22.51"  # what Exchange Online sends from; nothing listens there
OUTBOUND_NAME: Final = "mail-db8eur05on2051.outbound.protection.outlook.com"
OWN_RELAY: Final = "192.52.193.31"
REGISTRY: Final = "192.31.196.52"  # the name server of com
NAME_SERVERS: Final = ("192.31.196.53", "192.52.193.53")  # of the lab's domains
DOMAINS: Final = (
    "adatum.com",
    "contoso.com",
    "fabrikam.com",
    "fourthcoffee.com",
    "litwareinc.com",
    "northwindtraders.com",
    "relecloud.com",
    "tailspintoys.com",
    "wingtiptoys.com",
)
SIGNING_KEY: Final = (  # the public half; nobody has the other
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvyUqgeJ89XuUpLOTrIVjA1jBynuaRd6hcY3i"
    "ZEDsaQG3wMi+CevpLZXsX4VSQOxcaqiuqAjf7kifOlZUG47NZZR4pWl6X6+/10toV2M6sG2zI/e5CFoH"
    "KBhij63vqnjpcataAiygXRakbXMWSXAqe3qINKhYZ44ITnvRH0XQNDYWKQAQ98Wo+MSiJvlCznuPvFGc"
    "BAlGm9jAD/Oipa+YZVeaRPBbAWVAB2QcLv+dVM33g4FCNt/YF0qzfABanS7nGHwH34gxBTYkGTHzHskB"
    "2d49e1agXKjSk3RPplyCFlFkvToKuWjKb3cGhzcADONChcOKps+Uc1KXBA5ZiqvlzQIDAQAB"
)

SOA: Final = "ns1.dns.example hostmaster.dns.example {serial} 3600 600 1209600 3600"
_DELEGATIONS: Final = "\n".join(
    f"{name} NS ns1.dns.example\n{name} NS ns2.dns.example\n{name} SOA {SOA.format(serial=7)}"
    for name in DOMAINS
)


def _microsoft_365(domain: str, tenant: str) -> str:
    """Return what Microsoft asks a domain of a tenant to publish beside MX and SPF.

    The second key is not there: it is made when the first one is first exchanged.
    """
    keys, token = f"_domainkey.{tenant}.onmicrosoft.com", domain.replace(".", "-")
    return f"""\
selector1._domainkey.{domain} CNAME selector1-{token}.{keys}
selector1-{token}.{keys} TXT v=DKIM1; k=rsa; p={SIGNING_KEY}
selector2._domainkey.{domain} CNAME selector2-{token}.{keys}
autodiscover.{domain} CNAME autodiscover.outlook.com"""


WORLD: Final = f"""
; The registry, and the DNS host of all domains.
com NS a.registry.example
com SOA {SOA.format(serial=1)}
a.registry.example A {REGISTRY}
ns1.dns.example A {NAME_SERVERS[0]}
ns2.dns.example A {NAME_SERVERS[1]}
{_DELEGATIONS}

; Microsoft's side: the networks that Exchange Online sends from, and its front door.
spf.protection.outlook.com TXT v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 \
ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 \
ip6:2a01:111:f403::/49 -all
contoso-com.mail.protection.outlook.com A {CONTOSO_ENDPOINT}
litwareinc-com.mail.protection.outlook.com A {EXCHANGE_ONLINE}
adatum-com.mail.protection.outlook.com A {EXCHANGE_ONLINE}
wingtiptoys-com.mail.protection.outlook.com A {EXCHANGE_ONLINE}
northwindtraders-com.mail.protection.outlook.com A {EXCHANGE_ONLINE}
monitor-contoso-com.mail.protection.outlook.com A {EXCHANGE_ONLINE}
fabrikam-com.mail.protection.outlook.com A {EXCHANGE_ONLINE}
relecloud-com.mail.protection.outlook.com A {EXCHANGE_ONLINE}
filter-example.mail.protection.outlook.com A {EXCHANGE_ONLINE}
contoso.mail.protection.outlook.com A {EXCHANGE_ONLINE}
fabrikam.mail.protection.outlook.com A {EXCHANGE_ONLINE}
relecloud.mail.protection.outlook.com A {EXCHANGE_ONLINE}
contoso.onmicrosoft.com MX 0 contoso.mail.protection.outlook.com
contoso.onmicrosoft.com TXT v=spf1 include:spf.protection.outlook.com -all
fabrikam.onmicrosoft.com MX 0 fabrikam.mail.protection.outlook.com
fabrikam.onmicrosoft.com TXT v=spf1 include:spf.protection.outlook.com -all
relecloud.onmicrosoft.com MX 0 relecloud.mail.protection.outlook.com
relecloud.onmicrosoft.com TXT v=spf1 include:spf.protection.outlook.com -all
{EXCHANGE_NAME.lower()} A {EXCHANGE_ONLINE}
{EXCHANGE_NAME.lower()} A {CONTOSO_ENDPOINT}
{ip_address(CONTOSO_ENDPOINT).reverse_pointer} PTR {EXCHANGE_NAME.lower()}
{ip_address(EXCHANGE_ONLINE).reverse_pointer} PTR {EXCHANGE_NAME.lower()}

; contoso.com: all well. Mailboxes in Exchange Online, one relay in the data centre.
contoso.com MX 0 contoso-com.mail.protection.outlook.com
contoso.com TXT v=spf1 ip4:{SMART_HOST} include:spf.protection.outlook.com -all
_dmarc.contoso.com TXT v=DMARC1; p=reject; rua=mailto:dmarc@contoso.com
{_microsoft_365("contoso.com", "contoso")}
mail.contoso.com A {SMART_HOST}
{ip_address(SMART_HOST).reverse_pointer} PTR mail.contoso.com
monitor.contoso.com MX 0 monitor-contoso-com.mail.protection.outlook.com
monitor.contoso.com TXT v=spf1 include:spf.protection.outlook.com -all
sink.monitor.contoso.com A {SINK}

; fabrikam.com: all well, behind a third-party filter.
fabrikam.com MX 10 mx1.filter.example
fabrikam.com MX 20 mx2.filter.example
fabrikam.com TXT v=spf1 include:spf.protection.outlook.com -all
_dmarc.fabrikam.com TXT v=DMARC1; p=quarantine; rua=mailto:dmarc@fabrikam.com
{_microsoft_365("fabrikam.com", "fabrikam")}
mx1.filter.example A {FILTERS[0]}
mx2.filter.example A {FILTERS[1]}
{ip_address(FILTERS[0]).reverse_pointer} PTR mx1.filter.example
{ip_address(FILTERS[1]).reverse_pointer} PTR mx2.filter.example

; relecloud.com: all well. Whose filter that is, and a customer of Exchange Online too: the mail of
; its own staff leaves by a relay that shows another certificate than the filter does.
relecloud.com MX 0 relecloud-com.mail.protection.outlook.com
relecloud.com TXT v=spf1 ip4:{OWN_RELAY} include:spf.protection.outlook.com -all
_dmarc.relecloud.com TXT v=DMARC1; p=reject; rua=mailto:dmarc@relecloud.com
{_microsoft_365("relecloud.com", "relecloud")}
smtp.relecloud.com A {OWN_RELAY}
{ip_address(OWN_RELAY).reverse_pointer} PTR smtp.relecloud.com
filter.example MX 0 filter-example.mail.protection.outlook.com
filter.example TXT v=spf1 ip4:{FILTERS[0]} ip4:{FILTERS[1]} include:spf.protection.outlook.com -all
_dmarc.filter.example TXT v=DMARC1; p=reject; rua=mailto:dmarc@filter.example
{_microsoft_365("filter.example", "filterexample")}

; litwareinc.com: all well, hybrid.
litwareinc.com MX 0 litwareinc-com.mail.protection.outlook.com
litwareinc.com TXT v=spf1 ip4:192.31.196.40 include:spf.protection.outlook.com -all
_dmarc.litwareinc.com TXT v=DMARC1; p=reject; rua=mailto:dmarc@litwareinc.com
{_microsoft_365("litwareinc.com", "litwareinc")}
smtp.litwareinc.com A 192.31.196.40
{ip_address("192.31.196.40").reverse_pointer} PTR smtp.litwareinc.com

; adatum.com: every department added a service, and the record now takes 14 lookups.
adatum.com MX 0 adatum-com.mail.protection.outlook.com
adatum.com TXT v=spf1 include:spf.protection.outlook.com include:spf.crm.example \
include:spf.newsletter.example include:spf.helpdesk.example include:spf.payroll.example \
include:spf.survey.example -all
spf.crm.example TXT v=spf1 include:eu.spf.crm.example include:us.spf.crm.example ~all
eu.spf.crm.example TXT v=spf1 ip4:192.52.193.64/28 ~all
us.spf.crm.example TXT v=spf1 ip4:192.52.193.80/28 ~all
spf.newsletter.example TXT v=spf1 include:pool1.newsletter.example \
include:pool2.newsletter.example include:pool3.newsletter.example ~all
pool1.newsletter.example TXT v=spf1 ip4:192.52.193.96/28 ~all
pool2.newsletter.example TXT v=spf1 ip4:192.52.193.112/28 ~all
pool3.newsletter.example TXT v=spf1 ip4:192.52.193.128/28 ~all
spf.helpdesk.example TXT v=spf1 a:out1.helpdesk.example a:out2.helpdesk.example ~all
out1.helpdesk.example A 192.52.193.145
out2.helpdesk.example A 192.52.193.146
spf.payroll.example TXT v=spf1 mx:payroll.example ~all
payroll.example MX 10 mx.payroll.example
mx.payroll.example A 192.52.193.150
spf.survey.example TXT v=spf1 ip4:192.52.193.160/28 ~all

; wingtiptoys.com: somebody published a second SPF record beside the first.
wingtiptoys.com MX 0 wingtiptoys-com.mail.protection.outlook.com
wingtiptoys.com TXT v=spf1 include:spf.protection.outlook.com -all
wingtiptoys.com TXT v=spf1 include:spf.newsletter.example ~all

; tailspintoys.com: moved to Exchange Online, but the MX still names a host that is gone.
tailspintoys.com MX 10 oldmail.tailspintoys.com
tailspintoys.com TXT v=spf1 include:spf.protection.outlook.com -all

; northwindtraders.com: passes the whole world, and forgot nothing but its own relay.
northwindtraders.com MX 0 northwindtraders-com.mail.protection.outlook.com
northwindtraders.com TXT v=spf1 include:spf.protection.outlook.com +all

; A blocklist, with the entry for tests that every list has (RFC 5782 section 5).
2.0.0.127.blocklist.example A 127.0.0.2

; fourthcoffee.com: parked as it should be.
fourthcoffee.com MX 0 .
fourthcoffee.com TXT v=spf1 -all
_dmarc.fourthcoffee.com TXT v=DMARC1; p=reject; rua=mailto:dmarc@fabrikam.com
fourthcoffee.com._report._dmarc.fabrikam.com TXT v=DMARC1
"""


def read_zone(text: str) -> Zone:
    """Read lines of ``name type value``; a line that starts with a semicolon is a remark.

    Raises ValueError for a type that the lab does not know.
    """
    zone: Zone = {}
    for line in text.splitlines():
        if line and not line.startswith(";"):
            name, kind, value = line.split(maxsplit=2)
            zone[name, kind] = (*zone.get((name, kind), ()), _record(kind, value))
    return zone


def _record(kind: str, value: str) -> Record:
    if kind in {"A", "AAAA"}:
        return ip_address(value)
    if kind in {"CNAME", "NS", "PTR", "SOA", "TLSA"}:
        return value
    if kind == "MX":
        preference, exchange = value.split()
        return Exchange(int(preference), exchange.rstrip("."))
    if kind == "TXT":
        octets = value.encode()
        # A character-string holds at most 255 octets (RFC 1035 section 3.3).
        return TextRecord(tuple(octets[at : at + 255] for at in range(0, len(octets), 255)))
    message = f"{kind} is no record type of the lab"
    raise ValueError(message)
