"""What does a domain demand of those who deliver to it (MTA-STS, RFC 8461)?

A TXT record says that there is a policy, and which version; the policy itself comes over HTTPS.
Both are a stranger's text: what is not exactly as the RFC has it is no policy.
"""

from dataclasses import dataclass

from agent.domain.lookup import Reply, Unanswered
from agent.domain.mta_sts_fields import texts_of
from agent.domain.mta_sts_policy import read_policy
from agent.domain.mta_sts_record import is_record, parse
from agent.domain.mta_sts_terms import MAX_AGE, MAX_POLICY, Mode, Policy, PolicyError, describe

__all__ = [
    "MAX_AGE",
    "MAX_POLICY",
    "Announced",
    "Mode",
    "Policy",
    "PolicyError",
    "announced",
    "read_policy",
]


@dataclass(frozen=True, slots=True)
class Announced:
    """What the TXT record says: the version of the policy, or why there is none to fetch.

    ``trouble`` is empty where the domain has no policy at all.
    """

    version: str = ""
    trouble: str = ""
    silence: str = ""


def announced(reply: Reply) -> Announced:
    """Read the answer for ``_mta-sts`` of a domain, section 3.1."""
    if isinstance(reply, Unanswered):
        return Announced(silence=reply.reason.value)
    records = [parse(text) for text in texts_of(reply) if is_record(text)]
    if not records:
        return Announced()
    if len(records) > 1:
        return Announced(trouble=f"{len(records)} records, and more than one counts as none")
    flaw = records[0].flaw
    if flaw is not None:
        return Announced(trouble=f"the record is malformed: {describe(flaw, 'character')}")
    return Announced(version=records[0].id)
