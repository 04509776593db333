"""Members' own rates for staff, and each contractor's own rates: what an item costs at it, and nothing of others."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.guard import requires, signed_in_person
from portal.accounts.policy import Permission
from portal.framework.listing.queries import membership_by_id
from portal.framework.member_models import Member
from portal.framework.terms.forms import put_fault
from portal.jobs.own_rate_forms import EndRateForm, OwnRateForm, OwnSearchForm, RateFileForm, ScheduleForm
from portal.kernel import clock
from portal.kernel.clock import date_text
from portal.kernel.db import transaction
from portal.kernel.errors import Clash, InputRefused, RuleBroken
from portal.rates import firm_rates, own_rates
from portal.rates.catalogue import PAGE, Finding, Wanted, find
from portal.rates.member_terms import terms_of_member
from portal.rates.own_rate_file import import_own_rates, read_own_rates
from portal.rates.price_lists.handed_in import short_name
from portal.rates.queries import editions_in_force
from portal.tables import write_csv

bp = Blueprint("own_rates", __name__, template_folder="templates", url_prefix="/framework/members")
firm = Blueprint("firm_rates", __name__, template_folder="templates", url_prefix="/firm/rates")
#: Own rates on one page; more are found by their code.
SHOWN = 200
#: Rates of a list named one by one that end sooner than they were meant to.
SAID = 10


# Staff ----------------------------------------------------------------------------------------------------------------


def page(member: Member, refused: ScheduleForm | None = None, problems: tuple[str, ...] = ()) -> str:
    """A member's own rates, with a form that was refused or with fresh ones."""
    today = clock.local_date(clock.now())
    code = request.args.get("code", "").strip()[:64]
    rates = [each for each in own_rates.own_rates_of(member.id) if code.lower() in each.code.lower()]
    schedules = own_rates.schedules_priced()
    forms: dict[type[ScheduleForm], ScheduleForm] = {
        kind: refused if refused is not None and isinstance(refused, kind) else kind(formdata=None, prefix=prefix)
        for kind, prefix in PREFIXES.items()
    }
    for form in forms.values():
        form.offer(schedules)
    return render_template(
        "members/rates.html",
        member=member,
        code=code,
        groups=(
            ("In force", [each for each in rates if each.holds(today)]),
            ("To come", [each for each in rates if each.starts_on > today]),
            ("Past", [each for each in rates if each.ends_on is not None and each.ends_on <= today]),
        ),
        most=SHOWN,
        own_form=forms[OwnRateForm],
        end_form=forms[EndRateForm],
        file_form=forms[RateFileForm],
        form=refused,
        problems=problems,
        may_agree=signed_in_person().may(Permission.PUBLISH_RATES),
    )


#: The forms of the page are told apart by the names of their fields.
PREFIXES: dict[type[ScheduleForm], str] = {OwnRateForm: "own-", EndRateForm: "end-", RateFileForm: "file-"}


Form = TypeVar("Form", bound=ScheduleForm)


def sent(kind: type[Form]) -> Form:
    """A form of the page as it was sent, with the schedules to choose from."""
    form = kind(prefix=PREFIXES[kind])
    form.offer(own_rates.schedules_priced())
    return form


@bp.get("/<int:member_id>/rates")
@requires(Permission.SEE_FRAMEWORK)
def listed(member_id: int) -> ResponseReturnValue:
    """A member's own rates: in force, to come, past."""
    return page(membership_by_id(member_id))


@bp.post("/<int:member_id>/rates")
@requires(Permission.PUBLISH_RATES)
def agree(member_id: int) -> ResponseReturnValue:
    """Agree a rate of its own."""
    member, form = membership_by_id(member_id), sent(OwnRateForm)
    if form.validate_on_submit():
        try:
            with transaction():
                period = own_rates.agree_own_rate(
                    member_id,
                    form.code.data,
                    form.rate.data or 0,
                    form.starts_on.data,
                    schedule=form.schedule.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                )
        except (RuleBroken, Clash) as broken:
            put_fault(form, broken, "starts_on")
        else:
            flash(f"{period} It is for new offers.", "success")
            return redirect(url_for(".listed", member_id=member.id))
    return page(membership_by_id(member_id), form), 422


@bp.post("/<int:member_id>/rates/end")
@requires(Permission.PUBLISH_RATES)
def end(member_id: int) -> ResponseReturnValue:
    """Let an own rate end."""
    member, form = membership_by_id(member_id), sent(EndRateForm)
    if form.validate_on_submit():
        try:
            with transaction():
                period = own_rates.end_own_rate(
                    member_id,
                    form.code.data,
                    form.starts_on.data,
                    schedule=form.schedule.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                )
        except (RuleBroken, Clash) as broken:
            put_fault(form, broken, "starts_on")
        else:
            flash(str(period), "success")
            return redirect(url_for(".listed", member_id=member.id))
    return page(membership_by_id(member_id), form), 422


@bp.post("/<int:member_id>/rates/file")
@requires(Permission.PUBLISH_RATES)
def bring_in(member_id: int) -> ResponseReturnValue:
    """Agree every rate of a file, or none."""
    member, form = membership_by_id(member_id), sent(RateFileForm)
    problems: tuple[str, ...] = ()
    if form.validate_on_submit():
        try:
            with tempfile.TemporaryDirectory(prefix="own-rates-") as folder:
                path = Path(folder) / short_name(form.file.data.filename or "rates.csv")
                form.file.data.save(path)
                read = read_own_rates(path)
            with transaction():
                periods = import_own_rates(
                    read,
                    member_id,
                    form.starts_on.data,
                    schedule=form.schedule.data,
                    by=signed_in_person().email,
                    now=clock.now(),
                )
        except InputRefused as refused:
            problems = tuple(str(problem) for problem in refused.problems)
            form.file.errors = [str(refused)]
        except (RuleBroken, Clash) as broken:
            put_fault(form, broken, "starts_on")
        else:
            many = "1 rate holds" if len(periods) == 1 else f"{len(periods):,} rates hold"
            flash(f"{many} from {date_text(form.starts_on.data)}, for new offers.", "success")
            ending = [f"{each.code}: {each}" for each in periods if each.ends_on is not None]
            if ending:
                more = f" And {len(ending) - SAID:,} more end so." if len(ending) > SAID else ""
                flash(f"What was agreed for later stays. {' '.join(ending[:SAID])}{more}", "warning")
            return redirect(url_for(".listed", member_id=member.id))
    return page(membership_by_id(member_id), form, problems), 422


# A contractor ---------------------------------------------------------------------------------------------------------


@firm.get("")
@requires(Permission.MANAGE_OWN_FIRM)
def memberships() -> ResponseReturnValue:
    """The lots whose rates a contractor may look at: its own."""
    return render_template(
        "own_rates/memberships.html", memberships=firm_rates.memberships_of(signed_in_person().organisation_id)
    )


@firm.get("/<int:member_id>")
@requires(Permission.MANAGE_OWN_FIRM)
def one(member_id: int) -> ResponseReturnValue:
    """What items cost at this contractor in one lot, by word or code."""
    member = firm_rates.membership_of(signed_in_person().organisation_id, member_id)
    form = OwnSearchForm(request.args)
    in_order = form.validate()
    day = form.day(clock.local_date(clock.now()))
    edition = form.chosen(editions_in_force(day))
    terms = terms_of_member(member.id, day, edition.schedule_id if edition else None)
    form.offer_bands(terms)
    wanted = Wanted(words=(form.words.data or "").strip()[:100], after=request.args.get("after", "")[:100])
    finding = find(edition.id, wanted, PAGE) if edition and in_order else Finding(())
    return render_template(
        "own_rates/one.html",
        member=member,
        form=form,
        edition=edition,
        day=day,
        terms=terms,
        finding=finding,
        rates=list(firm_rates.firm_rates(finding.items, terms, int(form.value.data))),
    ), 200 if in_order else 422


@firm.get("/<int:member_id>/rates.csv")
@requires(Permission.MANAGE_OWN_FIRM)
def as_csv(member_id: int) -> ResponseReturnValue:
    """The whole edition at this contractor's rates."""
    member = firm_rates.membership_of(signed_in_person().organisation_id, member_id)
    form = OwnSearchForm(request.args)
    day = form.day(clock.local_date(clock.now())) if form.validate() else clock.local_date(clock.now())
    edition = form.chosen(editions_in_force(day))
    terms = terms_of_member(member.id, day, edition.schedule_id if edition else None)
    form.offer_bands(terms)
    items = firm_rates.items_on(edition, day) if edition else ()
    file = BytesIO()
    write_csv(
        file,
        firm_rates.CSV_HEADER,
        map(firm_rates.plain_row, firm_rates.firm_rates(items, terms, int(form.value.data))),
    )
    answer = Response(file.getvalue(), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"rates-{day.isoformat()}.csv")
    return answer
