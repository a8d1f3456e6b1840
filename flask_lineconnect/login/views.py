"""The way out to LINE and back; the rules behind them are in ``flow.py`` and ``decide.py``.

``finish.py`` says how a login ends; the pages in between are ``sign_up.py`` and ``link.py``.
"""

from __future__ import annotations

import logging
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import redirect
from flask import request
from flask import url_for
from werkzeug.wrappers import Response

from ..errors import LineApiError
from ..errors import Refused
from ..i18n import gettext as _
from ..linking import accounts
from ..linking import credentials
from ..linking import unlinking
from ..models import Account
from ..state import current_line
from ..web.guards import is_fetched_ahead
from ..web.pages import render_error
from . import auto
from . import finish
from . import flow
from . import guard
from . import quiet
from . import sessions
from .decide import Decision
from .decide import Intent
from .decide import Situation
from .decide import decide
from .labels import PROOF
from .labels import made_label
from .pressed import PressedLogins
from .quiet import QuietLogins
from .start import start

if TYPE_CHECKING:
    from .oidc import Identity
    from .oidc import LineLogin
    from .tokens import LoginTokens

#: Where a login waits for a press.
_WAITS_AT = {
    Decision.SIGN_UP: "lineconnect.sign_up",
    Decision.CONFIRM_LINK: "lineconnect.confirm_link",
    Decision.ASK_TO_REPLACE: "lineconnect.switch",
}

logger = logging.getLogger(__name__)

#: Refusals of what a person did at LINE, or of who the person is; all others are LINE's or ours.
PERSONS_STEPS = {"consent", "member", "account-taken", "member-taken", "person-changed", "rate"}


def register(blueprint: Blueprint) -> None:
    """Add the routes to LINE and back to the extension's blueprint."""
    blueprint.add_url_rule("/login", view_func=login, methods=["GET"])
    blueprint.add_url_rule("/callback", view_func=callback, methods=["GET"])


def login() -> Response | str:
    """Begin a login: ``next`` is where to return, ``source`` names the QR code or button.

    ``fresh`` begins it without LINE's auto-login, which failed before; ``befriend`` asks once more
    to add the official account.
    """
    if request.method == "HEAD" or is_fetched_ahead():
        return ""
    next_path = flow.local_path(request.args.get("next"))
    if "fresh" in request.args and not sessions.keeps_cookies():
        return _cookies_page(next_path)
    parameters = {}
    if "fresh" in request.args:
        parameters["disable_auto_login"] = "true"
    if "befriend" in request.args:
        # Without the consent screen LINE shows no offer to add the account.
        parameters["prompt"] = "consent"
    return start(
        Intent.LOGIN,
        next_path=next_path,
        source=made_label(request.args.get("source"), request.args.get(PROOF)),
        pressed_as=sessions.user_id() if _is_pressed() else None,
        parameters=parameters,
    )


def _is_pressed() -> bool:
    """Tell whether somebody pressed for this on a page of the shop's; other sites can't say so.

    Source: W3C, "Fetch Metadata Request Headers".
    """
    is_own = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return is_own and request.headers.get("Sec-Fetch-User") == "?1"


def callback() -> Response | str:
    """Take the browser back from LINE: state first, then everything else."""
    if request.method == "HEAD":
        return ""
    states = request.args.getlist("state")
    overtaken = sessions.take_overtaken(states)
    if overtaken is not None:
        return _go_on(overtaken)
    try:
        attempt = sessions.take_attempt(states)
    except Refused:
        path = quiet.way_back(states)
        if path is None:
            raise
        return redirect(path)
    error = request.args.get("error", "").lower()
    if attempt["source"] == auto.AUTO_LOGIN:
        return _come_back_by_itself(attempt, error)
    if error:
        raise _callback_error(error)
    from .oidc import LineLogin  # when LINE is first asked, see parts.py

    with current_line.part(PressedLogins).turn():
        return _come_back(attempt, current_line.part(LineLogin))


def _come_back_by_itself(attempt: sessions.Attempt, error: str) -> Response:
    """Take back a login that nobody pressed for: it lets in, or leaves the shop as it was.

    A page that needs a login shows the shop's own login; what a person did at LINE, and what the
    shop says of a member, is told there as after any login.
    """
    line, next_path = current_line, attempt["next_path"] or current_line.config.default_page
    silently = line.part(QuietLogins)
    is_silent = attempt["silent"]
    try:
        if error:
            raise _callback_error(error)
        with silently.turn():
            return _come_back(attempt, silently.login)
    except Refused as refused:
        step = refused.step
        if not is_silent and step in PERSONS_STEPS:
            raise
    except LineApiError as unreachable:
        step = "line"
        logger.warning("LINE did not answer an auto-login: %s", unreachable.text)
    logger.info("an auto-login ended at the step %s", step)
    line.session.rollback()
    auto.stay_off_for_a_while()
    return redirect(next_path if is_silent else guard.shop_log_in_url(next_path) or next_path)


def _come_back(attempt: sessions.Attempt, line_login: LineLogin) -> Response:
    """Exchange what LINE sent, and do what it is worth.

    :raises Refused: LINE sent nothing, it is not worth a login, or the shop refuses the member.
    :raises LineApiError: LINE did not answer.
    """
    # When LINE is first asked, see parts.py.
    from ..web.rate_limits import RateLimits
    from .tokens import LoginTokens

    code = request.args.get("code", "")
    if not code:
        raise _callback_error("invalid_request")
    line = current_line
    intent = Intent(attempt["intent"])
    flow.consume(
        line.session,
        attempt["state"],
        intent=intent,
        began_as=attempt["began_as"],
        next_path=attempt["next_path"],
        source=attempt["source"],
        now=line.clock(),
    )
    identity, answer = line_login.fetch_identity(
        code,
        redirect_uri=line.url_for("lineconnect.callback"),
        nonce=attempt["nonce"],
        code_verifier=attempt["code_verifier"],
    )
    line.part(RateLimits).count("account", identity.line_user_id)
    flow.require_fresh(identity.issued_at, now=line.clock())
    account = _seen(identity, LoginTokens.of(answer, now=line.clock()), line_login)
    return _proceed(attempt, account, email=identity.email)


def _go_on(attempt: sessions.Attempt) -> Response:
    """Lead a tab on whose login another one has finished meanwhile; nothing is exchanged."""
    next_path = attempt["next_path"]
    if Intent(attempt["intent"]) is Intent.LINK:
        return redirect(url_for("lineconnect.link", next=next_path))
    return redirect(next_path or current_line.config.default_page)


def _seen(identity: Identity, tokens: LoginTokens, line_login: LineLogin) -> Account:
    """Return the account of a verified identity, after keeping what LINE says of it now."""
    from .tokens import TokenVault

    line = current_line
    is_friend = line_login.is_friend(tokens.access_token)
    account = accounts.note_login(
        line.session,
        identity,
        is_friend=is_friend,
        sealed_tokens=line.part(TokenVault).seal(identity.line_user_id, tokens),
        at=line.clock(),
    )
    unlinking.end_if_left_over(line, account, now=line.clock())
    return account


def _proceed(attempt: sessions.Attempt, account: Account, *, email: str | None) -> Response:
    """Do what the decision says about a verified login."""
    line, next_path = current_line, attempt["next_path"]
    decision = decide(_situation(attempt, account))
    if attempt["silent"] and decision is not Decision.LOG_IN:
        # Whoever reads a page that needs no login did not ask to register.
        line.session.commit()
        auto.stay_off_for_a_while()
        return redirect(next_path or line.config.default_page)
    if decision in {Decision.CONFIRM_LINK, Decision.ALREADY_LINKED}:
        begun_at = datetime.fromtimestamp(attempt["at"], UTC)
        credentials.require_unchanged(line.session, guard.current_member_id(), since=begun_at)
    if decision in _WAITS_AT:
        return _wait(attempt, account, email, url_for(_WAITS_AT[decision]))
    match decision:
        case Decision.LOG_IN:
            by_itself = attempt["source"] == auto.AUTO_LOGIN
            return finish.log_in(account, next_path, by_itself=by_itself)
        case Decision.ASK_AGAIN:
            page = url_for("lineconnect.link_again", next=next_path)
            return _wait(attempt, account, email, page)
        case Decision.OFFER_LINK:
            line.session.commit()
            return redirect(url_for("lineconnect.link", next=next_path))
        case Decision.ALREADY_LINKED | Decision.STAY:
            if decision is Decision.ALREADY_LINKED and account.in_doubt_since is not None:
                # Both sides have just been proven.
                credentials.confirm(line.session, account, now=line.clock())
            line.session.commit()
            return redirect(next_path or line.config.default_page)
    raise _refusal(decision)


def _situation(attempt: sessions.Attempt, account: Account) -> Situation:
    """Say who is who."""
    member_id = guard.current_member_id()
    current_account = accounts.account_of_member(current_line, guard.current_member())
    return Situation(
        intent=Intent(attempt["intent"]),
        account_member=None if account.member_id is None else str(account.member_id),
        current_member=None if member_id is None else str(member_id),
        began_as=attempt["began_as"],
        current_has_account=current_account is not None,
        is_occupied=finish.is_occupied(account),
        is_pressed=attempt.get("pressed_as") == sessions.user_id(),
        is_by_itself=attempt["source"] == auto.AUTO_LOGIN,
        is_in_doubt=account.in_doubt_since is not None,
    )


def _refusal(decision: Decision) -> Refused:
    if decision is Decision.REFUSE_ACCOUNT_TAKEN:
        return accounts.account_taken()
    if decision is Decision.REFUSE_MEMBER_TAKEN:
        return accounts.member_taken()
    return Refused(
        _("連携を始めた会員と、いまログインしている会員が違います。"), step="person-changed"
    )


def _wait(attempt: sessions.Attempt, account: Account, email: str | None, page: str) -> Response:
    handle = flow.hold(current_line.session, attempt["state"], account, email=email)
    current_line.session.commit()
    sessions.keep_handle(handle)
    return redirect(page)


def _callback_error(error: str) -> Refused:
    if error == "access_denied":
        return Refused(
            _("LINEログインがキャンセルされました。何も登録されていません。"), step="consent"
        )
    return Refused(
        _("LINEでログインできませんでした。しばらくしてからもう一度お試しください。"),
        step="authorize",
    )


def _cookies_page(next_path: str | None) -> Response:
    """Answer a browser that brings no cookie back: no login can work in it."""
    line = current_line
    return render_error(
        title=_("このブラウザではログインできません"),
        text=_(
            "Cookieが使えない設定のようです。設定でCookieを許可するか、"
            "SafariやChromeなど、ほかのブラウザでお試しください。"
        ),
        step="cookies",
        action_label=_("ほかのブラウザで開く"),
        # LINE's own browser hands such an address to the phone's default browser.
        action_url=line.url_for("lineconnect.login", next=next_path, openExternalBrowser=1),
    )
