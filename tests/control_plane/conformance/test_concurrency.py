from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest
from botocore.exceptions import ClientError

from tests.control_plane import specs
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.serving import served

WRITERS = 16


@pytest.fixture
def mesh(database_url, tmp_path):
    """A mesh in SQLite or PostgreSQL, behind two replicas of the API: every other call goes to the other one."""
    with (
        served(tmp_path, database_url=database_url) as one,
        served(tmp_path, database_url=database_url) as two,
        one.client() as first,
        two.client() as second,
    ):
        first.create_mesh(meshName="m")
        yield MeshUnderTest(_Alternating([first, second]), "m")


class _Alternating:
    """Looks like a client; each call goes to the next of several."""

    def __init__(self, clients):
        self._clients = cycle(clients)

    def __getattr__(self, name):
        return getattr(next(self._clients), name)


def outcomes(calls):
    """What became of calls made at once: their answers' versions, or their errors' codes."""

    def outcome(call):
        try:
            return call()["metadata"]["version"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(WRITERS) as threads:
        return Counter(threads.map(outcome, calls))


def test_of_many_creates_of_one_name_exactly_one_wins(mesh):
    """For each of ten names, sixteen writers at once: one success, fifteen conflicts."""
    for name in (f"node-{number}" for number in range(10)):
        calls = [lambda name=name: mesh.create("virtualNode", name, specs.node())] * WRITERS
        assert outcomes(calls) == {1: 1, "ConflictException": WRITERS - 1}


def test_one_token_used_at_once_makes_one_object(mesh):
    """Sixteen repetitions of one request at once all get the same answer."""
    calls = [lambda: mesh.create("virtualNode", "node", {}, clientToken=f"{mesh.name}-at-once")] * WRITERS
    assert outcomes(calls) == {1: WRITERS}


def test_no_update_is_lost(mesh):
    """Updates at once are applied one after the other: each gets a version of its own."""
    mesh.node()
    calls = [
        lambda port=port: mesh.update("virtualNode", "node", specs.node(specs.listener(port))) for port in range(1, 41)
    ]
    assert outcomes(calls) == dict.fromkeys(range(2, 42), 1)


def test_two_writers_one_wins_when_a_target_is_deleted(mesh):
    """A route is created and its target deleted at once: never does a route without its target remain."""
    mesh.router()
    for number in range(12):
        name = f"node-{number}"
        mesh.create("virtualNode", name, {})
        result = outcomes(
            [
                lambda name=name: mesh.create("route", f"to-{name}", specs.route(to={name: 1}), router="router"),
                lambda name=name: mesh.delete("virtualNode", name),
            ]
        )
        assert result in (Counter({1: 1, "ResourceInUseException": 1}), Counter({1: 1, "NotFoundException": 1}))


def test_two_writers_one_wins_when_a_mesh_is_deleted(mesh):
    """A mesh is deleted while a node is created in it: never does a node without a mesh remain."""
    client = mesh.client
    for number in range(12):
        name = f"{mesh.name}-{number}"
        client.create_mesh(meshName=name)
        result = outcomes(
            [
                lambda name=name: client.create_virtual_node(meshName=name, virtualNodeName="n", spec={})[
                    "virtualNode"
                ],
                lambda name=name: client.delete_mesh(meshName=name)["mesh"],
            ]
        )
        assert result in (Counter({1: 1, "ResourceInUseException": 1}), Counter({1: 1, "NotFoundException": 1}))
