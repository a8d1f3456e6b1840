"""A rich menu is made: of a picture, or drawn, its areas as a table; each save is a version."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import abort
from flask import request
from werkzeug.wrappers import Response

from ..errors import ConfigError
from ..errors import Refused
from ..errors import UsageError
from ..marketing.segments import audience
from ..models import SavedMenu
from ..rich_menus import releases
from ..rich_menus import saved
from ..rich_menus.composing import compose
from ..rich_menus.limits import MAX_IMAGE
from ..rich_menus.reading import Source
from ..rich_menus.reading import checked_menu
from ..state import LineState
from ..state import current_line
from . import menu_form
from . import menu_list
from .audit import note
from .i18n import gettext as _
from .menu_form import MenuForm
from .pages import go
from .pages import render
from .pages import say


def new_menu() -> Response | str:
    """Make a menu."""
    line = current_line
    if line.rich_menu is not None:
        abort(404)
    if request.method == "POST":
        return _posted(line, None)
    return _page(line, MenuForm(), None, version=0)


def edit_menu(name: str) -> Response | str:
    """Change a menu that was made here."""
    line = current_line
    row = _find(line, name)
    assert row.definition is not None
    if request.method == "POST":
        return _posted(line, row)
    return _page(line, menu_form.from_definition(row.definition), row, version=row.version)


def remove_menu(name: str) -> Response:
    """Take a menu away; people see it until the next publishing.

    :raises Refused: somebody else saved it meanwhile.
    """
    line = current_line
    row = _find(line, name)
    after = request.form.get("version", 0, type=int)
    if not saved.save_version(line.session, name, None, None, after=after, now=line.clock()):
        raise Refused(_("ほかの方が先に保存しました。"), step="saved-meanwhile")
    note("menu-removed", subject=f"menu:{row.name}")
    line.session.commit()
    say(_("メニューを消しました。公開中のものは、次に公開するまで出ています。"))
    return go("menus")


def _find(line: LineState, name: str) -> SavedMenu:
    found = {one.name: one for one in saved.saved_menus(line.session)}
    return found.get(name) or abort(404)


def _posted(line: LineState, row: SavedMenu | None) -> Response | str:
    form = menu_form.from_form(request.form)
    image, version = _image(row), request.form.get("version", 0, type=int)
    problems = menu_form.problems_of(form, image, segments=_segments(line), menus=_menus(line, row))
    name = row.name if row else f"menu-{secrets.token_hex(4)}"
    definition = {} if problems else menu_form.to_definition(form)
    if not problems and (said := _unfit(line, name, definition, image)):
        problems["form"] = said
    if not problems:
        if saved.save_version(
            line.session, name, definition, image, after=version, now=line.clock()
        ):
            note("menu-saved", subject=f"menu:{name}")
            line.session.commit()
            say(_("保存しました。公開すると、みなさんに出ます。"))
            return go("menu", name=name)
        problems["form"] = _(
            "ほかの方が先に保存しました。別の窓で見比べてから、もう一度開いて直してください。"
        )
    line.session.rollback()
    return _page(line, form, row and _find(line, row.name), version=version, problems=problems)


def _image(row: SavedMenu | None) -> bytes | None:
    """Return the picture that is meant: one that was chosen now, none, or the one from before."""
    given = request.files.get("image")
    # One byte more than may be is enough to refuse it.
    chosen = given.read(MAX_IMAGE + 1) if given is not None and given.filename else b""
    if given is not None:
        given.close()
    if chosen:
        return chosen
    if row is None or request.form.get("drawn"):
        return None
    return row.image


def _unfit(
    line: LineState, name: str, definition: Mapping[str, object], image: bytes | None
) -> str:
    """Say why LINE would not take the menu, or it can't be drawn; empty: it is right."""
    try:
        menu = checked_menu({**definition, "name": name})
        (made,) = compose(line, [Source(menu, releases.folder_of(line), image)])
    except (UsageError, ValueError):
        return _("このままではLINEが受け取りません。領域の大きさと言葉を確かめてください。")
    try:
        made.image()
    except (ConfigError, UsageError):
        return _("この言葉では絵を描けません。短くするか、絵を選んでください。")
    return ""


def _segments(line: LineState) -> dict[str, str]:
    return {one.name: str(one.label) for one in audience.list_segments(line) if not one.problem}


def _menus(line: LineState, row: SavedMenu | None) -> dict[str, str]:
    found, _problem = menu_list.menus_of_shop(line)
    return {
        one.name: one.title
        for one in found
        if one.state != "gone" and (row is None or one.name != row.name)
    }


def _page(
    line: LineState,
    form: MenuForm,
    row: SavedMenu | None,
    *,
    version: int,
    problems: Mapping[str, str] | None = None,
) -> str:
    return render(
        "menu_make",
        form=form,
        name=row and row.name,
        version=version,
        has_image=row is not None and row.image is not None,
        problems=problems or {},
        segments=_segments(line),
        menus=_menus(line, row),
        ways={
            "card": _("会員証を開く"),
            "orders": _("注文の一覧を開く"),
            "coupons": _("クーポンを開く"),
            "message": _("メッセージを送る"),
            "link": _("リンク"),
            "menu": _("別のメニューに替える"),
        },
    )
