"""The data plane in the control plane's process: a path that tells who is connected, and where it is served."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from cli.control_plane import data_plane
from cli.settings import Settings, SettingsError
from control_plane.server import UnusableConfiguration, serve
from control_plane.xds.ads.security import Security
from control_plane.xds.ads.server import AdsConfig
from control_plane.xds.data_plane import DataPlaneConfig
from tests.control_plane.serving import KEY_ID, REGION, SECRET, served

SERVING = DataPlaneConfig(AdsConfig("127.0.0.1:0"))


def get(url: str, *, signed: bool = True):
    """A request for the proxies, and the answer."""
    request = AWSRequest("GET", f"{url}/v1/proxies")
    if signed:
        SigV4Auth(Credentials(KEY_ID, SECRET), "appmesh", REGION).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    return answer.status_code, json.loads(answer.content)


def test_who_is_connected_is_told_to_those_who_may_ask(tmp_path):
    """Nobody is, at first; and it takes a signature, as all of the API does."""
    with served(tmp_path, data_plane=SERVING) as api:
        assert get(api.url) == (200, {"proxies": []})
        assert get(api.url, signed=False)[0] == 403


def test_without_a_data_plane_there_is_no_such_path(tmp_path):
    """It is answered as any other unknown URL."""
    with served(tmp_path) as api:
        assert get(api.url)[0] == 404


def test_an_address_that_is_taken_is_told_at_once(tmp_path):
    """And not as an error of gRPC."""
    with served(tmp_path) as api:
        taken = DataPlaneConfig(AdsConfig(api.url.removeprefix("http://")))
        with pytest.raises(UnusableConfiguration, match="listen address"):
            serve(replace(api.config, listen="127.0.0.1:0", data_plane=taken))


def test_proxies_are_served_in_the_open_only_where_that_is_asked_for():
    """An address alone is not enough, and a guard without TLS would guard nothing."""
    assert data_plane(Settings()) is None
    with pytest.raises(SettingsError, match="--xds-plaintext"):
        data_plane(Settings(xds_listen="127.0.0.1:0"))
    with pytest.raises(SettingsError, match="need TLS"):
        data_plane(Settings(xds_listen="127.0.0.1:0", xds_plaintext=True, xds_tokens_file=Path("/tokens")))
    made = data_plane(Settings(xds_listen="127.0.0.1:0", xds_plaintext=True))
    assert made is not None
    assert made.ads == AdsConfig("127.0.0.1:0")


def test_files_of_keys_and_tokens_reach_the_server(tmp_path: Path):
    """With the same two files as for plain TLS, and the guards that are set."""
    certificate, key, tokens = tmp_path / "certificate", tmp_path / "key", tmp_path / "tokens"
    for file in (certificate, key, tokens):
        file.touch()
    settings = Settings(
        xds_listen="127.0.0.1:0", xds_certificate_file=certificate, xds_key_file=key, xds_tokens_file=tokens
    )
    made = data_plane(settings)
    assert made is not None
    assert made.ads.security == Security(certificate, key, None, tokens)
