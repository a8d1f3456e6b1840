"""The faults page: switch on what goes wrong, and off again."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask import redirect
from flask import render_template
from flask import request
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response
from wtforms import Form
from wtforms import IntegerField
from wtforms import SelectField
from wtforms.validators import NumberRange
from wtforms.validators import Optional

from .faults import Fault
from .own_requests import require_own_origin
from .platform import platform

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


def _choices(effects: Effects) -> list[tuple[str, Any]]:
    return [(word, name) for word, (name, _fields) in effects.items()]


class _HowOften(Form):
    times = IntegerField(_("回数"), [Optional(), NumberRange(1, 1_000_000)], default=1)
    percent = IntegerField(_("または割合（％）"), [Optional(), NumberRange(1, 100)])

    def fields(self) -> dict[str, Any]:
        """Return how often it happens, as a fault says it."""
        if self.percent.data:
            return {"share": self.percent.data / 100}
        return {"times": self.times.data or 1}


class CallFaultForm(_HowOften):
    """A fault of calls."""

    path = SelectField(_("呼び出し"), choices=list(TARGETS.items()))
    effect = SelectField(_("起きること"), choices=_choices(EFFECTS))

    def fault(self) -> dict[str, Any]:
        """Return the fault's fields."""
        return {"path": self.path.data, **EFFECTS[self.effect.data][1], **self.fields()}


class OtherFaultForm(_HowOften):
    """A fault of webhooks or logins."""

    effect = SelectField(_("起きること"), choices=_choices(OTHERS))

    def fault(self) -> dict[str, Any]:
        """Return the fault's fields."""
        return {**OTHERS[self.effect.data][1], **self.fields()}


def register(app: Flask) -> None:
    """Add the page and what its forms call."""
    for rule, view, method in (
        ("/faults", show_faults, "GET"),
        ("/faults/calls", add_call_fault, "POST"),
        ("/faults/others", add_other_fault, "POST"),
        ("/faults/off", switch_all_off, "POST"),
        ("/faults/<fault_id>/off", switch_off, "POST"),
    ):
        app.add_url_rule(rule, f"faults_page.{view.__name__}", view, methods=[method])


def show_faults() -> str:
    """Show what is on, and the forms to switch on more."""
    return _page(CallFaultForm(), OtherFaultForm())


def add_call_fault() -> Response | tuple[str, int]:
    """Let calls go wrong."""
    form = CallFaultForm(request.form)
    return _add(form) or (_page(form, OtherFaultForm()), 400)


def add_other_fault() -> Response | tuple[str, int]:
    """Let webhooks or logins go wrong."""
    form = OtherFaultForm(request.form)
    return _add(form) or (_page(CallFaultForm(), form), 400)


def switch_off(fault_id: str) -> Response:
    """Switch one fault off."""
    require_own_origin()
    if not platform().faults.remove(fault_id):
        raise NotFound("This fault is off already.")
    return redirect("/faults", 303)


def switch_all_off() -> Response:
    """Switch all faults off."""
    require_own_origin()
    platform().faults.clear()
    return redirect("/faults", 303)


def _add(form: CallFaultForm | OtherFaultForm) -> Response | None:
    require_own_origin()
    if not form.validate():
        return None
    platform().faults.add(**form.fault())
    return redirect("/faults", 303)


def _page(calls: CallFaultForm, others: OtherFaultForm) -> str:
    faults = [(fault, _name(fault)) for fault in platform().faults.all()]
    return render_template("faults.html", faults=faults, calls=calls, others=others)


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
