"""What the shop answers in the chat."""

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
from ..models import Product
from ..models import User
from ..orders import orders_of
from ..points import balance_of

chat = LineBlueprint("chat", __name__)

#: Name in the button's data: the question, the answer.
FAQ = {
    "shipping": ("送料はいくらですか", "送料は無料です。"),
    "days": (
        "いつ届きますか",
        "4日ほどで届きます。「配達日時の変更」で日時を選べます。",
    ),
    "payment": ("支払い方法は", "代金引換をご利用いただけます。"),
    "gift": (
        "贈りものにできますか",
        "のし、包装は無料です。スタッフにお知らせください。",
    ),
}


@chat.on_follow
def greet(event: FollowEvent) -> Reply:
    """Greet a new friend; who is not a member yet is invited."""
    return render_message("line/greeting.json", member=member_for(event))


@chat.on_text("ポイント残高", "残高", "ポイント")
@require_member
def balance(event: TextEvent, member: User) -> Reply:
    """Answer with the member's points."""
    return render_message("line/balance.json", member=member, points=balance_of(member))


@chat.on_text("注文状況", "配送状況", "注文")
@require_member
def order_status(event: TextEvent, member: User) -> Reply:
    """Answer with the latest orders and how far they are."""
    orders = orders_of(db.session(), member, limit=3)
    if not orders:
        return "ご注文はまだありません。"
    return render_message("line/order_status.json", orders=orders, changeable=CHANGEABLE)


@chat.on_text("おすすめ")
def recommend(event: TextEvent) -> Reply:
    """Show a few products, each with a button to keep it."""
    return render_message("line/products.json", products=recommended(db.session()))


@chat.on_postback("/favourites/<int:product_id>")
@require_member
def keep_favourite(event: PostbackEvent, member: User, product_id: int) -> Reply:
    """Keep a product for the member."""
    product = db.session.get(Product, product_id)
    if product is None:
        return "この商品は、お取り扱いが終わりました。"
    is_new = add_favourite(db.session(), member, product)
    return f"{product.name}を{'お気に入りに登録しました' if is_new else '登録済みです'}。"


@chat.on_text("お気に入り")
@require_member
def favourites(event: TextEvent, member: User) -> Reply:
    """Answer with what the member kept."""
    names = [f"・{product.name}" for product in favourites_of(db.session(), member)]
    return "\n".join(["お気に入り", *names]) if names else "お気に入りはまだありません。"


@chat.on_text("よくある質問", "FAQ")
def questions(event: TextEvent) -> Reply:
    """Offer the questions as buttons."""
    return ButtonsMessage(
        text="どのご質問でしょうか。",
        title="よくある質問",
        actions=[
            PostbackAction(question, postback_for("chat.answer", key=key), display_text=question)
            for key, (question, _answer) in FAQ.items()
        ],
    )


@chat.on_postback("/faq/<key>")
def answer(event: PostbackEvent, key: str) -> Reply:
    """Answer one of the questions."""
    if key not in FAQ:
        return questions(TextEvent(text="FAQ"))
    more = [
        MessageAction("ほかの質問", "よくある質問"),
        MessageAction("スタッフに相談", "スタッフに相談"),
    ]
    return TextMessage(FAQ[key][1], quick_replies=more)


@chat.on_text()
def help_out(event: TextEvent) -> Reply:
    """Say what can be asked, whatever was written."""
    return render_message("line/help.json")
