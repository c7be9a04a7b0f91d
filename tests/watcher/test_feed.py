"""The feed's client against our own control plane, and against endpoints that have no feed."""

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web
from botocore.config import Config

from activities.objects import ApiKind, ApiObject
from cli import clients
from cli.settings import Settings
from tests.control_plane.serving import KEY_ID, REGION, SECRET, Served, served
from watcher.feed import ChangeFeed, Forgotten, NotOffered, Unavailable, Written

OURS = "meshwright/default"
Connect = Callable[[str], ChangeFeed]


@pytest.fixture
async def connect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connect]:
    """A feed of an endpoint, made as the watcher makes it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    async with aiohttp.ClientSession() as session:

        def made(endpoint: str) -> ChangeFeed:
            feed = clients.change_feed(Settings(app_mesh_endpoint=endpoint, app_mesh_region=REGION), session)
            assert feed is not None
            return feed

        yield made


@pytest.fixture
def api(tmp_path):
    """A control plane of this test's own."""
    with served(tmp_path) as running:
        yield running


async def test_it_reads_what_others_wrote_and_remembers_where_it_was(api: Served, connect: Connect) -> None:
    """Ours is left out; where we were outlives us."""
    feed = connect(api.url)
    assert (await feed.where_we_were()).known is False
    with api.client(config=Config(user_agent_extra=OURS)) as ours, api.client() as theirs:
        ours.create_mesh(meshName="shop")
        theirs.create_virtual_router(meshName="shop", virtualRouterName="r", spec={})
        theirs.create_virtual_gateway(
            meshName="shop",
            virtualGatewayName="g",
            spec={"listeners": [{"portMapping": {"port": 80, "protocol": "http"}}]},
        )
        agent = theirs.meta.config.user_agent.split()[0]
    page = await feed.after(0)
    router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name="r")
    assert page.revision == 3
    assert page.written == (Written("create", router, agent), Written("create", None, agent))
    assert ((await feed.where_we_were()).revision, (await feed.where_we_were()).known) == (0, True)
    assert (await feed.now()).revision == 3


async def test_another_database_is_noticed(api: Served, connect: Connect) -> None:
    """It is younger than where we were."""
    with pytest.raises(Forgotten):
        await connect(api.url).after(1000)


async def test_a_key_that_is_not_known_means_no_feed(api: Served, connect: Connect, monkeypatch) -> None:
    """Nothing that we could do about it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(NotOffered, match="403"):
        await connect(api.url).now()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(404, "no such page", NotOffered, id="not-found"),
        pytest.param(200, "[]", NotOffered, id="something-else"),
        pytest.param(302, "", NotOffered, id="redirect"),
        pytest.param(503, "", Unavailable, id="unavailable"),
        pytest.param(429, "", Unavailable, id="throttled"),
        pytest.param(200, '{"revision": 1, "chan', ValueError, id="cut-off"),
    ],
)
async def test_other_endpoints_have_no_feed_and_faults_pass(
    connect: Connect, status: int, body: str, error: type[Exception]
) -> None:
    """App Mesh elsewhere has no such URL."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        with pytest.raises(error):
            await connect(f"http://{host}:{port}").now()
    finally:
        await runner.cleanup()


async def test_no_feed_is_made_when_it_is_off_or_nothing_could_be_asked(monkeypatch) -> None:
    """Off, no endpoint, no credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with aiohttp.ClientSession() as session:
        assert clients.change_feed(Settings(app_mesh_endpoint="http://a", change_feed="off"), session) is None
        assert clients.change_feed(Settings(app_mesh_endpoint=None), session) is None
        assert clients.change_feed(Settings(app_mesh_endpoint="http://a"), session) is None
