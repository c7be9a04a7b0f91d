"""Addresses out of settings: where a process listens, and which pages may ask it."""

from urllib.parse import urlsplit

from cli.settings import SettingsError

_PORTS = {"http": 80, "https": 443}


def host_and_port(setting: str, value: str) -> tuple[str, int]:
    """HOST:PORT, without the brackets of an IPv6 address; no host is this machine alone.

    Raises:
        SettingsError: the value is none; the message names the setting.
    """
    host, _, port = value.rpartition(":")
    if not port.isdecimal():
        raise SettingsError(f"{setting}: expected HOST:PORT, got {value!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def origin(setting: str, url: str) -> str:
    """The origin of a page as browsers send it: no path, and no port that goes without saying.

    Raises:
        SettingsError: the value is no address of a page; the message names the setting.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _PORTS:
        raise SettingsError(f"{setting}: expected the address of a page, as http://localhost:8233")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, _PORTS[parts.scheme]) else "")
