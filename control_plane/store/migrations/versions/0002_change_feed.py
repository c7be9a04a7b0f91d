"""The change feed: which version each change left, who made it, and how far named readers have read."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    # Nullable, as the release before writes neither.
    op.add_column("changes", sa.Column("version", sa.BigInteger, nullable=True))
    op.add_column("changes", sa.Column("caller", sa.String(128), nullable=True))
    op.create_table(
        "readers",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("readers")
    op.drop_column("changes", "caller")
    op.drop_column("changes", "version")
