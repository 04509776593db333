"""Forms of price reviews, indices and requests; fields are named as the services' arguments name them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import (
    GovFileInput,
    GovRadioInput,
    GovSelect,
    GovSubmitInput,
    GovTextArea,
    GovTextInput,
)
from wtforms import RadioField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from portal.framework.fields import DayField, Needed, PoundsField, WrittenField, plain_number
from portal.kernel import money
from portal.rates.reviews.models import ReviewRule
from portal.rates.reviews.review_rules import RuleWanted
from portal.rates.reviews.rules import month_text
from portal.rates.reviews.services import LONGEST_TEXT, ReviewWanted

_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_NAMED_MONTH = re.compile(r"([a-z]{3,9})\.?[ -]+(\d{4})|(\d{4})[ -]+([a-z]{3,9})\.?", re.ASCII)
_NUMBERED_MONTH = re.compile(r"(\d{1,2})[ /.-]+(\d{4})|(\d{4})[ /.-]+(\d{1,2})", re.ASCII)
ALL, TRADE, ITEM = "all", "trade", "item"
INDEX, PERCENTAGE, NEW_RATE = "index", "percentage", "new-rate"


class ChangeField(WrittenField):
    """A change in per cent, up or down, with at most two decimals; kept in basis points."""

    def read(self, text: str) -> int:
        number = plain_number(text.removesuffix("%").strip().removeprefix("+"))
        if number is None or number * 100 != (number * 100).to_integral_value():
            raise ValueError("Enter a change in per cent with at most two decimals, such as 3.58 or −2")
        if not -100 < number <= 1_000:
            raise ValueError("The change must lie above −100 % and not above 1,000 %")
        return int(number * 100)

    def write(self, value: Any) -> str:
        return money.percent(int(value))


class MonthField(WrittenField):
    """A month as people write it: ``April 2026``, ``Apr 2026``, ``04/2026``, ``2026-04``; kept as its first day."""

    def read(self, text: str) -> date:
        month = month_in(text.lower())
        if month is None:
            raise ValueError("Enter a month and a year, such as April 2026 or 04/2026")
        return month

    def write(self, value: Any) -> str:
        return month_text(value)


def month_in(text: str) -> date | None:
    """The first day of the month that ``text`` (in lower case) names; ``None`` when it names none."""
    if match := _NAMED_MONTH.fullmatch(text):
        name, year = match[1] or match[4], int(match[2] or match[3])
        number = next((at for at, month in enumerate(_MONTHS, 1) if month.startswith(name)), 0)
    elif match := _NUMBERED_MONTH.fullmatch(text):
        number, year = int(match[1] or match[4]), int(match[2] or match[3])
    else:
        return None
    return date(year, number, 1) if 1 <= number <= 12 and 1900 <= year <= 2100 else None


def words_field(label: str, hint: str, needed: str = "") -> TextAreaField:
    """A reason or a note."""
    checks: list[Any] = [InputRequired(needed)] if needed else []
    longest = Length(max=LONGEST_TEXT, message=f"This can have at most {LONGEST_TEXT:,} characters")
    return TextAreaField(label, widget=GovTextArea(), validators=[*checks, longest], description=hint)


class IndexForm(FlaskForm):  # type: ignore[misc]
    """A table of months and values."""

    code = StringField(
        "Code of the index",
        widget=GovTextInput(),
        validators=[InputRequired("Enter a code for the index, such as CPI")],
        description="Short, such as CPI. With the code of an index that is here, its months are added and corrected.",
    )
    name = StringField(
        "Name",
        widget=GovTextInput(),
        description="Such as Consumer prices index, all items. Leave it empty to keep the name that stands here.",
    )
    file = FileField(
        "File",
        widget=GovFileInput(),
        validators=[FileRequired("Choose the file")],
        description="CSV, XLSX or XLS with the columns month and value, such as 2026-04 and 135.9; at most 1 MB.",
    )
    submit = SubmitField("Bring the index in", widget=GovSubmitInput())


class ReviewForm(FlaskForm):  # type: ignore[misc]
    """The edition that a review is to become."""

    schedule_code = SelectField("Schedule", widget=GovSelect(), validators=[InputRequired("Choose the schedule")])
    edition_name = StringField(
        "Name of the new edition",
        widget=GovTextInput(),
        validators=[
            InputRequired("Enter the name of the new edition"),
            Length(max=200, message="The name can have at most 200 characters"),
        ],
        description="Such as 2027.",
    )
    starts_on = DayField(
        "In force from",
        validators=[Needed("Enter the day from which the new rates hold")],
        description="Today or later, for example 1 4 2027. Jobs specified from then on have the new rates.",
    )
    note = words_field("Note (optional)", "For whoever approves it: why the rates are reviewed.")
    submit = SubmitField("Start the review", widget=GovSubmitInput())

    def wanted(self) -> ReviewWanted:
        """What was entered."""
        return ReviewWanted(self.edition_name.data, self.starts_on.data, self.note.data or "")


class ReviewDatesForm(ReviewForm):
    """Name, day and note of a draft; its schedule stays."""

    schedule_code = None
    submit = SubmitField("Save", widget=GovSubmitInput())


class RuleForm(FlaskForm):  # type: ignore[misc]
    """One rule of a review."""

    applies_to = RadioField(
        "Which rates?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(ALL, "All items"),
            SelectChoice(TRADE, "The items of a trade"),
            SelectChoice(ITEM, "One item"),
        ],
        validators=[InputRequired("Choose which rates change")],
        description="The most particular rule counts: an item’s own, then its trade’s, then the one for all.",
    )
    trade = SelectField(
        "Trade", widget=GovSelect(), validate_choice=False, description="For the items of a trade only."
    )
    code = StringField(
        "Code of the item",
        widget=GovTextInput(),
        description="For one item only, as it stands in the catalogue.",
    )
    way = RadioField(
        "How do they change?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(INDEX, "By an index between two months"),
            SelectChoice(PERCENTAGE, "By a percentage"),
            SelectChoice(NEW_RATE, "To a new rate, for one item"),
        ],
        validators=[InputRequired("Choose how the rates change")],
    )
    index_code = SelectField("Index", widget=GovSelect(), validate_choice=False)
    from_month = MonthField("From the month", description="Such as April 2025.")
    to_month = MonthField("To the month", description="Such as April 2026.")
    change_bp = ChangeField("Change in per cent", description="Such as 2.5, or −1 for lower rates.")
    new_rate_pence = PoundsField("New rate")
    floor_bp = ChangeField("Floor in per cent (optional)", description="Rates change by no less, such as 0.")
    cap_bp = ChangeField("Cap in per cent (optional)", description="Rates change by no more, such as 3.")
    submit = SubmitField("Save the rule", widget=GovSubmitInput())

    def offer(self, trades: Iterable[str], indices: Iterable[tuple[str, str]]) -> None:
        """Let the choices be the trades of the base, and the indices as (code, name)."""
        self.trade.choices = [SelectChoice("", "Choose"), *(SelectChoice(each, each) for each in trades)]
        self.index_code.choices = [
            SelectChoice("", "Choose"),
            *(SelectChoice(code, f"{code}, {name}") for code, name in indices),
        ]

    def validate_trade(self, field: SelectField) -> None:
        """A rule for a trade names it."""
        if self.applies_to.data == TRADE and not field.data:
            raise ValidationError("Choose the trade")

    def validate_code(self, field: StringField) -> None:
        """A rule for an item names it."""
        if self.applies_to.data == ITEM and not (field.data or "").strip():
            raise ValidationError("Enter the code of the item")
        if self.way.data == NEW_RATE and self.applies_to.data in {ALL, TRADE}:
            raise ValidationError("A new rate is for one item; choose “One item” and enter its code")

    def validate_index_code(self, field: SelectField) -> None:
        """A rule by an index names it."""
        if self.way.data == INDEX and not field.data:
            raise ValidationError("Choose the index")

    def validate_from_month(self, field: MonthField) -> None:
        """A rule by an index says from when."""
        if self.way.data == INDEX and field.data is None and not field.errors:
            raise ValidationError("Enter the month from which the index counts, such as April 2025")

    def validate_to_month(self, field: MonthField) -> None:
        """A rule by an index says to when."""
        if self.way.data == INDEX and field.data is None and not field.errors:
            raise ValidationError("Enter the month to which the index counts, such as April 2026")

    def validate_change_bp(self, field: ChangeField) -> None:
        """A rule by a percentage states it."""
        if self.way.data == PERCENTAGE and field.data is None and not field.errors:
            raise ValidationError("Enter the change in per cent, such as 2.5")

    def validate_new_rate_pence(self, field: PoundsField) -> None:
        """A new rate is stated."""
        if self.way.data == NEW_RATE and field.data is None and not field.errors:
            raise ValidationError("Enter the new rate, such as 45.50")

    def wanted(self) -> RuleWanted:
        """What was entered, without what belongs to another choice."""
        to, way = self.applies_to.data, self.way.data
        return RuleWanted(
            trade=self.trade.data if to == TRADE else "",
            code=self.code.data.strip() if to == ITEM else "",
            index_code=self.index_code.data if way == INDEX else "",
            from_month=self.from_month.data if way == INDEX else None,
            to_month=self.to_month.data if way == INDEX else None,
            change_bp=self.change_bp.data if way == PERCENTAGE else None,
            new_rate_pence=self.new_rate_pence.data if way == NEW_RATE else None,
            floor_bp=self.floor_bp.data,
            cap_bp=self.cap_bp.data,
        )


def rule_as_entered(rule: ReviewRule) -> dict[str, Any]:
    """A rule as a form shows it."""
    return {
        "applies_to": ITEM if rule.code else TRADE if rule.trade else ALL,
        "trade": rule.trade,
        "code": rule.code,
        "way": INDEX if rule.index else PERCENTAGE if rule.change_bp is not None else NEW_RATE,
        "index_code": rule.index.code if rule.index else "",
        "from_month": rule.from_month,
        "to_month": rule.to_month,
        "change_bp": rule.change_bp,
        "new_rate_pence": rule.new_rate_pence,
        "floor_bp": rule.floor_bp,
        "cap_bp": rule.cap_bp,
    }


class RejectForm(FlaskForm):  # type: ignore[misc]
    """Why a proposed review is not approved."""

    reason = words_field(
        "Why is it not approved?", "It is kept with the review.", "Give the reason; it is kept with the review"
    )
    submit = SubmitField("Reject the review", widget=GovSubmitInput())


class RequestForm(FlaskForm):  # type: ignore[misc]
    """What a contractor asks for. The view says which schedules there are."""

    schedule_code = SelectField("Schedule", widget=GovSelect(), validators=[InputRequired("Choose the schedule")])
    applies_to = RadioField(
        "What is it about?",
        widget=GovRadioInput(),
        choices=[SelectChoice(ITEM, "One item"), SelectChoice(TRADE, "A whole trade")],
        validators=[InputRequired("Choose whether it is about one item or a whole trade")],
    )
    code = StringField(
        "Code of the item",
        widget=GovTextInput(),
        description="For one item only, as it stands on your order, such as LAS010.",
    )
    trade = SelectField(
        "Trade", widget=GovSelect(), validate_choice=False, description="For a whole trade only."
    )
    asked_bp = ChangeField(
        "Change that you ask for, in per cent",
        validators=[Needed("Enter the change that you ask for, such as 4.5")],
        description="Such as 4.5.",
    )
    reason = words_field(
        "Reason",
        "What has changed, since when, and by how much. Name no client.",
        "Give the reason; the reviewer reads it",
    )
    file = FileField("Evidence (optional)", widget=GovFileInput())
    submit = SubmitField("Send the request", widget=GovSubmitInput())

    def offer(self, schedules: Iterable[tuple[str, str]], trades: Iterable[str]) -> None:
        """Let the choices be these schedules, as (code, name), and their trades."""
        self.schedule_code.choices = [SelectChoice(code, name) for code, name in schedules]
        self.trade.choices = [SelectChoice("", "Choose"), *(SelectChoice(each, each) for each in trades)]

    def validate_code(self, field: StringField) -> None:
        """A request for an item names it."""
        if self.applies_to.data == ITEM and not (field.data or "").strip():
            raise ValidationError("Enter the code of the item, such as LAS010")

    def validate_trade(self, field: SelectField) -> None:
        """A request for a trade names it."""
        if self.applies_to.data == TRADE and not field.data:
            raise ValidationError("Choose the trade")


class RefuseForm(FlaskForm):  # type: ignore[misc]
    """Why a request is refused."""

    reason = words_field(
        "Why is it refused?",
        "The contractor reads it: say what would convince you.",
        "Give the reason; the contractor reads it",
    )
    submit = SubmitField("Refuse the request", widget=GovSubmitInput())
