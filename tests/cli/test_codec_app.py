"""The codec server: it decrypts for whom it should, and for nobody else."""

from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload, Payloads

from cli.codec_app import LARGEST, create_app
from cli.codec_server import origins
from cli.encryption import EncryptionCodec
from cli.settings import SettingsError, load

UI = "http://localhost:8233"
CODEC = EncryptionCodec([("k", b"k" * 32)])
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"the spec"')


def client(token: str | None = None) -> httpx.AsyncClient:
    """A client of a server of this test's own."""
    app = create_app(CODEC, [UI], token)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://codec.example")


async def request() -> dict[str, Any]:
    """An encrypted payload, as the UI sends it."""
    return json_format.MessageToDict(Payloads(payloads=await CODEC.encode([PLAIN])))


async def test_payloads_come_back_decrypted_with_leave_for_the_uis_page():
    """As Temporal's UI asks: from its own origin, with the namespace in a header."""
    answer = await client().post("/decode", json=await request(), headers={"Origin": UI, "X-Namespace": "default"})
    assert json_format.ParseDict(answer.json(), Payloads()).payloads == [PLAIN]
    assert answer.headers["access-control-allow-origin"] == UI


async def test_a_browser_is_told_who_may_ask():
    """The question before the question; a page of somebody else gets no leave, and the log says so: the UI does not."""
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    assert (await client().options("/decode", headers={"Origin": UI, **asks})).status_code == 200
    with capture_logs() as lines:
        refused = await client().options("/decode", headers={"Origin": "http://localhost:1", **asks})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert [(line["origin"], line["allowed"]) for line in lines] == [("http://localhost:1", [UI])]


async def test_another_page_is_refused_even_if_it_does_not_ask_for_leave():
    """One that made its own name lead here counts as no cross-origin request to the browser."""
    answer = await client().post("/decode", json=await request(), headers={"Origin": "http://evil.example"})
    assert (answer.status_code, b"spec" in answer.content) == (403, False)


async def test_with_a_token_only_who_has_it_is_answered():
    """`temporal --codec-auth` sends it."""
    guarded = client("let-me-in")
    assert (await guarded.post("/decode", json=await request())).status_code == 401
    assert (
        await guarded.post("/decode", json=await request(), headers={"Authorization": "Bearer no"})
    ).status_code == 401
    let_in = await guarded.post("/decode", json=await request(), headers={"Authorization": "Bearer let-me-in"})
    assert let_in.status_code == 200


@pytest.mark.parametrize("body", [b"{", b'{"payloads": 3}', b"\xff\xfe"])
async def test_what_is_no_payload_is_told_so(body):
    """And the server goes on."""
    assert (await client().post("/decode", content=body)).status_code == 400


async def test_more_than_temporal_would_ever_send_is_not_kept():
    """Nobody fills the memory."""
    assert (await client().post("/decode", content=b"x" * (LARGEST + 1))).status_code == 413


async def test_a_payload_of_another_key_is_named():
    """So that whoever looks after the keys knows which one is missing."""
    foreign = await EncryptionCodec([("other", b"o" * 32)]).encode([PLAIN])
    answer = await client().post("/decode", json=json_format.MessageToDict(Payloads(payloads=foreign)))
    assert answer.status_code == 422
    assert "'other'" in answer.text


async def test_a_payload_that_was_cut_off_is_refused():
    """It is the asker's trouble, and no failure of the server."""
    [sealed] = await CODEC.encode([PLAIN])
    sealed.data = sealed.data[:7]
    answer = await client().post("/decode", json=json_format.MessageToDict(Payloads(payloads=[sealed])))
    assert (answer.status_code, "too short" in answer.text) == (422, True)


async def test_it_neither_encrypts_nor_shows_itself_to_a_look():
    """Nobody tells our workflows anything by hand."""
    assert (await client().post("/encode", json={})).status_code == 404
    assert (await client().get("/decode")).status_code == 405
    assert (await client().get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("given", "pages"),
    [
        pytest.param({}, ["http://localhost:8233", "http://127.0.0.1:8233"], id="nothing said"),
        pytest.param(
            {"temporal_ui": "http://127.0.0.1:24340/"},
            ["http://localhost:24340", "http://127.0.0.1:24340"],
            id="the local stack's",
        ),
        pytest.param({"temporal_ui": "https://Temporal.example:443/ui"}, ["https://temporal.example"], id="another's"),
        pytest.param(
            {"temporal_ui": "http://127.0.0.1:1", "codec_origins": "http://a.example/, https://[fd00::1]:8443,"},
            ["http://a.example", "https://[fd00::1]:8443"],
            id="named",
        ),
    ],
)
def test_the_pages_that_may_ask_are_those_of_the_uis(given, pages, monkeypatch):
    """As browsers name them: without a path, and without a port that goes without saying."""
    for name in ("MESHWRIGHT_TEMPORAL_UI", "MESHWRIGHT_CODEC_ORIGINS"):
        monkeypatch.delenv(name, raising=False)
    assert origins(load(given)) == pages


@pytest.mark.parametrize("given", ["*", "localhost:8233", "http://localhost:port", "http://[::1", "ftp://a.example"])
def test_what_is_no_address_of_a_page_is_told(given):
    """Everybody's pages are nobody's either."""
    with pytest.raises(SettingsError, match="codec_origins: expected the address of a page"):
        origins(load({"codec_origins": given}))
