"""Friends in numbers, audiences of them, and narrowcasts to them."""

from __future__ import annotations

from typing import Any

from flask_lineconnect.emulator.world import User

from .conftest import Line

TEXT = {"messages": [{"type": "text", "text": "や"}]}
GROUP = "/v2/bot/audienceGroup"


def crowd(line: Line, count: int, **fields: Any) -> list[str]:
    """Add friends; return their ids."""
    now = line.platform.clock.now()
    users = [
        User(display_name=f"{n}", relation="friend", befriended_at=now, **fields)
        for n in range(count)
    ]
    with line.platform.change() as world:
        world.users |= {user.user_id: user for user in users}
    return [user.user_id for user in users]


def make_audience(line: Line, *user_ids: str, is_ready: bool = True) -> int:
    members = [{"id": user_id} for user_id in user_ids]
    body = {"description": "会員", "audiences": members}
    answer = line.call("POST", f"{GROUP}/upload", json=body)
    assert answer.status_code == 202, answer.text
    if is_ready:
        line.platform.clock.advance(2)
    return int(answer.json()["audienceGroupId"])
