"""Certificates made on the spot: an authority, and what it signs."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority."""

    def __init__(self, name="authority"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = self._build(self.name, self.key.public_key(), basic)

    @property
    def pem(self):
        """Its own certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, *names):
        """A key and a certificate with these alternative names: a URI if it has a slash, else a host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        general = [x509.UniformResourceIdentifier(each) if "/" in each else x509.DNSName(each) for each in names]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issued")])
        certificate = self._build(subject, key.public_key(), x509.SubjectAlternativeName(general))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private, certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, directory, **names):
        """What is issued to each of these names, as `KEYWORD.key` and `KEYWORD.pem` in a directory."""
        for file, name in names.items():
            key, certificate = self.issue(name)
            (directory / f"{file}.key").write_bytes(key)
            (directory / f"{file}.pem").write_bytes(certificate)

    def _build(self, subject, public_key, extension):
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(extension, critical=False)
            .sign(self.key, hashes.SHA256())
        )
