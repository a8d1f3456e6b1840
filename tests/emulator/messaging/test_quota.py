"""The month's quota."""

from __future__ import annotations

import uuid

import pytest
from linebot.v3.messaging.exceptions import ApiException

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import YOKO
from ..conftest import Line
from .sdk import error_of
from .sdk import multicast
from .sdk import push_request


def test_M11_the_quota_is_all_or_nothing(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    with line.platform.change() as world:
        world.messaging_channel.quota = 2
    line.api.push_message(push_request(SAKURA, "一"))
    key = str(uuid.uuid4())

    with pytest.raises(ApiException) as caught:
        multicast(line, [SAKURA, KENTA], key)

    assert error_of(caught) == (429, {"message": "You have reached your monthly limit."})
    assert line.chat(KENTA) == []
    assert line.used() == 1
    # A refused request does not consume its key.
    multicast(line, [KENTA], key)
    assert line.used() == 2
    line.api.push_message(push_request(YOKO))


def test_M11_a_new_month_begins_in_japan(line: Line) -> None:
    line.befriend(SAKURA)
    clock = line.platform.clock
    clock.freeze(clock.now().replace(month=8, day=31, hour=14, minute=59, second=0))
    with line.platform.change() as world:
        world.messaging_channel.quota = 1
    line.renew_token()
    line.api.push_message(push_request(SAKURA))
    clock.advance(120)

    assert line.used() == 0
    line.api.push_message(push_request(SAKURA))
    assert line.chat(SAKURA) == ["や", "や"]


def test_C5_the_quota_is_told(line: Line) -> None:
    assert (line.api.get_message_quota().type, line.api.get_message_quota().value) == (
        "limited",
        30_000,
    )
    with line.platform.change() as world:
        world.messaging_channel.quota = None
    assert line.call("GET", "/v2/bot/message/quota").json() == {"type": "none"}
