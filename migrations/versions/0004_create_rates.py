"""create rates"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedule"),
        sa.UniqueConstraint("code", name="uq_schedule_code"),
    )
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_edition_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_edition"),
        sa.UniqueConstraint("schedule_id", "name", name="uq_edition_schedule_id_name"),
        sa.UniqueConstraint("schedule_id", "starts_on", name="uq_edition_schedule_id_starts_on"),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("long_description", sa.Text(), nullable=False),
        sa.Column("trade", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("rate_pence", sa.BigInteger(), nullable=False),
        sa.Column("smv", sa.BigInteger(), nullable=True),
        sa.Column("composite", sa.Boolean(), nullable=False),
        sa.CheckConstraint("rate_pence >= 0", name="ck_item_rate_pence_not_negative"),
        sa.CheckConstraint("smv >= 0", name="ck_item_smv_not_negative"),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name="fk_item_edition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_item"),
        sa.UniqueConstraint("edition_id", "code", name="uq_item_edition_id_code"),
    )
    op.create_index("ix_item_edition_id_trade", "item", ["edition_id", "trade"], unique=False)
    op.create_table(
        "component",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("composite_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("composite_id <> part_id", name="ck_component_not_its_own_part"),
        sa.ForeignKeyConstraint(["composite_id"], ["item.id"], name="fk_component_composite_id"),
        sa.ForeignKeyConstraint(["part_id"], ["item.id"], name="fk_component_part_id"),
        sa.PrimaryKeyConstraint("id", name="pk_component"),
        sa.UniqueConstraint("composite_id", "part_id", name="uq_component_composite_id_part_id"),
    )
    op.create_index("ix_component_part_id", "component", ["part_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_component_part_id", table_name="component")
    op.drop_table("component")
    op.drop_index("ix_item_edition_id_trade", table_name="item")
    op.drop_table("item")
    op.drop_table("edition")
    op.drop_table("schedule")
