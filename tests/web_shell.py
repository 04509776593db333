"""A small application in the portal's shell, without its features: what the shell does is tested on it alone."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Flask, abort, render_template, render_template_string
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextInput
from wtforms import StringField, SubmitField
from wtforms.validators import InputRequired

from portal.kernel.db import db
from portal.kernel.errors import Clash, InputRefused, NotAllowed, NotFound, Problem, RuleBroken, WrongState
from portal.web import init_web
from portal.web.errors import GENERAL
from portal.web.pages import NavigationItem

LONG_NAME = "Supercalifragilistic-Adaptations-and-Maintenance-Company-of-the-North-West-and-Isles Limited"
REFUSALS = {
    "rule": RuleBroken("The start date is a Sunday; choose a working day."),
    "not-allowed": NotAllowed("You may not approve your own request."),
    "not-found": NotFound("Job A-0412 belongs to Authority B."),
    "state": WrongState("This offer lapsed on 3 May 2026."),
    "clash": Clash("Another officer allocated this job first."),
    "file": InputRefused(
        [
            Problem("rates.csv", "The rate is not a number; write pounds such as 41.50.", row=3, column="rate"),
            Problem("rates.csv", "The unit is missing; write one such as nr or m.", row=9, column="unit"),
        ]
    ),
}


class ReasonForm(FlaskForm):
    """One field, to see what a refused form looks like."""

    reason = StringField("Reason", widget=GovTextInput(), validators=[InputRequired("Give a reason for declining")])
    submit = SubmitField("Decline", widget=GovSubmitInput())


PARTS_PAGE = """
{% extends "base.html" %}
{% from "macros.html" import data_table, wide_table, row, row_heading, cell, status_tag, empty_state, summary_list %}
{% from "macros.html" import page_head, pagination %}
{% from "worklist_parts.html" import counts, work_group, work_item %}
{% block title %}Parts{% endblock %}
{% block content %}
  {% call page_head("Parts", "Authority A") %}<a class="govuk-button" href="/parts">Add a job</a>{% endcall %}
  {{ counts([{"figure": 3, "text": "nobody left", "href": "/parts", "needs_you": true}]) }}
  {% call work_group("Needs you now", "needs-you", "Nobody left on the lot can take these.") %}
    {% call work_item("/parts", "A-0412 Level-access shower", name, true) %}
      {{ status_tag("Nobody left", "needs-you") }} <span>since 3 May 2026</span>
    {% endcall %}
  {% endcall %}
  {% call data_table("Jobs", ["Job", "Contractor", {"text": "Price", "number": true}]) %}
    {% call row(true) %}
      {% call row_heading() %}<a class="govuk-link" href="/parts">A-0412</a>{% endcall %}
      {{ cell("Contractor", name) }}
      {{ cell("Price", 405800 | pounds, number=true) }}
    {% endcall %}
  {% endcall %}
  {% call wide_table("Ranking", ["Place", "Member", "Eligible", "Reasons"]) %}
    {% call row() %}
      {{ row_heading("1") }}{{ cell("Member", name) }}
      {% call cell("Eligible") %}{{ status_tag("Eligible", "good") }}{% endcall %}
      {{ cell("Reasons", "First in rank") }}
    {% endcall %}
  {% endcall %}
  {% call empty_state("No other job needs you.") %}<p class="govuk-body">New offers appear here.</p>{% endcall %}
  {{ summary_list([("Price", 405800 | pounds, {"href": "/parts", "text": "Change", "about": "price"}),
                    ("Who", name)]) }}
  {{ pagination(3, 12) }}
{% endblock %}
"""
FORM_PAGE = """
{% extends "base.html" %}
{% block title %}Decline the offer{% endblock %}
{% block content %}
  {{ form_errors(form) }}
  <h1 class="govuk-heading-l">Decline the offer</h1>
  <form method="post" action="/decline" novalidate>{{ form.csrf_token }}{{ form.reason }}{{ form.submit }}</form>
{% endblock %}
"""


def make_shell(**settings: object) -> Flask:
    """The shell with a page of every kind; ``settings`` are Flask's."""
    app = Flask("portal", static_folder=None)
    app.config.update(SECRET_KEY="for tests only", SQLALCHEMY_DATABASE_URI="sqlite://", PROPAGATE_EXCEPTIONS=False)
    app.config.update(settings)
    db.init_app(app)
    init_web(app)
    person = SimpleNamespace(is_authenticated=True, name="Officer 7", organisation=SimpleNamespace(name=LONG_NAME))
    entries = [NavigationItem("/parts", "Worklist", True), NavigationItem("/parts", "Jobs")]
    app.context_processor(lambda: {"current_user": person, "navigation": entries})

    @app.get("/")
    def home() -> ResponseReturnValue:
        return render_template("error.html", answer=GENERAL[503])

    @app.get("/parts")
    def parts() -> ResponseReturnValue:
        return render_template_string(PARTS_PAGE, name=LONG_NAME)

    @app.route("/decline", methods=["GET", "POST"])
    def decline() -> ResponseReturnValue:
        form = ReasonForm()
        valid = form.validate_on_submit()
        return render_template_string(FORM_PAGE, form=form), 200 if valid or not form.is_submitted() else 422

    @app.get("/refuse/<kind>")
    @app.get("/api/v1/refuse/<kind>", endpoint="api_refuse")
    def refuse(kind: str) -> ResponseReturnValue:
        raise REFUSALS[kind]

    @app.get("/fail")
    def fail() -> ResponseReturnValue:
        raise ZeroDivisionError

    @app.get("/abort/<int:status>")
    def stop(status: int) -> ResponseReturnValue:
        abort(status)

    @app.post("/sign-out", endpoint="accounts.sign_out")
    def sign_out() -> ResponseReturnValue:
        return ""

    return app
