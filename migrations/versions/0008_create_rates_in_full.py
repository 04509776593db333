"""rates in full: relief from VAT, star rates, own rates, value bands, price lists, price reviews, funding

Every item gets the words by which the catalogue is searched: on SQLite an FTS5 table that triggers keep, on PostgreSQL
a GIN index. Orders say by which rule and edition each line was priced; those from before have no VAT.
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

RULES = "('schedule-rate', 'own-rate', 'star-rate', 'quote', 'minimum-order')"
#: Items whose words are worked out at a time.
BATCH = 5_000


def add(table: str, definition: str) -> None:
    """A column with its CHECK, which both engines can add without making the table anew."""
    op.execute(f"ALTER TABLE {table} ADD COLUMN {definition}")


def upgrade() -> None:
    items()
    catalogue()
    members()
    price_lists()
    reviews()
    jobs()
    funding()


def items() -> None:
    add("item", "vat_bp INTEGER DEFAULT 2000 NOT NULL CONSTRAINT ck_item_vat_rate CHECK (vat_bp IN (0, 500, 2000))")
    add("item", "withdrawn_on DATE")
    add(
        "item",
        "withdrawn_reason VARCHAR(500) DEFAULT '' NOT NULL CONSTRAINT ck_item_withdrawn_with_a_reason "
        "CHECK (withdrawn_on IS NULL OR withdrawn_reason <> '')",
    )
    add("item", "words TEXT DEFAULT '' NOT NULL")
    fill_words()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX ix_item_words ON item USING gin (array_to_tsvector("
            "array_append(array_remove(string_to_array(words, ' '), ''), '#' || edition_id)))"
        )
        return
    op.execute("CREATE VIRTUAL TABLE item_fts USING fts5(edition, words, content='', detail=column, tokenize='ascii')")
    op.execute("INSERT INTO item_fts (rowid, edition, words) SELECT id, edition_id, words FROM item")
    op.execute(
        "CREATE TRIGGER item_fts_insert AFTER INSERT ON item BEGIN "
        "INSERT INTO item_fts (rowid, edition, words) VALUES (new.id, new.edition_id, new.words); END"
    )
    gone = (
        "INSERT INTO item_fts (item_fts, rowid, edition, words) VALUES ('delete', old.id, old.edition_id, old.words);"
    )
    op.execute(f"CREATE TRIGGER item_fts_delete AFTER DELETE ON item BEGIN {gone} END")
    again = "INSERT INTO item_fts (rowid, edition, words) VALUES (new.id, new.edition_id, new.words);"
    op.execute(f"CREATE TRIGGER item_fts_update AFTER UPDATE OF words, edition_id ON item BEGIN {gone} {again} END")


def fill_words() -> None:
    """The words of the items that are there, as the portal works them out (``rates.search_words``)."""
    item = sa.table("item", *map(sa.column, ("id", "code", "description", "words")))
    last = 0
    while (
        rows := op.get_bind()
        .execute(
            sa.select(item.c.id, item.c.code, item.c.description)
            .where(item.c.id > last)
            .order_by(item.c.id)
            .limit(BATCH)
        )
        .all()
    ):
        op.get_bind().execute(
            sa.update(item).where(item.c.id == sa.bindparam("item")).values(words=sa.bindparam("found")),
            [{"item": row.id, "found": words_of(row.code, row.description)} for row in rows],
        )
        last = rows[-1].id


def words_of(code: str, description: str) -> str:
    folded = [
        "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)).lower()
        for text in (code, f"{code} {description}")
    ]
    alone = re.sub(r"[^a-z0-9]+", "", folded[0]).translate(str.maketrans("oil", "011"))
    return f"{alone} {re.sub(r'[^a-z0-9]+', ' ', folded[1]).strip()}"


def fill_vocabulary() -> None:
    """The words to which a typing error can be mended: four letters and more."""
    rows = op.get_bind().execute(sa.text("SELECT edition_id, words FROM item")).all()
    found = {(edition, word) for edition, words in rows for word in words.split() if 4 <= len(word) <= 40}
    table = sa.table("catalogue_word", sa.column("edition_id"), sa.column("word"))
    known = [{"edition_id": edition, "word": word} for edition, word in sorted(found) if word.isalpha()]
    if known:
        op.bulk_insert(table, known)


def catalogue() -> None:
    op.create_table(
        "catalogue_word",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name="fk_catalogue_word_edition_id"),
        sa.PrimaryKeyConstraint("edition_id", "word", name="pk_catalogue_word"),
    )
    op.create_table(
        "star_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("trade", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("rate_pence", sa.BigInteger(), nullable=False),
        sa.Column("vat_bp", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "approved",
                "rejected",
                "withdrawn",
                name="starratestatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("proposed_by", sa.String(length=254), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("status <> 'approved' OR from_on IS NOT NULL", name="approved_from_a_day"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="decided_by_another"),
        sa.CheckConstraint("rate_pence >= 0", name="rate_pence_not_negative"),
        sa.CheckConstraint("to_on > from_on", name="to_after_from"),
        sa.CheckConstraint("vat_bp IN (0, 500, 2000)", name="vat_rate"),
        sa.ForeignKeyConstraint(["authority_id"], ["organisation.id"], name="fk_star_rate_authority_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_star_rate_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_star_rate"),
        sa.UniqueConstraint("schedule_id", "code", name="uq_star_rate_schedule_id_code"),
    )
    op.create_index("ix_star_rate_authority_id", "star_rate", ["authority_id"])
    op.create_index("ix_star_rate_status", "star_rate", ["status"])
    op.create_table(
        "work_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("work_type", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_work_template_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_work_template"),
        sa.UniqueConstraint("schedule_id", "name", name="uq_work_template_schedule_id_name"),
    )
    op.create_table(
        "work_template_line",
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="quantity_above_zero"),
        sa.ForeignKeyConstraint(["template_id"], ["work_template.id"], name="fk_work_template_line_template_id"),
        sa.PrimaryKeyConstraint("template_id", "position", name="pk_work_template_line"),
    )
    fill_vocabulary()


def members() -> None:
    op.create_table(
        "member_band",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("from_pence", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_bp", sa.Integer(), nullable=False),
        sa.CheckConstraint("adjustment_bp > -10000", name="adjustment_keeps_a_price"),
        sa.CheckConstraint("from_pence > 0", name="from_above_zero"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_member_band_member_id"),
        sa.PrimaryKeyConstraint("member_id", "from_pence", name="pk_member_band"),
    )
    op.create_table(
        "member_rate",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("rate_pence", sa.BigInteger(), nullable=True),
        sa.Column("agreed_by", sa.String(length=254), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate_pence >= 0", name="rate_pence_not_negative"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_member_rate_member_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_member_rate_schedule_id"),
        sa.PrimaryKeyConstraint("member_id", "schedule_id", "code", "starts_on", name="pk_member_rate"),
    )
    op.create_index("ix_member_rate_schedule_id", "member_rate", ["schedule_id"])


def price_lists() -> None:
    op.create_table(
        "price_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_code", sa.String(length=64), nullable=False),
        sa.Column("schedule_name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("edition_name", sa.String(length=200), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("stored_name", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "reading",
                "ready",
                "refused",
                "published",
                "dropped",
                name="priceliststatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("parts_done", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=True),
        sa.Column("kept_sha256", sa.String(length=64), nullable=True),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("problem_count", sa.Integer(), nullable=False),
        sa.Column("set_aside", sa.Text(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=254), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edition_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(status = 'published') = (edition_id IS NOT NULL)", name="published_with_its_edition"
        ),
        sa.CheckConstraint("parts_done >= 0 AND parts_done <= parts", name="parts_done"),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name="fk_price_list_edition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_price_list"),
        sa.UniqueConstraint("stored_name", name="uq_price_list_stored_name"),
    )
    op.create_index("ix_price_list_status", "price_list", ["status"])
    op.create_index(
        "uq_price_list_under_way",
        "price_list",
        ["schedule_code"],
        unique=True,
        sqlite_where=sa.text("status IN ('waiting', 'reading', 'ready')"),
        postgresql_where=sa.text("status IN ('waiting', 'reading', 'ready')"),
    )


def reviews() -> None:
    op.create_table(
        "price_index",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("updated_by", sa.String(length=254), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_price_index"),
        sa.UniqueConstraint("code", name="uq_price_index_code"),
    )
    op.create_table(
        "index_month",
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("value > 0", name="value_above_zero"),
        sa.ForeignKeyConstraint(["index_id"], ["price_index.id"], name="fk_index_month_index_id"),
        sa.PrimaryKeyConstraint("index_id", "month", name="pk_index_month"),
    )
    op.create_table(
        "price_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=False),
        sa.Column("edition_name", sa.String(length=200), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "proposed",
                "approved",
                "rejected",
                "dropped",
                name="reviewstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("made_by", sa.String(length=254), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hands", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=254), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=254), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=1000), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(status = 'approved') = (edition_id IS NOT NULL)", name="approved_with_its_edition"
        ),
        sa.CheckConstraint(
            "status NOT IN ('proposed', 'approved') OR proposed_by IS NOT NULL", name="proposed_by_one"
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name="decided_by_another"
        ),
        sa.ForeignKeyConstraint(["base_id"], ["edition.id"], name="fk_price_review_base_id"),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name="fk_price_review_edition_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_price_review_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_price_review"),
    )
    op.create_index("ix_price_review_schedule_id", "price_review", ["schedule_id"])
    op.create_index(
        "uq_price_review_under_way",
        "price_review",
        ["schedule_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('draft', 'proposed')"),
        postgresql_where=sa.text("status IN ('draft', 'proposed')"),
    )
    op.create_table(
        "review_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("trade", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=True),
        sa.Column("from_month", sa.Date(), nullable=True),
        sa.Column("to_month", sa.Date(), nullable=True),
        sa.Column("from_value", sa.BigInteger(), nullable=True),
        sa.Column("to_value", sa.BigInteger(), nullable=True),
        sa.Column("change_bp", sa.Integer(), nullable=True),
        sa.Column("new_rate_pence", sa.BigInteger(), nullable=True),
        sa.Column("floor_bp", sa.Integer(), nullable=True),
        sa.Column("cap_bp", sa.Integer(), nullable=True),
        sa.CheckConstraint("new_rate_pence IS NULL OR code <> ''", name="new_rate_of_one_item"),
        sa.CheckConstraint("trade = '' OR code = ''", name="trade_or_item"),
        sa.CheckConstraint(
            "(index_id IS NULL) = (from_value IS NULL) AND (from_value IS NULL) = (to_value IS NULL)"
            " AND (from_value IS NULL) = (from_month IS NULL) AND (from_value IS NULL) = (to_month IS NULL)",
            name="index_with_its_values",
        ),
        sa.CheckConstraint(
            "CASE WHEN from_value IS NULL THEN 0 ELSE 1 END + CASE WHEN change_bp IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN new_rate_pence IS NULL THEN 0 ELSE 1 END = 1",
            name="one_way_to_change",
        ),
        sa.CheckConstraint("cap_bp >= floor_bp", name="cap_above_floor"),
        sa.CheckConstraint("change_bp > -10000", name="change_keeps_a_price"),
        sa.CheckConstraint("floor_bp > -10000", name="floor_keeps_a_price"),
        sa.CheckConstraint("new_rate_pence >= 0", name="new_rate_pence_not_negative"),
        sa.ForeignKeyConstraint(["index_id"], ["price_index.id"], name="fk_review_rule_index_id"),
        sa.ForeignKeyConstraint(["review_id"], ["price_review.id"], name="fk_review_rule_review_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_rule"),
        sa.UniqueConstraint("review_id", "trade", "code", name="uq_review_rule_review_id_trade_code"),
    )
    op.create_table(
        "price_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("contractor_id", sa.Integer(), nullable=False),
        sa.Column("trade", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("asked_bp", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("stored_name", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "taken-up",
                "refused",
                "withdrawn",
                name="requeststatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("made_by", sa.String(length=254), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=1000), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(status = 'taken-up') = (review_id IS NOT NULL)", name="taken_up_by_a_review"
        ),
        sa.CheckConstraint("(trade = '') <> (code = '')", name="trade_or_item"),
        sa.CheckConstraint(
            "status <> 'refused' OR decision_reason <> ''", name="refused_with_a_reason"
        ),
        sa.CheckConstraint("asked_bp > -10000", name="asked_keeps_a_price"),
        sa.ForeignKeyConstraint(["contractor_id"], ["contractor.id"], name="fk_price_request_contractor_id"),
        sa.ForeignKeyConstraint(["review_id"], ["price_review.id"], name="fk_price_request_review_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_price_request_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_price_request"),
        sa.UniqueConstraint("stored_name", name="uq_price_request_stored_name"),
    )
    op.create_index("ix_price_request_contractor_id", "price_request", ["contractor_id"])
    op.create_index("ix_price_request_schedule_id_status", "price_request", ["schedule_id", "status"])


def jobs() -> None:
    add(
        "framework",
        "variation_rates VARCHAR(40) DEFAULT 'order-edition' NOT NULL CONSTRAINT ck_framework_variationrates "
        "CHECK (variation_rates IN ('order-edition', 'edition-in-force'))",
    )
    add(
        "lot",
        "minimum_order_pence BIGINT DEFAULT 0 NOT NULL CONSTRAINT ck_lot_minimum_order_pence_not_negative "
        "CHECK (minimum_order_pence >= 0)",
    )
    add(
        "lot",
        "out_of_hours_bp INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_lot_out_of_hours "
        "CHECK (out_of_hours_bp BETWEEN 0 AND 20000)",
    )
    add("job", "out_of_hours BOOLEAN DEFAULT false NOT NULL")
    add(
        "job_line",
        f"rule VARCHAR(40) DEFAULT 'schedule-rate' NOT NULL CONSTRAINT ck_job_line_pricerule CHECK (rule IN {RULES})",
    )
    add(
        "job_line",
        "vat_bp INTEGER DEFAULT 2000 NOT NULL CONSTRAINT ck_job_line_vat_rate CHECK (vat_bp IN (0, 500, 2000))",
    )
    add("offer", "own_rates TEXT DEFAULT '{}' NOT NULL")
    add("offer", "uplift_bp INTEGER DEFAULT 0 NOT NULL")
    add("offer", "minimum_pence BIGINT DEFAULT 0 NOT NULL")
    add("offer", "band_pence BIGINT DEFAULT 0 NOT NULL")
    order_lines()


def put_aside() -> None:
    op.execute("CREATE TABLE order_line_before AS SELECT * FROM order_line")
    op.drop_table("order_line")


def order_lines() -> None:
    """Made anew, because SQLite adds no foreign key to a table that is there."""
    put_aside()
    op.create_table(
        "order_line",
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("rate_pence", sa.BigInteger(), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "schedule-rate",
                "own-rate",
                "star-rate",
                "quote",
                "minimum-order",
                name="pricerule",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("adjustment_bp", sa.Integer(), nullable=False),
        sa.Column("uplift_bp", sa.Integer(), nullable=False),
        sa.Column("net_pence", sa.BigInteger(), nullable=False),
        sa.Column("vat_bp", sa.Integer(), nullable=True),
        sa.Column("vat_pence", sa.BigInteger(), nullable=True),
        sa.Column("vat_why", sa.String(length=200), nullable=False),
        sa.CheckConstraint("(vat_bp IS NULL) = (vat_pence IS NULL)", name="vat_with_its_rate"),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name="fk_order_line_edition_id"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_order_line_offer_id"),
        sa.PrimaryKeyConstraint("offer_id", "position", name="pk_order_line"),
    )
    op.execute(
        "INSERT INTO order_line SELECT line.offer_id, line.position, line.code, line.description, line.unit, "
        "line.quantity, line.rate_pence, CASE WHEN offer.quoted THEN 'quote' ELSE 'schedule-rate' END, "
        "job.edition_id, line.adjustment_bp, 0, line.net_pence, NULL, NULL, '' FROM order_line_before AS line "
        "JOIN offer ON offer.id = line.offer_id JOIN job ON job.id = offer.job_id"
    )
    op.drop_table("order_line_before")
    op.create_index("ix_order_line_edition_id", "order_line", ["edition_id"])


def funding() -> None:
    op.create_table(
        "vat_declaration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "disabled-person", "over-60", name="declared", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("kept_at", sa.String(length=200), nullable=False),
        sa.Column("recorded_by", sa.String(length=254), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=254), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn_by_somebody"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_vat_declaration_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_vat_declaration"),
    )
    op.create_index("ix_vat_declaration_job_id", "vat_declaration", ["job_id"])
    op.create_index(
        "uq_vat_declaration_now",
        "vat_declaration",
        ["job_id", "kind"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "funding",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("contribution_pence", sa.BigInteger(), nullable=False),
        sa.Column("agreed_pence", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=254), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("agreed_pence >= 0", name="agreed_pence_not_negative"),
        sa.CheckConstraint("contribution_pence >= 0", name="contribution_pence_not_negative"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_funding_job_id"),
        sa.PrimaryKeyConstraint("job_id", name="pk_funding"),
    )


TABLES = (
    "funding",
    "vat_declaration",
    "price_request",
    "review_rule",
    "price_review",
    "index_month",
    "price_index",
    "price_list",
    "member_rate",
    "member_band",
    "work_template_line",
    "work_template",
    "star_rate",
    "catalogue_word",
)
#: A column goes, and with it the CHECK that was written beside it.
COLUMNS = (
    ("offer", ("band_pence", "minimum_pence", "uplift_bp", "own_rates")),
    ("job_line", ("vat_bp", "rule")),
    ("job", ("out_of_hours",)),
    ("lot", ("out_of_hours_bp", "minimum_order_pence")),
    ("framework", ("variation_rates",)),
    ("item", ("words", "withdrawn_reason", "withdrawn_on", "vat_bp")),
)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    order_lines_before()
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_item_words")
    else:
        for trigger in ("item_fts_insert", "item_fts_delete", "item_fts_update"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE item_fts")
    for table, columns in COLUMNS:
        for column in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def order_lines_before() -> None:
    put_aside()
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
    op.execute(
        "INSERT INTO order_line SELECT offer_id, position, code, description, unit, quantity, rate_pence, "
        "adjustment_bp, net_pence FROM order_line_before"
    )
    op.drop_table("order_line_before")
