"""gunicorn's gevent workers: our event loop is none of the shop's async pages' business."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from flask_lineconnect.testing.emulator import COMES_AGAIN
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.testing.plugin import free_port
from tests.small_shop import SETTINGS

pytest.importorskip("gevent")
ROOT = Path(__file__).parents[2]
#: Seconds.
PATIENCE = 60.0


@pytest.fixture
def shop(line_emulator: Emulator, tmp_path: Path) -> Iterator[str]:
    """Serve the shop with one gevent worker; return its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    line_emulator.set_up(base_url=url, messaging_channel=COMES_AGAIN)
    settings = {
        **SETTINGS,
        **line_emulator.settings(url),
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'shop.db'}",
        "LINECONNECT_ENGINE": "thread",
    }
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", "1"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-b", f"127.0.0.1:{port}", "tests.engines.gevent_shop:app"],
            cwd=ROOT,
            env={**os.environ, "SHOP_SETTINGS": json.dumps(settings)},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(30)
        sys.stderr.write((tmp_path / "log").read_text("utf-8"))


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=60)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the shop did not start")


def _answers(emulator: Emulator, user_id: str) -> list[str]:
    return [one["message"]["text"] for one in emulator.chat(user_id) if one["from"] == "bot"]


def test_async_pages_are_served_while_a_push_and_an_async_hook_wait(
    shop: str, line_emulator: Emulator
) -> None:
    people = [line_emulator.add_user(f"人{number}") for number in range(2)]
    for user_id in people:
        line_emulator.add_friend(user_id)
    line_emulator.fault(path="/v2/bot/message/push", delay_seconds=3.0)
    line_emulator.fault(path="/v2/bot/message/reply", delay_seconds=1.0, times=2)
    assert requests.get(f"{shop}/send/{people[0]}", timeout=60).text == "sent"
    line_emulator.write(people[0], "hello")
    line_emulator.write(people[1], "async")
    wanted = {people[0]: {"ご注文を発送しました", "hello"}, people[1]: {"awaited"}}
    deadline = time.monotonic() + PATIENCE
    statuses = []
    while any(wanted[one] - set(_answers(line_emulator, one)) for one in people):
        assert time.monotonic() < deadline, [_answers(line_emulator, one) for one in people]
        statuses.append(requests.get(f"{shop}/async", timeout=60).status_code)
    assert set(statuses) == {200}
    assert len(statuses) > 10
