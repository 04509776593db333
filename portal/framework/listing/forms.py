"""The form that narrows the contractor list; it travels in the address, so that a list can be linked to."""

from __future__ import annotations

from datetime import date

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from portal.framework.fields import YEARS, WrittenField
from portal.framework.listing.queries import BANDS, Choices, Search, Shown

SHOWN_TEXT = {
    Shown.ACTIVE: "Active",
    Shown.LAPSED: "Lapsed: no valid document",
    Shown.SUSPENDED: "Suspended",
    Shown.APPLIED: "Applied",
    Shown.CHECKING: "Being checked",
    Shown.RELEASED: "Released",
    Shown.REMOVED: "Removed",
    Shown.NOWHERE: "Not a member of any lot",
}
ANY = SelectChoice("", "Any")


def choice(label: str, *choices: SelectChoice) -> SelectField:
    """A select that narrows nothing unless something is chosen."""
    return SelectField(label, widget=GovSelect(), default="", choices=[ANY, *choices])


class DateTextField(WrittenField):
    """A day in one field, as addresses write it: ``2026-05-03``. Browsers offer a calendar."""

    widget = GovTextInput()

    def read(self, text: str) -> date:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if day.year not in YEARS:
            raise ValueError("Enter the day as year, month and day, such as 2026-05-03")
        return day


class SearchForm(FlaskForm):  # type: ignore[misc]
    """What the list is narrowed to."""

    class Meta:
        # It changes nothing, and its address is passed on.
        csrf = False

    words = StringField(
        "Name or code", widget=GovTextInput(), validators=[Length(max=100, message="Enter at most 100 characters")]
    )
    status = choice("Standing", *(SelectChoice(shown.value, text) for shown, text in SHOWN_TEXT.items()))
    on = DateTextField("On the day")
    framework = choice("Framework")
    lot = choice("Lot")
    area = choice("Area")
    trade = choice("Trade")
    sme = choice("Size of firm", SelectChoice("yes", "Small or medium"), SelectChoice("no", "Large"))
    near = StringField(
        "Distance from postcode",
        widget=GovTextInput(),
        validators=[Length(max=10, message="Enter a postcode, such as RG1 2AB")],
    )
    within = choice("At most", *(SelectChoice(str(miles), f"{miles} miles") for miles in BANDS))

    def offer(self, choices: Choices) -> None:
        """Fill the selects with what there is."""
        self.framework.choices = [ANY, *(SelectChoice(each.code, each.name) for each in choices.frameworks)]
        self.lot.choices = [
            ANY,
            *(
                SelectChoice(str(lot.id), f"{framework.code}: {lot.name}")
                for framework in choices.frameworks
                for lot in framework.lots
            ),
        ]
        self.area.choices = [ANY, *(SelectChoice(code, name) for code, name in choices.areas)]
        self.trade.choices = [ANY, *(SelectChoice(each, each) for each in choices.trades)]

    @property
    def narrowed(self) -> bool:
        """Whether one of the fields that are folded away is used."""
        folded = (self.framework, self.lot, self.area, self.trade, self.sme, self.near, self.within)
        return any(field.data or field.errors for field in folded)

    def search(self, today: date) -> Search:
        """What a form in order asks for."""
        return Search(
            on=self.on.data or today,
            words=(self.words.data or "").strip(),
            framework=self.framework.data or "",
            lot_id=int(self.lot.data) if self.lot.data else None,
            area=self.area.data or "",
            trade=self.trade.data or "",
            status=Shown(self.status.data) if self.status.data else None,
            sme={"yes": True, "no": False}.get(self.sme.data or ""),
            near=(self.near.data or "").strip(),
            within=int(self.within.data) if self.within.data else None,
        )
