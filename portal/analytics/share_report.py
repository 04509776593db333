"""Fair share in words, as rows of a list, and as a JSON document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.analytics.fair_share import FairShare, Share
from portal.jobs.states import OfferStatus
from portal.kernel.money import pounds, shown


def in_words(seen: FairShare) -> str:
    """What the picture shows, in words: each contractor's share of the value, and the agreed one."""
    if not seen.value_pence:
        return "There are no orders in this period, so there are no shares to draw."
    measure = seen.measure.lower()
    sentences = [f"Share of {shown(seen.value_pence)} of orders by contractor, beside the {measure}."]
    sentences += [
        f"{each.firm.name}: {each.share} % of the value"
        + (f", {measure} {each.agreed} %." if each.agreed is not None else ".")
        for each in seen.shares
    ]
    return " ".join(sentences)


def as_document(seen: FairShare) -> dict[str, Any]:
    """The shares as JSON carries them: money in pounds and shares in per cent as decimal strings, days in ISO 8601."""
    return {
        "from": seen.period.first.isoformat(),
        "to": seen.period.last.isoformat(),
        "basis": {name: basis.value for name, basis in seen.bases.items()},
        "orders": seen.orders,
        "value": pounds(seen.value_pence),
        "sme_percent": _text(seen.sme_share),
        "local_percent": _text(seen.local_share),
        "members": [
            {
                "code": each.firm.code,
                "name": each.firm.name,
                "offers": each.offers,
                "accepted": each.accepted,
                "declined": each.count(OfferStatus.DECLINED),
                "no_answer": each.count(OfferStatus.EXPIRED),
                "failed_to_start": each.count(OfferStatus.FAILED_TO_START),
                "taken_back": each.count(OfferStatus.WITHDRAWN),
                "waiting": each.count(OfferStatus.SENT),
                "value": pounds(each.value_pence),
                "share_percent": _text(each.share),
                "agreed_percent": _text(each.agreed),
                "difference_points": _text(each.difference),
                "sme": each.firm.sme,
                "local": each.firm.local if seen.local_pence is not None else None,
            }
            for each in seen.shares
        ],
    }


def _text(share: Decimal | None) -> str | None:
    return None if share is None else format(share, "f")


CSV_HEADER = (
    "code",
    "name",
    "offers",
    "accepted",
    "declined",
    "no_answer",
    "failed_to_start",
    "taken_back",
    "waiting",
    "orders_value",
    "share_percent",
    "agreed_percent",
    "difference_points",
    "sme",
    "local",
)


def plain_row(each: Share, *, local_known: bool) -> tuple[object, ...]:
    """One contractor as a row under ``CSV_HEADER``; ``local`` is empty where nobody has said what is local."""
    return (
        each.firm.code,
        each.firm.name,
        each.offers,
        each.accepted,
        each.count(OfferStatus.DECLINED),
        each.count(OfferStatus.EXPIRED),
        each.count(OfferStatus.FAILED_TO_START),
        each.count(OfferStatus.WITHDRAWN),
        each.count(OfferStatus.SENT),
        pounds(each.value_pence),
        each.share,
        each.agreed,
        each.difference,
        "yes" if each.firm.sme else "no",
        ("yes" if each.firm.local else "no") if local_known else "",
    )
