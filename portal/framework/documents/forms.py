"""Forms about one document: it holds, or it does not."""

from __future__ import annotations

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextArea
from wtforms import SubmitField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.framework.faults import LONGEST_REASON
from portal.framework.fields import DayField, Needed, PoundsField
from portal.framework.member_models import ContractorDocument
from portal.framework.states import COVER_KINDS


class VerifyForm(FlaskForm):  # type: ignore[misc]
    """What the document says: its last good day, and what it covers where it is an insurance."""

    expires_on = DayField(
        "Holds until, as the document says", validators=[InputRequired("Enter the last day on which it holds")]
    )
    cover = PoundsField(
        "Amount covered, in pounds, as the document says",
        validators=[Needed("Enter the amount that the insurance covers")],
    )
    submit = SubmitField("Verify the document", widget=GovSubmitInput())

    @classmethod
    def of(cls, document: ContractorDocument) -> VerifyForm:
        """The form with what the contractor stated."""
        form = cls(formdata=None, prefix="verify-", expires_on=document.expires_on, cover=document.cover_pence)
        form.ask_for(document)
        return form

    def ask_for(self, document: ContractorDocument) -> None:
        """Ask for the cover of an insurance only."""
        if document.kind not in COVER_KINDS:
            del self.cover


class RejectForm(FlaskForm):  # type: ignore[misc]
    """Why the document does not hold."""

    reason = TextAreaField(
        "Why can it not be accepted?",
        widget=GovTextArea(),
        validators=[
            InputRequired("Give the reason; the contractor reads it"),
            Length(max=LONGEST_REASON, message=f"The reason can have at most {LONGEST_REASON} characters"),
        ],
        description="The contractor reads it: say what to hand in instead.",
    )
    submit = SubmitField("Do not accept it", widget=GovSubmitInput())


class WithdrawForm(FlaskForm):  # type: ignore[misc]
    """Why a verified document must not count any more."""

    reason = TextAreaField(
        "Why must it not count any more?",
        widget=GovTextArea(),
        validators=[
            InputRequired("Give the reason; the contractor reads it"),
            Length(max=LONGEST_REASON, message=f"The reason can have at most {LONGEST_REASON} characters"),
        ],
        description="The contractor reads it: say what was wrong, and what to hand in instead.",
    )
    submit = SubmitField("Withdraw the document", widget=GovSubmitInput())
