"""The figures that LINE makes of what people did with messages.

Source: Messaging API reference, "Insight", "Message" (statistics).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from datetime import datetime
from typing import Any

from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import bad_parameter
from ..platform import platform
from ..requests_in import number_in_query
from ..times import ZONE
from ..tokens.guard import messaging_api
from ..world import SentRequest

MAX_UNITS = 100
#: Statistics of a unit cover no more than so many days.
MAX_DAYS = 30
#: Insight's errors have a shape of their own.
BAD_UNIT: dict[str, Any] = {"message": None, "key": None, "stacktrace": None, "code": None}
_DATE = re.compile(r"\d{8}")
#: LINE's name for each way of sending.
_FIELDS = {
    "broadcast": "apiBroadcast",
    "push": "apiPush",
    "multicast": "apiMulticast",
    "narrowcast": "apiNarrowcast",
    "reply": "apiReply",
}

insight = messaging_api("insight", "/v2/bot")


@insight.get("/message/delivery/<kind>")
def sent_on(kind: str) -> Response:
    """Tell how many messages were sent in one way on one day."""
    if kind not in {"reply", "push", "multicast", "broadcast"}:
        raise ApiError(404, "Not found")
    day = _day("date")
    if day is None:
        raise bad_parameter("date")
    if day >= _today():
        return jsonify(status="unready")
    return jsonify(status="ready", success=_deliveries_on(day)[kind])


@insight.get("/insight/message/delivery")
def deliveries() -> Response:
    """Tell how many messages were sent on one day, in every way."""
    day = _day("date")
    if day is None:
        raise ApiError(400, "date is required")
    if day >= _today():
        return jsonify(status="unready")
    counts = _deliveries_on(day)
    ours = {name: counts[kind] for kind, name in _FIELDS.items()}
    by_tools = platform().world.messaging_channel.sent_by_tools
    return jsonify(status="ready", **(by_tools | ours))


@insight.get("/message/aggregation/info")
def unit_count() -> Response:
    """Tell how many units were used this month."""
    return jsonify(numOfCustomAggregationUnits=len(_units_this_month()))


@insight.get("/message/aggregation/list")
def unit_names() -> Response:
    """Name the units that were used this month."""
    limit, start = number_in_query("limit", 100, MAX_UNITS), request.args.get("start", "0")
    if not start.isdecimal():
        raise bad_parameter("limit")
    names, begin = _units_this_month(), int(start[:9])
    end = begin + limit
    answer: dict[str, Any] = {"customAggregationUnits": names[begin:end]}
    return jsonify(answer | ({"next": str(end)} if end < len(names) else {}))


@insight.get("/insight/message/event/aggregation")
def of_unit() -> tuple[Response, int] | Response:
    """Tell what people did with all messages of one unit."""
    unit, first, last = request.args.get("customAggregationUnit"), _day("from"), _day("to")
    if not unit or first is None or last is None or not 0 <= (last - first).days < MAX_DAYS:
        return jsonify(BAD_UNIT), 400
    with platform().lock:
        found = [
            one
            for one in platform().world.sent_requests.values()
            if one.unit == unit and first <= _local(one.at) <= last
        ]
        return jsonify(_figures(found))


@insight.get("/insight/message/event")
def of_request() -> Response:
    """Tell what people did with the messages of one broadcast or narrowcast."""
    line = platform()
    with line.lock:
        found = line.world.sent_requests.get(request.args.get("requestId", ""))
        if found is None or found.kind not in {"broadcast", "narrowcast"}:
            raise ApiError(400, "Bad Request")
        figures = _figures([found])
        figures["overview"] = {
            "requestId": found.request_id,
            "timestamp": int(found.at.timestamp()),
            "delivered": len(found.recipients),
            **figures["overview"],
        }
        return jsonify(figures)


@insight.get("/insight/followers")
def followers() -> Response:
    """Tell how many friends there are; today's count stands in for the past's."""
    day = _day("date")
    if day is None:
        raise ApiError(400, "date is required")
    if day >= _today():
        return jsonify(status="unready")
    relations = Counter(user.relation for user in platform().world.users.values())
    friends, blockers = relations["friend"], relations["blocked"]
    return jsonify(
        status="ready", followers=friends + blockers, targetedReaches=friends, blocks=blockers
    )


@insight.get("/insight/demographic")
def demographic() -> Response:
    """Tell who the friends are, in shares, once there are enough of them."""
    line = platform()
    with line.lock:
        friends = [user for user in line.world.users.values() if user.relation == "friend"]
        if len(friends) < line.world.messaging_channel.minimum_figure:
            return jsonify(available=False)
        return jsonify(
            available=True,
            genders=_shares("gender", (user.gender for user in friends)),
            ages=_shares("age", (_age_range(user.age) for user in friends)),
            areas=_shares("area", (user.area for user in friends)),
            appTypes=_shares("appType", (user.app_type for user in friends)),
            subscriptionPeriods=[],
        )


def _figures(requests: list[SentRequest]) -> dict[str, Any]:
    seen = [user for one in requests for users in one.seen.values() for user in users]
    clicked = [user for one in requests for users in one.clicks.values() for user in users]
    return {
        "overview": {
            "uniqueImpression": _told(len(set(seen))),
            "uniqueClick": _told(len(set(clicked))),
            "uniqueMediaPlayed": None,
            "uniqueMediaPlayed100Percent": None,
        },
        "messages": _message_figures(requests),
        "clicks": _click_figures(requests),
    }


def _message_figures(requests: list[SentRequest]) -> list[dict[str, Any]]:
    count = max((len(one.messages) for one in requests), default=0)
    figures = []
    for seq in range(1, count + 1):
        users = [user for one in requests for user in one.seen.get(seq, [])]
        people = len(set(users))
        impression = _told(len(users)) if _told(people) is not None else None
        figures.append({"seq": seq, "impression": impression, "uniqueImpression": _told(people)})
    return figures


def _click_figures(requests: list[SentRequest]) -> list[dict[str, Any]]:
    urls = dict.fromkeys(url for one in requests for url in one.clicks)
    figures = []
    for seq, url in enumerate(urls, start=1):
        users = [user for one in requests for user in one.clicks.get(url, [])]
        people = _told(len(set(users)))
        clicks = len(users) if people is not None else None
        figures.append(
            {
                "seq": seq,
                "url": url,
                "click": clicks,
                "uniqueClick": people,
                "uniqueClickOfRequest": people,
            }
        )
    return figures


def _told(people: int) -> int | None:
    """Return a number of people, or ``None`` where it is too small to be told."""
    return people if people >= platform().world.messaging_channel.minimum_figure else None


def _deliveries_on(day: date) -> Counter[str]:
    counts: Counter[str] = Counter()
    with platform().lock:
        for one in platform().world.sent_requests.values():
            if _local(one.at) == day:
                counts[one.kind] += len(one.recipients)
    return counts


def _units_this_month() -> list[str]:
    today = _today()
    with platform().lock:
        requests = list(platform().world.sent_requests.values())
    days = ((one.unit, _local(one.at)) for one in requests if one.unit is not None)
    used = dict.fromkeys(
        unit for unit, day in days if (day.year, day.month) == (today.year, today.month)
    )
    # The 1,001st name of a month is silently dropped.
    return list(used)[:1_000]


def _shares(name: str, values: Iterable[str | None]) -> list[dict[str, Any]]:
    counts = Counter(value or "unknown" for value in values)
    total = sum(counts.values())
    return [
        {name: value, "percentage": round(100 * count / total, 1)}
        for value, count in counts.most_common()
    ]


def _age_range(age: str | None) -> str | None:
    if age is None:
        return None
    years = int(age.removeprefix("age_"))
    return "from70" if years >= 70 else f"from{years}to{years + 4}"


def _day(name: str) -> date | None:
    given = request.args.get(name, "")
    if not _DATE.fullmatch(given):
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _today() -> date:
    return _local(platform().clock.now())


def _local(at: datetime) -> date:
    """Return the day on which LINE counts a time."""
    return at.astimezone(ZONE).date()
