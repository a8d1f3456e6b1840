"""Makes LINE's rich menu objects and pictures of menus that are data; LINE is not asked.

A menu is found again by its content, whose hash is in the name that LINE keeps and nobody sees.
Next: ``releases.py``.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.routing import BuildError

from ..errors import UsageError
from ..hooks.table import HookTable
from ..state import LineState
from . import drawing
from .image_sizes import content_type_of
from .image_sizes import size_of
from .limits import MAX_IMAGE
from .limits import problems_of
from .reading import SIZES
from .reading import Area
from .reading import Menu
from .reading import Source

#: What LINE keeps as a menu's name: ours, and the hash of the content.
_MARK = re.compile(r"([a-z0-9_-]{1,32}) lineconnect:([0-9a-f]{40})")
#: The part of a menu's height that its tabs have.
_TABS = 0.125

Bounds = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """Where the picture of a menu comes from.

    :ivar path: ``None``: it is given, or drawn.
    :ivar given: ``None``: it lies in a file, or is drawn.
    """

    folder: Path
    path: Path | None
    size: tuple[int, int]
    cells: Sequence[drawing.Cell]
    given: bytes | None = None

    def read(self) -> bytes | None:
        """Return the picture; ``None``: it is drawn.

        :raises UsageError: its file can't be read.
        """
        return self.given if self.path is None else _read(self.path)


@dataclass(frozen=True, slots=True)
class Composed:
    """A menu as LINE is given it.

    :ivar definition: LINE's object, without the name.
    :ivar digest: of the content: the definition and the picture, or how it is drawn.
    """

    menu: Menu
    definition: dict[str, Any]
    picture: Picture
    digest: str

    @property
    def whole(self) -> dict[str, Any]:
        """The object with the name by which it is found again."""
        return {**self.definition, "name": f"{self.menu.name} lineconnect:{self.digest}"}

    def image(self) -> tuple[bytes, str]:
        """Return the picture and its content type.

        :raises LineConnectError: it can't be read or drawn, or is none that LINE takes.
        """
        picture = self.picture
        image = picture.read()
        if image is None:
            look = self.menu.look
            image = drawing.draw(picture.size, picture.cells, look, folder=picture.folder)
        kind = content_type_of(image)
        if kind is None or len(image) > MAX_IMAGE:
            raise UsageError(f"{self.menu.name}: the image must be PNG or JPEG, up to 1 MB")
        return image, kind


def mark_in(name: str) -> tuple[str, str] | None:
    """Return name and digest of a menu of ours by what LINE keeps; ``None``: it is another's."""
    found = _MARK.fullmatch(name)
    return None if found is None else (found[1], found[2])


def compose(line: LineState, sources: Sequence[Source]) -> list[Composed]:
    """Make every menu, and check it against LINE's limits.

    :raises UsageError: names all that is wrong.
    """
    composed, problems = [], []
    for source in sources:
        menu = source.menu
        try:
            one = _compose(line, source)
        except (UsageError, BuildError, ValueError) as error:
            problems.append(f"{menu.name}: {_said(error)}")
            continue
        problems += [f"{menu.name}: {problem}" for problem in problems_of(one.definition)]
        composed.append(one)
    if problems:
        raise UsageError("rich menus: " + "; ".join(problems))
    return composed


def _said(error: Exception) -> str:
    if isinstance(error, BuildError):
        return f"there is no page {error.endpoint!r} that takes these values"
    return str(error)


def _compose(line: LineState, source: Source) -> Composed:
    menu, folder = source.menu, source.folder
    path = None if menu.image is None else folder / menu.image
    size = _size(menu, path, source.image)
    boxes = _boxes(menu, size)
    tabs, places = boxes[: len(menu.tabs)], boxes[len(menu.tabs) :]
    areas = [
        {"bounds": _bounds(box), "action": _switch(tab.menu, tab.label)}
        for tab, box in zip(menu.tabs, tabs, strict=True)
    ]
    areas += [
        {"bounds": _bounds(box), "action": _action(line, area)}
        for area, box in zip(menu.areas, places, strict=True)
    ]
    definition = {
        "size": {"width": size[0], "height": size[1]},
        "selected": menu.selected,
        "chatBarText": menu.chat_bar_text,
        "areas": areas,
    }
    picture = Picture(folder, path, size, list(_cells(menu, tabs, places)), source.image)
    return Composed(menu, definition, picture, _digest(menu, definition, picture))


def _size(menu: Menu, path: Path | None, given: bytes | None) -> tuple[int, int]:
    image = given if path is None else _read(path)
    if image is not None:
        found = size_of(image)
        if found is None:
            raise UsageError(f"the image {menu.image or menu.name} must be PNG or JPEG")
        return found
    return SIZES[menu.size] if isinstance(menu.size, str) else menu.size


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise UsageError(f"the image {path.name} can't be read") from None


def _boxes(menu: Menu, size: tuple[int, int]) -> list[Bounds]:
    """Return where the tabs stand, then the areas."""
    width, height = size
    top = round(height * _TABS) if menu.tabs else 0
    tabs = _row(len(menu.tabs), 0, width, top) if menu.tabs else []
    given = [area.bounds for area in menu.areas if area.bounds is not None]
    return [*tabs, *(given or _grid(len(menu.areas), menu.columns, top, width, height - top))]


def _grid(count: int, columns: int | None, top: int, width: int, height: int) -> Iterator[Bounds]:
    is_low = width / height > 2
    most = columns or (count if count <= (3 if is_low else 2) else math.ceil(count / 2))
    rows = math.ceil(count / most)
    edges = [top + height * row // rows for row in range(rows + 1)]
    for row in range(rows):
        yield from _row(
            min(most, count - most * row), edges[row], width, edges[row + 1] - edges[row]
        )


def _row(count: int, top: int, width: int, height: int) -> list[Bounds]:
    edges = [width * place // count for place in range(count + 1)]
    return [(edges[i], top, edges[i + 1] - edges[i], height) for i in range(count)]


def _bounds(box: Bounds) -> dict[str, int]:
    return dict(zip(("x", "y", "width", "height"), box, strict=True))


def _cells(menu: Menu, tabs: Sequence[Bounds], places: Sequence[Bounds]) -> Iterator[drawing.Cell]:
    for tab, box in zip(menu.tabs, tabs, strict=True):
        yield drawing.Cell(tab.label, box, is_tab=True, is_here=tab.menu == menu.name)
    for area, box in zip(menu.areas, places, strict=True):
        yield drawing.Cell(area.label, box)


def _action(line: LineState, area: Area) -> dict[str, Any]:
    if area.action is not None:
        return {"label": area.label, **area.action}
    if area.menu is not None:
        return _switch(area.menu, area.label)
    if area.text is not None:
        return {"type": "message", "label": area.label, "text": area.text}
    if area.postback is not None:
        data = line.part(HookTable).postback_data(area.postback, **area.values)
        shown = {} if area.display_text is None else {"displayText": area.display_text}
        return {"type": "postback", "label": area.label, "data": data, **shown}
    return {"type": "uri", "label": area.label, "uri": _address(line, area)}


def _address(line: LineState, area: Area) -> str:
    if area.page is not None:
        return line.url_for(area.page, **area.values)
    return line.liff_url(area.liff) if area.liff is not None else str(area.uri)


def _switch(name: str, label: str) -> dict[str, Any]:
    """Return the action that opens another menu; the phone does it by itself."""
    return {
        "type": "richmenuswitch",
        "label": label,
        "richMenuAliasId": name,
        "data": f"richmenu:{name}",
    }


def _digest(menu: Menu, definition: dict[str, Any], picture: Picture) -> str:
    """Return the hash of a menu's name and content.

    Of how it is drawn, not of what was drawn: another version of Pillow, or another machine's font,
    makes no new menu.
    """
    seen: Any
    if (image := picture.read()) is not None:
        seen = hashlib.sha256(image).hexdigest()
    else:
        look = {name: getattr(menu.look, name) for name in menu.look.__struct_fields__}
        cells = [[cell.label, cell.bounds, cell.is_tab, cell.is_here] for cell in picture.cells]
        seen = [drawing.VERSION, look, cells]
    canonical = json.dumps([menu.name, definition, seen], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:40]
