"""The pages of login and linking; the rules behind them are in ``flow.py`` and ``decide.py``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask import current_app
from flask import redirect
from flask import request
from flask import url_for
from flask_babel import get_locale
from flask_login import current_user
from flask_login import login_fresh
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from .. import linking
from .. import signals
from ..errors import Refused
from ..i18n import gettext as _
from ..models import Account
from ..models import LoginAttempt
from ..pages import render_page
from ..shop import LineProfile
from ..state import current_line
from . import flow
from . import sessions
from .decide import Decision
from .decide import Intent
from .decide import Situation
from .decide import decide
from .forms import SignUpForm
from .oidc import Identity
from .tokens import LoginTokens


def register(blueprint: Blueprint) -> None:
    """Add the routes of login and linking to the extension's blueprint."""
    for rule, view, methods in (
        ("/login", login, ["GET"]),
        ("/callback", callback, ["GET"]),
        ("/sign-up", sign_up, ["GET", "POST"]),
        ("/link", link, ["GET", "POST"]),
        ("/link/confirm", confirm_link, ["GET", "POST"]),
    ):
        blueprint.add_url_rule(rule, view_func=view, methods=methods)


def login() -> Response | str:
    """Begin a login: ``next`` is where to return, ``source`` names the QR code or button."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return ""
    return start(
        Intent.LOGIN,
        next_path=flow.local_path(request.args.get("next")),
        source=request.args.get("source", "")[:100] or None,
        may_auto_login="fresh" not in request.args,
    )


def start(
    intent: Intent,
    *,
    next_path: str | None,
    source: str | None = None,
    silent: bool = False,
    may_auto_login: bool = True,
) -> Response:
    """Send the browser to LINE, with a fresh state, nonce and PKCE verifier in its session.

    :param silent: come back without any page of LINE's; a customer who would have to do something
        returns unchanged.
    :param may_auto_login: off after a failed auto-login, which would only fail again.
    """
    line = current_line
    parameters = {"prompt": "none"} if silent else {"bot_prompt": line.config.bot_prompt}
    if not may_auto_login:
        parameters["disable_auto_login"] = "true"
    authorization = line.login.authorization(
        line.url_for("lineconnect.callback"),
        ui_locales=str(get_locale() or "ja").replace("_", "-"),
        **parameters,
    )
    sessions.remember_attempt(
        authorization,
        intent=intent,
        began_as=_current_member_key() if intent is Intent.LINK else None,
        next_path=next_path,
        source=source,
        silent=silent,
    )
    return redirect(authorization.url)


def callback() -> Response | str:
    """Take the browser back from LINE: state first, then everything else."""
    if request.method == "HEAD":
        return ""
    attempt = sessions.take_attempt(request.args.getlist("state"))
    error = request.args.get("error", "").lower()
    if error and attempt["silent"]:
        return redirect(attempt["next_path"] or current_line.config.default_page)
    if error:
        raise _callback_error(error)
    code = request.args.get("code", "")
    if not code:
        raise _callback_error("invalid_request")
    line = current_line
    row = flow.consume(
        line.session,
        attempt["state"],
        intent=Intent(attempt["intent"]),
        began_as=attempt["began_as"],
        next_path=attempt["next_path"],
        source=attempt["source"],
        now=line.clock(),
    )
    identity, answer = line.login.fetch_identity(
        code,
        redirect_uri=line.url_for("lineconnect.callback"),
        nonce=attempt["nonce"],
        code_verifier=attempt["code_verifier"],
    )
    tokens = LoginTokens.of(answer, now=line.clock())
    account = _seen(identity, line.login.is_friend(tokens.access_token))
    account.sealed_tokens = line.vault.seal(account.id, tokens)
    account.consent_checked_at = line.clock()
    return _proceed(row, account, email=identity.email)


def _seen(identity: Identity, is_friend: bool | None) -> Account:
    """Return the account of a verified identity, with what LINE says of it now."""
    line = current_line
    now = line.clock()
    account = linking.ensure_account(line.session, identity.line_user_id, now=now)
    account.display_name = identity.display_name or account.display_name
    account.picture_url = identity.picture_url
    linking.note_friendship(line.session, account, is_friend, at=now)
    return account


def _proceed(row: LoginAttempt, account: Account, *, email: str | None) -> Response:
    """Do what the decision says about a verified login."""
    line = current_line
    member_id = _current_member_id()
    current_account = linking.account_of(line.session, member_id)
    decision = decide(
        Situation(
            intent=Intent(row.intent),
            account_member=None if account.member_id is None else str(account.member_id),
            current_member=None if member_id is None else str(member_id),
            began_as=row.member_key,
            current_has_account=current_account is not None,
        )
    )
    match decision:
        case Decision.LOG_IN:
            line.session.commit()
            return log_in_linked(account, row.next_path)
        case Decision.SIGN_UP:
            return _wait(row, account, email, url_for("lineconnect.sign_up"))
        case Decision.CONFIRM_LINK:
            return _wait(row, account, email, url_for("lineconnect.confirm_link"))
        case Decision.OFFER_LINK:
            line.session.commit()
            return redirect(url_for("lineconnect.link"))
        case Decision.ALREADY_LINKED:
            line.session.commit()
            return redirect(row.next_path or line.config.default_page)
        case Decision.REFUSE_ACCOUNT_TAKEN:
            raise linking.account_taken()
        case Decision.REFUSE_MEMBER_TAKEN:
            raise linking.member_taken()
    raise Refused(
        _("連携を始めた会員と、いまログインしている会員が違います。"), step="person-changed"
    )


def _wait(row: LoginAttempt, account: Account, email: str | None, page: str) -> Response:
    handle = flow.hold(row, account, email=email)
    current_line.session.commit()
    sessions.keep_handle(handle)
    return redirect(page)


def log_in_linked(account: Account, next_path: str | None) -> Response:
    """Log in the member to whom an account is linked, and return to where they were going."""
    line = current_line
    member = line.session.get(line.shop.model, account.member_id)
    sessions.log_in(member, account, keep=line.config.keep_session_keys)
    signals.member_logged_in.send(
        current_app._get_current_object(),  # type: ignore[attr-defined]  # LocalProxy's own method
        account=account,
        member=member,
    )
    return redirect(next_path or line.config.default_page)


def sign_up() -> Response | str:
    """Register a new member with a short form that LINE's profile prefills."""
    line = current_line
    waiting = flow.held(line.session, sessions.handle(), intent=Intent.LOGIN, now=line.clock())
    profile = _profile(waiting)
    form = (line.shop.sign_up_form or SignUpForm)(request.form, obj=profile)
    if request.method == "POST" and form.validate():
        try:
            return _register(waiting, _confirmed(profile, form.data))
        except Refused as refused:
            line.session.rollback()
            form.form_errors.append(refused.message)
    return render_page(
        "lineconnect/sign_up.html", profile=profile, form=form, log_in_url=_shop_log_in_url()
    )


def _register(waiting: flow.Held, profile: LineProfile) -> Response:
    line = current_line
    try:
        member = line.shop.sign_up(profile)
        member_id = None if member is None else linking.member_key(line.session, member)
    except IntegrityError:
        # Somebody registered with the same data at the same moment.
        line.session.rollback()
        member_id = None
    if member_id is None:
        line.session.rollback()
        raise Refused(
            _(
                "すでに会員登録があるようです。下の「すでに会員の方」からログインして、"
                "マイページの「LINEと連携する」を押してください。"
            ),
            step="existing-member",
        )
    return _tie(waiting, member_id)


def _tie(waiting: flow.Held, member_id: Any) -> Response:
    """Link what waited, commit, log in, and go where the attempt was going."""
    line = current_line
    account, next_path = waiting.account, waiting.attempt.next_path
    linking.link(line.session, account, member_id, source=waiting.attempt.source, now=line.clock())
    flow.release(line.session, waiting)
    line.session.commit()
    sessions.drop_handle()
    return log_in_linked(account, next_path)


def link() -> Response | str:
    """Show the link button to a member who is logged in; its press begins a link."""
    member_id = _current_member_id()
    manager = current_app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    if member_id is None:
        answer: Response = manager.unauthorized()
        return answer
    if not login_fresh():
        answer = manager.needs_refresh()
        return answer
    sessions.require_may_log_in(current_user._get_current_object())
    next_path = flow.local_path(request.values.get("next"))
    if request.method == "POST":
        return start(Intent.LINK, next_path=next_path, source="member-page")
    line = current_line
    return render_page(
        "lineconnect/link.html",
        member_name=line.shop.member_name(current_user),
        linked=linking.account_of(line.session, member_id) is not None,
    )


def confirm_link() -> Response | str:
    """Show whose LINE account is to be linked with which member, and wait for the press."""
    line = current_line
    waiting = flow.held(line.session, sessions.handle(), intent=Intent.LINK, now=line.clock())
    member_id = _current_member_id()
    if member_id is None or str(member_id) != waiting.attempt.member_key:
        raise Refused(
            _("連携を始めた会員と、いまログインしている会員が違います。"), step="person-changed"
        )
    if request.method == "POST":
        return _tie(waiting, member_id)
    return render_page(
        "lineconnect/confirm_link.html",
        profile=_profile(waiting),
        member_name=line.shop.member_name(current_user),
    )


def _profile(waiting: flow.Held) -> LineProfile:
    account = waiting.account
    return LineProfile(
        line_user_id=account.line_user_id,
        display_name=account.display_name,
        picture_url=account.picture_url,
        email=waiting.attempt.email,
    )


def _confirmed(profile: LineProfile, data: dict[str, Any]) -> LineProfile:
    """Return the profile as the person confirmed it in the form."""
    answers = {
        name: value
        for name, value in data.items()
        if name not in {"display_name", "email", "csrf_token"}
    }
    return LineProfile(
        line_user_id=profile.line_user_id,
        display_name=str(data.get("display_name") or profile.display_name),
        picture_url=profile.picture_url,
        email=data.get("email") or None,
        answers=answers,
    )


def _current_member_id() -> Any | None:
    """Return the key of the member logged in to the shop, or ``None``."""
    line = current_line
    if not current_user.is_authenticated:
        return None
    member = current_user._get_current_object()
    if not isinstance(member, line.shop.model):
        return None
    return linking.member_key(line.session, member)


def _current_member_key() -> str | None:
    member_id = _current_member_id()
    return None if member_id is None else str(member_id)


def _shop_log_in_url() -> str:
    """Return the shop's own login page, which leads on to the page with the link button."""
    login_view = current_app.login_manager.login_view  # type: ignore[attr-defined]
    if not login_view:
        return url_for("lineconnect.link")
    return url_for(login_view, next=url_for("lineconnect.link"))


def _callback_error(error: str) -> Refused:
    if error == "access_denied":
        return Refused(
            _("LINEログインがキャンセルされました。何も登録されていません。"), step="consent"
        )
    return Refused(
        _("LINEでログインできませんでした。しばらくしてからもう一度お試しください。"),
        step="authorize",
    )
