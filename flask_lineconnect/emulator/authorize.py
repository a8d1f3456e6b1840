"""The way of a browser through LINE Login: authorize, login, consent, add-friend, redirect.

Source: LINE Login v2.1 reference; "Integrating LINE Login with your web app"; "Add a LINE Official
Account as a friend when logged in"; "How auto login works".
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import parse_qsl
from urllib.parse import urlencode
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from flask import Flask
from flask import redirect
from flask import render_template
from flask import request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from . import friendship
from .platform import platform
from .world import AuthorizationCode
from .world import User

#: Names the LINE user whose phone this browser is.
APP_USER_COOKIE = "line_emulator_app_user"
#: Names the LINE user who logged in to LINE in this browser.
SSO_COOKIE = "line_emulator_session"
_LINE_APP = re.compile(r"\bLine/\d+\.\d+")
_SCOPES = {"openid", "profile", "email"}
#: Tickets that are remembered; the oldest go first.
MAX_TICKETS = 500


@dataclass
class Attempt:
    """One browser on its way through the screens."""

    client_id: str
    redirect_uri: str
    state: str | None
    scope: list[str]
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: str = ""
    bot_prompt: str | None = None
    max_age: int | None = None
    response_mode: str = "query"
    may_auto_login: bool = True
    liff_id: str | None = None
    user_id: str | None = None
    amr: list[str] = field(default_factory=list)
    is_email_granted: bool = False
    #: What ``friendship_status_changed`` will say; ``None`` until an offer was shown.
    friendship_changed: bool | None = None


def register(app: Flask) -> None:
    """Add the pages."""
    app.add_url_rule("/oauth2/v2.1/authorize", view_func=authorize)
    app.add_url_rule("/liff/v1/authorize", view_func=authorize_liff)
    for name, view in (("login", log_in), ("consent", consent), ("add_friend", add_friend)):
        app.add_url_rule(f"/oauth2/v2.1/_{name}", f"line_{name}", view, methods=["POST"])


def authorize() -> Response | str:
    """Begin a web login."""
    args, channel = request.args, platform().world.login_channel
    if args.get("client_id") != channel.id:
        raise BadRequest("Invalid client_id value.")
    redirect_uri = args.get("redirect_uri", "")
    if not any(_is_registered(redirect_uri, known) for known in channel.callback_urls):
        raise BadRequest(
            "Invalid redirect_uri value. Check if it is registered in a LINE developers site."
        )
    attempt = Attempt(
        client_id=channel.id,
        redirect_uri=redirect_uri,
        state=args.get("state"),
        scope=args.get("scope", "").split(),
        nonce=args.get("nonce"),
        code_challenge=args.get("code_challenge"),
        prompt=args.get("prompt", ""),
        bot_prompt=args.get("bot_prompt"),
        max_age=_number(args.get("max_age")),
        response_mode=args.get("response_mode", "query"),
        may_auto_login=args.get("disable_auto_login") != "true",
    )
    error = _request_error(attempt)
    return _refuse(attempt, *error) if error else _proceed_from_login(attempt)


def authorize_liff() -> Response | str:
    """Begin the login of ``liff.login()``."""
    world, args = platform().world, request.args
    app = world.liff_apps.get(args.get("app_id", ""))
    if app is None:
        raise BadRequest("Invalid app_id value.")
    redirect_uri = args.get("redirect_uri") or app.endpoint_url
    if not _is_under(redirect_uri, app.endpoint_url):
        raise BadRequest("Invalid redirect_uri value. It must start with the endpoint URL.")
    attempt = Attempt(
        client_id=world.login_channel.id,
        redirect_uri=redirect_uri,
        state=args.get("state"),
        scope=app.scope,
        code_challenge=args.get("code_challenge"),
        bot_prompt=None if app.bot_prompt == "none" else app.bot_prompt,
        liff_id=app.liff_id,
    )
    if not attempt.code_challenge:
        return _refuse(attempt, "INVALID_REQUEST", "code_challenge is required.")
    return _proceed_from_login(attempt)


def log_in() -> Response | str:
    """Take the choice of the login screen."""
    attempt = _take_ticket()
    user = platform().user(request.form.get("user_id", ""))
    if user is None:
        return _login_screen(attempt)
    attempt.amr = ["lineqr"]
    _authenticated(attempt, user)
    response = _finished(_proceed_from_consent(attempt))
    response.set_cookie(SSO_COOKIE, user.user_id, httponly=True, samesite="Lax")
    return response


def consent() -> Response | str:
    """Take the decision of the consent screen."""
    attempt = _take_ticket()
    if request.form.get("decision") != "allow":
        return _refuse(attempt, "ACCESS_DENIED", "The resource owner denied the request.")
    attempt.is_email_granted = "email" in attempt.scope and "email_ok" in request.form
    granted = {scope for scope in attempt.scope if scope != "email" or attempt.is_email_granted}
    with platform().change():
        user = _user(attempt)
        user.granted = sorted({*user.granted, *granted})
    offer = _friend_offer(attempt)
    if offer and attempt.bot_prompt == "aggressive":
        return _screen("add_friend.html", attempt, friend_offer=offer)
    if offer:
        _answer_offer(attempt, accepted="add_friend" in request.form)
    elif attempt.bot_prompt and platform().world.login_channel.is_bot_linked:
        attempt.friendship_changed = False
    return _succeed(attempt)


def add_friend() -> Response:
    """Take the decision of the add-friend screen."""
    attempt = _take_ticket()
    _answer_offer(attempt, accepted=request.form.get("decision") == "allow")
    return _succeed(attempt)


def is_in_app() -> bool:
    """Tell whether the browser is the LINE app's, or a frame of the phone page."""
    return (
        _LINE_APP.search(request.user_agent.string) is not None
        or request.headers.get("Sec-Fetch-Dest") == "iframe"
    )


def _request_error(attempt: Attempt) -> tuple[str, str] | None:
    """Return error and description where the parameters are wrong."""
    args, scope = request.args, set(attempt.scope)
    if args.get("response_type") != "code":
        return "UNSUPPORTED_RESPONSE_TYPE", "response_type must be code."
    if not scope & {"openid", "profile"} or ("email" in scope and "openid" not in scope):
        return "INVALID_SCOPE", "The requested scope is invalid."
    if not scope <= _SCOPES:
        return "INVALID_SCOPE", "The requested scope is unknown."
    if not attempt.state:
        return "INVALID_REQUEST", "state is required."
    if attempt.code_challenge and args.get("code_challenge_method") != "S256":
        return "INVALID_REQUEST", "code_challenge_method must be S256."
    if attempt.response_mode not in {"query", "form_post"}:
        return "INVALID_REQUEST", "this response_mode is not imitated."
    return None


def _proceed_from_login(attempt: Attempt) -> Response | str:
    """Find out who it is: by the app, by LINE's own session, or by the login screen."""
    line = platform()
    if attempt.prompt != "login" and attempt.may_auto_login and is_in_app():
        if line.take_fault(auto_login="fail"):
            return _failed_auto_login(attempt)
        app_user = line.user(request.cookies.get(APP_USER_COOKIE, ""))
        if app_user is not None:
            attempt.amr = ["lineautologin"]
            _authenticated(attempt, app_user)
            return _proceed_from_consent(attempt)
    sso_user = line.user(request.cookies.get(SSO_COOKIE, ""))
    if sso_user is not None and attempt.prompt != "login" and _is_fresh(attempt, sso_user):
        attempt.user_id, attempt.amr = sso_user.user_id, ["linesso"]
        return _proceed_from_consent(attempt)
    if attempt.prompt == "none":
        return _refuse(attempt, "LOGIN_REQUIRED", "The user is not logged in.")
    return _login_screen(attempt)


def _proceed_from_consent(attempt: Attempt) -> Response | str:
    """Ask for consent where something is asked for that was not granted before."""
    user = _user(attempt)
    channel = platform().world.login_channel
    if channel.status == "developing" and user.user_id not in channel.testers:
        raise BadRequest("This channel is now developing status. User need to have developer role.")
    missing = set(attempt.scope) - set(user.granted)
    if attempt.prompt == "none" and missing:
        return _refuse(attempt, "INTERACTION_REQUIRED", "The user must give consent.")
    if not missing and attempt.prompt != "consent":
        attempt.is_email_granted = "email" in attempt.scope
        return _succeed(attempt)
    scopes = [{"name": name, "label": name, "required": name != "email"} for name in attempt.scope]
    return _screen(
        "consent.html",
        attempt,
        scopes=scopes,
        bot_prompt=attempt.bot_prompt,
        friend_offer=_friend_offer(attempt),
    )


def _friend_offer(attempt: Attempt) -> str | None:
    if not attempt.bot_prompt or not platform().world.login_channel.is_bot_linked:
        return None
    return {"none": "add", "blocked": "unblock"}.get(_user(attempt).relation)


def _answer_offer(attempt: Attempt, *, accepted: bool) -> None:
    attempt.friendship_changed = accepted
    if accepted and attempt.user_id:
        friendship.add_friend(platform(), attempt.user_id)


def _succeed(attempt: Attempt) -> Response:
    """Send the browser back with a code."""
    line = platform()
    code = AuthorizationCode(
        code=secrets.token_urlsafe(24),
        client_id=attempt.client_id,
        redirect_uri=attempt.redirect_uri,
        user_id=_user(attempt).user_id,
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
    parameters = {"code": code.code, "state": attempt.state or ""}
    if attempt.friendship_changed is not None:
        parameters["friendship_status_changed"] = str(attempt.friendship_changed).lower()
    if attempt.liff_id is not None:
        parameters["liffClientId"] = attempt.client_id
        parameters["liffRedirectUri"] = attempt.redirect_uri
    return _back(attempt, parameters)


def _refuse(attempt: Attempt, error: str, description: str) -> Response:
    """Send the browser back with an error."""
    parameters = {"error": error, "error_description": description}
    if attempt.liff_id is not None:
        parameters = {"error": error.lower(), "error_description": description}
        parameters["liffOAuth2Error"] = error.lower()
    if attempt.state:
        parameters["state"] = attempt.state
    return _back(attempt, parameters)


def _failed_auto_login(attempt: Attempt) -> Response:
    """Do what a failed auto-login does: a state that nobody sent, and a dead code."""
    return _back(attempt, {"code": secrets.token_urlsafe(24), "state": secrets.token_hex(16)})


def _back(attempt: Attempt, parameters: dict[str, str]) -> Response:
    if attempt.response_mode == "form_post":
        return _post_back(attempt, parameters)
    parts = urlsplit(attempt.redirect_uri)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return redirect(urlunsplit((*parts[:3], query, parts.fragment)))


def _post_back(attempt: Attempt, parameters: dict[str, str]) -> Response:
    page = render_template("form_post.html", action=attempt.redirect_uri, parameters=parameters)
    return Response(page, mimetype="text/html")


def _login_screen(attempt: Attempt) -> str:
    return _screen("login.html", attempt, users=list(platform().world.users.values()))


def _screen(template: str, attempt: Attempt, **context: object) -> str:
    world = platform().world
    return render_template(
        template,
        ticket=_make_ticket(attempt),
        channel=world.login_channel,
        account=world.messaging_channel if world.login_channel.is_bot_linked else None,
        user=platform().user(attempt.user_id or ""),
        **context,
    )


def _make_ticket(attempt: Attempt) -> str:
    line, ticket = platform(), secrets.token_urlsafe(24)
    with line.lock:
        line.tickets[ticket] = attempt
        while len(line.tickets) > MAX_TICKETS:
            del line.tickets[next(iter(line.tickets))]
    return ticket


def _take_ticket() -> Attempt:
    line = platform()
    with line.lock:
        attempt = line.tickets.pop(request.form.get("ticket", ""), None)
    if not isinstance(attempt, Attempt):
        raise BadRequest("This screen was used already. Start the login again.")
    return attempt


def _authenticated(attempt: Attempt, user: User) -> None:
    attempt.user_id = user.user_id
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


def _is_registered(given: str, known: str) -> bool:
    """Tell whether an address is a registered one, or one plus more query parameters."""
    a, b = urlsplit(given), urlsplit(known)
    same = (a.scheme, a.netloc, a.path) == (b.scheme, b.netloc, b.path)
    return same and set(parse_qsl(b.query)) <= set(parse_qsl(a.query))


def _is_under(given: str, endpoint: str) -> bool:
    a, b = urlsplit(given), urlsplit(endpoint)
    return (a.scheme, a.netloc) == (b.scheme, b.netloc) and a.path.startswith(b.path)


def _finished(answer: Response | str) -> Response:
    return answer if isinstance(answer, Response) else Response(answer, mimetype="text/html")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
