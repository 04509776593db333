"""The form that searches a catalogue; it travels in the address, so that a search can be linked to."""

from __future__ import annotations

from collections.abc import Sequence

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice

from portal.framework.fields import PoundsField
from portal.rates.catalogue import MOST_CHARACTERS, Wanted


class SearchForm(FlaskForm):  # type: ignore[misc]
    """Words or a code, and what the hits are narrowed to."""

    class Meta:
        # It changes nothing, and its address is passed on.
        csrf = False

    words = StringField("Words or code", widget=GovTextInput())
    trade = SelectField("Trade", widget=GovSelect(), default="", validate_choice=False)
    unit = SelectField("Unit", widget=GovSelect(), default="", validate_choice=False)
    price_from = PoundsField("Rate from")
    price_to = PoundsField("Rate up to")

    def offer(self, trades: Sequence[str], units: Sequence[str]) -> None:
        """Fill the selects with what there is, and with what was asked for."""
        for field, there in ((self.trade, trades), (self.unit, units)):
            values = list(there) if not field.data or field.data in there else [field.data, *there]
            field.choices = [SelectChoice("", "Any"), *(SelectChoice(each, each) for each in values)]

    @property
    def folded(self) -> bool:
        """Whether one of the fields that are folded away is used."""
        return any(field.data is not None or field.errors for field in (self.price_from, self.price_to)) or bool(
            self.unit.data
        )

    def wanted(self, after: str) -> Wanted:
        """What a form in order asks for, behind the key ``after``."""
        return Wanted(
            (self.words.data or "").strip()[:MOST_CHARACTERS],
            self.trade.data or "",
            self.unit.data or "",
            self.price_from.data,
            self.price_to.data,
            after,
        )

    @property
    def narrowing(self) -> dict[str, str]:
        """What stands in the address of this search."""
        written = {
            "words": self.words.data,
            "trade": self.trade.data,
            "unit": self.unit.data,
            "price_from": self.price_from._value(),
            "price_to": self.price_to._value(),
        }
        return {name: text[:MOST_CHARACTERS] for name, text in written.items() if text}
