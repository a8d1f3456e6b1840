"""``flask line richmenu …``: rich menus that are data: bring them to LINE, compare, go back."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from ..errors import LineConnectError
from ..rich_menus import releases
from ..rich_menus.choosing import Published
from ..rich_menus.choosing import menus_of
from ..setting_up.menus import bring_menus
from ..setting_up.menus import show_all
from ..setting_up.tables import check_tables
from ..state import LineState
from ..state import current_line
from .files import FilePath
from .tables import as_json
from .tables import show

richmenu = AppGroup("richmenu", help="Rich menus that are data: bring them to LINE, and back.")


@richmenu.command("sync")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would be done.")
@click.option("--remove-all", is_flag=True, help="Where no menus are left: take all away.")
def sync_menus(is_dry: bool, remove_all: bool) -> None:
    """Bring the rich menus at LINE to what the shop's files say.

    Only what differs is made; may be repeated, also after it was interrupted.
    """
    line = current_line
    try:
        check_tables(line)
        work = releases.plan(line)
        if not work.composed and not (remove_all and work.before):
            raise click.ClickException(
                f"there are no rich menus in {releases.folder_of(line)}; write a file such as "
                "members.toml, or take away those at LINE with --remove-all"
            )
        steps = list(work.steps())
        for step in steps if is_dry else bring_menus(line, work):
            click.echo(f"would {step}" if is_dry else step)
    except LineConnectError as error:
        raise click.ClickException(_said(error)) from None
    if not steps:
        click.echo("LINE has the rich menus as they are here.")


@richmenu.command("diff")
def diff_menus() -> None:
    """Compare the shop's files with what was brought to LINE. Ends with 1 if they differ."""
    line = current_line
    try:
        composed = releases.declared(line)
    except LineConnectError as error:
        raise click.ClickException(_said(error)) from None
    before = {menu.name: menu for menu in _released(line)}
    differs = False
    for one in composed:
        old = before.pop(one.menu.name, None)
        now = _text(one.definition, one.digest, releases.shown(one.menu, line.config.zone))
        then = [] if old is None else _text(old.definition, old.digest, old.show)
        differs |= _print_diff(one.menu.name, then, now)
    for name, old in before.items():
        differs |= _print_diff(name, _text(old.definition, old.digest, old.show), [])
    if differs:
        raise SystemExit(1)
    click.echo("The files are as they were brought to LINE.")


@richmenu.command("list")
@as_json
def list_menus(is_json: bool) -> None:
    """List the rich menus that people see: to whom each is shown, and when."""
    rows = [
        {
            "name": menu.name,
            "to": "whoever opens it" if menu.show is None else menu.show.to,
            "segment": menu.show and menu.show.segment,
            "language": menu.show and menu.show.language,
            "from": menu.show and menu.show.starts,
            "until": menu.show and menu.show.until,
            "priority": menu.show and menu.show.priority,
            "id at LINE": menu.menu_id,
        }
        for menu in _released(current_line)
    ]
    show(rows, is_json=is_json, empty="No rich menus have been brought to LINE.")


@richmenu.command("rollback")
def roll_back() -> None:
    """Show people the rich menus from before the last sync again; the files stay as they are."""
    line = current_line
    try:
        check_tables(line)
        releases.rollback(line)
        click.echo(show_all(line))
    except LineConnectError as error:
        raise click.ClickException(_said(error)) from None
    names = ", ".join(menu.name for menu in _released(line)) or "none"
    click.echo(f"People see the rich menus from before: {names}.")


@richmenu.command("draw")
@click.argument("name")
@click.argument("file", type=FilePath(dir_okay=False, writable=True, path_type=Path))
def draw_menu(name: str, file: Path) -> None:
    """Write the picture of a rich menu to a file, to look at it before anybody else does."""
    try:
        found = {one.menu.name: one for one in releases.declared(current_line)}
        if name not in found:
            known = ", ".join(found) or "none"
            raise click.ClickException(f"there is no rich menu {name!r}; there are: {known}")
        image, _kind = found[name].image()
    except LineConnectError as error:
        raise click.ClickException(_said(error)) from None
    try:
        file.write_bytes(image)
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}") from None
    click.echo(f"{file}: {len(image):,} bytes")


def _released(line: LineState) -> list[Published]:
    found = releases.latest(line.session)
    return menus_of(found[0]) if found else []


def _text(definition: dict[str, Any], digest: str, shown: Any) -> list[str]:
    whole = {
        **definition,
        "picture and all": digest,
        "show": shown and {name: getattr(shown, name) for name in shown.__struct_fields__},
    }
    return json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True, default=str).splitlines()


def _print_diff(name: str, before: list[str], now: list[str]) -> bool:
    lines = list(_lines(name, before, now))
    for text in lines:
        click.echo(text)
    return bool(lines)


def _lines(name: str, before: list[str], now: list[str]) -> Iterator[str]:
    yield from difflib.unified_diff(before, now, f"LINE/{name}", f"files/{name}", lineterm="")


def _said(error: LineConnectError) -> str:
    status = getattr(error, "status", None)
    if status == 429:
        return f"{error}: LINE makes and deletes 100 rich menus an hour; run it again later"
    return str(error)
