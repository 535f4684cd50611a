"""Certificates for the servers of the tests: from one authority, and from one nobody trusts."""

import ssl
from datetime import datetime

import trustme

from agent.adapters.trust import TrustStore, server_context
from agent.adapters.x509_making import Authority


class Authorities:
    """Two authorities, of which ``store`` trusts the first."""

    def __init__(self) -> None:
        self.known = trustme.CA()
        self.unknown = trustme.CA()
        self.store = TrustStore(roots=(self.known.cert_pem.bytes(),), system=False)

    def server(
        self, *names: str, not_after: datetime | None = None, known: bool = True
    ) -> ssl.SSLContext:
        """A server's context with a certificate for *names*."""
        authority = self.known if known else self.unknown
        certificate = authority.issue_cert(*names, not_after=not_after)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


def own_server(authority: Authority, *names: str, at: datetime, until: datetime) -> ssl.SSLContext:
    """A server's context with a certificate made by the agent's own means."""
    return server_context(authority.issue(*names, not_before=at, not_after=until))
