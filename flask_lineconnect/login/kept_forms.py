"""Forms that an auto-login interrupted: kept for their person, and shown again for a press.

Nothing is sent by itself: between the two presses the person may have become another one. A form is
whose login it began, or whose LINE's app did by itself; anybody else's makes it go. It is shown
once, and a password in it is left out and asked for again.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint
from flask import Flask
from flask import current_app
from flask import g
from flask import redirect
from flask import request
from flask import session
from flask import url_for
from flask_login import user_logged_in
from flask_login import user_logged_out
from flask_wtf.csrf import validate_csrf
from sqlalchemy import delete
from werkzeug.wrappers import Response
from wtforms import ValidationError

from ..models import KeptForm
from ..state import current_line
from ..vault import hashed
from ..web import csrf
from ..web.addresses import here_with_query
from ..web.guards import is_fetched_ahead
from ..web.pages import render_page
from . import guard
from . import sessions
from .flow import local_path

V = TypeVar("V", bound=Callable[..., Any])

#: How long a form waits.
LIFETIME = timedelta(minutes=10)
#: Larger forms are not kept, in bytes.
MAX_BYTES = 16_384
#: Words of which fields are named that nobody else may read, and parts of such words.
_SECRET_WORDS = {"pass", "pw", "pwd", "psw", "pswd", "pin", "otp", "totp", "cvv", "cvc", "csc"}
_SECRET_WORDS |= {"secret", "mfa", "2fa"}
_SECRET_PARTS = re.compile(
    "passw|passphrase|passcode|pincode|securitycode|kennwort|credential"
    "|パスワード|暗証|密碼|密码|รหัสผ่าน"
)
_BETWEEN_WORDS = re.compile(r"[\s_.:\[\]-]+")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])|[^\W_a-zA-Z0-9]+")


def register(blueprint: Blueprint) -> None:
    """Add the page that shows a kept form to the extension's blueprint."""
    blueprint.add_url_rule("/kept-form", view_func=kept_form, methods=["GET"])


def watch(app: Flask) -> None:
    """Let a form go when somebody else comes in, when its person leaves, or when it was sent."""
    app.before_request(_forget_what_is_sent)
    user_logged_in.connect(_forget_unless_theirs, app)
    user_logged_out.connect(_forget_at_logout, app)


def keep_form(view: V) -> V:
    """Mark a view whose submitted form survives an auto-login.

    In LINE's in-app browser a form that reaches this view without a login is kept on the server for
    ten minutes, LINE logs the member in, and the form is shown again, once, for a press. Put it
    below the route's decorator. Files are not kept, nor is what stands in fields of passwords.
    """
    view._lineconnect_keep_form = True  # type: ignore[attr-defined]  # a mark that Flask keeps
    return view


def is_keepable() -> bool:
    """Tell whether this request is a small form of our own page, for a view that keeps forms."""
    if not _is_sent_to_marked_view():
        return False
    if (request.content_length or MAX_BYTES + 1) > MAX_BYTES or request.files or not request.form:
        return False
    try:
        validate_csrf(next((request.form[name] for name in csrf.given_fields()), None))
    except ValidationError:
        return False
    return True


def keep() -> str:
    """Keep this request's form in place of the session's earlier one; return where it is shown."""
    line = current_line
    forget()
    handle = secrets.token_urlsafe(32)
    tokens = csrf.given_fields()
    fields = [(k, v) for k, v in request.form.items(multi=True) if k not in tokens]
    left_out = _secret_names(fields)
    content = {
        "fields": [pair for pair in fields if pair[0] not in left_out],
        "left_out": left_out,
        "tokens": tokens,
    }
    sessions.keep_form(handle)
    line.session.add(
        KeptForm(
            handle_hash=hashed(handle),
            path=local_path(here_with_query()) or line.config.home,
            sealed_fields=line.vault.seal(["kept form", hashed(handle)], content),
            expires_at=line.clock() + LIFETIME,
        )
    )
    line.session.commit()
    return url_for("lineconnect.kept_form")


def expect(next_path: str | None, *, by_itself: bool) -> None:
    """Say where a login with LINE leads that is about to end well.

    :param by_itself: LINE's app began it, so its person is who filled in what waits here.
    """
    g._lineconnect_form_goes_on = by_itself or _leads_here(next_path)


def forget() -> None:
    """Forget the form of this session, inside the caller's transaction."""
    handle = sessions.form_handle()
    if handle is not None:
        sessions.drop_form()
        line = current_line
        line.session.execute(delete(KeptForm).where(KeptForm.handle_hash == hashed(handle)))


def kept_form() -> Response | str:
    """Show what was about to be sent, once, with a button that sends it now."""
    if request.method == "HEAD" or is_fetched_ahead():
        return ""
    line = current_line
    if sessions.form_handle() is None:
        return redirect(line.config.default_page)
    if sessions.logged_in_user() is None:
        own_page = guard.shop_log_in_url(url_for("lineconnect.kept_form"))
        return redirect(own_page or line.config.default_page)
    kept = _take()
    if kept is None:
        return redirect(line.config.default_page)
    path, content = kept
    return render_page(
        "lineconnect/kept_form.html",
        path=path,
        fields=content["fields"],
        left_out=content["left_out"],
        csrf_fields=content["tokens"],
    )


def _take() -> tuple[str, dict[str, Any]] | None:
    """Return the session's form and delete it, in one statement: of two tabs one shows it."""
    line, handle_hash = current_line, hashed(str(sessions.form_handle()))
    sessions.drop_form()
    statement = (
        delete(KeptForm)
        .where(KeptForm.handle_hash == handle_hash, KeptForm.expires_at > line.clock())
        .returning(KeptForm.path, KeptForm.sealed_fields)
    )
    row = line.session.execute(statement).one_or_none()
    line.session.commit()
    content = row and line.vault.open(["kept form", handle_hash], row.sealed_fields)
    return (row.path, content) if row and content else None


def _forget_what_is_sent() -> None:
    """Forget a form whose person sends it by another way."""
    if not _is_sent_to_marked_view() or sessions.form_handle() is None:
        return
    if sessions.logged_in_user() is not None:
        forget()
        current_line.session.commit()


def _forget_unless_theirs(_app: Flask, **_extra: Any) -> None:
    is_on_its_way = g.pop("_lineconnect_form_goes_on", False)
    if sessions.form_handle() is None:
        return
    # Flask-Login hands the way back to the shop's own login by either.
    ways_back = (request.values.get("next"), session.get("next"))
    if not is_on_its_way and not any(map(_leads_here, ways_back)):
        forget()


def _forget_at_logout(_app: Flask, **_extra: Any) -> None:
    forget()


def _leads_here(target: object) -> bool:
    is_text = isinstance(target, str)
    return is_text and urlsplit(str(target)).path == url_for("lineconnect.kept_form")


def _is_sent_to_marked_view() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method == "POST" and hasattr(view, "_lineconnect_keep_form")


def _secret_names(fields: Iterable[tuple[str, str]]) -> list[str]:
    """Return the fields of passwords and the like, and those that repeat what is in one."""
    fields = list(fields)
    secret = {value for name, value in fields if value and _is_secret(name)}
    names = (name for name, value in fields if _is_secret(name) or value in secret)
    return list(dict.fromkeys(names))


def _is_secret(name: str) -> bool:
    words = {word.lower() for word in _WORD.findall(name)}
    letters = _BETWEEN_WORDS.sub("", name).lower()
    return not words.isdisjoint(_SECRET_WORDS) or _SECRET_PARTS.search(letters) is not None
