"""The web shell: what every page stands in. ``init_web(app)`` sets it up; features bring their own blueprints."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_wtf.csrf import CSRFProtect
from govuk_frontend_wtf.main import WTFormsHelpers
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from portal.web import errors, filters, health, security
from portal.web.assets_manifest import asset, is_hashed
from portal.web.pages import form_errors, page_numbers, page_url

SERVICE_NAME = "Adaptations framework"
A_YEAR = 365 * 24 * 60 * 60

bp = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/assets")
csrf = CSRFProtect()


class PageSessions(SecureCookieSessionInterface):
    """Sessions for pages only: what anybody may keep must not carry somebody's cookie, and so must no asset."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "web.static" and not response.cache_control.public:
            super().save_session(app, session, response)


@bp.after_request
def cache_assets(response: Response) -> Response:
    """Let browsers keep files whose names change with their content; everything else is asked for again."""
    name = (request.view_args or {}).get("filename", "")
    if response.status_code == 200 and is_hashed(name):
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = A_YEAR
        response.cache_control.immutable = True
    return response


def keep_pages_private(response: Response) -> Response:
    """Let no browser or proxy keep a page unless its view says how: the next person at this desk must not see it."""
    if not response.cache_control:
        response.cache_control.no_store = True
    return response


def init_web(app: Flask) -> None:
    """Give ``app`` its templates, assets, filters, protections, error answers and health pages.

    Reads ``PORTAL_HTTPS`` (bool, default False): redirect to HTTPS, send HSTS and keep cookies to HTTPS.
    Templates may use ``asset(name)``, ``form_errors(form)``, ``page_url(number)`` and ``service_name``, and the
    filters of ``portal.web.filters``; ``base.html`` reads ``navigation`` and ``footer_links`` from the context when
    somebody provides them.
    """
    components = PrefixLoader(
        {
            "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
            "govuk_frontend_wtf": PackageLoader("govuk_frontend_wtf"),
        }
    )
    app.jinja_loader = ChoiceLoader([components] if app.jinja_loader is None else [app.jinja_loader, components])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset,
        form_errors=form_errors,
        page_numbers=page_numbers,
        page_url=page_url,
        service_name=SERVICE_NAME,
    )
    app.jinja_env.filters.update(filters.FILTERS)
    app.after_request(keep_pages_private)
    app.session_interface = PageSessions()
    WTFormsHelpers(app)
    csrf.init_app(app)
    security.init_security(app)
    errors.init_errors(app)
    app.register_blueprint(bp)
    app.register_blueprint(health.bp)
