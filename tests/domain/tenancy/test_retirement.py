"""What is in use and comes to an end is on the calendar, with its days, and found in time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.fact import Table
from agent.domain.finding import Rule
from agent.domain.knowledge.retirements import RETIREMENTS
from agent.domain.tenancy import retirement_rules as rules
from agent.domain.tenancy.objects import DkimConfig, Export, Inbound
from agent.domain.tenancy.retirement import (
    DUE,
    EXPIRY,
    MAX_ROWS,
    Calendar,
    calendar,
    table,
)
from agent.domain.tenancy.retirement_facts import Expiry, Facts, Login, seen_in
from proof import Proves, fires, named, quiet

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SMTP = Login("smtp", "smtp.office365.com", is_password=True, whose="route out")
TOKEN = Login("smtp", "smtp.office365.com", is_password=False, whose="route out")
IMAP = Login("imap", "outlook.office365.com", is_password=True, whose="route in")
EWS = Login("ews", "outlook.office365.com", is_password=False, whose="application")
HVE = Login("smtp", "smtp-hve.office365.com", is_password=True, whose="route bulk")
OLD_TLS = Login("smtp", "SMTP-legacy.office365.com", is_password=False, whose="scanner")
LEGACY = Facts(exchanges={"contoso.com": ("contoso-com.mail.eo.outlook.com",)})


def on(day: date, *logins: Login) -> Calendar:
    return calendar(Facts(logins=logins), datetime(day.year, day.month, day.day, tzinfo=UTC))


def of(**facts: object) -> Calendar:
    return calendar(Facts(**facts), NOW)  # type: ignore[arg-type]


def ending(after: timedelta, kind: str = "secret") -> Calendar:
    return of(expiries=(Expiry(kind, "client secret", "credential graph", NOW + after),))  # type: ignore[arg-type]


CASES = [
    (fires, rules.DUE_SOON, "a month before", on(date(2026, 11, 28), SMTP)),
    (fires, rules.DUE_SOON, "the first day of warning", on(date(2026, 10, 2), SMTP)),
    (quiet, rules.DUE_SOON, "the day before", on(date(2026, 10, 1), SMTP)),
    (quiet, rules.DUE_SOON, "nothing that ends", on(date(2026, 11, 28), TOKEN)),
    (quiet, rules.DUE_SOON, "on the day itself", on(date(2026, 12, 31), SMTP)),
    (quiet, rules.DUE_SOON, "years before", on(date(2026, 11, 28), HVE)),
    (fires, rules.PAST, "gone for years", on(date(2026, 11, 28), IMAP)),
    (fires, rules.PAST, "on its last day for all", on(date(2027, 4, 1), EWS)),
    (fires, rules.PAST, "an MX host of old", calendar(LEGACY, NOW)),
    (quiet, rules.PAST, "the day before the last", on(date(2027, 3, 31), EWS)),
    (
        quiet,
        rules.PAST,
        "an MX host of today",
        of(exchanges={"contoso.com": ("contoso-com.mail.protection.outlook.com",)}),
    ),
    (quiet, rules.PAST, "own servers, of whatever version", of(hybrid=("From own servers",))),
    (fires, rules.OFF_BY_DEFAULT, "from the day on", on(date(2026, 12, 31), SMTP)),
    (fires, rules.OFF_BY_DEFAULT, "until the last day", on(date(2027, 3, 31), EWS)),
    (quiet, rules.OFF_BY_DEFAULT, "before", on(date(2026, 12, 30), SMTP)),
    (quiet, rules.OFF_BY_DEFAULT, "after the last day", on(date(2027, 4, 1), EWS)),
    (fires, rules.LIMITED, "onmicrosoft.com", of(senders=("a@contoso.OnMicrosoft.com",))),
    (fires, rules.LIMITED, "an endpoint for old TLS", of(logins=(OLD_TLS,))),
    (quiet, rules.LIMITED, "a domain of one's own", of(senders=("a@contoso.com",))),
    (fires, rules.SECRET_SOON, "in thirty days", ending(30 * DAY)),
    (quiet, rules.SECRET_SOON, "later", ending(30 * DAY + timedelta(seconds=1))),
    (quiet, rules.SECRET_SOON, "a server's certificate", ending(DAY, "certificate")),
    (quiet, rules.SECRET_SOON, "over already", ending(-DAY)),
    (fires, rules.SECRET_EXPIRED, "now", ending(timedelta())),
    (quiet, rules.SECRET_EXPIRED, "in a second", ending(timedelta(seconds=1))),
]


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_a_rule_fires_in_its_time(proves: Proves, rule: Rule, case: Calendar) -> None:
    proves(rule, case.findings)


def test_a_finding_says_when_whose_and_what_instead() -> None:
    (finding,) = of(logins=(SMTP,)).findings
    assert finding.detail == (
        "Basic authentication for SMTP AUTH (2026-12-31, in 33 days): in use by route out."
    )
    instead, source = finding.evidence
    assert instead == "use a credential of Entra, with SMTP.SendAsApp, or Graph"
    assert source.startswith("source: Exchange Team: SMTP AUTH basic authentication (MC786329)")
    assert source.endswith("read on 2026-11-28")


def test_many_who_use_it_are_one_finding() -> None:
    logins = tuple(
        Login("imap", "outlook.office365.com", is_password=True, whose=f"route {n}")
        for n in range(30)
    )
    (finding,) = of(logins=(*logins, *logins)).findings
    assert "in use by route 0, route 1, route 2 and 27 more." in finding.detail
    assert finding.evidence[19:21] == ("in use by route 19", "and 10 more")


def test_a_finding_without_a_day_has_none() -> None:
    (finding,) = calendar(LEGACY, NOW).findings
    assert finding.detail == (
        "The MX hosts of Exchange Online's forerunners: in use by"
        " contoso.com (contoso-com.mail.eo.outlook.com)."
    )


def test_a_secret_says_whose_it_is_and_when_it_ends() -> None:
    (finding,) = ending(DAY).findings
    assert finding.detail == "The client secret of credential graph ends on 2026-11-29, in 1 day."
    (today,) = ending(-timedelta(hours=1)).findings
    assert today.detail.endswith("ends on 2026-11-28, today.")


def test_rows_come_in_the_order_of_their_days() -> None:
    found = calendar(
        Facts(
            logins=(SMTP, IMAP, EWS, HVE),
            exchanges=LEGACY.exchanges,
            hybrid=("From own servers",),
            dkim=(
                DkimConfig(domain="contoso.com", rotate_on_date=NOW + 2 * DAY),
                DkimConfig(domain="fabrikam.com", rotate_on_date=NOW - 2 * DAY),
                DkimConfig(domain="old.example", selector1_key_size=1024, selector2_key_size=1024),
                DkimConfig(domain="new.example", selector1_key_size=1024, selector2_key_size=2048),
                DkimConfig(domain="off.example", selector1_key_size=1024, enabled=False),
            ),
            expiries=(Expiry("certificate", "certificate", "mx.contoso.com", NOW + 9 * DAY),),
        ),
        NOW,
    )
    drawn = table(found)
    assert isinstance(drawn, Table)
    assert drawn.columns == ("when", "left", "what", "whose", "what to do", "source")
    assert [(row[0], row[1], row[3]) for row in drawn.rows] == [
        ("already", "", "old.example"),
        ("already", "", "contoso.com (contoso-com.mail.eo.outlook.com)"),
        ("2023-01-01", "1427 days ago", "route in"),
        ("2025-10-14", "410 days ago", "servers behind 'From own servers'"),
        ("2026-07-01", "150 days ago", "every domain that is added"),
        ("2026-10-01", "58 days ago", "application"),
        ("2026-11-30", "in 2 days", "contoso.com"),
        ("2026-12-07", "in 9 days", "mx.contoso.com"),
        ("2026-12-31", "in 33 days", "route out"),
        ("2028-09-30", "in 672 days", "route bulk"),
    ]
    assert drawn.rows[5][2].endswith("; for good on 2027-04-01")
    assert drawn.rows[-1][5].endswith("(not Microsoft's own words)")


def test_a_calendar_of_many_is_cut() -> None:
    many = tuple(Expiry("certificate", "certificate", f"mx{n}", NOW) for n in range(MAX_ROWS + 7))
    drawn = table(of(expiries=many))
    assert len(drawn.rows) == MAX_ROWS + 1
    assert drawn.rows[-1] == ("later", "", "7 more", "", "", "")


def days(found: Calendar, name: str) -> dict[str, date]:
    return {
        each.labels[0]: datetime.fromtimestamp(each.value, UTC).date()
        for each in found.measurements
        if each.signal.name == name and isinstance(each.value, float)
    }


def test_the_next_day_of_what_is_in_use_is_measured() -> None:
    facts = Facts(logins=(SMTP, EWS), exchanges=LEGACY.exchanges, hybrid=("own",))
    # Nobody says when the MX hosts of old went, and what is only a notice is in nobody's use.
    assert days(calendar(facts, NOW), DUE.name) == {
        "smtp-basic": date(2026, 12, 31),
        "ews": date(2027, 4, 1),
    }
    before = calendar(facts, datetime(2026, 9, 30, tzinfo=UTC))
    assert days(before, DUE.name)["ews"] == date(2026, 10, 1)


def test_the_first_end_of_each_kind_is_measured() -> None:
    found = of(
        expiries=(
            Expiry("certificate", "certificate", "a", NOW + 9 * DAY),
            Expiry("certificate", "certificate", "b", NOW + 3 * DAY),
            Expiry("secret", "client secret", "c", NOW - DAY),
        ),
        dkim=(DkimConfig(domain="contoso.com", rotate_on_date=NOW + 4 * DAY),),
    )
    assert days(found, EXPIRY.name) == {
        "certificate": date(2026, 12, 1),
        "secret": date(2026, 11, 27),
        "dkim-rotation": date(2026, 12, 2),
    }


def test_nothing_in_use_is_an_empty_calendar() -> None:
    found = calendar(Facts(), NOW)
    assert (found.rows, found.findings, found.measurements) == ((), (), ())
    assert table(found).rows == ()


@pytest.mark.parametrize(
    ("connector", "is_hybrid"),
    [
        pytest.param({"cloud_services_mail_enabled": True}, True, id="trusts headers"),
        pytest.param({"connector_source": "HybridWizard"}, True, id="made by the wizard"),
        pytest.param({}, False, id="a printer's"),
        pytest.param({"cloud_services_mail_enabled": True, "enabled": False}, False, id="off"),
    ],
)
def test_own_exchange_servers_are_told_by_their_connector(
    connector: dict[str, object], *, is_hybrid: bool
) -> None:
    own = Inbound(name="own", connector_type="on-premises", **connector)  # type: ignore[arg-type]
    partner = Inbound(name="partner", connector_type="partner", cloud_services_mail_enabled=True)
    signing = (DkimConfig(domain="contoso.com"),)
    found = seen_in(Export(inbound=(own, partner), dkim=signing))
    assert found == Facts(hybrid=("own",) if is_hybrid else (), dkim=signing)
    assert seen_in(Export()) == Facts()


@given(
    st.datetimes(
        min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
        max_value=datetime(2035, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    )
)
def test_a_use_is_at_most_one_finding_and_never_gets_better_with_time(now: datetime) -> None:
    facts = Facts(
        logins=(SMTP, IMAP, EWS, HVE, OLD_TLS),
        exchanges=LEGACY.exchanges,
        senders=("contoso.onmicrosoft.com",),
        hybrid=("own",),
    )
    today, later = calendar(facts, now), calendar(facts, now + 100 * DAY)
    assert len(today.findings) <= len(later.findings) <= len(RETIREMENTS)
    assert max(each.severity for each in today.findings) <= max(
        each.severity for each in later.findings
    )
