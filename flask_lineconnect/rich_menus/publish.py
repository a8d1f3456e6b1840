"""The rich menu: defined by a template and an image, published once per content and language.

Everybody sees the shop's own; members who chose another language see that one's, if there is one.
Next: ``showing.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import TemplateNotFound
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import UsageError
from ..i18n import speaking
from ..line_api.client import LineApi
from ..marketing.links.stored import MAX_SOURCE
from ..marketing.links.stored import LinkOwner
from ..marketing.links.tracking import track
from ..messages.render import render_json
from ..models import Account
from ..models import PublishedRichMenu
from ..shop.adapter import RichMenu
from ..state import LineState

#: By the first bytes of the file. Source: Messaging API reference, "Upload rich menu image".
_CONTENT_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg"}
#: LINE's limit for the image, in bytes.
MAX_IMAGE = 1_000_000


def publish(line: LineState, api: LineApi, menu: RichMenu, *, now: datetime) -> tuple[str, bool]:
    """Make ``menu`` everybody's rich menu; the same content is not created twice.

    :return: its id at LINE, and whether it was created now.
    :raises UsageError: the image is missing, too large, or neither PNG nor JPEG.
    :raises LineApiError: LINE refused.
    """
    session, contents = line.session, contents_of(menu, line.app.root_path)
    existing = api.rich_menu_ids()
    published = [_publish(line, api, content, existing, now=now) for content in contents]
    everybodys, is_new = published[0]
    api.set_default_rich_menu(everybodys.rich_menu_id)
    _retire_others(session, api, {content.hash for content in contents}, existing)
    # Whoever saw a menu that was deleted sees everybody's until LINE is told of the new one.
    made = [known.language for known, is_new in published[1:] if is_new]
    if made:
        spoken = update(Account).where(Account.language.in_(made), Account.member_id.is_not(None))
        session.execute(spoken.values(menu_due_at=now))
    session.commit()
    return everybodys.rich_menu_id, is_new


def hashes(menu: RichMenu, *, root_path: str) -> list[str]:
    """Return by what its menus are found again, everybody's first, without asking LINE.

    :raises UsageError: the image is missing, too large, or neither PNG nor JPEG.
    """
    return [content.hash for content in contents_of(menu, root_path)]


def source_of(definition: Mapping[str, Any]) -> str:
    """Return what the tracked links of a menu are found by."""
    return f"menu:{definition.get('name', '')}"[:MAX_SOURCE]


def contents_of(menu: RichMenu, root_path: str) -> list[Content]:
    """Return a menu as LINE is given it, everybody's first, then in each language.

    :raises UsageError: the template is missing; or the image is, or is too large, or neither PNG
        nor JPEG.
    """
    return [_content(menu, language, Path(root_path)) for language in (None, *menu.images)]


@dataclass(frozen=True, slots=True)
class Content:
    """A rich menu in one language; ``None`` is everybody's.

    :ivar is_tracked: whether its links lead through the shop.
    """

    language: str | None
    definition: dict[str, Any]
    image: bytes
    content_type: str
    is_tracked: bool = False

    @property
    def hash(self) -> str:
        """What it is found again by."""
        canonical = json.dumps(self.definition, sort_keys=True, ensure_ascii=False).encode()
        spoken = b"" if self.language is None else b"\0" + self.language.encode()
        tracked = b"\0tracked" if self.is_tracked else b""
        return hashlib.sha256(canonical + b"\0" + self.image + spoken + tracked).hexdigest()


def _content(menu: RichMenu, language: str | None, root: Path) -> Content:
    with speaking(language):
        try:
            definition = render_json(menu.template)
        except TemplateNotFound as error:
            raise UsageError(
                f"the rich menu's template {error.name} is in no folder of the app's templates"
            ) from None
    image = menu.image if language is None else menu.images[language]
    return Content(language, definition, *_image(root / image), is_tracked=menu.track)


def _publish(
    line: LineState, api: LineApi, content: Content, existing: set[str], *, now: datetime
) -> tuple[PublishedRichMenu, bool]:
    """Make a menu at LINE unless it is there; return it, and whether it was made now."""
    session, definition = line.session, content.definition
    known = session.get(PublishedRichMenu, content.hash)
    if known is not None and known.rich_menu_id in existing:
        return known, False
    if content.is_tracked:
        owner = LinkOwner(source=source_of(definition))
        (definition,) = track(line, [definition], owner)
        # A menu that people see must not have links that lead nowhere.
        session.commit()
    menu_id = api.create_rich_menu(definition, content.image, content.content_type)
    made = PublishedRichMenu(
        content_hash=content.hash,
        rich_menu_id=menu_id,
        language=content.language,
        published_at=now,
    )
    return session.merge(made), True


def _retire_others(session: Session, api: LineApi, kept: set[str], existing: set[str]) -> None:
    """Delete the menus that were published before; LINE keeps 1,000 at the most."""
    is_other = PublishedRichMenu.content_hash.not_in(kept)
    for other in session.scalars(select(PublishedRichMenu).where(is_other)):
        if other.rich_menu_id in existing:
            api.delete_rich_menu(other.rich_menu_id)
        session.delete(other)


def _image(path: Path) -> tuple[bytes, str]:
    try:
        image = path.read_bytes()
    except OSError:
        raise UsageError(f"the rich menu's image {path.name} can't be read") from None
    content_type = next((t for magic, t in _CONTENT_TYPES.items() if image.startswith(magic)), None)
    if content_type is None or len(image) > MAX_IMAGE:
        raise UsageError(f"the rich menu's image {path.name} must be PNG or JPEG, up to 1 MB")
    return image, content_type
