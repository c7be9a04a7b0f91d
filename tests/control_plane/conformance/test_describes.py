"""Describes that need no database, and are right all the same."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from tests.control_plane import specs
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.serving import served


@pytest.fixture
def database(tmp_path):
    """The file of a database."""
    return tmp_path / "describes.db"


@pytest.fixture
def api(tmp_path, database):
    """An API on it."""
    with served(tmp_path, database_url=f"sqlite:///{database}") as running:
        yield running


def test_a_describe_does_not_wait_for_a_write(api, database):
    """What is known is answered while a write waits for the database, and what the write changes right behind it."""
    with api.client() as client, closing(sqlite3.connect(database, isolation_level=None)) as other:
        client.create_mesh(meshName="m")
        mesh = MeshUnderTest(client, "m")
        created = mesh.node()
        other.execute("BEGIN IMMEDIATE")  # as another process that writes
        with ThreadPoolExecutor() as threads:
            writing = threads.submit(mesh.update, "virtualNode", "node", specs.node(specs.listener(9090)))
            try:
                assert [mesh.describe("virtualNode", "node") for _ in range(20)] == [created] * 20
                assert not writing.done()
            finally:
                other.execute("ROLLBACK")
            assert writing.result()["metadata"]["version"] == 2
        assert mesh.describe("virtualNode", "node") == writing.result()


def test_a_write_of_another_process_counts_at_once(api, database, tmp_path):
    """Each of two on one database describes what the other has just written."""
    with served(tmp_path, database_url=api.config.database_url) as second, api.client() as one, second.client() as two:
        one.create_mesh(meshName="m")
        first, second_mesh = MeshUnderTest(one, "m"), MeshUnderTest(two, "m")
        first.node()
        for version in range(2, 6):
            writer, reader = (first, second_mesh) if version % 2 else (second_mesh, first)
            written = writer.update("virtualNode", "node", specs.node(specs.listener(9000 + version)))
            assert reader.describe("virtualNode", "node") == written == writer.describe("virtualNode", "node")
        second_mesh.delete("virtualNode", "node")
        with pytest.raises(ClientError, match="NotFoundException"):
            first.describe("virtualNode", "node")


def test_rights_and_signatures_count_for_what_is_known(api):
    """An answer that is kept is given to nobody who may not have it."""
    with api.client() as client:
        client.create_mesh(meshName="m")
        client.describe_mesh(meshName="m")
    with api.client(aws_secret_access_key="wrong") as stranger, pytest.raises(ClientError, match="Forbidden"):
        stranger.describe_mesh(meshName="m")
    with api.client() as client, pytest.raises(ClientError, match="Forbidden"):
        client.describe_mesh(meshName="m", meshOwner="999999999999")
