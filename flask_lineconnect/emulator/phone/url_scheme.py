"""LINE's URL scheme: the addresses on ``line.me`` that open something in the app.

Source: LINE, "Using LINE URL scheme".
"""

from __future__ import annotations

from urllib.parse import unquote

from flask import Blueprint
from flask import render_template
from flask import request
from werkzeug.exceptions import NotFound

from ..platform import platform

url_scheme = Blueprint("url_scheme", __name__)


@url_scheme.get("/R/oaMessage/<basic_id>")
@url_scheme.get("/R/oaMessage/<basic_id>/")
def open_chat(basic_id: str) -> str:
    """Open an official account's chat with the text of the query typed in, not sent.

    The page tells the phone around it; in another browser there is no LINE to open.
    """
    account = platform().world.messaging_channel
    if basic_id != account.basic_id:
        raise NotFound("There is no such official account.")
    text = unquote(request.query_string.decode("ascii", "replace"), errors="replace")
    return render_template("open_chat.html", account=account, text=text)
