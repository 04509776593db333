"""A schedule with trades and a composite, an index, and reviews of it: what tests of price reviews stand on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from builders import NOW, OFFICER, TODAY, Scene, edition, unique
from files_made import pdf_bytes

from portal.framework.documents.files import check_file, kept
from portal.framework.member_models import Contractor
from portal.kernel.db import db, transaction
from portal.rates.models import Edition, Schedule
from portal.rates.reviews import indices, requests, review_rules, services
from portal.rates.reviews.index_file import IndexFile, read_index
from portal.rates.reviews.models import PriceIndex, PriceRequest, PriceReview
from portal.rates.reviews.requests import RequestWanted
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.schedule_file import ItemRow
from portal.rates.services import write_edition

MANAGER = "manager@authority-a.example"
PROCUREMENT = "procurement@authority-a.example"
BEGINS = date(2026, 7, 1)
APRIL_25, APRIL_26 = date(2025, 4, 1), date(2026, 4, 1)
ITEMS = (
    ItemRow("LIFT01", "Stair lift, straight", "", "Lifts", "nr", 209_400, None, composite=False, vat_bp=0),
    ItemRow("RAIL01", "Grab rail", "In stainless steel", "Rails", "nr", 4_250, Decimal("12.5"), composite=False),
    ItemRow("TRAY01", "Shower tray", "", "Bathrooms", "nr", 45_000, None, composite=False),
    ItemRow(
        "OLD01", "Bath lift", "", "Bathrooms", "nr", 9_000, None, False, 500, date(2026, 4, 2), "No longer made"
    ),
    ItemRow(
        "LAS01",
        "Level-access shower",
        "",
        "Bathrooms",
        "nr",
        60_000,
        None,
        composite=True,
        parts=(("RAIL01", Decimal(2)), ("TRAY01", Decimal(1))),
    ),
)


def schedule(*items: ItemRow, code: str | None = None) -> Edition:
    """A schedule with one edition, in force from 1 April 2026."""
    with transaction():
        made = Schedule(code=code or unique("SOR"), name="Adaptations", currency="GBP")
        db.session.add(made)
        db.session.flush()
        return write_edition(
            made,
            items or ITEMS,
            name="2026",
            starts_on=APRIL_26,
            source="rates.csv",
            because="edition imported",
            by=OFFICER,
            now=NOW,
        )


def later_edition(first: Edition, starts_on: date, name: str = "Between") -> Edition:
    """Another edition of the same schedule."""
    return edition({"LIFT01": 1_000}, first.schedule.code, name, starts_on)


def cpi(folder: Path, text: str = "month,value\n2025-04,131.2\n2026-04,135.9\n", code: str = "CPI") -> PriceIndex:
    """An index out of a file."""
    path = folder / "cpi.csv"
    path.write_text(text, encoding="utf-8")
    with transaction():
        return indices.import_index(
            read_index(path, TODAY), code=code, name="Consumer prices", by=PROCUREMENT, now=NOW
        ).index


def by_cpi(**more: object) -> RuleWanted:
    """A rule by the index, from April to April."""
    return RuleWanted(index_code="CPI", from_month=APRIL_25, to_month=APRIL_26, **more)  # type: ignore[arg-type]


def review(
    of: Edition, *rules: RuleWanted, name: str = "2026b", starts_on: date = BEGINS, proposed: bool = False
) -> PriceReview:
    """A review of the schedule with these rules, by procurement."""
    with transaction():
        made = services.start_review(
            of.schedule.code, services.ReviewWanted(name, starts_on), by=PROCUREMENT, now=NOW
        )
    for rule in rules:
        with transaction():
            review_rules.set_rule(made.id, rule, by=PROCUREMENT, now=NOW)
    if proposed:
        with transaction():
            services.propose_review(made.id, by=PROCUREMENT, now=NOW)
    return db.session.get_one(PriceReview, made.id)


def request(
    firm: Contractor, of: Edition, uploads: Path, *, code: str = "LIFT01", asked_bp: int = 450, reason: str = "Steel"
) -> PriceRequest:
    """A contractor's request for another rate, with evidence."""
    file = check_file("prices.pdf", pdf_bytes())
    wanted = RequestWanted(of.schedule.code, "", code, asked_bp, reason)
    with kept(uploads, file) as stored_name, transaction():
        return requests.make_request(firm.id, wanted, by=firm.email, now=NOW, file=file, stored_name=stored_name)


def price_review_records(there: Scene, uploads: Path) -> dict[str, object]:
    """An index, a draft of a review with a rule, and a request of the scene's first firm with evidence."""
    with transaction():
        change = indices.import_index(
            IndexFile("cpi.csv", {APRIL_26: Decimal("135.9")}), code="CPI", name="Prices", by=PROCUREMENT, now=NOW
        )
    asked = request(there.members[0].contractor, there.edition, uploads)
    made = review(there.edition, RuleWanted(change_bp=100))
    return {
        "index_code": change.index.code,
        "price_review_id": made.id,
        "rule_id": made.rules[0].id,
        "request_id": asked.id,
    }
