"""``portal rates reviews``: reviews of a schedule's rates; one proposes, another approves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click

from portal.cli.frame import (
    Day,
    Percent,
    Pounds,
    actor,
    in_pounds,
    iso,
    json_option,
    show_json,
    with_app,
)
from portal.jobs.review_effect import Cost, Effect, effect_on_orders
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.money import percent
from portal.rates.reviews import queries, review_rules, services
from portal.rates.reviews.models import PriceReview
from portal.rates.reviews.preview import Change, Preview, ratio_text
from portal.rates.reviews.rules import scope_text, way_text


class Month(click.ParamType[date]):
    """A month such as 2026-04, as its first day."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else datetime.strptime(value, "%Y-%m").date()  # noqa: DTZ007
        except ValueError:
            self.fail(f"{value} is not a month; write it like 2026-04.", param, ctx)


against_option = click.option(
    "--against", default=None, help="What it must be still, as `show` says it; default: whatever it is now."
)


@click.group("reviews")
def reviews_() -> None:
    """Price reviews: a new edition out of the one in force, by rules; one proposes, another approves."""


@reviews_.command("list")
@json_option
@with_app
def list_(as_json: bool) -> None:
    """The reviews, the newest first."""
    found = queries.reviews()
    if as_json:
        show_json([_head(review) for review in found])
        return
    for review in found:
        click.echo(_line(review))


@reviews_.command("start")
@click.option("--schedule", required=True, help="The schedule's code.")
@click.option("--edition", required=True, help="The new edition's name.")
@click.option("--from", "starts_on", type=Day(), required=True, help="The day from which it is in force.")
@click.option("--note", default="", help="For whoever approves it.")
@json_option
@with_app
def start(schedule: str, edition: str, starts_on: date, note: str, as_json: bool) -> None:
    """Start a review of a schedule, on the latest edition before the day."""
    wanted = services.ReviewWanted(edition, starts_on, note)
    with transaction():
        review = services.start_review(schedule, wanted, by=actor(), now=clock.now())
    _answer(review.id, as_json)


@reviews_.command("change")
@click.argument("review", type=int)
@click.option("--edition", default=None, help="The new edition's name.")
@click.option("--from", "starts_on", type=Day(), default=None, help="The day from which it is in force.")
@click.option("--note", default=None, help="For whoever approves it.")
@json_option
@with_app
def change(review: int, edition: str | None, starts_on: date | None, note: str | None, as_json: bool) -> None:
    """Change a draft; what is not named stays. It rests on the latest edition before its day again."""
    found = queries.review_by_id(review)
    wanted = services.ReviewWanted(
        found.edition_name if edition is None else edition,
        starts_on or found.starts_on,
        found.note if note is None else note,
    )
    with transaction():
        services.change_review(review, wanted, by=actor(), now=clock.now())
    _answer(review, as_json)


@reviews_.command("rule")
@click.argument("review", type=int)
@click.option("--trade", default="", help="For the items of a trade. Without --trade and --item: for all.")
@click.option("--item", "code", default="", help="For one item, by its code.")
@click.option("--index", "index_code", default="", help="By this index, from one month to another.")
@click.option("--from-month", type=Month(), default=None)
@click.option("--to-month", type=Month(), default=None)
@click.option("--change", "change_bp", type=Percent(), default=None, help="By this percentage.")
@click.option("--rate", type=Pounds(), default=None, help="To this rate, for one item.")
@click.option("--floor", "floor_bp", type=Percent(), default=None, help="Rates change by no less per cent.")
@click.option("--cap", "cap_bp", type=Percent(), default=None, help="Rates change by no more per cent.")
@click.option("--remove", is_flag=True, help="Remove the rule for the trade, the item or all.")
@json_option
@with_app
def rule(
    review: int,
    trade: str,
    code: str,
    index_code: str,
    from_month: date | None,
    to_month: date | None,
    change_bp: int | None,
    rate: int | None,
    floor_bp: int | None,
    cap_bp: int | None,
    remove: bool,
    as_json: bool,
) -> None:
    """Set the rule for a trade, an item or all items of a draft; one that is there for it is replaced."""
    with transaction():
        if remove:
            found = review_rules.rule_for_scope(review, trade, code)
            review_rules.remove_rule(review, found.id, by=actor(), now=clock.now())
        else:
            wanted = review_rules.RuleWanted(
                trade, code, index_code, from_month, to_month, change_bp, rate, floor_bp, cap_bp
            )
            review_rules.set_rule(review, wanted, by=actor(), now=clock.now(), replace=True)
    _answer(review, as_json)


@reviews_.command("show")
@click.argument("review", type=int)
@click.option("--items", is_flag=True, help="With every item, the largest difference first.")
@click.option("--effect", is_flag=True, help="With the effect on the orders of the last twelve months.")
@json_option
@with_app
def show(review: int, items: bool, effect: bool, as_json: bool) -> None:
    """A review: its rules and what they change."""
    found = queries.review_by_id(review)
    preview = queries.preview_of(found)
    basket = (
        effect_on_orders(found.schedule_id, preview, now=found.decided_at or clock.now()) if effect else None
    )
    if as_json:
        show_json(_in_full(found, preview, items=items, effect=basket))
        return
    click.echo(_line(found))
    for row in found.rules:
        one = queries.rule_of(row)
        bounds = "".join(
            f", {word} {percent(points)} %"
            for word, points in (("floor", one.floor_bp), ("cap", one.cap_bp))
            if points is not None
        )
        click.echo(f"  {scope_text(one.scope)}: {way_text(one)}{bounds}")
    if found.status in queries.UNDER_WAY:
        click.echo(f"  To propose or approve no other than this: --against {queries.shown(found)}")
    click.echo(f"  {preview.up} rates up, {preview.down} down, {preview.same} unchanged.")
    for trade in preview.trades:
        click.echo(f"  {trade.trade or '(no trade)'}\t{trade.items} items\t{trade.mean}")
    if basket is not None:
        total = basket.total
        click.echo(
            f"  Last year's orders: {in_pounds(total.old_pence)} -> {in_pounds(total.new_pence)} ({total.percent}), "
            f"{total.orders} orders, {total.lines} lines"
        )
    if items:
        for each in preview.by_size:
            click.echo(
                f"{each.item.code}\t{in_pounds(each.item.rate_pence)}\t{in_pounds(each.new_pence)}\t{each.reason}"
            )


@reviews_.command("propose")
@click.argument("review", type=int)
@against_option
@json_option
@with_app
def propose(review: int, against: str | None, as_json: bool) -> None:
    """Put a draft before a second person."""
    with transaction():
        services.propose_review(review, by=actor(), now=clock.now(), against=against)
    _answer(review, as_json)


@reviews_.command("draft")
@click.argument("review", type=int)
@json_option
@with_app
def draft(review: int, as_json: bool) -> None:
    """Take a proposal back to a draft."""
    with transaction():
        services.return_to_draft(review, by=actor(), now=clock.now())
    _answer(review, as_json)


@reviews_.command("approve")
@click.argument("review", type=int)
@against_option
@json_option
@with_app
def approve(review: int, against: str | None, as_json: bool) -> None:
    """Approve what somebody else has proposed: the new edition is written, and the contractors are told."""
    with transaction():
        services.approve_review(review, by=actor(), now=clock.now(), against=against)
    _answer(review, as_json)


@reviews_.command("reject")
@click.argument("review", type=int)
@click.option("--reason", required=True)
@json_option
@with_app
def reject(review: int, reason: str, as_json: bool) -> None:
    """Reject what somebody else has proposed."""
    with transaction():
        services.reject_review(review, reason=reason, by=actor(), now=clock.now())
    _answer(review, as_json)


@reviews_.command("drop")
@click.argument("review", type=int)
@json_option
@with_app
def drop(review: int, as_json: bool) -> None:
    """End a review that nobody wants any more."""
    with transaction():
        services.drop_review(review, by=actor(), now=clock.now())
    _answer(review, as_json)


# What the verbs print -------------------------------------------------------------------------------------------------


def _answer(review_id: int, as_json: bool) -> None:
    """How a review stands after a step."""
    review = queries.review_by_id(review_id)
    if as_json:
        show_json(_in_full(review, queries.preview_of(review)))
    else:
        click.echo(_line(review))


def _line(review: PriceReview) -> str:
    return (
        f"{review.id}\t{review.schedule.code}\t{review.edition_name}\tfrom {review.starts_on.isoformat()}\t"
        f"{review.status.value}"
    )


def _head(review: PriceReview) -> dict[str, object]:
    return {
        "id": review.id,
        "schedule": review.schedule.code,
        "edition": review.edition_name,
        "from": iso(review.starts_on),
        "base": review.base.name,
        "status": review.status.value,
        "proposed_by": review.proposed_by,
        "decided_by": review.decided_by,
        "decided_at": iso(review.decided_at),
        "reason": review.decision_reason or None,
    }


def _in_full(
    review: PriceReview, preview: Preview, *, items: bool = False, effect: Effect | None = None
) -> dict[str, object]:
    document: dict[str, object] = {
        **_head(review),
        "against": queries.shown(review),
        "rules": [
            {
                "trade": one.trade or None,
                "item": one.code or None,
                "change": way_text(one),
                "floor_percent": None if one.floor_bp is None else percent(one.floor_bp),
                "cap_percent": None if one.cap_bp is None else percent(one.cap_bp),
            }
            for one in map(queries.rule_of, review.rules)
        ],
        "counts": {"up": preview.up, "down": preview.down, "unchanged": preview.same},
        "trades": [
            {
                "trade": trade.trade,
                "items": trade.items,
                "mean_percent": None if trade.mean_bp is None else percent(trade.mean_bp),
            }
            for trade in preview.trades
        ],
    }
    if items:
        document["items"] = [_item(each) for each in preview.by_size]
    if effect is not None:
        document["effect"] = {
            "since": iso(effect.since),
            "until": iso(effect.until),
            "total": _cost(effect.total),
            "work_types": [_cost(cost) for cost in effect.work_types],
            "authorities": [_cost(cost) for cost in effect.authorities],
            "not_affected": {kind.value: lines for kind, lines in effect.apart.items()},
            "codes_gone": dict(sorted(effect.gone.items())),
        }
    return document


def _item(change: Change) -> dict[str, object]:
    return {
        "code": change.item.code,
        "old_rate": in_pounds(change.item.rate_pence),
        "new_rate": in_pounds(change.new_pence),
        "change": ratio_text(change.item.rate_pence, change.new_pence),
        "reason": change.reason,
    }


def _cost(cost: Cost) -> dict[str, object]:
    return {
        "name": cost.name,
        "orders": cost.orders,
        "lines": cost.lines,
        "at_base": in_pounds(cost.old_pence),
        "at_new_rates": in_pounds(cost.new_pence),
        "difference": in_pounds(cost.difference_pence),
    }
