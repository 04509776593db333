"""Forms for lots: their terms, and the ranks of their members."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectMultipleField, StringField, SubmitField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.framework.fields import (
    DayField,
    LinesField,
    Needed,
    PercentField,
    PoundsField,
    WholeField,
    WordsField,
    plain_number,
)
from portal.framework.members.ranks import MOST_RANK, RankWanted, SharedRank
from portal.framework.models import Framework, Lot
from portal.framework.roster import Listed
from portal.framework.states import COVER_KINDS, DOCUMENT_KINDS, CapacityRule, Priority, document_title
from portal.framework.terms.forms import put_fault
from portal.framework.terms.lots import MOST_UPLIFT_BP, Asked, LotTermsWanted
from portal.kernel.clock import date_text
from portal.kernel.errors import PortalError

CAPACITY_TEXT = {
    CapacityRule.ALL_WORK: "All its open jobs count, whatever the lot",
    CapacityRule.THIS_LOT: "Only its open jobs of this lot count",
    CapacityRule.NOT_LIMITED: "The number of jobs at once is not limited",
}
REQUIRED, ASKED_FOR, NOT_ASKED = "required", "asked-for", "not"


def kind_code(text: str) -> str:
    """The code of a kind of document as somebody writes it: ``"Enhanced DBS check"`` → ``"enhanced-dbs-check"``."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _hours(label: str) -> WholeField:
    return WholeField(label, validators=[Needed("Enter the working hours to answer")])


def _days(label: str) -> WholeField:
    return WholeField(label, validators=[Needed("Enter the working days to start")])


class UpliftField(PercentField):
    """What is added to rates, from 0 to 200 % with at most two decimals, kept in basis points."""

    def read(self, text: str) -> int:
        number = plain_number(text.removesuffix("%").removeprefix("+"))
        points = None if number is None else number * 100
        if points is None or points != points.to_integral_value() or not 0 <= points <= MOST_UPLIFT_BP:
            raise ValueError("Enter what is added, from 0 to 200 %, such as 20 or 33.5")
        return int(points)


class LotTermsForm(FlaskForm):  # type: ignore[misc]
    """A lot's terms; ``lot_form`` adds a pair of fields for each usual kind of document."""

    name = StringField(
        "Name of the lot",
        widget=GovTextInput(),
        validators=[
            InputRequired("Enter the name of the lot"),
            Length(max=200, message="The name has at most 200 characters"),
        ],
    )
    work_types = LinesField(
        "Work types, one a line",
        validators=[Needed("Enter at least one work type")],
        description="A job’s work type finds its lot, for example Stair lift.",
    )
    authorities = SelectMultipleField(
        "Authorities (optional)",
        widget=GovCheckboxesInput(),
        description="Choose none, and name no postcode district, for a lot in every authority of the framework.",
    )
    districts = WordsField(
        "Postcode districts (optional)",
        description="Apart by spaces, for example RG1 RG2. A job anywhere else is not taken.",
    )
    value_from_pence = PoundsField("Jobs from, in pounds", description="Leave it empty for jobs of any small value.")
    value_to_pence = PoundsField("Jobs below, in pounds", description="Leave it empty for jobs of any large value.")
    capacity_rule = RadioField(
        "Which open jobs count against a member’s number of jobs at once",
        widget=GovRadioInput(),
        default=CapacityRule.ALL_WORK.value,
        choices=[SelectChoice(rule.value, text) for rule, text in CAPACITY_TEXT.items()],
        validators=[InputRequired("Choose which open jobs count")],
    )
    answer_hours_hospital_discharge = _hours("Answer: hospital discharge")
    answer_hours_priority = _hours("Answer: priority")
    answer_hours_routine = _hours("Answer: routine")
    start_days_hospital_discharge = _days("Start: hospital discharge")
    start_days_priority = _days("Start: priority")
    start_days_routine = _days("Start: routine")
    works_days = WholeField(
        "Days that the works take at the most",
        validators=[Needed("Enter the days that the works take at the most")],
        description="A member’s required documents must hold until the works end.",
    )
    minimum_order_pence = PoundsField(
        "Minimum order in pounds (optional)",
        description="Excluding VAT. An order that comes to less is filled up to it; a quote stands as it is.",
    )
    out_of_hours_bp = UpliftField(
        "Uplift for work out of hours, in per cent (optional)",
        description="Added to every rate of a job that is done out of hours.",
    )
    own_required = LinesField(
        "Other required documents, one a line (optional)", description="For example Enhanced DBS check."
    )
    own_asked = LinesField("Other documents asked for, one a line (optional)")
    submit = SubmitField("Save the lot", widget=GovSubmitInput())

    def validate_own_required(self, field: LinesField) -> None:
        """Each line has a code of its own."""
        for text in field.data or ():
            if not 0 < len(kind_code(text)) <= 64:
                raise ValidationError(f"Write {text[:20]} in at most 64 letters and digits")

    def validate_own_asked(self, field: LinesField) -> None:
        """As for those that are required; nothing is both."""
        self.validate_own_required(field)
        both = {kind_code(each) for each in field.data or ()} & {
            kind_code(each) for each in self.own_required.data or ()
        }
        if both:
            raise ValidationError(
                f"{document_title(sorted(both)[0])} is required already; take it off one of the lists"
            )

    def terms(self) -> LotTermsWanted:
        """What was entered."""
        documents = {kind_code(each): Asked(required=False) for each in self.own_asked.data or ()}
        documents |= {kind_code(each): Asked() for each in self.own_required.data or ()}
        for kind in DOCUMENT_KINDS:
            how = self[f"ask_{kind}"].data
            if how in {REQUIRED, ASKED_FOR}:
                cover = self[f"cover_{kind}"].data if kind in COVER_KINDS else None
                documents[kind] = Asked(how == REQUIRED, cover or None)
        return LotTermsWanted(
            name=self.name.data,
            work_types=self.work_types.data,
            areas=(*self.authorities.data, *self.districts.data),
            value_from_pence=self.value_from_pence.data or 0,
            value_to_pence=self.value_to_pence.data,
            capacity_rule=CapacityRule(self.capacity_rule.data),
            answer_hours={each: self[f"answer_hours_{each.name.lower()}"].data for each in Priority},
            start_days={each: self[f"start_days_{each.name.lower()}"].data for each in Priority},
            works_days=self.works_days.data,
            documents=documents,
            minimum_order_pence=self.minimum_order_pence.data or 0,
            out_of_hours_bp=self.out_of_hours_bp.data or 0,
        )


def lot_form(framework: Framework, today: date, lot: Lot | None = None) -> LotTermsForm:
    """The form of a new lot of ``framework``, or of the ``lot`` to change."""
    fields: dict[str, Any] = {}
    for kind, title in DOCUMENT_KINDS.items():
        fields[f"ask_{kind}"] = RadioField(
            title,
            widget=GovRadioInput(),
            default=NOT_ASKED,
            choices=[
                SelectChoice(REQUIRED, "Required"),
                SelectChoice(ASKED_FOR, "Asked for"),
                SelectChoice(NOT_ASKED, "Not asked for"),
            ],
            validators=[Optional()],
        )
        if kind in COVER_KINDS:
            fields[f"cover_{kind}"] = PoundsField(f"{title}: least cover in pounds (optional)")
    form: LotTermsForm = type("LotForm", (LotTermsForm,), fields)(data=_lot_as_entered(lot))
    form.authorities.choices = _authority_choices(framework, lot, today)
    return form


def _lot_as_entered(lot: Lot | None) -> dict[str, Any]:
    terms = LotTermsWanted("", ()) if lot is None else None
    hours = terms.answer_hours if terms else {}
    days = terms.start_days if terms else {}
    entered: dict[str, Any] = {}
    for priority in Priority:
        name = priority.name.lower()
        entered[f"answer_hours_{name}"] = getattr(lot, f"answer_hours_{name}") if lot else hours[priority]
        entered[f"start_days_{name}"] = getattr(lot, f"start_days_{name}") if lot else days[priority]
    if lot is None:
        return {**entered, "works_days": 14, "authorities": [], "districts": ()}
    own = [each for each in lot.requirements if each.kind not in DOCUMENT_KINDS]
    for each in lot.requirements:
        entered[f"ask_{each.kind}"] = REQUIRED if each.required else ASKED_FOR
        entered[f"cover_{each.kind}"] = each.minimum_pence
    return {
        **entered,
        "name": lot.name,
        "work_types": tuple(each.work_type for each in lot.work_types),
        "authorities": [each.authority.code for each in lot.areas if each.authority],
        "districts": tuple(each.district for each in lot.areas if each.district),
        "value_from_pence": lot.value_from_pence or None,
        "value_to_pence": lot.value_to_pence,
        "capacity_rule": lot.capacity_rule.value,
        "works_days": lot.works_days,
        "minimum_order_pence": lot.minimum_order_pence or None,
        "out_of_hours_bp": lot.out_of_hours_bp or None,
        "own_required": tuple(document_title(each.kind) for each in own if each.required),
        "own_asked": tuple(document_title(each.kind) for each in own if not each.required),
    }


def _authority_choices(framework: Framework, lot: Lot | None, today: date) -> list[SelectChoice]:
    """The authorities that take part, and those that have left but still stand in the lot, said to have left."""
    last: dict[str, tuple[str, date | None]] = {}
    for each in framework.participations:
        known = last.get(each.authority.code)
        if known is None or (known[1] is not None and (each.to_on is None or each.to_on > known[1])):
            last[each.authority.code] = (each.authority.name, each.to_on)
    kept = {each.authority.code: each.authority.name for each in (lot.areas if lot else ()) if each.authority}
    choices = []
    for code, (name, to_on) in sorted(last.items()):
        if to_on is None or to_on > today:
            choices.append(SelectChoice(code, name))
        elif code in kept:
            choices.append(SelectChoice(code, f"{name} (left on {date_text(to_on)})"))
    choices += [SelectChoice(code, f"{name} (does not take part)") for code, name in kept.items() if code not in last]
    return choices


# Ranks ----------------------------------------------------------------------------------------------------------------


class RanksForm(FlaskForm):  # type: ignore[misc]
    """From when, and why; ``ranks_form`` adds a rank and a share for each member."""

    starts_on = DayField(
        "The ranks hold from",
        validators=[Needed("Enter the day from which the ranks hold")],
        description="Today or later. Ranks that start on the same day are replaced.",
    )
    note = StringField(
        "Note (optional)",
        widget=GovTextInput(),
        validators=[Length(max=500, message="The note has at most 500 characters")],
        description="What the ranks rest on, for example prices and quality of the review.",
    )
    submit = SubmitField("Publish the ranks", widget=GovSubmitInput())

    def ranks(self, members: Collection[Listed]) -> dict[int, RankWanted]:
        """The places entered, by member id."""
        return {
            each.member_id: RankWanted(self[f"rank_{each.member_id}"].data, self[f"share_{each.member_id}"].data)
            for each in members
            if self[f"rank_{each.member_id}"].data is not None
        }

    def put_rank_fault(self, fault: PortalError, members: Sequence[Listed]) -> None:
        """Show a refusal where it belongs: at both ranks that are one, at the shares, or at the day."""
        if isinstance(fault, SharedRank):
            for each in members:
                if each.code in fault.codes:
                    self[f"rank_{each.member_id}"].errors = [str(fault)]
            return
        shares = [name for each in members if self[name := f"share_{each.member_id}"].data]
        put_fault(self, fault, shares[0] if shares and "share" in str(fault) else "starts_on")


def in_rank_range(_form: FlaskForm, field: WholeField) -> None:
    """A rank from 1."""
    if field.data is not None and not 1 <= field.data <= MOST_RANK:
        raise ValidationError("A rank is a whole number from 1")


def ranks_form(members: Sequence[Listed], standing: Mapping[int, RankWanted]) -> RanksForm:
    """The form for a new edition: ``members`` on the list or being checked, filled in with the ``standing`` places."""
    fields: dict[str, Any] = {}
    entered: dict[str, Any] = {}
    for each in members:
        place = standing.get(each.member_id)
        must = [] if each.standing.status.value == "checking" else [Needed(f"Enter the rank of {each.name}")]
        fields[f"rank_{each.member_id}"] = WholeField(f"Rank of {each.name}", validators=[*must, in_rank_range])
        fields[f"share_{each.member_id}"] = PercentField(f"Share of {each.name} in per cent")
        entered[f"rank_{each.member_id}"] = place.rank if place else None
        entered[f"share_{each.member_id}"] = place.share_bp if place else None
    form: RanksForm = type("LotRanksForm", (RanksForm,), fields)(data=entered)
    return form
