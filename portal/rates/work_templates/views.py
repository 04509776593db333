"""Templates of works: the list, one, make, change, delete."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.terms.forms import put_fault
from portal.kernel import clock
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, RuleBroken
from portal.rates.models import Edition, WorkTemplate
from portal.rates.queries import editions_in_force
from portal.rates.work_templates import queries, services
from portal.rates.work_templates.forms import TemplateForm
from portal.rates.work_templates.services import TemplateWanted

bp = Blueprint("work_templates", __name__, template_folder="templates", url_prefix="/rates/templates")


@bp.get("")
@requires(Permission.SEE_RATES)
def listed() -> ResponseReturnValue:
    """Every template, and what stands against it in the edition in force."""
    found = queries.templates()
    shown = {
        each.template.id: each
        for edition in editions_today()
        for each in queries.in_edition(
            [template for template in found if template.schedule_id == edition.schedule_id],
            edition,
            clock.local_date(clock.now()),
        )
    }
    return render_template("work_templates/listed.html", templates=found, shown=shown)


@bp.get("/<int:template_id>")
@requires(Permission.SEE_RATES)
def one(template_id: int) -> ResponseReturnValue:
    """One template with its items as they stand in the edition in force."""
    template = queries.template_by_id(template_id)
    day = clock.local_date(clock.now())
    edition = next((each for each in editions_today() if each.schedule_id == template.schedule_id), None)
    shown = queries.in_edition([template], edition, day)[0] if edition else None
    return render_template("work_templates/one.html", template=template, edition=edition, shown=shown)


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.PUBLISH_RATES)
def new() -> ResponseReturnValue:
    """A new template."""
    form = with_choices(TemplateForm())
    if form.validate_on_submit():
        try:
            with transaction():
                template = services.add_template(
                    form.schedule.data, wanted(form), by=signed_in_person().email, now=clock.now()
                )
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "lines")
        else:
            flash("The template is there.", "success")
            return redirect(url_for(".one", template_id=template.id))
    status = 422 if form.is_submitted() else 200
    return render_template("work_templates/edit.html", form=form, template=None), status


@bp.route("/<int:template_id>/change", methods=["GET", "POST"])
@requires(Permission.PUBLISH_RATES)
def change(template_id: int) -> ResponseReturnValue:
    """Another name, work type or items."""
    template = queries.template_by_id(template_id)
    lines = "\n".join(f"{line.code}*{line.quantity:f}" for line in template.lines)
    form = TemplateForm(
        schedule=template.schedule.code, name=template.name, work_type=template.work_type, lines=lines
    )
    with_choices(form, template)
    if form.validate_on_submit():
        try:
            with transaction():
                services.change_template(template_id, wanted(form), by=signed_in_person().email, now=clock.now())
        except (RuleBroken, Clash) as fault:
            put_fault(form, fault, "lines")
        else:
            flash("The template is changed.", "success")
            return redirect(url_for(".one", template_id=template_id))
    status = 422 if form.is_submitted() else 200
    return render_template("work_templates/edit.html", form=form, template=template), status


@bp.post("/<int:template_id>/delete")
@requires(Permission.PUBLISH_RATES)
def delete(template_id: int) -> ResponseReturnValue:
    """Delete a template."""
    with transaction():
        services.delete_template(template_id, by=signed_in_person().email, now=clock.now())
    flash("The template is deleted; jobs that it has filled stay as they are.", "success")
    return redirect(url_for(".listed"))


def editions_today() -> list[Edition]:
    """The editions in force, one of each schedule in pounds."""
    return editions_in_force(clock.local_date(clock.now()))


def with_choices(form: TemplateForm, template: WorkTemplate | None = None) -> TemplateForm:
    """The form with schedules and work types to choose from."""
    form.schedule.choices = [SelectChoice(each.schedule.code, each.schedule.name) for each in editions_today()]
    types = dict.fromkeys([*([template.work_type] if template else []), *queries.work_types()])
    form.work_type.choices = [SelectChoice("", "Choose a work type"), *(SelectChoice(each, each) for each in types)]
    if template is not None:
        form.schedule.choices = [SelectChoice(template.schedule.code, template.schedule.name)]
    return form


def wanted(form: TemplateForm) -> TemplateWanted:
    """What a form in order states."""
    return TemplateWanted(
        " ".join(form.name.data.split()), form.work_type.data, services.lines_written(form.lines.data)
    )
