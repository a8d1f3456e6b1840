"""What LINE itself counts of messages: who saw them, and who tapped a link.

LINE tells no number of fewer than 20 people; it keeps these figures for about a month.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any

from ..errors import LineApiError
from .calls import LineCall
from .calls import note_call
from .client import ChannelToken
from .http import Answer
from .http import LineHttp

#: LINE tells of no longer time at once.
MOST_DAYS = 30
_PATH = "/v2/bot/insight/message/event"


@dataclass(frozen=True, slots=True)
class Insight:
    """LINE's figures of some messages.

    :ivar seen: people who saw one; ``None``: LINE does not say.
    :ivar tapped: people who tapped a link in one.
    :ivar answer: all that LINE said.
    """

    seen: int | None
    tapped: int | None
    answer: Mapping[str, Any]


def insight_of_unit(
    http: LineHttp, token: ChannelToken, unit: str, first: date, last: date
) -> Insight:
    """Ask what people did with the messages that were sent with an aggregation unit.

    :param first: days of LINE's zone, :data:`MOST_DAYS` at the most.
    :raises LineApiError: LINE did not say.

    Source: Messaging API reference, "Get statistics per unit".
    """
    days = {"from": f"{first:%Y%m%d}", "to": f"{last:%Y%m%d}"}
    query = {"customAggregationUnit": unit, **days}
    return _ask(http, token, f"{_PATH}/aggregation", query)


def insight_of_request(http: LineHttp, token: ChannelToken, request_id: str) -> Insight:
    """Ask what people did with the messages of one broadcast.

    :raises LineApiError: LINE did not say.

    Source: Messaging API reference, "Get user interaction statistics".
    """
    return _ask(http, token, _PATH, {"requestId": request_id})


def _ask(http: LineHttp, token: ChannelToken, path: str, query: Mapping[str, str]) -> Insight:
    answer = _call(http, token, path, query)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        token.forget()
        answer = _call(http, token, path, query)
    if answer.status != HTTPStatus.OK or not answer.is_readable:
        raise LineApiError(
            f"LINE refused to tell what it counts of messages: {answer.status}",
            status=answer.status,
            request_id=answer.request_id,
        )
    overview = answer.content.get("overview")
    figures: Mapping[str, Any] = overview if isinstance(overview, dict) else {}
    return Insight(
        _number(figures.get("uniqueImpression")),
        _number(figures.get("uniqueClick")),
        answer.content,
    )


def _call(http: LineHttp, token: ChannelToken, path: str, query: Mapping[str, str]) -> Answer:
    began = time.monotonic()
    status = request_id = None
    try:
        answer = http.ask("GET", path, bearer=token.get(), query=query)
        status, request_id = answer.status, answer.request_id
        return answer
    finally:
        note_call(LineCall("get insight", status, request_id, time.monotonic() - began))


def _number(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 2**31 else None  # type: ignore[operator, return-value]
