"""The webhook's own certificate: an authority that the API server is told to trust, and what it signs. No I/O.

The authority lives for ten years and stays the same, so that renewing the certificate, which happens long before it
ends, changes nothing that the API server would have to hear of first.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 90
RENEWED_DAYS_BEFORE = 30
_CLOCKS_DIFFER_BY = datetime.timedelta(minutes=10)


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, both as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Certificates:
    """The authority, and the webhook's certificate that it signed."""

    authority: KeyPair
    webhook: KeyPair


def renewed(present: Certificates | None, names: Sequence[str], now: datetime.datetime) -> Certificates:
    """What should be used now: the present ones as they are, with a new certificate, or all of them new.

    Args:
        present: what there is; None for nothing, or nothing that can be read.
        names: host names that the certificate has to have.
        now: the time, with its zone.
    """
    authority = present.authority if present is not None else None
    if authority is None or _ends_within(authority, RENEWED_DAYS_BEFORE + CERTIFICATE_DAYS, now):
        authority = _make_authority(now)
    elif present is not None and _is_good(present.webhook, authority, names, now):
        return present
    return Certificates(authority, _make_certificate(authority, names, now))


def _is_good(pair: KeyPair, authority: KeyPair, names: Sequence[str], now: datetime.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate)
        key = load_pem_private_key(pair.key, None)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # whatever is wrong with it, a new one has to be made
        return False
    has_names = set(names) <= set(alternatives.get_values_for_type(x509.DNSName))
    return (
        has_names and key.public_key() == certificate.public_key() and not _ends_within(pair, RENEWED_DAYS_BEFORE, now)
    )


def _ends_within(pair: KeyPair, days: int, now: datetime.datetime) -> bool:
    try:
        load_pem_private_key(pair.key, None)
        ends = x509.load_pem_x509_certificate(pair.certificate).not_valid_after_utc
    except ValueError:
        return True
    return ends - now < datetime.timedelta(days=days)


def _make_authority(now: datetime.datetime) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("meshwright injector")
    builder = _builder(name, name, key, key, now, AUTHORITY_DAYS)
    return _pair(builder.sign(key, hashes.SHA256()), key)


def _make_certificate(authority: KeyPair, names: Sequence[str], now: datetime.datetime) -> KeyPair:
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = load_pem_private_key(authority.key, None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name("meshwright injector webhook"), issuer.subject, key, issuer_key, now, CERTIFICATE_DAYS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return _pair(builder.sign(issuer_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    days: int,
) -> x509.CertificateBuilder:
    """All that RFC 5280 asks of both: strict clients, as Python's own from 3.13 on, refuse a certificate without."""
    is_authority = key is issuer_key
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER_BY)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    return KeyPair(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
