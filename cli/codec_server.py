"""`meshwright codec-server`: shows encrypted histories to Temporal's UI and command line."""

from typing import Annotated

from cli.options import Config, LogFormat, LogLevel, setting


def codec_server(
    codec_listen: Annotated[str | None, setting("codec_listen")] = None,
    codec_origins: Annotated[str | None, setting("codec_origins")] = None,
    codec_token: Annotated[str | None, setting("codec_token")] = None,
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
    origins = [origin for each in settings.codec_origins.split(",") if (origin := each.strip().rstrip("/"))]
    host, port = host_and_port("codec_listen", settings.codec_listen)
    app = create_app(EncryptionCodec(read_keys(settings.payload_keys_file)), origins, settings.codec_token)
    structlog.get_logger(__name__).info("serving", host=host, port=port, origins=origins)
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)
