"""Which hosts of Exchange Online can have DANE, and in which order is it turned on?

Source: Microsoft's page on how SMTP DANE works, and the reference of the cmdlets that it names,
read in 2026. A domain keeps its classic host until somebody asks for one under `mx.microsoft`;
domains that were added since July 2026 have one from the start, with or without DNSSEC.
"""

import re

from agent.domain.knowledge.clouds import CLASSIC_SUFFIX, DNSSEC_SUFFIX

IN_DNSSEC_ZONE = re.compile(rf"[a-z0-9-]+\.[a-z0-9]+-v1\.{re.escape(DNSSEC_SUFFIX)}")
"""The form of a host with DNSSEC: a token of the domain, and the letter of a partition."""

START_PREFERENCES = (0, 10)
"""What the MX record may have before the move begins."""

MOVED_PREFERENCE = 0
"""What the new MX record has when the move is over."""

ASK_FOR_HOST = "Enable-DnssecForVerifiedDomain -DomainName {}"
"""Returns the name of the new host as ``DnssecMxValue``; the old one goes on to work."""

PUBLISH_TLSA = "Enable-SmtpDaneInbound -DomainName {}"
"""Has Microsoft publish the TLSA records of the new host."""


def is_classic(exchange: str) -> bool:
    """Tell whether *exchange*, in lower case, is a host of Exchange Online without DNSSEC."""
    return exchange.endswith(f".{CLASSIC_SUFFIX}")


def is_in_dnssec_zone(exchange: str) -> bool:
    """Tell whether *exchange*, in lower case, is a host of Exchange Online with DNSSEC."""
    return IN_DNSSEC_ZONE.fullmatch(exchange) is not None
