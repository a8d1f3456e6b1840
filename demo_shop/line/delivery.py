"""配達日時の変更: a dialogue at whose end the order is changed."""

from collections.abc import Sequence
from datetime import date

from babel.dates import format_skeleton
from flask_babel import get_locale

from flask_lineconnect import Dialogue
from flask_lineconnect import Event
from flask_lineconnect import LineBlueprint
from flask_lineconnect import MessageAction
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import TextMessage
from flask_lineconnect import begin_dialogue
from flask_lineconnect import require_member

from ..clock import today
from ..delivery import SLOTS
from ..delivery import TooLate
from ..delivery import change_delivery
from ..delivery import changeable_orders
from ..delivery import days_offered
from ..extensions import db
from ..i18n import gettext as _
from ..models import User

delivery = LineBlueprint("delivery", __name__)


@delivery.on_text("配達日時の変更", "配達日の変更", "お届け日の変更", "Change delivery")
@require_member
def begin(event: TextEvent, member: User) -> Reply:
    """Ask for the order if there are several, otherwise for the day."""
    numbers = [order.number for order in changeable_orders(db.session(), member)]
    if not numbers:
        return _("変更できるご注文がありません。発送後の変更は、配送会社へお願いいたします。")
    dialogue = begin_dialogue(event, "delivery", step="order", orders=numbers)
    if len(numbers) == 1:
        return _ask_day(dialogue, numbers[0])
    return _ask(_("どのご注文ですか？"), numbers)


@delivery.on_dialogue("delivery", "order")
def choose_order(event: Event, dialogue: Dialogue) -> Reply:
    """Take the order's number."""
    number, numbers = _text(event), dialogue.data["orders"]
    if number in numbers:
        return _ask_day(dialogue, number)
    return _stop_or_ask(number, dialogue, numbers)


@delivery.on_dialogue("delivery", "day")
def choose_day(event: Event, dialogue: Dialogue) -> Reply:
    """Take the day."""
    days = {_label(day): day.isoformat() for day in days_offered(today())}
    chosen = _text(event)
    if chosen not in days:
        return _stop_or_ask(chosen, dialogue, list(days))
    dialogue.go("slot", day=days[chosen])
    return _ask(_("時間帯をお選びください。"), list(_slots()))


@delivery.on_dialogue("delivery", "slot")
@require_member
def choose_slot(event: Event, member: User, dialogue: Dialogue) -> Reply:
    """Take the time of the day, and change the order."""
    slots, chosen = _slots(), _text(event)
    if chosen not in slots:
        return _stop_or_ask(chosen, dialogue, list(slots))
    number, day = dialogue.data["order"], date.fromisoformat(dialogue.data["day"])
    dialogue.end()
    try:
        change_delivery(db.session(), member, number, day, slots[chosen], today=today())
    except TooLate:
        return _("申し訳ございません。このご注文は発送済みのため、変更できませんでした。")
    except ValueError:
        return _("申し訳ございません。この日にはお届けできません。はじめからお選びください。")
    return _(
        "ご注文 %(number)s のお届けを、%(day)s %(slot)s に変更しました。",
        number=number,
        day=_label(day),
        slot=chosen,
    )


def _ask_day(dialogue: Dialogue, number: str) -> Reply:
    dialogue.go("day", order=number)
    days = [_label(day) for day in days_offered(today())]
    return _ask(_("ご注文 %(number)s のお届け日をお選びください。", number=number), days)


def _ask(question: str, choices: Sequence[str]) -> Reply:
    offered = [*choices, _("やめる")]
    return TextMessage(question, quick_replies=[MessageAction(text, text) for text in offered])


def _stop_or_ask(text: str, dialogue: Dialogue, choices: Sequence[str]) -> Reply:
    if text not in {_("やめる"), "やめる"}:
        return _ask(_("下のボタンからお選びください。"), choices)
    dialogue.end()
    return _("変更をとりやめました。")


def _text(event: Event) -> str:
    return event.text.strip() if isinstance(event, TextEvent) else ""


def _label(day: date) -> str:
    return format_skeleton("MMMEd", day, locale=get_locale())


def _slots() -> dict[str, str]:
    """Return the carrier's times of the day by what the chat calls them."""
    return {_(slot): slot for slot in SLOTS}
