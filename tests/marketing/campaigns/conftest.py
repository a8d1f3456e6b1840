"""The small shop with linked members, and campaigns for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from flask_lineconnect import LineBlueprint
from flask_lineconnect.state import LineState
from tests.outbox.conftest import BASE_URL as BASE_URL
from tests.outbox.conftest import app as app
from tests.outbox.conftest import clock as clock
from tests.outbox.conftest import join as join
from tests.outbox.conftest import settings as settings
from tests.small_shop import User
from tests.small_shop import line as extension

#: Plans a campaign, and lets it go.
Begin = Callable[..., None]


@pytest.fixture
def line(app: Flask, line: LineState) -> LineState:
    """Return the state of a shop that knows its members' addresses, and who has none."""
    known = LineBlueprint("known", __name__)
    known.attribute("email", User.email, label="メール")
    known.attribute("number", User.id, label="番号")
    app.register_blueprint(known)
    return line


@pytest.fixture
def begin(line: LineState) -> Begin:
    """Return what plans a campaign, lets it go and commits."""

    def begin(name: str = "autumn", **definition: Any) -> None:
        given = {"label": "秋", "to": "linked", "message": "秋の新茶が入りました。", **definition}
        if given.get("variants"):
            del given["message"]
        extension.campaigns.plan(name, **given)
        extension.campaigns.begin(name)
        line.session.commit()

    return begin
