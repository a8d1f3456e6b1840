"""Pages for developers: the faults page and the inspector."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask import redirect
from flask import render_template
from flask import request
from flask_babel import lazy_gettext as _
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from ..faults import Fault
from ..own_requests import require_own_origin
from ..platform import platform

#: What can happen: by the form's word for it, its name and the fields of the fault that does it.
Effects = dict[str, tuple[Any, dict[str, Any]]]

MESSAGE = "/v2/bot/message"
#: What can be disturbed: of calls their path, of webhooks and logins a word of their own.
TARGETS = {
    "/*": _("すべての呼び出し"),
    f"{MESSAGE}/push": _("プッシュ"),
    f"{MESSAGE}/multicast": _("マルチキャスト"),
    f"{MESSAGE}/reply": _("応答"),
    f"{MESSAGE}/narrowcast": _("ナローキャスト"),
    f"{MESSAGE}/broadcast": _("ブロードキャスト"),
    "/v2/bot/profile/*": _("プロフィール"),
    "/v2/bot/richmenu*": _("リッチメニュー"),
    "/oauth2/v2.1/token": _("LINEログインのトークン"),
    "/oauth2/v3/token": _("チャネルアクセストークン"),
    "/liff/*": "LIFF",
}
#: What happens to calls.
EFFECTS: Effects = {
    "500": (_("失敗する（500）"), {"status": 500}),
    "500-after": (_("届いたあとに失敗する（500）"), {"status": 500, "after_acceptance": True}),
    "429": (_("回数制限（429）"), {"status": 429}),
    "quota": (_("今月の上限（429）"), {"quota": True}),
    "401": (_("トークンが無効（401）"), {"status": 401}),
    "slow": (_("3秒遅れる"), {"delay_seconds": 3.0}),
    "drop": (_("接続が切れる"), {"drop": True}),
    "drop-after": (_("届いたあとに接続が切れる"), {"drop": True, "after_acceptance": True}),
}
#: What happens to webhooks, and to logins.
OTHERS: Effects = {
    "duplicate": (_("Webhookが二度届く"), {"webhook": "duplicate"}),
    "late": (_("Webhookが10秒遅れる"), {"webhook": "late", "delay_seconds": 10.0}),
    "reorder": (_("Webhookの順が入れ替わる"), {"webhook": "reorder"}),
    "lost": (_("Webhookが届かない"), {"webhook": "lost"}),
    "follow": (
        _("友だち追加のWebhookが5秒遅れる"),
        {"webhook": "late", "event": "follow", "delay_seconds": 5.0},
    ),
    "auto_login": (_("自動ログインに失敗する"), {"auto_login": "fail"}),
}

control_pages = Blueprint("control_pages", __name__)


@control_pages.get("/inspector")
def show_inspector() -> str:
    """Show every API call and every webhook, which the page's script reads from ``api``."""
    return render_template("inspector.html")


@control_pages.get("/faults")
def show_faults() -> str:
    """Show what is on, and the forms to switch on more."""
    return _page()


@control_pages.post("/faults/calls")
def add_call_fault() -> Response | tuple[str, int]:
    """Let calls go wrong."""
    path, effect = request.form.get("path", ""), EFFECTS.get(request.form.get("effect", ""))
    if path not in TARGETS or effect is None:
        raise BadRequest("There is no such fault.")
    return _add({"path": path, **effect[1]})


@control_pages.post("/faults/others")
def add_other_fault() -> Response | tuple[str, int]:
    """Let webhooks or logins go wrong."""
    effect = OTHERS.get(request.form.get("effect", ""))
    if effect is None:
        raise BadRequest("There is no such fault.")
    return _add(effect[1])


@control_pages.post("/faults/<fault_id>/off")
def switch_off(fault_id: str) -> Response:
    """Switch one fault off."""
    require_own_origin()
    if not platform().faults.remove(fault_id):
        raise NotFound("This fault is off already.")
    return redirect("/faults", 303)


@control_pages.post("/faults/off")
def switch_all_off() -> Response:
    """Switch all faults off."""
    require_own_origin()
    platform().faults.clear()
    return redirect("/faults", 303)


def _add(fields: dict[str, Any]) -> Response | tuple[str, int]:
    require_own_origin()
    percent = request.form.get("percent", "")
    times = request.form.get("times", "") or "1"
    if not (percent or "1").isdecimal() or not times.isdecimal():
        return _page(is_wrong=True), 400
    often = {"share": int(percent[:9]) / 100} if percent else {"times": int(times[:9])}
    try:
        platform().faults.add(**fields, **often)
    except ValidationError:
        return _page(is_wrong=True), 400
    return redirect("/faults", 303)


def _page(*, is_wrong: bool = False) -> str:
    return render_template(
        "faults.html",
        faults=[(fault, _name(fault)) for fault in platform().faults.all()],
        targets=TARGETS,
        effects=_named(EFFECTS),
        others=_named(OTHERS),
        is_wrong=is_wrong,
    )


def _named(effects: Effects) -> list[tuple[str, Any]]:
    return [(word, name) for word, (name, _fields) in effects.items()]


def _name(fault: Fault) -> str:
    """Return a fault's name for the page, also of one that a program switched on."""
    if fault.path is not None:
        target = str(TARGETS.get(fault.path, fault.path))
        return f"{target} — {_effect_name(fault, EFFECTS) or _plain_effect(fault)}"
    return _effect_name(fault, OTHERS) or _plain_effect(fault)


def _effect_name(fault: Fault, effects: Effects) -> str | None:
    given = fault.model_dump(exclude_defaults=True, exclude={"id", "path", "times", "share"})
    return next((str(text) for text, fields in effects.values() if fields == given), None)


def _plain_effect(fault: Fault) -> str:
    given = fault.model_dump(exclude_defaults=True, exclude={"id", "path", "times", "share"})
    return ", ".join(f"{name}: {value}" for name, value in given.items())
