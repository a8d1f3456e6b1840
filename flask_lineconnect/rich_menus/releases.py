"""Brings the rich menus at LINE to what the shop's files say, and back to what they were before.

Only what differs is made. Whatever is interrupted may be repeated: a menu that was made and not
written down is found again by its name, so there is never a second one. Next: ``showing.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import ConfigError
from ..errors import UsageError
from ..hooks.menus import DeclaredMenus
from ..line_api.client import LineApi
from ..line_api.rich_menus import RichMenuApi
from ..models import RichMenuRelease
from ..state import LineState
from .choosing import Published
from .choosing import Shown
from .choosing import current_release
from .choosing import menus_of
from .choosing import written
from .composing import Composed
from .composing import compose
from .composing import mark_in
from .limits import MAX_MENUS
from .reading import Menu
from .reading import moment
from .reading import read_menus
from .saved import saved_menus

#: How many releases are remembered; the menus of the latest two stay at LINE.
KEPT = 10

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is at LINE already, and what a sync would do.

    :ivar found: the id at LINE of each menu that is there, by the digest of its content.
    :ivar half_made: those digests of it whose image is missing.
    :ivar before: the menus of the current release.
    """

    composed: Sequence[Composed]
    found: Mapping[str, str]
    half_made: frozenset[str]
    aliases: Mapping[str, str]
    before: Sequence[Published]
    zone: ZoneInfo

    def steps(self) -> Iterator[str]:
        """Say what would be done; nothing: LINE has what the files say."""
        old = {menu.name: menu for menu in self.before}
        for one in self.composed:
            yield from self._steps_of(one, old.get(one.menu.name))
        names = {one.menu.name for one in self.composed}
        yield from (f"remove {name}" for name in old if name not in names)

    def _steps_of(self, one: Composed, old: Published | None) -> Iterator[str]:
        name, menu_id = one.menu.name, self.found.get(one.digest)
        if menu_id is None:
            yield f"make {name}" if old is None else f"make {name}, which has changed"
        elif one.digest in self.half_made:
            yield f"give {name} its image"
        elif old is None or old.menu_id != menu_id:
            yield f"use {name}, which LINE has already"
        if old is not None and old.show != shown(one.menu, self.zone):
            yield f"show {name} to others, or at other times"
        is_opened = name in opened_of(self.composed)
        if is_opened and (menu_id is None or self.aliases.get(name) != menu_id):
            yield f"let tabs and areas open {name}"


def folder_of(line: LineState) -> Path:
    """Return the folder of the shop's menus."""
    return Path(line.app.root_path) / line.config.rich_menus


def declared(line: LineState) -> list[Composed]:
    """Return the shop's menus that are data, made and checked; LINE is not asked.

    :raises ConfigError: the shop has a menu of the other kind, too.
    :raises UsageError: names all that is wrong.
    """
    menus = read_menus(folder_of(line), line.part(DeclaredMenus), saved_menus(line.session))
    if menus and line.rich_menu is not None:
        raise ConfigError(
            f"the app has `rich_menu=` and rich menus in {line.config.rich_menus}, and everybody "
            "can see only one: write it as data too, or take the folder away"
        )
    if len(menus) > MAX_MENUS // 3:
        raise UsageError(f"there are {len(menus)} rich menus; LINE keeps {MAX_MENUS} of all kinds")
    return compose(line, menus)


def plan(line: LineState) -> Plan:
    """Find out what is at LINE already; nothing is changed.

    :raises LineApiError: LINE did not say.
    :raises LineConnectError: a menu is wrong.
    """
    api, composed = RichMenuApi(line.part(LineApi)), declared(line)
    releases = latest(line.session)
    finished = {menu.menu_id for release in releases for menu in menus_of(release)}
    before = menus_of(releases[0]) if releases else []
    # Nothing is held open while LINE is waited for.
    line.session.rollback()
    there: dict[str, list[str]] = {}
    for menu_id, name in sorted(api.names().items()):
        if (mark := mark_in(name)) is not None:
            there.setdefault(mark[1], []).append(menu_id)
    found, half_made = {}, set()
    for one in composed:
        # Of two, which only two programs at once could have made, the one that is finished.
        ids = sorted(there.get(one.digest, []), key=lambda menu_id: menu_id not in finished)
        if ids:
            found[one.digest] = ids[0]
            if ids[0] not in finished and not api.has_image(ids[0]):
                half_made.add(one.digest)
    zone = line.config.zone
    return Plan(composed, found, frozenset(half_made), api.aliases(), before, zone)


def sync(line: LineState, work: Plan) -> None:
    """Make what is planned the current release; commits.

    :raises LineApiError: LINE refused, or did not answer; what was done is found the next time.
    """
    api = RichMenuApi(line.part(LineApi))
    # Drawn before anything is made, so that what can't be drawn makes nothing.
    needed = [one for one in work.composed if _lacks(work, one)]
    images = {one.digest: one.image() for one in needed}
    opened, menus = opened_of(work.composed), []
    for one in work.composed:
        menu_id = work.found.get(one.digest) or api.create(one.whole)
        if one.digest in images:
            api.upload(menu_id, *images[one.digest])
        menus.append(
            Published(
                name=one.menu.name,
                menu_id=menu_id,
                digest=one.digest,
                definition=one.definition,
                show=shown(one.menu, work.zone),
                is_opened=one.menu.name in opened,
            )
        )
    _set_aliases(api, menus)
    _release(line.session, menus, now=line.clock())


def rollback(line: LineState, note: Callable[[], object] | None = None) -> None:
    """Make the release before the current one current again, with its aliases; commits.

    The release that is left is forgotten; a sync of the files that made it makes it again.

    :param note: writes down who did it, in the transaction of the change.
    :raises UsageError: there is none before, or LINE has lost its menus.
    :raises LineApiError: LINE refused, or did not answer.
    """
    session, api = line.session, RichMenuApi(line.part(LineApi))
    releases = latest(session)
    if len(releases) < 2:
        raise UsageError("there are no rich menus from before to go back to")
    current, before = releases
    menus, ids = menus_of(before), (current.id, before.id)
    default_menu_id = current.default_menu_id
    session.rollback()
    gone = {menu.menu_id for menu in menus} - set(api.names())
    if gone:
        raise UsageError(
            f"LINE no longer has {len(gone)} of the menus from before; put the files back as they "
            "were, and run `flask line richmenu sync`"
        )
    _set_aliases(api, menus)
    session.execute(delete(RichMenuRelease).where(RichMenuRelease.id == ids[0]))
    again = {"is_current": True, "default_menu_id": default_menu_id, "cursor": 0}
    session.execute(
        update(RichMenuRelease)
        .where(RichMenuRelease.id == ids[1])
        .values(**again, next_portion_at=line.clock())
    )
    if note is not None:
        note()
    session.commit()


def retire(line: LineState) -> int:
    """Delete the menus and aliases of ours that the latest two releases do not have.

    Called when everybody sees the current ones; return how many menus.

    :raises LineApiError: LINE refused, or did not answer; the rest is deleted the next time.
    """
    api = RichMenuApi(line.part(LineApi))
    menus = [menu for release in latest(line.session) for menu in menus_of(release)]
    line.session.rollback()
    ours = {menu_id for menu_id, name in api.names().items() if mark_in(name) is not None}
    opened = {menu.name for menu in menus if menu.is_opened}
    for alias, menu_id in api.aliases().items():
        if menu_id in ours and alias not in opened:
            api.delete_alias(alias)
    old = sorted(ours - {menu.menu_id for menu in menus})
    for menu_id in old:
        api.delete(menu_id)
    return len(old)


def latest(session: Session) -> list[RichMenuRelease]:
    """Return the current release and the one before it."""
    current = current_release(session)
    if current is None:
        return []
    older = select(RichMenuRelease).where(RichMenuRelease.id < current.id)
    return [current, *session.scalars(older.order_by(RichMenuRelease.id.desc()).limit(1))]


def opened_of(composed: Sequence[Composed]) -> set[str]:
    """Return the names of the menus to which others lead, or tabs back."""
    menus = [one.menu for one in composed]
    return {name for menu in menus for name in (*menu.opens, *(tab.menu for tab in menu.tabs))}


def shown(menu: Menu, zone: ZoneInfo) -> Shown | None:
    """Return who sees a menu, and from which instant to which."""
    show = menu.show
    return (
        None
        if show is None
        else Shown(
            to=show.to,
            segment=show.segment,
            language=show.language,
            starts=moment(show.starts, zone, is_end=False),
            until=moment(show.until, zone, is_end=True),
            priority=show.priority,
        )
    )


def _lacks(work: Plan, one: Composed) -> bool:
    return one.digest not in work.found or one.digest in work.half_made


def _set_aliases(api: RichMenuApi, menus: Sequence[Published]) -> None:
    there = api.aliases()
    for menu in menus:
        if not menu.is_opened or there.get(menu.name) == menu.menu_id:
            continue
        if menu.name in there:
            api.move_alias(menu.name, menu.menu_id)
        else:
            api.create_alias(menu.name, menu.menu_id)


def _release(session: Session, menus: Sequence[Published], *, now: datetime) -> None:
    """Write down what people see from now on; the same again makes no second release."""
    current, text = current_release(session), written(menus)
    if current is not None and current.menus == text:
        current.cursor, current.next_portion_at = 0, now
        session.commit()
        return
    default_menu_id = None
    if current is not None:
        default_menu_id, current.is_current = current.default_menu_id, False
        session.flush()
    made = RichMenuRelease(
        released_at=now,
        is_current=True,
        menus=text,
        default_menu_id=default_menu_id,
        next_portion_at=now,
    )
    session.add(made)
    session.flush()
    kept = select(RichMenuRelease.id).order_by(RichMenuRelease.id.desc()).limit(KEPT)
    old = RichMenuRelease.id.not_in(session.scalars(kept).all())
    session.execute(delete(RichMenuRelease).where(old))
    session.commit()
