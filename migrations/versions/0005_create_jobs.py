"""create jobs"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "hospital-discharge",
                "priority",
                "routine",
                name="priority",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "specified",
                "allocating",
                "exhausted",
                "accepted",
                "started",
                "complete",
                "cancelled",
                name="jobstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("client_phone", sa.String(length=40), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=False),
        sa.Column("required_start", sa.Date(), nullable=True),
        sa.Column("value_pence", sa.BigInteger(), nullable=False),
        sa.Column("specified_by", sa.String(length=254), nullable=False),
        sa.Column("specified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value_pence >= 0", name="ck_job_value_pence_not_negative"),
        sa.ForeignKeyConstraint(["authority_id"], ["organisation.id"], name="fk_job_authority_id"),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name="fk_job_edition_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_job_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("reference", name="uq_job_reference"),
    )
    op.create_index("ix_job_authority_id_id", "job", ["authority_id", "id"], unique=False)
    op.create_index(
        "ix_job_authority_id_status_priority_id", "job", ["authority_id", "status", "priority", "id"], unique=False
    )
    op.create_index("ix_job_edition_id", "job", ["edition_id"], unique=False)
    op.create_index("ix_job_lot_id", "job", ["lot_id"], unique=False)
    op.create_index("ix_job_status_priority_id", "job", ["status", "priority", "id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("because", sa.String(length=200), nullable=False),
        sa.Column("rule_version", sa.String(length=40), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("chosen_member_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["chosen_member_id"], ["member.id"], name="fk_decision_chosen_member_id"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_decision_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
    )
    op.create_index("ix_decision_job_id", "decision", ["job_id"], unique=False)
    op.create_table(
        "job_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("rate_pence", sa.BigInteger(), nullable=False),
        sa.Column("net_pence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_job_line_quantity_above_zero"),
        sa.CheckConstraint("rate_pence >= 0", name="ck_job_line_rate_pence_not_negative"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_job_line_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_job_line"),
        sa.UniqueConstraint("job_id", "position", name="uq_job_line_job_id_position"),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "sent",
                "accepted",
                "declined",
                "expired",
                "withdrawn",
                "failed-to-start",
                "completed",
                name="offerstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_by", sa.Date(), nullable=False),
        sa.Column("adjustment_bp", sa.Integer(), nullable=False),
        sa.Column("price_pence", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=254), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column(
            "reason_code",
            sa.Enum(
                "cannot-start-in-time",
                "no-capacity",
                "outside-skills",
                "price",
                "site",
                "other",
                name="declinereason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "status NOT IN ('accepted', 'completed') OR start_on IS NOT NULL", name="ck_offer_accepted_with_a_start"
        ),
        sa.CheckConstraint("price_pence >= 0", name="ck_offer_price_pence_not_negative"),
        sa.ForeignKeyConstraint(["authority_id"], ["organisation.id"], name="fk_offer_authority_id"),
        sa.ForeignKeyConstraint(["contractor_id"], ["contractor.id"], name="fk_offer_contractor_id"),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name="fk_offer_decision_id"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_offer_job_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_offer_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_offer"),
    )
    op.create_index("ix_offer_contractor_id_id", "offer", ["contractor_id", "id"], unique=False)
    op.create_index("ix_offer_decision_id", "offer", ["decision_id"], unique=False)
    op.create_index(
        "ix_offer_authority_due",
        "offer",
        ["authority_id", "answer_by"],
        unique=False,
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.create_index(
        "ix_offer_due",
        "offer",
        ["answer_by"],
        unique=False,
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.create_index("ix_offer_job_id", "offer", ["job_id"], unique=False)
    op.create_index("ix_offer_member_id", "offer", ["member_id"], unique=False)
    op.create_index(
        "ix_offer_open",
        "offer",
        ["contractor_id"],
        unique=False,
        sqlite_where=sa.text("status IN ('sent', 'accepted')"),
        postgresql_where=sa.text("status IN ('sent', 'accepted')"),
    )
    op.create_index(
        "ix_offer_start_due",
        "offer",
        ["start_by"],
        unique=False,
        sqlite_where=sa.text("status = 'accepted'"),
        postgresql_where=sa.text("status = 'accepted'"),
    )
    op.create_index(
        "uq_offer_accepted",
        "offer",
        ["job_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('accepted', 'completed')"),
        postgresql_where=sa.text("status IN ('accepted', 'completed')"),
    )
    op.create_index(
        "uq_offer_live",
        "offer",
        ["job_id"],
        unique=True,
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.create_table(
        "place",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("member_code", sa.String(length=64), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name="fk_place_decision_id"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_place_member_id"),
        sa.PrimaryKeyConstraint("decision_id", "position", name="pk_place"),
    )
    op.create_table(
        "order_line",
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("rate_pence", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_bp", sa.Integer(), nullable=False),
        sa.Column("net_pence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_order_line_offer_id"),
        sa.PrimaryKeyConstraint("offer_id", "position", name="pk_order_line"),
    )


def downgrade() -> None:
    op.drop_table("order_line")
    op.drop_table("place")
    op.drop_index(
        "uq_offer_live",
        table_name="offer",
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.drop_index(
        "uq_offer_accepted",
        table_name="offer",
        sqlite_where=sa.text("status IN ('accepted', 'completed')"),
        postgresql_where=sa.text("status IN ('accepted', 'completed')"),
    )
    op.drop_index(
        "ix_offer_start_due",
        table_name="offer",
        sqlite_where=sa.text("status = 'accepted'"),
        postgresql_where=sa.text("status = 'accepted'"),
    )
    op.drop_index(
        "ix_offer_open",
        table_name="offer",
        sqlite_where=sa.text("status IN ('sent', 'accepted')"),
        postgresql_where=sa.text("status IN ('sent', 'accepted')"),
    )
    op.drop_index("ix_offer_member_id", table_name="offer")
    op.drop_index("ix_offer_job_id", table_name="offer")
    op.drop_index(
        "ix_offer_authority_due",
        table_name="offer",
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.drop_index(
        "ix_offer_due",
        table_name="offer",
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.drop_index("ix_offer_decision_id", table_name="offer")
    op.drop_index("ix_offer_contractor_id_id", table_name="offer")
    op.drop_table("offer")
    op.drop_table("job_line")
    op.drop_index("ix_decision_job_id", table_name="decision")
    op.drop_table("decision")
    op.drop_index("ix_job_status_priority_id", table_name="job")
    op.drop_index("ix_job_lot_id", table_name="job")
    op.drop_index("ix_job_edition_id", table_name="job")
    op.drop_index("ix_job_authority_id_status_priority_id", table_name="job")
    op.drop_index("ix_job_authority_id_id", table_name="job")
    op.drop_table("job")
