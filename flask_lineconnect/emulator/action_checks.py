"""The documented limits of action objects, which differ by where the action stands.

Source: Messaging API reference, "Action objects".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .checks import Checker
from .checks import Json
from .text_counts import graphemes

_EVERYWHERE = ("postback", "message", "uri", "datetimepicker", "clipboard")
_ONLY_QUICK_REPLY = ("camera", "cameraRoll", "location")
_URI_SCHEMES = ("http", "https", "line", "tel")
_INPUT_OPTIONS = ("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice")
_MODES = {
    "date": r"\d{4}-\d\d-\d\d",
    "time": r"\d\d:\d\d",
    "datetime": r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d",
}
ALIAS_ID = re.compile(r"[a-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an action stands: which types it may have there, and what its label may be."""

    label_limit: int
    is_label_required: bool
    types: tuple[str, ...] = _EVERYWHERE


TEMPLATE = Place(20, True)
DEFAULT_ACTION = Place(20, False)
IMAGE_CAROUSEL = Place(12, False)
QUICK_REPLY = Place(20, True, (*_EVERYWHERE, *_ONLY_QUICK_REPLY))
FLEX_BUTTON = Place(40, True)
FLEX = Place(40, False)
RICH_MENU = Place(20, False, (*_EVERYWHERE, "richmenuswitch"))


def check_action(checker: Checker, holder: Json, name: str, where: str, place: Place) -> None:
    """Check a required action."""
    action = checker.inner(holder, name, where)
    if action is not None:
        check_action_object(checker, action, f"{where}.{name}", place)


def check_action_object(checker: Checker, action: Json, where: str, place: Place) -> None:
    """Check an action."""
    if not checker.one_of(action, "type", where, place.types):
        return
    checker.text(
        action,
        "label",
        where,
        place.label_limit,
        required=place.is_label_required,
        count=graphemes,
    )
    kind = action["type"]
    if kind == "postback":
        _check_postback(checker, action, where)
    elif kind == "message":
        checker.text(action, "text", where, 300, count=graphemes)
    elif kind == "uri":
        checker.address(action, "uri", where, _URI_SCHEMES, limit=1_000)
        other = checker.inner(action, "altUri", where, required=False)
        if other is not None:
            path = f"{where}.altUri"
            checker.address(other, "desktop", path, _URI_SCHEMES, limit=1_000, required=False)
    elif kind == "datetimepicker":
        _check_datetime_picker(checker, action, where)
    elif kind == "clipboard":
        checker.text(action, "clipboardText", where, 1_000)
    elif kind == "richmenuswitch":
        checker.text(action, "data", where, 300)
        alias_id = action.get("richMenuAliasId")
        if not isinstance(alias_id, str) or not ALIAS_ID.fullmatch(alias_id):
            checker.add("must be specified", f"{where}.richMenuAliasId")


def _check_postback(checker: Checker, action: Json, where: str) -> None:
    checker.text(action, "data", where, 300)
    for name in ("displayText", "text", "fillInText"):
        checker.text(action, name, where, 300, required=False, count=graphemes)
    if action.get("text") is not None and action.get("displayText") is not None:
        checker.add("can not be used together with displayText", f"{where}.text")
    checker.one_of(action, "inputOption", where, _INPUT_OPTIONS, required=False)
    if action.get("fillInText") is not None and action.get("inputOption") != "openKeyboard":
        checker.add("can be used only with openKeyboard", f"{where}.fillInText")


def _check_datetime_picker(checker: Checker, action: Json, where: str) -> None:
    checker.text(action, "data", where, 300)
    if not checker.one_of(action, "mode", where, tuple(_MODES)):
        return
    for name in ("initial", "min", "max"):
        value = action.get(name)
        pattern = _MODES[action["mode"]]
        if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            checker.add("invalid date time format", f"{where}.{name}")
