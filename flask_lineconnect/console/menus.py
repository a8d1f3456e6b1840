"""Rich menus: what people see below the chat, what the shop has changed since, each with areas."""

from __future__ import annotations

from flask import Response
from flask import abort

from ..errors import LineConnectError
from ..rich_menus import releases
from ..rich_menus.saved import saved_menus
from ..state import current_line
from . import menu_list
from .i18n import gettext as _
from .menu_list import Menu
from .pages import render

BADGES = {"live": "good", "changed": "warn", "new": "info", "gone": "warn"}


def menus() -> str:
    """List menus, what a publishing would change, and the way back."""
    line = current_line
    found, problem = menu_list.menus_of_shop(line)
    kept = releases.latest(line.session)
    return render(
        "menus",
        menus=found,
        problem=problem,
        changes=[one for one in found if one.state != "live"],
        released_at=kept[0].released_at if kept else None,
        before=kept[1].released_at if len(kept) > 1 else None,
        is_template=line.rich_menu is not None,
        states=_states(),
        badges=BADGES,
    )


def menu(name: str) -> str:
    """Show one menu: its picture with the areas, what each does, and taps."""
    found = _find(name)
    areas = menu_list.areas_of(current_line, found)
    return render(
        "menu",
        menu=found,
        saved=_version(name),
        areas=areas,
        size=found.definition["size"],
        is_counted=found.source is not None,
        days=menu_list.DAYS,
        states=_states(),
        badges=BADGES,
    )


def menu_image(name: str) -> Response:
    """Return the picture of a menu; the address changes with it."""
    found = _find(name)
    if found.image is None:
        abort(404)
    try:
        image, kind = found.image()
    except LineConnectError:
        abort(404)
    answer = Response(image, mimetype=kind)
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


def _version(name: str) -> int | None:
    """Return the newest version of a menu that was made here; ``None`` for the shop's own."""
    versions = {one.name: one.version for one in saved_menus(current_line.session)}
    return versions.get(name)


def _find(name: str) -> Menu:
    found, _problem = menu_list.menus_of_shop(current_line)
    for one in found:
        if one.name == name:
            return one
    abort(404)


def _states() -> dict[str, str]:
    return {
        "live": _("公開中"),
        "changed": _("変更あり"),
        "new": _("未公開"),
        "gone": _("なくなります"),
    }
