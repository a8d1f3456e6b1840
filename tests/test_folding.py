"""The table of what people type, and what it is: one rule for forms, hooks and searches."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_lineconnect import folding


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("03-1234-5678", "0312345678"),
        ("0312345678", "0312345678"),
        ("03−1234−5678", "0312345678"),
        ("03ー1234ー5678", "0312345678"),
        ("03ｰ1234ｰ5678", "0312345678"),
        ("03–1234–5678", "0312345678"),
        ("03—1234—5678", "0312345678"),
        ("03―1234―5678", "0312345678"),
        ("03‐1234‐5678", "0312345678"),
        ("03‑1234‑5678", "0312345678"),
        ("03─1234─5678", "0312345678"),
        ("０３（１２３４）５６７８", "0312345678"),
        ("(03) 1234-5678", "0312345678"),
        ("03.1234.5678", "0312345678"),
        ("TEL：03-1234-5678", "0312345678"),
        ("電話 03-1234-5678", "0312345678"),
        ("090 1234 5678", "09012345678"),
        ("０９０　１２３４　５６７８", "09012345678"),
        ("０９０－１２３４－５６７８", "09012345678"),
        ("\u202a090-1234-5678\u202c", "09012345678"),
        ("090\u00a01234\u00a05678", "09012345678"),
        ("090\u200b12345678", "09012345678"),
        ("+81 90-1234-5678", "+819012345678"),
        ("＋８１（０）９０−１２３４−５６７８", "+819012345678"),
        ("๐๘๑-๒๓๔-๕๖๗๘", "0812345678"),
        ("call me", "call me"),
        ("03+1234", "03+1234"),
        ("", ""),
    ],
)
def test_telephone_numbers(typed: str, stored: str) -> None:
    assert folding.fold_phone(typed) == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("100-0001", "1000001"),
        ("〒100-0001", "1000001"),
        ("〒 １００－０００１", "1000001"),
        ("100ー0001", "1000001"),
        ("100−0001", "1000001"),
        ("100 0001", "1000001"),
        ("１０００００１", "1000001"),
        ("〠100-0001", "〠100-0001"),
        ("北1", "北1"),
    ],
)
def test_postal_codes(typed: str, stored: str) -> None:
    assert folding.fold_postal_code(typed) == stored


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10〜20", "10～20"),
        ("10〜20", "１０~２０"),
        ("10〜20", "10∼20"),
        ("K−12", "ｋー１２"),
        ("K-2611-000113", "Ｋー２６１１ー０００１１３"),
        ("2026–11", "2026-11"),
        ("ポイント　残高", " ﾎﾟｲﾝﾄ  残高 "),
        ("ＯＫ", "ok"),
        ("๑๐", "10"),
    ],
)
def test_texts_that_are_the_same_to_people(one: str, other: str) -> None:
    assert folding.fold_for_search(one) == folding.fold_for_search(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("コーヒー", "コ-ヒ-"), ("10〜20", "10-20"), ("ビール", "ビル"), ("1ー", "1-")],
)
def test_texts_that_are_not(one: str, other: str) -> None:
    assert folding.fold_for_search(one) != folding.fold_for_search(other)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("１，２００", "1200"),
        ("1,200円", "1200"),
        ("￥1200", "1200"),
        ("¥ 1 200", "1200"),
        ("NT$1,080", "1080"),
        ("1,080元", "1080"),
        ("฿1,080", "1080"),
        ("1,080 บาท", "1080"),
        ("US$ 1,080", "1080"),
        ("＄１，０８０", "1080"),
        ("￦1,080", "1080"),
        ("$93.16", "93.16"),
        ("300ポイント", "300"),
        ("300 pt", "300"),
        ("−5", "-5"),
        ("many", "many"),
    ],
)
def test_amounts(typed: str, number: str) -> None:
    assert folding.fold_amount(typed) == number


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("1990-04-01", "1990-04-01"),
        ("１９９０／４／１", "1990-04-01"),
        ("1990年4月1日", "1990-04-01"),
        ("1990−04−01", "1990-04-01"),
        ("1990ー04ー01", "1990-04-01"),
        ("1990.4.1", "1990-04-01"),
        ("１９９００４０１", "1990-04-01"),
        ("01/04/1990", "01/04/1990"),
        ("yesterday", "yesterday"),
    ],
)
def test_days(typed: str, day: str) -> None:
    assert folding.fold_day(typed) == day


def test_card_numbers() -> None:
    assert folding.fold_digits(" ２９００ー0000−0002 5") == "2900000000025"
    assert folding.fold_code("ｓ２ 0１-a") == "s201-a"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" ｓａｋｕｒａ＠ｅｘａｍｐｌｅ．ｃｏｍ　", "sakura@example.com"),
        ("ⓐ@example.com", "ⓐ@example.com"),
    ],
)
def test_an_address_never_becomes_another_mailbox(typed: str, stored: str) -> None:
    assert folding.fold_email(typed) == stored


@pytest.mark.parametrize(
    ("pattern", "typed", "found"),
    [
        (r"(\d+)〜(\d+)", "10～20", ("10", "20")),
        (r"(\d+)[〜~](\d+)", "１０〜２０", ("10", "20")),
        (r"(\d+)ー(\d+)", "10ー20", ("10", "20")),
        (r"(\d+)−(\d+)", "10-20", ("10", "20")),
        (r"([ァ-ヶー]+)を(\d+)", "コーヒーを２", ("コーヒー", "2")),
        (r"(コーヒー)を(\d+)", "ｺｰﾋｰを２", ("コーヒー", "2")),
        (r"注文（(\d+)）", "注文(12)", ("12",)),
        (r"[（(](\d+)[)）]", "（１２）", ("12",)),
        (r"(\d+)\〜", "5〜", ("5",)),
        (r"(\d+)\ー(\d+)", "10ー20", ("10", "20")),
        (r"([\[ー]+)x", "ーx", ("ー",)),
        (r"([^〜]+)〜", "a〜", ("a",)),
    ],
)
def test_patterns_find_what_they_would_have_found(
    pattern: str, typed: str, found: tuple[str, ...]
) -> None:
    match = folding.fold_pattern(re.compile(pattern)).search(folding.fold_for_search(typed))
    assert match
    assert match.groups() == found


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = folding.fold_text(text)
    assert folding.fold_text(unicodedata.normalize("NFKC", once)) == folding.fold_text(once)
    for fold in (folding.fold_phone, folding.fold_postal_code):
        assert fold(fold(text)) == fold(text)
