"""The documented limits of Flex messages.

Source: Messaging API reference, "Flex Message"; "Elements of Flex Message".
"""

from __future__ import annotations

import json

from ..action_checks import FLEX
from ..action_checks import FLEX_BUTTON
from ..action_checks import check_action
from ..checks import Checker
from ..checks import Json

#: Bytes of JSON.
MAX_BUBBLE, MAX_CAROUSEL = 30_000, 50_000
MAX_BUBBLES = 12
_SIZES = ("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")
#: What may stand in each part of a bubble.
_BLOCKS = {
    "header": ("box",),
    "hero": ("box", "image", "video"),
    "body": ("box",),
    "footer": ("box",),
}
_IN_BOX = ("box", "button", "image", "text", "separator", "filler")
_IN_BASELINE = ("icon", "text", "filler")
#: Boxes in boxes; a guard of ours against bodies made to exhaust the stack.
_MAX_DEPTH = 50


def check_flex(checker: Checker, message: Json, where: str) -> None:
    """Check the contents of a Flex message."""
    contents = checker.inner(message, "contents", where)
    if contents is None:
        return
    path = f"{where}.contents"
    if not checker.one_of(contents, "type", path, ("bubble", "carousel")):
        return
    is_bubble = contents["type"] == "bubble"
    limit = MAX_BUBBLE if is_bubble else MAX_CAROUSEL
    if len(json.dumps(contents, ensure_ascii=False).encode("utf-8", "surrogatepass")) > limit:
        checker.add(f"Size must be less than or equal to {limit}", path)
    elif is_bubble:
        _check_bubble(checker, contents, path, in_carousel=False)
    else:
        _check_carousel(checker, contents, path)


def _check_carousel(checker: Checker, carousel: Json, where: str) -> None:
    sizes = set()
    for bubble, path in checker.items(carousel, "contents", where, 1, MAX_BUBBLES):
        sizes.add(str(bubble.get("size", "mega")))
        if checker.one_of(bubble, "type", path, ("bubble",)):
            _check_bubble(checker, bubble, path, in_carousel=True)
    if len(sizes) > 1:
        checker.add("size must be the same in all bubbles", f"{where}.contents")


def _check_bubble(checker: Checker, bubble: Json, where: str, *, in_carousel: bool) -> None:
    checker.one_of(bubble, "size", where, _SIZES, required=False)
    checker.one_of(bubble, "direction", where, ("ltr", "rtl"), required=False)
    if bubble.get("action") is not None:
        check_action(checker, bubble, "action", where, FLEX)
    for name, types in _BLOCKS.items():
        block = checker.inner(bubble, name, where, required=False)
        if block is None:
            continue
        path = f"{where}.{name}"
        if block.get("type") == "video":
            _check_video(checker, bubble, path, in_carousel=in_carousel)
        else:
            _check_component(checker, block, path, types, 0)


def _check_video(checker: Checker, bubble: Json, where: str, *, in_carousel: bool) -> None:
    hero = bubble["hero"] if where.endswith(".hero") else None
    is_wide = bubble.get("size", "mega") in {"kilo", "mega", "giga"}
    if hero is None or in_carousel or not is_wide:
        checker.add("video is not allowed here", f"{where}.type")
        return
    checker.url(hero, "url", where)
    checker.url(hero, "previewUrl", where)
    other = checker.inner(hero, "altContent", where)
    if other is not None:
        _check_component(checker, other, f"{where}.altContent", ("box", "image"), 0)
    if hero.get("action") is not None:
        check_action(checker, hero, "action", where, FLEX)


def _check_component(
    checker: Checker, component: Json, where: str, types: tuple[str, ...], depth: int
) -> None:
    if not checker.one_of(component, "type", where, types):
        return
    kind = component["type"]
    if kind == "button":
        check_action(checker, component, "action", where, FLEX_BUTTON)
    elif component.get("action") is not None:
        check_action(checker, component, "action", where, FLEX)
    if kind == "box":
        _check_box(checker, component, where, depth)
    elif kind in {"image", "icon"}:
        checker.url(component, "url", where)
    elif kind == "text":
        _check_text(checker, component, where)


def _check_box(checker: Checker, box: Json, where: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        checker.add("too deeply nested", where)
        return
    if not checker.one_of(box, "layout", where, ("horizontal", "vertical", "baseline")):
        return
    types = _IN_BASELINE if box["layout"] == "baseline" else _IN_BOX
    for component, path in checker.items(box, "contents", where, 0, MAX_BUBBLE):
        _check_component(checker, component, path, types, depth + 1)


def _check_text(checker: Checker, component: Json, where: str) -> None:
    if component.get("contents") is None:
        checker.text(component, "text", where, MAX_BUBBLE)
        return
    for span, path in checker.items(component, "contents", where, 0, MAX_BUBBLE):
        if checker.one_of(span, "type", path, ("span",)):
            checker.text(span, "text", path, MAX_BUBBLE)
