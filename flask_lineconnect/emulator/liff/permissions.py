"""What the SDK asks about permissions and friendship beside the documented APIs.

Source: paths as the LIFF SDK names them. Neither LINE's reference nor a run showed their answers:
they are guesses, and no function of the SDK that works in a browser depends on them.
"""

from __future__ import annotations

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..login.profile import bearer_of
from ..platform import platform
from ..tokens.channel_tokens import bearer
from . import apps as liff_apps


def register(app: Flask) -> None:
    """Add the endpoints."""
    for rule, view in (
        ("/liff/v2/incrementalAgreement/unauthorizedPermissions", missing_permissions),
        ("/oauth2/v2.1/liff/friendship/validate", validate_friendship),
        ("/liff/v2/oaadd/rateLimit", rate_limit),
    ):
        app.add_url_rule(rule, f"liff_permissions.{view.__name__}", view)


def missing_permissions() -> Response:
    """Name what the app asks for and the user did not grant."""
    app = liff_apps.known_app(request.args.get("liffId", ""))
    token = platform().world.login_tokens.get(bearer())
    granted = set() if token is None else set(token.scope)
    return jsonify(unauthorizedPermissions=[one for one in app.scope if one not in granted])


def validate_friendship() -> Response:
    """Tell whether the user is a friend of the account."""
    user, _token = bearer_of("profile")
    return jsonify(friendFlag=user.relation == "friend")


def rate_limit() -> Response:
    """Refuse nobody: how often LINE lets a page ask for friendship is not known."""
    bearer_of("profile")
    return jsonify({})
