"""The rich menu: defined by a template and an image, published once per content."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import UsageError
from ..line_api.client import LineApi
from ..messages.render import render_json
from ..models import PublishedRichMenu
from ..shop.adapter import RichMenu

#: By the first bytes of the file. Source: Messaging API reference, "Upload rich menu image".
_CONTENT_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg"}
#: LINE's limit for the image, in bytes.
MAX_IMAGE = 1_000_000


def publish(
    session: Session, api: LineApi, menu: RichMenu, *, root_path: str, now: datetime
) -> tuple[str, bool]:
    """Make ``menu`` everybody's rich menu; the same content is not created twice.

    :return: its id at LINE, and whether it was created now.
    :raises UsageError: the image is missing, too large, or neither PNG nor JPEG.
    :raises LineApiError: LINE refused.
    """
    definition = render_json(menu.template)
    image, content_type = _image(Path(root_path) / menu.image)
    canonical = json.dumps(definition, sort_keys=True, ensure_ascii=False).encode()
    content_hash = hashlib.sha256(canonical + b"\0" + image).hexdigest()
    existing = api.rich_menu_ids()
    known = session.get(PublishedRichMenu, content_hash)
    is_new = known is None or known.rich_menu_id not in existing
    if known is None or is_new:
        menu_id = api.create_rich_menu(definition, image, content_type)
        known = session.merge(
            PublishedRichMenu(content_hash=content_hash, rich_menu_id=menu_id, published_at=now)
        )
    api.set_default_rich_menu(known.rich_menu_id)
    _retire_others(session, api, content_hash, existing)
    session.commit()
    return known.rich_menu_id, is_new


def _retire_others(session: Session, api: LineApi, content_hash: str, existing: set[str]) -> None:
    """Delete the menus that were published before; LINE keeps 1,000 at the most."""
    is_other = PublishedRichMenu.content_hash != content_hash
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
