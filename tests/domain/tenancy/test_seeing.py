"""What DNS says of a landscape, and what it leaves out."""

from ipaddress import ip_address

from routing import TO_OWN, tenant

from agent.domain.lookup import (
    Answer,
    Exchange,
    Reply,
    Silence,
    TextRecord,
    Unanswered,
    replay,
)
from agent.domain.tenancy.landscape import Exchanges
from agent.domain.tenancy.objects import DnsRecord, Export
from agent.domain.tenancy.seeing import look, unanswered
from agent.domain.tenancy.tenancies import Surroundings, Tenancy

SILENT = Unanswered(Silence.TIMEOUT)
FOUR, SIX = ip_address("192.0.2.1"), ip_address("2001:db8::1")


def test_domains_smart_hosts_and_what_they_name_are_looked_up() -> None:
    zone: dict[tuple[str, str], Reply] = {
        ("contoso.com", "MX"): Answer(
            (Exchange(10, "mx2.contoso.com"), Exchange(0, "MX1.contoso.com"))
        ),
        ("mx1.contoso.com", "A"): Answer((FOUR,)),
        ("mx1.contoso.com", "AAAA"): Answer((SIX,)),
        ("mx2.contoso.com", "A"): Answer((FOUR,)),
        ("mx2.contoso.com", "AAAA"): SILENT,
        ("mail.contoso.com", "A"): SILENT,
        ("mail.contoso.com", "AAAA"): Answer(),
        ("null.example", "MX"): Answer((Exchange(0, ""),)),
        ("silent.example", "MX"): SILENT,
        ("192.0.2.9", "MX"): SILENT,
    }
    elsewhere = Tenancy(name="empty", export=Export())
    seen = replay(
        look((tenant(TO_OWN), elsewhere), ("null.example", "silent.example", "192.0.2.9")), zone
    )
    assert seen.exchanges == {
        "contoso.com": Exchanges(("mx1.contoso.com", "mx2.contoso.com")),
        "mail.contoso.com": Exchanges(),
        "null.example": Exchanges(is_null=True),
    }
    assert seen.addresses == {"mx1.contoso.com": (FOUR, SIX), "mx2.contoso.com": (FOUR,)}
    assert seen.unanswered == {
        "silent.example": Silence.TIMEOUT,
        "mail.contoso.com": Silence.TIMEOUT,
    }


def test_what_an_export_says_should_be_there_is_looked_up() -> None:
    wanted = [
        ("contoso.com", "Mx", "Email"),
        ("contoso.com", "Txt", "Email"),
        ("autodiscover.contoso.com", "CName", "Email"),
        ("autodiscover.fabrikam.com", "CName", "Email"),
        ("sip.contoso.com", "CName", "OfficeCommunicationsOnline"),
        ("a b", "CName", "Email"),
    ]
    records = tuple(DnsRecord(name=a, record_type=b, service=c) for a, b, c in wanted)
    tenancy = Tenancy(name="contoso", export=Export(records=records))
    zone: dict[tuple[str, str], Reply] = {
        ("contoso.com", "TXT"): Answer((TextRecord((b"v=spf1 ", b"-all")), FOUR)),
        ("autodiscover.contoso.com", "A"): Answer((FOUR,), aliases=("Autodiscover.Outlook.com",)),
        ("autodiscover.fabrikam.com", "A"): SILENT,
    }
    seen = replay(look((tenancy,)), zone)
    assert seen.texts == {"contoso.com": (b"v=spf1 -all",)}
    assert seen.aliases == {"autodiscover.contoso.com": ("autodiscover.outlook.com",)}
    assert unanswered(tenancy, seen) == {"autodiscover.fabrikam.com A": Silence.TIMEOUT}


def test_nothing_is_asked_of_nobody() -> None:
    assert replay(look(()), {}).exchanges == {}


def test_a_tenant_is_told_what_dns_did_not_speak_of_among_what_is_its_own() -> None:
    seen = Surroundings(
        exchanges={"contoso.com": Exchanges(("mx1.contoso.com", "mx2.contoso.com"))},
        unanswered={
            "mx2.contoso.com": Silence.SERVFAIL,
            "fabrikam.com": Silence.TIMEOUT,
            "mail.contoso.com": Silence.TIMEOUT,
        },
    )
    assert unanswered(tenant(TO_OWN), seen) == {
        "mail.contoso.com": Silence.TIMEOUT,
        "mx2.contoso.com": Silence.SERVFAIL,
    }
    assert unanswered(tenant(TO_OWN), Surroundings()) == {}
