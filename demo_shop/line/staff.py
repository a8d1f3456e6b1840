"""スタッフに相談: the shop falls silent, and the counter gets what is written."""

import re
from datetime import timedelta

from flask_lineconnect import Dialogue
from flask_lineconnect import Event
from flask_lineconnect import LineBlueprint
from flask_lineconnect import MessageAction
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import TextMessage
from flask_lineconnect import begin_dialogue
from flask_lineconnect import member_for
from flask_lineconnect import shown_name

from ..extensions import db
from ..i18n import gettext as _
from ..models import Inquiry

staff = LineBlueprint("staff", __name__)

#: How long staff have the chat for themselves after the last message.
TALK = timedelta(hours=12)


@staff.on_text("スタッフに相談", "スタッフ", "問い合わせ", "Ask our staff")
def hand_over(event: TextEvent) -> Reply:
    """Ask what it is about."""
    begin_dialogue(event, "staff", step="waiting", lifetime=TALK)
    return _with_way_back(_("ご用件をお書きください。スタッフがこのトークでお返事いたします。"))


@staff.on_text(re.compile(r"(ご注文|About order) (?P<number>[\w-]{1,20})( について)?"))
def about_order(event: TextEvent) -> Reply:
    """Ask what it is about the order from whose page the customer comes, and tell staff which."""
    begin_dialogue(event, "staff", step="waiting", lifetime=TALK)
    db.session.add(_inquiry(event))
    return _with_way_back(
        _(
            "%(topic)sですね。ご用件をお書きください。スタッフがお返事いたします。",
            topic=event.text,
        )
    )


@staff.on_dialogue("staff")
def note(event: Event, dialogue: Dialogue) -> Reply:
    """Keep what is written for the counter; only the first one is answered."""
    if not isinstance(event, TextEvent):
        return None
    if event.text.strip() in {_way_back(), "自動応答にもどる"}:
        dialogue.end()
        return _("自動応答にもどりました。")
    is_first = dialogue.step == "waiting"
    db.session.add(_inquiry(event))
    dialogue.go("talking", lifetime=TALK)
    if not is_first:
        return None
    return _with_way_back(_("スタッフに伝えました。お返事をお待ちください。"))


def _with_way_back(text: str) -> Reply:
    return TextMessage(text, quick_replies=[MessageAction(_way_back(), _way_back())])


def _way_back() -> str:
    return _("自動応答にもどる")


def _inquiry(event: TextEvent) -> Inquiry:
    member, account = member_for(event), event.account
    name = member.name if member else account and account.display_name
    return Inquiry(user=member, name=shown_name(name) or _("LINEのお客さま"), text=event.text)
