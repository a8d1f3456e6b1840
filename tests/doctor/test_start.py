"""A server for development says at its start what is wrong, before a customer finds out."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask

from flask_lineconnect.doctor import start
from flask_lineconnect.doctor.start import _Look
from tests.conftest import MakeApp


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "QUIET", 0.01)


def _hints(app: Flask, caplog: pytest.LogCaptureFixture) -> list[str]:
    app.debug = True
    caplog.set_level(logging.WARNING)
    _Look(app.extensions["lineconnect"]).at_start()
    return [one.getMessage() for one in caplog.records if hasattr(one, "check")]


def test_what_is_wrong_is_said(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(LINECONNECT_DEFAULT_PAGE="/nowhere", LINECONNECT_LIFF_ID="1650000009-DemoCard")
    said = _hints(app, caplog)
    assert len(said) == 2
    assert "LINECONNECT_DEFAULT_PAGE is /nowhere" in said[0]
    assert "set it to a page of the shop" in said[0]
    assert "`flask line doctor`" in said[0]
    assert "LINECONNECT_LIFF_ID begins with 1650000009" in said[1]


@pytest.mark.parametrize("settings", [{}, {"SECRET_KEY": "dev"}])
def test_what_is_fine_is_not(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    assert _hints(make_app(**settings), caplog) == []
