"""Whose host is that, and what do they ask their customers to publish?

One profile for each mailbox provider, filter and sender that we are sure of. An empty
``spf_include`` says that the provider gives each customer a name of their own, or that there is
none to name. Source: the providers' public set-up pages; state of November 2026. Providers change
these names; an operator's own ``exchanges`` and ``senders`` always win over this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from agent.domain.knowledge.clouds import CLOUDS

Role = Literal["mailbox", "filter", "sender"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A provider: ``name`` is what the configuration calls it, ``title`` what people call it.

    ``spf_include`` is the name that customers include, ``spf_alternatives`` are further names
    that do the same, such as those of one region. ``exchange_patterns`` are its MX hosts, exact or
    with one leading ``*.`` that stands for one or more labels.
    """

    name: str
    title: str
    spf_include: str = ""
    exchange_patterns: tuple[str, ...] = ()
    role: Role = "sender"
    spf_alternatives: tuple[str, ...] = ()

    @property
    def spf_includes(self) -> tuple[str, ...]:
        """Every name of which one must be included; empty where none is known."""
        return tuple(filter(None, (self.spf_include, *self.spf_alternatives)))


_MICROSOFT = tuple(
    Profile(
        name=cloud.name,
        title=cloud.title,
        spf_include=cloud.spf_include,
        exchange_patterns=cloud.exchange_patterns,
        role="mailbox",
    )
    for cloud in CLOUDS.values()
    if not cloud.retired
)

_MAILBOXES = (
    Profile(
        name="google-workspace",
        title="Google Workspace",
        spf_include="_spf.google.com",
        exchange_patterns=(
            "smtp.google.com",
            "aspmx.l.google.com",
            "*.aspmx.l.google.com",
            "*.googlemail.com",
        ),
        role="mailbox",
    ),
    Profile(
        name="cloudflare-routing",
        title="Cloudflare Email Routing",
        spf_include="_spf.mx.cloudflare.net",
        exchange_patterns=("*.mx.cloudflare.net",),
        role="mailbox",
    ),
)

_FILTERS = (
    Profile(
        name="barracuda",
        title="Barracuda Email Gateway Defense",
        spf_include="spf.ess.barracudanetworks.com",
        exchange_patterns=("*.barracudanetworks.com",),
        role="filter",
        spf_alternatives=(
            "spf.ess.au.barracudanetworks.com",
            "spf.ess.ca.barracudanetworks.com",
            "spf.ess.de.barracudanetworks.com",
            "spf.ess.uk.barracudanetworks.com",
        ),
    ),
    Profile(
        name="cisco",
        title="Cisco Secure Email Cloud Gateway",
        exchange_patterns=("*.iphmx.com",),
        role="filter",
    ),
    Profile(
        name="cloudflare-area1",
        title="Cloudflare Email Security (Area 1)",
        exchange_patterns=("*.mxrecord.io", "*.mxrecord.mx"),
        role="filter",
    ),
    Profile(
        name="forcepoint",
        title="Forcepoint Email Security Cloud",
        spf_include="mailcontrol.com",
        exchange_patterns=("*.mailcontrol.com",),
        role="filter",
    ),
    Profile(
        name="fortimail",
        title="FortiMail Cloud",
        exchange_patterns=("*.fortimailcloud.com",),
        role="filter",
    ),
    Profile(
        name="hornetsecurity",
        title="Hornetsecurity",
        spf_include="spf.hornetsecurity.com",
        exchange_patterns=("*.hornetsecurity.com", "*.antispameurope.com"),
        role="filter",
    ),
    Profile(
        name="mimecast",
        title="Mimecast",
        spf_include="_netblocks.mimecast.com",
        exchange_patterns=("*.mimecast.com", "*.mimecast.co.za", "*.mimecast-offshore.com"),
        role="filter",
        spf_alternatives=(
            "au._netblocks.mimecast.com",
            "ca._netblocks.mimecast.com",
            "de._netblocks.mimecast.com",
            "eu._netblocks.mimecast.com",
            "us._netblocks.mimecast.com",
            "za._netblocks.mimecast.com",
        ),
    ),
    Profile(
        name="proofpoint",
        title="Proofpoint",
        exchange_patterns=("*.pphosted.com", "*.ppe-hosted.com"),
        role="filter",
    ),
    Profile(
        name="sophos",
        title="Sophos Email",
        exchange_patterns=("*.hydra.sophos.com",),
        role="filter",
    ),
    Profile(
        name="symantec",
        title="Symantec Email Security.cloud",
        spf_include="spf.messagelabs.com",
        exchange_patterns=("*.messagelabs.com",),
        role="filter",
    ),
    Profile(
        name="trend-micro",
        title="Trend Micro Email Security",
        spf_include="spf.tmes.trendmicro.com",
        exchange_patterns=("*.tmes.trendmicro.com", "*.tmes.trendmicro.eu"),
        role="filter",
        spf_alternatives=("spf.tmes.trendmicro.eu",),
    ),
)

_SENDERS = (
    Profile(name="amazon-ses", title="Amazon SES", spf_include="amazonses.com"),
    Profile(name="atlassian", title="Atlassian Cloud", spf_include="_spf.atlassian.net"),
    Profile(
        name="brevo",
        title="Brevo",
        spf_include="spf.brevo.com",
        spf_alternatives=("spf.sendinblue.com",),
    ),
    Profile(name="mailchannels", title="MailChannels", spf_include="relay.mailchannels.net"),
    Profile(name="mailchimp", title="Mailchimp", spf_include="servers.mcsv.net"),
    Profile(
        name="mailgun",
        title="Mailgun",
        spf_include="mailgun.org",
        exchange_patterns=("mxa.mailgun.org", "mxb.mailgun.org"),
    ),
    Profile(name="mailjet", title="Mailjet", spf_include="spf.mailjet.com"),
    Profile(name="mandrill", title="Mailchimp Transactional", spf_include="spf.mandrillapp.com"),
    Profile(name="postmark", title="Postmark", spf_include="spf.mtasv.net"),
    Profile(name="salesforce", title="Salesforce", spf_include="_spf.salesforce.com"),
    Profile(
        name="sendgrid",
        title="Twilio SendGrid",
        spf_include="sendgrid.net",
        exchange_patterns=("mx.sendgrid.net",),
    ),
    Profile(name="zendesk", title="Zendesk", spf_include="mail.zendesk.com"),
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (*_MICROSOFT, *_MAILBOXES, *_FILTERS, *_SENDERS)}
)
"""Every profile, by the name that the configuration may use."""
