"""What a domain looks like, by its MX and SPF records alone."""

import pytest

from agent.domain.guess import Guess, guess, profile_of_include, with_declared
from agent.domain.lookup import Answer, Exchange, Reply, Silence, TextRecord, Unanswered, replay

D = "contoso.com"
EXO = "contoso-com.mail.protection.outlook.com"
EXO_SPF = "v=spf1 include:spf.protection.outlook.com -all"


def seen(mx: tuple[str, ...], *texts: str) -> Guess:
    zone: dict[tuple[str, str], Reply] = {
        (D, "TXT"): Answer(tuple(TextRecord((text.encode(),)) for text in texts)),
    }
    if mx:
        zone[D, "MX"] = Answer(tuple(Exchange(place, host) for place, host in enumerate(mx)))
    return replay(guess(D), zone)


@pytest.mark.parametrize(
    ("mx", "spf", "topology", "title", "senders"),
    [
        pytest.param(
            (EXO,), EXO_SPF, "exchange-online", "Exchange Online", ("exchange-online",), id="cloud"
        ),
        pytest.param(
            (EXO,), "", "exchange-online", "Exchange Online", ("exchange-online",), id="by MX alone"
        ),
        pytest.param(
            ("contoso-com.mail.protection.office365.us",),
            "v=spf1 include:spf.protection.office365.us -all",
            "exchange-online",
            "Exchange Online (GCC High and DoD)",
            ("gcc-high",),
            id="another cloud",
        ),
        pytest.param(
            ("contoso-com.mail.protection.outlook.de",),
            "",
            "exchange-online",
            "Exchange Online",
            ("exchange-online",),
            id="a closed cloud",
        ),
        pytest.param(
            ("mail.messaging.microsoft.com",),
            "",
            "exchange-online",
            "Exchange Online",
            ("exchange-online",),
            id="a forerunner",
        ),
        pytest.param(
            ("a.mimecast.com",),
            EXO_SPF,
            "third-party-filter",
            "Exchange Online behind Mimecast",
            ("exchange-online",),
            id="filter, by SPF",
        ),
        pytest.param(
            (EXO, "a.mimecast.com"),
            "",
            "third-party-filter",
            "Exchange Online behind Mimecast",
            ("exchange-online",),
            id="filter, by MX",
        ),
        pytest.param(
            ("a.mimecast.com",),
            "v=spf1 include:sendgrid.net include:_spf.google.com -all",
            "custom",
            "Google Workspace behind Mimecast",
            ("sendgrid", "google-workspace"),
            id="filter before Google",
        ),
        pytest.param(
            ("a.mimecast.com",),
            "v=spf1 include:_netblocks.mimecast.com -all",
            "custom",
            "mailboxes that DNS does not show behind Mimecast",
            (),
            id="filter before what",
        ),
        pytest.param(
            ("smtp.google.com",),
            "v=spf1 redirect=_spf.google.com",
            "custom",
            "Google Workspace",
            ("google-workspace",),
            id="Google",
        ),
        pytest.param(
            ("route1.mx.cloudflare.net",),
            "",
            "custom",
            "Cloudflare Email Routing",
            (),
            id="a router",
        ),
        pytest.param(("mx.sendgrid.net",), "", "custom", "Twilio SendGrid", (), id="a service"),
        pytest.param(
            ("mail.contoso.com",),
            EXO_SPF,
            "hybrid",
            "Exchange Online behind servers of its own",
            ("exchange-online",),
            id="hybrid",
        ),
        pytest.param(
            ("mx.filter.example",),
            EXO_SPF,
            "third-party-filter",
            "Exchange Online behind hosts of filter.example",
            ("exchange-online",),
            id="an unknown filter",
        ),
        pytest.param(
            ("mail.contoso.com",),
            "v=spf1 mx -all",
            "on-premises",
            "servers of its own",
            (),
            id="own",
        ),
        pytest.param(
            ("mx.hoster.example",),
            "v=spf1 broken",
            "custom",
            "hosts of hoster.example",
            (),
            id="else",
        ),
        pytest.param(("",), "v=spf1 -all", "parked", "no mail: a null MX", (), id="null MX"),
        pytest.param(
            (),
            "v=spf1 -all",
            "parked",
            "no mail: no MX record, and SPF passes nobody",
            (),
            id="no MX, parked",
        ),
        pytest.param((), "v=spf1 a ?all", "custom", "no MX record", (), id="no MX"),
        pytest.param((), "v=spf1 ~all", "custom", "no MX record", (), id="no MX, soft"),
    ],
)
def test_a_domain_looks_like_what_its_records_say(
    mx: tuple[str, ...], spf: str, topology: str, title: str, senders: tuple[str, ...]
) -> None:
    found = seen(mx, spf)
    assert (found.topology, found.title, found.senders) == (topology, title, senders)


def test_only_the_names_in_use_are_expected_of_a_provider() -> None:
    hosts = ("aspmx.l.google.com", "alt1.aspmx.l.google.com", "mx.oldhoster.example")
    assert seen(hosts).exchanges == ("aspmx.l.google.com", "*.aspmx.l.google.com")


def test_what_does_not_answer_is_no_absence() -> None:
    silent = Unanswered(Silence.TIMEOUT)
    spf = Answer((TextRecord((EXO_SPF.encode(),)),))
    found = replay(guess(D), {(D, "MX"): silent, (D, "TXT"): spf})
    assert (found.topology, found.senders) == ("custom", ("exchange-online",))
    assert replay(guess(D), {(D, "MX"): silent, (D, "TXT"): silent}).senders == ()


def test_a_name_that_does_not_exist_is_said_to_be_one() -> None:
    assert replay(guess(D), {}).title == "a name that does not exist"


def test_what_is_declared_comes_to_what_is_guessed() -> None:
    assert with_declared(("192.0.2.1", "sendgrid"), ("exchange-online", "sendgrid")) == (
        "192.0.2.1",
        "sendgrid",
        "exchange-online",
    )
    # A tenant is in one cloud.
    assert with_declared(("gcc-high",), ("exchange-online", "sendgrid")) == ("gcc-high", "sendgrid")


def test_an_include_tells_whose_customer_a_domain_is() -> None:
    found = profile_of_include("sendgrid.net")
    assert found is not None
    assert found.name == "sendgrid"
    assert profile_of_include("spf.crm.example") is None
