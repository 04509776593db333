"""create framework"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "framework",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ends_on > starts_on", name="ck_framework_ends_after_start"),
        sa.PrimaryKeyConstraint("id", name="pk_framework"),
        sa.UniqueConstraint("code", name="uq_framework_code"),
    )
    op.create_table(
        "contractor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=False),
        sa.Column("sme", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("accepts_from", sa.Date(), nullable=True),
        sa.CheckConstraint("capacity >= 0", name="ck_contractor_capacity_not_negative"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name="fk_contractor_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contractor"),
        sa.UniqueConstraint("organisation_id", name="uq_contractor_organisation_id"),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("work_type", sa.String(length=120), nullable=False),
        sa.Column(
            "method",
            sa.Enum("ranked-cascade", name="method", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("value_from_pence", sa.BigInteger(), nullable=False),
        sa.Column("value_to_pence", sa.BigInteger(), nullable=True),
        sa.Column("answer_hours_hospital_discharge", sa.Integer(), nullable=False),
        sa.Column("answer_hours_priority", sa.Integer(), nullable=False),
        sa.Column("answer_hours_routine", sa.Integer(), nullable=False),
        sa.Column("start_days_hospital_discharge", sa.Integer(), nullable=False),
        sa.Column("start_days_priority", sa.Integer(), nullable=False),
        sa.Column("start_days_routine", sa.Integer(), nullable=False),
        sa.Column("works_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("value_from_pence >= 0", name="ck_lot_value_from_pence_not_negative"),
        sa.CheckConstraint("value_to_pence IS NULL OR value_to_pence > value_from_pence", name="ck_lot_value_band"),
        sa.ForeignKeyConstraint(["framework_id"], ["framework.id"], name="fk_lot_framework_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot"),
        sa.UniqueConstraint("framework_id", "name", name="uq_lot_framework_id_name"),
    )
    op.create_index("ix_lot_work_type", "lot", ["work_type"], unique=False)
    op.create_table(
        "participation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["authority_id"], ["organisation.id"], name="fk_participation_authority_id"),
        sa.ForeignKeyConstraint(["framework_id"], ["framework.id"], name="fk_participation_framework_id"),
        sa.PrimaryKeyConstraint("id", name="pk_participation"),
        sa.UniqueConstraint("framework_id", "authority_id", name="uq_participation_framework_id_authority_id"),
    )
    op.create_index("ix_participation_authority_id", "participation", ["authority_id"], unique=False)
    op.create_table(
        "contractor_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["contractor_id"], ["contractor.id"], name="fk_contractor_document_contractor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contractor_document"),
        sa.UniqueConstraint("contractor_id", "kind", name="uq_contractor_document_contractor_id_kind"),
    )
    op.create_table(
        "lot_requirement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_requirement_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_requirement"),
        sa.UniqueConstraint("lot_id", "kind", name="uq_lot_requirement_lot_id_kind"),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("adjustment_bp", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "applied",
                "checking",
                "active",
                "suspended",
                "released",
                "removed",
                name="memberstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint("adjustment_bp > -10000", name="ck_member_adjustment_keeps_a_price"),
        sa.CheckConstraint("rank > 0", name="ck_member_rank_from_one"),
        sa.ForeignKeyConstraint(["contractor_id"], ["contractor.id"], name="fk_member_contractor_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_member_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_member"),
        sa.UniqueConstraint("lot_id", "contractor_id", name="uq_member_lot_id_contractor_id"),
    )
    op.create_index("ix_member_contractor_id", "member", ["contractor_id"], unique=False)
    op.create_table(
        "member_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["authority_id"], ["organisation.id"], name="fk_member_area_authority_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_member_area_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_member_area"),
        sa.UniqueConstraint("member_id", "authority_id", name="uq_member_area_member_id_authority_id"),
    )
    op.create_index("ix_member_area_authority_id", "member_area", ["authority_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_member_area_authority_id", table_name="member_area")
    op.drop_table("member_area")
    op.drop_index("ix_member_contractor_id", table_name="member")
    op.drop_table("member")
    op.drop_table("lot_requirement")
    op.drop_table("contractor_document")
    op.drop_index("ix_participation_authority_id", table_name="participation")
    op.drop_table("participation")
    op.drop_index("ix_lot_work_type", table_name="lot")
    op.drop_table("lot")
    op.drop_table("contractor")
    op.drop_table("framework")
