"""How a framework is used: spend against its cap, the guaranteed minimum, and each contractor's share."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from types import ModuleType

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovSubmitInput, GovTextInput
from wtforms import DateField, SelectField, SubmitField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.accounts.guard import requires
from portal.accounts.policy import Permission
from portal.analytics.fair_share import FairShare, Period, fair_share, last_year
from portal.analytics.share_report import CSV_HEADER, in_words, plain_row
from portal.framework.fields import in_these_years
from portal.framework.models import Framework, Lot
from portal.framework.terms.queries import cap_decisions_of
from portal.framework.terms.services import framework_by_code
from portal.jobs.spend import guarantee, spend_of
from portal.kernel import clock
from portal.kernel.errors import RuleBroken
from portal.tables import write_csv

bp = Blueprint("use", __name__, template_folder="templates", url_prefix="/framework")


def share_chart() -> ModuleType:
    """The drawing. It takes seconds to load, so that the start does not wait for it."""
    from portal.analytics import share_chart as loaded  # noqa: PLC0415

    return loaded


class PeriodForm(FlaskForm):  # type: ignore[misc]
    """What is looked at: days from and up to, and one lot or all."""

    first = DateField(
        "From",
        name="from",
        widget=GovTextInput(),
        validators=[Optional(), in_these_years],
        invalid_value_message="Enter the first day, such as 2026-04-01",
    )
    last = DateField(
        "Up to and including",
        name="to",
        widget=GovTextInput(),
        validators=[Optional(), in_these_years],
        invalid_value_message="Enter the last day, such as 2027-03-31",
    )
    lot = SelectField("Lot", widget=GovSelect(), validate_choice=False)
    submit = SubmitField("Show", widget=GovSubmitInput())

    class Meta:
        """It changes nothing, and its address is to be kept and passed on."""

        csrf = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; ``lot`` is ``None`` for all lots."""

    framework: Framework
    period: Period
    lot: Lot | None

    @property
    def title(self) -> str:
        """What the picture and the table are about."""
        return self.lot.name if self.lot else self.framework.name

    @property
    def address(self) -> dict[str, str]:
        """The same as arguments of an address."""
        return {
            "code": self.framework.code,
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            **({"lot": str(self.lot.id)} if self.lot else {}),
        }

    def share(self) -> FairShare:
        """The shares that were asked for."""
        return fair_share(self.framework, self.period, None if self.lot is None else [self.lot.id])


def chosen(code: str) -> tuple[Wanted, PeriodForm]:
    """The framework, period and lot that the address asks for, the last twelve months without a period; and the form.

    A form with errors comes with the usual period and all lots.
    """
    framework = framework_by_code(code)
    usual = last_year(clock.local_date(clock.now()))
    form = PeriodForm(request.args)
    lots = {str(lot.id): lot for lot in framework.lots}
    form.lot.choices = [SelectChoice("", "All lots"), *(SelectChoice(key, lot.name) for key, lot in lots.items())]
    if not form.validate():
        return Wanted(framework, usual, None), form
    last = form.last.data or usual.last
    period = Period(form.first.data or last_year(last).first, last)
    if period.last < period.first:
        form.last.errors = ["The last day cannot come before the first"]
    if form.lot.data and form.lot.data not in lots:
        form.lot.errors = ["Choose one of the lots of this framework"]
    if form.errors:
        return Wanted(framework, usual, None), form
    form.first.data, form.last.data = period.first, period.last
    return Wanted(framework, period, lots.get(form.lot.data or "")), form


def asked_for(code: str) -> Wanted:
    """What the address asks for; ``RuleBroken`` says what is wrong with it."""
    wanted, form = chosen(code)
    if form.errors:
        raise RuleBroken(f"{next(iter(form.errors.values()))[0]}.")
    return wanted


@bp.get("/<code>/use")
@requires(Permission.SEE_FRAMEWORK)
def one(code: str) -> ResponseReturnValue:
    """Spend, guarantee and fair share of one framework."""
    wanted, form = chosen(code)
    framework, today = wanted.framework, clock.local_date(clock.now())
    seen = wanted.share()
    return (
        render_template(
            "use/one.html",
            framework=framework,
            wanted=wanted,
            form=form,
            spend=spend_of(framework),
            decisions=cap_decisions_of(framework.id),
            months=guarantee(framework, today),
            seen=seen,
            chart_text=in_words(seen),
        ),
        422 if form.errors else 200,
    )


@bp.get("/<code>/use/share.svg")
@requires(Permission.SEE_FRAMEWORK)
def picture(code: str) -> ResponseReturnValue:
    """Each contractor's share of the value, as a picture."""
    wanted = asked_for(code)
    drawn = share_chart().share_svg(f"Share of the work: {wanted.title}", wanted.share())
    return Response(drawn, mimetype="image/svg+xml")


@bp.get("/<code>/use/share.csv")
@requires(Permission.SEE_FRAMEWORK)
def table(code: str) -> ResponseReturnValue:
    """The same as a list for spreadsheets."""
    wanted = asked_for(code)
    seen, target = wanted.share(), BytesIO()
    rows = [plain_row(each, local_known=seen.local_pence is not None) for each in seen.shares]
    write_csv(target, CSV_HEADER, rows)
    response = Response(target.getvalue(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="share-of-work.csv")
    return response
