"""What a phone shows: its user, the account, the chat and the rich menu."""

from __future__ import annotations

from typing import Any

from ..clock import Clock
from ..messaging import chats
from ..platform import Platform
from ..rich_menus.menus import shown_to
from ..world import RichMenu
from ..world import User


def phone_state(line: Platform, user: User) -> dict[str, Any]:
    """Return all that the phone page shows, as its script reads it."""
    with line.lock:
        account = line.world.messaging_channel
        return {
            "user": {
                "user_id": user.user_id,
                "display_name": user.display_name,
                "picture_url": user.picture_url,
            },
            "account": {
                "basic_id": account.basic_id,
                "display_name": account.display_name,
                "picture_url": account.picture_url,
                "relation": user.relation,
                "unread": user.unread,
                "is_answering": user.loading_until is not None
                and user.loading_until > line.clock.now(),
            },
            "app": {"name": line.world.login_channel.name} if user.granted else None,
            "liff_views": {one.liff_id: one.view_type for one in line.world.liff_apps.values()},
            "clock": _clock_json(line.clock),
            "messages": _messages(line, user),
            "rich_menu": _menu_json(user, shown_menu(line, user)),
        }


def _clock_json(clock: Clock) -> dict[str, Any]:
    """Return by what a page knows LINE's time; the same for as long as nobody moves it."""
    stopped_at = clock.stopped_at
    return {
        "ahead_seconds": clock.ahead.total_seconds(),
        "stopped_at": None if stopped_at is None else stopped_at.isoformat(),
    }


def _messages(line: Platform, user: User) -> list[dict[str, Any]]:
    """Return the chat; what a user sent beside text comes with its address on this phone."""
    return [
        entry | {"content_url": f"/phone/{user.user_id}/content/{entry['id']}"}
        if entry["id"] in line.world.contents
        else entry
        for entry in chats.chat_json(user.user_id)
    ]


def shown_menu(line: Platform, user: User) -> RichMenu | None:
    """Return the rich menu in a user's chat; only friends see one, and none without image."""
    with line.lock:
        menu = shown_to(line.world, user.user_id) if user.relation == "friend" else None
        return menu if menu is not None and menu.image_base64 is not None else None


def _menu_json(user: User, menu: RichMenu | None) -> dict[str, Any] | None:
    if menu is None:
        return None
    size = menu.definition["size"]
    return {
        "id": menu.rich_menu_id,
        "chat_bar_text": menu.definition["chatBarText"],
        "selected": menu.definition["selected"],
        "size": {"w": size["width"], "h": size["height"]},
        "image_url": f"/phone/{user.user_id}/rich-menu/{menu.rich_menu_id}",
        "areas": menu.definition["areas"],
    }
