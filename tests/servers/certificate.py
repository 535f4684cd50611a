"""A certificate without a fault, as a value, for tests that change one thing about it."""

from datetime import UTC, datetime, timedelta

from agent.domain.peer_text import PeerText
from agent.domain.tls import Certificate

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SOUND = Certificate(
    subject=PeerText("CN=mail.contoso.com"),
    issuer=PeerText("CN=Issuer"),
    common_name=PeerText("mail.contoso.com"),
    names=(PeerText("mail.contoso.com"),),
    name_count=1,
    not_before=NOW - DAY,
    not_after=NOW + 90 * DAY,
    key_type="RSA",
    key_bits=2048,
    signature="sha256",
    is_self_signed=False,
    fingerprint="00",
)
