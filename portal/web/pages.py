"""Small things pages need from Python: the summary of a form's errors, the addresses of a list's other pages."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import get_template_attribute, request, url_for
from flask_wtf import FlaskForm
from govuk_frontend_wtf.main import wtforms_errors
from markupsafe import Markup

EDGE = 1
AROUND = 1


class NavigationItem(NamedTuple):
    """One entry of the service navigation: where it leads, what it says, whether the page is in it."""

    href: str
    text: str
    active: bool = False


def form_errors(form: FlaskForm) -> Markup:
    """The GOV.UK error summary of ``form``, each error linked to its field; empty when there are none."""
    if not form.errors:
        return Markup("")
    error_summary = get_template_attribute(
        "govuk_frontend_jinja/components/error-summary/macro.html", "govukErrorSummary"
    )
    written: Markup = error_summary(wtforms_errors(form))
    return written


def page_url(number: int) -> str:
    """The address of page ``number`` of the list being looked at, filters kept."""
    arguments: dict[str, Any] = {**request.args.to_dict(flat=False), **(request.view_args or {}), "page": number}
    return url_for(request.endpoint or "", **arguments)


def page_numbers(current: int, pages: int) -> list[int | None]:
    """The page numbers worth a link, in order; ``None`` stands for those left out (``1 … 4 5 6 … 20``).

    ``current`` and ``pages`` count from 1. A gap of a single page is shown rather than hidden.
    """
    wanted = {number for number in range(1, pages + 1) if number <= EDGE or number > pages - EDGE}
    wanted |= {number for number in range(current - AROUND, current + AROUND + 1) if 1 <= number <= pages}
    shown: list[int | None] = []
    for number in sorted(wanted):
        last = shown[-1] if shown else 0
        if last is not None and number - last == 2:
            shown.append(number - 1)
        elif last is not None and number - last > 2:
            shown.append(None)
        shown.append(number)
    return shown
