"""What a change to the works of an order would cost: looked at, never written."""

from __future__ import annotations

import re
from decimal import Decimal

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from wtforms import SubmitField

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.fields import LinesField, Needed
from portal.jobs import queries
from portal.jobs.line_prices import ChangePrice, price_change
from portal.jobs.models import Job
from portal.jobs.order_prices import standing_offer
from portal.jobs.states import OfferStatus
from portal.kernel import clock
from portal.kernel.errors import InputRefused, Problem
from portal.rates.basket import Basket, quantity_fault

bp = Blueprint("change_prices", __name__, template_folder="templates", url_prefix="/jobs")
#: A code and a quantity, apart by a space, a star or a comma.
LINE = re.compile(r"(?P<code>\S{1,64}?)[\s*,;]+(?P<quantity>[0-9]{1,9}(\.[0-9]{1,9})?)", re.ASCII)
MOST_LINES = 200


class ChangeForm(FlaskForm):  # type: ignore[misc]
    """The lines of a change."""

    lines = LinesField(
        "Items and quantities, one a line",
        validators=[Needed("Enter at least one item with its quantity")],
        description="The code, a space, and how many, for example RAIL01 2.5.",
    )
    submit = SubmitField("Show the price", widget=GovSubmitInput())

    def basket(self) -> Basket:
        """What was entered; ``InputRefused`` names every line that cannot be read."""
        lines, problems = [], []
        entered = self.lines.data or ()
        if len(entered) > MOST_LINES:
            raise InputRefused([Problem("The change", f"At most {MOST_LINES} lines can be priced at once.")])
        for number, text in enumerate(entered, start=1):
            read = LINE.fullmatch(text)
            fault = quantity_fault(Decimal(read["quantity"])) if read else "Write a code and a quantity: RAIL01 2.5."
            if read is None or fault:
                problems.append(Problem("The change", fault or "", number))
            else:
                lines.append((number, read["code"], Decimal(read["quantity"])))
        if problems:
            raise InputRefused(problems)
        return Basket("The change", lines)


def page(job: Job, form: ChangeForm, changed: ChangePrice | None = None) -> str:
    """The form, and the price once there is one."""
    offer = standing_offer(job)
    return render_template(
        "jobs/change_price.html",
        job=job,
        runs=offer is not None and offer.status is OfferStatus.ACCEPTED,
        form=form,
        changed=changed,
    )


@bp.get("/<path:reference>/change-price")
@requires(Permission.SEE_JOBS)
def one(reference: str) -> ResponseReturnValue:
    """The form for the lines of a change."""
    return page(queries.job_by_reference(reference, signed_in_person()), ChangeForm(formdata=None))


@bp.post("/<path:reference>/change-price")
@requires(Permission.SEE_JOBS)
def price(reference: str) -> ResponseReturnValue:
    """What the change would cost."""
    job, form = queries.job_by_reference(reference, signed_in_person()), ChangeForm()
    if not form.validate_on_submit():
        return page(job, form), 422
    try:
        return page(job, form, price_change(job, form.basket(), now=clock.now()))
    except InputRefused as refused:
        form.lines.errors = [str(problem).removeprefix("The change, ") for problem in refused.problems]
    return page(job, form), 422
