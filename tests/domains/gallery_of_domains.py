"""Domains shaped after real ones, each with what an expert would mend first.

A zone is a base with lines on top: a line replaces all records of its name and type, `= NOTHING`
takes them away. `+` before a line adds to what is there.
"""

from dataclasses import dataclass

from domains.world_of_domains import (
    GOOGLE,
    MICROSOFT,
    MIMECAST,
    MTA_STS,
    NAME_SERVERS,
    PARKED,
    SOA,
    WEAK_KEY,
    WORLD,
)

from agent.lab.world import read_zone
from servers.dns import Content, Fault, Published

# An exchange of Microsoft's with DNSSEC, and what it says of its certificate.
SECURE = (
    "TOKEN.e-v1.mx.microsoft A 192.31.196.50\n"
    f"_25._tcp.TOKEN.e-v1.mx.microsoft TLSA 3 1 1 {'ab' * 32}\n"
)
ENFORCE = "version: STSv1\nmode: enforce\nmx: *.mail.protection.outlook.com\nmax_age: 604800\n"
TESTING = ENFORCE.replace("enforce", "testing")


@dataclass(frozen=True, slots=True)
class Case:
    """A domain: its zone, who is declared to send, its MTA-STS policy, and the first rule."""

    slug: str
    first: str  # the code of the first item; empty where all is well
    base: str
    lines: str = ""
    looks_like: str = ""
    senders: tuple[str, ...] = ()
    policy: str = ""
    silent: tuple[str, ...] = ()
    at_second: str = ""  # lines that only the second name server has in place of the others
    signed: tuple[str, ...] = ()  # names that DNSSEC vouches for, with all below them

    @property
    def domain(self) -> str:
        return f"{self.slug}.example"


CASES = (
    # Microsoft 365
    Case("all-well", "", MICROSOFT, looks_like="Exchange Online"),
    Case("no-dmarc", "dmarc-missing", MICROSOFT, "_dmarc.@ TXT = NOTHING"),
    Case("monitoring", "dmarc-none", MICROSOFT, "_dmarc.@ TXT v=DMARC1; p=none; rua=mailto:d@@"),
    Case(
        "unsigned",
        "dkim-missing",
        MICROSOFT,
        "selector1._domainkey.@ CNAME = NOTHING\nselector2._domainkey.@ CNAME = NOTHING",
    ),
    Case(
        "wrong-tenant",
        "dkim-cname-foreign",
        MICROSOFT,
        "selector1._domainkey.@ CNAME selector1-all-well-example._domainkey.a.onmicrosoft.com",
    ),
    Case(
        "cloud-not-included",
        "spf-cloud-include-missing",
        MICROSOFT,
        "@ TXT v=spf1 ip4:192.31.196.20 -all",
    ),
    Case(
        "chinese-cloud",
        "spf-wrong-cloud",
        MICROSOFT,
        "@ TXT v=spf1 include:spf.protection.partner.outlook.cn -all",
        senders=("exchange-online",),
    ),
    Case(
        "testing-dmarc",
        "dmarc-percent",
        MICROSOFT,
        "_dmarc.@ TXT v=DMARC1; p=quarantine; pct=10; rua=mailto:d@@",
    ),
    # A filter in front
    Case("filtered", "", MICROSOFT, MIMECAST, looks_like="Exchange Online behind Mimecast"),
    Case(
        "filter-beside-microsoft",
        "mx-filter-bypass",
        MICROSOFT,
        MIMECAST + "+ @ MX 50 TOKEN.mail.protection.outlook.com",
        looks_like="Exchange Online behind Mimecast",
    ),
    # Google
    Case("google-well", "", GOOGLE, looks_like="Google Workspace"),
    Case(
        "google-forgotten",
        "spf-sender-refused",
        GOOGLE,
        "@ TXT v=spf1 include:sendgrid.net -all",
    ),
    Case(
        "google-and-old-host",
        "mx-unexpected",
        GOOGLE,
        "+ @ MX 50 mx.oldhoster.example",
    ),
    # Hybrid, and servers of one's own
    Case(
        "hybrid-well",
        "",
        MICROSOFT,
        "@ MX 10 mail.@\nmail.@ A 192.31.196.30\n30.196.31.192.in-addr.arpa PTR mail.@\n"
        "@ TXT v=spf1 ip4:192.31.196.30 include:spf.protection.outlook.com -all",
        looks_like="Exchange Online behind servers of its own",
    ),
    Case(
        "hybrid-inside",
        "mx-special-address",
        MICROSOFT,
        "@ MX 10 mail.@\nmail.@ A 10.1.2.3",
    ),
    Case(
        "own-literal",
        "mx-literal",
        PARKED,
        "@ MX 10 192.31.196.31\n@ TXT v=spf1 ip4:192.31.196.31 -all",
    ),
    Case(
        "own-weak-key",
        "dkim-key-weak",
        PARKED,
        "@ MX 10 mail.@\nmail.@ A 192.31.196.32\n@ TXT v=spf1 ip4:192.31.196.32 -all\n"
        f"default._domainkey.@ TXT v=DKIM1; k=rsa; p={WEAK_KEY}",
        looks_like="servers of its own",
    ),
    # Badly migrated
    Case("old-mx-left", "mx-unexpected", MICROSOFT, "+ @ MX 20 mx.oldhoster.example"),
    Case("old-mx-gone", "mx-none-reachable", MICROSOFT, "@ MX 10 oldmail.@"),
    Case(
        "forerunner",
        "mx-legacy",
        MICROSOFT,
        "@ MX 10 mail.messaging.microsoft.com",
    ),
    Case(
        "old-spf-left",
        "spf-several-records",
        MICROSOFT,
        "+ @ TXT v=spf1 include:_spf.oldhoster.example -all",
    ),
    Case(
        "old-include-gone",
        "spf-target-missing",
        MICROSOFT,
        "@ TXT v=spf1 include:spf.protection.outlook.com include:_spf.gone.example -all",
    ),
    # SPF
    Case(
        "twelve-lookups",
        "spf-too-many-lookups",
        MICROSOFT,
        "@ TXT v=spf1 include:spf.protection.outlook.com include:six.lookups.example "
        "include:two.lookups.example include:a.lookups.example include:sendgrid.net -all",
    ),
    Case(
        "everybody",
        "spf-plus-all",
        MICROSOFT,
        "@ TXT v=spf1 include:spf.protection.outlook.com +all",
    ),
    Case(
        "misspelt",
        "spf-syntax",
        MICROSOFT,
        "@ TXT v=spf1 inlcude:spf.protection.outlook.com -all",
    ),
    Case(
        "itself",
        "spf-loop",
        MICROSOFT,
        "@ TXT v=spf1 include:spf.protection.outlook.com include:@ -all",
    ),
    # DMARC, half enforced
    Case(
        "newsletter-refused",
        "dmarc-sender-fails",
        MICROSOFT,
        "@ TXT v=spf1 include:spf.protection.outlook.com include:servers.mcsv.net -all",
    ),
    Case(
        "server-refused",
        "spf-sender-refused",
        MICROSOFT,
        senders=("exchange-online", "192.31.196.40"),
    ),
    Case(
        "newsletter-before-enforcing",
        "dmarc-sender-would-fail",
        MICROSOFT,
        "@ TXT v=spf1 include:spf.protection.outlook.com include:servers.mcsv.net -all\n"
        "_dmarc.@ TXT v=DMARC1; p=none; rua=mailto:d@@",
    ),
    Case(
        "two-policies",
        "dmarc-not-applied",
        MICROSOFT,
        "+ _dmarc.@ TXT v=DMARC1; p=none",
    ),
    Case("misspelt-policy", "dmarc-not-applied", MICROSOFT, "_dmarc.@ TXT v=DMARC1; p=rejct"),
    # Parked
    Case("parked-well", "", PARKED, looks_like="no mail: a null MX"),
    Case("parked-open", "spf-missing", PARKED, "@ TXT = NOTHING"),
    Case("parked-half", "dmarc-missing", PARKED, "_dmarc.@ TXT = NOTHING"),
    Case(
        "parked-without-mx",
        "",
        PARKED,
        "@ MX = NOTHING",
        looks_like="no mail: no MX record, and SPF passes nobody",
    ),
    Case("null-beside-others", "mx-null-beside-others", MICROSOFT, "+ @ MX 10 ."),
    Case("gone", "mx-domain-missing", ""),
    # MTA-STS
    Case("sts-well", "", MICROSOFT, MTA_STS, policy=ENFORCE),
    Case(
        "sts-left-behind",
        "mta-sts-exchange-uncovered",
        MICROSOFT,
        MTA_STS + MIMECAST,
        policy=ENFORCE,
    ),
    Case("sts-testing", "mta-sts-testing-for-long", MICROSOFT, MTA_STS, policy=TESTING),
    Case(
        "sts-unheard",
        "tls-rpt-missing",
        MICROSOFT,
        MTA_STS + "_smtp._tls.@ TXT = NOTHING",
        policy=ENFORCE,
    ),
    # Name servers
    Case("served-well", "", MICROSOFT, NAME_SERVERS),
    Case(
        "served-old",
        "nameservers-mx-elsewhere",
        MICROSOFT,
        NAME_SERVERS + "_dmarc.@ TXT = NOTHING",
        at_second="@ MX 10 mx.oldhoster.example\n@ SOA " + SOA.format(serial=6),
    ),
    Case(
        "served-out-of-reach",
        "dmarc-missing",  # that nobody can be asked says nothing of the domain
        MICROSOFT,
        "@ NS ns8.dns.example\n@ NS ns9.dns.example\n_dmarc.@ TXT = NOTHING",
    ),
    # DANE, half turned on
    Case(
        "dane-move-begun",
        "dane-microsoft-not-preferred",
        MICROSOFT,
        "+ @ MX 20 TOKEN.e-v1.mx.microsoft\n" + SECURE,
        looks_like="Exchange Online",
        signed=("@", "mx.microsoft"),
    ),
    Case(
        "dane-old-mx-left",
        "dane-microsoft-old-exchange",
        MICROSOFT,
        "@ MX 0 TOKEN.e-v1.mx.microsoft\n@ MX 10 TOKEN.mail.protection.outlook.com\n" + SECURE,
        signed=("@", "mx.microsoft"),
    ),
    Case(
        "dane-without-dnssec",
        "dane-domain-insecure",
        MICROSOFT,
        "@ MX 0 TOKEN.e-v1.mx.microsoft\n" + SECURE,
        signed=("mx.microsoft",),
    ),
    Case(
        "dane-well",
        "",
        MICROSOFT,
        "@ MX 0 TOKEN.e-v1.mx.microsoft\n_smtp._tls.@ TXT v=TLSRPTv1; rua=mailto:t@@\n" + SECURE,
        signed=("@", "mx.microsoft"),
    ),
    # DNS does not answer
    Case("silent", "dns-unanswered", MICROSOFT, silent=("MX", "TXT")),
)


def zone() -> dict[tuple[str, str], Content]:
    """Return the zone of all domains, and of what they share."""
    found: dict[tuple[str, str], Content] = dict(read_zone(WORLD))
    found["", "NS"] = Published("a.root-servers.net", authentic=True)
    for case in CASES:
        found |= _zone(case)
    return found


def second_zone() -> dict[tuple[str, str], Content]:
    """Return the zone of all domains as the second name server has it."""
    found = zone()
    for case in CASES:
        found |= read_zone(_spelt(case.at_second, case))
    return found


def _zone(case: Case) -> dict[tuple[str, str], Content]:
    records: dict[tuple[str, str], list[str]] = {}
    for layer in (case.base, case.lines):
        fresh: set[tuple[str, str]] = set()
        for line in filter(None, map(str.strip, _spelt(layer, case).splitlines())):
            name, kind, value = line.removeprefix("+ ").split(maxsplit=2)
            is_nothing = value == "= NOTHING"
            if is_nothing or not (line.startswith("+ ") or (name, kind) in fresh):
                records[name, kind] = []
            fresh.add((name, kind))
            if not is_nothing:
                records[name, kind].append(f"{name} {kind} {value}")
    text = "\n".join(line for lines in records.values() for line in lines)
    signed = tuple(_spelt(each, case) for each in case.signed)
    found: dict[tuple[str, str], Content] = {
        key: Published(content, authentic=_is_below(key[0], signed))
        for key, content in read_zone(text).items()
    }
    return found | {(case.domain, kind): Fault.SERVFAIL for kind in case.silent}


def _is_below(name: str, zones: tuple[str, ...]) -> bool:
    return any(name == zone or name.endswith(f".{zone}") for zone in zones)


def _spelt(text: str, case: Case) -> str:
    spelt = text.replace("@@", "\0").replace("@", case.domain).replace("\0", f"@{case.domain}")
    spelt = spelt.replace("(at)", "@")
    return spelt.replace("TOKEN", case.domain.replace(".", "-")).replace("SLUG", case.slug)
