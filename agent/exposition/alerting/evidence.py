"""Which measurements prove what an alert says?

What was read from a peer stands on the agent's page alone, since a label must not hold it. What was
measured is exported, and so the person who is woken reads with the fault how bad it is: how many
lookups, which lists, until when. Templates of Prometheus, filled in when the alert fires.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.exposition.alerting.found import HOLD

_NUMBER = "{{ . | first | value }}"
_DATE = "{{ (. | first | value | toTime).UTC.Format `2006-01-02 15:04` }} UTC"
_SPAN = "{{ . | first | value | humanizeDuration }}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words around one ``metric`` of the probe that found it.

    Without ``label`` its value stands in place of ``{}``, shown as ``form``. With ``label`` each of
    its values that is ``wanted`` is named, with the number of its series where ``counts`` says so.
    """

    metric: str
    words: str
    form: str = _NUMBER
    label: str = ""
    wanted: str = "> 0"
    counts: bool = True
    of_many: str = "max"

    @property
    def template(self) -> str:
        """The sentence, as a template that leaves it out where nothing was measured."""
        return self._listing() if self.label else self._single()

    def _single(self) -> str:
        shown = self.words.format(self.form)
        return f"{{{{ with {self._query('')} }}}} {shown}{{{{ end }}}}"

    def _listing(self) -> str:
        name = f" {{{{ $each.Labels.{self.label} }}}}"
        count = " {{ $each.Value }}" if self.counts else ""
        each = (
            f"{{{{ range $at, $each := sortByLabel `{self.label}` . }}}}"
            f"{{{{ if $at }}}},{{{{ end }}}}{name}{count}{{{{ end }}}}"
        )
        return f"{{{{ with {self._query(self.label)} }}}} {self.words.format(each)}{{{{ end }}}}"

    def _query(self, label: str) -> str:
        """Ask for it as Prometheus saw it last: a restart leaves a hole."""
        by = f" by ({label})" if label else ""
        wanted = f" {self.wanted}" if label else ""
        return (
            f"printf `{self.of_many}{by} (last_over_time({self.metric}"
            f"{{tenant=%q,subject=%q}}[{HOLD}])){wanted}` $labels.tenant $labels.subject | query"
        )


def _ends(metric: str, what: str) -> Evidence:
    return Evidence(metric, f"The end of {what} is {{}}.", _DATE, of_many="min")


def _results(metric: str) -> Evidence:
    return Evidence(metric, "Addresses by result:{}.", label="result")


_LOOKUPS = Evidence("mailflow_spf_lookups", "It takes up to {} lookups; receivers stop at 10.")
_VOIDS = Evidence("mailflow_spf_void_lookups", "{} terms lead nowhere.")
_SPF_SENDERS = Evidence("mailflow_spf_senders", "Senders by verdict:{}.", label="verdict")
_DMARC_SENDERS = Evidence("mailflow_dmarc_senders", "Senders by verdict:{}.", label="verdict")
_KEYS = Evidence(
    "mailflow_dkim_key_length", "Bits of the key by selector:{}.", label="selector", of_many="min"
)
_ON_CONNECTOR = _results("mailflow_connector_addresses")
_ON_EXCHANGES = _results("mailflow_exchange_addresses")
_SMART_HOST = _ends("mailflow_connector_certificate_expiry_timestamp_seconds", "a certificate")
_EXCHANGE = _ends("mailflow_exchange_certificate_expiry_timestamp_seconds", "a certificate")
_SHOWN = _ends("mailflow_inbound_certificate_expiry_timestamp_seconds", "the certificate")
_STANDS = Evidence("mailflow_dane_exchanges", "Exchanges by how DANE stands:{}.", label="stand")
_SIGNED = _ends("mailflow_dane_signature_expiry_timestamp_seconds", "the first signature")
_UNCOVERED = Evidence("mailflow_mta_sts_exchanges_uncovered", "It leaves out {} exchanges.")
_WITH_ADDRESS = Evidence("mailflow_mx_exchanges_with_address", "Hosts with an address: {}.")
_EXPECTED = Evidence("mailflow_mx_exchanges_expected", "Hosts in MX that are expected: {}.")
_SPEAKING = Evidence(
    "mailflow_nameservers_addresses_authoritative", "Addresses that speak for the zone: {}."
)
_TAKEN = Evidence(
    "mailflow_refusal_shut", "Taken:{}.", label="case", wanted="== 0", counts=False, of_many="min"
)
_REGISTERED = _ends("mailflow_registration_expiry_timestamp_seconds", "the registration")
_LISTED = Evidence("mailflow_reputation_listed", "Entries by list:{}.", label="list")
_NAMED = Evidence("mailflow_reverse_addresses", "Addresses by verdict:{}.", label="verdict")
_CHANGES = Evidence("mailflow_drift_changes", "Changes on record: {}.")

EVIDENCE: Mapping[str, Evidence] = MappingProxyType(
    {
        **dict.fromkeys(("spf-too-many-lookups", "spf-near-lookup-limit"), _LOOKUPS),
        **dict.fromkeys(("spf-too-many-voids", "spf-near-void-limit", "spf-ipv6-voids"), _VOIDS),
        **dict.fromkeys(("spf-sender-refused", "spf-not-sender-passes"), _SPF_SENDERS),
        "spf-stranger-passes": Evidence(
            "mailflow_spf_strangers_passing", "Addresses that must not pass and do: {}."
        ),
        "spf-long": Evidence("mailflow_spf_record_bytes", "It has {} octets."),
        **dict.fromkeys(
            ("dmarc-sender-fails", "dmarc-sender-would-fail", "dmarc-sender-unproven"),
            _DMARC_SENDERS,
        ),
        **dict.fromkeys(("dkim-key-weak", "dkim-key-short", "dkim-key-long"), _KEYS),
        **dict.fromkeys(
            (
                "connector-connection-lost",
                "connector-family-failing",
                "connector-partly-failing",
                "connector-recipient-refused",
                "connector-refused",
                "connector-session-refused",
                "connector-stalled",
                "connector-timed-out",
            ),
            _ON_CONNECTOR,
        ),
        **dict.fromkeys(
            ("connector-certificate-expired", "connector-certificate-expires-soon"), _SMART_HOST
        ),
        **dict.fromkeys(
            (
                "exchange-deferred",
                "exchange-family-failing",
                "exchange-partly-failing",
                "exchange-recipient-refused",
                "exchange-unreachable",
            ),
            _ON_EXCHANGES,
        ),
        **dict.fromkeys(
            ("exchange-certificate-expired", "exchange-certificate-expires-soon"), _EXCHANGE
        ),
        **dict.fromkeys(
            ("inbound-certificate-expired", "inbound-certificate-expires-soon"), _SHOWN
        ),
        **dict.fromkeys(("dane-mismatch", "dane-partly-mismatching", "dane-unusable"), _STANDS),
        **dict.fromkeys(("dane-signature-expired", "dane-signature-expires"), _SIGNED),
        **dict.fromkeys(
            ("mta-sts-exchange-uncovered", "mta-sts-exchange-would-be-uncovered"), _UNCOVERED
        ),
        "mta-sts-host-certificate-expires": _ends(
            "mailflow_mta_sts_certificate_expiry_timestamp_seconds", "the certificate"
        ),
        "mta-sts-max-age-short": Evidence(
            "mailflow_mta_sts_max_age_seconds", "Senders remember it for {}.", _SPAN
        ),
        **dict.fromkeys(("mx-no-address", "mx-none-reachable"), _WITH_ADDRESS),
        **dict.fromkeys(
            ("mx-expected-incomplete", "mx-expected-missing", "mx-unexpected"), _EXPECTED
        ),
        **dict.fromkeys(
            (
                "nameservers-all-lame",
                "nameservers-all-silent",
                "nameservers-lame",
                "nameservers-most-bad",
                "nameservers-silent",
            ),
            _SPEAKING,
        ),
        "nameservers-serials-differ": Evidence(
            "mailflow_nameservers_serial_spread", "The oldest serial is {} behind."
        ),
        **dict.fromkeys(
            (
                "refusal-direct-send-accepted",
                "refusal-filter-bypassed",
                "refusal-open-relay",
                "refusal-own-domain-relayed",
            ),
            _TAKEN,
        ),
        **dict.fromkeys(
            ("registration-expired", "registration-expires-now", "registration-expires-soon"),
            _REGISTERED,
        ),
        **dict.fromkeys(
            (
                "reputation-domain-listed",
                "reputation-domain-refused",
                "reputation-listed",
                "reputation-refused",
            ),
            _LISTED,
        ),
        **dict.fromkeys(
            (
                "reverse-generic",
                "reverse-missing",
                "reverse-missing-ipv6",
                "reverse-unconfirmed",
            ),
            _NAMED,
        ),
        **dict.fromkeys(("drift-domain-removed", "drift-weakened"), _CHANGES),
    }
)
