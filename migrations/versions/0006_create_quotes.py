"""create quotes"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("work_type", sa.String(length=120), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_pence >= 0", name="ck_quote_amount_not_negative"),
        sa.CheckConstraint("quantity > 0", name="ck_quote_quantity_above_zero"),
        sa.ForeignKeyConstraint(["authority_id"], ["organisation.id"], name="fk_quote_authority_id"),
        sa.ForeignKeyConstraint(["contractor_id"], ["contractor.id"], name="fk_quote_contractor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_quote"),
    )
    op.create_index("ix_quote_authority_id", "quote", ["authority_id"], unique=False)
    op.create_index("ix_quote_contractor_id", "quote", ["contractor_id"], unique=False)
    op.create_index("ix_quote_reference", "quote", ["reference"], unique=False)
    op.create_index("ix_quote_work_type_quoted_on", "quote", ["work_type", "quoted_on"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_quote_work_type_quoted_on", table_name="quote")
    op.drop_index("ix_quote_reference", table_name="quote")
    op.drop_index("ix_quote_contractor_id", table_name="quote")
    op.drop_index("ix_quote_authority_id", table_name="quote")
    op.drop_table("quote")
