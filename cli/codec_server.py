"""`meshwright codec-server`: shows encrypted histories to Temporal's UI and command line."""

from typing import TYPE_CHECKING, Annotated

from cli.options import Config, LogFormat, LogLevel, setting

if TYPE_CHECKING:
    from cli.settings import Settings

_LOOPBACK = ("localhost", "127.0.0.1")
_USUAL_UI = "http://localhost:8233"


def codec_server(
    codec_listen: Annotated[str | None, setting("codec_listen")] = None,
    codec_origins: Annotated[str | None, setting("codec_origins")] = None,
    codec_token: Annotated[str | None, setting("codec_token")] = None,
    temporal_ui: Annotated[str | None, setting("temporal_ui")] = None,
    payload_keys_file: Annotated[str | None, setting("payload_keys_file")] = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    config: Config = None,
) -> None:
    """Decrypt payloads for Temporal's UI and command line, with the keys of the worker. Keep it from everybody else."""
    given = locals().copy()

    import structlog
    import uvicorn

    from cli import logs
    from cli.addresses import host_and_port
    from cli.codec_app import create_app
    from cli.encryption import EncryptionCodec, read_keys
    from cli.settings import SettingsError, load

    settings = load(given)
    logs.configure(settings, "codec-server")
    if settings.payload_keys_file is None:
        raise SettingsError("setting payload_keys_file: the codec server needs the keys")
    pages = origins(settings)
    host, port = host_and_port("codec_listen", settings.codec_listen)
    app = create_app(EncryptionCodec(read_keys(settings.payload_keys_file)), pages, settings.codec_token)
    structlog.get_logger(__name__).info("serving", host=host, port=port, origins=pages)
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)


def origins(settings: "Settings") -> list[str]:
    """Whose pages may ask: those that are named, or the UI's, by both of its names where it is on this machine.

    Raises:
        SettingsError: one of them is no address of a UI.
    """
    from urllib.parse import urlsplit

    from cli.addresses import origin

    if settings.codec_origins is not None:
        return [origin("codec_origins", each.strip()) for each in settings.codec_origins.split(",") if each.strip()]
    ui = origin("temporal_ui", settings.temporal_ui or _USUAL_UI)
    host = urlsplit(ui).hostname or ""
    return [ui.replace(host, name, 1) for name in (_LOOPBACK if host in _LOOPBACK else (host,))]
