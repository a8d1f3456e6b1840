"""The way to LINE: a fresh attempt in the browser's session, and the address to go to."""

from __future__ import annotations

from flask import redirect
from flask_babel import get_locale
from werkzeug.wrappers import Response

from ..state import current_line
from . import sessions
from .decide import Intent
from .quiet import state_with_way_back


def start(
    intent: Intent,
    *,
    next_path: str | None,
    source: str | None = None,
    began_as: str | None = None,
    pressed_as: str | None = None,
    parameters: dict[str, str] | None = None,
) -> Response:
    """Send the browser to LINE, with a fresh state, nonce and PKCE verifier in its session.

    :param began_as: the key of the member who begins a link.
    :param pressed_as: who is logged in, as Flask-Login keeps them, and pressed for this login.
    :param parameters: LINE's own, such as ``disable_auto_login``. With ``prompt=none`` the person
        comes back without any page of LINE's, logged in or not.
    """
    from .oidc import LineLogin  # when LINE is first asked, see parts.py

    line = current_line
    parameters = parameters or {}
    is_silent = parameters.get("prompt") == "none"
    authorization = line.part(LineLogin).authorization(
        line.url_for("lineconnect.callback"),
        state=state_with_way_back(next_path) if is_silent and next_path else None,
        ui_locales=str(get_locale() or "ja").replace("_", "-"),
        **({} if is_silent else {"bot_prompt": line.config.bot_prompt}),
        **parameters,
    )
    sessions.remember_attempt(
        authorization,
        intent=intent,
        began_as=began_as,
        next_path=next_path,
        source=source,
        silent=is_silent,
        pressed_as=pressed_as,
    )
    return redirect(authorization.url)
