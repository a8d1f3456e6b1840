"""LIFF: the addresses that open apps, what LINE's app hands to a page, and what its SDK calls.

The server API, which registers apps, is in ``api``; what the SDK asks for later is in the modules
beside this one.

Source: LIFF documentation, "Opening a LIFF app"; the SDK's calls as seen on the wire.
"""

from __future__ import annotations

import secrets
from urllib.parse import quote
from urllib.parse import urlencode
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from flask import Blueprint
from flask import jsonify
from flask import redirect
from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from ..browsers import app_user
from ..login import id_tokens
from ..login.tokens import LIFF_TOKEN_LIFE
from ..login.tokens import issue
from ..login.tokens import what_is_wrong
from ..platform import Platform
from ..platform import platform
from ..tokens.guard import bearer
from ..world import AuthorizationCode
from ..world import LiffApp
from ..world import User
from .api import known_app

#: What pages of other origins call, with an Authorization header.
CORS_PATHS = (
    "/liff/v2/",
    "/oauth2/v2.1/liff/shareTargetPicker/result",
    "/oauth2/v2.1/liff/friendship/",
    "/oauth2/v2.1/certs",
    "/oauth2/v2.1/token",
    "/oauth2/v2.1/verify",
    "/v2/profile",
    "/friendship/v1/status",
    "/message/v3/share",
    "/xlt/",
)

liff = Blueprint("liff", __name__)


@liff.get(r"/<regex('\d+-\w+'):liff_id>")
@liff.get(r"/<regex('\d+-\w+'):liff_id>/<path:path>")
@liff.get(r"/<regex('\d+-\w+'):liff_id>/")
def open_liff(liff_id: str, path: str = "") -> Response:
    """Open ``liff.line.me/{liffId}/…``: in the LIFF browser inside the app, else as a page."""
    # As it was written: decoded and encoded again, a path with %2F or %3F would be another.
    raw = str(request.environ.get("RAW_URI", "")).partition("?")[0]
    _, found, state = raw.partition(f"/{liff_id}")
    if not found:
        state = quote(f"/{path}")
    query = request.query_string.decode("ascii", "replace")
    return _to_page(liff_id, state + (f"?{query}" if query else ""), app_user())


def open_liff_url(user_id: str, url: str) -> Response:
    """Open a LIFF address on a user's phone.

    :param url: a checked web address, also one of ``liff.line.me``.
    :raises NotFound: there is no such LIFF app or user.
    """
    user = platform().user(user_id)
    if user is None:
        raise NotFound("There is no such LINE user.")
    parts = urlsplit(url)
    liff_id, slash, path = parts.path[1:].partition("/")
    return _to_page(liff_id, urlunsplit(("", "", slash + path, parts.query, parts.fragment)), user)


def primary_url(line: Platform, app: LiffApp, state: str, user: User | None) -> str:
    """Return the primary redirect URL; inside the app its fragment carries the credentials.

    :param state: path, query and fragment of the LIFF URL, such as ``/orders?from=chat``.
    """
    endpoint = urlsplit(app.endpoint_url)
    parameters = [endpoint.query] if endpoint.query else []
    if state not in {"", "/"}:
        parameters.append(f"liff.state={quote(state, safe='')}")
    credentials = "" if user is None else urlencode(_credentials(line, app, user))
    return urlunsplit((*endpoint[:3], "&".join(parameters), credentials))


@liff.get("/liff/v2/apps/<liff_id>/contextToken")
def context_token(liff_id: str) -> Response:
    """Return the context of a page outside the app, also of one that is logged out."""
    line, app = platform(), known_app(liff_id)
    access_token = bearer() if "Authorization" in request.headers else None
    token = line.world.login_tokens.get(access_token or "")
    user = None
    if token is not None and what_is_wrong(line, token) is None:
        user = line.user(token.user_id)
    context = id_tokens.context_token(
        line, app, user=user, access_token=access_token if user else None, in_client=False
    )
    return jsonify(contextToken=context)


@liff.get("/liff/v2/apps/<liff_id>/featureToken")
def feature_token(liff_id: str) -> Response:
    """Return a token that only LINE's app would look at."""
    known_app(liff_id)
    return jsonify(featureToken=secrets.token_urlsafe(24))


def _to_page(liff_id: str, state: str, user: User | None) -> Response:
    line = platform()
    app = line.world.liff_apps.get(liff_id)
    if app is None or not app.endpoint_url:
        raise NotFound(f"There is no LIFF app {liff_id}, or it has no endpoint URL.")
    response = redirect(primary_url(line, app, state, user))
    response.headers["Cache-Control"] = "no-store"
    return response


def _credentials(line: Platform, app: LiffApp, user: User) -> dict[str, str]:
    """Return what LINE's app hands to a page in the fragment."""
    with line.change():
        # Who opens the app without any consent is imitated as giving it; whoever was asked before
        # and kept the e-mail address back keeps it back here too.
        given = set(app.scope) if not user.granted else set(app.scope) - {"email"}
        user.granted = sorted({*user.granted, *given})
    code = AuthorizationCode(
        code="",
        client_id=line.world.login_channel.id,
        redirect_uri=app.endpoint_url,
        user_id=user.user_id,
        scope=app.scope,
        issued_at=line.clock.now(),
        amr=["linesso"],
        liff_id=app.liff_id,
        is_email_granted="email" in app.scope and "email" in user.granted,
    )
    token = issue(line, code, life=LIFF_TOKEN_LIFE, is_in_chat=True).access_token
    values = {
        "access_token": token,
        "context_token": id_tokens.context_token(
            line, app, user=user, access_token=token, in_client=True
        ),
        "feature_token": secrets.token_urlsafe(24),
        "client_id": code.client_id,
        "mst_challenge": secrets.token_urlsafe(24),
    }
    if "openid" in app.scope:
        values["id_token"] = id_tokens.sign_liff(line, id_tokens.claims_for(line, user, code))
    return values


@liff.before_app_request
def _answer_preflight() -> Response | None:
    if request.method == "OPTIONS" and request.path.startswith(CORS_PATHS):
        return Response("", status=204)
    return None


@liff.after_app_request
def _allow_other_origins(response: Response) -> Response:
    if request.path.startswith(CORS_PATHS):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    return response
