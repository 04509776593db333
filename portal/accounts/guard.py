"""The guard on every route: ``@requires(permission)`` or ``@public``; a route with neither stops the start."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, current_app
from flask_login import current_user
from flask_login import login_required as signed_in_view

from portal.accounts.models import Person
from portal.accounts.policy import Permission
from portal.kernel.errors import NotAllowed

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
SIGNED_IN = "signed-in"


def requires(permission: Permission) -> Callable[[View], View]:
    """Let only people who hold ``permission`` through; nobody signed in is asked to sign in."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
            if not current_user.may(permission):
                raise NotAllowed("Your role does not include this page. Ask your administrator if you need it.")
            return view(*args, **kwargs)

        guarded.portal_guard = permission  # type: ignore[attr-defined]
        return cast(View, guarded)

    return guard


def signed_in(view: View) -> View:
    """Let everybody who has signed in through, whatever their role."""
    guarded = signed_in_view(view)
    guarded.portal_guard = SIGNED_IN
    return cast(View, guarded)


def public(view: View) -> View:
    """Say on purpose that anybody may see this."""
    view.portal_guard = PUBLIC  # type: ignore[attr-defined]
    return view


def check_every_route(app: Flask) -> None:
    """Refuse to start with a route that declares no guard."""
    bare = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.rsplit(".", 1)[-1] != "static"
        and not hasattr(app.view_functions[rule.endpoint], "portal_guard")
    ]
    if bare:
        raise RuntimeError(f"routes without a permission: {', '.join(sorted(bare))}")


def signed_in_person() -> Person:
    """Who is signed in; only for views behind a guard."""
    return cast(Person, current_user._get_current_object())
