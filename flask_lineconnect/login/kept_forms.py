"""Forms that an auto-login interrupted: kept for their person, and shown again for a press.

Nothing is sent by itself: between the two presses the person may have become another one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from typing import TypeVar

from flask import Blueprint
from flask import current_app
from flask import redirect
from flask import request
from flask import url_for
from flask_wtf.csrf import validate_csrf
from sqlalchemy import delete
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import ValidationError

from ..models import KeptForm
from ..state import current_line
from ..vault import hashed
from ..web import csrf
from ..web.addresses import here_with_query
from ..web.pages import render_page
from . import sessions
from .flow import local_path

V = TypeVar("V", bound=Callable[..., Any])

#: How long a form waits.
LIFETIME = timedelta(minutes=10)
#: Larger forms are not kept, in bytes.
MAX_BYTES = 16_384


def register(blueprint: Blueprint) -> None:
    """Add the page that shows a kept form to the extension's blueprint."""
    blueprint.add_url_rule("/kept-form", view_func=kept_form, methods=["GET"])


def keep_form(view: V) -> V:
    """Mark a view whose submitted form survives an auto-login.

    In LINE's in-app browser a form that reaches this view without a login is kept on the server for
    ten minutes, LINE logs the member in, and the form is shown again for a press. Put it below the
    route's decorator. Files are not kept.
    """
    view._lineconnect_keep_form = True  # type: ignore[attr-defined]  # a mark that Flask keeps
    return view


def is_keepable() -> bool:
    """Tell whether this request is a small form of our own page, for a view that keeps forms."""
    view = current_app.view_functions.get(request.endpoint or "")
    if not hasattr(view, "_lineconnect_keep_form") or request.method != "POST":
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
    handle = secrets.token_urlsafe(32)
    tokens = csrf.given_fields()
    fields = [[k, v] for k, v in request.form.items(multi=True) if k not in tokens]
    replaced = sessions.keep_form(handle)
    if replaced is not None:
        line.session.execute(delete(KeptForm).where(KeptForm.handle_hash == hashed(replaced)))
    line.session.add(
        KeptForm(
            handle_hash=hashed(handle),
            path=local_path(here_with_query()) or line.config.home,
            sealed_fields=line.vault.seal(
                ["kept form", hashed(handle)], {"fields": fields, "tokens": tokens}
            ),
            expires_at=line.clock() + LIFETIME,
        )
    )
    line.session.commit()
    return url_for("lineconnect.kept_form")


def kept_form() -> Response | str:
    """Show what was about to be sent, with a button that sends it now."""
    row = _row_of_session()
    owner = [] if row is None else ["kept form", row.handle_hash]
    kept = None if row is None else current_line.vault.open(owner, row.sealed_fields)
    if row is None or kept is None:
        return redirect(current_line.config.default_page)
    return render_page(
        "lineconnect/kept_form.html",
        path=row.path,
        fields=kept["fields"],
        csrf_fields=kept.get("tokens", [csrf.field_name()]),
    )


def _row_of_session() -> KeptForm | None:
    handle = sessions.form_handle()
    if handle is None:
        return None
    line = current_line
    statement = select(KeptForm).where(
        KeptForm.handle_hash == hashed(handle), KeptForm.expires_at > line.clock()
    )
    return line.session.scalars(statement).one_or_none()
