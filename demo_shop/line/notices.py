"""What the shop tells the extension and single members; all else is sent by scenarios."""

from typing import Any

from ..models import Inquiry
from ..models import User
from ..signals import inquiry_answered
from ..signals import language_chosen
from ..signals import password_changed
from .extension import line


@inquiry_answered.connect
def send_answer(_sender: object, inquiry: Inquiry, text: str, **_more: Any) -> None:
    """Answer in the chat what a member asked there."""
    line.send(inquiry.user, text, key=f"inquiry:{inquiry.id}")


@password_changed.connect
def end_what_began_before(_sender: object, user: User, **_more: Any) -> None:
    """Let no login that began with an older password outlive it."""
    line.credentials_changed(user)


@language_chosen.connect
def speak(_sender: object, language: str, **_more: Any) -> None:
    """Speak the language of the shop's pages inside LINE and in messages, too."""
    line.language_chosen(language)
