"""Forms of a firm: its account, its details, its availability, its applications and documents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import (
    GovCharacterCount,
    GovCheckboxesInput,
    GovFileInput,
    GovPasswordInput,
    GovRadioInput,
    GovSelect,
    GovSubmitInput,
    GovTextInput,
)
from wtforms import PasswordField, RadioField, SelectField, SelectMultipleField, StringField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from portal.accounts.models import Organisation
from portal.accounts.services import MINIMUM_PASSWORD, clean_email
from portal.framework.fields import (
    DayField,
    Needed,
    NoDay,
    PoundsField,
    WholeField,
    WordsField,
    WrittenField,
    plain_number,
)
from portal.framework.firms.services import LONGEST_SOCIAL_VALUE, clean_company_number, clean_trades
from portal.framework.rules import POSTCODE_DISTRICT, clean_postcode
from portal.framework.states import COVER_KINDS, DOCUMENT_KINDS, document_title
from portal.kernel import money
from portal.kernel.errors import RuleBroken

YES, NO = "yes", "no"


class PostcodeField(StringField):  # type: ignore[misc]
    """A full postcode, brought into its one form: ``rg12ab`` → ``RG1 2AB``."""

    widget = GovTextInput()
    data: Any

    def pre_validate(self, _form: Any) -> None:
        """A whole postcode or a message."""
        if not self.data:
            return
        self.data = clean_postcode(self.data)
        if self.data is None:
            raise ValidationError("Enter a full postcode, like RG1 2AB")


class AdjustmentField(WrittenField):
    """A percentage to add to rates or, below 0, to take off, with at most two decimals; kept in basis points."""

    def read(self, text: str) -> int:
        number = plain_number(text.removesuffix("%").removeprefix("+"))
        if number is None or number * 100 != (number * 100).to_integral_value():
            raise ValueError("Enter the adjustment in per cent, such as −2.5, 0 or 4.25")
        if not -100 < number <= 1_000:
            raise ValueError("The adjustment must lie above −100 % and not above 1,000 %")
        return int(number * 100)

    def write(self, value: Any) -> str:
        return money.percent(int(value))


class TradesField(StringField):  # type: ignore[misc]
    """Trades on one line, apart by commas."""

    widget = GovTextInput()
    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = ()
        try:
            self.data = clean_trades(re.split(r"[,;\n]", valuelist[0]) if valuelist else ())
        except RuleBroken as broken:
            raise ValueError(str(broken)) from broken

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ", ".join(self.data or ())


def an_email(_form: FlaskForm, field: StringField) -> None:
    """An address that mail can have, in its normal form."""
    try:
        field.data = clean_email(field.data.strip())
    except RuleBroken as broken:
        raise ValidationError("Enter an email address in the right form, like name@example.com") from broken


def social_value_field() -> TextAreaField:
    """The social value statement."""
    return TextAreaField(
        "Social value statement (optional)",
        widget=GovCharacterCount(),
        validators=[
            Length(
                max=LONGEST_SOCIAL_VALUE,
                message=f"The social value statement can have at most {LONGEST_SOCIAL_VALUE:,} characters",
            )
        ],
        description="What your work does for people here besides: apprentices, local jobs, less waste.",
    )


class DetailsForm(FlaskForm):  # type: ignore[misc]
    """How to reach a firm, how much work it takes, and what it does."""

    email = StringField(
        "Email address for offers and notices",
        widget=GovTextInput(),
        validators=[
            DataRequired("Enter the email address"),
            Length(max=254, message="The email address can have at most 254 characters"),
            an_email,
        ],
    )
    phone = StringField(
        "Telephone number",
        widget=GovTextInput(),
        validators=[
            DataRequired("Enter the telephone number"),
            Length(max=40, message="The telephone number can have at most 40 characters"),
        ],
    )
    postcode = PostcodeField("Postcode of your office or yard", validators=[InputRequired("Enter the postcode")])
    sme = RadioField(
        "Does your company have fewer than 250 employees?",
        widget=GovRadioInput(),
        choices=[SelectChoice(YES, "Yes"), SelectChoice(NO, "No")],
        validators=[InputRequired("Say whether your company has fewer than 250 employees")],
        description="The councils report how much work goes to small and medium-sized firms.",
    )
    trades = TradesField(
        "Trades (optional)",
        description="Apart by commas, such as stair lifts, bathrooms, electrical work.",
    )
    capacity = WholeField(
        "How many jobs can you do at once?",
        validators=[Needed("Enter how many jobs you can do at once; 0 if you take none for now")],
    )
    month_limit = PoundsField(
        "Most value of work in a month (optional)",
        description="In pounds. Leave it empty for no limit.",
    )
    social_value = social_value_field()
    submit = SubmitField("Save", widget=GovSubmitInput())


class AskForm(FlaskForm):  # type: ignore[misc]
    """Ask for the link to a new account: the address it is sent to, and nothing else."""

    email = StringField(
        "Email address",
        widget=GovTextInput(),
        validators=[
            DataRequired("Enter your email address"),
            Length(max=254, message="The email address can have at most 254 characters"),
            an_email,
        ],
    )
    submit = SubmitField("Send me a link", widget=GovSubmitInput())


class JoinForm(DetailsForm):
    """A new firm's account: the company, who signs in, and its details. The address comes from the link."""

    _fields: dict[str, Any]

    email = None

    company = StringField(
        "Company name",
        widget=GovTextInput(),
        validators=[
            DataRequired("Enter the company’s name"),
            Length(max=200, message="The company’s name can have at most 200 characters"),
        ],
    )
    company_number = StringField(
        "Company number (optional)",
        widget=GovTextInput(),
        validators=[Optional(), Length(max=20, message="The company number can have at most 20 characters")],
        description="As Companies House writes it, such as 01234567. Leave it empty if you are not a company.",
    )
    contact = StringField(
        "Your name",
        widget=GovTextInput(),
        validators=[
            DataRequired("Enter your name"),
            Length(max=200, message="Your name can have at most 200 characters"),
        ],
    )
    password = PasswordField(
        "Choose a password",
        widget=GovPasswordInput(),
        validators=[
            InputRequired("Choose a password"),
            Length(min=MINIMUM_PASSWORD, message=f"The password must have {MINIMUM_PASSWORD} characters or more"),
            Length(max=200, message="The password can have at most 200 characters"),
        ],
        description=f"At least {MINIMUM_PASSWORD} characters. Three words that do not belong together are good.",
    )
    submit = SubmitField("Make the account", widget=GovSubmitInput())

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # In the order of the page, so that its errors are listed from top to bottom.
        last = ("contact", "password", "submit")
        first = [name for name in ("company", "company_number") if name in self._fields]
        between = [name for name in self._fields if name not in {*first, *last}]
        self._fields = {name: self._fields[name] for name in (*first, *between, *last)}

    def validate_company_number(self, field: StringField) -> None:
        """The number in its one form."""
        try:
            field.data = clean_company_number(field.data or "")
        except RuleBroken as broken:
            raise ValidationError(str(broken).removesuffix(".")) from broken


class ApplyForm(FlaskForm):  # type: ignore[misc]
    """An application for a lot. The view says which authorities there are."""

    areas = SelectMultipleField("Where do you want to work?", widget=GovCheckboxesInput())
    districts = WordsField(
        "Postcode districts (optional)",
        description="To work in part of an area only, write districts such as RG1 RG2 and leave its box empty.",
    )
    adjustment = AdjustmentField(
        "Your adjustment on the schedule’s rates",
        validators=[Needed("Enter your adjustment; 0 if you work at the schedule’s rates")],
        description="In per cent: −2.5 is cheaper than the schedule, 4 is dearer, 0 is the schedule’s rates.",
    )
    social_value = social_value_field()
    submit = SubmitField("Send the application", widget=GovSubmitInput())

    def offer(self, authorities: Iterable[Organisation]) -> None:
        """Let the boxes stand for these authorities."""
        self.areas.choices = [SelectChoice(each.code, each.name) for each in authorities]

    def validate_areas(self, field: SelectMultipleField) -> None:
        """At least one box or district."""
        if not field.data and not self.districts.data and not self.districts.errors:
            raise ValidationError("Choose at least one area, or write a postcode district")

    def validate_districts(self, field: WordsField) -> None:
        """Districts such as RG1."""
        wrong = next((each for each in field.data or () if not POSTCODE_DISTRICT.fullmatch(each)), None)
        if wrong is not None:
            raise ValidationError(f"{wrong[:20]} is not a postcode district; write it like RG1")


class AcceptsFromForm(FlaskForm):  # type: ignore[misc]
    """From which day a firm can start new work."""

    accepts_from = DayField(
        "Earliest start",
        validators=[NoDay()],
        description="For example 27 3 2027. Leave it empty if you can start at any time.",
    )
    submit = SubmitField("Save the earliest start", widget=GovSubmitInput())


class AbsenceForm(FlaskForm):  # type: ignore[misc]
    """Days away, both ends included."""

    first_day = DayField("First day away", validators=[InputRequired("Enter the first day away")])
    last_day = DayField("Last day away", validators=[InputRequired("Enter the last day away")])
    submit = SubmitField("Add the days away", widget=GovSubmitInput())


class DocumentForm(FlaskForm):  # type: ignore[misc]
    """A document with its file. The view says which kinds there are, and how large a file may be."""

    kind = SelectField("What is it?", widget=GovSelect(), validators=[InputRequired("Choose what the document is")])
    expires_on = DayField(
        "Last day on which it is valid",
        validators=[InputRequired("Enter the last day on which the document is valid")],
        description="For example 27 3 2027.",
    )
    cover = PoundsField(
        "Amount covered, in pounds",
        description="For insurance only, such as 5,000,000.",
    )
    file = FileField("File", widget=GovFileInput(), validators=[FileRequired("Choose the file")])
    submit = SubmitField("Hand it in", widget=GovSubmitInput())

    def offer(self, asked: Iterable[str]) -> None:
        """Let the choices be what the firm's lots ask for, then the usual kinds."""
        kinds = list(dict.fromkeys([*asked, *DOCUMENT_KINDS]))
        self.kind.choices = [SelectChoice("", "Choose"), *(SelectChoice(each, document_title(each)) for each in kinds)]

    def validate_cover(self, field: PoundsField) -> None:
        """Every insurance covers an amount."""
        if self.kind.data in COVER_KINDS and not field.data and not field.errors:
            raise ValidationError("Enter the amount that the insurance covers, such as 5,000,000")
