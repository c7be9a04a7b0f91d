"""Fixtures of the store's tests: the same tests run on SQLite and PostgreSQL."""

from collections.abc import Iterator

import pytest

from control_plane.store.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database."""
    opened = Database(database_url)
    yield opened
    opened.close()
