"""Forms with which a framework manager sets frameworks up: terms, who takes part, extensions, reviews."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import (
    GovRadioInput,
    GovSelect,
    GovSubmitInput,
    GovTextArea,
    GovTextInput,
)
from wtforms import RadioField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.framework.fields import DayField, Needed, NoDay, PoundsField, WholeField
from portal.framework.states import ContractingParty, FrameworkKind, Regime, VariationRates
from portal.framework.terms.services import FrameworkTerms
from portal.kernel.errors import PortalError

KIND_TEXT = {
    FrameworkKind.FRAMEWORK_AGREEMENT: "Framework agreement",
    FrameworkKind.DIRECT_CONTRACT: "Direct contract",
    FrameworkKind.QUOTATIONS: "Quotations",
}
REGIME_TEXT = {Regime.CLOSED: "Closed", Regime.OPEN: "Open"}
PARTY_TEXT = {
    ContractingParty.AUTHORITY: "The authority orders the works",
    ContractingParty.APPLICANT: "The applicant orders the works",
}
VARIATION_TEXT = {
    VariationRates.ORDER_EDITION: "At the rates of the order",
    VariationRates.EDITION_IN_FORCE: "At the rates in force on the day of the change",
}
REASON = 500


def reason_field(hint: str) -> TextAreaField:
    """Why something was decided."""
    return TextAreaField(
        "Reason",
        widget=GovTextArea(),
        validators=[
            InputRequired("Give the reason"),
            Length(max=REASON, message=f"The reason has at most {REASON} characters"),
        ],
        description=hint,
    )


def put_fault(form: FlaskForm, fault: PortalError, otherwise: str) -> None:
    """Show a service's refusal at the field it is about, or at the field named ``otherwise``."""
    fields: dict[str, Any] = form._fields
    field = fields.get(getattr(fault, "term", ""), fields[otherwise])
    field.errors = [str(fault)]


class NewFrameworkForm(FlaskForm):  # type: ignore[misc]
    """What a framework is agreed to be, and its code; fields are named as ``FrameworkTerms`` names them."""

    code = StringField(
        "Code",
        widget=GovTextInput(),
        validators=[InputRequired("Enter a code for the framework")],
        description="Short and lasting, for example ADAPT-2027. Files and commands name the framework by it.",
    )

    name = StringField(
        "Name",
        widget=GovTextInput(),
        validators=[
            InputRequired("Enter the name of the framework"),
            Length(max=200, message="The name has at most 200 characters"),
        ],
    )
    kind = RadioField(
        "How work is bought",
        widget=GovRadioInput(),
        choices=[SelectChoice(kind.value, text) for kind, text in KIND_TEXT.items()],
        validators=[InputRequired("Choose how work is bought")],
    )
    regime = RadioField(
        "Open or closed",
        widget=GovRadioInput(),
        default=Regime.OPEN.value,
        choices=[SelectChoice(regime.value, text) for regime, text in REGIME_TEXT.items()],
        validators=[InputRequired("Choose whether the framework is open or closed")],
    )
    contracting_party = RadioField(
        "Who orders the works",
        widget=GovRadioInput(),
        default=ContractingParty.AUTHORITY.value,
        choices=[SelectChoice(party.value, text) for party, text in PARTY_TEXT.items()],
        validators=[InputRequired("Choose who orders the works")],
        description="It decides how VAT is charged, and whose standing orders hold.",
    )
    starts_on = DayField(
        "Starts on",
        validators=[NoDay()],
        description="The first day of call-offs, for example 1 4 2027. Leave it empty while nobody knows it.",
    )
    ends_on = DayField(
        "Ends on",
        validators=[NoDay()],
        description="The first day on which nothing can be called off any more, for example 1 4 2031.",
    )
    value_cap_pence = PoundsField(
        "Value cap in pounds (optional)",
        description="The most that may be called off in all. Managers are warned at 75, 90 and 100 %.",
    )
    review_months = WholeField(
        "Months between reviews (optional)",
        description="The next review of an open framework is suggested from it.",
    )
    quotes_needed = RadioField(
        "Quotes for each job",
        widget=GovRadioInput(),
        default="3",
        choices=[SelectChoice("2", "Two"), SelectChoice("3", "Three")],
        validators=[Optional()],
        description="For quotations only.",
    )
    guaranteed_jobs = WholeField(
        "Guaranteed jobs each month", description="For a direct contract only; state jobs, value or both."
    )
    guaranteed_pence = PoundsField("Guaranteed value each month in pounds", description="For a direct contract only.")
    local_areas = StringField(
        "Where a contractor counts as local (optional)",
        widget=GovTextInput(),
        validators=[Length(max=400, message="The local areas have at most 400 characters")],
        description="Postcode areas or districts, apart by spaces, for example AL SG5 LU.",
    )
    variation_rates = RadioField(
        "How a change to the works of an order is priced",
        widget=GovRadioInput(),
        default=VariationRates.ORDER_EDITION.value,
        choices=[SelectChoice(each.value, text) for each, text in VARIATION_TEXT.items()],
        validators=[Optional()],
        description="The order itself keeps its prices whatever is chosen.",
    )
    submit = SubmitField("Save the terms", widget=GovSubmitInput())

    def terms(self) -> FrameworkTerms:
        """What was entered."""
        return FrameworkTerms(
            name=self.name.data,
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            kind=FrameworkKind(self.kind.data),
            regime=Regime(self.regime.data),
            contracting_party=ContractingParty(self.contracting_party.data),
            value_cap_pence=self.value_cap_pence.data,
            review_months=self.review_months.data,
            quotes_needed=int(self.quotes_needed.data) if self.quotes_needed.data else None,
            guaranteed_jobs=self.guaranteed_jobs.data,
            guaranteed_pence=self.guaranteed_pence.data,
            local_areas=self.local_areas.data or "",
            variation_rates=VariationRates(self.variation_rates.data or VariationRates.ORDER_EDITION),
        )


class TermsForm(NewFrameworkForm):
    """The terms of a framework that is there: its code stays."""

    code = None


def terms_as_entered(terms: FrameworkTerms) -> dict[str, Any]:
    """A framework's terms as a form shows them."""
    return {
        "name": terms.name,
        "kind": terms.kind.value,
        "regime": terms.regime.value,
        "contracting_party": terms.contracting_party.value,
        "starts_on": terms.starts_on,
        "ends_on": terms.ends_on,
        "value_cap_pence": terms.value_cap_pence,
        "review_months": terms.review_months,
        "quotes_needed": str(terms.quotes_needed or 3),
        "guaranteed_jobs": terms.guaranteed_jobs,
        "guaranteed_pence": terms.guaranteed_pence,
        "local_areas": terms.local_areas,
        "variation_rates": terms.variation_rates.value,
    }


class ExtendForm(FlaskForm):  # type: ignore[misc]
    """A later end."""

    until = DayField("The new end", validators=[Needed("Enter the new end")])
    reason = reason_field("It is kept with the framework.")
    submit = SubmitField("Extend the framework", widget=GovSubmitInput())


class CapForm(FlaskForm):  # type: ignore[misc]
    """A decision to call off beyond the value cap."""

    allowed_pence = PoundsField(
        "Call-offs may go up to, in pounds",
        validators=[Needed("Enter the amount that call-offs may come to in all")],
        description="In all, spent and ordered together; not the amount on top.",
    )
    reason = reason_field("It is kept with the framework: who decided, and on which ground.")
    submit = SubmitField("Record the decision", widget=GovSubmitInput())


class ParticipationForm(FlaskForm):  # type: ignore[misc]
    """An authority takes part."""

    authority = SelectField("Authority", widget=GovSelect(), validators=[InputRequired("Choose the authority")])
    from_on = DayField(
        "From (optional)", validators=[NoDay()], description="Leave it empty for the whole life of the framework."
    )
    to_on = DayField(
        "Until (optional)", validators=[NoDay()], description="The first day on which it can call nothing off any more."
    )
    submit = SubmitField("Add the authority", widget=GovSubmitInput())


class EndParticipationForm(FlaskForm):  # type: ignore[misc]
    """An authority leaves."""

    to_on = DayField(
        "First day without access",
        validators=[Needed("Enter the first day on which the authority can call nothing off any more")],
        description="Today or later. Orders that are running go on.",
    )
    submit = SubmitField("Let the access end", widget=GovSubmitInput())


class ReviewForm(FlaskForm):  # type: ignore[misc]
    """The day of a review."""

    due_on = DayField("Day of the review", validators=[Needed("Enter the day of the review")])
    submit = SubmitField("Plan the review", widget=GovSubmitInput())


class CloseReviewForm(FlaskForm):  # type: ignore[misc]
    """What a review came to."""

    note = TextAreaField(
        "What the review came to",
        widget=GovTextArea(),
        validators=[
            InputRequired("Say in a sentence or two what the review came to"),
            Length(max=1000, message="The note has at most 1,000 characters"),
        ],
        description="Applicants who have not been admitted wait for the next review.",
    )
    submit = SubmitField("Close the review", widget=GovSubmitInput())
