"""The tables, as SQLAlchemy Core sees them.

`migrations/` creates them; a test compares both, so a change here needs a migration there. Names use the "C" collation
on PostgreSQL (SQLite's default is the same order), because pages of a list continue after a name. Tables with a key of
text are `WITHOUT ROWID` on SQLite: one tree to write instead of two.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

NAME = String().with_variant(String(collation="C"), "postgresql")

# SQLite's integers have 64 bits anyway, and a key of exactly this type needs no index of its own.
REVISION = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

# One row. Each write transaction adds one to it first and so holds its lock until it commits.
counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("forgotten", BigInteger, nullable=False),  # the change log starts after this revision
)

objects = Table(
    "objects",
    metadata,
    Column("uid", String(36), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("mesh", NAME, nullable=False),  # "" for a mesh itself
    Column("parent", NAME, nullable=False),  # the router of a route, the gateway of a gateway route, else ""
    Column("name", NAME, nullable=False),
    Column("spec", Text, nullable=False),  # JSON
    Column("version", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),  # seconds since the epoch
    Column("updated_at", Double, nullable=False),
    Column("revision", BigInteger, nullable=False),  # of the write that changed it last
    UniqueConstraint("mesh", "kind", "parent", "name", name="objects_by_name"),
)

references = Table(
    "object_references",
    metadata,
    Column("source_uid", String(36), ForeignKey("objects.uid", ondelete="CASCADE"), primary_key=True),
    Column("relation", String(32), primary_key=True),
    Column("target_name", NAME, primary_key=True),
    Column("mesh", NAME, nullable=False),  # of both ends
    Column("target_kind", String(32), nullable=False),
    Index("references_by_target", "mesh", "target_kind", "target_name"),
    sqlite_with_rowid=False,
)

tags = Table(
    "tags",
    metadata,
    Column("uid", String(36), ForeignKey("objects.uid", ondelete="CASCADE"), primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

tokens = Table(
    "tokens",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("uid", String(36), nullable=False),  # no foreign key: a token outlives its object
    Column("answer", Text, nullable=False),  # JSON
    Column("expires_at", Double, nullable=False),
    Index("tokens_by_expiry", "expires_at"),
    sqlite_with_rowid=False,
)

changes = Table(
    "changes",
    metadata,
    Column("revision", REVISION, primary_key=True, autoincrement=False),
    Column("operation", String(8), nullable=False),  # create, update, delete
    Column("kind", String(32), nullable=False),
    Column("mesh", NAME, nullable=False),
    Column("parent", NAME, nullable=False),
    Column("name", NAME, nullable=False),
    Column("uid", String(36), nullable=False),
    Column("version", BigInteger, nullable=True),  # None: written by a release that did not note it
    Column("caller", String(128), nullable=True),  # what the writer says of itself
)

# How far each named reader of the change feed has got.
readers = Table(
    "readers",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What each replica that serves proxies says of them.
replicas = Table(
    "replicas",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("says", Text, nullable=False),  # JSON
    Column("expires_at", Double, nullable=False),  # seconds since the epoch
    sqlite_with_rowid=False,
)
