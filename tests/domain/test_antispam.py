import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.antispam import (
    MAX_PAIRS,
    MAX_UNKNOWN,
    Antispam,
    Destination,
    Meaning,
    read_antispam,
    read_pairs,
)
from agent.domain.header_fields import read_head
from servers.heads import FILTERED, fields

REPORT = "X-Forefront-Antispam-Report"
DELIVERY = "X-Microsoft-Antispam-Mailbox-Delivery"


def test_what_the_filter_of_exchange_online_wrote_is_read() -> None:
    assert read_antispam(read_head(FILTERED)) == Antispam(
        scl=1,
        sfv="NSPM",
        cat="NONE",
        ipv="NLI",
        dir="INB",
        cip="205.220.168.10",
        ctry="US",
        lang="en",
        ptr="mx0a-001.pphosted.com",
        helo="mx0a-001.pphosted.com",
        bcl=0,
        destination=Destination.INBOX,
        is_authenticated=False,
    )


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        pytest.param("CIP:2001:db8::1;SCL:-1;", {"CIP": "2001:db8::1", "SCL": "-1"}, id="colons"),
        pytest.param("scl:5; sfv:SPM ", {"SCL": "5", "SFV": "SPM"}, id="blanks, no last semicolon"),
        pytest.param("CTRY:(null);PTR:;", {"CTRY": "", "PTR": ""}, id="nothing"),
        pytest.param("SCL:1;SCL:9", {"SCL": "1"}, id="twice"),
        pytest.param("...;:x;;", {}, id="no pairs"),
    ],
)
def test_pairs_are_read_without_quoting(value: str, pairs: dict[str, str]) -> None:
    assert read_pairs(value) == pairs


def test_every_word_has_its_meaning() -> None:
    found = read_antispam(
        fields(
            ("X-CustomSpam", "Image links to remote sites"),
            (REPORT, "SCL:9;SFV:SPM;CAT:HPHISH;IPV:CAL;SRV:BULK;DIR:INB;SFTY:9.25;"),
            ("X-Microsoft-Antispam", "BCL:8;"),
            (DELIVERY, "ucf:0;jmr:0;auth:1;dest:J;OFR:CustomRules;"),
        )
    )
    assert found.meanings() == (
        Meaning("SCL", "9", "high-confidence spam"),
        Meaning("SFV", "SPM", "filtered and found to be spam"),
        Meaning("CAT", "HPHISH", "high-confidence phishing"),
        Meaning("IPV", "CAL", "the address is on the IP Allow List; filtering was skipped"),
        Meaning("SRV", "BULK", "marked as bulk mail by the threshold of a policy"),
        Meaning("DIR", "INB", "inbound"),
        Meaning("SFTY", "9.25", "a safety tip: first message of this sender"),
        Meaning("BCL", "8", "from a bulk sender with many complaints"),
        Meaning("dest", "J", "delivered to the junk folder"),
        Meaning(
            "X-CustomSpam",
            "Image links to remote sites",
            "a setting of an anti-spam policy matched",
        ),
    )
    assert (found.rule, found.is_authenticated) == ("CustomRules", True)


def test_what_is_not_known_is_kept_without_a_meaning() -> None:
    found = read_antispam(fields((REPORT, "SFV:XYZ;SCL:77;NEW:thing;SFS:(1)(2)")))
    assert found.meanings() == (Meaning("SCL", "77"), Meaning("SFV", "XYZ"))
    assert found.unknown == (("NEW", "thing"),)


def test_the_final_level_counts_and_the_upper_field() -> None:
    final = ("X-MS-Exchange-Organization-SCL", "-1")
    head = fields((REPORT, "SCL:5;SFV:SPM"), final, (REPORT, "SCL:1;SFV:NSPM"))
    assert (read_antispam(head).scl, read_antispam(head).sfv) == (-1, "SPM")


def test_another_tenants_verdict_is_not_read() -> None:
    assert read_antispam(fields((f"{REPORT}-Untrusted", "SCL:9"))) == Antispam()


@pytest.mark.parametrize("level", ["", "x", "1000", "--1"])
def test_a_level_that_is_no_number_is_none(level: str) -> None:
    assert read_antispam(fields((REPORT, f"SCL:{level};"))).scl is None


def test_what_is_kept_is_bounded() -> None:
    many = ";".join(f"K{number}:{'v' * 500}" for number in range(500))
    found = read_antispam(fields(*[("X-CustomSpam", "x" * 900)] * 50, (REPORT, many)))
    assert len(read_pairs(many)) == MAX_PAIRS
    assert len(found.unknown) == MAX_UNKNOWN
    assert max(len(value) for _, value in found.unknown) == 200
    assert len(found.custom) == 10


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_no_value_breaks_the_reader(value: str) -> None:
    names = (REPORT, DELIVERY, "X-Microsoft-Antispam", "X-MS-Exchange-Organization-SCL")
    read_antispam(fields(*((name, value) for name in names))).meanings()
