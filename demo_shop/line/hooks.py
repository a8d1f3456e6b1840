"""What the shop answers in the chat."""

from flask_lineconnect import FollowEvent
from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import member_for
from flask_lineconnect import render_message
from flask_lineconnect import require_member

from ..models import User
from ..points import balance_of

chat = LineBlueprint("chat", __name__)


@chat.on_follow
def greet(event: FollowEvent) -> Reply:
    """Greet a new friend; who is not a member yet is invited."""
    return render_message("line/greeting.json", member=member_for(event))


@chat.on_text("ポイント残高", "残高", "ポイント")
@require_member
def balance(event: TextEvent, member: User) -> Reply:
    """Answer with the member's points."""
    return render_message("line/balance.json", member=member, points=balance_of(member))


@chat.on_text()
def help_out(event: TextEvent) -> Reply:
    """Say what can be asked, whatever was written."""
    return render_message("line/help.json")
