"""Which records of the lab's domains can be wrong?"""

from ipaddress import ip_address

from agent.lab.fault import Fault
from agent.lab.world import SMART_HOST

_M365 = "include:spf.protection.outlook.com"
_MANY = " ".join(f"a:host{number}.contoso.com" for number in range(12))

_LISTED = (
    f"{ip_address(SMART_HOST).reverse_pointer.removesuffix('.in-addr.arpa')}.blocklist.example"
)

RECORD_FAULTS = (
    Fault(
        "spf-too-many-lookups",
        "contoso.com lists twelve hosts by name",
        "spf of contoso.com: critical, over 10 lookups",
        zone=f"contoso.com TXT v=spf1 {_MANY} {_M365} -all\n"
        + "\n".join(f"host{number}.contoso.com A 192.31.196.{number}" for number in range(12)),
    ),
    Fault(
        "spf-two-records",
        "contoso.com publishes two SPF records",
        "spf of contoso.com: critical, permanent error",
        zone=f"contoso.com TXT v=spf1 {_M365} -all\ncontoso.com TXT v=spf1 ip4:{SMART_HOST} -all",
    ),
    Fault(
        "spf-missing",
        "contoso.com loses its SPF record",
        "spf of contoso.com: critical, no record",
        gone=(("contoso.com", "TXT"),),
    ),
    Fault(
        "spf-sender-forgotten",
        "contoso.com no longer lists its own relay",
        "spf of contoso.com: critical, a sender is not authorised",
        zone=f"contoso.com TXT v=spf1 {_M365} -all",
    ),
    Fault(
        "spf-plus-all",
        "contoso.com lets everybody pass",
        "spf of contoso.com: critical, strangers pass",
        zone=f"contoso.com TXT v=spf1 ip4:{SMART_HOST} {_M365} +all",
    ),
    Fault(
        "spf-include-gone",
        "the record that everybody includes is gone",
        "spf of most domains: critical, an include without a record",
        gone=(("spf.protection.outlook.com", "TXT"),),
    ),
    Fault(
        "dmarc-misspelt",
        "the DMARC policy of contoso.com is misspelt",
        "dmarc of contoso.com: critical, the policy is not applied",
        zone="_dmarc.contoso.com TXT v=DMARC1; p=rejct; rua=mailto:dmarc@contoso.com",
    ),
    Fault(
        "dkim-key-gone",
        "the DKIM key of contoso.com is gone, as after signing was turned off",
        "dkim of contoso.com: signatures by it fail",
        gone=(("selector1-contoso-com._domainkey.contoso.onmicrosoft.com", "TXT"),),
    ),
    Fault(
        "autodiscover-dangling",
        "autodiscover of contoso.com leads to a server that is gone",
        "autodiscover of contoso.com: Outlook finds no mailbox",
        zone="autodiscover.contoso.com CNAME oldmail.contoso.com",
    ),
    Fault(
        "reverse-missing",
        "the relay of contoso.com loses its reverse name",
        "reverse of contoso.com: large receivers refuse its mail",
        gone=((ip_address(SMART_HOST).reverse_pointer, "PTR"),),
    ),
    Fault(
        "mx-missing",
        "contoso.com loses its MX record",
        "mx of contoso.com: critical",
        gone=(("contoso.com", "MX"),),
    ),
    Fault(
        "mx-dangling",
        "the exchange of contoso.com has no address any more",
        "mx of contoso.com: critical, dangling",
        gone=(("contoso-com.mail.protection.outlook.com", "A"),),
    ),
    Fault(
        "mx-stranger",
        "somebody points the MX of contoso.com elsewhere",
        "mx of contoso.com: critical, unexpected exchange, and drift",
        zone="contoso.com MX 0 mx1.filter.example",
    ),
    Fault(
        "mx-alias",
        "the exchange of contoso.com is an alias",
        "mx of contoso.com: exchange is a CNAME",
        zone="contoso-com.mail.protection.outlook.com CNAME mx1.filter.example",
        gone=(("contoso-com.mail.protection.outlook.com", "A"),),
    ),
    Fault(
        "listed",
        "the relay of contoso.com is on a blocklist",
        "reputation of contoso.com: critical, listed",
        zone=f"{_LISTED} A 127.0.0.3\n{_LISTED} TXT https://blocklist.example/{SMART_HOST}",
    ),
)
