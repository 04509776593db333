"""The catalogue on pages: what is searched for, and one item with its parts and its history."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.kernel import clock
from portal.rates import item_queries
from portal.rates.catalogue import PAGE, Finding, Wanted, find
from portal.rates.search_form import SearchForm

bp = Blueprint("catalogue", __name__, template_folder="templates")
#: The header with which the script of a page asks for the hits alone.
PART = "X-Portal-Part"


@dataclass(frozen=True, slots=True)
class Search:
    """A search as its page shows it. ``finding`` is ``None`` when the form is not in order."""

    form: SearchForm
    wanted: Wanted
    finding: Finding | None

    @property
    def status(self) -> int:
        return 422 if self.finding is None else 200


def only_hits() -> bool:
    """Whether the hits alone are asked for, without the page round them."""
    return request.headers.get(PART) == "hits"


def search(edition_id: int, limit: int = PAGE) -> Search:
    """The search in the address of this request, answered."""
    form = SearchForm(request.args)
    in_order = form.validate()
    wanted = form.wanted(request.args.get("after", ""))
    trades, units = ([], []) if only_hits() else item_queries.trades_and_units(edition_id)
    form.offer(trades, units)
    return Search(form, wanted, find(edition_id, wanted, limit) if in_order else None)


@bp.get("/rates/items/<int:item_id>")
@requires(Permission.SEE_RATES)
def item(item_id: int) -> ResponseReturnValue:
    """One item: what it is, its parts, where it is a part, its rate in other editions."""
    return render_template(
        "rates/item.html", shown=item_queries.item_in_full(item_id), today=clock.local_date(clock.now())
    )
