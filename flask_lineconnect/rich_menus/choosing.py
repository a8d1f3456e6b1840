"""Which of the published rich menus a person sees now: by link, segment, language and date.

Next: ``showing.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from typing import cast

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import true
from sqlalchemy.orm import Session

from ..error_words import for_log
from ..errors import LineConnectError
from ..log_fields import log_fields
from ..models import Account
from ..models import RichMenuRelease
from ..models.rich_menu import IS_CURRENT

logger = logging.getLogger(__name__)

#: Returns the keys of the members of a segment, by its name.
MembersIn = Callable[[str], Select[Any]]


class Shown(Struct, frozen=True):
    """Who sees a published menu, and when; see :class:`.reading.Showing`."""

    to: str
    segment: str | None
    language: str | None
    starts: datetime | None
    until: datetime | None
    priority: int

    def is_active(self, now: datetime) -> bool:
        """Tell whether it is its time."""
        is_begun = self.starts is None or self.starts <= now
        return is_begun and (self.until is None or now < self.until)

    @property
    def narrowness(self) -> int:
        """How few people it means: of equal priorities the narrowest menu is shown."""
        return 4 * bool(self.segment) + 2 * bool(self.language) + (self.to != "everybody")


class Published(Struct, frozen=True):
    """A menu at LINE.

    :ivar show: ``None``: it is seen by a tap alone.
    :ivar is_opened: another menu leads to it, so it has an alias.
    """

    name: str
    menu_id: str
    digest: str
    definition: dict[str, Any]
    show: Shown | None
    is_opened: bool


def current_release(session: Session) -> RichMenuRelease | None:
    """Return the release that people see; ``None``: the shop has no menus that are data."""
    return session.scalars(select(RichMenuRelease).where(text(IS_CURRENT))).one_or_none()


def menus_of(release: RichMenuRelease) -> list[Published]:
    """Return the menus of a release."""
    return msgspec.json.decode(release.menus, type=list[Published])


def written(menus: Sequence[Published]) -> str:
    """Return menus as a release keeps them."""
    return msgspec.json.encode(menus).decode()


def everybodys(menus: Sequence[Published], now: datetime) -> str | None:
    """Return the menu of people of whom nothing is known, and of all without their own."""
    for menu, show in _active(menus, now):
        if show.segment is None and show.language is None and show.to != "linked":
            return menu.menu_id
    return None


def wanted(
    menus: Sequence[Published], now: datetime, members_in: MembersIn
) -> ColumnElement[str | None]:
    """Return the menu that an account must have for itself; NULL: everybody's is right."""
    default = everybodys(menus, now)
    branches = [
        (condition, null() if menu.menu_id == default else literal(menu.menu_id))
        for menu, show in _active(menus, now)
        if (condition := _condition(menu, show, members_in)) is not None
    ]
    branches.append((true(), null()))
    return cast(ColumnElement[str | None], case(*branches))


def next_change(menus: Sequence[Published], now: datetime) -> datetime | None:
    """Return when another menu's time begins or ends next."""
    times = [at for menu in menus if menu.show for at in (menu.show.starts, menu.show.until)]
    return min((at for at in times if at is not None and at > now), default=None)


def has_segments(menus: Sequence[Published], now: datetime) -> bool:
    """Tell whether a menu is shown to a segment, whose members come and go."""
    return any(show.segment for _menu, show in _active(menus, now))


def _active(menus: Sequence[Published], now: datetime) -> Iterator[tuple[Published, Shown]]:
    """Return the menus whose time it is, the one to prefer first."""
    shown = [(menu, menu.show) for menu in menus if menu.show and menu.show.is_active(now)]
    shown.sort(key=lambda one: (-one[1].priority, -one[1].narrowness, one[0].name))
    yield from shown


def _condition(menu: Published, show: Shown, members_in: MembersIn) -> ColumnElement[bool] | None:
    parts: list[ColumnElement[bool]] = []
    if show.to == "linked" or show.segment is not None:
        parts.append(Account.member_id.is_not(None))
    if show.to == "unlinked":
        parts.append(Account.member_id.is_(None))
    if show.language is not None:
        parts.append(Account.language == show.language)
    if show.segment is not None:
        try:
            parts.append(Account.member_id.in_(members_in(show.segment)))
        except LineConnectError as error:
            logger.warning(
                "the rich menu %s is shown to nobody, its segment can't be asked: %s",
                menu.name,
                for_log(error),
                extra=log_fields("menu_segment", menu=menu.name),
            )
            return None
    return and_(*parts) if parts else true()
