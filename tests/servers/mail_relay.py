"""A relay of the mail world: a real Postfix whose rules a test can change while it runs."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.adapters.x509_making import KeyPair
from servers import postfix_master
from servers.free_ports import free_port
from servers.mail_rules import Rules, served

_MAIN = {
    "smtpd_error_sleep_time": "0",
    "smtpd_helo_required": "yes",
    "smtpd_tls_auth_only": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_authenticated_header": "yes",
    "smtp_tls_security_level": "may",
}
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
plain unix - - n - - smtp -o smtp_tls_security_level=none
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Relay:
    """One relay. ``port`` takes mail and offers STARTTLS, ``tls_port`` is in TLS from the start."""

    name: str
    port: int
    tls_port: int
    rules: Rules
    folder: Path = field(repr=False)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return postfix_master.log(self.folder)

    async def flush(self) -> None:
        """Try again at once to deliver what is deferred."""
        await postfix_master.flush(self.folder)


@asynccontextmanager
async def relay(
    name: str, port: int, pair: KeyPair, rules: Rules, settings: Mapping[str, str]
) -> AsyncIterator[Relay]:
    """Run a Postfix that is called *name* and listens at *port*, under *rules*.

    *settings* are the lines of main.cf that make it the relay that it is.
    """
    with tempfile.TemporaryDirectory(prefix="mailflow-relay-") as folder:
        one = Relay(name, port, free_port(), rules, Path(folder))
        async with served(rules) as (policy, socketmap):
            own = {
                "myhostname": name,
                "smtpd_recipient_restrictions": f"check_policy_service inet:127.0.0.1:{policy}",
                "header_checks": f"socketmap:inet:127.0.0.1:{socketmap}:headers",
            }
            services = _MASTER.format(port=port, tls_port=one.tls_port)
            postfix_master.configure(one.folder, pair, {**_MAIN, **own, **settings}, services)
            async with postfix_master.running(one.folder, port):
                yield one
