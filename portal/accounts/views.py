"""Sign in, sign out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user

from portal.accounts import services
from portal.accounts.forms import SignInForm
from portal.accounts.guard import public, signed_in, signed_in_person
from portal.kernel import audit, clock
from portal.kernel.db import transaction

bp = Blueprint("accounts", __name__, template_folder="templates")
limiter = Limiter(get_remote_address, default_limits=[])


def safe_next(target: str | None) -> str:
    """``target`` when it is a path on this site, else the front page."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return url_for("worklist.home")
    parts = urlsplit(target)
    return url_for("worklist.home") if parts.netloc or parts.scheme else target


def attempted_address() -> str:
    """The address a sign-in is tried for, and from where: nobody can lock somebody else out by guessing."""
    return f"sign-in:{get_remote_address()}:{request.form.get('email', '').strip().lower()[:254]}"


@bp.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit("10/minute;50/hour", methods=["POST"], key_func=attempted_address)
@limiter.limit("60/minute", methods=["POST"])
def sign_in() -> ResponseReturnValue:
    """Let a person in."""
    if current_user.is_authenticated:
        return redirect(url_for("worklist.home"))
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form), 422 if form.is_submitted() else 200
    person = services.person_for(form.email.data, form.password.data)
    if person is None:
        form.password.errors = ["The email address or the password is not right"]
        return render_template("accounts/sign_in.html", form=form), 422
    with transaction():
        audit.record("signed in", f"person:{person.email}", at=clock.now(), actor=person.email)
    session.clear()  # nothing planted before sign-in survives it
    session.permanent = True
    login_user(person)
    return redirect(safe_next(request.args.get("next")))


@bp.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """Let the person go."""
    with transaction():
        services.end_sessions(signed_in_person(), now=clock.now())
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in"))
