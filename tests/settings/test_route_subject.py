"""A route is described as an operator thinks of it, and told to those who walk it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from agent.adapters.intray import Watched
from agent.adapters.ledger import Home
from agent.adapters.outbox import ByExchanges, ByGraph, Envelope, ToServer
from agent.domain.payload import Kind, Payload
from agent.settings import RouteSubject
from agent.settings.route_ends import PayloadSettings, Size, read_size
from agent.settings.route_plan import about, plan, watched, way_of

SMTP = {"smtp": {"host": "mail.contoso.com"}}
ENDS = {"mail_from": "probe@contoso.com", "rcpt_to": "to@fabrikam.com"}
TENANT = "8f6b7a52-0000-4000-8000-00000000c0de"
GRAPH = {"credential": "app", "mailbox": "probe@contoso.com"}


def route(send: dict[str, Any] | None = None, **values: Any) -> RouteSubject:
    return RouteSubject.model_validate({"name": "r", "send": {**ENDS, **(send or SMTP)}, **values})


@pytest.mark.parametrize(
    ("send", "way", "server"),
    [
        pytest.param(
            SMTP,
            ToServer(
                host="mail.contoso.com",
                port=25,
                tls="opportunistic",
                helo="contoso.com",
                mailbox="probe@contoso.com",
            ),
            "mail.contoso.com",
            id="to a server",
        ),
        pytest.param(
            {
                "smtp": {
                    "host": "smtp.office365.com",
                    "port": 587,
                    "tls": "verified",
                    "credential": "app",
                    "mailbox": "other@contoso.com",
                    "client_certificate": "own",
                    "helo": "me.contoso.com",
                }
            },
            ToServer(
                host="smtp.office365.com",
                port=587,
                tls="verified",
                helo="me.contoso.com",
                credential="app",
                mailbox="other@contoso.com",
                certificate="own",
            ),
            "smtp.office365.com",
            id="to a server with all that can be said",
        ),
        pytest.param(
            {"mx": {}},
            ByExchanges("opportunistic", "contoso.com"),
            "an MX of fabrikam.com",
            id="mx",
        ),
        pytest.param(
            {"mx": {"tls": "verified", "helo": "me.contoso.com"}},
            ByExchanges("verified", "me.contoso.com"),
            "an MX of fabrikam.com",
            id="mx with a name",
        ),
        pytest.param(
            {"mx": {}, "mail_from": "<>"},
            ByExchanges("opportunistic", "fabrikam.com"),
            "an MX of fabrikam.com",
            id="without a sender it is the recipient's domain",
        ),
        pytest.param(
            {"mx": {}, "mail_from": "<>", "header_from": "a@adatum.com"},
            ByExchanges("opportunistic", "adatum.com"),
            "an MX of fabrikam.com",
            id="or the author's",
        ),
        pytest.param(
            {"mx": {}, "header_from": "a@adatum.com"},
            ByExchanges("opportunistic", "contoso.com"),
            "an MX of fabrikam.com",
            id="the sender of the envelope goes before the author",
        ),
        pytest.param(
            {"graph": GRAPH}, ByGraph("app", "probe@contoso.com"), "Microsoft Graph", id="graph"
        ),
    ],
)
def test_the_way_out_is_told_to_those_who_take_it(
    send: dict[str, Any], way: object, server: str
) -> None:
    leaving = way_of(route(send))
    assert (leaving.way, leaving.drawn.server) == (way, server)


@pytest.mark.parametrize(
    ("receive", "home", "is_kept"),
    [
        pytest.param({}, "sink", False, id="by default the sink"),
        pytest.param({"sink": {}}, "sink", False, id="sink"),
        pytest.param(
            {"imap": {"host": "Mail.Contoso.com", "credential": "mail"}},
            "imap mail mail.contoso.com:993",
            True,
            id="imap by credential",
        ),
        pytest.param(
            {
                "imap": {
                    "host": "mail.contoso.com",
                    "port": 143,
                    "credential": "app",
                    "mailbox": "In@contoso.com",
                }
            },
            "imap in@contoso.com mail.contoso.com:143",
            True,
            id="imap by mailbox",
        ),
        pytest.param(
            {"graph": {**GRAPH, "mailbox": "In@Contoso.com"}},
            "graph in@contoso.com",
            True,
            id="graph",
        ),
        pytest.param({"maildir": {"path": "box"}}, "maildir box", True, id="maildir"),
        pytest.param({"maildir": {"path": "./a//box/"}}, "maildir a/box", True, id="spelling"),
    ],
)
def test_a_place_has_one_name_for_all_routes_that_end_there(
    receive: dict[str, Any], home: str, *, is_kept: bool
) -> None:
    assert plan(route(receive=receive)).home == Home(home, "", is_kept)


def test_reports_come_back_where_it_says_or_to_the_mailbox_that_sends() -> None:
    assert route().bounces is None
    assert plan(route(returns={})).home.origin == "sink"
    by_graph = route({"graph": GRAPH})
    assert plan(by_graph).home.origin == "graph probe@contoso.com"
    elsewhere = route({"graph": GRAPH}, returns={"maildir": {"path": "box"}})
    assert plan(elsewhere).home.origin == "maildir box"


def test_all_that_must_be_true_of_a_message_is_told_to_those_who_judge() -> None:
    told = plan(
        route(
            hosts={
                "ours": ("*.contoso.com", "192.0.2.0/24"),
                "filter": ("filter.example",),
                "partner": ("2001:db8::/32",),
            },
            expect={
                "folder": "any",
                "spf": "pass",
                "compauth": "pass",
                "tls": "every-hop",
                "through": ("*.through.example",),
                "never_through": ("old.example",),
                "max_hops": 9,
                "attributed_to": TENANT,
            },
        )
    )
    expected = told.expected
    assert (expected.folder, expected.methods) == ("any", ("spf", "compauth"))
    assert (expected.tls_on_every_hop, expected.max_hops) == (True, 9)
    assert (expected.through, expected.never_through) == (("*.through.example",), ("old.example",))
    assert expected.attributed_to == TENANT
    assert told.envelope == Envelope("probe@contoso.com", "to@fabrikam.com")
    assert plan(route()).expected.attributed_to == ""


def test_what_a_message_carries_is_known_where_it_arrives() -> None:
    payload = {
        "kind": "attachment",
        "size": "10KiB",
        "content_type": "application/pdf",
        "headers": {"X-Rule": "yes"},
    }
    of = route({**SMTP, "payload": payload}, expect={"body": "any"}, receive={"reflector": True})
    carried = Payload(
        kind=Kind.ATTACHMENT,
        size=10240,
        content_type="application/pdf",
        headers=(("X-Rule", "yes"),),
    )
    assert plan(of).payload == carried
    assert carried.attached_as == "mailflow-agent.pdf"
    plain = Watched(Payload(size=65536), rcpt_to="to@fabrikam.com", mail_from="probe@contoso.com")
    assert watched(route()) == plain
    assert watched(of) == replace(plain, payload=carried, body="any", is_reflected=True)


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        pytest.param(1, 1, id="a number"),
        pytest.param("4096", 4096, id="octets"),
        pytest.param("64KiB", 65536, id="KiB"),
        pytest.param("64 kb", 65536, id="kb"),
        pytest.param("10MiB", 10 * 1024 * 1024, id="MiB"),
    ],
)
def test_a_size_is_read(written: object, octets: int) -> None:
    assert read_size(written) == octets
    adapter = TypeAdapter(Size)
    assert adapter.validate_python(adapter.dump_python(octets)) == octets


@pytest.mark.parametrize("written", [True, 1.5, None, "", "-1", "10 GiB", "KiB", "1" * 10, "4 096"])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a size; write it as"):
        read_size(written)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        pytest.param({"headers": {"Subject": "x"}}, "begins with X-", id="not X-"),
        pytest.param({"headers": {"X-A b": "x"}}, "begins with X-", id="a space in its name"),
        pytest.param({"headers": {"X-A:": "x"}}, "begins with X-", id="a colon in its name"),
        pytest.param({"headers": {7: "x"}}, "begins with X-", id="a number"),
        pytest.param({"headers": {"x-mailflow-token": "x"}}, "of the agent's own", id="ours"),
        pytest.param({"headers": {"X-A": "a\r\nB: c"}}, "printable ASCII", id="two lines"),
        pytest.param({"headers": {"X-A": "ü"}}, "printable ASCII", id="not ASCII"),
        pytest.param({"headers": {"X-A": 7}}, "printable ASCII", id="no text"),
        pytest.param({"headers": {"X-A": "x" * 501}}, "at most 500", id="too long"),
        pytest.param({"headers": {f"X-{n}": "" for n in range(21)}}, "at most 20", id="too many"),
        pytest.param({"content_type": "text/html"}, "is no content type of", id="unknown type"),
        pytest.param({"filename": "../x"}, "should match pattern", id="a folder"),
        pytest.param({"filename": ".bashrc"}, "should match pattern", id="a hidden file"),
        pytest.param({"size": 0}, "greater than or equal to 1", id="nothing"),
    ],
)
def test_what_no_message_can_carry_is_told_when_the_file_is_read(
    payload: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        PayloadSettings.model_validate(payload)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"send": ENDS}, "needs exactly one of smtp, mx, graph", id="no way"),
        pytest.param(
            {"send": {**ENDS, **SMTP, "mx": {}}}, "needs exactly one of smtp", id="two ways"
        ),
        pytest.param(
            {"send": {**ENDS, "graph": {**GRAPH, "mailbox": "a@b.cd"}}},
            "must be the mailbox that sends",
            id="graph for another",
        ),
        pytest.param(
            {"receive": {"sink": {}, "maildir": {"path": "x"}}},
            "needs exactly one of sink, imap, graph, maildir",
            id="two places",
        ),
        pytest.param(
            {"receive": {"reflector": True}, "send": {**ENDS, **SMTP, "mail_from": "<>"}},
            "a reflector has nobody to answer",
            id="nobody to answer",
        ),
        pytest.param(
            {"expect": {"attributed_to": "contoso"}}, "not the id of a tenant", id="tenant"
        ),
        pytest.param({"expect": {"max_hops": 0}}, "greater than or equal", id="no hops"),
        pytest.param({"hosts": {"ours": ("10.0.0.1/8",)}}, "is not its first", id="host bits"),
        pytest.param({"hosts": {"ours": ("*.*.b",)}}, "hosts.ours.0", id="two stars"),
        pytest.param({"receive": {"maildir": {"path": ""}}}, "at least 1 character", id="no path"),
        pytest.param({"receive": {"maildir": {"path": "a\0"}}}, "control character", id="NUL"),
    ],
)
def test_what_does_not_fit_together_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RouteSubject.model_validate({"name": "r", "send": {**ENDS, **SMTP}, **values})


def test_a_route_is_the_same_when_it_is_written_and_read_again() -> None:
    first = route(
        {"graph": GRAPH, "payload": {"size": "1MiB"}},
        receive={"graph": GRAPH, "poll": timedelta(seconds=9)},
        hosts={"ours": ("*.contoso.com", "192.0.2.0/24", "2001:db8::/32")},
    )
    written = first.model_dump()
    hosts = {name: tuple(places) for name, places in written["hosts"].items()}
    assert RouteSubject.model_validate({**written, "hosts": hosts}) == first
    kept = {"ours": first.hosts.ours}
    assert route(hosts=kept).hosts.ours == first.hosts.ours


def test_what_a_route_is_is_told_for_people() -> None:
    rows = about(route({"mx": {}, "mail_from": "<>"})).rows
    assert rows[:4] == (
        ("from", "<>"),
        ("to", "to@fabrikam.com"),
        ("handed to", "an MX of fabrikam.com"),
        ("arrives in", "sink, inbox"),
    )
