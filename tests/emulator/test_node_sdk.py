"""LINE's official SDK for Node works with the emulator, told only another base URL."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess

import pytest
from PIL import Image

from flask_lineconnect.emulator.messaging import chats
from tests.npm import FOLDER
from tests.npm import needs

from .conftest import SAKURA
from .conftest import Line
from .conftest import Shop


def test_the_official_sdk_for_node(line: Line, shop: Shop) -> None:
    needs("@line/bot-sdk")
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    line.befriend(SAKURA)
    chats.write_text(line.platform, SAKURA, "やあ 🍎")
    (event,) = shop.events(1)
    headers, body = shop.requests[0]
    picture = io.BytesIO()
    Image.new("RGB", (800, 540)).save(picture, "PNG")
    channel = line.platform.world.messaging_channel
    told = {
        "baseURL": line.host,
        "channelId": channel.id,
        "channelSecret": channel.secret,
        "userId": SAKURA,
        "replyToken": event["replyToken"],
        "image": base64.b64encode(picture.getvalue()).decode(),
        "webhook": {"body": body.decode(), "signature": headers["X-Line-Signature"]},
    }
    done = subprocess.run(
        [node, str(FOLDER / "bot.mjs")],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)

    assert line.chat(SAKURA) == ["やあ 🍎", "返事", "プッシュ", "同報", "全員へ"]
    assert len(answers["reply"]["sentMessages"]) == len(answers["push"]["sentMessages"]) == 1
    assert answers["refused"] == {
        "status": 400,
        "body": {
            "message": "The request body has 1 error(s)",
            "details": [{"message": "May not be empty", "property": "messages[0].text"}],
        },
    }
    assert (answers["quota"]["type"], answers["consumption"]) == ("limited", {"totalUsage": 3})
    assert answers["profile"]["displayName"] == "佐藤 さくら"
    assert (answers["menus"], answers["linkToken"]) == (1, "string")
    assert answers["default"]["richMenuId"] == channel.default_rich_menu_id
    assert (answers["signature"], answers["forged"]) == (True, False)
