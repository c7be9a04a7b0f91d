"""A real Envoy, and a certificate for it."""

import datetime
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.toolchain.resolver import Toolchain


@pytest.fixture(scope="session")
def envoy() -> Path:
    """The program."""
    return Toolchain.from_environment().resolve(["envoy"])["envoy"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> dict[str, str]:
    """A certificate for 127.0.0.1 that is its own authority, in files by the fields of Envoy that name them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2120))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
    )
    directory = tmp_path_factory.mktemp("tls")
    chain, private = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return {"certificate_chain": str(chain), "private_key": str(private), "trusted_ca": str(chain)}
