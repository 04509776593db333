"""Forms about who pays for a job and at which VAT, and for the lines of a change to its works."""

from __future__ import annotations

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, StringField, SubmitField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.framework.fields import DayField, Needed, PoundsField
from portal.jobs.funding import DECLARED_WORDS, LONGEST_PLACE
from portal.jobs.funding_models import Funding


class DeclarationForm(FlaskForm):  # type: ignore[misc]
    """A signed declaration for a lower VAT rate."""

    kind = RadioField(
        "What the client has declared",
        widget=GovRadioInput(),
        choices=[SelectChoice(kind.value, words) for kind, words in DECLARED_WORDS.items()],
        validators=[InputRequired("Choose what the client has declared")],
    )
    signed_on = DayField(
        "Signed on",
        validators=[Needed("Enter the day on the declaration")],
        description="For example 27 3 2027.",
    )
    kept_at = StringField(
        "Where the signed paper is kept",
        widget=GovTextInput(),
        validators=[
            InputRequired("Say where the signed paper is kept"),
            Length(max=LONGEST_PLACE, message=f"The place has at most {LONGEST_PLACE} characters"),
        ],
        description="For example the case file. Do not write about the client’s health.",
    )
    declare = SubmitField("Record the declaration", widget=GovSubmitInput())


class FundingForm(FlaskForm):  # type: ignore[misc]
    """The client's contribution and the agreed top-up."""

    contribution = PoundsField(
        "The client’s assessed contribution, in pounds",
        validators=[Needed("Enter the contribution; 0 when the client pays nothing")],
    )
    agreed = PoundsField(
        "Top-up that is agreed, in pounds",
        validators=[Needed("Enter the agreed top-up; 0 when there is none")],
        description="From the council, a charity or the client, for what the grant does not pay.",
    )
    record = SubmitField("Record the funding", widget=GovSubmitInput())

    @classmethod
    def of(cls, funding: Funding | None) -> FundingForm:
        """The form with what is recorded."""
        form: FundingForm = cls(
            formdata=None,
            contribution=funding.contribution_pence if funding else None,
            agreed=funding.agreed_pence if funding else None,
        )
        return form
