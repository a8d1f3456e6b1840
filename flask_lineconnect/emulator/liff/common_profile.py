"""Quick-fill: the common profile that a verified MINI App may fill its forms with.

What the plugin and LINE's app say to each other is unpublished; only the plugin's own functions are
imitated. Source: LINE MINI App documentation, "Quick-fill".
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint
from flask import jsonify
from flask import send_from_directory
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..login.tokens import bearer_of
from ..platform import platform

PLUGIN = "/5/liff-common-profile/edge/production/1.0.0/index.umd.cjs"
_STATIC = Path(__file__).parents[1] / "static"

common_profile = Blueprint("common_profile", __name__)


@common_profile.get("/5/liff-common-profile/edge/production/1.0.0/index.umd.cjs")
def plugin() -> Response:
    """Serve the stand-in for LINE's plugin."""
    return send_from_directory(_STATIC, "common_profile.js", mimetype="text/javascript")


@common_profile.get("/liff/v2/commonProfile")
def fields() -> Response:
    """Return the common profile of the user behind the access token."""
    user, _token = bearer_of("openid")
    if not any(app.has_quick_fill for app in platform().world.liff_apps.values()):
        raise ApiError(403, "Quick-fill is for verified MINI Apps.")
    return jsonify(user.common_profile)
