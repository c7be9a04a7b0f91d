"""TLS from files that may change under way: each handshake is given the certificate that the files hold by then."""

import ssl
from pathlib import Path

import structlog
from cryptography import x509

from injector.metrics import CERTIFICATE_EXPIRY

log = structlog.get_logger(__name__)


class ServerTls:
    """A certificate with its key, as it is now."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files.

        Raises:
            OSError: one cannot be read, or they do not belong together.
        """
        self._files = (certificate, key)
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
                log.info("certificate read again", file=str(self._files[0]))
        except OSError as error:  # ssl.SSLError is one: a pair of which only one half was written yet
            log.warning("the certificate cannot be read again; the known one stays", error=str(error))
        connection.context = self._current

    def _read(self) -> ssl.SSLContext:
        certificate, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        CERTIFICATE_EXPIRY.set(x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc.timestamp())
        return context

    def _stamp_now(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns for file in self._files)
