"""The documented limits of template messages.

Source: Messaging API reference, "Template messages".
"""

from __future__ import annotations

from ..action_checks import DEFAULT_ACTION
from ..action_checks import IMAGE_CAROUSEL
from ..action_checks import TEMPLATE
from ..action_checks import check_action
from ..action_checks import check_action_object
from ..checks import Checker
from ..checks import Json
from ..text_counts import graphemes

MAX_COLUMNS = 10
#: Longest text beside an image or a title.
SHORT_TEXT = 60


def check_template(checker: Checker, message: Json, where: str) -> None:
    """Check the template of a template message."""
    template = checker.inner(message, "template", where)
    if template is None:
        return
    path = f"{where}.template"
    kinds = ("buttons", "confirm", "carousel", "image_carousel")
    if not checker.one_of(template, "type", path, kinds):
        return
    kind = template["type"]
    if kind == "buttons":
        _check_column(checker, template, path, text_limit=160, max_actions=4)
    elif kind == "confirm":
        checker.text(template, "text", path, 240, count=graphemes)
        _check_actions(checker, template, path, 2, 2)
    elif kind == "carousel":
        _check_carousel(checker, template, path)
    else:
        for column, inside in checker.items(template, "columns", path, 1, MAX_COLUMNS):
            checker.url(column, "imageUrl", inside)
            check_action(checker, column, "action", inside, IMAGE_CAROUSEL)


def _check_carousel(checker: Checker, template: Json, where: str) -> None:
    shapes = set()
    for column, path in checker.items(template, "columns", where, 1, MAX_COLUMNS):
        _check_column(checker, column, path, text_limit=120, max_actions=3)
        actions = column.get("actions")
        size = len(actions) if isinstance(actions, list) else 0
        shapes.add((size, *_company(column)))
    if len(shapes) > 1:
        text = (
            "all columns must have the same number of actions and the same use of image and title"
        )
        checker.add(text, f"{where}.columns")


def _check_column(
    checker: Checker, column: Json, where: str, *, text_limit: int, max_actions: int
) -> None:
    checker.url(column, "thumbnailImageUrl", where, required=False)
    checker.text(column, "title", where, 40, required=False, count=graphemes)
    limit = SHORT_TEXT if any(_company(column)) else text_limit
    checker.text(column, "text", where, limit, count=graphemes)
    _check_actions(checker, column, where, 1, max_actions)
    if column.get("defaultAction") is not None:
        check_action(checker, column, "defaultAction", where, DEFAULT_ACTION)


def _check_actions(checker: Checker, holder: Json, where: str, low: int, high: int) -> None:
    for action, path in checker.items(holder, "actions", where, low, high):
        check_action_object(checker, action, path, TEMPLATE)


def _company(column: Json) -> tuple[bool, bool]:
    """Tell whether an image and whether a title stand beside the text."""
    return column.get("thumbnailImageUrl") is not None, column.get("title") is not None
