"""framework terms, histories, rank editions, documents as evidence

Where a member stands follows from its events, its rank from the edition of ranks in force; what was in the columns
``status`` and ``rank`` becomes the first of each. Documents stay for good and count on the days they were verified.
"""

from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

#: Before any list: what the earlier columns said has held since then.
SINCE = date(2000, 1, 1)
BY = "the portal"
STATUSES = ("applied", "checking", "active", "suspended", "released", "removed")


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def add(table: str, definition: str) -> None:
    """A column with its CHECK, which both engines can add without making the table anew."""
    op.execute(f"ALTER TABLE {table} ADD COLUMN {definition}")


def rows_of(table: sa.Table) -> list[dict[str, object]]:
    return [dict(row) for row in op.get_bind().execute(sa.select(table)).mappings()]


def reference(column: str, to: str, *, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


def one_area(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint("(authority_id IS NULL) <> (district = '')", name=f"ck_{table}_authority_or_district")


def one_district(table: str, owner: str) -> None:
    op.create_index(
        f"uq_{table}_district",
        table,
        [owner, "district"],
        unique=True,
        sqlite_where=sa.text("district <> ''"),
        postgresql_where=sa.text("district <> ''"),
    )


def drop_columns_of_member() -> None:
    """The columns go with the CHECKs that name them; SQLite must make the table anew for that."""
    if op.get_bind().dialect.name == "postgresql":
        for column in ("rank", "status", "status_reason"):
            op.drop_column("member", column)
        return
    op.create_table(
        "member_anew",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("adjustment_bp", sa.Integer(), nullable=False),
        sa.CheckConstraint("adjustment_bp > -10000", name="ck_member_adjustment_keeps_a_price"),
        reference("contractor_id", "contractor", table="member"),
        reference("lot_id", "lot", table="member"),
        sa.PrimaryKeyConstraint("id", name="pk_member"),
        sa.UniqueConstraint("lot_id", "contractor_id", name="uq_member_lot_id_contractor_id"),
    )
    op.execute("INSERT INTO member_anew SELECT id, lot_id, contractor_id, adjustment_bp FROM member")
    op.drop_table("member")
    op.rename_table("member_anew", "member")
    op.create_index("ix_member_contractor_id", "member", ["contractor_id"])


def upgrade() -> None:
    framework_terms()
    participation_periods()
    lot_terms()
    contractor_terms()
    histories()
    documents()
    member_areas()
    jobs()


def framework_terms() -> None:
    add(
        "framework",
        "kind VARCHAR(40) DEFAULT 'framework-agreement' NOT NULL CONSTRAINT ck_framework_frameworkkind "
        "CHECK (kind IN ('framework-agreement', 'direct-contract', 'quotations'))",
    )
    add(
        "framework",
        "regime VARCHAR(40) DEFAULT 'open' NOT NULL CONSTRAINT ck_framework_regime "
        "CHECK (regime IN ('closed', 'open'))",
    )
    add(
        "framework",
        "contracting_party VARCHAR(40) DEFAULT 'authority' NOT NULL CONSTRAINT ck_framework_contractingparty "
        "CHECK (contracting_party IN ('authority', 'applicant'))",
    )
    add("framework", "value_cap_pence BIGINT CONSTRAINT ck_framework_value_cap_above_zero CHECK (value_cap_pence > 0)")
    add("framework", "cap_warned INTEGER DEFAULT 0 NOT NULL")
    add(
        "framework",
        "review_months INTEGER CONSTRAINT ck_framework_review_months_above_zero CHECK (review_months > 0)",
    )
    add(
        "framework",
        "quotes_needed INTEGER CONSTRAINT ck_framework_quotes_needed CHECK (quotes_needed BETWEEN 1 AND 9)",
    )
    add(
        "framework",
        "guaranteed_jobs INTEGER CONSTRAINT ck_framework_guaranteed_jobs_not_negative CHECK (guaranteed_jobs >= 0)",
    )
    add(
        "framework",
        "guaranteed_pence BIGINT CONSTRAINT ck_framework_guaranteed_pence_not_negative CHECK (guaranteed_pence >= 0)",
    )
    add("framework", "local_areas VARCHAR(400) DEFAULT '' NOT NULL")
    op.create_table(
        "framework_extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("was", sa.Date(), nullable=False),
        sa.Column("becomes", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("becomes > was", name="ck_framework_extension_later_end"),
        reference("framework_id", "framework", table="framework_extension"),
        sa.PrimaryKeyConstraint("id", name="pk_framework_extension"),
    )
    op.create_index("ix_framework_extension_framework_id", "framework_extension", ["framework_id"])
    op.create_table(
        "cap_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("allowed_pence", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("allowed_pence > 0", name="ck_cap_decision_allowed_above_zero"),
        reference("framework_id", "framework", table="cap_decision"),
        sa.PrimaryKeyConstraint("id", name="pk_cap_decision"),
    )
    op.create_index("ix_cap_decision_framework_id", "cap_decision", ["framework_id"])
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", one_of("reviewstatus", ("planned", "open", "closed")), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        reference("framework_id", "framework", table="review"),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sa.UniqueConstraint("framework_id", "due_on", name="uq_review_framework_id_due_on"),
    )
    op.create_table(
        "postcode_district",
        sa.Column("district", sa.String(length=4), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="ck_postcode_district_latitude"),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="ck_postcode_district_longitude"),
        sa.PrimaryKeyConstraint("district", name="pk_postcode_district"),
    )


def participation_table() -> sa.Table:
    return op.create_table(
        "participation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.CheckConstraint("to_on > from_on", name="ck_participation_to_after_from"),
        reference("authority_id", "organisation", table="participation"),
        reference("framework_id", "framework", table="participation"),
        sa.PrimaryKeyConstraint("id", name="pk_participation"),
    )


def made_anew(name: str, columns: tuple[str, ...], indexes: tuple[str, ...]) -> list[dict[str, object]]:
    """Take a table that nothing refers to away; its rows are given."""
    rows = rows_of(
        sa.table(name, *(sa.column(column, sa.Date() if column.endswith("_on") else None) for column in columns))
    )
    for index in indexes:
        op.drop_index(index, table_name=name)
    op.drop_table(name)
    return rows


def fill(table: sa.Table, rows: list[dict[str, object]]) -> None:
    if not rows:
        return
    op.bulk_insert(table, rows)
    if op.get_bind().dialect.name == "postgresql" and "id" in table.c:
        op.execute(f"SELECT setval('{table.name}_id_seq', (SELECT max(id) FROM {table.name}))")  # noqa: S608


def participation_periods() -> None:
    rows = made_anew("participation", ("id", "framework_id", "authority_id"), ("ix_participation_authority_id",))
    fill(participation_table(), [{**row, "from_on": None, "to_on": None, "lead": False} for row in rows])
    op.create_index("ix_participation_authority_id", "participation", ["authority_id"])
    op.create_index("ix_participation_framework_id_authority_id", "participation", ["framework_id", "authority_id"])
    op.create_index(
        "uq_participation_lead",
        "participation",
        ["framework_id"],
        unique=True,
        sqlite_where=sa.text("lead"),
        postgresql_where=sa.text("lead"),
    )


def lot_terms() -> None:
    op.create_table(
        "lot_work_type",
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("work_type", sa.String(length=120), nullable=False),
        reference("lot_id", "lot", table="lot_work_type"),
        sa.PrimaryKeyConstraint("lot_id", "work_type", name="pk_lot_work_type"),
    )
    op.create_index("ix_lot_work_type_work_type", "lot_work_type", ["work_type"])
    op.execute("INSERT INTO lot_work_type (lot_id, work_type) SELECT id, work_type FROM lot")
    op.create_table(
        "lot_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=True),
        sa.Column("district", sa.String(length=4), nullable=False),
        one_area("lot_area"),
        reference("authority_id", "organisation", table="lot_area"),
        reference("lot_id", "lot", table="lot_area"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_area"),
        sa.UniqueConstraint("lot_id", "authority_id", name="uq_lot_area_lot_id_authority_id"),
    )
    op.create_index("ix_lot_area_authority_id", "lot_area", ["authority_id"])
    one_district("lot_area", "lot_id")
    add(
        "lot",
        "capacity_rule VARCHAR(40) DEFAULT 'all-work' NOT NULL CONSTRAINT ck_lot_capacityrule "
        "CHECK (capacity_rule IN ('all-work', 'this-lot', 'not-limited'))",
    )
    requirements()


def now_only(also: str = "") -> dict[str, sa.TextClause]:
    """The condition of an index over the rows that hold without end."""
    condition = sa.text("to_on IS NULL" + also)
    return {"sqlite_where": condition, "postgresql_where": condition}


def requirements() -> None:
    rows = made_anew("lot_requirement", ("id", "lot_id", "kind"), ())
    table = op.create_table(
        "lot_requirement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("minimum_pence", sa.BigInteger(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minimum_pence >= 0", name="ck_lot_requirement_minimum_pence_not_negative"),
        sa.CheckConstraint("to_on > from_on", name="ck_lot_requirement_to_after_from"),
        reference("lot_id", "lot", table="lot_requirement"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_requirement"),
    )
    fill(table, [{**row, "required": True} for row in rows])
    op.create_index("ix_lot_requirement_lot_id", "lot_requirement", ["lot_id"])
    op.create_index("uq_lot_requirement_kind", "lot_requirement", ["lot_id", "kind"], unique=True, **now_only())


def contractor_terms() -> None:
    add("contractor", "company_number VARCHAR(20) DEFAULT '' NOT NULL")
    add(
        "contractor",
        "month_limit_pence BIGINT CONSTRAINT ck_contractor_month_limit_pence_not_negative "
        "CHECK (month_limit_pence >= 0)",
    )
    add("contractor", "social_value TEXT DEFAULT '' NOT NULL")
    op.create_index(
        "uq_contractor_company_number",
        "contractor",
        ["company_number"],
        unique=True,
        sqlite_where=sa.text("company_number <> ''"),
        postgresql_where=sa.text("company_number <> ''"),
    )
    op.create_table(
        "contractor_trade",
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("trade", sa.String(length=80), nullable=False),
        reference("contractor_id", "contractor", table="contractor_trade"),
        sa.PrimaryKeyConstraint("contractor_id", "trade", name="pk_contractor_trade"),
    )
    op.create_index("ix_contractor_trade_trade", "contractor_trade", ["trade"])
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.CheckConstraint("to_on > from_on", name="ck_absence_to_after_from"),
        reference("contractor_id", "contractor", table="absence"),
        sa.PrimaryKeyConstraint("id", name="pk_absence"),
    )
    op.create_index("ix_absence_contractor_id", "absence", ["contractor_id"])


def histories() -> None:
    now = datetime.now(UTC)
    columns = ("id", "lot_id", "rank", "status", "status_reason")
    members = rows_of(sa.table("member", *map(sa.column, columns)))
    event = op.create_table(
        "member_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("status", one_of("memberstatus", STATUSES), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "until_on IS NULL OR (status = 'suspended' AND until_on > from_on)",
            name="ck_member_event_until_ends_a_suspension",
        ),
        reference("member_id", "member", table="member_event"),
        sa.PrimaryKeyConstraint("id", name="pk_member_event"),
    )
    op.create_index("ix_member_event_member_id_id", "member_event", ["member_id", "id"])
    edition = op.create_table(
        "rank_edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("made_by", sa.String(length=254), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=True),
        reference("lot_id", "lot", table="rank_edition"),
        reference("review_id", "review", table="rank_edition"),
        sa.PrimaryKeyConstraint("id", name="pk_rank_edition"),
        sa.UniqueConstraint("lot_id", "starts_on", name="uq_rank_edition_lot_id_starts_on"),
    )
    place = op.create_table(
        "rank_place",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=True),
        sa.CheckConstraint("rank > 0", name="ck_rank_place_rank_from_one"),
        sa.CheckConstraint("share_bp BETWEEN 0 AND 10000", name="ck_rank_place_share"),
        reference("edition_id", "rank_edition", table="rank_place"),
        reference("member_id", "member", table="rank_place"),
        sa.PrimaryKeyConstraint("edition_id", "member_id", name="pk_rank_place"),
    )
    op.create_index("ix_rank_place_member_id", "rank_place", ["member_id"])
    fill(
        event,
        [
            {
                "id": number,
                "member_id": member["id"],
                "status": member["status"],
                "from_on": SINCE,
                "until_on": None,
                "reason": member["status_reason"],
                "decided_by": BY,
                "decided_at": now,
            }
            for number, member in enumerate(members, start=1)
        ],
    )
    lots = sorted({member["lot_id"] for member in members})
    numbers = {lot_id: number for number, lot_id in enumerate(lots, start=1)}
    fill(
        edition,
        [
            {"id": numbers[lot_id], "lot_id": lot_id, "starts_on": SINCE, "note": "", "made_by": BY, "made_at": now}
            for lot_id in lots
        ],
    )
    fill(
        place,
        [
            {"edition_id": numbers[member["lot_id"]], "member_id": member["id"], "rank": member["rank"]}
            for member in members
        ],
    )
    drop_columns_of_member()


def document_table() -> sa.Table:
    return op.create_table(
        "contractor_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("cover_pence", sa.BigInteger(), nullable=True),
        sa.Column("status", one_of("documentstatus", ("waiting", "verified", "rejected", "withdrawn")), nullable=False),
        sa.Column("counts_from", sa.Date(), nullable=True),
        sa.Column("counts_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=True),
        sa.Column("added_by", sa.String(length=254), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_name", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "status <> 'verified' OR counts_from IS NOT NULL", name="ck_contractor_document_verified_counts"
        ),
        sa.CheckConstraint("counts_to >= counts_from", name="ck_contractor_document_counts_to_after_from"),
        sa.CheckConstraint(
            "status <> 'verified' OR counts_to IS NULL", name="ck_contractor_document_verified_still_counts"
        ),
        sa.CheckConstraint("cover_pence >= 0", name="ck_contractor_document_cover_pence_not_negative"),
        reference("contractor_id", "contractor", table="contractor_document"),
        sa.PrimaryKeyConstraint("id", name="pk_contractor_document"),
        sa.UniqueConstraint("stored_name", name="uq_contractor_document_stored_name"),
    )


def documents() -> None:
    now = datetime.now(UTC)
    rows = made_anew("contractor_document", ("id", "contractor_id", "kind", "expires_on"), ())
    fill(
        document_table(),
        [
            {
                **row,
                "status": "verified",
                "counts_from": SINCE,
                "reason": "",
                "added_by": BY,
                "added_at": now,
                "file_name": "",
                "media_type": "",
                "sha256": "",
            }
            for row in rows
        ],
    )
    op.create_index("ix_contractor_document_contractor_id_kind", "contractor_document", ["contractor_id", "kind"])
    op.create_table(
        "document_word",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stage >= -1", name="ck_document_word_stage"),
        reference("member_id", "member", table="document_word"),
        sa.PrimaryKeyConstraint("member_id", "kind", name="pk_document_word"),
    )
    look = op.create_table(
        "document_look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=True),
        sa.Column("last_event", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document_look"),
    )
    fill(look, [{"id": 1, "looked_on": None, "last_event": 0}])


def member_areas() -> None:
    rows = made_anew("member_area", ("id", "member_id", "authority_id"), ("ix_member_area_authority_id",))
    table = op.create_table(
        "member_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=True),
        sa.Column("district", sa.String(length=4), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        one_area("member_area"),
        sa.CheckConstraint("to_on > from_on", name="ck_member_area_to_after_from"),
        reference("authority_id", "organisation", table="member_area"),
        reference("member_id", "member", table="member_area"),
        sa.PrimaryKeyConstraint("id", name="pk_member_area"),
    )
    fill(table, [{**row, "district": ""} for row in rows])
    op.create_index("ix_member_area_authority_id", "member_area", ["authority_id"])
    op.create_index("ix_member_area_member_id", "member_area", ["member_id"])
    op.create_index(
        "uq_member_area_authority_id", "member_area", ["member_id", "authority_id"], unique=True, **now_only()
    )
    op.create_index(
        "uq_member_area_district",
        "member_area",
        ["member_id", "district"],
        unique=True,
        **now_only(" AND district <> ''"),
    )


COMMITTED = sa.text("status IN ('sent', 'accepted', 'completed')")


def jobs() -> None:
    add("job", "work_type VARCHAR(120) DEFAULT '' NOT NULL")
    op.execute("UPDATE job SET work_type = (SELECT work_type FROM lot WHERE lot.id = job.lot_id)")
    op.drop_index("ix_lot_work_type", table_name="lot")
    op.drop_column("lot", "work_type")
    op.create_index(
        "ix_offer_committed",
        "offer",
        ["member_id", "status", "price_pence"],
        sqlite_where=COMMITTED,
        postgresql_where=COMMITTED,
    )
    op.create_index("ix_offer_contractor_id_sent_at", "offer", ["contractor_id", "sent_at"])
    # Before quotations every offer was priced by the rates.
    add("offer", "quoted BOOLEAN DEFAULT false NOT NULL")
    op.create_table(
        "estimate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(length=254), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_pence > 0", name="ck_estimate_amount_above_zero"),
        reference("job_id", "job", table="estimate"),
        reference("member_id", "member", table="estimate"),
        sa.PrimaryKeyConstraint("id", name="pk_estimate"),
        sa.UniqueConstraint("job_id", "member_id", name="uq_estimate_job_id_member_id"),
    )
    op.create_table(
        "direction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        reference("job_id", "job", table="direction"),
        sa.PrimaryKeyConstraint("id", name="pk_direction"),
        sa.UniqueConstraint("job_id", name="uq_direction_job_id"),
    )


def downgrade() -> None:
    op.drop_table("direction")
    op.drop_table("estimate")
    op.drop_index("ix_offer_contractor_id_sent_at", table_name="offer")
    op.drop_index("ix_offer_committed", table_name="offer", sqlite_where=COMMITTED, postgresql_where=COMMITTED)
    op.drop_column("offer", "quoted")
    add("lot", "work_type VARCHAR(120) DEFAULT '' NOT NULL")
    op.execute(
        "UPDATE lot SET work_type = coalesce("
        "(SELECT min(work_type) FROM lot_work_type WHERE lot_work_type.lot_id = lot.id), '')"
    )
    op.create_index("ix_lot_work_type", "lot", ["work_type"])
    op.drop_column("job", "work_type")
    areas_before()
    for table in ("document_look", "document_word"):
        op.drop_table(table)
    documents_before()
    members_before()
    for table in ("absence", "contractor_trade"):
        op.drop_table(table)
    op.drop_index("uq_contractor_company_number", table_name="contractor")
    for column in ("social_value", "month_limit_pence", "company_number"):
        drop_checked("contractor", column)
    requirements_before()
    drop_checked("lot", "capacity_rule")
    op.drop_table("lot_area")
    op.drop_table("lot_work_type")
    participations_before()
    for table in ("postcode_district", "review", "cap_decision", "framework_extension"):
        op.drop_table(table)
    for column in (
        "local_areas",
        "guaranteed_pence",
        "guaranteed_jobs",
        "quotes_needed",
        "review_months",
        "cap_warned",
        "value_cap_pence",
        "contracting_party",
        "regime",
        "kind",
    ):
        drop_checked("framework", column)


def drop_checked(table: str, column: str) -> None:
    """A column goes, and with it the CHECK or reference that was written beside it."""
    op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def requirements_before() -> None:
    rows = made_anew(
        "lot_requirement",
        ("id", "lot_id", "kind", "required", "to_on"),
        ("ix_lot_requirement_lot_id", "uq_lot_requirement_kind"),
    )
    table = op.create_table(
        "lot_requirement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        reference("lot_id", "lot", table="lot_requirement"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_requirement"),
        sa.UniqueConstraint("lot_id", "kind", name="uq_lot_requirement_lot_id_kind"),
    )
    kept = [row for row in rows if row["required"] and row["to_on"] is None]
    fill(table, [{name: row[name] for name in ("id", "lot_id", "kind")} for row in kept])


def areas_before() -> None:
    indexes = (
        "ix_member_area_authority_id",
        "ix_member_area_member_id",
        "uq_member_area_authority_id",
        "uq_member_area_district",
    )
    rows = [
        {name: row[name] for name in ("id", "member_id", "authority_id")}
        for row in made_anew("member_area", ("id", "member_id", "authority_id", "to_on"), indexes)
        if row["authority_id"] is not None and row["to_on"] is None
    ]
    table = op.create_table(
        "member_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        reference("authority_id", "organisation", table="member_area"),
        reference("member_id", "member", table="member_area"),
        sa.PrimaryKeyConstraint("id", name="pk_member_area"),
        sa.UniqueConstraint("member_id", "authority_id", name="uq_member_area_member_id_authority_id"),
    )
    fill(table, rows)
    op.create_index("ix_member_area_authority_id", "member_area", ["authority_id"])


def documents_before() -> None:
    best: dict[tuple[object, object], dict[str, object]] = {}
    for row in made_anew("contractor_document", ("id", "contractor_id", "kind", "expires_on", "status"), ()):
        key = row["contractor_id"], row["kind"]
        if row.pop("status") == "verified" and (key not in best or best[key]["expires_on"] < row["expires_on"]):
            best[key] = row
    table = op.create_table(
        "contractor_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        reference("contractor_id", "contractor", table="contractor_document"),
        sa.PrimaryKeyConstraint("id", name="pk_contractor_document"),
        sa.UniqueConstraint("contractor_id", "kind", name="uq_contractor_document_contractor_id_kind"),
    )
    fill(table, list(best.values()))


def members_before() -> None:
    """Ranks and standings as they are today; a member without a rank goes behind the others."""
    add("member", "rank INTEGER DEFAULT 100000 NOT NULL CONSTRAINT ck_member_rank_from_one CHECK (rank > 0)")
    add(
        "member",
        f"status VARCHAR(40) DEFAULT 'active' NOT NULL CONSTRAINT ck_member_memberstatus CHECK (status IN {STATUSES})",
    )
    add("member", "status_reason VARCHAR(500) DEFAULT '' NOT NULL")
    op.execute(
        "UPDATE member SET rank = coalesce((SELECT p.rank FROM rank_place p JOIN rank_edition e ON e.id = p.edition_id "
        "WHERE p.member_id = member.id AND e.starts_on <= CURRENT_DATE ORDER BY e.starts_on DESC LIMIT 1), 100000)"
    )
    last = "FROM member_event e WHERE e.member_id = member.id ORDER BY e.id DESC LIMIT 1"
    op.execute(f"UPDATE member SET status = coalesce((SELECT e.status {last}), status)")  # noqa: S608
    op.execute(f"UPDATE member SET status_reason = coalesce((SELECT e.reason {last}), '')")  # noqa: S608
    for table in ("rank_place", "rank_edition", "member_event"):
        op.drop_table(table)


def participations_before() -> None:
    first: dict[tuple[object, object], dict[str, object]] = {}
    for row in made_anew(
        "participation",
        ("id", "framework_id", "authority_id"),
        ("ix_participation_authority_id", "ix_participation_framework_id_authority_id"),
    ):
        first.setdefault((row["framework_id"], row["authority_id"]), row)
    table = op.create_table(
        "participation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        reference("authority_id", "organisation", table="participation"),
        reference("framework_id", "framework", table="participation"),
        sa.PrimaryKeyConstraint("id", name="pk_participation"),
        sa.UniqueConstraint("framework_id", "authority_id", name="uq_participation_framework_id_authority_id"),
    )
    fill(table, list(first.values()))
    op.create_index("ix_participation_authority_id", "participation", ["authority_id"])
