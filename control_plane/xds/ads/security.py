"""Who may be which proxy: TLS from files that may change under way, and what a certificate or a token allows.

| what is set | who gets in |
|---|---|
| no TLS | anybody, as anything: only for a machine of one's own |
| TLS | anybody, as anything, unheard by others |
| TLS and a CA for clients | who has a certificate of that CA, as what it names |
| TLS and tokens | who has a token, as what the token is for |

A certificate names a proxy by a subject alternative name: `spiffe://ANY-DOMAIN/mesh/M/virtualNode/N`, or the same
without its first part. A file of tokens has a line for each, `TOKEN PATTERN...`, the patterns with `*` as in
`mesh/shop/virtualNode/*`; a proxy sends `authorization: Bearer TOKEN`. With both, a certificate must be shown, and
either may say which proxy it is.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import structlog

from control_plane.file_stamp import Stamp, stamp_of
from control_plane.xds.proxies import ProxyId

log = structlog.get_logger("control_plane.xds")

_BEARER = "bearer "


class Denied(Exception):
    """This client may not be this proxy; `code` is the gRPC status that says so."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Security:
    """Files; each is read again when it changes, so that certificates and tokens can be renewed without a restart."""

    certificate: Path
    """Of the server, with its chain, as PEM."""
    key: Path
    client_ca: Path | None = None
    """Whose certificates clients must show."""
    tokens: Path | None = None


class Guard:
    """What the files say now."""

    def __init__(self, security: Security) -> None:
        """Read the files.

        Raises:
            OSError: one cannot be read.
        """
        self._security = security
        self._tls_stamp = self._stamp_of_tls()
        self._configuration = self._read_tls()
        self._tokens_stamp: Stamp = ()
        self._tokens: Mapping[str, tuple[str, ...]] = {}
        if security.tokens is not None:
            self._read_tokens(security.tokens)

    def credentials(self) -> grpc.ServerCredentials:
        """For the listening port; asks for the present certificate at each handshake."""
        must_show_one = self._security.client_ca is not None
        return grpc.dynamic_ssl_server_credentials(self._configuration, self._renewed, must_show_one)

    def check(self, proxy: ProxyId, names: Iterable[str], authorization: str) -> None:
        """Whether a client whose certificate has these names, and that sent this header, may be this proxy.

        Raises:
            Denied: it may not.
        """
        if self._security.client_ca is None and self._security.tokens is None:
            return
        names = list(names)
        if any(_is_named(proxy, name) for name in names):
            return
        patterns = self._allowed_by(authorization)
        if patterns is not None and any(fnmatchcase(str(proxy), pattern) for pattern in patterns):
            return
        if patterns is None and not names:
            raise Denied(grpc.StatusCode.UNAUTHENTICATED, "neither a certificate nor a token that is known")
        raise Denied(grpc.StatusCode.PERMISSION_DENIED, f"this certificate or token is not for {proxy}")

    def _allowed_by(self, authorization: str) -> tuple[str, ...] | None:
        path = self._security.tokens
        if path is None or not authorization.lower().startswith(_BEARER):
            return None
        try:
            if stamp_of(path) != self._tokens_stamp:
                self._read_tokens(path)
        except OSError as error:
            log.warning("the tokens cannot be read again; those known still count", error=str(error))
        sent = authorization[len(_BEARER) :].strip().encode()
        found = None
        for token, patterns in self._tokens.items():  # all of them, so that the time tells nothing
            if hmac.compare_digest(token.encode(), sent):
                found = patterns
        return found

    def _read_tokens(self, path: Path) -> None:
        self._tokens_stamp = stamp_of(path)  # first, so that each state of the file is complained of once
        try:
            lines = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
        except UnicodeDecodeError:
            raise OSError(f"{path} is not text in UTF-8") from None
        self._tokens = {line[0]: tuple(line[1:]) for line in lines if line}

    def _renewed(self) -> grpc.ServerCertificateConfiguration:
        try:
            stamp = self._stamp_of_tls()
            if stamp != self._tls_stamp:
                self._configuration, self._tls_stamp = self._read_tls(), stamp
        except OSError as error:
            log.warning("the certificate cannot be read again; the known one stays", error=str(error))
        return self._configuration

    def _read_tls(self) -> grpc.ServerCertificateConfiguration:
        security = self._security
        pair = (security.key.read_bytes(), security.certificate.read_bytes())
        ca = security.client_ca.read_bytes() if security.client_ca else None
        return grpc.ssl_server_certificate_configuration([pair], ca)

    def _stamp_of_tls(self) -> Stamp:
        return stamp_of(self._security.certificate, self._security.key, self._security.client_ca)


def _is_named(proxy: ProxyId, name: str) -> bool:
    parts = urlsplit(name)
    return name == str(proxy) or (parts.scheme == "spiffe" and parts.path == f"/{proxy}")
