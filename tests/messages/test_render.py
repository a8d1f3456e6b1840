"""JSON templates: values can't break out of their place, and addresses are public ones."""

from __future__ import annotations

from collections import UserString
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import lazy_gettext
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from jinja2 import BaseLoader
from jinja2 import FileSystemBytecodeCache
from jinja2 import FileSystemLoader
from jinja2 import Undefined
from markupsafe import Markup

from flask_lineconnect import InvalidMessage
from flask_lineconnect import RawMessage
from flask_lineconnect import render_message
from flask_lineconnect.messages.render import json_environment
from flask_lineconnect.messages.render import render_json
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp

#: A name that would end its string and add who sends the message.
ATTACK = 'A","sender":{"name":"X"},"quoteToken":"'


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


class Colour(StrEnum):
    """A text that is no plain one."""

    RED = ATTACK


class Named:
    """Whatever it is, people see its name."""

    def __str__(self) -> str:
        return ATTACK

    def __html__(self) -> str:
        return ATTACK


@pytest.mark.parametrize(
    "value",
    [
        ATTACK,
        Markup(ATTACK),
        Colour.RED,
        Named(),
        lazy_gettext("%(name)s", name=ATTACK),
        UserString(ATTACK),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "inside",
    [
        "{{ v }}",
        "{{ v|safe }}",
        "{{ v|e|safe }}",
        "{{ '%s'|format(v) }}",
        "{{ v ~ '' }}",
        "{% set x = v %}{{ x }}",
        "{% set x %}{{ v }}{% endset %}{{ x }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(v) }}",
        "{% filter trim %}{{ v }}{% endfilter %}",
        "{% autoescape true %}{{ v }}{% endautoescape %}",
        "{% for x in [v] %}{{ x }}{% endfor %}",
        "{{ [v]|join }}",
        "{% if v %}{{ v }}{% endif %}",
        "{% include 'part.json' %}",
    ],
)
def test_S10_3_no_value_of_any_type_leaves_its_string(
    line: LineState, tmp_path: Path, value: object, inside: str
) -> None:
    (tmp_path / "part.json").write_text("{{ v }}")
    (tmp_path / "m.json").write_text('{"type": "text", "text": "' + inside + '"}')
    message = render_json("m.json", v=value)
    assert list(message) == ["type", "text"]
    assert message["type"] == "text"
    assert "sender" in message["text"]


@pytest.mark.parametrize("value", [[ATTACK], {"a": ATTACK}, {ATTACK: 1}, (ATTACK,), {ATTACK}])
def test_S10_3_no_list_leaves_its_string(line: LineState, tmp_path: Path, value: object) -> None:
    (tmp_path / "m.json").write_text('{"type": "text", "text": "{{ v }}"}')
    assert list(render_json("m.json", v=value)) == ["type", "text"]


def test_S10_3_values_as_keys_and_alone_stay_values(line: LineState, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"{{ v }}": {{ v }}, {{ v }}: ["{{ v }}", {{ [v] }}]}')
    assert render_json("m.json", v=ATTACK) == {ATTACK: [ATTACK, [ATTACK]]}


def test_S10_3_what_the_shop_compiled_for_pages_is_not_used(
    app: Flask, line: LineState, tmp_path: Path
) -> None:
    compiled = tmp_path / "compiled"
    compiled.mkdir()
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
    (tmp_path / "m.json").write_text('{"type": "text", "text": "{{ v }}"}')
    app.jinja_env.get_template("m.json").render(v="plain")
    environment = json_environment(app)
    line.json_environment = environment
    assert render_json("m.json", v=ATTACK) == {"type": "text", "text": ATTACK}


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_come_back_as_they_were(line: LineState, tmp_path: Path, value: object) -> None:
    (tmp_path / "m.json").write_text('{"a": {{ v }}, "b": {{ v|tojson }}, "c": "{{ v }}"}')
    rendered = render_json("m.json", v=value)
    assert rendered["a"] == rendered["b"] == value
    assert list(rendered) == ["a", "b", "c"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Undefined(name="points")])
def test_what_is_no_json_value_is_named(line: LineState, tmp_path: Path, value: object) -> None:
    (tmp_path / "m.json").write_text('{"a": {{ v }}}')
    with pytest.raises(InvalidMessage, match=r"m\.json"):
        render_json("m.json", v=value)


def test_nothing_is_said_of_a_value_that_is_none(line: LineState, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"type": "text", "text": "{{ v }}さま"}')
    assert render_message("m.json", v=None) == _message("さま")


def test_numbers_of_money_stay_numbers(line: LineState, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"a": {{ v }}, "b": "{{ v }}"}')
    assert render_json("m.json", v=Decimal("93.16")) == {"a": 93.16, "b": "93.16"}


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


def test_what_a_shop_adds_to_its_templates_later_is_in_messages_too(
    app: Flask, tmp_path: Path
) -> None:
    app.jinja_env.filters["shout"] = str.upper
    (tmp_path / "m.json").write_text('{"type": "text", "text": "{{ word | shout }}"}')
    with app.app_context():
        assert render_message("m.json", word="tea") == _message("TEA")
