"""The portal: a contractor framework and schedule-of-rates procurement portal for home adaptations."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import structlog
from flask import Flask
from flask_login import LoginManager
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.accounts import views as accounts_views
from portal.accounts.guard import check_every_route
from portal.accounts.services import person_for_session
from portal.analytics import use_views
from portal.analytics import views as analytics_views
from portal.config import Settings, read_settings
from portal.framework.documents import verify_views
from portal.framework.documents import views as document_views
from portal.framework.firms import views as firm_views
from portal.framework.listing import views as list_views
from portal.framework.terms import lot_views, review_views
from portal.framework.terms import overview_views as framework_views
from portal.framework.terms import views as manage_views
from portal.jobs import (
    builder_views,
    change_price_views,
    funding_views,
    leaving_views,
    member_views,
    offer_views,
    own_rate_views,
    quotation_views,
    review_effect_views,
)
from portal.jobs import views as jobs_views
from portal.kernel.db import db, init_db
from portal.kernel.look import let_ask
from portal.rates import catalogue_views, edition_views
from portal.rates import views as rates_views
from portal.rates.price_lists import views as price_list_views
from portal.rates.reviews import index_views, request_views
from portal.rates.reviews import views as price_review_views
from portal.rates.star_rates import views as star_rate_views
from portal.rates.work_templates import views as template_views
from portal.web import guide_prices, init_web, registers, worklist
from portal.web.navigation import navigation_for
from portal.worker import worker_of

HERE = Path(__file__).parent
#: In a checkout the migrations stand beside the package, in an installation inside it.
MIGRATIONS = next(folder for folder in (HERE / "migrations", HERE.parent / "migrations") if folder.is_dir())


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """The application with everything it needs; ``overrides`` are Flask settings that tests change."""
    app = Flask("portal", static_folder=None)
    settings = settings or read_settings()
    app.config.from_mapping(settings.for_flask())
    app.config.from_mapping(overrides)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    if settings.proxies:
        # Without it every visitor has the proxy's address, and one's failures lock everybody out.
        trusted = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted, x_proto=trusted, x_host=trusted)  # type: ignore[method-assign]
    init_db(app)
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True)
    login = LoginManager(app)
    login.login_view = "accounts.sign_in"
    login.login_message = None
    login.user_loader(person_for_session)
    accounts_views.limiter.init_app(app)
    init_web(app)
    let_ask(app, worker_of(app))
    for views in (
        accounts_views,
        framework_views,
        manage_views,
        lot_views,
        review_views,
        rates_views,
        edition_views,
        price_list_views,
        price_review_views,
        index_views,
        request_views,
        review_effect_views,
        catalogue_views,
        star_rate_views,
        template_views,
        jobs_views,
        builder_views,
        funding_views,
        change_price_views,
        own_rate_views,
        offer_views,
        firm_views,
        document_views,
        list_views,
        verify_views,
        member_views,
        leaving_views,
        quotation_views,
        analytics_views,
        use_views,
        guide_prices,
        worklist,
        registers,
    ):
        app.register_blueprint(views.bp)
    app.register_blueprint(document_views.staff)
    app.register_blueprint(own_rate_views.firm)
    app.register_blueprint(request_views.staff)
    app.context_processor(navigation_for)
    check_every_route(app)
    return app
