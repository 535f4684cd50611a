"""What does checkdmarc say of MX, the exchanges, MTA-STS, TLS reports, and which rule does too?"""

from agent.exposition.beside.said import Said, by, none

_RECORD = "mta_sts.parse_mta_sts_record"
_POLICY = "mta_sts.parse_mta_sts_policy"
_FETCH = "mta_sts.download_mta_sts_policy"
_HOSTS = "smtp.get_mx_hosts"
_MX = "utils.get_mx_record_set"
_FOREIGN = "Senders pass over text of another kind, so that nothing is lost by it."
_ALIAS = "Many have the record hosted that way, and senders follow an alias."
_UNUSED = "MTA-STS is a choice; only what is begun is judged, unless a mode is expected."
_TLS = (
    "exchange-starttls-missing exchange-tls-broken exchange-tls-too-old"
    " exchange-certificate-expired exchange-certificate-name-mismatch"
    " exchange-certificate-untrusted exchange-unreachable"
)

MTA_STS: tuple[Said, ...] = (
    none("MTASTSError", "whatever is wrong with MTA-STS", "It is not raised itself."),
    by(
        "MTASTSRecordNotFound",
        "no record",
        "mta-sts-not-as-expected mta-sts-record-missing",
        _UNUSED,
    ),
    by("MTASTSRecordSyntaxError", "a record outside of the grammar", "mta-sts-record-malformed"),
    none("InvalidMTASTSTag", "a tag that is none", "Declared there, never raised."),
    by("InvalidSTSTagValue", "an `id` that is none", "mta-sts-record-malformed"),
    none("UnrelatedTXTRecordFoundAtMTASTS", "other text beside the record", _FOREIGN),
    none("SPFRecordFoundWhereMTASTSRecordShouldBe", "an SPF record at `_mta-sts`", _FOREIGN),
    by("MTASTSRecordInWrongLocation", "a record at the domain itself", "mta-sts-record-misplaced"),
    by("MultipleMTASTSRecords", "several records", "mta-sts-several-records"),
    none("MTASTSPolicyError", "whatever is wrong with a policy", "It is not raised itself."),
    by(
        "MTASTSPolicyDownloadError",
        "a policy that cannot be fetched",
        "mta-sts-policy-unfetched mta-sts-host-missing mta-sts-host-certificate mta-sts-not-looked",
    ),
    by("MTASTSPolicySyntaxError", "a policy outside of the grammar", "mta-sts-policy-invalid"),
    none("mta_sts.query_mta_sts_record", "other text beside the record", _FOREIGN),
    none("mta_sts.query_mta_sts_record", "a record behind an alias", _ALIAS),
    by(
        _RECORD,
        "a blank before the first semicolon",
        "mta-sts-record-untidy mta-sts-record-malformed",
    ),
    by(
        _RECORD,
        "a tag that nobody knows",
        "mta-sts-record-untidy",
        "Only one that looks like a mistake: extensions are allowed.",
    ),
    by(_RECORD, "a tag that is there twice", "mta-sts-record-untidy"),
    by(_FETCH, "a content type that is wrong or missing", "mta-sts-policy-untidy", sites=2),
    by(
        _POLICY,
        "a key that nobody knows",
        "mta-sts-policy-untidy",
        "Only one that looks like a mistake: extensions are allowed.",
    ),
    by(_POLICY, "a key that is there twice", "mta-sts-policy-untidy"),
)

TLS_RPT: tuple[Said, ...] = (
    none("SMTPTLSReportingError", "whatever is wrong with TLS reports", "It is not raised itself."),
    by(
        "SMTPTLSReportingRecordNotFound",
        "no record",
        "tls-rpt-missing",
        "Only where there is something to report on: MTA-STS or DANE in use.",
    ),
    by("SMTPTLSReportingSyntaxError", "a record outside of the grammar", "tls-rpt-malformed"),
    none("InvalidSMTPTLSReportingTag", "a tag that is none", "Declared there, never raised."),
    none(
        "InvalidSMTPTLSReportingTagValue", "a value that is none", "Declared there, never raised."
    ),
    none("UnrelatedTXTRecordFoundAtTLSRPT", "other text beside the record", _FOREIGN),
    none("SPFRecordFoundWhereTLSRPTShouldBe", "an SPF record at `_smtp._tls`", _FOREIGN),
    by(
        "SMTPTLSReportingRecordInWrongLocation",
        "a record at the domain itself",
        "tls-rpt-misplaced",
    ),
    by("MultipleSMTPTLSReportingRecords", "several records", "tls-rpt-several-records"),
    none(
        "smtp_tls_reporting.query_smtp_tls_reporting_record",
        "other text beside the record",
        _FOREIGN,
    ),
    none("smtp_tls_reporting.query_smtp_tls_reporting_record", "a record behind an alias", _ALIAS),
    by(
        "smtp_tls_reporting.parse_smtp_tls_reporting_record",
        "a blank before the first semicolon, a tag that is there twice, or that nobody knows",
        "tls-rpt-untidy tls-rpt-malformed",
        "Extensions are allowed, and told only where they look like a mistake.",
        sites=3,
    ),
)

MX: tuple[Said, ...] = (
    by("SMTPError", "a session, its TLS or its certificate that failed", _TLS),
    by("DNSException", "DNS that failed", "dns-unanswered mx-target-unanswered"),
    by("DNSExceptionNXDOMAIN", "a name that does not exist", "mx-domain-missing mx-dangling"),
    by(_HOSTS, "the null MX", "mx-null", "Quiet where the domain is declared as parked."),
    by(_HOSTS, "no MX record", "mx-implicit mx-missing"),
    by(_HOSTS, "MX records of a parked domain", "mx-parked-accepts"),
    by(_HOSTS, "a host in more than one record", "mx-duplicate"),
    by(_HOSTS, "a host that is not approved", "mx-unexpected mx-expected-incomplete"),
    by(
        _HOSTS,
        "a host that the MTA-STS policy leaves out",
        "mta-sts-exchange-uncovered mta-sts-exchange-would-be-uncovered",
    ),
    by(_HOSTS, "a host that is an alias", "mx-alias"),
    by(_HOSTS, "a host without an address", "mx-no-address mx-none-reachable"),
    by(_HOSTS, "an invalid host that once proved a domain to Microsoft", "mx-dangling mx-legacy"),
    by(_HOSTS, "a host that DNS has no answer for", "mx-dangling mx-target-unanswered"),
    by(_HOSTS, "an address without a reverse name", "exchange-no-reverse-name"),
    by(
        _HOSTS,
        "a reverse name that does not lead back, or that DNS has no answer for",
        "exchange-reverse-name-unconfirmed",
        sites=2,
    ),
    by(_HOSTS, "a host without STARTTLS", "exchange-starttls-missing"),
    none(
        _HOSTS,
        "a host without TLS from the first octet, on port 465",
        "That port is for submission by users; mail between servers never uses it.",
    ),
    by(_HOSTS, "DNS, or a session, that failed", "dns-unanswered exchange-unreachable", sites=2),
    by(_MX, "a host named by the root, and not as the null MX", "mx-not-a-host-name mx-null"),
    by(_MX, "the null MX beside others", "mx-null-beside-others"),
    by(_MX, "an address in place of a host", "mx-literal"),
    by(_MX, "a host with a name that is none", "mx-not-a-host-name mx-underscore"),
    by(
        "utils.get_nameservers",
        "a name server that is not approved",
        "nameservers-unexpected nameservers-delegation-changed",
    ),
)
