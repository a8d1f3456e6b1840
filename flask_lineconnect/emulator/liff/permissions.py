"""What the SDK asks about permissions and friendship beside the documented APIs.

Source: paths as the LIFF SDK names them. Neither LINE's reference nor a run showed their answers:
they are guesses, and no function of the SDK that works in a browser depends on them.
"""

from __future__ import annotations

from flask import Blueprint
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..login.tokens import bearer_of
from ..platform import platform
from ..tokens.guard import bearer
from .api import known_app

permissions = Blueprint("permissions", __name__)


@permissions.get("/liff/v2/incrementalAgreement/unauthorizedPermissions")
def missing_permissions() -> Response:
    """Name what the app asks for and the user did not grant."""
    app = known_app(request.args.get("liffId", ""))
    token = platform().world.login_tokens.get(bearer())
    granted = set() if token is None else set(token.scope)
    return jsonify(unauthorizedPermissions=[one for one in app.scope if one not in granted])


@permissions.get("/oauth2/v2.1/liff/friendship/validate")
def validate_friendship() -> Response:
    """Tell whether the user is a friend of the account."""
    user, _token = bearer_of("profile")
    return jsonify(friendFlag=user.relation == "friend")


@permissions.get("/liff/v2/oaadd/rateLimit")
def rate_limit() -> Response:
    """Refuse nobody: how often LINE lets a page ask for friendship is not known."""
    bearer_of("profile")
    return jsonify({})
