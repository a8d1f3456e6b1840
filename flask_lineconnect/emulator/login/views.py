"""The way of a browser through LINE Login: authorize, login, consent, add-friend, redirect.

What a request may ask for is in ``attempts``, what the browser brings back in ``answers``.

Source: LINE Login v2.1 reference; "Integrating LINE Login with your web app"; "Add a LINE Official
Account as a friend when logged in"; "How auto login works".
"""

from __future__ import annotations

import re

from flask import Blueprint
from flask import g
from flask import render_template
from flask import request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from ..browsers import SSO_COOKIE
from ..browsers import app_user
from ..browsers import is_in_app
from ..browsers import sso_user
from ..messaging import friendship
from ..platform import platform
from ..world import User
from .answers import fail_auto_login
from .answers import refuse
from .answers import succeed
from .attempts import Attempt
from .attempts import Refusal
from .attempts import liff_attempt
from .attempts import make_ticket
from .attempts import take_ticket
from .attempts import web_attempt

_IOS = re.compile(r"\b(iPhone|iPad|iPod)\b")

login_pages = Blueprint("login_pages", __name__)
login_pages.register_error_handler(Refusal, refuse)


@login_pages.get("/oauth2/v2.1/authorize")
def authorize() -> Response:
    """Begin a web login."""
    attempt = web_attempt(platform(), request.args)
    is_ios = _IOS.search(request.user_agent.string) is not None
    if is_ios and request.args.get("disable_ios_auto_login") == "true":
        attempt.may_auto_login = False
    return _identify(attempt)


@login_pages.get("/liff/v1/authorize")
def authorize_liff() -> Response:
    """Begin the login of ``liff.login()``."""
    return _identify(liff_attempt(platform(), request.args))


@login_pages.post("/oauth2/v2.1/_login")
def log_in() -> Response:
    """Take the choice of the login screen."""
    attempt = _resume()
    user = platform().user(request.form.get("user_id", ""))
    if user is None:
        return _login_screen(attempt)
    _authenticate(attempt, user, "lineqr")
    response = _ask_for_consent(attempt)
    response.set_cookie(SSO_COOKIE, user.user_id, httponly=True, samesite="Lax")
    return response


@login_pages.post("/oauth2/v2.1/_consent")
def consent() -> Response:
    """Take the decision of the consent screen."""
    attempt = _resume()
    if request.form.get("decision") != "allow":
        raise Refusal(attempt, "ACCESS_DENIED", "The resource owner denied the request.")
    attempt.is_email_granted = "email" in attempt.scope and "email_ok" in request.form
    with platform().change():
        user = _user(attempt)
        granted = {*user.granted, *attempt.scope}
        if "email" in attempt.scope and not attempt.is_email_granted:
            # A tick that is taken away takes back what an earlier consent gave.
            granted.discard("email")
        user.granted = sorted(granted)
    offer = _friend_offer(attempt)
    if offer and attempt.bot_prompt == "aggressive":
        return _screen("add_friend.html", attempt, friend_offer=offer)
    if offer:
        _answer_offer(attempt, accepted="add_friend" in request.form)
    elif attempt.bot_prompt and platform().world.login_channel.is_bot_linked:
        # Friends already.
        attempt.friendship_changed = False
    return succeed(attempt, user)


@login_pages.post("/oauth2/v2.1/_add_friend")
def add_friend() -> Response:
    """Take the decision of the add-friend screen."""
    attempt = _resume()
    _answer_offer(attempt, accepted=request.form.get("decision") == "allow")
    return succeed(attempt, _user(attempt))


def _identify(attempt: Attempt) -> Response:
    """Find out who it is: by the app, by LINE's own session, or by the login screen."""
    g.ui_locales = attempt.ui_locales
    if attempt.prompt != "login":
        owner = app_user()
        if is_in_app() and attempt.may_auto_login and platform().faults.of_auto_login():
            return fail_auto_login(attempt)
        if owner is not None and attempt.may_auto_login:
            _authenticate(attempt, owner, "lineautologin")
            return _ask_for_consent(attempt)
        user = sso_user()
        # The app keeps its own cookies: whoever uses the desktop is nobody on this phone.
        if owner is not None and owner is not user:
            user = None
        if user is not None and _is_fresh(attempt, user):
            attempt.user_id, attempt.amr = user.user_id, ["linesso"]
            return _ask_for_consent(attempt)
    if attempt.prompt == "none":
        raise Refusal(attempt, "LOGIN_REQUIRED", "The user is not logged in.")
    return _login_screen(attempt)


def _ask_for_consent(attempt: Attempt) -> Response:
    """Ask for consent where something is asked for that was not granted before."""
    user, channel = _user(attempt), platform().world.login_channel
    if channel.status == "developing" and user.user_id not in channel.testers:
        raise BadRequest("This channel is now developing status. User need to have developer role.")
    missing = set(attempt.scope) - set(user.granted)
    if attempt.prompt == "none" and missing:
        raise Refusal(attempt, "INTERACTION_REQUIRED", "The user must give consent.")
    if not missing and attempt.prompt != "consent":
        attempt.is_email_granted = "email" in attempt.scope
        return succeed(attempt, user)
    return _screen(
        "consent.html",
        attempt,
        scopes=[{"name": name, "required": name != "email"} for name in attempt.scope],
        bot_prompt=attempt.bot_prompt,
        friend_offer=_friend_offer(attempt),
    )


def _friend_offer(attempt: Attempt) -> str | None:
    if not attempt.bot_prompt or not platform().world.login_channel.is_bot_linked:
        return None
    return {"none": "add", "blocked": "unblock"}.get(_user(attempt).relation)


def _answer_offer(attempt: Attempt, *, accepted: bool) -> None:
    attempt.friendship_changed = accepted
    if accepted:
        friendship.add_friend(platform(), _user(attempt).user_id)


def _authenticate(attempt: Attempt, user: User, method: str) -> None:
    attempt.user_id, attempt.amr = user.user_id, [method]
    with platform().change():
        user.last_authenticated_at = platform().clock.now()


def _user(attempt: Attempt) -> User:
    user = platform().user(attempt.user_id or "")
    if user is None:
        raise BadRequest("This LINE user does not exist any more. Start the login again.")
    return user


def _is_fresh(attempt: Attempt, user: User) -> bool:
    if attempt.max_age is None:
        return True
    if user.last_authenticated_at is None:
        return False
    age = platform().clock.now() - user.last_authenticated_at
    return age.total_seconds() <= attempt.max_age


def _resume() -> Attempt:
    attempt = take_ticket(platform(), request.form.get("ticket", ""))
    g.ui_locales = attempt.ui_locales
    return attempt


def _login_screen(attempt: Attempt) -> Response:
    return _screen("login.html", attempt, users=list(platform().world.users.values()))


def _screen(template: str, attempt: Attempt, **context: object) -> Response:
    line = platform()
    channel = line.world.login_channel
    page = render_template(
        template,
        ticket=make_ticket(line, attempt),
        channel=channel,
        account=line.world.messaging_channel if channel.is_bot_linked else None,
        user=line.user(attempt.user_id or ""),
        **context,
    )
    return Response(page, mimetype="text/html")
