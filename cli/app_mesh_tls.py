"""TLS to the App Mesh API, for each of the HTTP clients that we have."""

import ssl
from pathlib import Path
from typing import Any

from cli.settings import Settings, SettingsError


def shown(settings: Settings) -> tuple[str, str] | None:
    """Certificate and key that are shown to the API; None: none are.

    Raises:
        SettingsError: of the two only one is set.
    """
    certificate, key = settings.app_mesh_certificate_file, settings.app_mesh_key_file
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SettingsError("settings app_mesh_certificate_file and app_mesh_key_file: one needs the other")
    return str(certificate), str(key)


def for_botocore(settings: Settings) -> dict[str, Any]:
    """Arguments of botocore's own HTTP session. It reads the files for each connection that it makes."""
    authorities = settings.app_mesh_ca_file
    return {"verify": str(authorities) if authorities is not None else True, "client_cert": shown(settings)}


class ClientTls:
    """A context for a client that lives long: what is read again counts for connections that are made from then on."""

    def __init__(self, settings: Settings) -> None:
        """Read the files.

        Raises:
            SettingsError: of certificate and key only one is set, or a file cannot be used.
        """
        self._authorities, self._shown = settings.app_mesh_ca_file, shown(settings)
        self._stamp = self._stamp_now()
        try:
            self.context = ssl.create_default_context(cafile=self._authorities)
            # As botocore, whatever Python runs us: from 3.13 on certificates would be refused that lack an authority's
            # key identifier, as many of private authorities do.
            self.context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            self._show()
        except OSError as error:
            files = "app_mesh_ca_file (AWS_CA_BUNDLE), app_mesh_certificate_file or app_mesh_key_file"
            raise SettingsError(f"setting {files}: {error}") from error

    def renew(self) -> bool:
        """Read the files again if they have changed; whether they had.

        Raises:
            OSError: one cannot be used, yet; what was known stays.
        """
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return False
        if self._authorities is not None:
            self.context.load_verify_locations(self._authorities)
        self._show()
        self._stamp = stamp
        return True

    def _show(self) -> None:
        if self._shown is not None:
            self.context.load_cert_chain(*self._shown)

    def _stamp_now(self) -> tuple[int, ...]:
        files = [*(self._shown or ()), *([self._authorities] if self._authorities is not None else [])]
        return tuple(Path(file).stat().st_mtime_ns for file in files if Path(file).exists())
