"""Adding, blocking and unblocking the official account."""

from __future__ import annotations

from ..platform import Platform
from ..webhooks.events import emit
from .chats import say_of_line

#: What LINE's own greeting says in a new account.
GREETING = "友だち追加ありがとうございます。"


def add_friend(platform: Platform, user_id: str) -> None:
    """Make a user a friend of the official account, also one who had blocked it."""
    with platform.change() as world:
        user = world.users[user_id]
        if user.relation == "friend":
            return
        was_blocked = user.relation == "blocked"
        user.relation, user.befriended_at = "friend", platform.clock.now()
        emit(
            platform,
            {"type": "follow", "user_id": user_id, "follow": {"isUnblocked": was_blocked}},
        )
        if world.messaging_channel.has_greeting:
            say_of_line(platform, user_id, GREETING)


def block(platform: Platform, user_id: str) -> None:
    """Let a user block the official account."""
    with platform.change() as world:
        user = world.users[user_id]
        if user.relation != "blocked":
            user.relation = "blocked"
            emit(platform, {"type": "unfollow", "user_id": user_id})


def unblock(platform: Platform, user_id: str) -> None:
    """Let a user unblock the official account."""
    with platform.change() as world:
        if world.users[user_id].relation == "blocked":
            add_friend(platform, user_id)
