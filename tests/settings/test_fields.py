"""What may stand in one field, and what is said of the rest."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agent.settings import (
    Address,
    CheckSettings,
    Domain,
    Duration,
    Host,
    HostPattern,
    HostPort,
    Listen,
    MailAddress,
    Network,
    RecipientDomain,
    ReversePath,
    SmartHost,
    read_duration,
    read_port,
    write_duration,
)
from agent.settings.fields import Selector


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        pytest.param(Duration, "1h30m", timedelta(minutes=90), id="duration"),
        pytest.param(Duration, "60d", timedelta(days=60), id="days"),
        pytest.param(Duration, "1d12h", timedelta(hours=36), id="days and hours"),
        pytest.param(Duration, "250ms", timedelta(milliseconds=250), id="milliseconds"),
        pytest.param(Duration, timedelta(1), timedelta(1), id="duration as it is"),
        pytest.param(Domain, "Exämple.COM.", "xn--exmple-cua.com", id="international domain"),
        pytest.param(HostPattern, "*.Filter.example", "*.filter.example", id="pattern"),
        pytest.param(HostPattern, "mx.example.com", "mx.example.com", id="exact host"),
        pytest.param(Selector, "S1.mail_2026", "s1.mail_2026", id="DKIM selector"),
        pytest.param(RecipientDomain, "*", "*", id="all recipients"),
        pytest.param(RecipientDomain, "*.example.com", "*.example.com", id="subdomains"),
        pytest.param(Host, "[2001:DB8::1]", "2001:db8::1", id="IPv6 host"),
        pytest.param(Host, "LOCALHOST", "localhost", id="localhost"),
        pytest.param(Host, "mail.Example.com", "mail.example.com", id="host name"),
        pytest.param(MailAddress, "A.b+c@Example.com", "A.b+c@example.com", id="mail address"),
        pytest.param(ReversePath, "<>", "", id="null sender"),
        pytest.param(ReversePath, "a@example.com", "a@example.com", id="sender"),
        pytest.param(Listen, "127.0.0.1:0", HostPort("127.0.0.1", 0), id="any port"),
        pytest.param(Listen, "[::1]:25", HostPort("::1", 25), id="IPv6 and port"),
        pytest.param(Listen, HostPort("::1", 25), HostPort("::1", 25), id="as it is"),
        pytest.param(SmartHost, "mail.example.com", HostPort("mail.example.com", 25), id="host"),
        pytest.param(SmartHost, "192.0.2.1", HostPort("192.0.2.1", 25), id="address"),
        pytest.param(SmartHost, "2001:db8::1", HostPort("2001:db8::1", 25), id="bare IPv6"),
        pytest.param(SmartHost, "[2001:db8::1]", HostPort("2001:db8::1", 25), id="in brackets"),
        pytest.param(SmartHost, "[192.0.2.1]:26", HostPort("192.0.2.1", 26), id="literal"),
    ],
)
def test_a_field_reads_what_people_write(kind: Any, written: object, meant: object) -> None:
    assert read(kind, written) == meant


@pytest.mark.parametrize(
    ("kind", "written", "message"),
    [
        pytest.param(Duration, "", "is not a duration", id="empty duration"),
        pytest.param(Duration, 60, "is not a duration", id="bare number"),
        pytest.param(Duration, "5 m", "is not a duration", id="space"),
        pytest.param(Duration, "-5m", "is not a duration", id="negative"),
        pytest.param(Duration, "5m1h", "is not a duration", id="wrong order"),
        pytest.param(Duration, "99999999d", "is longer than 36500d", id="days beyond any calendar"),
        pytest.param(Duration, "36500d1ms", "is longer than 36500d", id="the longest and more"),
        pytest.param(Duration, "1h1d", "is not a duration", id="days after hours"),
        pytest.param(Duration, "9999999999h", "is not a duration", id="beyond any calendar"),
        pytest.param(Domain, 1, "is not a domain name", id="number for a domain"),
        pytest.param(HostPattern, "mx*.example.com", "one leading", id="star inside"),
        pytest.param(HostPattern, "*.*.example.com", "label", id="two stars"),
        pytest.param(
            Selector, "s1._domainkey.", "DKIM selector", id="selector with a dot at its end"
        ),
        pytest.param(Selector, "X._domainkey", "selector alone: x", id="selector as a name"),
        pytest.param(
            Selector, "x.y._domainkey.a.com", "selector alone: x.y", id="selector as a whole name"
        ),
        pytest.param(Selector, 1, "DKIM selector", id="selector that is a number"),
        pytest.param(HostPattern, 1, "is not a host name", id="number for a pattern"),
        pytest.param(MailAddress, "example.com", "write it as", id="no at sign"),
        pytest.param(MailAddress, "a b@example.com", "write it as", id="space in local part"),
        pytest.param(MailAddress, "a..b@example.com", "write it as", id="two dots"),
        pytest.param(MailAddress, "a\r\n@example.com", "write it as", id="line break"),
        pytest.param(MailAddress, "a" * 65 + "@example.com", "write it as", id="long local part"),
        pytest.param(MailAddress, "a@b", "its domain has a single label", id="single label"),
        pytest.param(ReversePath, None, "is not a mail address", id="nothing"),
        pytest.param(Host, None, "is not a host name or an address", id="no host"),
        pytest.param(Address, "192.0.2.0/24", "is not an IP address", id="network for an address"),
        pytest.param(Network, "192.0.2.1/24", "write 192.0.2.0/24", id="host bits"),
        pytest.param(Network, "x", "is not an IP address or a network", id="word for a network"),
        pytest.param(Listen, "127.0.0.1", "has no port", id="no port"),
        pytest.param(Listen, "127.0.0.1:", "without a port", id="colon only"),
        pytest.param(Listen, "127.0.0.1:65536", "more than 65535", id="port beyond range"),
        pytest.param(Listen, "127.0.0.1:+1", "not a number", id="port with a sign"),
        pytest.param(Listen, "::1", "has no port", id="bare IPv6 without port"),
        pytest.param(SmartHost, "mail.example.com:0", "port 0", id="port 0 of a peer"),
    ],
)
def test_a_field_says_what_is_wrong(kind: Any, written: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("*", r"\*")):
        read(kind, written)


def test_addresses_and_networks_are_values() -> None:
    assert str(read(Address, "2001:DB8::1")) == "2001:db8::1"
    assert str(read(Network, "192.0.2.1")) == "192.0.2.1/32"


def test_a_host_and_port_is_written_as_it_is_read() -> None:
    for text in ("mail.example.com:25", "[2001:db8::1]:25"):
        assert str(HostPort.read(text)) == text


def test_settings_take_no_text_for_a_number() -> None:
    class Some(CheckSettings):
        count: int = 1

    with pytest.raises(ValidationError, match="valid integer"):
        Some.model_validate({"count": "022"})


@given(st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_duration_is_read_as_it_was_written(value: timedelta) -> None:
    whole = value - value % timedelta(milliseconds=1)
    assert read_duration(write_duration(value)) == whole


@given(st.text(max_size=12))
def test_any_text_is_a_port_or_refused(text: str) -> None:
    try:
        assert 0 <= read_port(text) <= 65535
    except ValueError as error:
        assert "port" in str(error)  # noqa: PT017 - either way is right


@given(st.text(max_size=30))
def test_any_text_is_a_field_or_refused(text: str) -> None:
    for kind in (Duration, Domain, HostPattern, Host, MailAddress, Address, Network, Listen):
        try:
            value = str(read(kind, text))
        except ValidationError:
            continue
        assert value.isprintable()
