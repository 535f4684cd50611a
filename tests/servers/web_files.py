"""Web configuration files, with certificates and logins that fit."""

import ssl
from pathlib import Path

import bcrypt
import trustme

PASSWORD = "correct horse"
HASHED = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


class WebFiles:
    """A folder with a certificate of an authority, and what a client needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "web.yml"
        self.authority = trustme.CA()
        self.others = trustme.CA()
        self.authority.cert_pem.write_to_path(folder / "ca.pem")
        self.certify("localhost")

    def certify(self, *names: str) -> None:
        """Put a new certificate in place."""
        pair = self.authority.issue_cert(*names, "127.0.0.1")
        pair.private_key_pem.write_to_path(self.folder / "server.key")
        pair.cert_chain_pems[0].write_to_path(self.folder / "server.pem")
        (self.folder / "server.key").chmod(0o600)

    def write(self, text: str) -> Path:
        """Write the file."""
        self.path.write_text(text)
        return self.path

    def client(self, *names: str, known: bool = True) -> ssl.SSLContext:
        """Return the context of a client, which shows a certificate for *names*, if there are."""
        context = ssl.create_default_context(cadata=self.authority.cert_pem.bytes().decode())
        if names:
            (self.authority if known else self.others).issue_cert(*names).configure_cert(context)
        return context


TLS = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
CLIENTS = """\
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
"""
USERS = f"basic_auth_users: {{alice: {HASHED}}}\n"
