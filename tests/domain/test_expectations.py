"""Does each rule about a message that arrived fire where it should, and only there?"""

from dataclasses import dataclass, field

import pytest

from agent.domain import arrival_rules as rules
from agent.domain.authentication_results import AuthResult
from agent.domain.entry import Entry, Place
from agent.domain.estate import Estate
from agent.domain.expectations import METHODS, Expected, examine, has_passed, path_lines, results
from agent.domain.finding import Finding, Rule
from agent.domain.owners import Owners
from proof import Proves, fires, named, quiet
from servers.heads import FILTERED
from servers.route_heads import (
    EXCHANGE,
    OWNERS,
    POSTFIX,
    TENANT,
    arrive,
    changed,
    read,
    without,
)

OTHER = b"11111111-2222-3333-4444-555555555555"
ARRIVED = arrive()


@dataclass(frozen=True)
class Case:
    """A message as it arrived, and what is expected of it."""

    expected: Expected
    head: bytes = EXCHANGE
    entry: Entry = ARRIVED
    owners: Owners = field(default=OWNERS)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(examine(self.entry, read(self.head, self.owners), self.expected))


def folder(wanted: str, found: str) -> Case:
    place = Place.JUNK if found == "junk" else Place.FOLDER
    return Case(Expected(folder=wanted), entry=arrive(place=place, folder=found))


def passing(method: str, head: bytes = EXCHANGE) -> Case:
    return Case(Expected(methods=(method,)), head)


def said(method: str, old: bytes, new: bytes, head: bytes = EXCHANGE) -> Case:
    return passing(method, changed(head, old, new))


def through(*patterns: str, head: bytes = FILTERED, owners: Owners = OWNERS) -> Case:
    return Case(Expected(through=patterns), head, owners=owners)


def never(*patterns: str, head: bytes = FILTERED) -> Case:
    return Case(Expected(never_through=patterns), head)


def tls(head: bytes) -> Case:
    return Case(Expected(tls_on_every_hop=True), head)


def tenant(head: bytes, wanted: str = TENANT) -> Case:
    return Case(Expected(attributed_to=wanted), head)


def hops(most: int) -> Case:
    return Case(Expected(max_hops=most))


# A relay that does not begin TLS, and one that says so by the protocol alone.
CLEAR = changed(
    changed(POSTFIX, b"with ESMTPS id", b"with ESMTP id"),
    b"""\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r
\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\r
\t(No client certificate requested)\r
\tby mx""",
    b"\tby mx",
)
NO_COMMENT = changed(CLEAR, b"with ESMTP id", b"with ESMTPS id")
# The filter claims to be there, below a stranger's field.
PRETENDED = changed(
    POSTFIX,
    b"DKIM-Signature:",
    b"Received: from a.example by mx0a-001.pphosted.com with ESMTPS id 1;"
    b" Mon, 23 Nov 2026 12:00:00 +0000\r\nDKIM-Signature:",
)
ROUND = b"".join(
    b"Received: from %s.contoso.com (192.0.2.%d) by %s.contoso.com with ESMTPS id %d;\r\n"
    b" Mon, 23 Nov 2026 12:00:0%d +0000\r\n" % (there, number, here, number, 9 - number)
    for number, (there, here) in enumerate(
        ((b"b", b"a"), (b"a", b"b"), (b"b", b"a"), (b"c", b"b")), 1
    )
)
STRAIGHT = ROUND.partition(b"Received: from a.contoso")[0]
LONG = b"Received: from b.contoso.com (192.0.2.2) by a.contoso.com; 23 Nov 2026 12:00 GMT\r\n" * 26
SKEWED = changed(POSTFIX, b"Mon, 23 Nov 2026 12:00:07 +0000", b"Fri, 23 Nov 2029 12:00:07 +0000")
SKEWED_CLAIM = changed(
    POSTFIX,
    b"DKIM-Signature:",
    b"Received: from a.example ([198.51.100.1]) by b.example; 1 Jan 2001 00:00 GMT\r\n"
    b"DKIM-Signature:",
)
STAMPLESS = without(without(EXCHANGE, b"X-MS-Exchange-CrossTenant-Id"),
    b"X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp")  # fmt: skip


def from_client(client: bytes, below: bytes = b"") -> bytes:
    return (
        b"Received: from %s by mx.contoso.com with ESMTPS; 23 Nov 2026 12:00:02 GMT\r\n" % client
        + below
        + b"\r\n"
    )


CONTRADICTED = from_client(b"filter.example.net (evil.example.org [203.0.113.9])")
NAMELESS = from_client(b"filter.example.net (unknown [203.0.113.9])")
INNER = from_client(b"filter.example.net (unknown [10.1.2.3])")
LOCAL = from_client(b"filter.example.net (localhost [127.0.0.1])")
FALSE_RELAY = from_client(
    b"mx2.contoso.com (unknown [203.0.113.9])",
    b"Received: from a.example by mx3.contoso.com; 23 Nov 2026 12:00:01 GMT\r\n",
)
SECURED_ABOVE_CLAIM = from_client(
    b"evil.example.org ([203.0.113.9])",
    b"Received: from y.org ([203.0.113.8]) by z.org with SMTP; 23 Nov 2026 12:00:01 GMT\r\n",
)
FORGED_STAMP = from_client(
    b"evil.example.org ([203.0.113.9])",
    b"X-MS-Exchange-CrossTenant-Id: " + TENANT.encode() + b"\r\n",
)
# The relay is a gateway that writes no field of its own.
UNSIGNED_RELAY = EXCHANGE.partition(b"Received: from agent.contoso.com")[0] + b"\r\n"

CASES = [
    (fires, rules.WRONG_FOLDER, "in another folder", folder("inbox", "other")),
    (fires, rules.WRONG_FOLDER, "not in Junk", folder("junk", "inbox")),
    (quiet, rules.WRONG_FOLDER, "in Junk, which is a state", folder("inbox", "junk")),
    (quiet, rules.WRONG_FOLDER, "in Junk, as it should be", folder("junk", "junk")),
    (quiet, rules.WRONG_FOLDER, "anywhere", folder("any", "other")),
    (quiet, rules.WRONG_FOLDER, "no folder is told", folder("inbox", "")),
    (fires, rules.SPF_FAILED, "fail", said("spf", b"spf=pass", b"spf=fail")),
    (fires, rules.SPF_FAILED, "softfail", said("spf", b"spf=pass", b"spf=softfail")),
    (fires, rules.SPF_FAILED, "none", said("spf", b"spf=pass", b"spf=none")),
    (quiet, rules.SPF_FAILED, "pass", passing("spf")),
    (quiet, rules.SPF_FAILED, "the receiver's DNS", said("spf", b"spf=pass", b"spf=temperror")),
    (quiet, rules.SPF_FAILED, "nobody asked", Case(
        Expected(methods=("dkim",)), changed(EXCHANGE, b"spf=pass", b"spf=fail"))),
    (quiet, rules.SPF_FAILED, "Received-SPF alone", passing(
        "spf", without(EXCHANGE, b"Authentication-Results"))),
    (fires, rules.DKIM_FAILED, "fail", said(
        "dkim", b"dkim=pass (signature was verified)", b"dkim=fail (body hash did not verify)")),
    (fires, rules.DKIM_FAILED, "not signed", said(
        "dkim", b"dkim=pass (signature was verified)\r\n header.d=contoso.com",
        b"dkim=none (message not signed)\r\n header.d=none")),
    (quiet, rules.DKIM_FAILED, "pass", passing("dkim")),
    (quiet, rules.DKIM_FAILED, "one of two", said(
        "dkim", b"dkim=pass (2048-bit key; unprotected) header.d=contoso.com",
        b"dkim=fail header.d=contoso.com;\r\n\tdkim=pass header.d=contoso.com", POSTFIX)),
    (quiet, rules.DKIM_FAILED, "its key could not be asked", said(
        "dkim", b"dkim=pass", b"dkim=timeout")),
    (fires, rules.DMARC_FAILED, "fail", said("dmarc", b"dmarc=pass action=none",
        b"dmarc=fail action=quarantine")),
    (fires, rules.DMARC_FAILED, "no policy", said("dmarc", b"dmarc=pass", b"dmarc=none")),
    (quiet, rules.DMARC_FAILED, "pass", passing("dmarc", POSTFIX)),
    (quiet, rules.DMARC_FAILED, "would pass", said("dmarc", b"dmarc=pass",
        b"dmarc=bestguesspass")),
    (fires, rules.COMPAUTH_FAILED, "fail", said("compauth", b"compauth=pass reason=100",
        b"compauth=fail reason=001")),
    (fires, rules.COMPAUTH_FAILED, "none", said("compauth", b"compauth=pass reason=100",
        b"compauth=none reason=451")),
    (quiet, rules.COMPAUTH_FAILED, "softpass", said("compauth", b"compauth=pass reason=100",
        b"compauth=softpass reason=202")),
    (fires, rules.PLAINTEXT_HOP, "between two of ours", tls(CLEAR)),
    (fires, rules.PLAINTEXT_HOP, "at the first server of the other side", tls(FILTERED)),
    (quiet, rules.PLAINTEXT_HOP, "the protocol says so", tls(NO_COMMENT)),
    (quiet, rules.PLAINTEXT_HOP, "inside of one system", tls(EXCHANGE)),
    (quiet, rules.PLAINTEXT_HOP, "nobody asked", Case(Expected(), CLEAR)),
    (fires, rules.NOT_THROUGH, "around the filter", through("*.pphosted.com", head=EXCHANGE)),
    (fires, rules.NOT_THROUGH, "one of two", through("*.pphosted.com", "*.mimecast.com")),
    (fires, rules.NOT_THROUGH, "somebody claims so", through("*.pphosted.com", head=PRETENDED)),
    (fires, rules.NOT_THROUGH, "the domain is no host", through("pphosted.com")),
    (quiet, rules.NOT_THROUGH, "through the filter", through("*.pphosted.com")),
    (quiet, rules.NOT_THROUGH, "it is only named as a client", through(
        "relay.contoso.com", head=UNSIGNED_RELAY)),
    (fires, rules.THROUGH_FORBIDDEN, "the host", never("mx0a-001.pphosted.com")),
    (quiet, rules.THROUGH_FORBIDDEN, "a claim", never("*.pphosted.com", head=PRETENDED)),
    (fires, rules.UNSAID, "a claim of a host", never("*.pphosted.com", head=PRETENDED)),
    (fires, rules.THROUGH_FORBIDDEN, "a client's word", never("filter.example.net",
        head=CONTRADICTED)),
    (fires, rules.NOT_THROUGH, "its name in DNS is another", through("filter.example.net",
        head=CONTRADICTED)),
    (fires, rules.NOT_THROUGH, "it has no name in DNS", through("filter.example.net",
        head=NAMELESS)),
    (quiet, rules.NOT_THROUGH, "it is inside", through("filter.example.net", head=INNER)),
    (quiet, rules.NOT_THROUGH, "it is on the same host", through("filter.example.net",
        head=LOCAL)),
    (fires, rules.NOT_THROUGH, "what stands below a false name", through("mx3.contoso.com",
        head=FALSE_RELAY)),
    (quiet, rules.PLAINTEXT_HOP, "somebody's claim", tls(SECURED_ABOVE_CLAIM)),
    (fires, rules.UNSAID, "a stamp that Exchange did not write", tenant(FORGED_STAMP)),
    (quiet, rules.FOREIGN_TENANT, "a stamp that Exchange did not write", tenant(
        changed(FORGED_STAMP, TENANT.encode(), OTHER))),
    (quiet, rules.THROUGH_FORBIDDEN, "its neighbour", never("mx0b-001.pphosted.com")),
    (quiet, rules.THROUGH_FORBIDDEN, "no way is known", never(
        "*.pphosted.com", head=without(FILTERED, b"Received"))),
    (fires, rules.TOO_MANY_HOPS, "one too many", hops(4)),
    (quiet, rules.TOO_MANY_HOPS, "as many as may be", hops(5)),
    (fires, rules.GOING_ROUND, "back to a host", Case(Expected(), ROUND + b"\r\n")),
    (fires, rules.GOING_ROUND, "26 hops", Case(Expected(), LONG + b"\r\n")),
    (quiet, rules.GOING_ROUND, "once only", Case(Expected(), STRAIGHT + b"\r\n")),
    (quiet, rules.GOING_ROUND, "through a filter on one host", Case(Expected(), FILTERED)),
    (fires, rules.FOREIGN_TENANT, "by its id", tenant(
        changed(EXCHANGE, b"CrossTenant-Id: " + TENANT.encode(), b"CrossTenant-Id: " + OTHER))),
    (fires, rules.FOREIGN_TENANT, "by the connection", tenant(
        changed(EXCHANGE, b"TenantId=" + TENANT.encode(), b"TenantId=" + OTHER))),
    (quiet, rules.FOREIGN_TENANT, "by capitals only", tenant(
        changed(EXCHANGE, b"TenantId=" + TENANT.encode(), b"TenantId=" + TENANT.upper().encode()))),
    (quiet, rules.FOREIGN_TENANT, "nobody asked", tenant(EXCHANGE, "")),
    (quiet, rules.FOREIGN_TENANT, "one stamp of two", tenant(FILTERED)),
    (quiet, rules.FOREIGN_TENANT, "no stamp", tenant(STAMPLESS)),
    (fires, rules.CLOCK_WRONG, "three years ahead", Case(Expected(), SKEWED)),
    (quiet, rules.CLOCK_WRONG, "somebody's claim", Case(Expected(), SKEWED_CLAIM)),
    (quiet, rules.CLOCK_WRONG, "two seconds behind", Case(Expected(), FILTERED)),
    (fires, rules.UNSAID, "nothing of compauth", passing("compauth", POSTFIX)),
    (fires, rules.UNSAID, "no way", Case(Expected(tls_on_every_hop=True),
        without(POSTFIX, b"Received"))),
    (fires, rules.UNSAID, "no way through", through("*.x.example",
        head=without(POSTFIX, b"Received"))),
    (fires, rules.UNSAID, "no tenant", tenant(STAMPLESS)),
    (quiet, rules.UNSAID, "no way, and nobody asked", Case(
        Expected(), without(POSTFIX, b"Received"))),
    (quiet, rules.UNSAID, "all is said", Case(Expected(methods=METHODS, attributed_to=TENANT))),
]  # fmt: skip


@pytest.mark.parametrize(("proves", "rule", "case"), named(CASES))
def test_a_rule_holds_where_it_should(proves: Proves, rule: Rule, case: Case) -> None:
    proves(rule, case.findings())


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(Expected(methods=METHODS, tls_on_every_hop=True, max_hops=5)), id="365"),
        pytest.param(
            Case(Expected(methods=METHODS[:3], tls_on_every_hop=True, max_hops=3), POSTFIX),
            id="Postfix",
        ),
        pytest.param(
            Case(
                Expected(
                    methods=METHODS,
                    tls_on_every_hop=True,
                    through=("*.pphosted.com",),
                    never_through=("*.mimecast.com",),
                    attributed_to=TENANT,
                ),
                changed(FILTERED, b"ESMTPA", b"ESMTPSA"),
            ),
            id="a filter in between",
        ),
        pytest.param(Case(Expected(), b""), id="nothing is known, and nothing is expected"),
    ],
)
def test_a_message_that_is_as_it_must_be_breaks_no_rule(case: Case) -> None:
    assert case.findings() == ()


def test_every_rule_about_an_arrival_is_shown_both_ways() -> None:
    elsewhere = {rules.SENDER_MISSING, rules.SPF_DIFFERS}  # need DNS: route_story
    for way in (fires, quiet):
        shown = {rule for proves, rule, _, _ in CASES if proves is way}
        assert shown == set(rules.ARRIVAL_RULES) - elsewhere


EVIDENCE: list[tuple[str, bytes, bytes, tuple[str, ...]]] = [
    (
        "spf",
        b"spf=pass",
        b"spf=fail",
        ("the receiver saw the address 192.0.2.25", "smtp.mailfrom=contoso.com"),
    ),
    (
        "dkim",
        b"dkim=pass (signature was verified)\r\n header.d=contoso.com",
        b"dkim=none (message not signed)",
        ("none header.d=none message not signed",),
    ),
    (
        "dmarc",
        b"dmarc=pass action=none",
        b"dmarc=fail action=oreject",
        ("header.from=contoso.com action=oreject",),
    ),
    (
        "compauth",
        b"compauth=pass reason=100",
        b"compauth=fail reason=xyz",
        ("reason=xyz: not documented",),
    ),
]


@pytest.mark.parametrize(("method", "old", "new", "evidence"), EVIDENCE)
def test_the_evidence_is_what_the_receiver_said_beside_the_result(
    method: str, old: bytes, new: bytes, evidence: tuple[str, ...]
) -> None:
    (finding,) = said(method, old, new).findings()
    result = new.partition(b"=")[2].split()[0].decode()
    assert finding.detail == f"message 7: {method}={result}"
    assert finding.evidence == evidence


@pytest.mark.parametrize("method", ["spf", "dmarc", "compauth"])
def test_a_receiver_that_says_no_more_leaves_no_evidence(method: str) -> None:
    head = b"Authentication-Results: mx.fabrikam.com; " + method.encode() + b"=fail\r\n\r\n"
    (finding,) = passing(method, head).findings()
    assert finding.evidence == ()


def test_a_known_reason_of_composite_authentication_is_explained() -> None:
    case = said("compauth", b"compauth=pass reason=100", b"compauth=fail reason=000")
    (finding,) = case.findings()
    assert finding.evidence[0].startswith("reason=000: ")
    assert "not documented" not in finding.evidence[0]


FORGED = (
    b"Received: from x ([198.51.100.1]) by mx.fabrikam.com; 23 Nov 2026 12:00:02 GMT\r\n"
    b"Received: from y by x; 23 Nov 2026 12:00:01 GMT\r\n"
    b"Authentication-Results: mx.fabrikam.com; spf=pass; dmarc=fail\r\n\r\n"
)


def test_what_a_forger_says_is_neither_a_pass_nor_a_failure() -> None:
    case = Case(Expected(methods=("spf", "dmarc")), FORGED)
    assert [finding.rule for finding in case.findings()] == [rules.UNSAID, rules.UNSAID]
    assert set(results(read(FORGED)).values()) == {None}


@pytest.mark.parametrize(
    ("method", "result", "expected"),
    [
        ("spf", AuthResult.PASS, True),
        ("spf", AuthResult.NEUTRAL, False),
        ("spf", AuthResult.SOFTPASS, False),
        ("compauth", AuthResult.SOFTPASS, True),
        ("dmarc", AuthResult.BESTGUESSPASS, True),
        ("spf", AuthResult.TEMPERROR, None),
        ("dkim", AuthResult.TIMEOUT, None),
        ("dkim", None, None),
    ],
)
def test_a_method_passed_or_not_or_nobody_can_tell(
    method: str, result: AuthResult | None, *, expected: bool | None
) -> None:
    assert has_passed(method, result) is expected


def test_the_path_is_written_down_hop_by_hop() -> None:
    assert path_lines(read(POSTFIX)) == (
        "agent.contoso.com -> relay.contoso.com (us), TLS 1.3",
        "relay.contoso.com -> mx.fabrikam.com (us), TLS 1.3, after 6 s",
        "mx.fabrikam.com -> store.fabrikam.com (us), inside, after 1 s",
    )


def test_a_hop_says_what_is_doubtful_of_it() -> None:
    filtered = path_lines(read(FILTERED))
    assert filtered[0].endswith("(us), not encrypted")
    assert path_lines(read(SKEWED_CLAIM))[0] == (
        "a.example -> b.example (unknown), not encrypted,"
        " at a time that cannot be: 2001-01-01 00:00:00+00:00, as somebody claims"
    )
    assert path_lines(read(b"Received: \r\n\r\n")) == ("? -> ? (unknown), inside",)


def test_a_detour_shows_the_whole_path() -> None:
    (finding,) = hops(4).findings()
    assert finding.detail == "message 7 took 5 hops, expected: at most 4"
    assert finding.evidence == path_lines(read(EXCHANGE))


def test_a_loop_is_told_with_its_signs() -> None:
    (finding,) = Case(Expected(), ROUND + b"\r\n").findings()
    assert finding.evidence == (
        "the same host took the message again after another one: b.contoso.com, 2 times",
        "the same host took the message again after another one: a.contoso.com, 2 times",
    )
    long = fires(rules.GOING_ROUND, Case(Expected(), LONG + b"\r\n").findings())
    assert long.evidence == ("the message has more hops than a way without a loop: 26",)


def test_an_operators_own_filter_counts_as_passed_by_the_name_it_has_in_dns() -> None:
    head = changed(
        EXCHANGE,
        b"from relay.contoso.com (192.0.2.25) by",
        b"from gate.filter.example (203.0.113.25) by",
    )
    head = changed(head, b"CIP:192.0.2.25", b"CIP:203.0.113.25")
    named = changed(head, b"PTR:relay.contoso.com", b"PTR:gate.filter.example")
    owners = Owners(filter=Estate.read(["*.filter.example"]))
    assert through("*.filter.example", head=named, owners=owners).findings() == ()
    unnamed = changed(head, b"PTR:relay.contoso.com", b"PTR:InfoDomainNonexistent")
    fires(rules.NOT_THROUGH, through("*.filter.example", head=unnamed, owners=owners).findings())


def test_who_calls_himself_a_known_filter_before_exchange_online_is_none_by_his_name_in_dns() -> (
    None
):
    head = changed(FILTERED, b"PTR:mx0a-001.pphosted.com", b"PTR:evil.example.org")
    fires(rules.NOT_THROUGH, through("*.pphosted.com", head=head).findings())
