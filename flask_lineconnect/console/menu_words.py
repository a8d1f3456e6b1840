"""Rich menus in words: what an area does, who sees a menu, and from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Any

from ..errors import UsageError
from ..i18n import languages
from ..rich_menus.choosing import Shown
from ..state import LineState
from . import writing
from .i18n import gettext as _


def does(line: LineState, action: Mapping[str, Any]) -> str:
    """Say what happens at a tap."""
    kind = action.get("type")
    if kind == "uri":
        return _opens(line, str(action.get("uri", "")))
    if kind == "message":
        return _("「%(words)s」と送る", words=action.get("text", ""))
    if kind == "richmenuswitch":
        return _("メニュー「%(name)s」に替える", name=action.get("richMenuAliasId", ""))
    if kind == "clipboard":
        return _("文字をコピーする")
    if kind == "datetimepicker":
        return _("日時を選ぶ")
    return _("お店が答える")


def _opens(line: LineState, address: str) -> str:
    try:
        card = line.liff_url()
    except UsageError:
        card = None
    if card is not None and address.startswith(card):
        pages = {"": _("会員証を開く"), "/orders": _("注文の一覧を開く")}
        path = address.removeprefix(card)
        return pages.get(path, _("LINEの中の画面 %(path)s を開く", path=path))
    return _("%(address)s を開く", address=address)


def seen_by(show: Shown | None, segments: Mapping[str, str]) -> str:
    """Say who sees a menu.

    :param segments: the labels of segments by their names.
    """
    if show is None:
        return _("ほかのメニューから開いた方")
    if show.segment is not None:
        return _("絞り込み「%(name)s」の方", name=segments.get(show.segment, show.segment))
    who = {"linked": _("連携会員"), "unlinked": _("未連携の方")}.get(show.to, _("みなさん"))
    if show.language is None:
        return who
    spoken = languages().get(show.language, show.language)
    return _("%(who)s・%(language)sを選んだ方", who=who, language=spoken)


def seen_when(show: Shown | None) -> str:
    """Say from when to when a menu is seen."""
    if show is None or (show.starts is None and show.until is None):
        return _("いつも")
    starts = "" if show.starts is None else _edge(show.starts, is_end=False)
    until = "" if show.until is None else _edge(show.until, is_end=True)
    return _("%(first)s〜%(last)s", first=starts, last=until)


def _edge(moment: datetime, *, is_end: bool) -> str:
    """Return a time, or the day alone that begins or ends then."""
    at = writing.local(moment)
    if at.time() != time():
        return writing.moment(moment)
    return writing.day(at.date() - timedelta(days=is_end))
