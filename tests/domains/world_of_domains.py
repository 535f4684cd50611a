"""Which hosts do the domains of the gallery share: Microsoft, providers, an old server?"""

from agent.lab.world import SIGNING_KEY

OTHER_KEY = (  # the public half; nobody has the other
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxurLZZ1O6vB+ZIKoQWb00113xPItsAEkhYd/AzHo"
    "62K6ioHhO2gTM6pDbI7t2VJB01RdF7fidcNRSpRIMjY7tKQoQCi45uzDucXmJxIO3UJm8n/RFhduedf1X3ft"
    "0wN+r7xk2Lnrjt6D+//dlonTXGZhb947Ktyi9mhQ6Jbu+ySULmqfrWBER/1jgb/u22CP80QkW3XvTyX8syDq"
    "7KG1b2eAWDl7XehV6UpLD97q+MiHEB6c0C4XqcccIMGKpZKfXTT4P0rqjqIpodHWGkCLmJ+cYK6OyuLFC3EC"
    "bbNNHS+Ls8sLPm+2BQJBaLpr8tDJydm72nbT1kqhim7GHscv3QIDAQAB"
)
WEAK_KEY = (  # 512 bits
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALYbvK7kHc7bqGhVDK0rWmCEZcmLpzmTOuMJbHq8mAGNR9JFkqVg"
    "0Bd7tvSCzQ6kEYbUZk6UQGVwkKWXYFPnyCsCAwEAAQ=="
)

WORLD = f"""
spf.protection.outlook.com TXT v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 -all
spf.protection.partner.outlook.cn TXT v=spf1 ip4:42.159.163.0/24 -all
_spf.google.com TXT v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ~all
aspmx.l.google.com A 142.250.27.26
smtp.google.com A 142.250.27.27
servers.mcsv.net TXT v=spf1 ip4:205.201.128.0/20 ip4:198.2.128.0/18 ~all
sendgrid.net TXT v=spf1 ip4:167.89.0.0/17 ~all
eu-smtp-inbound-1.mimecast.com A 195.130.217.1
eu-smtp-inbound-2.mimecast.com A 91.220.42.1
mail.messaging.microsoft.com A 65.55.88.22
mx.oldhoster.example A 192.31.196.70
selector1-all-well-example._domainkey.a.onmicrosoft.com TXT v=DKIM1; k=rsa; p={SIGNING_KEY}
_spf.oldhoster.example TXT v=spf1 ip4:192.31.196.64/28 -all
ns1.dns.example A 192.31.196.53
ns2.dns.example A 192.52.193.53
ns8.dns.example A 192.31.196.58
ns9.dns.example A 192.52.193.59
reports.example MX 10 mx.reports.example
mx.reports.example A 192.31.196.71
one.lookups.example TXT v=spf1 ip4:192.31.196.1 ~all
two.lookups.example TXT v=spf1 include:one.lookups.example ~all
six.lookups.example TXT v=spf1 include:two.lookups.example include:one.lookups.example \
include:a.lookups.example include:b.lookups.example ~all
a.lookups.example TXT v=spf1 ip4:192.31.196.2 ~all
b.lookups.example TXT v=spf1 ip4:192.31.196.3 ~all
"""

MICROSOFT = f"""
@ MX 0 TOKEN.mail.protection.outlook.com
TOKEN.mail.protection.outlook.com A 52.101.68.1
@ TXT v=spf1 include:spf.protection.outlook.com -all
selector1._domainkey.@ CNAME selector1-TOKEN._domainkey.SLUG.onmicrosoft.com
selector2._domainkey.@ CNAME selector2-TOKEN._domainkey.SLUG.onmicrosoft.com
selector1-TOKEN._domainkey.SLUG.onmicrosoft.com TXT v=DKIM1; k=rsa; p={SIGNING_KEY}
selector2-TOKEN._domainkey.SLUG.onmicrosoft.com TXT v=DKIM1; k=rsa; p={OTHER_KEY}
_dmarc.@ TXT v=DMARC1; p=reject; rua=mailto:dmarc@@
autodiscover.@ CNAME autodiscover.outlook.com
"""
"""All well in Exchange Online; `@` is the domain, TOKEN its name with dashes."""

MIMECAST = """
@ MX 10 eu-smtp-inbound-1.mimecast.com
@ MX 10 eu-smtp-inbound-2.mimecast.com
"""

GOOGLE = f"""
@ MX 1 smtp.google.com
@ TXT v=spf1 include:_spf.google.com ~all
google._domainkey.@ TXT v=DKIM1; k=rsa; p={SIGNING_KEY}
_dmarc.@ TXT v=DMARC1; p=reject; rua=mailto:dmarc@@
"""

PARKED = """
@ MX 0 .
@ TXT v=spf1 -all
_dmarc.@ TXT v=DMARC1; p=reject; rua=mailto:all(at)reports.example
@._report._dmarc.reports.example TXT v=DMARC1
"""

MTA_STS = """
_mta-sts.@ TXT v=STSv1; id=20260101000000Z
mta-sts.@ A 192.31.196.80
_smtp._tls.@ TXT v=TLSRPTv1; rua=mailto:tls@@
"""

SOA = "ns1.dns.example host.dns.example {serial} 3600 600 1209600 3600"
NAME_SERVERS = f"""
@ NS ns1.dns.example
@ NS ns2.dns.example
@ SOA {SOA.format(serial=7)}
"""
