"""LINE's own look at messages, before anybody is sent them: it refuses what it would refuse then.

Beside the official SDK, whose models would refuse, or leave out, what LINE is to be asked about.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..errors import LineApiError
from .calls import LineCall
from .calls import note_call
from .client import ChannelToken
from .http import Answer
from .http import LineHttp

_PATH = "/v2/bot/message/validate/push"
_WHAT = "validate messages"
#: Where in the request a property stands, and of which message LINE speaks as a whole.
_PROPERTY = re.compile(r"messages\[(\d{1,2})\]\.?(.*)", re.DOTALL)
_OF_MESSAGE = re.compile(r"messages\[(\d{1,2})\]")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that LINE says is wrong.

    :ivar message: the place of the message in the list; ``None``: it is about all of them.
    :ivar path: in that message, as LINE writes it: ``text``, ``/body/contents/0/text``,
        ``template/actions/0/uri``; empty for all of it.
    :ivar text: in LINE's words, which may quote what was asked about.
    """

    message: int | None
    path: str
    text: str


def validate(
    http: LineHttp, token: ChannelToken, messages: Sequence[Mapping[str, Any]]
) -> tuple[Complaint, ...]:
    """Ask LINE whether it would take messages; nothing is sent, and nothing counted.

    :param messages: 1 to 5 message objects.
    :return: what is wrong; empty: LINE would take them.
    :raises LineApiError: LINE did not say.

    Source: Messaging API reference, "Validate message objects of a push message".
    """
    answer = _ask(http, token, messages)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        token.forget()
        answer = _ask(http, token, messages)
    if answer.status == HTTPStatus.OK:
        return ()
    if answer.status == HTTPStatus.BAD_REQUEST:
        return complaints_in(answer.content)
    raise LineApiError(
        f"LINE refused to {_WHAT}: {answer.status}",
        status=answer.status,
        request_id=answer.request_id,
    )


def complaints_in(content: Mapping[str, Any]) -> tuple[Complaint, ...]:
    """Read an error answer of LINE's, in each of the shapes that it has.

    A property is named from the root of the request, or within the message that the sentence above
    names; some errors are that sentence alone.
    """
    said = _text(content.get("message")) or "LINE does not say why"
    about = _OF_MESSAGE.search(said)
    number = None if about is None else int(about[1])
    details = content.get("details")
    found = [
        _complaint(detail, number, said)
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict)
    ]
    return tuple(found) or (Complaint(number, "", said),)


def _complaint(detail: Mapping[str, Any], number: int | None, said: str) -> Complaint:
    where, text = _text(detail.get("property")), _text(detail.get("message")) or said
    inside = _PROPERTY.fullmatch(where)
    if inside is not None:
        return Complaint(int(inside[1]), inside[2], text)
    return Complaint(number, where, text)


def _ask(http: LineHttp, token: ChannelToken, messages: Sequence[Mapping[str, Any]]) -> Answer:
    began = time.monotonic()
    status = request_id = None
    try:
        body = {"messages": list(messages)}
        answer = http.ask("POST", _PATH, bearer=token.get(), body=body)
        request_id = answer.request_id
        if request_id is None:
            # A proxy's page: LINE knows nothing of it.
            raise LineApiError(f"an answer that is not LINE's: {_WHAT}")
        status = answer.status
        return answer
    finally:
        note_call(LineCall(_WHAT, status, request_id, time.monotonic() - began))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
