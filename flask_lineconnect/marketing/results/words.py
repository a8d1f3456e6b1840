"""How a result is told to somebody without statistics: verdict, numbers, range, what to do.

Never a p-value, an interval or "significant"; people among 1,000, not percentage points.
"""

from __future__ import annotations

from babel import Locale

from ...i18n import gettext as _
from ...shop.money import write_money
from .effect import Judgement
from .orders import Orders

#: Among how many people the buyers are told.
AMONG = 1_000


def tell(judgement: Judgement) -> str:
    """Say what a comparison with people held out shows."""
    if judgement.kind in _SAID:
        return str(_SAID[judgement.kind]())
    if judgement.kind in ("early", "unsure"):
        return _tell_later(judgement)
    assert judgement.buyers is not None
    low, high = judgement.buyers.low, judgement.buyers.high
    if judgement.kind == "better":
        return _(
            "効果がありました。1,000人あたり%(more)s人多く購入しています"
            "（%(low)s〜%(high)s人の間と見られます）。"
            "偶然とは考えにくい差です。このまま続けて大丈夫です。",
            more=_among(judgement.buyers.value),
            low=_among(low),
            high=_among(high),
        )
    if judgement.kind == "worse":
        return _(
            "送らなかった方のほうが多く購入しています（1,000人あたり%(low)s〜%(high)s人）。"
            "いったん止めることをおすすめします。",
            low=_among(-high),
            high=_among(-low),
        )
    return _(
        "差は見つかりませんでした。効果があっても、1,000人あたり%(most)s人までと見られます。"
        "文面か相手を変えて、もう一度試してみましょう。",
        most=_among(max(high, 0)),
    )


def tell_variants(one: str, other: str, judgement: Judgement) -> str:
    """Say which of two variants sells more."""
    if judgement.kind in ("better", "worse"):
        assert judgement.buyers is not None
        low, high = judgement.buyers.low, judgement.buyers.high
        if judgement.kind == "worse":
            one, other, low, high = other, one, -high, -low
        return _(
            "「%(one)s」のほうが「%(other)s」より、1,000人あたり%(more)s人多く購入しています"
            "（%(low)s〜%(high)s人の間と見られます）。偶然とは考えにくい差です。",
            one=one,
            other=other,
            more=_among(abs(judgement.buyers.value)),
            low=_among(low),
            high=_among(high),
        )
    if judgement.kind == "none":
        assert judgement.buyers is not None
        most = max(judgement.buyers.high, -judgement.buyers.low)
        return _(
            "「%(one)s」と「%(other)s」の間に、差は見つかりませんでした。"
            "あっても、1,000人あたり%(most)s人までと見られます。",
            one=one,
            other=other,
            most=_among(most),
        )
    if judgement.kind == "missing":
        return tell(judgement)
    return _(
        "「%(one)s」と「%(other)s」のどちらがよいかは、まだ判断できません。", one=one, other=other
    )


def tell_sales(judgement: Judgement, orders: Orders, locale: Locale) -> str:
    """Say how much more was sold because of the message, to all who were sent it."""
    if judgement.kind not in ("better", "worse", "none", "unsure"):
        return ""
    if judgement.sales is None:
        return _("追加売上は、購入した方がまだ少ないため計算できません。")

    def money(each: float) -> str:
        units = round(each * judgement.treated.people)
        return write_money(orders.amount(units), orders.currency, locale)

    sales = judgement.sales
    between = {"low": money(sales.low), "high": money(sales.high)}
    if not sales.is_clear:
        return _(
            "追加売上は%(low)sから%(high)sの間と見られ、あったともなかったとも言えません。",
            **between,
        )
    # One verdict for all: what sales show alone may be the one case of twenty.
    if judgement.kind in ("none", "unsure"):
        return _(
            "購入した方の数に差が見つかっていないため、"
            "追加売上（%(low)sから%(high)sの間）も確かとは言えません。",
            **between,
        )
    return _(
        "追加売上は%(sum)sと見られます（%(low)sから%(high)sの間）。",
        sum=money(sales.value),
        **between,
    )


def caution_of_linking() -> str:
    """Say why linked and unlinked members can't simply be compared."""
    return _("連携会員はもともと購入の多い方です。差のすべてがLINEの効果ではありません。")


def _tell_later(judgement: Judgement) -> str:
    if judgement.kind == "early":
        return _(
            "まだ判断できません。今は%(people)s人分の結果です。"
            "配信が終わり、購入を待つ期間が過ぎると分かります。",
            people=f"{judgement.people:,}",
        )
    return _(
        "まだ判断できません。今は%(people)s人分の結果です。あと約%(more)s人で見えてきます。",
        people=f"{judgement.people:,}",
        more=f"{_rounded(judgement.more_people or 0):,}",
    )


def _nobody() -> str:
    return _("まだ誰にも送られていないため、結果はありません。")


def _alone() -> str:
    return _("比べる相手（送らない人）がいないため、この売上がLINEのおかげかどうかは分かりません。")


def _missing() -> str:
    return _(
        "送らなかった方との比較には、追加のソフトウェアが必要です: "
        "pip install 'flask-lineconnect[results]'"
    )


_SAID = {"nobody": _nobody, "alone": _alone, "missing": _missing}


def _among(per_person: float) -> str:
    """Write people among 1,000: whole ones, and where they are few with a decimal."""
    people = per_person * AMONG
    if people >= 10:
        return f"{people:.0f}"
    return f"{max(people, 0.1):.1f}".removesuffix(".0")


def _rounded(people: int) -> int:
    """Return a number of people that does not look more exact than it is: two digits of it."""
    size = int("1" + "0" * (len(str(people)) - 2)) if people >= 100 else 1
    return -(-people // size) * size
