"""Fixtures of the control plane's tests: one served API for all, a mesh of its own for each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.postgres import PostgresMissing, new_database, postgres_server
from tests.control_plane.serving import Served, served
from tests.control_plane.web import Http

_numbers = count(1)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The API, served for the whole session."""
    with served(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(scope="session")
def client(api: Served) -> Iterator[Any]:
    """A boto3 client of the API."""
    with api.client() as made:
        yield made


@pytest.fixture
def web(api: Served) -> Iterator[Http]:
    """A connection to the API."""
    made = Http(api.url)
    yield made
    made.close()


@pytest.fixture
def mesh(client: Any) -> MeshUnderTest:
    """A mesh that no other test knows."""
    name = f"mesh-{next(_numbers)}"
    client.create_mesh(meshName=name)
    return MeshUnderTest(client, name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres_server())
        except PostgresMissing as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of either sort."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    return new_database(request.getfixturevalue("postgres"))
