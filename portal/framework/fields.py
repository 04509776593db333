"""Form fields for what people write by hand: days, money, percentages, whole numbers, lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovDateInput, GovTextArea, GovTextInput
from wtforms import DateField, StringField, TextAreaField
from wtforms.validators import StopValidation, ValidationError

from portal.kernel import money

#: Days outside these years are slips of the finger.
YEARS = range(2000, 2101)
#: No framework is worth more, in pounds.
MOST_POUNDS = 100_000_000_000
MOST_WHOLE = 1_000_000


class DayField(DateField):  # type: ignore[misc]
    """A day in three boxes: day, month, year. Boxes that a request leaves out count as empty."""

    widget = GovDateInput()
    data: Any

    def __init__(self, label: str, **options: Any) -> None:
        checks = [*options.pop("validators", ()), in_these_years]
        super().__init__(
            label,
            format="%d %m %Y",
            validators=checks,
            invalid_value_message="Enter the day as numbers, such as 27 3 2027",
            **options,
        )

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw_data = [*valuelist, "", "", ""][:3]
        # Emptied boxes take the day away that stood in them.
        self.data = None
        parts = [part.strip() for part in self.raw_data]
        super().process_formdata(parts if any(parts) else [])


def in_these_years(_form: FlaskForm, field: DayField) -> None:
    """A year that somebody can have meant."""
    if field.data is not None and field.data.year not in YEARS:
        raise ValidationError(f"The year must lie between {YEARS[0]} and {YEARS[-1]}")


class NoDay:
    """Ends the checks where all three boxes are empty; a day with a box missing is still a mistake."""

    def __call__(self, _form: FlaskForm, field: DayField) -> None:
        if not any(field.raw_data or []):
            raise StopValidation


class WrittenField(StringField):  # type: ignore[misc]
    """A value written as text; empty is ``None``. Subclasses say how it is read and written."""

    widget = GovTextInput()
    data: Any

    def read(self, text: str) -> Any:
        """The value that ``text`` (not empty) states; ``ValueError`` says what would be right."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """``value`` as it stands in the field."""
        return str(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if text:
            self.data = self.read(text)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.write(self.data)


def plain_number(text: str) -> Decimal | None:
    """A number as people write it, with thousands set apart by commas or not; ``None`` when it is none."""
    text = text.replace(",", "").replace(" ", "").replace("−", "-")
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", text, re.ASCII):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


class PoundsField(WrittenField):
    """An amount in pounds, kept in pence."""

    def read(self, text: str) -> int:
        number = plain_number(text.removeprefix("£"))
        if number is None or number * 100 != (number * 100).to_integral_value():
            raise ValueError("Enter an amount in pounds, such as 250,000 or 1,500.50")
        if number < 0:
            raise ValueError("The amount cannot be below £0")
        if number > MOST_POUNDS:
            raise ValueError(f"The amount can be at most {money.shown(MOST_POUNDS * 100)}")
        return int(number * 100)

    def write(self, value: Any) -> str:
        return money.shown(int(value)).removeprefix("£").removesuffix(".00")


class WholeField(WrittenField):
    """A whole number from 0."""

    def read(self, text: str) -> int:
        number = plain_number(text)
        if number is None or number != number.to_integral_value() or not 0 <= number <= MOST_WHOLE:
            raise ValueError("Enter a whole number, such as 12")
        return int(number)


class PercentField(WrittenField):
    """A percentage from 0 to 100 with at most two decimals, kept in basis points."""

    def read(self, text: str) -> int:
        number = plain_number(text.removesuffix("%"))
        if number is None or number * 100 != (number * 100).to_integral_value() or not 0 <= number <= 100:
            raise ValueError("Enter a share from 0 to 100 %, such as 12.5")
        return int(number * 100)

    def write(self, value: Any) -> str:
        return money.percent(int(value))


class LinesField(TextAreaField):  # type: ignore[misc]
    """Several texts, one a line; empty lines and repetitions do not count."""

    widget = GovTextArea()

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0] if valuelist else ""
        self.data = tuple(dict.fromkeys(line for each in text.splitlines() if (line := " ".join(each.split()))))

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else "\n".join(self.data or ())


class WordsField(StringField):  # type: ignore[misc]
    """Codes on one line, in capitals, apart by spaces or commas."""

    widget = GovTextInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0] if valuelist else ""
        self.data = tuple(dict.fromkeys(re.split(r"[\s,;]+", text.upper().strip()))) if text.strip() else ()

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else " ".join(self.data or ())


class Needed:
    """The field must have a value; a wrong one keeps its own message."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, _form: FlaskForm, field: Any) -> None:
        if field.errors:
            raise StopValidation
        if field.data is None or field.data == "" or (isinstance(field.data, Sequence) and not field.data):
            raise StopValidation(self.message)
