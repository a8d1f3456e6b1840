"""What owners write: values alone, in their places; what is unknown is refused when it is saved."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flask_lineconnect.errors import UsageError
from flask_lineconnect.marketing.values import ValueType
from flask_lineconnect.messages.word_filters import Manner
from flask_lineconnect.messages.word_filters import MissingValue
from flask_lineconnect.messages.wording import InvalidWording
from flask_lineconnect.messages.wording import Wording
from flask_lineconnect.messages.wording import longest

TYPES: dict[str, Any] = {
    "name": str | None,
    "total": int,
    "fee": Decimal,
    "products": list[str],
    "eta": date,
    "start": datetime,
    "is_gift": bool,
}
VARIABLES = {name: ValueType.of(kind) for name, kind in TYPES.items()}
VALUES = {
    "name": "山田",
    "total": 1200,
    "fee": Decimal("12.50"),
    "products": ("りんご", "なし"),
    "eta": date(2026, 12, 3),
    "start": datetime(2026, 12, 3, 9, 30, tzinfo=UTC),
    "is_gift": True,
}
TOKYO = ZoneInfo("Asia/Tokyo")


def render(source: str, language: str = "ja", **values: Any) -> str:
    manner = Manner(language, zone=TOKYO)
    return Wording.read(source, VARIABLES).render(VALUES | values, manner)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("ご注文ありがとうございます。", "ご注文ありがとうございます。"),
        ("{{ name }}様、合計{{ total|money }}です。", "山田様、合計1,200円です。"),
        (
            "{% if name %}{{ name }}様、{% endif %}ありがとうございます。",
            "山田様、ありがとうございます。",
        ),
        ("{{ total }} {{ total|number }} {{ fee }}", "1200 1,200 12.50"),
        ("お届け：{{ eta }}", "お届け：12月3日(木)"),
        ("{{ start|day }} {{ start|clock }}", "12月3日(木) 18:30"),
        ("{{ start }}", "12月3日(木) 18:30"),
        ("{{ products|first }}ほか{{ products|count - 1 }}点", "りんごほか1点"),
        ("{{ products|join('、') }}", "りんご、なし"),
        ("{% for one in products %}・{{ one }}\n{% endfor %}", "・りんご\n・なし\n"),
        ("{% if is_gift and total >= 1000 %}贈り物{% else %}—{% endif %}", "贈り物"),
        ("{{ '大' if total > 1000 else '小' }}", "大"),
        ("{# a note #}1行目\n2行目", "1行目\n2行目"),
        ("波括弧 { } と 100%", "波括弧 { } と 100%"),
    ],
)
def test_values_stand_in_their_places(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("language", "spellings"),
    [
        ("en", {"Thu, Dec 3"}),
        # The later one is of Unicode's newer lists, which came with newer releases of Babel.
        ("zh_Hant", {"12月3日 週四", "12月3日週四"}),
        ("th", {"พฤ. 3 ธ.ค.", "พฤหัส 3 ธ.ค."}),
    ],
)
def test_days_are_written_as_the_reader_writes_them(language: str, spellings: set[str]) -> None:
    assert render("{{ eta }}", language) in spellings


@pytest.mark.parametrize("value", ["{{ total }}", "{% for x in y %}", '"}', "\x00\ue000"])
def test_a_value_is_never_read_as_a_wording(value: str) -> None:
    assert render("{{ name }}", name=value) == value


def test_an_absent_value_is_said_and_not_written() -> None:
    for source in ("{{ name }}様", "{{ eta|day }}"):
        with pytest.raises(MissingValue, match="absent"):
            render(source, name=None, eta=None)
    assert render("{{ name|default('お客さま') }}", name=None) == "お客さま"


def test_what_is_absent_is_named() -> None:
    wording = Wording.read("{% if is_gift %}{{ total }}{% endif %}{{ name }}様", VARIABLES)
    assert wording.names == ("is_gift", "name", "total")
    with pytest.raises(MissingValue, match="name is absent") as caught:
        wording.render({"is_gift": True, "total": 5, "other": None}, Manner())
    assert caught.value.name == "name"
    # What nobody handed in is as good as absent.
    with pytest.raises(MissingValue, match="is_gift, name, total is absent"):
        wording.render({}, Manner())


@pytest.mark.parametrize(
    ("source", "line", "column", "said"),
    [
        ("{{ nmae }}様", 1, 4, "no value 'nmae'. Did you mean name"),
        ("1行目\n{{ name }}様 {{ totel }}", 2, 16, "Did you mean total"),
        ("name は {{ nam }}", 1, 11, "Did you mean name"),
        ("{% if vip %}x{% endif %}", 1, 7, "no value 'vip'"),
        ("{{ total|monye }}", 1, 10, "no filter 'monye'. Did you mean money"),
        ("{{ total|upper }}", 1, 10, "no filter 'upper'"),
        ("{{ name|money }}", 1, 9, "does not take str"),
        ("{{ eta|clock }}", 1, 8, "does not take date"),
        ("{{ total|day }}", 1, 10, "does not take int"),
        ("{{ products }}", 1, 4, "write it with |join"),
        ("{{ products|join }}", 1, 13, "takes 1 written"),
        ("{{ is_gift }}", 1, 4, "ask for it with {% if %}"),
        ("{{ name.upper() }}", 1, 1, "a call"),
        ("{{ name.__class__ }}", 1, 9, "an attribute"),
        ("{{ name['__class__'] }}", 1, 1, "a place of a list"),
        ("{{ products[0] }}", 1, 1, "a place of a list"),
        ("{{ range(9) }}", 1, 1, "a call"),
        ("{{ self }}", 1, 4, "no value 'self'"),
        ("{{ _manner }}", 1, 4, "no value '_manner'"),
        ("{{ loop }}", 1, 4, "no value 'loop'"),
        ("{% set a = 1 %}", 1, 1, "set"),
        ("{% include 'x' %}", 1, 1, "include"),
        ("{% extends 'x' %}", 1, 1, "extends"),
        ("{% import 'x' as x %}", 1, 1, "import"),
        ("{% macro m() %}{% endmacro %}", 1, 10, "macro"),
        ("{% block b %}{% endblock %}", 1, 10, "block"),
        ("{% with %}{% endwith %}", 1, 1, "with"),
        ("{% for one in name %}{% endfor %}", 1, 15, "this is none"),
        (
            "{% for a in products %}{% for b in products %}{% endfor %}{% endfor %}",
            1,
            1,
            "no other",
        ),
        ("{{ 'a' * 999999999 }}", 1, 1, "can't be used here"),
        ("{{ 9 ** 9 ** 9 }}", 1, 1, "can't be used here"),
        ("{{ name + name }}", 1, 1, "for numbers alone"),
        ("{{ name is string }}", 1, 12, "is can't be used"),
        ("{{ 5|day }}", 1, 6, "stands behind a value"),
        ("{{ (name or 1)|day }}", 1, 16, "stands behind a value"),
        ("{{ total|money|day }}", 1, 16, "does not take str"),
        ("{{ products|first|money }}", 1, 19, "does not take str | None"),
        ("{{ total|default('0')|day }}", 1, 23, "does not take int"),
        ("{{ total > 5 }}", 1, 1, "ask for it with {% if %}"),
        ("{{ not name }}", 1, 1, "ask for it with {% if %}"),
        ("{{ true }}", 1, 1, "ask for it with {% if %}"),
        ("{{ 'a' if name }}", 1, 1, "without else"),
        ("{{ name", 1, 1, ""),
        ("ok\n{% if name %}", 2, 1, ""),
        ("{{ name }", 1, 1, ""),
        ("{{ {'a': 1} }}", 1, 1, "can't be used here"),
        ("{{ [1, 2] }}", 1, 1, "can't be used here"),
    ],
)
def test_what_is_unknown_is_refused_with_line_and_column(
    source: str, line: int, column: int, said: str
) -> None:
    with pytest.raises(InvalidWording) as caught:
        Wording.read(source, VARIABLES)
    assert said in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 5_000 + "total" + ")" * 5_000 + " }}",
        "{{ " + "total - " * 2_000 + "1 }}",
        "{% if total %}" * 800 + "{% endif %}" * 800,
    ],
)
def test_what_is_nested_too_deeply_is_refused(source: str) -> None:
    with pytest.raises(InvalidWording, match="nested too deeply"):
        Wording.read(source, VARIABLES)


def test_a_wording_has_an_end() -> None:
    with pytest.raises(InvalidWording, match="longer than 20000"):
        Wording.read("あ" * 20_001, VARIABLES)


def test_a_comparison_of_unlike_values_is_said() -> None:
    with pytest.raises(UsageError, match="different types"):
        render("{% if total > 'a' %}x{% endif %}")


def test_two_wordings_are_alike_by_what_is_written() -> None:
    assert Wording.read("{{ name }}", VARIABLES) == Wording.read("{{ name }}", VARIABLES)


def test_the_longest_values_are_those_at_hand() -> None:
    found = longest(VARIABLES, [{"name": "a"}, {"name": "abc", "total": 5}, {"name": None}])
    assert found["name"] == "abc"
    assert found["total"] == 5
    assert len(found["products"]) == 10
