"""What can be wrong with a domain's MTA-STS?

Declarations only; :mod:`agent.domain.mta_sts_lint` and its neighbours say when they are broken. A
policy that nobody gets protects nothing, and mail goes on: a warning. A policy in mode enforce that
does not fit the exchanges has senders keep their mail: critical.
"""

from agent.domain.finding import Rule, Severity

_DISCOVERY = "RFC 8461 section 3.1"
_POLICY = "RFC 8461 section 3.2"
_FETCHING = "RFC 8461 section 3.3"
_VALIDATION = "RFC 8461 section 4.1"
_UPDATING = "RFC 8461 section 8.1"
_REMOVING = "RFC 8461 section 8.3"
_MICROSOFT = "Microsoft: Enhancing mail flow with MTA-STS"

UNCOVERED = Rule(
    code="mta-sts-exchange-uncovered",
    severity=Severity.CRITICAL,
    summary="An exchange is not in the MTA-STS policy, which is enforced",
    remedy="Senders that obey the policy do not deliver there. Add a line `mx:` for the host to the"
    " policy, then change the `id` of the TXT record. `*` stands for exactly one label.",
    reference=_VALIDATION,
)
OLD_POLICY_LOSES = Rule(
    code="mta-sts-old-policy-enforced",
    severity=Severity.CRITICAL,
    summary="Senders still enforce the MTA-STS policy from before, which leaves out an exchange",
    remedy="Change the `id` of the TXT record now: only then do senders fetch the policy that has"
    " been corrected.",
    reference=_UPDATING,
)
EXCHANGE_CERTIFICATE = Rule(
    code="mta-sts-exchange-certificate",
    severity=Severity.CRITICAL,
    summary="The MTA-STS policy is enforced, and an exchange's certificate does not satisfy it",
    remedy="Senders that obey the policy do not deliver there. Install a certificate for the host's"
    " name from a public authority; until then set the policy to `mode: testing` and change the"
    " `id`.",
    reference="RFC 8461 section 4.2",
)
WOULD_NOT_COVER = Rule(
    code="mta-sts-exchange-would-be-uncovered",
    severity=Severity.WARNING,
    summary="An exchange is not in the MTA-STS policy, which is in testing",
    remedy="Add a line `mx:` for the host to the policy before it is enforced, and change the"
    " `id`. `*` stands for exactly one label.",
    reference=_VALIDATION,
)
CERTIFICATE_WOULD_FAIL = Rule(
    code="mta-sts-exchange-certificate-would-fail",
    severity=Severity.WARNING,
    summary="An exchange's certificate does not satisfy the MTA-STS policy, which is in testing",
    remedy="Install a certificate for the host's name from a public authority before the policy is"
    " enforced.",
    reference="RFC 8461 section 4.2",
)
SEVERAL_RECORDS = Rule(
    code="mta-sts-several-records",
    severity=Severity.WARNING,
    summary="The domain has more than one MTA-STS record, which counts as none",
    remedy="Keep the one with the present `id` and delete the others.",
    reference=_DISCOVERY,
)
RECORD_MALFORMED = Rule(
    code="mta-sts-record-malformed",
    severity=Severity.WARNING,
    summary="The MTA-STS record cannot be read, and senders look for no policy",
    remedy="Publish exactly `v=STSv1; id=` and up to 32 letters and digits.",
    reference=_DISCOVERY,
)
RECORD_UNTIDY = Rule(
    code="mta-sts-record-untidy",
    severity=Severity.WARNING,
    summary="The MTA-STS record has a flaw that some senders do not forgive",
    remedy="Publish exactly `v=STSv1; id=` and up to 32 letters and digits.",
    reference=_DISCOVERY,
)
MISPLACED = Rule(
    code="mta-sts-record-misplaced",
    severity=Severity.WARNING,
    summary="An MTA-STS record stands at a name where nobody looks for it",
    remedy="Publish it at `_mta-sts` below the domain, and delete it where it is. A console that"
    " adds the domain by itself wants `_mta-sts` only.",
    reference=_DISCOVERY,
)
RECORD_MISSING = Rule(
    code="mta-sts-record-missing",
    severity=Severity.WARNING,
    summary="A host for an MTA-STS policy exists, and no record announces the policy",
    remedy="Publish the TXT record, or remove the host `mta-sts` if MTA-STS was given up.",
    reference=_DISCOVERY,
)
REMOVED_EARLY = Rule(
    code="mta-sts-removed-early",
    severity=Severity.WARNING,
    summary="MTA-STS was taken away while senders still enforce the last policy",
    remedy="Put record and policy back with `mode: none` and a new `id`, and leave them for as long"
    " as the `max_age` of the last policy.",
    reference=_REMOVING,
)
EXPECTED = Rule(
    code="mta-sts-not-as-expected",
    severity=Severity.WARNING,
    summary="The domain's MTA-STS is not in the mode that the configuration expects",
    remedy="Change the policy's `mode` and then the `id`, or set `expected` of the check.",
    reference=_MICROSOFT,
)
HOST_MISSING = Rule(
    code="mta-sts-host-missing",
    severity=Severity.WARNING,
    summary="A policy is announced, and the host that should serve it has no address",
    remedy="Create the host `mta-sts` below the domain on a web server of yours, or delete the"
    " record. Exchange Online does not serve the policies of its customers.",
    reference=_FETCHING,
)
HOST_DANGLING = Rule(
    code="mta-sts-host-dangling",
    severity=Severity.WARNING,
    summary="The policy's host is an alias for a name that leads nowhere",
    remedy="Delete the alias or create the service again. Whoever can take the name serves a policy"
    " in the domain's name, and can stop its mail with it.",
    reference="RFC 8461 section 10.3",
)
UNFETCHED = Rule(
    code="mta-sts-policy-unfetched",
    severity=Severity.WARNING,
    summary="A policy is announced, and senders cannot fetch it",
    remedy="Serve the file at `/.well-known/mta-sts.txt` with status 200, as text/plain, without a"
    " redirect and in less than 64 KiB.",
    reference=_FETCHING,
)
NOT_LOOKED = Rule(
    code="mta-sts-not-looked",
    severity=Severity.UNKNOWN,
    summary="The MTA-STS policy could not be asked for from here",
    remedy="See whether this machine may connect to port 443 outside, past every proxy that shows"
    " certificates of its own, and whether the policy's host answers. Nothing is known to be wrong"
    " with the policy.",
    reference=_FETCHING,
)
HOST_CERTIFICATE = Rule(
    code="mta-sts-host-certificate",
    severity=Severity.WARNING,
    summary="The certificate of the policy's host is not valid, and senders fetch no policy",
    remedy="Install a certificate for `mta-sts` below the domain from a public authority, with its"
    " whole chain.",
    reference=_FETCHING,
)
HOST_CERTIFICATE_ENDS = Rule(
    code="mta-sts-host-certificate-expires",
    severity=Severity.WARNING,
    summary="The certificate of the policy's host expires soon",
    remedy="Renew it. Once it has expired, senders fetch no policy any more.",
    reference=_FETCHING,
)
HOST_CERTIFICATE_WEAK = Rule(
    code="mta-sts-host-certificate-weak",
    severity=Severity.WARNING,
    summary="The certificate of the policy's host is one that some senders refuse",
    remedy="Have it issued anew, with an RSA key of 2048 bits or a key on a curve.",
    reference=_FETCHING,
)
POLICY_INVALID = Rule(
    code="mta-sts-policy-invalid",
    severity=Severity.WARNING,
    summary="The policy does not follow the grammar, and senders discard it",
    remedy="Correct the line that the finding names, then change the `id` of the TXT record.",
    reference=_POLICY,
)
POLICY_UNTIDY = Rule(
    code="mta-sts-policy-untidy",
    severity=Severity.WARNING,
    summary="The policy has a flaw that some senders do not forgive",
    remedy="Correct the lines that the finding names, then change the `id` of the TXT record.",
    reference=_POLICY,
)
MAX_AGE_SHORT = Rule(
    code="mta-sts-max-age-short",
    severity=Severity.WARNING,
    summary="Senders forget the enforced policy within a day",
    remedy="Raise `max_age` to weeks, such as 1209600. An attacker who holds back the policy for"
    " longer than that is not noticed.",
    reference="RFC 8461 section 10.2",
)
UNUSED_PATTERN = Rule(
    code="mta-sts-pattern-unused",
    severity=Severity.WARNING,
    summary="The policy allows a host that is no exchange of the domain",
    remedy="Remove the line if the host is left over from a move; leave it for the time of the"
    " move.",
    reference=_VALIDATION,
)
ID_UNCHANGED = Rule(
    code="mta-sts-id-unchanged",
    severity=Severity.WARNING,
    summary="The policy has changed, and its id has not: senders go on with the one from before",
    remedy="Change the `id` of the TXT record, after every change of the policy.",
    reference=_UPDATING,
)
POLICY_UNCHANGED = Rule(
    code="mta-sts-policy-unchanged",
    severity=Severity.WARNING,
    summary="The id has changed, and the policy has not",
    remedy="See whether a change of the policy did not get onto its host. Senders have fetched the"
    " one from before again: change the `id` once more when the file is right.",
    reference=_UPDATING,
)
TESTING_LONG = Rule(
    code="mta-sts-testing-for-long",
    severity=Severity.WARNING,
    summary="The policy has been in testing for long, and protects nothing",
    remedy="See in the TLS reports that no exchange fails, then set `mode: enforce` and change the"
    " `id`. If it shall stay so, set `expected: testing`.",
    reference="RFC 8461 section 5",
)
NONE_LEFT_OVER = Rule(
    code="mta-sts-none-left-over",
    severity=Severity.WARNING,
    summary="A policy in mode none is left over",
    remedy="Delete the TXT record first and the policy's host after it; no sender remembers an"
    " older policy any more.",
    reference=_REMOVING,
)
HOST_CHANGED = Rule(
    code="mta-sts-host-changed",
    severity=Severity.WARNING,
    summary="Somebody else serves the policy: its host leads to another place than before",
    remedy="See who changed the zone and whether it was meant. This ends by itself after"
    " `report_changes_for`.",
    reference="RFC 8461 section 10.3",
)

RULES: tuple[Rule, ...] = tuple(value for value in tuple(globals().values()) if type(value) is Rule)
"""Every rule above, in its order."""
