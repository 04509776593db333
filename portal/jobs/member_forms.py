"""Forms about a membership: one small form for each step, and one for its terms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import SelectMultipleField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from portal.accounts.models import Organisation
from portal.framework.faults import LONGEST_REASON
from portal.framework.fields import (
    DayField,
    Needed,
    NoDay,
    PercentField,
    WholeField,
    WordsField,
    WrittenField,
    plain_number,
)
from portal.framework.member_models import Member
from portal.framework.members.ranks import MOST_RANK
from portal.framework.states import MemberStatus
from portal.kernel import money

TOO_LONG = Length(max=LONGEST_REASON, message=f"The reason can have at most {LONGEST_REASON} characters")


class AdjustmentField(WrittenField):
    """A tendered adjustment in per cent, above −100, kept in basis points."""

    widget = GovTextInput()

    def read(self, text: str) -> int:
        number = plain_number(text.removesuffix("%").strip().removeprefix("+"))
        if number is None or number * 100 != (number * 100).to_integral_value() or not -100 < number <= 1000:
            raise ValueError("Enter the adjustment in per cent, such as -2.5, 0 or 4")
        return int(number * 100)

    def write(self, value: int) -> str:
        return money.percent(value)


class BandsField(TextAreaField):  # type: ignore[misc]
    """Adjustments for jobs of more value, one a line (``5,000: -2.5``): pairs of pence and basis points."""

    widget = GovTextArea()
    data: Sequence[tuple[int, int]] | None

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        found = [read_band(line) for line in (valuelist[0] if valuelist else "").splitlines() if line.strip()]
        self.data = found

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "\n".join(
            f"{money.shown(pence).removeprefix('£').removesuffix('.00')}: {money.percent(bp)}"
            for pence, bp in self.data or ()
        )


def read_band(line: str) -> tuple[int, int]:
    """``5,000: -2.5`` → pence and basis points; ``ValueError`` says how it is written."""
    start, colon, rest = line.replace("=", ":").partition(":")
    pounds, per_cent = plain_number(start.strip().removeprefix("£")), plain_number(rest.strip(" +%"))
    numbers = [number * 100 for number in (pounds, per_cent) if number is not None and colon]
    if len(numbers) < 2 or any(number != number.to_integral_value() for number in numbers):
        raise ValueError(f"Write {line.strip()[:30]} as a value in pounds, a colon and per cent, such as 5,000: -2.5")
    return int(numbers[0]), int(numbers[1])


class StepForm(FlaskForm):  # type: ignore[misc]
    """A step in the life of a membership. ``says`` is what was done, for the person who did it."""

    status: MemberStatus
    says: str

    reason = TextAreaField("Reason", widget=GovTextArea(), validators=[TOO_LONG])


def reason_field(label: str, needed: str = "") -> TextAreaField:
    """The reason for a step; ``needed`` is what is said when it is missing."""
    checks = [InputRequired(needed), TOO_LONG] if needed else [TOO_LONG]
    return TextAreaField(label, widget=GovTextArea(), validators=checks)


class CheckForm(StepForm):
    """Start checking an application."""

    status = MemberStatus.CHECKING
    says = "The application is being checked; the contractor is told."
    reason = reason_field("Note for the contractor (optional)")
    submit = SubmitField("Start checking", widget=GovSubmitInput())


class AdmitForm(StepForm):
    """Admit somebody who was checked."""

    status = MemberStatus.ACTIVE
    says = "Admitted. Jobs can be offered from now on."
    rank = WholeField(
        "Rank (optional)", description="Leave it empty to place the contractor behind everybody else in the lot."
    )
    share = PercentField("Share of the work in per cent (optional)")
    reason = reason_field("Note for the contractor (optional)")
    submit = SubmitField("Admit", widget=GovSubmitInput())

    def validate_rank(self, field: WholeField) -> None:
        """A rank from 1."""
        if field.data is not None and not 1 <= field.data <= MOST_RANK:
            raise ValidationError(f"Enter a rank from 1 to {MOST_RANK:,}")


class SuspendForm(StepForm):
    """Suspend a member."""

    status = MemberStatus.SUSPENDED
    says = "Suspended. No new job is offered; running orders go on."
    reason = reason_field("Why is the member suspended?", "Give the reason; the contractor reads it")
    until_on = DayField(
        "Ends by itself on (optional)",
        validators=[NoDay()],
        description="The first day on which jobs are offered again. Leave it empty if nobody knows yet.",
    )
    submit = SubmitField("Suspend", widget=GovSubmitInput())

    def change(self, reason: str, until_on: date | None, *, entered: bool) -> None:
        """Let the form change a suspension that there is: it shows its reason and its end unless it was filled in."""
        self.submit.label.text = "Change the suspension"
        if not entered:
            self.reason.data, self.until_on.data = reason, until_on


class ReinstateForm(StepForm):
    """End a suspension."""

    status = MemberStatus.ACTIVE
    says = "Reinstated. Jobs can be offered again."
    reason = reason_field("Note for the contractor (optional)")
    submit = SubmitField("Reinstate", widget=GovSubmitInput())


class ReleaseForm(StepForm):
    """Release a member on its own request."""

    status = MemberStatus.RELEASED
    says = "Released without penalty. Running orders go on."
    reason = reason_field("Note (optional)")
    submit = SubmitField("Release", widget=GovSubmitInput())


class RemoveForm(StepForm):
    """Remove a member, or turn an application down."""

    status = MemberStatus.REMOVED
    says = "Removed. Running orders go on."
    reason = reason_field("Why is it removed?", "Give the reason; the contractor reads it")
    submit = SubmitField("Remove", widget=GovSubmitInput())


class TermsForm(FlaskForm):  # type: ignore[misc]
    """Where a member works, and at which adjustment."""

    areas = SelectMultipleField("Authorities", widget=GovCheckboxesInput())
    districts = WordsField("Postcode districts (optional)", description="For example RG1 RG2, apart by spaces.")
    adjustment = AdjustmentField(
        "Adjustment on the schedule’s rates, in per cent",
        validators=[Needed("Enter the adjustment; 0 keeps the schedule’s rates")],
        description="New offers only: what was offered or ordered keeps its price.",
    )
    bands = BandsField(
        "Adjustments for jobs of more value, one a line (optional)",
        description="From which value of the job at schedule rates, a colon, per cent: for example 5,000: -2.5.",
    )
    submit = SubmitField("Change the terms", widget=GovSubmitInput())

    @classmethod
    def of(cls, member: Member, bands: Sequence[tuple[int, int]], authorities: Collection[Organisation]) -> TermsForm:
        """The form with the membership's terms as they are; ``bands`` are its adjustments for jobs of more value."""
        form = cls(
            formdata=None,
            prefix="terms-",
            areas=[area.authority.code for area in member.areas if area.authority],
            districts=tuple(area.district for area in member.areas if not area.authority),
            adjustment=member.adjustment_bp,
            bands=bands,
        )
        form.offer(member, authorities)
        return form

    def offer(self, member: Member, authorities: Collection[Organisation]) -> None:
        """Let the areas be chosen that the lot covers; those that the member has and that have left can be unticked."""
        names = {each.code: each.name for each in authorities}
        names |= {area.authority.code: area.authority.name for area in member.areas if area.authority}
        by_name = sorted(names.items(), key=lambda each: each[1])
        self.areas.choices = [SelectChoice(code, name) for code, name in by_name]

    @property
    def chosen(self) -> list[str]:
        """The codes of the areas: authorities, then districts."""
        return [*(self.areas.data or []), *(self.districts.data or ())]
