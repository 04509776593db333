"""What browsers are told they may and may not do with our pages."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask_talisman import DENY, Talisman
from werkzeug.exceptions import BadRequest
from werkzeug.routing import IntegerConverter, Map

from portal.kernel.paging import LARGEST

# Everything comes from this server; nothing inline. `data:` is for the small icons inside the style sheet.
CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}
PERMISSIONS_POLICY = dict.fromkeys(("camera", "display-capture", "geolocation", "microphone", "payment", "usb"), "()")


class RowConverter(IntegerConverter):
    """``<int:…>`` in an address: only what can be the number of a row; anything else is a page that does not exist."""

    def __init__(self, url_map: Map, **options: Any) -> None:
        super().__init__(url_map, **{"max": LARGEST, **options})


def refuse_nul() -> None:
    """Refuse NUL characters, which no text holds and PostgreSQL cannot keep."""
    given = (text for values in (request.args, request.form) for _, text in values.items(multi=True))
    if "\0" in request.path or any("\0" in text for text in given):
        raise BadRequest


def init_security(app: Flask) -> None:
    """Send the policies above with every answer; with ``PORTAL_HTTPS`` also insist on HTTPS and say so for a year."""
    https = bool(app.config.get("PORTAL_HTTPS", False))
    app.config.update(
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=https,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
    )
    app.url_map.converters["int"] = RowConverter
    app.before_request(refuse_nul)
    Talisman(
        app,
        force_https=https,
        strict_transport_security=https,
        session_cookie_secure=https,
        session_cookie_samesite="Lax",
        frame_options=DENY,
        content_security_policy=CONTENT_SECURITY_POLICY,
        content_security_policy_nonce_in=["script-src"],
        permissions_policy=PERMISSIONS_POLICY,
        referrer_policy="same-origin",
    )
