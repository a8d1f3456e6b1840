"""The demo's campaigns can be let go as they stand in their file."""

from __future__ import annotations

from flask import Flask

from demo_shop.line.extension import line as extension
from flask_lineconnect.marketing.campaigns.declared import Campaigns
from flask_lineconnect.state import LineState


def test_nothing_is_wrong_with_the_demos_campaigns(app: Flask) -> None:
    line: LineState = app.extensions["lineconnect"]
    names = [one.name for one in line.part(Campaigns)]
    assert names == ["closed_today", "monthly", "new_tea"]
    for name in names:
        assert list(extension.campaigns.check(name)) == [], name
        assert extension.campaigns.estimate(name).messages == 0
    extension.campaigns.begin("monthly")
    line.session.commit()
