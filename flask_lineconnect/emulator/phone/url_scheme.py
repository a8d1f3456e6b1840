"""LINE's URL scheme: the addresses on ``line.me`` that open something in the app.

Source: LINE, "Using LINE URL scheme".
"""

from __future__ import annotations

from urllib.parse import unquote

from flask import Flask
from flask import render_template
from flask import request
from werkzeug.exceptions import NotFound

from ..platform import platform


def register(app: Flask) -> None:
    """Add the addresses."""
    for rule in ("/R/oaMessage/<basic_id>", "/R/oaMessage/<basic_id>/"):
        app.add_url_rule(rule, view_func=open_chat)


def open_chat(basic_id: str) -> str:
    """Open an official account's chat with the text of the query typed in, not sent.

    The page tells the phone around it; in another browser there is no LINE to open.
    """
    account = platform().world.messaging_channel
    if basic_id != account.basic_id:
        raise NotFound("There is no such official account.")
    text = unquote(request.query_string.decode("ascii", "replace"), errors="replace")
    return render_template("open_chat.html", account=account, text=text)
