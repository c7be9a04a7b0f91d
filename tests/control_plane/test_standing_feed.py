"""How far proxies are, over real HTTP and gRPC: what is told, when it waits, and across replicas."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from control_plane.store import replicas
from control_plane.store.database import Database
from control_plane.xds.ads.server import AdsConfig
from control_plane.xds.data_plane import DataPlaneConfig
from control_plane.xds.standing_feed import PATH
from tests.control_plane import specs
from tests.control_plane.fake_proxy import connected
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.postgres import new_database
from tests.control_plane.serving import Served, served
from tests.control_plane.web import Http
from tests.waiting import until

CLUSTER = "cds_ingress_m_front_http_8080"


@dataclass(frozen=True)
class Site:
    """An API with a data plane."""

    api: Served
    xds_port: int

    def ask(self, **parameters: object) -> dict[str, Any]:
        """One request."""
        web = Http(self.api.url, timeout=70)
        try:
            answer = web.signed("GET", f"{PATH}?{urlencode(parameters)}")
        finally:
            web.close()
        assert answer.status == 200, answer.body
        return json.loads(answer.body)  # type: ignore[no-any-return]

    def meshes(self) -> dict[str, tuple[int, int]]:
        """By mesh: proxies and revision."""
        return {each["meshName"]: (each["proxies"], each["revision"]) for each in self.ask()["meshes"]}

    def wait(self, **meshes: tuple[int, int]) -> None:
        """Wait until this is told."""
        until(self.meshes, lambda found: found == meshes, f"{meshes} to be told", every=0.01)

    def front(self) -> Any:
        """A proxy of the node `front`, for as long as the block lasts."""
        return connected(self.xds_port, "m", "front", CLUSTER)

    @contextmanager
    def mesh(self) -> Iterator[MeshUnderTest]:
        """The mesh `m` with the node `front`: two writes."""
        with self.api.client() as client:
            client.create_mesh(meshName="m")
            mesh = MeshUnderTest(client, "m")
            mesh.node("front", specs.listener(8080))
            yield mesh


@contextmanager
def serving(directory: Any, **settings: Any) -> Iterator[Site]:
    """A replica."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    config = DataPlaneConfig(AdsConfig(f"127.0.0.1:{port}"))
    with served(directory, data_plane=config, **settings) as api:
        yield Site(api, port)


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """One process on SQLite."""
    with serving(tmp_path) as site:
        yield site


def edited(mesh: MeshUnderTest, port: int = 8080) -> int:
    """Edit the node so that its cluster changes; returns the revision that the API told."""
    pool = {"http": {"maxConnections": 7}}
    spec = specs.node({**specs.listener(port), "connectionPool": pool})
    answer = mesh.client.update_virtual_node(meshName="m", virtualNodeName="front", spec=spec)
    return int(answer["ResponseMetadata"]["HTTPHeaders"]["x-appmesh-revision"])


def test_every_answer_about_an_object_tells_its_revision(site):
    """Of a read, that of the last write; of a repeated request, that of the first time."""
    with site.mesh() as mesh:
        told = mesh.client.describe_virtual_node(meshName="m", virtualNodeName="front")
        assert told["ResponseMetadata"]["HTTPHeaders"]["x-appmesh-revision"] == "2"
        request = {"meshName": "m", "virtualRouterName": "r", "spec": specs.router(), "clientToken": "once"}
        first = mesh.client.create_virtual_router(**request)
        again = mesh.client.create_virtual_router(**request)
        gone = mesh.client.delete_virtual_router(meshName="m", virtualRouterName="r")
    revisions = [each["ResponseMetadata"]["HTTPHeaders"]["x-appmesh-revision"] for each in (first, again, gone)]
    assert revisions == ["3", "3", "5"]  # the repetition took revision 4, and wrote nothing


def test_a_mesh_without_proxies_is_not_mentioned(site):
    """And a proxy of a node that is not there does not count."""
    with site.mesh():
        assert site.meshes() == {}
        with connected(site.xds_port, "m", "nobody", CLUSTER), site.front():
            site.wait(m=(1, 2))
        site.wait()


def test_the_revision_waits_for_the_slowest_proxy(site):
    """One that has not answered holds it back, until it does or is gone."""
    with site.mesh() as mesh, site.front() as quick, site.front() as slow, site.front() as dead:
        site.wait(m=(3, 2))
        for proxy in (slow, dead):
            proxy.answering.clear()
        revision = edited(mesh)
        until(lambda: accepted(site), lambda found: sorted(found) == [2, 2, revision], "one to accept")
        assert site.meshes() == {"m": (3, 2)}
        dead.close()
        site.wait(m=(2, 2))
        slow.answering.set()
        site.wait(m=(2, revision))
        assert quick.refusal == ""


def accepted(site: Site) -> list[int]:
    """The accepted revision of each proxy."""
    web = Http(site.api.url)
    found = json.loads(web.signed("GET", "/v1/proxies").body)["proxies"]
    web.close()
    return [each["acceptedRevision"] for each in found]


def test_what_concerns_no_proxy_is_reached_at_once(site):
    """And what is written in another mesh is no news for this one."""
    with site.mesh() as mesh, site.front():
        mesh.node("alone")
        site.wait(m=(1, 3))
        mesh.client.create_mesh(meshName="other")
        mesh.node("alone-too")
        site.wait(m=(1, 5))


def test_a_refusal_is_told_of_the_object_until_it_is_repaired(site):
    """All else goes on: the revision does not stop at it."""
    with site.mesh() as mesh, site.front() as proxy:
        site.wait(m=(1, 2))
        proxy.refusal = "not this one"
        site.wait(m=(1, 2))
        revision = edited(mesh)
        site.wait(m=(1, revision))
        [complaint] = site.ask()["meshes"][0]["complaints"]
        assert complaint == {
            "object": {"kind": "virtualNode", "meshName": "m", "name": "front"},
            "what": "refused",
            "field": "",
            "message": f"{CLUSTER}: not this one",
            "proxy": "mesh/m/virtualNode/front",
        }
        proxy.refusal = ""
        mesh.update("virtualNode", "front", specs.node(specs.listener(8080)))
        site.wait(m=(1, revision + 1))
        assert site.ask()["meshes"][0]["complaints"] == []


def test_a_reader_waits_for_what_it_does_not_know(site):
    """It is answered when that differs, and asks nothing meanwhile."""
    with site.mesh() as mesh, site.front(), ThreadPoolExecutor(1) as threads:
        site.wait(m=(1, 2))
        known = site.ask()
        assert site.ask(after=known["version"]) == known
        answer = threads.submit(site.ask, after=known["version"], wait=60)
        edited(mesh)
        assert answer.result(20)["meshes"][0]["revision"] == 3


def test_a_waiting_reader_is_answered_when_the_process_stops(tmp_path):
    """It does not hold it up."""
    with ThreadPoolExecutor(1) as threads:
        with serving(tmp_path) as site:
            known = site.ask()
            answer = threads.submit(site.ask, after=known["version"], wait=60)
        assert answer.result(20) == known


def test_a_question_that_makes_no_sense_is_refused(site):
    """With the name of the parameter."""
    web = Http(site.api.url)
    for query, word in (("before=1", "before"), ("after=a&after=b", "twice"), ("wait=x", "wait")):
        status, code, message = web.signed("GET", f"{PATH}?{query}").error
        assert (status, code) == (400, "BadRequestException")
        assert word in message
    web.close()


@pytest.fixture
def sites(tmp_path, postgres) -> Iterator[tuple[Site, Site]]:
    """Two replicas on one PostgreSQL database."""
    url = new_database(postgres)
    with ExitStack() as stack:
        yield tuple(stack.enter_context(serving(tmp_path, database_url=url)) for _ in range(2))  # type: ignore[misc]


def test_any_replica_tells_of_the_proxies_of_all(sites):
    """The slowest of all counts, wherever it is; and one that stops takes its own away."""
    one, other = sites
    with one.mesh() as mesh, one.front(), other.front() as slow:
        for site in sites:
            site.wait(m=(2, 2))
        slow.answering.clear()
        revision = edited(mesh)
        until(lambda: accepted(one), lambda found: found == [revision], "the quick one to accept")
        assert one.meshes() == other.meshes() == {"m": (2, 2)}
        slow.answering.set()
        for site in sites:
            site.wait(m=(2, revision))
            assert site.ask()["version"] == one.ask()["version"]
    for site in sites:
        site.wait()


def test_a_replica_that_died_is_forgotten(tmp_path, postgres):
    """What it said counts for the length of its lease."""
    url = new_database(postgres)
    says = [{"meshName": "m", "proxies": 5, "revision": 1, "complaints": []}]
    database = Database(url)
    with serving(tmp_path, database_url=url) as site, site.mesh(), site.front():
        site.wait(m=(1, 2))
        now = time.time()
        with database.aside() as connection:
            replicas.say(connection, "killed", says, now)
        site.wait(m=(6, 1))
        with database.aside() as connection:
            replicas.say(connection, "killed", says, now - replicas.LEASE_SECONDS)
        site.wait(m=(1, 2))
    database.close()


def test_silence_writes_nothing(tmp_path, postgres, monkeypatch):
    """The row of a replica stays as it is until its lease has to be renewed."""
    monkeypatch.setattr(replicas, "LEASE_SECONDS", 3600.0)
    url = new_database(postgres)
    with closing(Database(url)) as database:
        with serving(tmp_path, database_url=url) as site, site.mesh(), site.front():
            site.wait(m=(1, 2))
            before = until(lambda: rows(database), lambda there: len(there) == 1, "the replica to say so")
            for _ in range(20):
                site.ask()
            assert rows(database) == before
        assert rows(database) == []


def rows(database: Database) -> list[Any]:
    """What replicas say."""
    with database.read() as connection:
        return list(connection.exec_driver_sql("SELECT id, says, expires_at FROM replicas"))
