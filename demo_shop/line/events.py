"""What members do in the shop: the events that there are. ``telling.py`` tells them."""

from datetime import date
from datetime import datetime

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint

events = LineBlueprint("events", __name__)

NUMBER = {"number": Fact(str, "注文番号")}
PRODUCT = {"product": Fact(str, "商品", holds="products")}
PRODUCTS = {
    "products": Fact(list[str], "商品", holds="products"),
    "categories": Fact(list[str], "分類"),
}
DELIVERY = {"eta": Fact(date | None, "お届け予定日"), "slot": Fact(str | None, "時間帯")}
BOOKING = {"menu": Fact(str, "内容"), "starts_at": Fact(datetime, "開始")}

events.member_event(
    "order.placed",
    label="ご注文",
    facts={
        **NUMBER,
        "total": Fact(int, "合計（円）"),
        **PRODUCTS,
        "eta": DELIVERY["eta"],
        "payment": Fact(str | None, "お支払い方法"),
        "earned": Fact(int | None, "ついたポイント"),
        # In the language of the member, as they were bought.
        "lines": Fact(list[str] | None, "明細"),
    },
)
events.member_event(
    "order.paid", label="ご入金", facts={**NUMBER, "total": Fact(int, "合計（円）")}
)
events.member_event(
    "order.shipped",
    label="発送",
    facts={
        **NUMBER,
        "carrier": Fact(str, "配送会社"),
        "tracking": Fact(str, "伝票番号"),
        **DELIVERY,
    },
)
events.member_event(
    "order.out_for_delivery", label="配達中", facts={**NUMBER, "slot": DELIVERY["slot"]}
)
events.member_event(
    "order.delivered",
    label="お届け",
    facts={
        **NUMBER,
        **PRODUCTS,
        "is_first": Fact(bool, "はじめてのご注文"),
        "is_trial": Fact(bool, "お試しだけのご注文"),
    },
)
events.member_event("order.cancelled", label="ご注文のキャンセル", facts=NUMBER)
# One for each product of an order: what ends and begins with a product, and with no other one.
events.member_event("product.bought", label="商品のお買い上げ", facts=PRODUCT)
events.member_event(
    "product.delivered",
    label="商品のお届け",
    facts={**PRODUCT, "use_up_on": Fact(date | None, "使い切る日の目安")},
)
events.member_event("product.viewed", label="商品を見た（許可した会員）", facts=PRODUCT)
events.member_event(
    "cart.changed",
    label="カートの変更",
    facts={
        "count": Fact(int, "点数"),
        "products": Fact(list[str], "商品", holds="products"),
    },
)
events.member_event("cart.emptied", label="カートを空にした")
events.member_event("favourite.added", label="お気に入りに追加", facts=PRODUCT)
events.member_event(
    "favourite.restocked",
    label="お気に入りの再入荷",
    facts={**PRODUCT, "tell_at": Fact(datetime, "お知らせする順番の時刻")},
)
events.member_event(
    "favourite.price_lowered",
    label="お気に入りの値下げ",
    facts={**PRODUCT, "price": Fact(int, "いまの価格（円）")},
)
for name, label in (
    ("booking.made", "ご予約"),
    ("booking.changed", "ご予約の変更"),
    ("booking.cancelled", "ご予約のキャンセル"),
    ("booking.arrived", "ご来店"),
    ("booking.missed", "ご来店なし"),
    ("seminar.booked", "教室のお申し込み"),
    ("seminar.changed", "教室の日時の変更"),
    ("seminar.cancelled", "教室のキャンセル"),
):
    events.member_event(name, label=label, facts=BOOKING)
events.member_event(
    "seminar.ended", label="教室の終わり", facts={**BOOKING, "was_there": Fact(bool, "参加した")}
)
events.member_event(
    "points.booked",
    label="ポイントの増減",
    facts={
        "amount": Fact(int, "ポイント"),
        "balance": Fact(int, "残高"),
        "is_at_counter": Fact(bool, "店頭でのお買い物"),
    },
)
events.member_event(
    "rank.raised",
    label="ランクアップ",
    facts={"rank": Fact(str, "ランク"), "until": Fact(date, "この日まで")},
)
events.member_event("coupon.used", label="クーポンの利用", facts={"code": Fact(str, "クーポン")})
