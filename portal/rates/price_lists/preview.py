"""What publishing a list would change: against the edition in force then, in its composites, for members' own rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.framework.member_models import Member
from portal.kernel import money
from portal.rates.models import Edition, MemberRate
from portal.rates.price_lists.composites import CompositePrice, composite_prices
from portal.rates.price_lists.diff import Change, Differences, Kind, differences
from portal.rates.price_lists.queries import edition_before, items_of, members_by_id, own_rates_for
from portal.rates.schedule_file import ItemRow


@dataclass(frozen=True, slots=True)
class OwnRate:
    """A member's own rate that would stand beside the new edition without its item, or with another unit."""

    rate: MemberRate
    member: Member
    #: The unit before and after; ``None`` after: the code is gone.
    unit_before: str
    unit_after: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list would change. ``against`` is the edition that it would replace, if there is one.

    ``composites`` are those whose price is not the sum of their parts.
    """

    against: Edition | None
    differences: Differences
    composites: list[CompositePrice]
    own_rates: list[OwnRate]


def preview(items: Sequence[ItemRow], schedule_code: str, starts_on: date) -> Preview:
    """What ``items`` would change as the schedule's edition from ``starts_on`` on. Five statements at most."""
    against = edition_before(schedule_code, starts_on)
    found = differences(items_of(against.id) if against else (), items)
    return Preview(against, found, uneven_composites(items), _own_rates(found, starts_on, against))


def uneven_composites(items: Sequence[ItemRow]) -> list[CompositePrice]:
    """The composites whose price is not the sum of their parts, the most uneven first."""
    composites = [item for item in items if item.parts]
    if not composites:
        return []
    rates = {item.code: item.rate_pence for item in items}
    return [each for each in composite_prices(composites, rates) if each.difference_pence]


def _own_rates(found: Differences, day: date, against: Edition | None) -> list[OwnRate]:
    if against is None:
        return []
    units: dict[str, tuple[str, str | None]] = {item.code: (item.unit, None) for item in found.gone}
    units |= {
        change.code: (change.before.unit, change.after.unit) for change in found.changed if Kind.UNIT in change.kinds
    }
    rates = own_rates_for(units.keys(), day, against.schedule_id)
    members = members_by_id({rate.member_id for rate in rates}) if rates else {}
    return [OwnRate(rate, members[rate.member_id], *units[rate.code]) for rate in rates]


# As a document -------------------------------------------------------------------------------------------------------


def as_document(found: Preview) -> dict[str, Any]:
    """The whole of a preview as JSON carries it."""
    return {
        "against": found.against.name if found.against else None,
        "same": found.differences.same,
        "counts": {kind.value: count for kind, count in found.differences.counts.items()},
        "new": [_item(item) for item in found.differences.new],
        "gone": [_item(item) for item in found.differences.gone],
        "changed": [_change(change) for change in found.differences.changed],
        "composites": [composite_document(each) for each in found.composites],
        "own_rates": [
            {
                "code": each.rate.code,
                "member": each.member.contractor.organisation.code,
                "lot": each.member.lot.name,
                "rate": money.pounds(each.rate.rate_pence or 0),
                "unit_before": each.unit_before,
                "unit_after": each.unit_after,
            }
            for each in found.own_rates
        ],
    }


def composite_document(each: CompositePrice) -> dict[str, Any]:
    """A composite's price beside the sum of its parts as JSON carries it."""
    by = each.difference_bp
    return {
        "code": each.code,
        "rate": money.pounds(each.rate_pence),
        "sum_of_parts": money.pounds(each.sum_pence),
        "difference": money.pounds(each.difference_pence),
        "difference_percent": None if by is None else money.percent(by),
        "look": each.look,
    }


def _item(item: ItemRow) -> dict[str, Any]:
    return {
        "code": item.code,
        "description": item.description,
        "unit": item.unit,
        "rate": money.pounds(item.rate_pence),
    }


def _change(change: Change) -> dict[str, Any]:
    by = change.share_bp
    return {
        "code": change.code,
        "kinds": sorted(kind.value for kind in change.kinds),
        "before": _values(change.before),
        "after": _values(change.after),
        "difference": money.pounds(change.pence),
        "difference_percent": None if by is None else money.percent(by),
    }


def _values(item: ItemRow) -> dict[str, Any]:
    return {
        **_item(item),
        "long_description": item.long_description,
        "trade": item.trade,
        "smv": None if item.smv is None else format(item.smv, "f"),
        "composite": item.composite,
        "components": parts_text(item.parts),
        "vat_percent": money.percent(item.vat_bp),
        "withdrawn": item.withdrawn_on.isoformat() if item.withdrawn_on else None,
    }


def parts_text(parts: Sequence[tuple[str, Decimal]]) -> str:
    """A composite's parts as a price list writes them."""
    return ";".join(f"{code}*{quantity:f}" for code, quantity in parts)
