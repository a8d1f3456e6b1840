"""What the shop answers in the chat, in the language that a member chose.

Buttons of an English chat write English, so the hooks listen to both.
"""

from flask_babel import lazy_gettext

from flask_lineconnect import ButtonsMessage
from flask_lineconnect import FollowEvent
from flask_lineconnect import LineBlueprint
from flask_lineconnect import MessageAction
from flask_lineconnect import PostbackAction
from flask_lineconnect import PostbackEvent
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import TextMessage
from flask_lineconnect import member_for
from flask_lineconnect import postback_for
from flask_lineconnect import render_message
from flask_lineconnect import require_member

from ..delivery import CHANGEABLE
from ..extensions import db
from ..favourites import add_favourite
from ..favourites import favourites_of
from ..favourites import recommended
from ..i18n import gettext as _
from ..models import Product
from ..models import User
from ..orders import orders_of
from ..points import balance_of
from ..shop.texts import words

chat = LineBlueprint("chat", __name__)

#: Name in the button's data: the question, the answer.
FAQ = {
    "shipping": (lazy_gettext("送料はいくらですか"), lazy_gettext("送料は無料です。")),
    "days": (
        lazy_gettext("いつ届きますか"),
        lazy_gettext("4日ほどで届きます。「配達日時の変更」で日時を選べます。"),
    ),
    "payment": (
        lazy_gettext("支払い方法は"),
        lazy_gettext("代金引換と銀行振込をご利用いただけます。"),
    ),
    "gift": (
        lazy_gettext("贈りものにできますか"),
        lazy_gettext("のし、包装は無料です。スタッフにお知らせください。"),
    ),
}


@chat.on_follow
def greet(event: FollowEvent) -> Reply:
    """Greet a new friend; who is not a member yet is invited."""
    return render_message("line/greeting.json", member=member_for(event))


@chat.on_text("ポイント残高", "残高", "ポイント", "Point balance", "Points")
@require_member
def balance(event: TextEvent, member: User) -> Reply:
    """Answer with the member's points."""
    return render_message("line/balance.json", member=member, points=balance_of(member))


@chat.on_text("注文状況", "配送状況", "注文", "Order status", "Orders")
@require_member
def order_status(event: TextEvent, member: User) -> Reply:
    """Answer with the latest orders and how far they are."""
    orders = orders_of(db.session(), member, limit=3)
    if not orders:
        return _("ご注文はまだありません。")
    return render_message("line/order_status.json", orders=orders, changeable=CHANGEABLE)


@chat.on_text("おすすめ", "Recommendations")
def recommend(event: TextEvent) -> Reply:
    """Show a few products, each with a button to keep it."""
    return render_message("line/products.json", products=recommended(db.session()))


@chat.on_postback("/favourites/<int:product_id>")
@require_member
def keep_favourite(event: PostbackEvent, member: User, product_id: int) -> Reply:
    """Keep a product for the member."""
    product = db.session.get(Product, product_id)
    if product is None:
        return _("この商品は、お取り扱いが終わりました。")
    name = words(product.name)
    if add_favourite(db.session(), member, product):
        return _("%(name)sをお気に入りに登録しました。", name=name)
    return _("%(name)sは登録済みです。", name=name)


@chat.on_text("お気に入り", "Favourites")
@require_member
def favourites(event: TextEvent, member: User) -> Reply:
    """Answer with what the member kept."""
    names = [f"・{words(product.name)}" for product in favourites_of(db.session(), member)]
    return "\n".join([_("お気に入り"), *names]) if names else _("お気に入りはまだありません。")


@chat.on_text("よくある質問", "FAQ", "Common questions")
def questions(event: TextEvent) -> Reply:
    """Offer the questions as buttons."""
    return ButtonsMessage(
        text=_("どのご質問でしょうか。"),
        title=_("よくある質問"),
        actions=[
            PostbackAction(question, postback_for("chat.answer", key=key), display_text=question)
            for key, question in ((key, str(texts[0])) for key, texts in FAQ.items())
        ],
    )


@chat.on_postback("/faq/<key>")
def answer(event: PostbackEvent, key: str) -> Reply:
    """Answer one of the questions."""
    if key not in FAQ:
        return questions(TextEvent(text="FAQ"))
    more = [
        MessageAction(_("ほかの質問"), _("よくある質問")),
        MessageAction(_("スタッフに相談"), _("スタッフに相談")),
    ]
    return TextMessage(str(FAQ[key][1]), quick_replies=more)


@chat.on_text()
def help_out(event: TextEvent) -> Reply:
    """Say what can be asked, whatever was written."""
    return render_message("line/help.json")
