"""What stands in the way of a message, in the owner's words.

Errors are written for programmers, in English, and name places of data. Those that somebody at the
console can mend have words of their own here, in the language of the page; any other is handed on
as what it is, for the shop's developer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .i18n import gettext as _
from .i18n import lazy_gettext

#: What errors say, wherever in them, and the same for owners, with the groups in it.
_WORDS: Sequence[tuple[re.Pattern[str], Any]] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"(?P<name>\w[\w, ]*) is absent;", lazy_gettext("「%(name)s」の値がありません。")),
        (
            r"compares or counts values of different types",
            lazy_gettext("種類のちがう値をくらべているか、数えています。"),
        ),
        (
            r"contents is no JSON: .* at line (?P<line>\d+), column (?P<column>\d+)",
            lazy_gettext("JSONの書き方が違います（%(line)s行目の%(column)s文字目）。"),
        ),
        (
            r"contents is no bubble and no carousel",
            lazy_gettext("いちばん外側の「type」は「bubble」か「carousel」にしてください。"),
        ),
        (
            r"contents has (?P<size>\d+) bytes; LINE takes (?P<limit>\d+)",
            lazy_gettext("LINEが受けつけるのは%(limit)sバイトまでです。いまは%(size)sバイトです。"),
        ),
        (
            r"contents has not 1 to (?P<limit>\d+) bubbles",
            lazy_gettext("カルーセルに並べられるのは1〜%(limit)s枚です。"),
        ),
        (
            r"an address begins neither",
            lazy_gettext("アドレスは「https://」か「/」で始めてください。"),
        ),
        (
            r"an address is longer than (?P<limit>\d+)",
            lazy_gettext("アドレスは%(limit)s文字までです。"),
        ),
        (
            r"no page inside LINE without",
            lazy_gettext("「liff:」のアドレスは、お店にLIFFの設定があると使えます。"),
        ),
        (
            r"label is empty or longer than (?P<limit>\d+)",
            lazy_gettext("ボタンの文字は1〜%(limit)s文字にしてください。"),
        ),
        (
            r"text is empty or longer than (?P<limit>\d+)",
            lazy_gettext("送ることになる文は1〜%(limit)s文字にしてください。"),
        ),
        (
            r"is longer than (?P<limit>\d+) UTF-16 units",
            lazy_gettext("%(limit)s文字までです（絵文字は2文字と数えます）。"),
        ),
        (r"has no product to show", lazy_gettext("見せられる商品がありません。")),
        (r"is no coupon", lazy_gettext("使えるクーポンがありません。")),
        (
            r"no text is written|text is empty|\bis empty",
            lazy_gettext("書かれていないところがあります。"),
        ),
        (
            r"line (?P<line>\d+), column (?P<column>\d+): ",
            lazy_gettext("%(line)s行目の%(column)s文字目の差し込みが読めません。"),
        ),
        (
            r"is the same for all, without values",
            lazy_gettext(
                "友だち全員に送る文には、ひとりひとりの値を差し込めません。"
                "差し込みを外すか、相手を連携会員にしてください。"
            ),
        ),
        (
            r"there is no '(?P<name>[^']*)' here",
            lazy_gettext("「%(name)s」は、いまのお店にはありません。"),
        ),
    )
)
#: How our own words for owners begin.
_JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


def why(error: object) -> str:
    """Return what an error says in the owner's words.

    :param error: it, or its text.
    """
    said = str(error)
    for pattern, words in _WORDS:
        found = pattern.search(said)
        if found is not None:
            return str(words) % found.groupdict()
    if _JAPANESE.search(said):
        return said
    return _("お店の開発者に、この英語をお見せください: %(said)s", said=said)
