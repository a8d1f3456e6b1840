"""What LIFF pages send: LINE's ID token, for a session of the shop's or for a link that waits.

Neither links. A link is made by a press on the page that shows both sides, ``login/link.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

import flask_babel
from flask import Blueprint
from flask import jsonify
from flask import request
from flask import url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from ..errors import Refused
from ..i18n import gettext as _
from ..linking import accounts
from ..linking import unlinking
from ..login import finish
from ..login import flow
from ..login import guard
from ..login import sessions
from ..login.basis import basis_of
from ..login.decide import Decision
from ..login.decide import Intent
from ..login.decide import Situation
from ..login.decide import decide
from ..login.flow import local_path
from ..login.sign_up import LIFF
from ..models import Account
from ..state import current_line
from ..web.locales import agree_on_language
from ..web.pages import csp_nonce
from .card import draw_card

if TYPE_CHECKING:
    from ..login.oidc import Identity

#: Largest body that is looked at, in bytes: an ID token, and an address to return to.
MAX_BODY = 16_384


def register(blueprint: Blueprint) -> None:
    """Add the routes to the extension's blueprint."""
    blueprint.add_url_rule("/liff/session", view_func=liff_session, methods=["POST"])
    blueprint.add_url_rule("/liff/link", view_func=liff_link_proof, methods=["POST"])


def liff_session() -> Response:
    """Log in whoever LINE's ID token names; JSON ``{"id_token": …, "next": …, "draw": bool}``.

    Answers ``{"changed": bool, "location": path}``: whether the session is another person's now,
    and where to go; for the card also ``"page"``, its HTML, and the ``"nonce"`` in it, if the page
    said that it can ``draw`` it in its own place and nobody else was logged in. Somebody without a
    link is led to registration.

    :raises Refused: the request is not one of our own pages', or the ID token fails a check.
    """
    id_token, identity, sent = _what_was_sent()
    line = current_line
    account = _seen(identity)
    next_path = local_path(sent.get("next")) or url_for("lineconnect.card")
    if account.is_linked:
        may_draw = sent.get("draw") is True
        return _log_in(id_token, identity, account, next_path, may_draw=may_draw)
    if _may_be_asked_to_link():
        line.session.commit()
        return jsonify(changed=True, location=url_for("lineconnect.liff_link"))
    # Whoever registers links, too.
    flow.require_fresh(identity.issued_at, now=line.clock())
    _wait(id_token, identity, account, intent=Intent.LOGIN, next_path=next_path)
    return jsonify(changed=True, location=url_for("lineconnect.liff_sign_up"))


def liff_link_proof() -> Response:
    """Let a link wait for the press of the member who is logged in; JSON ``{"id_token": …}``.

    LINE's proof is the token, of the last ten minutes; the member's is the shop's own recent login,
    in this session. Answers ``{"location": path}``, the page that shows both sides.

    :raises Refused: there is no such login, either side is linked already, or as above.
    """
    id_token, identity, _sent = _what_was_sent()
    line = current_line
    member = guard.current_member()
    if member is None or not guard.is_recent(member):
        raise Refused(_("会員としてログインしてから、もう一度お試しください。"), step="session")
    sessions.require_may_log_in(member)
    flow.require_fresh(identity.issued_at, now=line.clock())
    account, key = _seen(identity), guard.current_member_id()
    decision = decide(
        Situation(
            intent=Intent.LINK,
            account_member=None if account.member_id is None else str(account.member_id),
            current_member=str(key),
            began_as=str(key),
            current_has_account=accounts.account_of_member(line, member) is not None,
        )
    )
    card = url_for("lineconnect.card")
    match decision:
        case Decision.CONFIRM_LINK:
            _wait(
                id_token,
                identity,
                account,
                intent=Intent.LINK,
                next_path=card,
                began_as=str(key),
            )
            return jsonify(location=url_for("lineconnect.confirm_link"))
        case Decision.ALREADY_LINKED:
            line.session.commit()
            return jsonify(location=card)
        case Decision.REFUSE_MEMBER_TAKEN:
            raise accounts.member_taken()
    raise accounts.account_taken()


def _what_was_sent() -> tuple[str, Identity, dict[str, Any]]:
    """Return the ID token, whom it names, and all that the page sent, of which nothing is checked.

    :raises Refused: the request is not one of our own pages', or the ID token fails a check.
    """
    # When LINE is first asked, see parts.py.
    from ..web.rate_limits import RateLimits
    from .id_token import LiffTokens

    body = _json_sent()
    if body is None or not _is_own_origin():
        raise Refused(_("画面を開き直してください。"), step="origin")
    id_token = body.get("id_token")
    identity = current_line.part(LiffTokens).verify(id_token)
    current_line.part(RateLimits).count("account", identity.line_user_id, "exchange")
    _require_newer_than_end(identity)
    return str(id_token), identity, body


def _json_sent() -> dict[str, Any] | None:
    """Return the object that was sent; ``None`` for anything else, however large or deep it is."""
    request.max_content_length = MAX_BODY
    try:
        body = request.get_json(silent=True)
    except (RecursionError, RequestEntityTooLarge):
        return None
    return body if isinstance(body, dict) else None


def _require_newer_than_end(identity: Identity) -> None:
    """Let no ID token of before an unlinking or an erasure bring the person back.

    :raises Refused: it is; a window that is opened anew has a newer one.
    """
    session = current_line.session
    if unlinking.has_ended_since(session, identity.line_user_id, identity.issued_at):
        raise Refused(
            _("LINEからの情報を確認できませんでした。画面を開き直してください。"), step="ended"
        )


def _seen(identity: Identity) -> Account:
    """Return the account of a verified identity, with what LINE says of it now."""
    line = current_line
    account = accounts.ensure_account(line.session, identity.line_user_id, now=line.clock())
    unlinking.end_if_left_over(line, account, now=line.clock())
    account.display_name = identity.display_name or account.display_name
    account.picture_url = identity.picture_url or account.picture_url
    return account


def _may_be_asked_to_link() -> bool:
    """Tell whether a member without LINE has just logged in to the shop in this browser.

    Whoever holds the phone may be somebody else: the page shows the member and asks.
    """
    line, member = current_line, guard.current_member()
    if member is None or not line.shop.may_log_in(member):
        return False
    is_free = accounts.account_of_member(line, member) is None
    return is_free and guard.is_recent(member)


def _log_in(
    id_token: str, identity: Identity, account: Account, next_path: str, *, may_draw: bool
) -> Response:
    line = current_line
    member: Any = accounts.member_of_account(line, account)
    sessions.require_may_log_in(member)
    user = sessions.logged_in_user()
    is_occupied = finish.is_occupied(account)
    if is_occupied or account.in_doubt_since is not None:
        if is_occupied or user is None:
            _wait(id_token, identity, account, intent=Intent.LOGIN, next_path=next_path)
        line.session.commit()
        again = url_for("lineconnect.liff_link_again", next=next_path)
        page = url_for("lineconnect.liff_switch") if is_occupied else again
        return jsonify(changed=True, location=page)
    # Read before the commit: afterwards the link may have ended already.
    rests_on = basis_of(line, account, member)
    accounts.remember_member(line, account, member)
    agree_on_language(account)
    if user is None:
        sessions.log_in(member, rests_on, keep=line.config.keep_session_keys)
    line.session.commit()
    answer = {"changed": user is None, "location": next_path}
    is_card = urlsplit(next_path).path.rstrip("/") == url_for("lineconnect.card")
    if may_draw and is_card:
        # The shop may choose a language by who is logged in.
        flask_babel.refresh()
        page = draw_card(member, account, here=next_path)
        answer |= {"page": page, "nonce": csp_nonce()}
    return jsonify(answer)


def _wait(
    id_token: str,
    identity: Identity,
    account: Account,
    *,
    intent: Intent,
    next_path: str,
    began_as: str | None = None,
) -> None:
    """Let the verified but unlinked person wait for a press: of the form, or of the link."""
    line = current_line
    if not account.is_linked and intent is Intent.LOGIN and sessions.logged_in_user() is not None:
        # The member in this session is not the person in LINE; the form is for new members only.
        # Renewed alone, a remember cookie would bring them back.
        sessions.end()
    # The SDK gives the same token for an hour, so every opening of the page waits anew.
    proof = f"{id_token}:{line.clock().isoformat()}"
    flow.consume(
        line.session,
        proof,
        intent=intent,
        began_as=began_as,
        next_path=next_path,
        source=LIFF,
        now=line.clock(),
    )
    handle = flow.hold(line.session, proof, account, email=identity.email)
    line.session.commit()
    sessions.keep_handle(handle)


def _is_own_origin() -> bool:
    """Tell whether the request comes from a page of the shop's own address."""
    base = urlsplit(current_line.config.base_url)
    return request.headers.get("Origin") == f"{base.scheme}://{base.netloc}"
