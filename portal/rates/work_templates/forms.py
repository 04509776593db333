"""The form of a template."""

from __future__ import annotations

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import InputRequired, Length


class TemplateForm(FlaskForm):  # type: ignore[misc]
    """A template; fields are named as ``TemplateWanted`` names them."""

    schedule = SelectField("Schedule of rates", widget=GovSelect(), validators=[InputRequired("Choose the schedule")])
    name = StringField(
        "Name",
        widget=GovTextInput(),
        validators=[InputRequired("Enter the name"), Length(max=200, message="The name has at most 200 characters")],
        description="For example “Level-access shower, standard”.",
    )
    work_type = SelectField("Work type", widget=GovSelect(), validators=[InputRequired("Choose the work type")])
    lines = TextAreaField(
        "Items",
        widget=GovTextArea(),
        validators=[
            InputRequired("Give at least one item, such as LAS010*1"),
            Length(max=20_000, message="The items have at most 20,000 characters"),
        ],
        description="One a line: the code, a star, and the quantity, such as LAS010*1 or LAS020*4.5.",
    )
    submit = SubmitField("Save the template", widget=GovSubmitInput())
