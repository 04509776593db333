"""Forms about own rates: agreeing and ending one, bringing a list in, and looking at one's own."""

from __future__ import annotations

from datetime import date

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovSelect, GovSubmitInput, GovTextInput
from wtforms import DateField, SelectField, StringField, SubmitField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.framework.fields import DayField, Needed, PoundsField, in_these_years
from portal.kernel.money import percent, shown
from portal.rates.member_terms import MemberTerms
from portal.rates.models import Edition, Schedule
from portal.rates.pricing import MOST_RATE_PENCE


def a_rate(_form: FlaskForm, field: PoundsField) -> None:
    """A rate that somebody can mean."""
    if not 0 < (field.data or 0) <= MOST_RATE_PENCE:
        raise ValidationError(f"The rate must be above £0 and not above {shown(MOST_RATE_PENCE)}")


def code_field() -> StringField:
    """The code of an item."""
    return StringField(
        "Code of the item",
        widget=GovTextInput(),
        validators=[
            InputRequired("Enter the code of the item"),
            Length(max=64, message="A code has at most 64 characters"),
        ],
    )


class ScheduleForm(FlaskForm):  # type: ignore[misc]
    """Which schedule of rates an own rate is for; with a single one, that one."""

    schedule = SelectField("Schedule of rates", widget=GovSelect(), validate_choice=False)

    def offer(self, schedules: list[Schedule]) -> None:
        """Fill the select."""
        choices = [SelectChoice(each.code, each.name) for each in schedules]
        if len(choices) == 1:
            self.schedule.data = choices[0].value
        else:
            choices.insert(0, SelectChoice("", "Choose a schedule"))
        self.schedule.choices = choices

    def validate_schedule(self, field: SelectField) -> None:
        """One must be chosen; whether it is in force on the day, the service says."""
        if not field.data:
            raise ValidationError("Choose the schedule of rates")


class OwnRateForm(ScheduleForm):
    """A rate of its own for a code."""

    code = code_field()
    rate = PoundsField(
        "Rate in pounds",
        validators=[Needed("Enter the rate"), a_rate],
        description="For one unit, excluding VAT. The adjustment is not added to it.",
    )
    starts_on = DayField(
        "Holds from", validators=[Needed("Enter the day from which it holds")], description="Today or later."
    )
    submit = SubmitField("Agree the rate", widget=GovSubmitInput())


class EndRateForm(ScheduleForm):
    """Back to the schedule's rate."""

    code = code_field()
    starts_on = DayField(
        "First day at the schedule’s rate again",
        validators=[Needed("Enter the first day at the schedule’s rate again")],
        description="Today or later.",
    )
    submit = SubmitField("End the own rate", widget=GovSubmitInput())


class RateFileForm(ScheduleForm):
    """A list of own rates."""

    file = FileField("File", widget=GovFileInput(), validators=[FileRequired("Choose the file with the rates")])
    starts_on = DayField(
        "They hold from", validators=[Needed("Enter the day from which they hold")], description="Today or later."
    )
    submit = SubmitField("Bring the rates in", widget=GovSubmitInput())


class OwnSearchForm(FlaskForm):  # type: ignore[misc]
    """What a contractor looks at: a day, a schedule, words, and jobs of which value."""

    class Meta:
        # It changes nothing, and its address is passed on.
        csrf = False

    words = StringField("Words or code", widget=GovTextInput())
    schedule = SelectField("Schedule of rates", widget=GovSelect(), validate_choice=False)
    value = SelectField("Value of the job", widget=GovSelect(), validate_choice=False, coerce=str)
    on = DateField(
        "On the day",
        widget=GovTextInput(),
        validators=[Optional(), in_these_years],
        description="Such as 2027-03-27.",
        invalid_value_message="Enter the day like 2027-03-27",
    )

    def chosen(self, editions: list[Edition]) -> Edition | None:
        """Fill the select of the schedules: the edition of the one that is chosen, or of the first."""
        self.schedule.choices = [SelectChoice(each.schedule.code, each.schedule.name) for each in editions]
        _first_unless_known(self.schedule)
        return next((each for each in editions if each.schedule.code == self.schedule.data), None)

    def offer_bands(self, terms: MemberTerms) -> None:
        """Fill the select of the values; what is not among them counts as the first."""
        self.value.choices = band_choices(terms)
        _first_unless_known(self.value)

    def day(self, today: date) -> date:
        """The day that is looked at."""
        found: date = self.on.data or today
        return found


def _first_unless_known(field: SelectField) -> None:
    values = [choice.value for choice in field.choices]
    if field.data not in values:
        field.data = values[0] if values else ""


def band_choices(terms: MemberTerms) -> list[SelectChoice]:
    """The value bands of a member with the adjustment of each, by the value in pence at which it begins."""
    usual = SelectChoice("0", f"Any other: {percent(terms.adjustment_bp)} %")
    return [
        usual,
        *(
            SelectChoice(str(pence), f"From {shown(pence).removesuffix('.00')}: {percent(bp)} %")
            for pence, bp in terms.bands
        ),
    ]
