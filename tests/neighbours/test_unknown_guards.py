"""A guard that nobody knows keeps LINE's webhook away: the log says so, and what to let past."""

from __future__ import annotations

import pytest
from flask import Flask

from .conftest import OpenShop


def _demand_a_password(app: Flask) -> None:
    app.before_request(lambda: ("Who are you?", 401))


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_log_says_what_to_let_past(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture, order: str
) -> None:
    shop = open_shop(**{order: (_demand_a_password,)})
    shop.browser().fetch(f"{shop.base_url}/line/webhook", data=b"{}")
    (said,) = [one for one in caplog.messages if "webhook" in one]
    assert "401" in said
    assert "lineconnect.webhook" in said
