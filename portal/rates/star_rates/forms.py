"""Forms for star rates: propose, approve, reject, withdraw. Fields are named as the services name their terms."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import RadioField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.framework.fields import DayField, Needed, NoDay, PoundsField
from portal.rates.vat import REDUCED, STANDARD, ZERO

VAT_TEXT = {
    STANDARD: "20 %: no relief exists",
    REDUCED: "5 %: a mobility aid for somebody over 60",
    ZERO: "0 %: an adaptation for a disabled person who commissions it",
}


class ProposeForm(FlaskForm):  # type: ignore[misc]
    """A rate for something that is not in the schedule."""

    schedule = SelectField("Schedule of rates", widget=GovSelect(), validators=[InputRequired("Choose the schedule")])
    description = StringField(
        "What it is",
        widget=GovTextInput(),
        validators=[
            InputRequired("Say what the works are"),
            Length(max=400, message="The description has at most 400 characters"),
        ],
        description="As an item of the schedule would say it. Do not write about the client.",
    )
    unit = StringField(
        "Unit",
        widget=GovTextInput(),
        validators=[InputRequired("Enter the unit, such as nr or m"), Length(max=40, message="At most 40 characters")],
        description="Such as nr, m or m2.",
    )
    trade = StringField(
        "Trade (optional)", widget=GovTextInput(), validators=[Length(max=200, message="At most 200 characters")]
    )
    rate_pence = PoundsField(
        "Rate", validators=[Needed("Enter the rate")], description="In pounds for one unit, excluding VAT."
    )
    vat_bp = RadioField(
        "Lowest VAT that it can carry",
        widget=GovRadioInput(),
        default=str(STANDARD),
        choices=[SelectChoice(str(rate), text) for rate, text in VAT_TEXT.items()],
        validators=[InputRequired("Choose the lowest VAT")],
    )
    reason = TextAreaField(
        "Why the rate is right",
        widget=GovTextArea(),
        validators=[
            InputRequired("Give the reason: where the rate comes from"),
            Length(max=1000, message="The reason has at most 1,000 characters"),
        ],
        description="Where it comes from, such as quotes or a similar item. Do not write about the client.",
    )
    submit = SubmitField("Propose the star rate", widget=GovSubmitInput())


class ApproveForm(FlaskForm):  # type: ignore[misc]
    """From when until when it holds."""

    from_on = DayField(
        "Holds from", validators=[Needed("Enter the first day")], description="Today or later. For example 27 3 2027."
    )
    to_on = DayField(
        "Holds until (optional)",
        validators=[NoDay()],
        description="The first day on which it no longer holds. Leave it empty if it has no end.",
    )
    approve = SubmitField("Approve the star rate", widget=GovSubmitInput())


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Say no, or take it out of use, with a reason."""

    reason = TextAreaField(
        "Reason",
        widget=GovTextArea(),
        validators=[
            InputRequired("Give the reason; it is kept with the star rate"),
            Length(max=1000, message="The reason has at most 1,000 characters"),
        ],
    )
    decide = SubmitField("Reject the star rate", widget=GovSubmitInput())

    def __init__(self, *given: Any, says: str = "Reject the star rate", **options: Any) -> None:
        super().__init__(*given, **options)
        self.decide.label.text = says
