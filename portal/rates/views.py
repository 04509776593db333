"""Schedules and their catalogue."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.kernel import clock
from portal.rates import catalogue_views, queries, services
from portal.rates.models import Edition

bp = Blueprint("rates", __name__, template_folder="templates")

#: Other pages about rates, as the overview names them; each for those who may see it.
ROOMS = (
    (Permission.PUBLISH_RATES, "price_lists.listed", "Price lists: hand one in, see what it changes, publish it"),
    (Permission.SEE_RATES, "price_reviews.listed", "Price reviews"),
    (Permission.SEE_RATES, "star_rates.listed", "Star rates"),
    (Permission.SEE_RATES, "work_templates.listed", "Templates of works"),
)


@bp.app_template_global()
def edition_url(edition: Edition, **asked: Any) -> str:
    """The address of an edition's catalogue: by its name, or by its number where the name cannot stand in one."""
    if services.stands_in_addresses(edition):
        return url_for("rates.edition", schedule_code=edition.schedule.code, edition_name=edition.name, **asked)
    return url_for("editions.one", edition_id=edition.id, **asked)


@bp.get("/rates")
@requires(Permission.SEE_RATES)
def overview() -> ResponseReturnValue:
    """Every schedule and its editions: what is in force, to come, replaced; and the other pages about rates."""
    person = signed_in_person()
    return render_template(
        "rates/overview.html",
        schedules=queries.schedules(),
        today=clock.local_date(clock.now()),
        rooms=[
            (endpoint, text)
            for permission, endpoint, text in ROOMS
            if person.may(permission) and endpoint in current_app.view_functions
        ],
    )


@bp.get("/rates/<schedule_code>/<path:edition_name>")
@requires(Permission.SEE_RATES)
def edition(schedule_code: str, edition_name: str) -> ResponseReturnValue:
    """The catalogue of one edition: search over code and description, narrowed by trade, unit and rate."""
    return edition_page(queries.edition_for(schedule_code, edition_name))


def edition_page(found: Edition) -> ResponseReturnValue:
    """The catalogue of an edition, or the hits of a search alone."""
    search = catalogue_views.search(found.id)
    template = "rates/hits.html" if catalogue_views.only_hits() else "rates/edition.html"
    return render_template(
        template, edition=found, search=search, form=search.form, today=clock.local_date(clock.now())
    ), search.status
