"""First schema: objects, references, tags, tokens, changes and the revision counter."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
REVISION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    counter = op.create_table(
        "counter",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("forgotten", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counter, [{"id": 1, "revision": 0, "forgotten": 0}])
    op.create_table(
        "objects",
        sa.Column("uid", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("mesh", NAME, nullable=False),
        sa.Column("parent", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("mesh", "kind", "parent", "name", name="objects_by_name"),
    )
    op.create_table(
        "object_references",
        sa.Column("source_uid", sa.String(36), sa.ForeignKey("objects.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("relation", sa.String(32), primary_key=True),
        sa.Column("target_name", NAME, primary_key=True),
        sa.Column("mesh", NAME, nullable=False),
        sa.Column("target_kind", sa.String(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("references_by_target", "object_references", ["mesh", "target_kind", "target_name"])
    op.create_table(
        "tags",
        sa.Column("uid", sa.String(36), sa.ForeignKey("objects.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", NAME, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tokens",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("uid", sa.String(36), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("tokens_by_expiry", "tokens", ["expires_at"])
    op.create_table(
        "changes",
        sa.Column("revision", REVISION, primary_key=True, autoincrement=False),
        sa.Column("operation", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("mesh", NAME, nullable=False),
        sa.Column("parent", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("uid", sa.String(36), nullable=False),
    )


def downgrade() -> None:
    for table in ("changes", "tokens", "tags", "object_references", "objects", "counter"):
        op.drop_table(table)
