from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.exchange_stamps import Stamps, read_latency, read_stamps
from agent.domain.header_fields import read_head
from servers.heads import FILTERED, fields

TENANT = "84df9e7f-e9f6-40af-b435-aaaaaaaaaaaa"


def test_the_stamps_of_exchange_online_are_read() -> None:
    assert read_stamps(read_head(FILTERED)) == Stamps(
        auth_as="Anonymous",
        auth_source="DB5EUR02FT041.eop-EUR02.prod.protection.outlook.com",
        directionality="Incoming",
        network_message_id="3c423d85-ab3e-47f2-b612-08d5c0856466",
        correlation_id="3c423d85-ab3e-47f2-b612-08d5c0856466",
        crosstenant_id=TENANT,
        from_entity="Internet",
        eop_tenant=TENANT,
        original_arrival=datetime(2026, 11, 3, 10, 15, 7, 33000, tzinfo=UTC),
        end_to_end_latency=timedelta(seconds=1, microseconds=950281),
    )


def test_the_attribution_of_the_connection_is_read() -> None:
    stamps = read_stamps(
        fields(
            (
                "X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp",
                f"TenantId={TENANT};Ip=[192.0.2.1];Helo=[mail.contoso.com]",
            ),
            ("X-OriginatorOrg", "contoso.com"),
            ("X-MS-Exchange-CrossTenant-Network-Message-Id", "abc"),
        )
    )
    assert (stamps.attributed_tenant, stamps.attributed_ip) == (TENANT, "192.0.2.1")
    assert stamps.attributed_helo == "mail.contoso.com"
    assert (stamps.originator_org, stamps.network_message_id) == ("contoso.com", "abc")


@pytest.mark.parametrize(
    "name",
    [
        "X-MS-Exchange-SkipListedInternetSender",
        "X-MS-Exchange-ExternalOriginalInternetSender",
    ],
)
def test_enhanced_filtering_names_the_source(name: str) -> None:
    stamps = read_stamps(fields((name, "ip=[192.0.2.1];domain=contoso.com")))
    assert (stamps.skip_listed, stamps.skipped_address) == (True, "192.0.2.1")
    assert read_stamps(fields((name, "yes"))) == Stamps(skip_listed=True)


def test_hybrid_mail_is_recognised() -> None:
    stamps = read_stamps(
        fields(
            ("X-CrossPremisesHeadersFilteredBySendConnector", "ex1.contoso.com"),
            ("X-MS-Exchange-CrossPremises-AuthAs", "Internal"),
        )
    )
    assert (stamps.headers_filtered_by, stamps.is_hybrid) == ("ex1.contoso.com", True)


def test_the_upper_stamp_counts_and_no_stamp_is_none() -> None:
    name = "X-MS-Exchange-Organization-AuthAs"
    assert read_stamps(fields((name, "Internal"), (name, "Anonymous"))).auth_as == "Internal"
    assert read_stamps(fields(("Subject", "x"))) == Stamps()


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("00:00:01.9502816", timedelta(seconds=1, microseconds=950281)),
        ("01:02:03", timedelta(hours=1, minutes=2, seconds=3)),
        ("2.00:00:01.5", timedelta(days=2, seconds=1, milliseconds=500)),
        ("1.95", None),
        ("", None),
    ],
)
def test_a_latency_is_read(text: str, latency: timedelta | None) -> None:
    assert read_latency(text) == latency


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_no_value_breaks_the_reader(value: str) -> None:
    names = (
        "X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp",
        "X-MS-Exchange-CrossTenant-OriginalArrivalTime",
        "X-MS-Exchange-SkipListedInternetSender",
        "X-MS-Exchange-Transport-EndToEndLatency",
        "X-Sender-IP",
    )
    read_stamps(fields(*((name, value) for name in names)))
