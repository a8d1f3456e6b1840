"""LIFF's windows beside a page: the share target picker and the scanner.

A page asks for a window by a one-time token, the user answers in it, and the page polls.

Source: the SDK's calls as seen on the wire; LIFF reference, "liff.shareTargetPicker()",
"liff.scanCodeV2()". LINE documents none of these endpoints.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from typing import Literal

from flask import Blueprint
from flask import jsonify
from flask import render_template
from flask import request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..login.attempts import make_ticket
from ..login.tokens import living_token
from ..messaging.message_checks import check_messages
from ..platform import platform
from ..requests_in import json_body
from ..world import User
from .api import known_app
from .messages import write_as

#: Seconds that a question for the scanner's answer waits, far below what proxies allow.
PATIENCE = 20.0
#: What a code may hold: the most a QR code of letters and digits can.
MAX_SCANNED = 4_296
#: LINE's own LIFF app that scans.
SCANNER_ID = "1656359117-jxmx5e11"


@dataclass
class SubWindow:
    """A window that was asked for, and what the user answered in it."""

    kind: Literal["picker", "scanner"]
    liff_id: str
    user_id: str
    challenge: str = ""
    answer: dict[str, Any] | None = None


subwindows = Blueprint("subwindows", __name__)


@subwindows.get("/liff/v2/apps/<liff_id>/ott")
def one_time_token(liff_id: str) -> Response:
    """Return what opens the share target picker once."""
    app, token = known_app(liff_id), living_token()
    if not app.has_share_target_picker:
        raise ApiError(403, "shareTargetPicker is not allowed in this LIFF app")
    return jsonify(ott=_open(SubWindow("picker", liff_id, token.user_id)))


@subwindows.get("/oauth2/v2.1/liff/shareTargetPicker")
def show_picker() -> str:
    """Show whom messages can be shared with; a page outside hands them over in the fragment."""
    window = _window(request.args.get("ott", ""), "picker")
    data = request.args.get("data", "")
    return render_template(
        "share_target_picker.html",
        ott=request.args["ott"],
        data=data,
        account=platform().world.messaging_channel,
        others=_friends_of(window),
    )


@subwindows.post("/oauth2/v2.1/_pick")
def pick() -> str:
    """Share with the chosen, or with nobody."""
    window = _window(request.form.get("ott", ""), "picker")
    chosen = request.form.getlist("to")
    is_shared = request.form.get("decision") == "share" and bool(chosen)
    messages = _messages(request.form.get("data", ""))
    line = platform()
    with line.change():
        if window.answer is None and is_shared and "account" in chosen:
            # Friends are no part of the emulator: what they are sent is seen by nobody.
            write_as(line, _user(window), messages)
        _answer(window, {"result": "SUCCESS" if is_shared else "CANCEL"})
    return render_template("subwindow_done.html")


@subwindows.get("/oauth2/v2.1/liff/shareTargetPicker/result")
def tell_result() -> Response:
    """Tell what came of the picker; nothing while it is open."""
    return jsonify(_window(request.args.get("ott", ""), "picker").answer or {})


@subwindows.post("/oauth2/v2.1/liff/shareTargetPicker/result")
def take_result() -> Response:
    """Take the page's word that the picker was closed."""
    window = _window(request.args.get("ott", ""), "picker")
    if request.form.get("result") != "CANCEL":
        raise ApiError(400, "result is invalid")
    with platform().lock:
        _answer(window, {"result": "CANCEL"})
    return jsonify({})


@subwindows.post("/liff/v2/sub/msit")
def scanner_token() -> Response:
    """Return what opens the scanner once."""
    token, body = living_token(), json_body()
    liff_id, challenge = body.get("mainLiffId"), body.get("mstChallenge")
    if not isinstance(liff_id, str) or not isinstance(challenge, str) or not challenge:
        raise ApiError(400, "mainLiffId and mstChallenge are required")
    if body.get("subLiffId") != SCANNER_ID or not known_app(liff_id).has_qr_code:
        raise ApiError(403, "scanCodeV2 is not allowed in this LIFF app")
    return jsonify(msit=_open(SubWindow("scanner", liff_id, token.user_id, challenge)))


@subwindows.get("/oauth2/v2.1/_scanner")
def show_scanner() -> str:
    """Show a field for what the camera would see: nobody holds a code up to a desktop."""
    _window(request.args.get("msit", ""), "scanner")
    return render_template("scanner.html", msit=request.args["msit"], limit=MAX_SCANNED)


@subwindows.post("/oauth2/v2.1/_scan")
def scan() -> str:
    """Take what the camera saw."""
    window = _window(request.form.get("msit", ""), "scanner")
    seen = request.form.get("seen", "")[:MAX_SCANNED]
    with platform().change():
        if request.form.get("decision") == "scan" and seen:
            _answer(window, {"status": "submit", "result": {"message": seen}})
        else:
            _answer(window, {"status": "cancel"})
    return render_template("subwindow_done.html")


@subwindows.post("/liff/v2/sub/waitResult")
def wait_for_result() -> Response:
    """Tell what came of the scanner, once something has; the page asks again after an error."""
    window, line = _asked_for(json_body()), platform()
    version = line.wait_for_change(-1, 0)
    deadline = time.monotonic() + PATIENCE
    while window.answer is None and (left := deadline - time.monotonic()) > 0:
        version = line.wait_for_change(version, left)
    return jsonify(window.answer or {"status": "error"})


@subwindows.post("/liff/v2/sub/_cancel")
def cancel_scan() -> Response:
    """Take the stand-in's word that the scanner was closed; LINE's app sees that by itself."""
    window = _asked_for(json_body())
    with platform().change():
        _answer(window, {"status": "cancel"})
    return jsonify({})


def _asked_for(body: dict[str, Any]) -> SubWindow:
    """Return the scanner that a page asked for, and no other page."""
    window = _window(str(body.get("msit")), "scanner")
    given = str(body.get("mstChallenge")).encode("utf-8", "replace")
    if not secrets.compare_digest(window.challenge.encode("utf-8", "replace"), given):
        raise ApiError(404, "not found")
    return window


def _open(window: SubWindow) -> str:
    return make_ticket(platform(), window)


def _window(ticket: str, kind: str) -> SubWindow:
    """Return a window by its token.

    :raises BadRequest: there is none of this kind.
    """
    window = platform().tickets.get(ticket)
    if not isinstance(window, SubWindow) or window.kind != kind:
        raise BadRequest("This window is not open any more. Begin again on the page.")
    return window


def _answer(window: SubWindow, answer: dict[str, Any]) -> None:
    """Keep the first answer: a window that was closed can't share any more."""
    if window.answer is None:
        window.answer = answer


def _user(window: SubWindow) -> User:
    user = platform().user(window.user_id)
    if user is None:
        raise BadRequest("There is no such LINE user.")
    return user


def _friends_of(window: SubWindow) -> list[User]:
    users = platform().world.users.values()
    return [user for user in users if user.user_id != window.user_id]


def _messages(data: str) -> list[dict[str, Any]]:
    """Return the messages that a page hands over, none if it hands over nothing.

    :raises BadRequest: LINE would not send them.
    """
    if not data:
        return []
    try:
        messages = json.loads(data)["messages"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadRequest("The page's messages cannot be read.") from None
    if check_messages(messages):
        raise BadRequest("LINE would refuse these messages.")
    return list(messages)
