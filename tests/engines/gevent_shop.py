"""The small shop with async pages and an async hook, for gunicorn's gevent workers."""

from __future__ import annotations

import asyncio
import json
import os

from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect.linking import accounts
from flask_lineconnect.state import current_line
from tests.small_shop import User
from tests.small_shop import create_app
from tests.small_shop import db
from tests.small_shop import line

app = create_app(json.loads(os.environ["SHOP_SETTINGS"]))
hooks = LineBlueprint("async", __name__)


@hooks.on_text("async")
async def later(event: TextEvent) -> Reply:
    """Take a while."""
    await asyncio.sleep(1)
    return "awaited"


@hooks.on_text()
def echo(event: TextEvent) -> Reply:
    """Say the text back."""
    return event.text


app.register_blueprint(hooks)


@app.get("/async")
async def page() -> str:
    """Wait for something, as async pages do."""
    await asyncio.sleep(0.02)
    return "awaited"


@app.get("/send/<user_id>")
def send(user_id: str) -> str:
    """Send a member a message."""
    state = current_line
    account = accounts.ensure_account(state.session, user_id, now=state.clock())
    account.is_friend = True
    member = User(name="a member", email=None)
    db.session.add(member)
    db.session.flush()
    accounts.link(state, account, member.id, source="login", now=state.clock())
    line.send(member, "ご注文を発送しました", category="order")
    db.session.commit()
    return "sent"
