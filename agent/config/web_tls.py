"""What does the listener show, and whom does it let in, by TLS?

Makes a context from the section of the web configuration. The library takes a key from a file only,
and says little about what is wrong; so the pair is read and matched before.
"""

import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.adapters.trust import server_context
from agent.adapters.x509_making import KeyPair, load_pair
from agent.config.web_model import CIPHERS, TlsServer

Told = Callable[[str, str], None]  # takes a key of the section, and what is wrong with its value
MAX_FILE = 1024 * 1024  # octets of a file with certificates
FILES = ("cert_file", "key_file", "client_ca_file")
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_MODES = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


def read_files(section: TlsServer, folder: Path, told: Told) -> Mapping[str, bytes]:
    """Return what certificates and keys are, by ``cert``, ``key`` and ``client_ca``.

    What cannot be read is *told* and is missing.
    """
    found: dict[str, bytes] = {}
    for key in FILES:
        bare = key.removesuffix("_file")
        inline, path = getattr(section, bare), getattr(section, key)
        if inline and path:
            told(key, f"stands beside {bare}; write one of them")
        elif inline:
            found[bare] = inline.encode()
        elif path:
            try:
                found[bare] = _read(folder / path)
            except OSError as error:
                told(key, f"cannot be read: {os.strerror(error.errno or 0)}")
    return found


def _read(path: Path) -> bytes:
    """Read a file of bounded size. Raises OSError, also for what is no file."""
    if path.exists() and not path.is_file():
        raise OSError(21, "")  # a device or a pipe may never end
    with path.open("rb") as file:
        return file.read(MAX_FILE)


def make_context(
    section: TlsServer, found: Mapping[str, bytes], told: Told
) -> ssl.SSLContext | None:
    """Return the context of the listener; None where something is wrong, which is *told*."""
    before = [_fit(section, told), _complete(section, found, told)]
    if not all(before):
        return None
    pair = KeyPair(found["cert"], found["key"])
    where = "key_file" if section.key_file else "key"
    try:
        load_pair(pair)
        context = server_context(pair)
    except (ValueError, ssl.SSLError, OSError):
        told(where, "is not the key of the certificate, or one of both is no PEM")
        return None
    return context if _set(context, section, found, told) else None


def _fit(section: TlsServer, told: Told) -> bool:
    """Tell whether the values of the section go together."""
    mode = _MODES[section.client_auth_type]
    has_authority = bool(section.client_ca or section.client_ca_file)
    fits = True
    if has_authority and mode is ssl.CERT_NONE:
        told("client_auth_type", "is NoClientCert, and there is a client_ca; write"
             " RequireAndVerifyClientCert, or take it out")  # fmt: skip
        fits = False
    if not has_authority and mode is not ssl.CERT_NONE:
        told("client_auth_type", "needs client_ca_file: whose certificates are to be let in")
        fits = False
    if section.client_allowed_sans and mode is not ssl.CERT_REQUIRED:
        told("client_allowed_sans", "needs client_auth_type: RequireAndVerifyClientCert")
        fits = False
    if section.min_version > section.max_version:
        told("min_version", f"is newer than max_version, {section.max_version}")
        fits = False
    return fits


def _complete(section: TlsServer, found: Mapping[str, bytes], told: Told) -> bool:
    for key in ("cert", "key"):
        if not (getattr(section, key) or getattr(section, f"{key}_file")):
            told(f"{key}_file", "is missing: TLS needs a certificate and its key")
    return "cert" in found and "key" in found


def _set(
    context: ssl.SSLContext, section: TlsServer, found: Mapping[str, bytes], told: Told
) -> bool:
    """Set what the section says on *context*; return False where that cannot be."""
    context.minimum_version = _VERSIONS[section.min_version]
    context.maximum_version = _VERSIONS[section.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION
    if section.prefer_server_cipher_suites:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    names = [CIPHERS[each] for each in section.cipher_suites if CIPHERS[each]]
    if names:
        context.set_ciphers(":".join(names))
    context.verify_mode = _MODES[section.client_auth_type]
    if context.verify_mode is not ssl.CERT_NONE:
        return _trust(context, section, found, told)
    return True


def _trust(
    context: ssl.SSLContext, section: TlsServer, found: Mapping[str, bytes], told: Told
) -> bool:
    if "client_ca" not in found:
        return False  # it could not be read, and that has been told
    try:
        context.load_verify_locations(cadata=found["client_ca"].decode("ascii"))
    except (ssl.SSLError, ValueError):
        told(
            "client_ca_file" if section.client_ca_file else "client_ca", "is no certificate in PEM"
        )
        return False
    return True
