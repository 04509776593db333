"""The service navigation: the pages that this person's role includes."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_login import current_user

from portal.accounts.policy import Permission
from portal.web.pages import NavigationItem

ENTRIES = (
    (Permission.SEE_WORKLIST, "worklist.home", "Worklist"),
    (Permission.SEE_OFFERS, "offers.listed", "Offers"),
    (Permission.MANAGE_OWN_FIRM, "firm.overview", "Your firm"),
    (Permission.SEE_JOBS, "jobs.listed", "Jobs"),
    (Permission.SEE_FRAMEWORK, "framework.overview", "Framework"),
    (Permission.SEE_RATES, "rates.overview", "Rates"),
    (Permission.SEE_ANALYTICS, "analytics.overview", "Prices"),
    (Permission.SEE_AUDIT, "registers.audit_events", "Audit"),
    (Permission.SEE_OUTBOX, "registers.outbox", "Outbox"),
)

#: Pages that stand in another room's section.
SECTION_OF = {
    "lots": "framework",
    "manage": "framework",
    "reviews": "framework",
    "contractor_list": "framework",
    "members": "framework",
    "verification": "framework",
    "use": "framework",
    "editions": "rates",
    "catalogue": "rates",
    "star_rates": "rates",
    "work_templates": "rates",
    "builder": "jobs",
    "price_lists": "rates",
    "price_reviews": "rates",
    "price_indices": "rates",
    "asked_rates": "rates",
    "review_effect": "rates",
    "price_requests": "firm",
    "quotations": "jobs",
    "funding": "jobs",
    "change_prices": "jobs",
    "own_rates": "framework",
    "firm_rates": "firm",
    "firm_documents": "firm",
    "leaving": "firm",
}


def navigation_for() -> dict[str, Any]:
    """``navigation`` and ``footer_links`` for ``base.html``."""
    footer = [(url_for("guide_prices.page"), "What adaptations cost here")]
    if not current_user or not current_user.is_authenticated:
        return {"navigation": [], "footer_links": footer}
    blueprint = (request.endpoint or "").split(".")[0]
    section = SECTION_OF.get(blueprint, blueprint)
    items = [
        NavigationItem(
            url_for(endpoint),
            text,
            request.endpoint == endpoint
            or (section == endpoint.split(".")[0] and section not in {"registers", "worklist"}),
        )
        for permission, endpoint, text in ENTRIES
        if current_user.may(permission)
    ]
    return {"navigation": items, "footer_links": footer}
