"""What can be wrong with what a recipient's domain demands of those who deliver by MX?"""

from agent.domain.finding import Rule, Severity

_STS = "RFC 8461 section 4.1"
_DANE = "https://learn.microsoft.com/purview/how-smtp-dane-works"


def _rule(code: str, severity: Severity, summary: str, remedy: str, reference: str) -> Rule:
    return Rule(f"connector-{code}", severity, summary, remedy, reference)


STS_RECORD = _rule(
    "sts-record",
    Severity.WARNING,
    "A recipient domain's MTA-STS record cannot be read",
    "Senders behave as if there were no policy. Publish exactly one TXT record at _mta-sts with"
    " v=STSv1 and an id of letters and digits.",
    "RFC 8461 section 3.1",
)
STS_UNFETCHED = _rule(
    "sts-unfetched",
    Severity.WARNING,
    "A recipient domain announces an MTA-STS policy that cannot be had",
    "Senders that know no older policy deliver without one. Serve it at"
    " https://mta-sts.<domain>/.well-known/mta-sts.txt as text/plain, without a redirect, with a"
    " certificate for that name.",
    "RFC 8461 section 3.3",
)
STS_NOT_LOOKED = _rule(
    "sts-not-looked",
    Severity.UNKNOWN,
    "The MTA-STS policy of a recipient domain could not be asked for from here",
    "See whether this machine may connect to port 443 outside, and whether the policy's host"
    " answers. Nothing is known of what the policy demands.",
    "RFC 8461 section 3.3",
)
STS_NOT_COVERED = _rule(
    "sts-not-covered",
    Severity.CRITICAL,
    "An exchange is not in the MTA-STS policy, which is enforced",
    "Exchange Online does not deliver there, and the mail waits. Add the host to the policy's mx"
    " lines and change the id of the TXT record; until then set the policy to testing.",
    _STS,
)
STS_WOULD_NOT_COVER = _rule(
    "sts-would-not-cover",
    Severity.WARNING,
    "An exchange is not in the MTA-STS policy, which is in testing",
    "Nothing happens as long as the mode is testing. Add the host to the policy's mx lines before"
    " it is enforced.",
    _STS,
)
DANE_MISMATCH = _rule(
    "dane-mismatch",
    Severity.CRITICAL,
    "An exchange's certificate is not the one of its TLSA records",
    "Mail to it waits and then bounces with 5.7.323 at Exchange Online and every sender with DANE."
    " Publish the record of the present certificate now (3 1 1, its key's SHA-256); at the next"
    " renewal publish the new record first.",
    _DANE,
)
DANE_MISSING = _rule(
    "dane-missing",
    Severity.CRITICAL,
    "The connector demands DANE, and an exchange has no TLSA record",
    "With SmtpDaneMode Mandatory nothing is delivered there: 5.7.324 after a day. Have the"
    " recipient's domain publish TLSA records with DNSSEC, or set SmtpDaneMode to Opportunistic.",
    _DANE,
)
DANE_UNUSABLE = _rule(
    "dane-unusable",
    Severity.WARNING,
    "An exchange's TLSA records are of kinds that mail does not use",
    "Usages 0 and 1 count for nothing with SMTP. Publish 3 1 1.",
    "RFC 7672 section 3.1.3",
)
DANE_NOT_PROVEN = _rule(
    "dane-not-proven",
    Severity.UNKNOWN,
    "There are TLSA records, and nobody here vouches for them",
    "Let the agent ask a resolver on its own machine that validates DNSSEC (unbound does), or set"
    " `agent.trust_ad` where the network to the resolver is yours. If it does, the zone is not"
    " signed, and senders ignore the records.",
    "RFC 7672 section 2.1.1",
)
DANE_UNANSWERED = _rule(
    "dane-unanswered",
    Severity.UNKNOWN,
    "DNS could not say whether there are TLSA records",
    "A sender with DANE does not deliver while this is so. Ask the domain's name servers for TLSA:"
    " old ones and some firewalls answer such questions with a failure.",
    "RFC 7672 section 2.1.1",
)

RULES = (
    STS_RECORD,
    STS_UNFETCHED,
    STS_NOT_LOOKED,
    STS_NOT_COVERED,
    STS_WOULD_NOT_COVER,
    DANE_MISMATCH,
    DANE_MISSING,
    DANE_UNUSABLE,
    DANE_NOT_PROVEN,
    DANE_UNANSWERED,
)
IN_EXCHANGE = {
    STS_NOT_COVERED.code: "451 4.4.8 MX hosts of the domain failed MTA-STS validation",
    DANE_MISMATCH.code: "450 4.7.323 tlsa-invalid",
    DANE_MISSING.code: "450 4.7.324 dnssec-invalid",
}
