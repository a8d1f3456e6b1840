"""The rich menus that the shop declares beside those that people see, for the console's pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import get_babel
from sqlalchemy import func
from sqlalchemy import select

from ..errors import LineConnectError
from ..i18n import speaking
from ..marketing.segments import audience
from ..models import Click
from ..models import PublishedRichMenu
from ..models import TrackedLink
from ..rich_menus import publish
from ..rich_menus import releases
from ..rich_menus.choosing import Published
from ..rich_menus.choosing import Shown
from ..rich_menus.choosing import current_release
from ..rich_menus.choosing import menus_of
from ..rich_menus.composing import Composed
from ..state import LineState
from . import menu_words

#: Days of which taps are counted.
DAYS = 30
#: The name of the one menu from a template, before that of its language.
TEMPLATE = "template"

Image = Callable[[], tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class Menu:
    """One rich menu.

    :ivar state: ``live``; ``changed``: people see another version of it; ``new``: nobody sees it
        yet; ``gone``: people see it, and the shop has taken it away.
    :ivar definition: LINE's object.
    :ivar image: returns the picture and its content type; ``None`` for what is gone.
    :ivar digest: of picture and all.
    :ivar source: by which its tracked links are found; ``None``: taps are not counted.
    """

    name: str
    title: str
    state: str
    definition: Mapping[str, Any]
    who: str
    when: str
    image: Image | None
    digest: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """One area of a menu.

    :ivar taps: of the last days; ``None``: not counted.
    """

    number: int
    label: str
    bounds: Mapping[str, int]
    does: str
    taps: int | None


def menus_of_shop(line: LineState) -> tuple[list[Menu], str | None]:
    """Return the menus, and what is wrong with those that the shop declares, if anything is."""
    current = current_release(line.session)
    seen = {} if current is None else {one.name: one for one in menus_of(current)}
    labels = audience.segment_labels(line)
    problem, found = None, []
    try:
        for one in releases.declared(line):
            found.append(_declared(line, one, seen.pop(one.menu.name, None), labels))
        found += _of_template(line)
    except LineConnectError as error:
        problem = str(error)
    return found + [_gone(one, labels, is_known=problem is None) for one in seen.values()], problem


def areas_of(line: LineState, menu: Menu) -> list[Area]:
    """Return the areas of a menu with their taps."""
    taps = None if menu.source is None else _taps(line, menu.source)
    return [
        Area(
            number,
            area["action"].get("label") or "",
            area["bounds"],
            menu_words.does(line, area["action"]),
            None if taps is None or "uri" not in area["action"] else taps[area["action"]["uri"]],
        )
        for number, area in enumerate(menu.definition["areas"], start=1)
    ]


def _declared(
    line: LineState, one: Composed, old: Published | None, labels: Mapping[str, str]
) -> Menu:
    show = releases.shown(one.menu, line.config.zone)
    is_same = old is not None and (old.digest, old.show) == (one.digest, show)
    return Menu(
        name=one.menu.name,
        title=one.menu.chat_bar_text,
        state="live" if is_same else "new" if old is None else "changed",
        definition=one.definition,
        who=menu_words.seen_by(show, labels),
        when=menu_words.seen_when(show),
        image=one.image,
        digest=one.digest,
    )


def _gone(one: Published, labels: Mapping[str, str], *, is_known: bool) -> Menu:
    """Return a menu that people see; where files can't be read it is not said to be taken away."""
    return Menu(
        name=one.name,
        title=one.definition["chatBarText"],
        state="gone" if is_known else "live",
        definition=one.definition,
        who=menu_words.seen_by(one.show, labels),
        when=menu_words.seen_when(one.show),
        image=None,
        digest=one.digest,
    )


def _of_template(line: LineState) -> Sequence[Menu]:
    """Return the menu from a template, in each of its languages."""
    if line.rich_menu is None:
        return []
    published = set(line.session.scalars(select(PublishedRichMenu.content_hash)))
    # As `flask line setup` makes it, whatever language the console speaks.
    with speaking(str(get_babel().instance.default_locale)):
        contents = publish.contents_of(line.rich_menu, line.app.root_path)
    return [_in_language(one, one.hash in published) for one in contents]


def _in_language(one: publish.Content, is_live: bool) -> Menu:
    to = "everybody" if one.language is None else "linked"
    show = Shown(to=to, segment=None, language=one.language, starts=None, until=None, priority=0)
    return Menu(
        name=TEMPLATE if one.language is None else f"{TEMPLATE}-{one.language}",
        title=one.definition["chatBarText"],
        state="live" if is_live else "new",
        definition=one.definition,
        who=menu_words.seen_by(show, {}),
        when=menu_words.seen_when(show),
        image=lambda: (one.image, one.content_type),
        digest=one.hash,
        source=publish.source_of(one.definition) if one.is_tracked else None,
    )


def _taps(line: LineState, source: str) -> Counter[str]:
    """Return how often people tapped each address of a menu."""
    since = line.clock() - timedelta(days=DAYS)
    statement = (
        select(TrackedLink.target, func.count())
        .join(Click, Click.link_id == TrackedLink.id)
        .where(TrackedLink.source == source, Click.kind == "person", Click.clicked_at >= since)
        .group_by(TrackedLink.target)
    )
    return Counter({target: number for target, number in line.session.execute(statement)})
