"""Names as people choose them: shown without what would hide them, or turn other text around."""

from __future__ import annotations

import pytest
from markupsafe import Markup
from markupsafe import escape

from flask_lineconnect import shown_name
from flask_lineconnect.person_names import Name
from flask_lineconnect.person_names import isolated


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("佐藤 さくら", "佐藤 さくら"),
        ("佐藤　さくら", "佐藤　さくら"),
        ("สมชาย ใจดี", "สมชาย ใจดี"),
        ("สุรีย์พร น้ำผึ้ง", "สุรีย์พร น้ำผึ้ง"),
        ("José", "José"),
        ("علی‌رضا", "علی‌رضا"),  # a Persian name needs its joiner
        ("👩‍👩‍👧 家族", "👩‍👩‍👧 家族"),
        ("🫩", "🫩"),
        ("★彡", "★彡"),
        ("...", "..."),
        ("A", "A"),
        ("  さくら\n\t", "さくら"),
        ("さくら\r\n管理者", "さくら 管理者"),
        ("さくら\u2028店長", "さくら 店長"),
        ("a\0b\x07c\x9bd", "a b c d"),
        ("\u202eijihsat", "ijihsat"),
        ("さくら\u2066\u2067\u202d\u200f", "さくら"),
        ("さ\u200bく\ufeffら\u2060", "さくら"),
        ("A" + " " * 90 + "B", "A B"),
        ("A" + "\u3000" * 90 + "B", "A\u3000B"),
        ("\u3164さくら\u2800", "さくら"),
        ("x\ud800y", "xy"),
        ("e" + "\u0301" * 90, "e" + "\u0301" * 5),
        ("あ" * 300, "あ" * 100 + "…"),
    ],
)
def test_a_name_is_shown_as_it_can_be_read(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@pytest.mark.parametrize(
    "name",
    [
        "",
        None,
        "   ",
        "\u3000",
        "\t\r\n",
        "\0\x01\x7f\x80",
        "\u200b\u200c\u200d",
        "\u202e\u202c",
        "\ufeff",
        "\u00ad",
        "\u3164",
        "\uffa0",
        "\u115f\u1160",
        "\u2800\u2800",
        "\u180e",
        "\u034f",
        "\ufe0f",
        "\U000e0020\U000e0041",
        "\U000e0100",
        "\u2063\u2064",
        "\u0301\u0302",
        "\u17b4",
        "\U0001d159",
        "\ufff9",
        "\ue000\U00100084",
        "\ufffe",
        "\ud800",
    ],
)
def test_a_name_that_nobody_can_see_is_none(name: str | None) -> None:
    assert shown_name(name) == ""


@pytest.mark.parametrize("name", ["דוד כהן", "محمد", "\u202eijihsat", "x (א)"])
def test_a_name_that_could_turn_other_text_around_stands_apart(name: str) -> None:
    shown = Name(name)
    assert escape(shown) == f"<bdi>{shown_name(name)}</bdi>"
    assert Markup("{} さま").format(shown) == f"<bdi>{shown_name(name)}</bdi> さま"
    assert isolated(name) == f"\u2068{shown_name(name)}\u2069"


@pytest.mark.parametrize("name", ["佐藤 さくら", "<b>José</b>", "สมชาย ใจดี"])
def test_all_others_are_only_themselves(name: str) -> None:
    assert escape(Name(name)) == escape(name)
    assert isolated(name) == name


def test_what_stands_in_says_so() -> None:
    assert not Name("さくら").stands_in
    stand_in = Name("\u200b", stand_in="（お名前なし）")
    assert stand_in == "（お名前なし）"
    assert stand_in.stands_in
    assert stand_in.initial == "?"
    assert Name("さくら", stand_in="x").initial == "さ"


def test_html_in_a_name_is_text_also_where_it_stands_apart() -> None:
    assert escape(Name("<b>א</b>")) == "<bdi>&lt;b&gt;א&lt;/b&gt;</bdi>"
