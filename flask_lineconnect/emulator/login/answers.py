"""The end of a login: what the browser brings back to the site.

Source: LINE Login v2.1 reference, "Receiving the authorization code"; LIFF's as seen on the wire.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlencode
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from flask import redirect
from flask import render_template
from werkzeug.wrappers import Response

from ..platform import Platform
from ..platform import platform
from ..world import AuthorizationCode
from ..world import User
from . import id_tokens
from .attempts import Attempt
from .attempts import Refusal

#: Seconds that a signed answer is good for; LINE names no number, this is a code's life.
SIGNED_ANSWER_LIFE = 600
#: A JARM answer.
_SIGNED = {"jwt", "query.jwt", "form_post.jwt"}


def succeed(attempt: Attempt, user: User) -> Response:
    """Send the browser back with a code."""
    line = platform()
    code = AuthorizationCode(
        code=secrets.token_urlsafe(24),
        client_id=attempt.client_id,
        redirect_uri=attempt.redirect_uri,
        user_id=user.user_id,
        scope=attempt.scope,
        issued_at=line.clock.now(),
        nonce=attempt.nonce,
        code_challenge=attempt.code_challenge,
        max_age=attempt.max_age,
        amr=attempt.amr,
        liff_id=attempt.liff_id,
        is_email_granted=attempt.is_email_granted,
    )
    with line.change() as world:
        world.codes[code.code] = code
    parameters = {"code": code.code}
    if attempt.state is not None:
        parameters["state"] = attempt.state
    if attempt.friendship_changed is not None:
        parameters["friendship_status_changed"] = str(attempt.friendship_changed).lower()
    if attempt.liff_id is not None:
        parameters["liffClientId"] = attempt.client_id
        parameters["liffRedirectUri"] = attempt.redirect_uri
    return _back(line, attempt, parameters)


def refuse(refusal: Refusal) -> Response:
    """Send the browser back with an error."""
    attempt, error = refusal.attempt, refusal.error
    if attempt.liff_id is not None:
        # What LIFF calls it was not seen; its SDK wants the third one to be there.
        error = error.lower()
    parameters = {"error": error, "error_description": refusal.description}
    if attempt.liff_id is not None:
        parameters["liffOAuth2Error"] = error
    if attempt.state is not None:
        parameters["state"] = attempt.state
    return _back(platform(), attempt, parameters)


def fail_auto_login(attempt: Attempt) -> Response:
    """Do what a failed auto login does: a state that nobody sent, and a dead code."""
    parameters = {"code": secrets.token_urlsafe(24), "state": secrets.token_hex(16)}
    return _back(platform(), attempt, parameters)


def _back(line: Platform, attempt: Attempt, parameters: dict[str, str]) -> Response:
    if attempt.response_mode in _SIGNED:
        parameters = {"response": _signed(line, attempt, parameters)}
    if attempt.response_mode.startswith("form_post"):
        page = render_template("form_post.html", action=attempt.redirect_uri, parameters=parameters)
        return Response(page, mimetype="text/html")
    parts = urlsplit(attempt.redirect_uri)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return redirect(urlunsplit((*parts[:3], query, parts.fragment)))


def _signed(line: Platform, attempt: Attempt, parameters: dict[str, str]) -> str:
    """Return all parameters in one JWT; LINE names neither its key nor its other claims."""
    claims = {
        "iss": id_tokens.ISSUER,
        "aud": attempt.client_id,
        "exp": line.clock.timestamp() + SIGNED_ANSWER_LIFE,
    }
    return id_tokens.sign_web(line, claims | parameters)
