"""Every schema that a release had: its data goes on, and what that release writes and reads fits the newest one.

So the release before can serve beside the new one while replicas are replaced, and go on after the new one was taken
back. What a release's statements look like is taken from its own schema: all the columns that it knew, and no others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Float, Integer, MetaData, Row, Table, create_engine, insert, make_url, select

from control_plane.store.database import Database
from control_plane.store.migrations import configured

KEPT_ONE = frozenset({"counter", "alembic_version"})
"""Tables with one row that is always there."""


@dataclass(frozen=True)
class Release:
    """A database as a release left it, and that release's own idea of the tables."""

    url: str
    engine: Engine
    tables: list[Table]

    def write(self, number: int) -> None:
        """A row in each table, as the release writes them."""
        with self.engine.begin() as connection:
            for table in self.tables:
                connection.execute(insert(table).values(row(table, number)))

    def read(self, connection: Connection, table: Table) -> list[Row[Any]]:
        """All rows of a table, as the release reads them."""
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)))


def revisions() -> list[str]:
    """Every revision, oldest first; each was released, or will be."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(configured(connection))
    engine.dispose()
    return [script.revision for script in scripts.walk_revisions()][::-1]


def row(table: Table, number: int) -> dict[str, Any]:
    """Something in every column; what refers to an object refers to that of the same number."""
    return {column.name: _value(column, number) for column in table.columns}


def _value(column: Any, number: int) -> Any:
    if isinstance(column.type, Integer | Float):
        return number
    name = "uid" if column.foreign_keys else column.name
    return f"{number}-{name}"[: column.type.length]


@pytest.fixture(params=revisions())
def release(request: pytest.FixtureRequest, database_url: str) -> Iterator[Release]:
    """A database of each schema with a row in each table."""
    url = make_url(database_url)
    url = url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(configured(connection), request.param)
    known = MetaData()
    known.reflect(engine)
    tables = [table for table in known.sorted_tables if table.name not in KEPT_ONE]
    made = Release(database_url, engine, tables)
    made.write(1)
    yield made
    engine.dispose()


def test_all_data_is_kept_and_the_release_goes_on_beside_the_new_one(release: Release) -> None:
    """It reads what it wrote, writes and reads on, and removes, all on the newest schema."""
    Database(release.url).close()
    release.write(2)
    with release.engine.begin() as connection:
        for table in release.tables:
            expected = [tuple(row(table, number).values()) for number in (1, 2)]
            assert [tuple(found) for found in release.read(connection, table)] == expected, table.name
        for table in reversed(release.tables):
            connection.execute(table.delete())


def test_opening_twice_and_by_two_at_once_changes_nothing_more(release: Release) -> None:
    """Replicas start one after the other, and each brings the schema up to date."""
    first, second = Database(release.url), Database(release.url)
    assert first.revision() == second.revision()
    first.close()
    second.close()
    with release.engine.begin() as connection:
        assert all(len(release.read(connection, table)) == 1 for table in release.tables)


def test_every_revision_is_tried_here():
    """A new migration is found without being named."""
    assert revisions()[0] == "0001"
    assert len(revisions()) >= 3
