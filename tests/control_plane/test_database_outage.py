"""The database is away from a control plane that serves proxies: what is answered, and who counts as ready."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from control_plane.store.errors import DatabaseUnavailable
from control_plane.xds.ads.server import AdsConfig
from control_plane.xds.data_plane import DataPlaneConfig
from control_plane.xds.reader import Reader
from deploy.local import ports
from tests.control_plane import specs
from tests.control_plane.fake_proxy import connected
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.postgres import new_database
from tests.control_plane.serving import served
from tests.control_plane.web import Http
from tests.waiting import until

MESHES = "/v20190125/meshes"
CLUSTER = "cds_ingress_m_front_http_8080"


@contextmanager
def away(server_url: str, database_url: str) -> Iterator[None]:
    """This database refuses everybody for as long as the block lasts."""
    name = make_url(database_url).database or ""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def ready(web: Http) -> int:
    """What a readiness probe gets."""
    return web.send("GET", "/readyz").status


def test_new_proxies_are_served_while_the_database_is_away(tmp_path: Path, postgres: str):
    """The replica stays ready, so that it stays behind its Service; the API says by itself that it cannot answer."""
    database = new_database(postgres)
    port = ports.pick(set())
    serving = DataPlaneConfig(AdsConfig(f"127.0.0.1:{port}"))
    with served(tmp_path, database_url=database, data_plane=serving) as api, closing(Http(api.url)) as web:
        with api.client() as client:
            client.create_mesh(meshName="m")
            MeshUnderTest(client, "m").node("front", specs.listener(8080))
        until(lambda: ready(web), lambda status: status == 200)

        def states() -> list[str]:
            return [each["state"] for each in json.loads(web.signed("GET", "/v1/proxies").body)["proxies"]]

        with connected(port, "m", "front", CLUSTER):  # by which this replica is known to have read the node
            until(states, lambda found: found == ["synced"])
        until(states, lambda found: found == [])
        with away(postgres, database):
            assert web.signed("GET", MESHES).error[:2] == (503, "ServiceUnavailableException")
            assert ready(web) == 200
            with connected(port, "m", "front", CLUSTER):
                until(states, lambda found: found == ["synced"])
        until(lambda: web.signed("GET", MESHES).status, lambda status: status == 200)


def test_who_has_never_read_the_database_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A replica without a state would let proxies wait that another one could serve."""
    monkeypatch.setattr("control_plane.xds.feed.RETRY_SECONDS", 0.01)
    back = threading.Event()
    since = Reader.since

    def once_it_is_back(reader: Reader, revision: int | None) -> object:
        if not back.is_set():
            raise DatabaseUnavailable("away")
        return since(reader, revision)

    monkeypatch.setattr(Reader, "since", once_it_is_back)
    with served(tmp_path, data_plane=DataPlaneConfig(AdsConfig("127.0.0.1:0"))) as api, closing(Http(api.url)) as web:
        assert ready(web) == 503
        back.set()
        until(lambda: ready(web), lambda status: status == 200)


def test_without_proxies_the_database_is_all_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Who serves the API alone has nothing to offer without it."""
    with served(tmp_path) as api, closing(Http(api.url)) as web:
        assert ready(web) == 200
        monkeypatch.setattr("control_plane.store.database.Database.answers", lambda _database: False)
        assert ready(web) == 503
