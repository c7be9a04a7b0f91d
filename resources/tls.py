"""TLS: what a listener shows to its callers, and what a caller demands of its backends."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from resources.base import Model, Rule, exactly_one_of
from resources.fields import Arn, FilePath, Flag, Port


class TlsMode(StrEnum):
    """How strictly a listener asks for TLS."""

    STRICT = "STRICT"
    PERMISSIVE = "PERMISSIVE"
    DISABLED = "DISABLED"


class AcmCertificate(Model):
    """A certificate kept by AWS Certificate Manager."""

    certificate_arn: Arn
    """Amazon Resource Name of the certificate."""


class FileCertificate(Model):
    """A certificate and its key in files that the sidecar can read."""

    certificate_chain: FilePath
    """Path of the certificate chain (PEM) in the sidecar's file system."""
    private_key: FilePath
    """Path of the private key (PEM) in the sidecar's file system."""


class ListenerCertificate(Model):
    """Where a listener's certificate comes from."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one_of("acm", "file"),)

    acm: AcmCertificate | None = None
    """A certificate of AWS Certificate Manager."""
    file: FileCertificate | None = None
    """A certificate in files."""


class ListenerTls(Model):
    """TLS as a listener offers it."""

    mode: TlsMode
    """STRICT takes TLS only, PERMISSIVE both TLS and plain text, DISABLED plain text only."""
    certificate: ListenerCertificate
    """The certificate that callers are shown."""


class AcmTrust(Model):
    """Trust in private certificate authorities of AWS Certificate Manager."""

    certificate_authority_arns: Annotated[tuple[Arn, ...], Field(min_length=1, max_length=3)]
    """Amazon Resource Names of the authorities, one to three."""


class FileTrust(Model):
    """Trust in the authorities listed in a file."""

    certificate_chain: FilePath
    """Path of the authorities' certificates (PEM) in the sidecar's file system."""


class ValidationTrust(Model):
    """Whom a caller trusts."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one_of("acm", "file"),)

    acm: AcmTrust | None = None
    """Authorities of AWS Certificate Manager."""
    file: FileTrust | None = None
    """Authorities in a file."""


class TlsValidation(Model):
    """How a caller checks the certificate it is shown."""

    trust: ValidationTrust
    """Whom the caller trusts."""


class ClientPolicyTls(Model):
    """TLS as a caller demands it."""

    enforce: Flag | None = None
    """Whether TLS is a must. True when nothing is said."""
    ports: Annotated[tuple[Port, ...], Field(max_length=100)] = ()
    """Ports to which this applies; all when none is given."""
    validation: TlsValidation
    """How the certificate is checked."""


class ClientPolicy(Model):
    """What a caller demands of its backends."""

    tls: ClientPolicyTls | None = None
    """TLS towards the backend."""
