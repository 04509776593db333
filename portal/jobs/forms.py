"""Forms for specifying jobs and answering offers."""

from __future__ import annotations

from decimal import Decimal

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import (
    GovCheckboxInput,
    GovRadioInput,
    GovSelect,
    GovSubmitInput,
    GovTextArea,
    GovTextInput,
)
from wtforms import (
    BooleanField,
    DecimalField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Regexp, StopValidation, ValidationError

from portal.framework.fields import DayField, NoDay
from portal.framework.rules import clean_postcode
from portal.framework.states import Priority
from portal.jobs.job_file import REFERENCE
from portal.jobs.states import DeclineReason

PRIORITY_TEXT = {
    Priority.HOSPITAL_DISCHARGE: "Hospital discharge or preventing an admission",
    Priority.PRIORITY: "Priority",
    Priority.ROUTINE: "Routine",
}
DECLINE_TEXT = {
    DeclineReason.CANNOT_START_IN_TIME: "I cannot start in time",
    DeclineReason.NO_CAPACITY: "I have no capacity",
    DeclineReason.OUTSIDE_SKILLS: "It is outside my trades",
    DeclineReason.PRICE: "The price does not cover the works",
    DeclineReason.SITE: "The place or the access",
    DeclineReason.OTHER: "Another reason",
}


def finite(_form: FlaskForm, field: DecimalField) -> None:
    """A number; “NaN” and “Infinity” are none."""
    if field.data is None or not field.data.is_finite():
        field.data = None
        raise StopValidation("Enter the quantity as a number, such as 1 or 4.5")


class JobForm(FlaskForm):  # type: ignore[misc]
    """Who and where; the works are added on the next page."""

    reference = StringField(
        "Case reference", widget=GovTextInput(), validators=[InputRequired("Enter the case reference"), Length(max=64)]
    )
    authority = SelectField("Authority", widget=GovSelect(), validators=[InputRequired("Choose the authority")])
    work_type = SelectField("Work type", widget=GovSelect(), validators=[InputRequired("Choose the work type")])
    schedule = SelectField("Schedule of rates", widget=GovSelect(), validators=[InputRequired("Choose the schedule")])
    priority = RadioField(
        "Priority",
        widget=GovRadioInput(),
        default=Priority.ROUTINE.value,
        choices=[SelectChoice(priority.value, text) for priority, text in PRIORITY_TEXT.items()],
        validators=[InputRequired("Choose the priority")],
    )
    client = StringField(
        "Client’s name",
        widget=GovTextInput(),
        validators=[Length(max=200)],
        description="Contractors never see it before they accept.",
    )
    client_phone = StringField("Client’s telephone", widget=GovTextInput(), validators=[Length(max=40)])
    address = TextAreaField(
        "Address of the works",
        widget=GovTextArea(),
        validators=[
            InputRequired("Enter the address of the works"),
            Length(max=400, message="The address has at most 400 characters"),
        ],
    )
    postcode = StringField(
        "Postcode",
        widget=GovTextInput(),
        validators=[InputRequired("Enter the postcode")],
        description="Contractors see the first half before they accept.",
    )
    required_start = DayField(
        "Works must start by",
        validators=[NoDay()],
        description="For example 27 3 2027. Leave it empty to use the lot’s usual time.",
    )
    out_of_hours = BooleanField(
        "The works are done outside working hours",
        widget=GovCheckboxInput(),
        description="The lot’s uplift is added to the rates.",
    )
    submit = SubmitField("Continue to the works", widget=GovSubmitInput())

    def validate_reference(self, field: StringField) -> None:
        """Letters, digits, dots, dashes, slashes."""
        field.data = (field.data or "").strip()
        if not REFERENCE.fullmatch(field.data):
            raise ValidationError("The reference may hold letters, digits, dots, dashes and slashes only")

    def validate_postcode(self, field: StringField) -> None:
        """A full postcode, brought into its one form."""
        cleaned = clean_postcode(field.data or "")
        if cleaned is None:
            raise ValidationError("Enter a full postcode, like RG1 2AB")
        field.data = cleaned


class QuantityForm(FlaskForm):  # type: ignore[misc]
    """So many of an item."""

    quantity = DecimalField(
        "Quantity",
        default=Decimal(1),
        validators=[
            InputRequired("Enter the quantity"),
            finite,
            NumberRange(min=Decimal("0.001"), max=Decimal(999_999), message="The quantity must be above 0"),
        ],
    )


class LineForm(QuantityForm):
    """Add so many of one item."""

    code = HiddenField(validators=[InputRequired("Choose an item"), Length(max=64)])


class FillForm(FlaskForm):  # type: ignore[misc]
    """Add the items of a template."""

    template_id = HiddenField(validators=[InputRequired("Choose a template"), Regexp("[0-9]{1,9}$")])


class HoursForm(FlaskForm):  # type: ignore[misc]
    """When the works are done."""

    out_of_hours = HiddenField(validators=[AnyOf(("yes", "no"), "Say whether the works are done out of hours")])


class AcceptForm(FlaskForm):  # type: ignore[misc]
    """Say yes, with a start date, to the total with VAT that was shown."""

    start_on = DayField(
        "When will you start?",
        validators=[InputRequired("Enter the day on which you will start")],
    )
    confirm_late = HiddenField()
    #: In pence.
    shown_pence = HiddenField(
        validators=[Regexp("[0-9]{1,15}$", message="Look at the total with VAT and accept again")]
    )
    submit = SubmitField("Accept the job", widget=GovSubmitInput())


class DeclineForm(FlaskForm):  # type: ignore[misc]
    """Say no, with a reason."""

    reason_code = RadioField(
        "Why can you not take it?",
        widget=GovRadioInput(),
        choices=[SelectChoice(code.value, text) for code, text in DECLINE_TEXT.items()],
        validators=[InputRequired("Choose a reason")],
    )
    reason = TextAreaField(
        "Anything the officer should know (optional)",
        widget=GovTextArea(),
        validators=[Length(max=1000, message="At most 1,000 characters")],
    )
    submit = SubmitField("Decline the job", widget=GovSubmitInput())


class StartedForm(FlaskForm):  # type: ignore[misc]
    """Record a day on which something happened."""

    on = DayField("Day", validators=[InputRequired("Enter the day")])
    submit = SubmitField("Record", widget=GovSubmitInput())


class WithdrawForm(FlaskForm):  # type: ignore[misc]
    """Take an offer back."""

    reason = TextAreaField(
        "Reason",
        widget=GovTextArea(),
        validators=[InputRequired("Give the reason; it is kept with the job"), Length(max=1000)],
    )
    submit = SubmitField("Take the offer back", widget=GovSubmitInput())
