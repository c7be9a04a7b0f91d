"""TLS from files that may change under way: each handshake is given what the files hold by then.

So a certificate is renewed, and an authority of clients replaced, without a restart and without a broken connection.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

import structlog
from cryptography import x509

from control_plane.file_stamp import Stamp, stamp_of

log = structlog.get_logger(__name__)


class ServerTls:
    """A certificate with its key, and whose certificates clients must show, as it is now."""

    def __init__(
        self,
        certificate: Path,
        key: Path,
        client_ca: Path | None = None,
        expires: Callable[[float], object] = lambda _timestamp: None,
    ) -> None:
        """Read the files.

        Args:
            certificate: PEM, with its chain.
            key: its key.
            client_ca: whose certificates clients must show; None: they need none.
            expires: is told when the certificate ends (seconds since the epoch), each time that it is read.

        Raises:
            OSError: one cannot be read, or they do not belong together.
        """
        self._certificate, self._key, self._client_ca = certificate, key, client_ca
        self._expires = expires
        self._stamp = self._stamp_now()
        self._current = self._read()
        self.context = self._read()
        """What a listening socket is given; it looks at the files at each handshake."""
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """OpenSSL asks in every handshake, also where the client names no server."""
        try:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._current, self._stamp = self._read(), stamp
                log.info("certificate read again", file=str(self._certificate))
        except OSError as error:  # ssl.SSLError is one: a pair of which only one half was written yet
            log.warning("the certificate cannot be read again; the known one stays", error=str(error))
        connection.context = self._current

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key)
        if self._client_ca is not None:
            context.load_verify_locations(self._client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        certificate = x509.load_pem_x509_certificate(self._certificate.read_bytes())
        self._expires(certificate.not_valid_after_utc.timestamp())
        return context

    def _stamp_now(self) -> Stamp:
        return stamp_of(self._certificate, self._key, self._client_ca)
