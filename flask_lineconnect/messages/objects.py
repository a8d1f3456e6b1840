"""LINE message objects that hooks return, without the weight of the SDK.

The SDK's own objects (``linebot.v3.messaging``) are accepted wherever these are.
Source: Messaging API reference, "Message objects" and "Action objects".
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from typing import Protocol
from typing import TypeAlias

from ..errors import InvalidMessage

JsonObject: TypeAlias = dict[str, Any]

#: Levels, beyond all that ``limits.py`` lets through.
_TOO_DEEP = 150


class Message(Protocol):
    """Anything that becomes one LINE message object."""

    def to_dict(self) -> Any:
        """Return the object as LINE's JSON."""


class PassOn(Enum):
    """What a hook returns to leave the event to the next hook."""

    PASS_ON = "pass on"


#: Return this from a hook to leave the event to the next one.
PASS_ON = PassOn.PASS_ON
#: What a hook returns: nothing, text, one message, up to five, or ``PASS_ON``.
Reply: TypeAlias = str | Message | Sequence[str | Message] | PassOn | None


@dataclass(frozen=True, slots=True)
class MessageAction:
    """A tap that writes ``text`` into the chat as the person."""

    label: str
    text: str

    def to_dict(self) -> JsonObject:
        """Return the action as LINE's JSON."""
        return {"type": "message", "label": self.label, "text": self.text}


@dataclass(frozen=True, slots=True)
class PostbackAction:
    """A tap that sends ``data`` to the webhook; ``display_text`` is shown in the chat."""

    label: str
    data: str
    display_text: str | None = None

    def to_dict(self) -> JsonObject:
        """Return the action as LINE's JSON."""
        action = {"type": "postback", "label": self.label, "data": self.data}
        return action | ({"displayText": self.display_text} if self.display_text else {})


@dataclass(frozen=True, slots=True)
class UriAction:
    """A tap that opens an address: ``https``, ``line`` or ``tel``."""

    label: str
    uri: str

    def to_dict(self) -> JsonObject:
        """Return the action as LINE's JSON."""
        return {"type": "uri", "label": self.label, "uri": self.uri}


Action: TypeAlias = MessageAction | PostbackAction | UriAction


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text of up to 5,000 UTF-16 units, with up to 13 quick replies below it."""

    text: str
    quick_replies: Sequence[Action] = ()

    def to_dict(self) -> JsonObject:
        """Return the message as LINE's JSON."""
        return {"type": "text", "text": self.text} | _quick_reply(self.quick_replies)


@dataclass(frozen=True, slots=True)
class ButtonsMessage:
    """A text with one to four buttons; ``alt_text`` is what notifications show."""

    text: str
    actions: Sequence[Action]
    alt_text: str | None = None
    title: str | None = None
    quick_replies: Sequence[Action] = ()

    def to_dict(self) -> JsonObject:
        """Return the message as LINE's JSON."""
        template: JsonObject = {"type": "buttons", "text": self.text, **_actions(self.actions)}
        if self.title:
            template["title"] = self.title
        return _template(self.alt_text or self.text, template, self.quick_replies)


@dataclass(frozen=True, slots=True)
class ConfirmMessage:
    """A question with two buttons side by side; ``alt_text`` is what notifications show."""

    text: str
    yes: Action
    no: Action
    alt_text: str | None = None
    quick_replies: Sequence[Action] = ()

    def to_dict(self) -> JsonObject:
        """Return the message as LINE's JSON."""
        template = {"type": "confirm", "text": self.text, **_actions([self.yes, self.no])}
        return _template(self.alt_text or self.text, template, self.quick_replies)


@dataclass(frozen=True, slots=True)
class Column:
    """One card of a :class:`CarouselMessage`; all have the same number of actions, up to three."""

    text: str
    actions: Sequence[Action]
    title: str | None = None
    #: HTTPS, JPEG or PNG.
    image_url: str | None = None

    def to_dict(self) -> JsonObject:
        """Return the card as LINE's JSON."""
        more = {"title": self.title, "thumbnailImageUrl": self.image_url}
        given = {name: value for name, value in more.items() if value}
        return {"text": self.text, **_actions(self.actions), **given}


@dataclass(frozen=True, slots=True)
class CarouselMessage:
    """Up to ten cards to swipe through; ``alt_text`` is what notifications show."""

    alt_text: str
    columns: Sequence[Column]
    quick_replies: Sequence[Action] = ()

    def to_dict(self) -> JsonObject:
        """Return the message as LINE's JSON."""
        template = {"type": "carousel", "columns": [column.to_dict() for column in self.columns]}
        return _template(self.alt_text, template, self.quick_replies)


@dataclass(frozen=True, slots=True)
class FlexMessage:
    """A Flex bubble or carousel; ``alt_text`` is what notifications show."""

    alt_text: str
    contents: Mapping[str, Any]
    quick_replies: Sequence[Action] = ()

    def to_dict(self) -> JsonObject:
        """Return the message as LINE's JSON."""
        contents = _without_nulls(self.contents)
        flex = {"type": "flex", "altText": self.alt_text, "contents": contents}
        return flex | _quick_reply(self.quick_replies)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message object as LINE's reference shows it."""

    payload: Mapping[str, Any]

    def to_dict(self) -> JsonObject:
        """Return the message as LINE's JSON."""
        payload: JsonObject = _without_nulls(self.payload)
        return payload


def _without_nulls(value: Any, depth: int = 0) -> Any:
    """Leave out what is null: as good as absent to LINE, and to nobody else on the way.

    What is nested deeper than anything of LINE's stays, to be refused.
    """
    if depth > _TOO_DEEP:
        return value
    if isinstance(value, Mapping):
        return {
            name: _without_nulls(item, depth + 1)
            for name, item in value.items()
            if item is not None
        }
    if isinstance(value, list | tuple):
        return [_without_nulls(item, depth + 1) for item in value]
    return value


def _template(alt_text: str, template: JsonObject, quick_replies: Sequence[Action]) -> JsonObject:
    message = {"type": "template", "altText": alt_text, "template": template}
    return message | _quick_reply(quick_replies)


def _actions(actions: Sequence[Action]) -> JsonObject:
    return {"actions": [action.to_dict() for action in actions]}


def _quick_reply(actions: Sequence[Action]) -> JsonObject:
    if not actions:
        return {}
    items = [{"type": "action", "action": action.to_dict()} for action in actions]
    return {"quickReply": {"items": items}}


def to_payloads(reply: Reply) -> list[JsonObject]:
    """Return a reply as a list of LINE's JSON objects; nothing becomes an empty list.

    :raises InvalidMessage: something in it is no message; names the place.
    """
    if reply is None or isinstance(reply, PassOn):
        return []
    is_list = isinstance(reply, Iterable) and not isinstance(reply, str | bytes | Mapping)
    parts: Iterable[Any] = reply if is_list and not hasattr(reply, "to_dict") else [reply]
    return [_payload(part, f"messages[{index}]") for index, part in enumerate(parts)]


def _payload(part: Any, where: str) -> JsonObject:
    if isinstance(part, str):
        return TextMessage(part).to_dict()
    if not hasattr(part, "to_dict"):
        # A dictionary, too: it would be a template's, or have been checked by nobody.
        kind = type(part).__name__
        raise InvalidMessage(f"{where} is of the type {kind}, which is no message; see RawMessage")
    if isinstance(part, RawMessage) and not isinstance(part.payload, Mapping):
        kind = type(part.payload).__name__
        raise InvalidMessage(f"{where} is a RawMessage of the type {kind}, which is no JSON object")
    payload: JsonObject = part.to_dict()
    return payload
