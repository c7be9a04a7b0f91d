"""The stack's own keys: a certificate authority, what etcd and kube-apiserver need of it, and an App Mesh access key.

Made once per DIR and kept, so that a kubeconfig or a signed client that somebody holds stays good. Whatever exists is
left alone; a set of certificates that was cut short is made anew.
"""

import datetime
import os
import secrets
import ssl
import string
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.ports import HOST

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

SERVICE_NETWORK = "10.0.0.0/24"
"""Where kube-apiserver takes the addresses of Services from; nothing routes there."""

_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_SERVER_ADDRESSES = (HOST, "10.0.0.1")
_VALID = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class AccessKey:
    """An App Mesh access key: who signs, and with what."""

    id: str
    secret: str


@dataclass(frozen=True)
class Credentials:
    """The files of one stack's keys."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Certificate of the authority; the only one that anybody here trusts."""
        return self.folder / "ca.crt"

    def certificate(self, name: str) -> Path:
        """Certificate of `server` or `admin`."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Private key of `server`, `admin` or `service-accounts`."""
        return self.folder / f"{name}.key"

    @property
    def service_accounts_public_key(self) -> Path:
        """What tokens of service accounts are verified with."""
        return self.folder / "service-accounts.pub"

    def client_context(self) -> ssl.SSLContext:
        """TLS as the cluster's administrator."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(self.certificate("admin"), self.key("admin"))
        return context

    def access_key(self) -> AccessKey:
        """The random key that signs App Mesh requests to the stack's own control plane."""
        file = self.folder / "access-key"
        if not file.exists():
            letters = string.ascii_uppercase + string.digits
            name = "AKIA" + "".join(secrets.choice(letters) for _ in range(16))
            _write_private(file, f"{name}:{secrets.token_urlsafe(30)}\n".encode())
        name, _, secret = file.read_text().strip().partition(":")
        return AccessKey(name, secret)

    def ensure(self) -> None:
        """Make the certificates and keys, unless they are there."""
        complete = self.folder / "complete"  # written last: a set without it was cut short
        if not complete.exists():
            _make_all(self)
            complete.touch()


def _make_all(credentials: Credentials) -> None:
    # Imported here: it takes a tenth of a second, and only the first `up` of a DIR needs it.
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID

    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("meshwright-local", None, authority_key, authority_key, None, ())
    credentials.authority.write_bytes(_pem(authority))

    both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    names = x509.SubjectAlternativeName(
        [
            *(x509.DNSName(name) for name in _SERVER_NAMES),
            *(x509.IPAddress(ip_address(address)) for address in _SERVER_ADDRESSES),
        ]
    )
    for name, group, usages, alternatives in (
        ("server", None, both, names),
        ("admin", "system:masters", (ExtendedKeyUsageOID.CLIENT_AUTH,), None),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, group, key, authority_key, authority, usages, alternatives)
        _write_private(credentials.key(name), _private_pem(key))
        credentials.certificate(name).write_bytes(_pem(certificate))

    accounts_key = ec.generate_private_key(ec.SECP256R1())
    _write_private(credentials.key("service-accounts"), _private_pem(accounts_key))
    credentials.service_accounts_public_key.write_bytes(
        accounts_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def _certificate(
    name: str,
    group: str | None,
    key: "ec.EllipticCurvePrivateKey",
    issuer_key: "ec.EllipticCurvePrivateKey",
    issuer: "x509.Certificate | None",
    usages: "tuple[x509.ObjectIdentifier, ...]",
    alternatives: "x509.SubjectAlternativeName | None" = None,
) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if group is not None:  # Kubernetes reads groups from the organisation
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    subject = x509.Name(attributes)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=issuer is None,
                crl_sign=issuer is None,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _pem(certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _private_pem(key: "ec.EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
