"""The data plane in the control plane's process: a path that tells who is connected, and where it is served."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from cli.control_plane import data_plane
from cli.settings import Settings, SettingsError
from control_plane.server import UnusableConfiguration, create_app, serve
from control_plane.xds.ads.security import Security
from control_plane.xds.ads.server import AdsConfig
from control_plane.xds.cloud_map import CloudMap
from control_plane.xds.data_plane import DataPlaneConfig
from control_plane.xds.feed import Feed
from control_plane.xds.standing_feed import StandingFeed
from tests.control_plane.serving import KEY_ID, REGION, SECRET, served
from tests.waiting import PATIENCE

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


async def fail(_self: object) -> None:
    """In place of what runs as long as the process: a bug."""
    raise KeyError("a bug")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", [Feed, StandingFeed, CloudMap])
def test_a_part_that_ends_ends_the_process(tmp_path, monkeypatch, part):
    """With an exit code that has it started afresh: half of it would serve what never changes any more."""
    with served(tmp_path) as api:
        config = replace(api.config, data_plane=replace(SERVING, cloud_map_endpoint="http://127.0.0.1:9"))
    monkeypatch.setattr(part, "run", fail)
    with pytest.raises(SystemExit) as end:
        serve(config)
    assert end.value.code == 1


async def test_a_part_that_has_ended_is_not_ready(tmp_path, monkeypatch):
    """Nobody is sent to a process that is about to end."""
    with served(tmp_path) as api:
        config = replace(api.config, data_plane=SERVING)
    go_on = asyncio.Event()

    async def fail_later(self: object) -> None:
        await go_on.wait()
        await fail(self)

    monkeypatch.setattr(StandingFeed, "run", fail_later)
    app = create_app(config)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        await answered(client, 200, "ok\n")
        go_on.set()
        await answered(client, 503, "the data plane has stopped\n")


async def answered(client: httpx.AsyncClient, status: int, text: str) -> None:
    """Wait until that is said of being ready."""
    async with asyncio.timeout(PATIENCE):
        told = None
        while told != (status, text):
            answer = await client.get("http://here/readyz")
            told = answer.status_code, answer.text
            await asyncio.sleep(0)


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
