"""What can be wrong with a domain's DNSSEC and DANE?

Declarations only; :mod:`agent.domain.dane_lint` and its neighbours say when they are broken. Where
senders that validate get no answer, or a certificate that they must refuse, they keep the mail:
critical. Where records are ignored, mail goes on as without them: a warning.
"""

from agent.domain.finding import Rule, Severity

_MICROSOFT = "Microsoft: How SMTP DNS-based Authentication of Named Entities (DANE) works"
_MX = "RFC 7672 section 2.2.1"
_TLSA = "RFC 7672 section 2.2.2"

SIGNATURE_EXPIRED = Rule(
    code="dane-signature-expired",
    severity=Severity.CRITICAL,
    summary="Signatures of DNSSEC have expired, and who validates gets no answer",
    remedy="Have the zone signed again, and see why its signer has stopped. If that takes long,"
    " have the parent remove the DS record: the zone then counts as unsigned, and mail arrives.",
    reference="RFC 4035 section 5.3.1",
)
BOGUS = Rule(
    code="dane-bogus",
    severity=Severity.CRITICAL,
    summary="DNSSEC of the domain or of an exchange is wrong, and who validates gets no answer",
    remedy="Compare the DS record at the parent with the zone's keys, and the signatures with the"
    " records. If that takes long, have the parent remove the DS record: the zone then counts as"
    " unsigned, and mail arrives.",
    reference="RFC 4035 section 5.5",
)
MISMATCH = Rule(
    code="dane-mismatch",
    severity=Severity.CRITICAL,
    summary="No TLSA record fits the certificate of an exchange, and senders with DANE refuse it",
    remedy="Publish a TLSA record for the key in use beside the others, or install the certificate"
    " from before. With the next renewal, publish the record of the new key first.",
    reference="RFC 7672 section 3.1",
)
PARTLY_MISMATCH = Rule(
    code="dane-partly-mismatching",
    severity=Severity.WARNING,
    summary="No TLSA record fits at one of several places, and mail takes the other ones",
    remedy="Install the certificate there that the others have, or publish a TLSA record for its"
    " key as well.",
    reference="RFC 7672 section 3.1",
)
SIGNATURE_ENDS = Rule(
    code="dane-signature-expires",
    severity=Severity.WARNING,
    summary="Signatures of DNSSEC expire soon, and were not renewed",
    remedy="See whether the zone's signer runs, and whether all name servers have its last version."
    " Once they have expired, senders that validate keep the mail.",
    reference="RFC 6781 section 4.4.2",
)
DOMAIN_INSECURE = Rule(
    code="dane-domain-insecure",
    severity=Severity.WARNING,
    summary="The exchanges have TLSA records, and the domain's MX records are not signed",
    remedy="Sign the domain's zone, then have the registrar publish its DS record. Until then"
    " senders need not heed the TLSA records: who forges the MX records evades them.",
    reference=_MX,
)
EXCHANGE_INSECURE = Rule(
    code="dane-exchange-insecure",
    severity=Severity.WARNING,
    summary="An exchange has TLSA records that are not signed, and senders ignore them",
    remedy="Sign the zone of the exchange, and the one that an alias leads to, or delete the TLSA"
    " records.",
    reference=_TLSA,
)
UNUSABLE = Rule(
    code="dane-unusable",
    severity=Severity.WARNING,
    summary="No TLSA record of an exchange can be used, and its certificate is not looked at",
    remedy="Publish `3 1 1` and the SHA-256 digest of the server's public key. Usages 0 and 1 count"
    " for nothing with SMTP.",
    reference="RFC 7672 section 3.1.3",
)
RECORD_UNUSABLE = Rule(
    code="dane-record-unusable",
    severity=Severity.WARNING,
    summary="A TLSA record beside others cannot be used",
    remedy="Correct it or delete it; senders pass it over.",
    reference="RFC 7672 section 3.1",
)
PARTLY = Rule(
    code="dane-partly-covered",
    severity=Severity.WARNING,
    summary="Some exchanges have DANE and others do not, and mail can be led to those",
    remedy="Publish signed TLSA records for every exchange, or take the others out of MX.",
    reference="RFC 7672 section 2.2",
)
ALIAS = Rule(
    code="dane-alias-dangling",
    severity=Severity.WARNING,
    summary="The name for an exchange's TLSA records is an alias that leads to none",
    remedy="Publish the records where the alias leads, or delete the alias.",
    reference="RFC 7671 section 7",
)
ROLLOVER = Rule(
    code="dane-rollover-unprepared",
    severity=Severity.WARNING,
    summary="The certificate is about to be renewed, and no TLSA record waits for the next one",
    remedy="Publish a second record for the next key before it is used, and wait for the time to"
    " live of the old records to pass. Or keep the key: `3 1 1` then goes on to fit.",
    reference="RFC 7671 section 8.1",
)
REQUIRED = Rule(
    code="dane-required",
    severity=Severity.WARNING,
    summary="DANE is required by the configuration, and is not in force",
    remedy="Sign the domain's zone and publish TLSA records for every exchange. With Exchange"
    " Online the exchange must be one under `mx.microsoft`; the facts have the steps in order.",
    reference=_MICROSOFT,
)
NOT_PREFERRED = Rule(
    code="dane-microsoft-not-preferred",
    severity=Severity.WARNING,
    summary="The exchange with DNSSEC is published, and senders go to the old one first",
    remedy="See with Microsoft's connectivity analyser that mail arrives by the new exchange. Then"
    " give it preference 0 and delete the MX record of the old one.",
    reference=_MICROSOFT,
)
OLD_EXCHANGE = Rule(
    code="dane-microsoft-old-exchange",
    severity=Severity.WARNING,
    summary="The old exchange without DNSSEC was left beside the new one",
    remedy="Delete the MX record of the old exchange: mail can still be led there, past DANE.",
    reference=_MICROSOFT,
)
STS_ENFORCED = Rule(
    code="dane-microsoft-sts-enforced",
    severity=Severity.WARNING,
    summary="The MTA-STS policy stays in enforce while the exchange is exchanged",
    remedy="Set the policy to `mode: testing` with both hosts in it and change its `id`; return to"
    " enforce when the old MX record is gone.",
    reference=_MICROSOFT,
)
CLOCK_IN_DOUBT = Rule(
    code="dane-clock-in-doubt",
    severity=Severity.UNKNOWN,
    summary="By the clock of this machine the signatures of the root of DNS are not valid either",
    remedy="Set the clock of the agent's host, and have it kept by NTP. Until then nothing is said"
    " about when signatures end.",
    reference="RFC 4035 section 5.3.1",
)
NOT_TRUSTED = Rule(
    code="dane-resolver-not-trusted",
    severity=Severity.UNKNOWN,
    summary="The domain uses DANE, and nobody here vouches for its records",
    remedy="Let the agent ask a resolver on its own machine that validates DNSSEC (unbound does),"
    " or set `agent.trust_ad` where the network to the resolver is yours. Nothing is known to be"
    " wrong with the domain.",
    reference="RFC 7672 section 2.1.1",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
