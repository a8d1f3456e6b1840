"""JSON templates: values can't break out of their place, and addresses are public ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from jinja2 import BaseLoader
from jinja2 import FileSystemLoader

from flask_lineconnect import InvalidMessage
from flask_lineconnect import RawMessage
from flask_lineconnect import render_message
from flask_lineconnect.messages.render import render_json
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """Return the small shop with templates of the test's own."""
    app = make_app()
    app.jinja_loader = None
    app.jinja_env.loader = _loader(tmp_path)
    app.extensions["lineconnect"].json_environment.loader = _loader(tmp_path)
    return app


def _loader(folder: Path) -> BaseLoader:
    return FileSystemLoader(folder)


def test_S10_3_a_name_stays_inside_its_string(line: LineState, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"type": "text", "text": "{{ name }}さま"}')
    name = 'x", "type": "evil", "y": "\\\n<b>'
    assert render_message("m.json", name=name) == _message(f"{name}さま")


def _message(text: str) -> RawMessage:
    return RawMessage({"type": "text", "text": text})


def test_values_keep_their_types(line: LineState, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        '{"n": {{ n }}, "yes": {{ yes }}, "none": {{ none }}, '
        '"list": {{ list }}, "s": {{ s|tojson }}}'
    )
    values = {"n": 1200, "yes": True, "none": None, "list": ["あ", 1], "s": 'a "quote"'}
    assert render_json("m.json", **values) == values


def test_S1_6_addresses_come_from_the_base_url(app: Flask, line: LineState, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        "[\"{{ url_for('pages.home', q='茶') }}\", \"{{ liff_url('/orders') }}\"]"
    )
    with app.test_request_context(base_url="https://evil.example"):
        assert render_json("m.json") == [
            "https://shop.example/?q=%E8%8C%B6",
            "https://liff.line.me/1650000001-DemoCard/orders",
        ]


@pytest.mark.parametrize("template", ['{"type": "text"', "[1]", "{}", "5"])
def test_what_is_no_message_is_named(line: LineState, tmp_path: Path, template: str) -> None:
    (tmp_path / "bad.json").write_text(template)
    with pytest.raises(InvalidMessage, match=r"bad\.json"):
        render_message("bad.json")
