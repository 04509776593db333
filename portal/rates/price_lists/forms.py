"""Forms of price lists: hand one in, and withdraw an item."""

from __future__ import annotations

from collections.abc import Sequence

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import SelectField, StringField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional, ValidationError

from portal.framework.fields import DayField, Needed
from portal.rates.models import Schedule
from portal.rates.price_lists.reading import SHEET
from portal.rates.price_lists.services import Wanted

#: A header is short; what is longer is no header.
LONGEST_HEADER = 200


def header_field(what: str) -> StringField:
    """The header under which a column stands in the file."""
    return StringField(
        what,
        widget=GovTextInput(),
        validators=[
            Optional(),
            Length(max=LONGEST_HEADER, message=f"A header can have at most {LONGEST_HEADER} characters"),
        ],
    )


class PriceListForm(FlaskForm):  # type: ignore[misc]
    """A price list, and the edition that it is to become."""

    file = FileField(
        "Price list", widget=GovFileInput(), validators=[FileRequired("Choose the file with the price list")]
    )
    schedule = SelectField("Schedule", widget=GovSelect(), choices=[])
    schedule_code = StringField(
        "Code of the new schedule",
        widget=GovTextInput(),
        validators=[Length(max=64, message="The code can have at most 64 characters")],
        description="Short, such as SOR. It stands in addresses and on orders.",
    )
    schedule_name = StringField(
        "Name of the new schedule (optional)",
        widget=GovTextInput(),
        validators=[Length(max=200, message="The name of the schedule can have at most 200 characters")],
    )
    currency = StringField(
        "Currency of the new schedule",
        widget=GovTextInput(),
        default="GBP",
        validators=[Length(max=3, message="Write the currency’s three letters, such as GBP")],
    )
    edition_name = StringField(
        "Name of the edition",
        widget=GovTextInput(),
        validators=[
            Needed("Enter a name for the edition, such as 2027"),
            Length(max=200, message="The name of the edition can have at most 200 characters"),
        ],
        description="Such as 2027. It stands on orders beside the code.",
    )
    starts_on = DayField("In force from", validators=[Needed("Enter the day from which the edition is in force")])
    code = header_field("Header of the codes")
    description = header_field("Header of the descriptions")
    unit = header_field("Header of the units")
    rate = header_field("Header of the rates")
    sheet = header_field("Name of the sheet")
    submit = SubmitField("Hand the list in", widget=GovSubmitInput())

    def offer(self, schedules: Sequence[Schedule]) -> None:
        """The schedules that a list can be for, and a new one; the first stands chosen."""
        self.schedule.choices = [
            *(SelectChoice(each.code, f"{each.code}, {each.name}") for each in schedules),
            SelectChoice("", "A new schedule"),
        ]

    def validate_schedule(self, field: SelectField) -> None:
        """One that is there, or a new one: not both."""
        code = (self.schedule_code.data or "").strip()
        if field.data and code:
            raise ValidationError(
                f"Choose “A new schedule” to make the schedule {code}, or empty its code to hand in a list for "
                f"{field.data}"
            )

    @property
    def headers(self) -> tuple[StringField, ...]:
        """The fields for columns and sheets with other names."""
        return self.code, self.description, self.unit, self.rate, self.sheet

    @property
    def new_schedule_opens(self) -> bool:
        """Whether the fields of a new schedule stand open: there is no other, or something is wrong with one."""
        return len(self.schedule.choices) == 1 or any(
            field.errors for field in (self.schedule_code, self.schedule_name, self.currency)
        )

    @property
    def headers_open(self) -> bool:
        """Whether the fields for other names stand open: one is filled or wrong."""
        return any(field.data or field.errors for field in self.headers)

    def wanted(self) -> Wanted:
        """What was entered."""
        columns = {
            field.name: " ".join(field.data.split()) for field in self.headers if field.data and field.data.strip()
        }
        return Wanted(
            schedule_code=self.schedule.data or self.schedule_code.data or "",
            edition_name=self.edition_name.data,
            starts_on=self.starts_on.data,
            schedule_name=self.schedule_name.data or "",
            currency=self.currency.data or "",
            columns=columns,
        )

    def field_of(self, term: str) -> StringField:
        """The field that shows what is wrong with a term of ``Wanted``; the schedule's for any other."""
        if term == "schedule_code" and self.schedule.data:
            return self.schedule
        found: StringField = self._fields.get(term, self.schedule)
        return found


assert SHEET in PriceListForm.__dict__  # noqa: S101 - what the reader calls it


class WithdrawForm(FlaskForm):  # type: ignore[misc]
    """Take an item out of use."""

    code = StringField(
        "Code of the item", widget=GovTextInput(), validators=[Needed("Enter the code of the item"), Length(max=64)]
    )
    from_on = DayField("Withdrawn from", validators=[Needed("Enter the day from which it is on no new job")])
    reason = TextAreaField(
        "Reason",
        widget=GovTextArea(),
        validators=[
            Needed("Give the reason"),
            Length(max=500, message="The reason can have at most 500 characters"),
        ],
        description="Whoever looks for the item reads it: say what to use instead.",
    )
    submit = SubmitField("Withdraw the item", widget=GovSubmitInput())
