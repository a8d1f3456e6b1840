"""The form of a rich menu: read, checked as LINE would, and written as a menu's file says it."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from ..rich_menus.image_sizes import content_type_of
from ..rich_menus.image_sizes import size_of
from ..rich_menus.limits import MAX_AREAS
from ..rich_menus.limits import MAX_BAR_TEXT
from ..rich_menus.limits import MAX_IMAGE
from ..rich_menus.limits import MAX_LABEL
from ..rich_menus.limits import problems_of_size
from ..rich_menus.limits import reader_length
from ..rich_menus.reading import SIZES
from .i18n import gettext as _

#: Rows that a new form has, and empty ones that are always at its end.
ROWS, SPARE = 6, 2
#: What an area does, by the word of a menu's file and its value; ``None``: it is asked for.
WAYS: Mapping[str, tuple[str, str | None]] = {
    "card": ("liff", ""),
    "orders": ("liff", "/orders"),
    "coupons": ("liff", "/membership/coupons"),
    "message": ("text", None),
    "link": ("uri", None),
    "menu": ("menu", None),
}
SIDES = ("x", "y", "w", "h")
_MAX_TEXT, _MAX_ADDRESS = 300, 1_000
_SCHEMES = ("https://", "tel:", "line://")


@dataclass(frozen=True, slots=True)
class Row:
    """One area as it was typed."""

    label: str = ""
    way: str = "card"
    value: str = ""
    sides: Sequence[str] = ("", "", "", "")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        return not (self.label or self.value or any(self.sides))


@dataclass(frozen=True, slots=True)
class MenuForm:
    """A menu as it was typed."""

    title: str = ""
    to: str = "linked"
    segment: str = ""
    starts: str = ""
    until: str = ""
    size: str = "large"
    rows: Sequence[Row] = field(default_factory=lambda: [Row()] * ROWS)

    @property
    def areas(self) -> list[Row]:
        """The rows that were filled."""
        return [row for row in self.rows if not row.is_empty]


def from_form(form: MultiDict[str, str]) -> MenuForm:
    """Return what was typed."""
    rows = []
    for number in range(MAX_AREAS):
        if f"label-{number}" in form:
            cells = [form.get(f"{side}-{number}", "").strip() for side in SIDES]
            label, value = (form.get(f"{one}-{number}", "").strip() for one in ("label", "value"))
            rows.append(Row(label, form.get(f"way-{number}", "card"), value, cells))
    words = {name: form.get(name, "").strip() for name in ("title", "segment", "starts", "until")}
    return MenuForm(**words, to=form.get("to", ""), size=form.get("size", ""), rows=_spare(rows))


def from_definition(definition: Mapping[str, Any]) -> MenuForm:
    """Return the form of a menu that was saved."""
    show = definition.get("show", {})
    return MenuForm(
        title=definition["chat_bar_text"],
        to=show.get("to", "everybody"),
        segment=show.get("segment") or "",
        starts=show.get("from") or "",
        until=show.get("until") or "",
        size=definition.get("size", "large"),
        rows=_spare([_row(area) for area in definition["areas"]]),
    )


def to_definition(form: MenuForm) -> dict[str, Any]:
    """Return the menu in the words of a menu's file; of a form without problems."""
    show = {"to": form.to, "segment": form.segment, "from": form.starts, "until": form.until}
    if form.segment:
        show["to"] = "linked"
    return {
        "chat_bar_text": form.title,
        "size": form.size,
        "show": {name: value for name, value in show.items() if value},
        "areas": [_area(row) for row in form.areas],
    }


def problems_of(
    form: MenuForm, image: bytes | None, *, segments: Mapping[str, str], menus: Mapping[str, str]
) -> dict[str, str]:
    """Return what is wrong, by the field's name.

    :param image: that the menu will have; ``None``: it is drawn.
    :param segments: labels by name; ``menus``: those that an area may open.
    """
    found = dict(_of_head(form, segments))
    size = SIZES.get(form.size, (0, 0))
    if image is not None:
        said, size = _of_image(image)
        if said:
            found["image"] = said
    if not form.areas:
        found["label-0"] = _("領域を1つ以上作ってください。")
    is_placed = [any(row.sides) for row in form.areas]
    for number, row in enumerate(form.rows):
        if not row.is_empty:
            found |= _of_row(number, row, menus)
            if any(is_placed):
                found |= _of_sides(number, row, size)
    return found


def _spare(rows: list[Row]) -> list[Row]:
    used = [row for row in rows if not row.is_empty]
    return (used + [Row()] * max(SPARE, ROWS - len(used)))[:MAX_AREAS]


def _row(area: Mapping[str, Any]) -> Row:
    sides = [str(side) for side in area.get("bounds", ("", "", "", ""))]
    for way, (word, value) in WAYS.items():
        if word in area and value in (None, area[word]):
            return Row(area["label"], way, area[word] if value is None else "", sides)
    return Row(area["label"], sides=sides)


def _area(row: Row) -> dict[str, Any]:
    word, value = WAYS[row.way]
    bounds = {"bounds": [int(side) for side in row.sides]} if any(row.sides) else {}
    return {"label": row.label, word: row.value if value is None else value, **bounds}


def _of_head(form: MenuForm, segments: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not 1 <= reader_length(form.title) <= MAX_BAR_TEXT:
        yield "title", _("1〜%(n)s文字で付けてください。", n=MAX_BAR_TEXT)
    if form.to not in ("everybody", "linked", "unlinked") or form.size not in SIZES:
        yield "to", _("一覧から選んでください。")
    if form.segment and form.segment not in segments:
        yield "segment", _("一覧から選んでください。")
    elif form.segment and form.to == "unlinked":
        yield "segment", _("絞り込みは連携会員の中から選びます。相手を「連携会員」にしてください。")
    days = []
    for name, value in (("starts", form.starts), ("until", form.until)):
        try:
            days.append(date.fromisoformat(value) if value else None)
        except ValueError:
            yield name, _("日付を選んでください。")
    if len(days) == 2 and days[0] and days[1] and days[1] < days[0]:
        yield "until", _("終わりの日が、始まりより前です。")


def _of_image(image: bytes) -> tuple[str, tuple[int, int]]:
    size = size_of(image)
    if content_type_of(image) is None or size is None:
        return _("PNGかJPEGの絵を選んでください。"), (0, 0)
    if len(image) > MAX_IMAGE:
        return _("絵は1MBまでです。"), size
    if any(problems_of_size(*size)):
        return _(
            "絵の大きさは幅800〜2500、高さ250以上、幅が高さの1.45倍以上です。"
            "この絵は%(w)s×%(h)sです。",
            w=size[0],
            h=size[1],
        ), size
    return "", size


def _of_row(number: int, row: Row, menus: Mapping[str, str]) -> dict[str, str]:
    found = {}
    if not 1 <= reader_length(row.label) <= MAX_LABEL:
        found[f"label-{number}"] = _("1〜%(n)s文字で書いてください。", n=MAX_LABEL)
    if row.way not in WAYS:
        found[f"value-{number}"] = _("一覧から選んでください。")
    elif row.way == "message" and not 1 <= reader_length(row.value) <= _MAX_TEXT:
        found[f"value-{number}"] = _("送る言葉を書いてください。")
    elif row.way == "link" and not (
        row.value.startswith(_SCHEMES) and len(row.value) <= _MAX_ADDRESS
    ):
        found[f"value-{number}"] = _("https:// か tel: で始まるアドレスを書いてください。")
    elif row.way == "menu" and row.value not in menus:
        known = "、".join(menus) or _("まだありません")
        found[f"value-{number}"] = _("メニューの名前を書いてください: %(names)s", names=known)
    return found


def _of_sides(number: int, row: Row, size: tuple[int, int]) -> dict[str, str]:
    try:
        x, y, width, height = (int(side) for side in row.sides)
    except ValueError:
        return {f"x-{number}": _("左・上・幅・高さを、すべての領域に数字で入れてください。")}
    is_inside = x + width <= size[0] and y + height <= size[1]
    if min(x, y) < 0 or min(width, height) < 1 or not is_inside:
        return {f"x-{number}": _("絵（%(w)s×%(h)s）からはみ出しています。", w=size[0], h=size[1])}
    return {}
