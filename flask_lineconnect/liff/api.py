"""The exchange: a LIFF page's ID token in, a session of the shop's out. It never links."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint
from flask import jsonify
from flask import request
from flask import url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from .. import linking
from ..errors import Refused
from ..i18n import gettext as _
from ..login import flow
from ..login import sessions
from ..login.decide import Intent
from ..login.flow import local_path
from ..login.sign_up import LIFF
from ..models import Account
from ..state import current_line


def register(blueprint: Blueprint) -> None:
    """Add the exchange to the extension's blueprint."""
    blueprint.add_url_rule("/liff/session", view_func=liff_session, methods=["POST"])


def liff_session() -> Response:
    """Log in whoever LINE's ID token names; JSON ``{"id_token": …, "next": …}``.

    Answers ``{"changed": bool, "location": path}``: whether the session is another person's now,
    and where to go. Somebody without a link is led to registration.

    :raises Refused: the request is not one of our own pages', or the ID token fails a check.
    """
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not _is_own_origin():
        raise Refused(_("画面を開き直してください。"), step="origin")
    line = current_line
    id_token = body.get("id_token")
    identity = line.liff_tokens.verify(id_token)
    line.rates.count("account", identity.line_user_id)
    now = line.clock()
    account = linking.ensure_account(line.session, identity.line_user_id, now=now)
    account.display_name = identity.display_name or account.display_name
    account.picture_url = identity.picture_url or account.picture_url
    next_path = local_path(body.get("next")) or url_for("lineconnect.card")
    if account.is_linked:
        return _log_in(account, next_path)
    return _lead_to_sign_up(str(id_token), account, identity.email, next_path)


def _log_in(account: Account, next_path: str) -> Response:
    line = current_line
    member: Any = line.session.get(line.shop.model, account.member_id)
    line.session.commit()
    sessions.require_may_log_in(member)
    is_same = current_user.is_authenticated and current_user.get_id() == member.get_id()
    if not is_same:
        sessions.log_in(member, account, keep=line.config.keep_session_keys)
    return jsonify(changed=not is_same, location=next_path)


def _lead_to_sign_up(
    id_token: str, account: Account, email: str | None, next_path: str
) -> Response:
    """Let the verified but unlinked person wait at the registration form."""
    line = current_line
    if current_user.is_authenticated:
        # The member in this session is not the person in LINE; the form is for new members only.
        sessions.renew(line.config.keep_session_keys)
    # The SDK gives the same token for an hour, so every opening of the page waits anew.
    proof = f"{id_token}:{line.clock().isoformat()}"
    flow.consume(
        line.session,
        proof,
        intent=Intent.LOGIN,
        next_path=next_path,
        source=LIFF,
        now=line.clock(),
    )
    sessions.keep_handle(flow.hold(line.session, proof, account, email=email))
    line.session.commit()
    return jsonify(changed=True, location=url_for("lineconnect.liff_sign_up"))


def _is_own_origin() -> bool:
    """Tell whether the request comes from a page of the shop's own address."""
    base = urlsplit(current_line.config.base_url)
    return request.headers.get("Origin") == f"{base.scheme}://{base.netloc}"
