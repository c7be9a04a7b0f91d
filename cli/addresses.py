"""Where a process listens, out of a setting."""

from cli.settings import SettingsError


def host_and_port(setting: str, value: str) -> tuple[str, int]:
    """HOST:PORT, without the brackets of an IPv6 address; no host is this machine alone.

    Raises:
        SettingsError: the value is none; the message names the setting.
    """
    host, _, port = value.rpartition(":")
    if not port.isdecimal():
        raise SettingsError(f"{setting}: expected HOST:PORT, got {value!r}")
    return host.strip("[]") or "127.0.0.1", int(port)
