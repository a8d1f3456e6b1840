"""Rich menus that are data: TOML files in a folder of the app, or mappings in the shop's code.

Both have the same words; a file's name is its menu's. Next: ``composing.py``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import time
from functools import partial
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from msgspec import Struct

from ..errors import UsageError
from ..hooks.menus import DeclaredMenu
from ..models import SavedMenu

#: Of a menu: it is its alias at LINE, too. Source: Messaging API reference, "Rich menu alias".
_NAME = re.compile(r"[a-z0-9_-]{1,32}")
_Colour = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}$")]
_Text = Annotated[str, Meta(min_length=1)]
#: Pixels.
SIZES = {"large": (2500, 1686), "compact": (2500, 843)}


class Tab(Struct, forbid_unknown_fields=True, frozen=True):
    """A tab above a menu.

    :ivar menu: the name of the menu that it opens.
    """

    menu: _Text
    label: _Text


class Look(Struct, forbid_unknown_fields=True, frozen=True):
    """How a menu without an image is drawn.

    :ivar font: a font's file beside the menu's; ``None``: one of the machine's with Japanese.
    """

    ground: _Colour = "#ffffff"
    ink: _Colour = "#222222"
    line: _Colour = "#dddddd"
    accent: _Colour = "#06c755"
    font: str | None = None


class Showing(Struct, forbid_unknown_fields=True, frozen=True, rename={"starts": "from"}):
    """Who sees a menu without opening it, and when.

    :ivar to: by the state of the link; ``everybody`` are also people whom the shop does not know.
    :ivar segment: the name of a segment, of linked members.
    :ivar language: as catalogues spell it, of those who chose one on a page.
    :ivar starts: a date or a time, in the shop's zone unless it has one.
    :ivar until: likewise; a date is the last day.
    :ivar priority: of several menus for one person the highest is shown, then the narrowest.
    """

    to: Literal["everybody", "linked", "unlinked"] = "everybody"
    segment: str | None = None
    language: str | None = None
    starts: Any = None
    until: Any = None
    priority: int = 0


class Area(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What can be tapped; exactly one of the ways to do something is given.

    :ivar label: drawn, and read aloud.
    :ivar page: an endpoint of the app, with ``values`` for it.
    :ivar liff: a path of the LIFF app; ``""`` is the point card.
    :ivar text: what the person then says, for a hook.
    :ivar postback: the name of a postback hook, with ``values`` for it.
    :ivar menu: the name of another menu, which is opened.
    :ivar action: any other action object of LINE's.
    :ivar bounds: left, top, width and height in pixels; without any the areas share the menu.
    """

    label: _Text
    page: str | None = None
    liff: str | None = None
    uri: str | None = None
    text: str | None = None
    postback: str | None = None
    menu: str | None = None
    action: dict[str, Any] | None = None
    values: dict[str, Any] = {}
    display_text: str | None = None
    bounds: tuple[int, int, int, int] | None = None


#: The ways of an area.
WAYS = ("page", "liff", "uri", "text", "postback", "menu", "action")


class Menu(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One rich menu; ``name`` is left out in a file, whose name it is.

    :ivar image: PNG or JPEG beside the file; ``None``: it is drawn.
    :ivar size: ``large``, ``compact``, or width and height in pixels; an image has its own.
    :ivar columns: of areas without bounds; ``None``: as many as fit in two rows.
    :ivar selected: whether it is open when the chat is.
    :ivar show: ``None``: it is seen by a tap alone.
    """

    name: str
    chat_bar_text: _Text
    areas: Annotated[list[Area], Meta(min_length=1)]
    image: str | None = None
    size: Literal["large", "compact"] | tuple[int, int] = "large"
    columns: Annotated[int, Meta(ge=1, le=20)] | None = None
    selected: bool = True
    look: Look = Look()
    tabs: list[Tab] = []
    show: Showing | None = None

    @property
    def opens(self) -> Iterator[str]:
        """The names of the menus that it leads to."""
        yield from (tab.menu for tab in self.tabs if tab.menu != self.name)
        yield from (area.menu for area in self.areas if area.menu is not None)


@dataclass(frozen=True, slots=True)
class Source:
    """A menu, and the folder of the files that it names.

    :ivar image: its picture, where it lies in no file.
    """

    menu: Menu
    folder: Path
    image: bytes | None = None


def read_menus(
    folder: Path, declared: Iterable[DeclaredMenu] = (), saved: Iterable[SavedMenu] = ()
) -> list[Source]:
    """Return the menus of a folder, those declared in code and those that were saved, by name.

    :raises UsageError: names every file that is wrong, and the place in it.
    """
    found: dict[str, Source] = {}
    problems: list[str] = []
    sources = [*_sources(folder, declared), *_saved(folder, saved)]
    for where, home, image, read in sources:
        try:
            menu = checked_menu(read())
            if menu.name in found:
                raise ValueError(f"there are two menus {menu.name!r}")
        except (OSError, ValueError) as error:
            problems.append(f"{where}: {str(error).partition(chr(10))[0]}")
        else:
            found[menu.name] = Source(menu, home, image)
    for menu in (one.menu for one in found.values()):
        problems += [
            f"{menu.name}: it opens the menu {name!r}, and there is none"
            for name in dict.fromkeys(menu.opens)
            if name not in found
        ]
    if problems:
        raise UsageError("rich menus: " + "; ".join(problems))
    return [found[name] for name in sorted(found)]


def moment(given: object, zone: ZoneInfo, *, is_end: bool) -> datetime | None:
    """Return the instant that a date or time of a file means.

    :param is_end: a date means the end of its day, which is the beginning of the next.
    :raises ValueError: it is neither.
    """
    if given is None:
        return None
    if isinstance(given, str):
        given = datetime.fromisoformat(given) if len(given) > 10 else date.fromisoformat(given)
    if isinstance(given, datetime):
        return given if given.tzinfo else given.replace(tzinfo=zone)
    if isinstance(given, date):
        day = date.fromordinal(given.toordinal() + 1) if is_end else given
        return datetime.combine(day, time(), zone)
    raise ValueError("show: `from` and `until` are dates or times, such as 2026-12-24")


#: Where a menu comes from, its folder and picture, and what reads it.
_Given: TypeAlias = tuple[str, Path, bytes | None, Callable[[], dict[str, Any]]]


def _sources(folder: Path, declared: Iterable[DeclaredMenu]) -> Iterator[_Given]:
    for path in sorted(folder.glob("*.toml")):
        yield path.name, folder, None, partial(_loaded, path)
    for one in declared:
        data = {**one.definition, "name": one.name}
        yield f"the blueprint {one.home}, {one.name}", one.folder, None, partial(dict, data)


def _saved(folder: Path, saved: Iterable[SavedMenu]) -> Iterator[_Given]:
    for one in saved:
        data = {**(one.definition or {}), "name": one.name}
        yield f"the console, {one.name}", folder, one.image, partial(dict, data)


def _loaded(path: Path) -> dict[str, Any]:
    data = tomllib.loads(path.read_text("utf-8"))
    if "name" in data:
        raise ValueError("a file's name is its menu's; leave `name` out")
    return {**data, "name": path.stem}


def checked_menu(data: Mapping[str, Any]) -> Menu:
    """Return a menu in the words of a file.

    :raises ValueError: a word or a value is wrong.
    """
    menu = msgspec.convert(data, Menu)
    if not _NAME.fullmatch(menu.name):
        raise ValueError(
            f"the name {menu.name!r} must have lower-case letters, digits, _ and - only, up to 32"
        )
    for number, area in enumerate(menu.areas):
        given = [way for way in WAYS if getattr(area, way) is not None]
        if len(given) != 1:
            which = " and ".join(given) or "none"
            raise ValueError(
                f"areas[{number}] ({area.label}) needs exactly one of {', '.join(WAYS)}, and has "
                f"{which}"
            )
    if any(area.bounds for area in menu.areas) and not all(area.bounds for area in menu.areas):
        raise ValueError("either all areas have bounds or none")
    if menu.show is not None:
        _check_showing(menu.show)
    return menu


def _check_showing(show: Showing) -> None:
    utc = ZoneInfo("UTC")
    starts, ends = moment(show.starts, utc, is_end=False), moment(show.until, utc, is_end=True)
    if starts is not None and ends is not None and starts >= ends:
        raise ValueError("show: `until` is before `from`")
    if show.segment is not None and show.to == "unlinked":
        raise ValueError("show: a segment is of linked members; leave `to` out, or `segment`")
